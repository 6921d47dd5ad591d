"""What a captured file says that stations hold: a saved state, `explain -o json`, or a log of ReportChargingProfiles.

Used by `import`. The file is untrusted, and every kind of it ends in the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from reconciler.errors import ReconcilerError, UsageError
from reconciler.ocpp import v201
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject, MalformedProfile, read_instant
from reconciler.profiles.profile import Mode, Profile
from reconciler.reported.saved import read_state

REPORT = "ReportChargingProfiles"


@dataclass(frozen=True, slots=True)
class CapturedStation:
    """A station's profiles, and the protocol where it is known."""

    identity: str
    profiles: tuple[Profile, ...]
    protocol: Protocol | None = None


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """All stations of a file; `at` is when it was captured, where the file says so."""

    stations: tuple[CapturedStation, ...]
    at: datetime | None = None


@dataclass(eq=False)
class Unreadable(ReconcilerError):
    """The file is none of those that can be imported."""

    message: str

    def __str__(self) -> str:
        """Give what is wrong, and what would be right."""
        return (
            f"{self.message}; import takes what `reconciler get profiles -o json` or `reconciler explain STATION "
            f"-o json` printed, or a log with one {REPORT} per line"
        )


def read_captured(text: str, station: str) -> CapturedFile:
    """Read a file; `station` names whose log it is, where its lines do not.

    Raises:
        UsageError: it is a log that names no station, and `station` is empty.
        ReconcilerError: it can't be read.
    """
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _from_log(_lines(text), station)
    match whole:
        case {"format_version": _, "stations": _}:
            return _from_state(whole)
        case {"identity": str(), "profiles": [*_]}:
            return _from_views([whole])
        case [{"identity": str(), "profiles": [*_]}, *_]:
            return _from_views(whole)
        case [{"identity": str(), "state": _}, *_]:
            raise Unreadable("this lists stations without their profiles")
        case _:
            return _from_log([(1, whole)], station)


def _from_state(whole: JsonObject) -> CapturedFile:
    state = read_state(whole)
    return CapturedFile(
        tuple(
            CapturedStation(
                each.identity, tuple(held.profile for _, held in sorted(each.reported.held.items())), each.protocol
            )
            for _, each in sorted(state.stations.items())
        ),
        state.at,
    )


def _from_views(views: list[object]) -> CapturedFile:
    stations, moments = list[CapturedStation](), set[datetime]()
    for view in views:
        if not isinstance(view, Mapping):
            raise Unreadable("this is not a list of stations")
        shown = [each for key in ("profiles", "foreignProfiles") for each in _objects(view.get(key))]
        profiles = [_profile(each.get("evseId"), each.get("reported")) for each in shown if each.get("reported")]
        protocol = next((each for each in Protocol if each.version == view.get("protocol")), None)
        stations.append(CapturedStation(str(view.get("identity")), tuple(profiles), protocol))
        moments |= _moment(view.get("at"))
    return CapturedFile(tuple(stations), max(moments, default=None))


def _moment(value: object) -> set[datetime]:
    try:
        return {read_instant(value)}
    except TypeError:
        return set()


def _lines(text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield number, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"line {number} is not JSON") from error


def _from_log(lines: Iterable[tuple[int, object]], station: str) -> CapturedFile:
    """Take the reports of each station's last request; of one id on one EVSE the last counts."""
    asked: dict[str, object] = {}
    found: dict[str, dict[tuple[int, int], Profile]] = {}
    spoken: dict[str, Protocol] = {}
    for number, line in lines:
        named, report = _report(line)
        if report is None:
            continue
        whose = named or station
        if not whose:
            raise UsageError(f"line {number} does not say whose profiles it reports: name the station with --station")
        if whose not in found or asked[whose] != report.get("requestId"):
            found[whose] = {}
        asked[whose] = report.get("requestId")
        for data in _objects(report.get("chargingProfile")):
            profile = _profile(report.get("evseId"), data)
            found[whose][profile.evse_id, profile.id] = profile
            spoken |= _guess(whose, data, profile)
    if not found:
        raise Unreadable("this has no profiles")
    return CapturedFile(
        tuple(
            CapturedStation(whose, tuple(found[whose][key] for key in sorted(found[whose])), spoken.get(whose))
            for whose in sorted(found)
        )
    )


def _report(line: object) -> tuple[str, JsonObject | None]:
    """Find the payload in a frame, in a payload alone, or in either with the station's name beside it."""
    match line:
        case [2, str(), str(action), dict(payload), *_]:
            return "", payload if action == REPORT else None
        case {"chargingProfile": [*_], "evseId": _}:
            assert isinstance(line, dict)  # noqa: S101 - a mapping pattern has matched a JSON object
            return str(line.get("station") or line.get("identity") or ""), line
        case dict():
            inner = next((line[key] for key in ("frame", "message", "payload") if key in line), None)
            named, report = _report(inner) if isinstance(inner, dict | list) else ("", None)
            return str(line.get("station") or line.get("identity") or named), report
        case _:
            return "", None


def _guess(whose: str, data: JsonObject, profile: Profile) -> dict[str, Protocol]:
    """Tell the version by what only one of them has: operation modes, or a negative limit."""
    if b'"operationMode"' in orjson.dumps(data):
        return {whose: Protocol.V21}
    modes = {period.mode for schedule in profile.schedules for period in schedule.periods}
    return {whose: Protocol.V201} if Mode.CENTRAL_SETPOINT in modes else {}


def _profile(evse_id: object, data: object) -> Profile:
    if not isinstance(evse_id, int) or isinstance(evse_id, bool) or evse_id < 0 or not isinstance(data, Mapping):
        raise Unreadable("a profile without its EVSE")
    try:
        return v201.lift(evse_id, data)
    except MalformedProfile as error:
        raise Unreadable(f"a profile can't be read: {error}") from error


def _objects(items: object) -> Iterator[JsonObject]:
    return (item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else iter(())
