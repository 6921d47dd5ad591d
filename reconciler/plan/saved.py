"""Read a plan back from its JSON: the same values that every presentation starts from.

Called by `show` and `apply`. What is read is untrusted: it is held against the document's shape first, and nothing of
it ever reaches a station; an apply makes the plan anew and compares digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from reconciler.errors import Place, ReconcilerError
from reconciler.manifests.guardrails import Severity, Waiver
from reconciler.plan import document
from reconciler.plan.asked import Steering
from reconciler.plan.change import Clear, Install, Replace, Stuck, Verdict
from reconciler.plan.document import PlanDocument
from reconciler.plan.guardrails.finding import Finding
from reconciler.plan.guardrails.table import TABLE
from reconciler.plan.outlook import Outlook, Week
from reconciler.plan.planned import Batch, Churn, Course, FleetPlan, StationPlan, Version
from reconciler.plan.week import Stretch
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import MalformedProfile, read_number, read_profile
from reconciler.profiles.profile import CurvePoint, Profile
from reconciler.profiles.timeline import Power
from reconciler.reported.belief import Belief, Held

MOST_ERRORS = 3
YEARS = range(1970, 2200)
_P = TypeVar("_P", document.ChangePart, document.LaterPart, document.RefusedPart, document.ForeignPart)


@dataclass(eq=False)
class MalformedPlan(ReconcilerError):
    """A document is not a saved plan; the message says where in it."""

    message: str

    def __str__(self) -> str:
        """Give the message."""
        return f"saved plan: {self.message}"


def read_json(data: object) -> FleetPlan:
    """Read a plan.

    Raises:
        MalformedPlan: it is none, or one of a later format.
    """
    try:
        found = PlanDocument.model_validate(data)
    except ValidationError as error:
        raise MalformedPlan(_first(error)) from error
    reader = _Reader(found)
    stations = tuple(reader.station(part) for part in found.stations)
    return FleetPlan(
        base=None if found.base is None else _version(found.base),
        head=_version(found.head),
        at=_instant(found.at),
        timezone=_zone(found.timezone),
        stations=stations,
        departed=found.departed,
        digest=found.digest,
        live=found.live,
        churn=_churn(found.churn),
        tally=_tally(found.summary),
        findings=tuple(_finding(part) for part in found.findings),
        waivers=tuple(_waiver(part) for part in found.waivers),
        fleet=found.fleet,
        state_at=_maybe(found.state_at),
        unlisted=max(found.summary.stations - len(stations), 0),
        course=_course(found.course) if found.course else None,
        created=_maybe(found.created),
        expires=_maybe(found.expires),
    )


class _Reader:
    """Puts together what a document says of each station; equal parts become one object."""

    def __init__(self, found: PlanDocument) -> None:
        self._profiles: dict[str, Profile] = {}
        self._verdicts: dict[tuple[Verdict, ...], tuple[Verdict, ...]] = {}
        self._outlooks = tuple(_outlook(part) for part in found.outlooks)
        self._changes = _by_station(found.changes)
        self._later = _by_station(found.later)
        self._refused = _by_station(found.refused)
        self._foreign = _by_station(found.foreign)

    def station(self, part: document.StationPart) -> StationPlan:
        name = part.station
        changes, refused = self._changes.get(name, ()), self._refused.get(name, ())
        verdicts = (*map(self._change, changes), *(self._stuck(each) for each in refused if each.profile is not None))
        causes = {each.profile_id: each.cause for each in changes}
        outlook = self._outlook(part)
        later = tuple(each.evse_id for each in self._later.get(name, ()))
        if not (outlook.weeks.keys() if outlook else set()) >= set(later):
            raise MalformedPlan(f"later: the outlook of {name} has no such EVSE")
        return StationPlan(
            identity=name,
            protocol=next(each for each in Protocol if each.version == part.protocol),
            verdicts=self._verdicts.setdefault(verdicts, verdicts),
            goal_refusal=next((each.reason for each in refused if each.profile is None), ""),
            foreign=tuple(self._held(each) for each in self._foreign.get(name, ())),
            connected=part.connected,
            assumed=part.assumed,
            drifted=frozenset(number for number, cause in causes.items() if cause == "drift"),
            renewed=frozenset(number for number, cause in causes.items() if cause == "renewal"),
            outlook=outlook,
            later=later,
            group=part.group,
            site=part.site,
        )

    def _outlook(self, part: document.StationPart) -> Outlook | None:
        if part.outlook is None:
            return None
        if part.outlook >= len(self._outlooks):
            raise MalformedPlan(f"stations: there is no outlook {part.outlook}")
        return self._outlooks[part.outlook]

    def _change(self, part: document.ChangePart) -> Verdict:
        before, after = (self._profile(part.evse_id, each) if each else None for each in (part.before, part.after))
        match part.type:
            case "install" if after:
                return Install(after, part.reason)
            case "replace" if before and after:
                return Replace(after, before, part.reason)
            case "clear" if before:
                return Clear(before, part.reason)
        raise MalformedPlan(f"changes: the {part.type} of {part.station} lacks a profile")

    def _stuck(self, part: document.RefusedPart) -> Stuck:
        return Stuck(self._profile(part.evse_id or 0, part.profile or {}), part.reason)

    def _held(self, part: document.ForeignPart) -> Held:
        return Held(self._profile(part.evse_id, part.profile), Belief.OBSERVED, part.source)

    def _profile(self, evse_id: int, data: Mapping[str, object]) -> Profile:
        key = f"{evse_id} {data!r}"
        if key not in self._profiles:
            try:
                self._profiles[key] = read_profile(evse_id, data)
            except MalformedProfile as error:
                raise MalformedPlan(f"a profile: {error}") from error
        return self._profiles[key]


def _by_station(parts: Iterable[_P]) -> dict[str, list[_P]]:
    found: dict[str, list[_P]] = {}
    for part in parts:
        found.setdefault(part.station, []).append(part)
    return found


def _first(error: ValidationError) -> str:
    """Say where a document is wrong, in its own words."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    told = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors[:MOST_ERRORS])
    return "; ".join(told)


def _version(part: document.VersionPart) -> Version:
    return Version(part.commit or "", part.author, part.subject)


def _instant(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise MalformedPlan(f"{at.isoformat()} is not a time of a plan")
    return at.astimezone(UTC).replace(microsecond=0)


def _maybe(at: datetime | None) -> datetime | None:
    return None if at is None else _instant(at)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MalformedPlan(f"timezone: there is no {name[:60]!r}") from error
    return name


def _churn(part: document.ChurnPart) -> Churn:
    duration = timedelta(seconds=part.duration_seconds)
    return Churn(part.writes, part.turns_before, part.turns_after, duration)


def _course(part: document.CoursePart) -> Course:
    waves, soak = tuple(map(_batch, part.waves)), timedelta(seconds=part.soak_seconds)
    return Course(_batch(part.urgent), waves, soak, part.writes_per_minute, part.windows)


def _batch(part: document.BatchPart) -> Batch:
    return Batch(part.stations, part.groups)


def _tally(part: document.SummaryPart) -> Mapping[type[Verdict], int]:
    return {Install: part.install, Replace: part.replace, Clear: part.clear}


def _finding(part: document.FindingPart) -> Finding:
    if part.guardrail not in TABLE:
        raise MalformedPlan(f"findings: there is no guardrail {part.guardrail[:60]!r}")
    severity = Severity(part.severity)
    return Finding(part.guardrail, severity, part.message, _place(part.place), part.field, part.stations)


def _waiver(part: document.WaiverPart) -> Waiver:
    return Waiver(part.guardrail, part.eased, part.reason, _place(part.place))


def _place(part: document.PlacePart) -> Place:
    return Place(part.file, part.line, part.column)


def _outlook(part: document.OutlookPart) -> Outlook:
    weeks = {week.evse_id: Week(week.since, tuple(_stretch(each) for each in week.stretches)) for week in part.weeks}
    return Outlook(weeks, part.turns_before, part.turns_after, part.is_new)


def _stretch(part: document.StretchPart) -> Stretch:
    days = frozenset(part.days)
    before, after = _power(part.before_w), _power(part.after_w)
    modes = (_steering(part.before_mode), _steering(part.after_mode))
    return Stretch(days, part.start_minute, part.end_minute, before, after, *modes)


def _steering(part: document.ModePart | None) -> Steering | None:
    if part is None:
        return None
    curve = tuple(CurvePoint(read_number(each.frequency_hz), read_number(each.power_w)) for each in part.curve)
    return Steering(part.mode, read_number(part.lowest_w), read_number(part.highest_w), curve)


def _power(number: float | None) -> Power:
    return None if number is None else read_number(number)
