"""The controller's step: one event in, the next world and its effects out. Pure; the only place that decides.

The shell calls it for every event. It is level-triggered: each event updates what is known of one station, and what
follows is computed from that knowledge alone, so that a lost, doubled or late event is made good by the next one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from immutables import Map

from reconciler.controller.gate import allows, load_now, release
from reconciler.controller.history import entries
from reconciler.controller.world import Ask, Effect, Event, Reply, RevisionLoaded, RevisionRefused, World
from reconciler.errors import ManifestError
from reconciler.plan.change import Change, Clear, changes, diff
from reconciler.render.assume import assume
from reconciler.reported.events import Connected, StationEvent
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, StationCommand, Wake
from reconciler.rollout.station import Goal, Station, floor_is_in_force, stuck
from reconciler.rollout.table import Next, decide

Stepped = tuple[World, tuple[Effect, ...]]


def step(world: World, event: Event, now: datetime) -> Stepped:
    """Take in one event; give the world after it, and what is to be done about it, in order."""
    match event:
        case RevisionLoaded():
            return _load(world, event, now)
        case RevisionRefused():
            return replace(world, refused=event), ()
        case Ask():
            return _ask(world, event, now)
        case _:
            return _station(world, event, now)


def _load(world: World, event: RevisionLoaded, now: datetime) -> Stepped:
    """Let the new revision supersede the old one; each station is aimed at it when it is woken."""
    loaded = replace(world, revision=event.revision, refused=None)
    return loaded, tuple(Wake(station.identity, now) for station in world.stations.values())


def _ask(world: World, event: Ask, now: datetime) -> Stepped:
    request = event.request
    key = request.station.casefold()
    station = world.stations.get(key)
    refusal = _refusal(world, station, event)
    if station is None or refusal:
        return world, (Reply(request.ticket, refusal),)
    asked = replace(station, asked=(*station.asked, request))
    after, effects = _settle(world, key, asked, now)
    return after, (*entries(world, station, event, now), *effects)


def _refusal(world: World, station: Station | None, event: Ask) -> str:
    if station is None or station.session is None:
        return f"{event.request.station} is not connected"
    if event.request.action == "SetChargingProfile" and not event.force and world.revision is not None:
        profile = event.request.payload.get("chargingProfile")
        number = profile.get("id") if isinstance(profile, dict) else None
        if isinstance(number, int) and number in world.revision.owned:
            return f"profile id {number} belongs to the fleet; change its schedule in git, or say --force"
    return ""


def _station(world: World, event: StationEvent, now: datetime) -> Stepped:
    key = event.station.casefold()
    before = world.stations.get(key) or Station(event.station)
    after = absorb(before, event, now)
    if isinstance(event, Connected):
        after = _introduce(world, replace(after, identity=event.station))
    done = entries(world, before, event, now)
    if before.in_flight is not None and after.in_flight is None:
        world = replace(world, in_flight=world.in_flight - 1)
    settled, effects = _settle(world, key, after, now)
    drained, more = _drain(settled, now)
    return drained, (*done, *effects, *more)


def _introduce(world: World, station: Station) -> Station:
    """Give a station that connects the capability its manifest declares, until it has said itself."""
    manifest = world.revision.station(station.identity) if world.revision else None
    if manifest is None or station.protocol is None:
        return station
    return replace(station, base=assume(manifest.declared, station.protocol))


def _settle(world: World, key: str, station: Station, now: datetime) -> Stepped:
    """Aim a station, ask the table, and act on its answer."""
    aimed = _aim(world, station, now)
    answer = decide(aimed, world.pace, now)
    world = _keep(world, key, _verify(aimed), answer, now)
    verified = () if world.stations[key].verified is aimed.verified else (world.stations[key],)
    done = tuple(entry for each in verified for entry in entries(world, each, None, now))
    world, command, answer = _choose(world, key, answer, now)
    wake = (Wake(station.identity, answer.at),) if answer.at is not None and command is None else ()
    return world, (*done, *((command,) if command else ()), *wake)


def _aim(world: World, station: Station, now: datetime) -> Station:
    """Give a station its goal for now, and compare; nothing is recomputed where nothing moved."""
    goal, trouble = _goal(world, station, now)
    if goal is None:
        return replace(station, goal=None, verdicts=(), trouble=trouble or station.trouble)
    known = world.stations.get(station.identity.casefold())
    if known is not None and known.goal is goal and known.reported is station.reported:
        return replace(station, goal=goal, verdicts=known.verdicts)
    return replace(station, goal=goal, verdicts=diff(goal.profiles, station.reported, goal.owned, now))


def _goal(world: World, station: Station, now: datetime) -> tuple[Goal | None, str]:
    manifest = world.revision.station(station.identity) if world.revision else None
    capability = station.capability or station.base
    if world.revision is None or manifest is None or capability is None:
        return None, ""
    try:
        return world.revision.goal(manifest, capability, now), ""
    except ManifestError as error:
        return None, str(error)


def _verify(station: Station) -> Station:
    """Call a goal verified once all of it was read back, or needs no write at all."""
    read = station.reported.known and not station.reported.unread
    complete = not changes(station.verdicts) and not stuck(station)
    if station.goal is None or station.goal.refusal or not read or not complete or not floor_is_in_force(station):
        return station
    return station if station.verified is station.goal else replace(station, verified=station.goal)


def _keep(world: World, key: str, station: Station, answer: Next, now: datetime) -> World:
    """Put a station back into the world, with what it may be drawing; release its site's waiting if that fell."""
    load = load_now(world, key, station, now)
    kept = replace(
        world,
        stations=world.stations.set(key, station),
        standing=world.standing.set(key, answer),
        tally=_count(world, key, answer),
        waiting=world.waiting.delete(key) if key in world.waiting else world.waiting,
    )
    if load is None or load is world.loads.get(key):
        return kept
    return release(replace(kept, loads=world.loads.set(key, load)), key)


def _count(world: World, key: str, answer: Next) -> Map[str, int]:
    before = world.standing.get(key)
    tally = world.tally
    if before is not None:
        tally = tally.set(before.state, tally[before.state] - 1)
    return tally.set(answer.state, tally.get(answer.state, 0) + 1)


def _choose(world: World, key: str, answer: Next, now: datetime) -> tuple[World, StationCommand | None, Next]:
    """Turn the table's answer into a command, if the site's caps and the bound on commands in flight allow."""
    if answer.command is None and answer.write is None:
        return world, None, answer
    if world.in_flight >= world.settings.most_in_flight:
        return replace(world, waiting=world.waiting.update({key: True})), None, answer
    station = world.stations[key]
    command = answer.command
    if answer.write is not None:
        gated, closed = allows(world, key, answer.write, now)
        if closed:
            shown = Next(answer.state, closed.why, at=closed.at)
            return replace(gated, standing=gated.standing.set(key, shown)), None, shown
        world, command = gated, _command(station, answer.write)
    sent = replace(station, in_flight=command)
    load = load_now(world, key, sent, now)
    loads = world.loads if load is None else world.loads.set(key, load)
    return _sent(replace(world, loads=loads), key, sent), command, answer


def _sent(world: World, key: str, station: Station) -> World:
    return replace(world, stations=world.stations.set(key, station), in_flight=world.in_flight + 1)


def _command(station: Station, change: Change) -> StationCommand:
    if isinstance(change, Clear):
        return ClearCommand(station.identity, change.old.id)
    capability = station.capability or station.base
    assert capability is not None  # noqa: S101 (a goal has been rendered for it)
    return Push(station.identity, change.new, capability)


def _drain(world: World, now: datetime) -> Stepped:
    """Let waiting stations send while there is room."""
    effects: list[Effect] = []
    for key in tuple(world.waiting):
        if world.in_flight >= world.settings.most_in_flight:
            break
        world, more = _settle(world, key, world.stations[key], now)
        effects += more
    return world, tuple(effects)
