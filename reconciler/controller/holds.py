"""Why a station's write does not go out yet, though its site would allow it: people, storms, paces, the record. Pure.

Used by `step` alone. What only lowers flow is never held back by a storm or a pace; what withdraws discharge goes to a
suspended station as well. Nothing goes that could not be recorded (invariant 11).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from immutables import Map

from reconciler.controller.gate import draws_more
from reconciler.controller.world import Onsets, Storm, World
from reconciler.plan.change import Change, Clear, Install, Replace
from reconciler.plan.change import changes as pending
from reconciler.profiles.profile import Purpose
from reconciler.profiles.values import replace
from reconciler.profiles.wording import count
from reconciler.rollout.ledger import Kind
from reconciler.rollout.pace import Meter, opens_at, spend, takes_up
from reconciler.rollout.station import Station, floor_is_in_force, share
from reconciler.rollout.table import Next, due, withdraws

SPAN = timedelta(minutes=10)
"""Within which time stations that began to drift are counted together."""
SOON = timedelta(seconds=1)
"""After what time a station asks again for a place among those that are served at once, with as much jitter."""
PATIENCE = 10
"""How many rivals there may be for each such place before all of them ask less often."""
FLEET = ""
"""The meter of the whole fleet."""
Paces = tuple[tuple[str, int], ...]


class Held(NamedTuple):
    """Nothing goes: why, and when to ask again at the latest."""

    why: str
    at: datetime | None = None


def stop(world: World, key: str, changes: tuple[Change, ...], now: datetime) -> tuple[Change, ...] | Held:
    """Give the changes that neither a person nor a storm nor a lost record holds back."""
    if not world.recording.ok:
        return Held(f"nothing is pushed while it can't be recorded: {world.recording.why}")
    if world.compared is not None and key not in world.compared.keys:
        return Held(world.compared.why)
    station = world.stations[key]
    suspension = world.suspended.get(key)
    if suspension is not None:
        allowed = (each for each in _with_clears(world, key, changes, now) if withdraws(station, each))
        left = tuple(each for change in allowed for each in _no_more(world, key, change, now))
        return left or Held(f"suspended by {suspension.who}: {suspension.reason}", suspension.until)
    storm = world.storm
    if storm is not None and key in storm.held:
        left = tuple(each for each in _with_clears(world, key, changes, now) if lowers(station, each))
        return left or Held(
            f"a storm of {count(storm.drifted, 'drifted station')} since {storm.since:%H:%M} UTC: a person decides"
        )
    return _crowded(world, key, now) or changes


def _no_more(world: World, key: str, change: Change, now: datetime) -> tuple[Change, ...]:
    """Give a change that a suspended station may get: one that would let it draw more is a clear instead."""
    if not isinstance(change, Replace) or not draws_more(world, key, change, now):
        return (change,)
    stands = floor_is_in_force(world.stations[key])
    return (Clear(change.old, "its discharge is withdrawn"),) if stands else ()


def _with_clears(world: World, key: str, changes: tuple[Change, ...], now: datetime) -> tuple[Change, ...]:
    """Add the clears that are due: they wait for all other changes, which are the very ones that are held back here."""
    station, pace = world.stations[key], world.pace(key)
    if not floor_is_in_force(station):
        return changes
    clears = (each for each in pending(station.verdicts) if isinstance(each, Clear) and each not in changes)
    return (*changes, *(each for each in clears if due(station, each, pace) <= now))


def lowers(station: Station, change: Change) -> bool:
    """Tell whether a change can only lower flow: the floor, a ceiling put in its place, the end of discharge."""
    if withdraws(station, change):
        return True
    if isinstance(change, Clear):
        return False
    floor = station.goal.floor if station.goal else None
    is_floor = floor is not None and change.new.id == floor.id
    return is_floor or (change.new.purpose is Purpose.STATION_MAX and isinstance(change, Install))


def take_turn(world: World, key: str, change: Change, now: datetime) -> tuple[World, Held | None]:
    """Take a station's turn to write, or say when it comes; what only lowers flow counts, and does not wait.

    Turns are given in the order in which they are asked for, so that who comes late does not take another's. Who misses
    its turn by more than a moment gets a new one: else all that come back from an outage would ask at one instant.
    """
    paces = _paces(world, key)
    slot = world.slots.get(key)
    if not lowers(world.stations[key], change):
        if slot is not None and now < slot:
            return world, _next_turn(slot)
        planned, opens = (_opens_at(world, meters, paces, now) for meters in (world.turns, world.meters))
        if slot is None and planned > now:
            return _give_turn(world, key, paces, planned)
        if opens > now and slot is not None and opens > slot + SOON:
            return _give_turn(world, key, paces, max(planned, opens))
        if opens > now:
            return replace(world, slots=world.slots.set(key, opens)), _next_turn(opens)
    slots = world.slots if slot is None else world.slots.delete(key)
    turns = world.turns if slot is not None else _spend(world, world.turns, paces, now)
    return replace(world, meters=_spend(world, world.meters, paces, now), turns=turns, slots=slots), None


def forget_turns(world: World) -> World:
    """Take all turns back that are still to come: who writes next, and how fast, is another matter from here on."""
    return replace(world, turns=world.meters, slots=Map())


def note_drift(world: World, key: str, before: str, after: str, now: datetime) -> World:
    """Count a station that begins to drift; too many within a short time are a storm, and repairs stop."""
    if after != "drifted" or key in world.suspended:
        return world
    if before != "drifted":
        world = replace(world, onsets=_count(world.onsets, key, now))
    storm = world.storm or _storm(world, now)
    if storm is None or key in storm.held:
        return world
    dirty = world.dirty.set((Kind.FLEET, ""), None)
    return replace(world, storm=replace(storm, held=storm.held.set(key, None)), dirty=dirty)


def crowd(world: World, key: str, answer: Next, now: datetime) -> Next | None:
    """Put a routine read-back off while its share of the calls in flight is used up."""
    room = max(1, int(world.settings.most_in_flight * world.settings.reading_share))
    if not answer.routine or len(world.reading) < room:
        return None
    return Next(
        answer.state, "its routine read-back waits for its turn", at=_soon(key, now, len(world.stations) / room)
    )


def _crowded(world: World, key: str, now: datetime) -> Held | None:
    target, site = world.target(key), world.site_of(key) or ""
    if target is None or key not in target.fleet.stations:
        return None
    strategy, members = target.fleet.strategy, target.members.get(site, ())
    bounds = (
        (strategy.in_flight, len(world.errands), len(target.fleet.stations), ""),
        (strategy.site_in_flight, len(world.site_in_flight.get(site, ())), len(members), " of its site"),
    )
    for most, busy, rivals, where in bounds:
        if most is not None and busy >= most:
            why = f"writes go to {count(most, 'station')}{where} at once and no more"
            return Held(why, _soon(key, now, rivals / most))
    return None


def _soon(key: str, now: datetime, rivals: float) -> datetime:
    """Say when to ask again for one of few places: the later, the more rivals each has, so that asking stays cheap."""
    return now + SOON * max(1.0, rivals / PATIENCE) * (1 + share(f"{key}/{now}"))


def _next_turn(at: datetime) -> Held:
    return Held(f"its turn to be written to comes at {at:%H:%M:%S} UTC", at)


def _give_turn(world: World, key: str, paces: Paces, at: datetime) -> tuple[World, Held]:
    turns = _spend(world, world.turns, paces, at)
    return replace(world, turns=turns, slots=world.slots.set(key, at)), _next_turn(at)


def _paces(world: World, key: str) -> Paces:
    """Give the names of the meters that count for a station, with their paces."""
    target = world.target(key)
    if target is None:
        return ()
    strategy, manifest = target.fleet.strategy, target.fleet.stations.get(key)
    site = manifest.site if manifest else None
    named = ((FLEET, strategy.writes_per_minute), (site, strategy.site_writes_per_minute))
    return tuple((name, pace) for name, pace in named if name is not None and pace is not None)


def _opens_at(world: World, meters: Map[str, Meter], paces: Paces, now: datetime) -> datetime:
    return max((opens_at(_meter(world, meters, name, pace), pace, now) for name, pace in paces), default=now)


def _spend(world: World, meters: Map[str, Meter], paces: Paces, at: datetime) -> Map[str, Meter]:
    return meters.update({name: spend(_meter(world, meters, name, pace), pace, at) for name, pace in paces})


def _meter(world: World, meters: Map[str, Meter], name: str, pace: int) -> Meter:
    return meters.get(name) or takes_up(pace, world.began_at)


def _count(onsets: Onsets | None, key: str, now: datetime) -> Onsets:
    """Count one more, in spans of a fixed length; a station is counted in its own span and the next."""
    if onsets is None or now >= onsets.since + 2 * SPAN:
        return Onsets(now, Map({key: None}))
    if now >= onsets.since + SPAN:
        return Onsets(onsets.since + SPAN, Map({key: None}), _but(onsets.now, key))
    return replace(onsets, now=onsets.now.set(key, None), before=_but(onsets.before, key))


def _but(keys: Map[str, None], key: str) -> Map[str, None]:
    return keys.delete(key) if key in keys else keys


def _storm(world: World, now: datetime) -> Storm | None:
    if world.onsets is None or world.revision is None:
        return None
    drift, drifted = world.revision.fleet.drift, len(world.onsets)
    connected = sum(world.tally.values()) - world.tally.get("deferred", 0)
    if drifted < drift.storm_minimum or drifted <= drift.storm * connected:
        return None
    return Storm(now, drifted, connected)
