"""What of the world outlives the process: documents made of it, and a world made of documents. Pure.

The controller's step asks `same` whether an event changed anything that has to be kept, and marks its name; the loop
takes what is marked by `drain` and hands it on; `restore` makes the world that a new process begins with. Nothing here
knows how documents are kept. What is restored is never `known`: every station is read before it is written to.

A document of a station says what would be believed if the process died now: a write under way may have been taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from reconciler.controller.kept import write_fleet, write_rollout, write_suspension
from reconciler.controller.world import World
from reconciler.plan.change import Owned
from reconciler.profiles.form import (
    JsonObject,
    Malformed,
    read_integer,
    read_number,
    read_text,
    read_truth,
    write_number,
)
from reconciler.profiles.timeline import Timeline, timeline
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.reported.events import Disconnected
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
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear, Push
from reconciler.rollout.ledger import Entry, Kind, Name, Stage
from reconciler.rollout.site import Load
from reconciler.rollout.station import Goal, Station, Tries

NOBODYS = Owned(1, 0)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SKEW_STEP_S = 10.0
"""How far a station's clock has to have moved to be worth a document; answers take time, so that each one differs."""
MOST_STEPS = 100_000
T = TypeVar("T")


class Sending(NamedTuple):
    """A write that was under way: the command, and the id of its lines in the history."""

    command: Push | Clear
    write: str


class Restored(NamedTuple):
    """A world of documents, lines that end what was under way, and the documents that can't be read."""

    world: World
    entries: tuple[Entry, ...]
    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Document:
    """What the document of a station says."""

    station: Station
    sending: Sending | None = None
    load: Load | None = None


def drain(world: World, names: Iterable[Name] | None = None) -> tuple[World, Mapping[Name, JsonObject | None]]:
    """Give the documents of what is marked, or of some of it, and the world without these marks.

    None stands for what is no more.
    """
    left, documents = world.dirty.mutate(), dict[Name, JsonObject | None]()
    for name in tuple(world.dirty) if names is None else names:
        if left.pop(name, True) is None:
            documents[name] = WRITERS[name[0]](world, name[1])
    return (replace(world, dirty=left.finish()) if documents else world), documents


def mark(world: World, names: Iterable[Name]) -> World:
    """Mark what has to be kept, or kept again."""
    marks = dict.fromkeys(names)
    return replace(world, dirty=world.dirty.update(marks)) if marks else world


def same(before: Station, after: Station) -> bool:
    """Tell whether two states of a station leave the same document.

    Times of read-backs, metered power, connections and the doubts that come with them do not count: a fleet that is
    read and found right leaves nothing to be kept.
    """
    return before is after or (
        _plain(before) == _plain(after)
        and _sending(before) == _sending(after)
        and _clock(before) == _clock(after)
        and _commit(before) == _commit(after)
        and (before.reported is after.reported or _same_report(before.reported, after.reported))
    )


def write_station(station: Station) -> JsonObject:
    """Write what has to be kept of one station."""
    reported = station.reported
    saved = SavedStation(
        station.identity, station.protocol, capability=station.capability, reported=reported, verified=_commit(station)
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
        verified=Goal((), saved.verified, LONG_AGO, NOBODYS) if saved.verified else None,
    )


def restore(world: World, documents: Mapping[Name, JsonObject], now: datetime) -> Restored:
    """Give a world with all that was kept; a write that was under way counts as one without an answer.

    A document that can't be read is named and left out: its station is then one that was never met.
    """
    stations, loads = world.stations.mutate(), world.loads.mutate()
    entries: list[Entry] = []
    complaints: list[str] = []
    for (kind, name), document in sorted(documents.items()):
        if kind is not Kind.STATION:
            continue
        try:
            kept = _read_document(document)
        except Malformed as error:
            complaints.append(f"{kind} {name}: {error.path}: {error.message}")
            continue
        stations[name] = _doubt(kept, now)
        if kept.load is not None:
            loads[name] = kept.load
        if kept.sending is not None:
            entries.append(_unanswered(kept.station, kept.sending, now))
    restored = replace(world, stations=stations.finish(), loads=loads.finish())
    return Restored(restored, tuple(entries), tuple(complaints))


def _plain(station: Station) -> tuple[object, ...]:
    return (
        station.identity,
        station.protocol,
        station.base,
        station.capability,
        station.written_at,
        station.changed_at,
        station.tries,
        station.answers,
        station.external,
        station.faulted,
    )


def _same_report(before: Reported, after: Reported) -> bool:
    return (
        (before.ever_known, before.unread) == (after.ever_known, after.unread)
        and before.requests == after.requests
        and before.echoes == after.echoes
        and before.refusals == after.refusals
        and before.held.keys() == after.held.keys()
        and all(_same_held(held, after.held[number]) for number, held in before.held.items())
    )


def _same_held(before: Held, after: Held) -> bool:
    """Compare without doubt: whatever is restored is doubted, so that only an assumption differs from a report."""
    assumed = before.belief is Belief.ASSUMED, after.belief is Belief.ASSUMED
    return before is after or (
        before.profile == after.profile and before.source == after.source and assumed[0] == assumed[1]
    )


def _sending(station: Station) -> Push | Clear | None:
    return station.in_flight if isinstance(station.in_flight, Push | Clear) else None


def _clock(station: Station) -> int | None:
    return None if station.skew is None else round(station.skew.total_seconds() / SKEW_STEP_S)


def _commit(station: Station) -> str:
    return station.verified.revision if station.verified else ""


def _write_document(world: World, key: str) -> JsonObject | None:
    """Write a station together with the write under way, and with its load where what it holds does not tell it."""
    station = world.stations.get(key)
    if station is None:
        return None
    document = dict(write_station(station))
    command, load, errand = _sending(station), world.loads.get(key), world.errands.get(key)
    if command is not None:
        document["sending"] = {
            "write": errand.write if errand else "",
            "profileId": command.profile.id if isinstance(command, Push) else command.profile_id,
            "set": write_with_evse(command.profile) if isinstance(command, Push) else None,
        }
    if load is not None and not (station.reported.known and not station.reported.unread and command is None):
        document["load"] = {"draw": _write_line(load.draw), "feed": _write_line(load.feed)}
    return document


WRITERS: Mapping[Kind, Callable[[World, str], JsonObject | None]] = {
    Kind.STATION: _write_document,
    Kind.ROLLOUT: write_rollout,
    Kind.SUSPENSION: write_suspension,
    Kind.FLEET: write_fleet,
}
"""How each kind of document is made."""


def _read_document(document: JsonObject) -> _Document:
    fields, station = StateFields(document, ""), read_station(document)
    sending = fields.within("sending", lambda inside: _read_sending(inside, station))
    return _Document(station, sending, fields.within("load", _read_load))


def _read_sending(fields: StateFields, station: Station) -> Sending:
    profile, capability = fields.within("set", read_with_evse), station.capability or station.base
    number, write = fields.need("profileId", read_integer), fields.have("write", read_text) or ""
    if profile is None:
        return Sending(Clear(station.identity, number), write)
    if capability is None:
        raise fields.malformed(fields.at("set"), "was sent to a station of which nothing is known")
    return Sending(Push(station.identity, profile, capability), write)


def _doubt(kept: _Document, now: datetime) -> Station:
    if kept.sending is None:
        return kept.station
    sent = replace(kept.station, in_flight=kept.sending.command, session=0)
    return absorb(sent, Disconnected(sent.identity, 0), now)


def _unanswered(station: Station, sending: Sending, now: datetime) -> Entry:
    command = sending.command
    profile = command.profile if isinstance(command, Push) else None
    return Entry(
        at=now,
        station=station.identity,
        action="SetChargingProfile" if profile else "ClearChargingProfile",
        reason="the controller was started again",
        answer="unknown: the controller ended before the answer came",
        profile_id=command.profile.id if isinstance(command, Push) else command.profile_id,
        evse_id=profile.evse_id if profile else None,
        stage=Stage.ANSWER,
        write=sending.write,
    )


def _write_times(times: Mapping[int, datetime]) -> dict[str, str]:
    return {str(number): at.isoformat() for number, at in times.items()}


def _write_line(line: Timeline) -> list[list[object]]:
    return [[start.isoformat(), write_number(power)] for start, power in line.steps]


def _read_load(fields: StateFields) -> Load:
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


def _read_list(value: object, most: int) -> Iterable[object]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise TypeError(f"must be a list of at most {most}")
    return value


def _by_number(fields: StateFields, name: str, read: Callable[[object], T]) -> dict[int, T]:
    """Read an object whose keys are whole numbers."""

    def read_all(value: object) -> dict[int, T]:
        if not isinstance(value, Mapping):
            raise TypeError("must be an object")
        return {int(str(key)): read(item) for key, item in value.items()}

    return fields.have(name, read_all) or {}
