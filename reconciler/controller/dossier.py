"""What is kept of one station as a document, and back. Pure; used by `durable`, which knows when.

It is built on the saved state that people can keep, and has beside it what the controller's patience needs. What is
read here is untrusted: a database can be damaged, or be of somebody else's making.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from reconciler.plan.change import Owned
from reconciler.profiles.form import (
    JsonObject,
    Malformed,
    read_integer,
    read_list,
    read_number,
    read_object,
    read_text,
    read_truth,
    write_number,
)
from reconciler.profiles.timeline import Timeline, timeline
from reconciler.reported.belief import Belief
from reconciler.reported.saved import (
    MOST_PROFILES,
    SavedStation,
    StateFields,
    read_capability,
    read_with_evse,
    write_capability,
    write_with_evse,
)
from reconciler.reported.saved import read_station as read_saved
from reconciler.reported.saved import write_station as write_saved
from reconciler.rollout.rounds import MOST_FOUND, Rounds
from reconciler.rollout.site import Load
from reconciler.rollout.station import Goal, Station, Tries
from reconciler.rollout.wear import Counts

NOBODYS = Owned(1, 0)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MOST_STEPS = 100_000
T = TypeVar("T")


def write_station(station: Station) -> JsonObject:
    """Write what has to be kept of one station."""
    reported = station.reported
    verified = station.verified.revision if station.verified else ""
    saved = SavedStation(
        station.identity,
        station.protocol,
        capability=station.capability,
        reported=reported,
        verified=verified,
    )
    more: dict[str, object] = {
        "everKnown": reported.ever_known,
        "unread": reported.unread,
        "base": write_capability(station.base) if station.base else None,
        "requests": [write_with_evse(profile) for profile in reported.requests.values()],
        "writtenAt": _write_times(station.written_at),
        "changedAt": _write_times(station.changed_at),
        "readAt": station.read_at.isoformat() if station.read_at else None,
        "tries": {str(number): [tries.times, tries.at.isoformat()] for number, tries in station.tries.items()},
        "answers": {str(number): words for number, words in station.answers.items()},
        "skew": station.skew.total_seconds() if station.skew is not None else None,
        "external": sorted(station.external),
        "faulted": [list(fault) for fault in sorted(station.faulted)],
        "wrote": station.wrote or None,
        "awaiting": {str(number): write for number, write in station.awaiting.items()},
        "rounds": {str(number): _write_rounds(rounds) for number, rounds in station.rounds.items()},
        "counts": {str(evse): [each.writes, each.turns, each.sign] for evse, each in station.counts.items()},
    }
    return {**write_saved(saved), **{name: value for name, value in more.items() if value not in (None, {}, [])}}


def read_station(document: JsonObject) -> Station:
    """Read what was kept of one station; it is offline, and nothing about it is known before it is read.

    Raises:
        Malformed: the document is none of a station; the path says where.
    """
    fields = StateFields(document, "")
    saved = read_saved(fields)
    requests = [read_with_evse(item) for item in fields.items("requests", MOST_PROFILES, needed=False)]
    return Station(
        identity=saved.identity,
        protocol=saved.protocol,
        base=fields.within("base", read_capability),
        capability=saved.capability,
        reported=replace(
            saved.reported,
            held={number: replace(held, belief=Belief.UNKNOWN) for number, held in saved.reported.held.items()},
            known=False,
            ever_known=fields.have("everKnown", read_truth) or False,
            unread=fields.have("unread", read_truth) or False,
            requests={profile.id: profile for profile in requests},
        ),
        read_at=fields.have("readAt", _read_moment),
        written_at=_by_number(fields, "writtenAt", _read_moment),
        changed_at=_by_number(fields, "changedAt", _read_moment),
        tries=_by_number(fields, "tries", _read_tries),
        answers=_by_number(fields, "answers", read_text),
        skew=fields.have("skew", _read_span),
        external=frozenset(fields.have("external", _read_numbers) or ()),
        faulted=frozenset(fields.have("faulted", _read_faults) or ()),
        wrote=fields.have("wrote", read_text) or "",
        awaiting=_by_number(fields, "awaiting", read_text),
        rounds=_by_number(fields, "rounds", _read_rounds),
        counts=_by_number(fields, "counts", _read_counts),
        verified=Goal((), saved.verified, LONG_AGO, NOBODYS) if saved.verified else None,
    )


def _write_times(times: Mapping[int, datetime]) -> dict[str, str]:
    return {str(number): at.isoformat() for number, at in times.items()}


def write_load(load: Load) -> JsonObject:
    """Write the most that a station may draw and feed."""
    return {"draw": _write_line(load.draw), "feed": _write_line(load.feed)}


def _write_line(line: Timeline) -> list[list[object]]:
    return [[start.isoformat(), write_number(power)] for start, power in line.steps]


def read_load(fields: StateFields) -> Load:
    """Read the most that a station may draw and feed; raises Malformed."""
    return Load(fields.need("draw", _read_line), fields.need("feed", _read_line))


def _read_line(value: object) -> Timeline:
    return timeline(_read_step(item) for item in _read_list(value, MOST_STEPS))


def _read_step(value: object) -> tuple[datetime, Decimal | None]:
    start, power = _read_pair(value)
    return _read_moment(start), None if power is None else read_number(power)


def _read_moment(value: object) -> datetime:
    """Read an instant to the microsecond, in UTC."""
    try:
        moment = datetime.fromisoformat(read_text(value))
    except ValueError as error:
        raise TypeError("must be an RFC 3339 instant") from error
    if moment.utcoffset() != timedelta(0):
        raise TypeError("must be an instant in UTC")
    return moment.astimezone(UTC)


def _read_span(value: object) -> timedelta:
    try:
        return timedelta(seconds=float(read_number(value)))
    except OverflowError as error:
        raise TypeError("is longer than any span of time") from error


def _read_tries(value: object) -> Tries:
    times, at = _read_pair(value)
    return Tries(read_integer(times), _read_moment(at))


def _write_rounds(rounds: Rounds) -> dict[str, object]:
    return {
        "found": [at.isoformat() for at in rounds.found],
        "last": rounds.last.isoformat(),
        "source": rounds.source,
        "revision": rounds.revision,
        "slot": rounds.slot,
        "written": rounds.written.isoformat() if rounds.written else None,
    }


def _read_rounds(value: object) -> Rounds:
    fields = StateFields(value, "")
    return Rounds(
        tuple(_read_moment(at) for at in _read_list(fields.data.get("found"), MOST_FOUND)),
        last=fields.need("last", _read_moment),
        source=fields.have("source", read_text) or "",
        revision=fields.have("revision", read_text) or "",
        slot=fields.have("slot", read_text) or "",
        written=fields.have("written", _read_moment),
    )


def _read_counts(value: object) -> Counts:
    numbers = tuple(read_integer(item) for item in _read_list(value, 3))
    if len(numbers) != 3:
        raise TypeError("must be three whole numbers")
    return Counts(*numbers)


def _read_pair(value: object) -> tuple[object, object]:
    pair = tuple(_read_list(value, 2))
    if len(pair) != 2:
        raise TypeError("must be a pair")
    return pair[0], pair[1]


def _read_numbers(value: object) -> tuple[int, ...]:
    return tuple(read_integer(item) for item in _read_list(value, MOST_STEPS))


def _read_faults(value: object) -> tuple[tuple[int, str], ...]:
    pairs = (_read_pair(item) for item in _read_list(value, MOST_STEPS))
    return tuple((read_integer(evse), read_text(part)) for evse, part in pairs)


def _read_list(value: object, most: int) -> Sequence[object]:
    items = read_list(value)
    if len(items) > most:
        raise TypeError(f"must be a list of at most {most}")
    return items


def _by_number(fields: StateFields, name: str, read: Callable[[object], T]) -> dict[int, T]:
    """Read an object whose keys are whole numbers."""

    def read_all(value: object) -> dict[int, T]:
        try:
            return {int(str(key)): read(item) for key, item in read_object(value).items()}
        except Malformed as error:
            raise fields.malformed(f"{fields.at(name)}.{error.path}", error.message) from error

    return fields.have(name, read_all) or {}
