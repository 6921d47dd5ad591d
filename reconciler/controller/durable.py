"""What of the world outlives the process: documents made of it, and a world made of documents. Pure.

The controller's step asks `same` whether an event changed anything that has to be kept, and marks its name; the loop
takes what is marked by `drain` and hands it on; `restore` makes the world that a new process begins with. Nothing here
knows how documents are kept. What is restored is never `known`: every station is read before it is written to.

A document of a station says what would be believed if the process died now: a write under way may have been taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from reconciler.controller.dossier import read_load, read_station, write_load, write_station
from reconciler.controller.kept import write_fleet, write_rollout, write_suspension
from reconciler.controller.world import World
from reconciler.profiles.form import (
    JsonObject,
    Malformed,
    read_integer,
    read_text,
)
from reconciler.profiles.values import replace
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.reported.events import Disconnected
from reconciler.reported.saved import (
    StateFields,
    read_with_evse,
    write_with_evse,
)
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear, Push
from reconciler.rollout.ledger import Entry, Kind, Name, Stage
from reconciler.rollout.site import Load
from reconciler.rollout.station import Station

SKEW_STEP_S = 10.0
"""How far a station's clock has to have moved to be worth a document; answers take time, so that each one differs."""


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
        station.wrote,
        station.awaiting,
        station.rounds,
        station.counts,
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
            "profileId": command.profile_id,
            "set": write_with_evse(command.profile) if isinstance(command, Push) else None,
        }
    if load is not None and not (station.reported.known and not station.reported.unread and command is None):
        document["load"] = write_load(load)
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
    return _Document(station, sending, fields.within("load", read_load))


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
        profile_id=command.profile_id,
        evse_id=profile.evse_id if profile else None,
        stage=Stage.ANSWER,
        write=sending.write,
    )
