"""From the table's answer to the one command that a station gets, or to what it waits for. Pure; used by `step`."""

from __future__ import annotations

from datetime import datetime

from immutables import Map

from reconciler.controller.gate import Closed, allows, load_now, wait
from reconciler.controller.history import errand
from reconciler.controller.holds import Held, crowd, stop, take_turn
from reconciler.controller.world import World
from reconciler.plan.change import Change, Clear
from reconciler.profiles.values import replace
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, StationCommand
from reconciler.rollout.station import Station
from reconciler.rollout.table import Next, decide

Chosen = tuple[World, StationCommand | None, Next]


def choose(world: World, key: str, answer: Next, now: datetime) -> Chosen:
    """Turn the table's answer into a command, if nothing holds it back; the answer says what it waits for otherwise."""
    if answer.command is None and not answer.writes:
        return world, None, answer
    put_off = crowd(world, key, answer, now)
    if put_off is not None:
        return _show(world, key, put_off)
    if world.in_flight >= world.settings.most_in_flight:
        return replace(world, waiting=world.waiting.join(key)), None, answer
    if answer.command is not None:
        return _read(world, key, answer, now)
    return _write(world, key, answer, now)


def forget(world: World, key: str) -> World:
    """Take the command of a station out of what is under way: it has ended."""
    busy = {site: keys - {key} for site, keys in world.site_in_flight.items() if key in keys}
    return replace(
        world,
        in_flight=world.in_flight - 1,
        errands=world.errands.delete(key) if key in world.errands else world.errands,
        reading=world.reading.delete(key) if key in world.reading else world.reading,
        site_in_flight=world.site_in_flight.update(busy) if busy else world.site_in_flight,
    )


def _read(world: World, key: str, answer: Next, now: datetime) -> Chosen:
    """Send what writes no profile of ours."""
    assert answer.command is not None  # noqa: S101 (that is when it is called)
    if answer.routine:
        world = replace(world, reading=world.reading.set(key, None))
    return _send(world, key, answer.command, now), answer.command, answer


def _write(world: World, key: str, answer: Next, now: datetime) -> Chosen:
    """Send the first change that people, storms, the site's caps and the pace let through."""
    held = stop(world, key, answer.writes, now)
    if isinstance(held, Held):
        return _otherwise(world, key, held.why, held.at, now)
    closed: Closed | None = None
    for change in held:
        closed = allows(world, key, change, now)
        if closed is None:
            return _take(world, key, change, answer, now)
    assert closed is not None  # noqa: S101 (there is a change, and none was let through)
    return _otherwise(wait(world, key), key, closed.why, closed.at, now)


def _take(world: World, key: str, change: Change, answer: Next, now: datetime) -> Chosen:
    world, later = take_turn(world, key, change, now)
    if later is not None:
        return _otherwise(world, key, later.why, later.at, now)
    station = replace(world.stations[key], wrote=_commit(world.stations[key]))
    command = _command(station, change)
    site = world.site_of(key)
    busy = world.site_in_flight if site is None else _with(world.site_in_flight, site, key)
    noted = replace(
        world,
        stations=world.stations.set(key, station),
        errands=world.errands.set(key, errand(world, station, change, now)),
        site_in_flight=busy,
    )
    return _send(noted, key, command, now), command, answer


def _otherwise(world: World, key: str, why: str, at: datetime | None, now: datetime) -> Chosen:
    """Do what else there is to do for a station that may not be written to: others may wait for what it confirms."""
    otherwise = decide(world.stations[key], world.pace(key), now, gated=True)
    if otherwise.command is not None:
        return choose(world, key, otherwise, now)
    times = [each for each in (otherwise.at, at) if each is not None]
    return _show(world, key, Next(otherwise.state, why, at=min(times, default=None)))


def _show(world: World, key: str, answer: Next) -> Chosen:
    return replace(world, standing=world.standing.set(key, answer)), None, answer


def _send(world: World, key: str, command: StationCommand, now: datetime) -> World:
    sent = replace(world.stations[key], in_flight=command)
    load = load_now(world, key, sent, now)
    loads = world.loads if load is None else world.loads.set(key, load)
    return replace(world, loads=loads, stations=world.stations.set(key, sent), in_flight=world.in_flight + 1)


def _command(station: Station, change: Change) -> StationCommand:
    if isinstance(change, Clear):
        return ClearCommand(station.identity, change.old.id)
    capability = station.capability or station.base
    assert capability is not None  # noqa: S101 (a goal has been rendered for it)
    return Push(station.identity, change.new, capability)


def _commit(station: Station) -> str:
    return station.goal.revision if station.goal else station.wrote


def _with(busy: Map[str, frozenset[str]], site: str, key: str) -> Map[str, frozenset[str]]:
    return busy.set(site, busy.get(site, frozenset()) | {key})
