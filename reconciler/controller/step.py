"""The controller's step: one event in, the next world and its effects out. Pure; the only place that decides.

The shell calls it for every event. It is level-triggered: each event updates what is known of one station, and what
follows is computed from that knowledge alone, so that a lost, doubled or late event is made good by the next one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from immutables import Map

from reconciler.controller.gate import Closed, allows, load_now, release, wait
from reconciler.controller.history import entries, errand, loading, verified
from reconciler.controller.stances import turn
from reconciler.controller.world import Ask, Effect, Event, Reply, RevisionLoaded, RevisionRefused, World
from reconciler.errors import ManifestError
from reconciler.plan.change import Change, Clear, Owned, changes, diff
from reconciler.render.assume import assume
from reconciler.render.lease import MARGIN
from reconciler.reported.events import Connected, ProfilesRead, RawAnswered, StationEvent
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, SendRaw, StationCommand, Wake
from reconciler.rollout.station import Goal, Station, floor_is_in_force, forget_tries, stuck
from reconciler.rollout.table import Next, decide

MOST_ASKED = 16
"""How many requests by hand may wait for one station."""
CLOCK = f"its clock is off by more than {MARGIN}, so that no lease would end in time; it gets no flow until it is set"

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
    wakes = (Wake(station.identity, now) for station in world.stations.values())
    return loaded, (*loading(event, now), *wakes)


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
    if len(station.asked) >= MOST_ASKED:
        return f"{MOST_ASKED} requests are waiting for {event.request.station} already"
    if event.force or world.revision is None:
        return ""
    return _guard(event.request, world.revision.owned)


def _guard(request: SendRaw, owned: Owned) -> str:
    """Say why a request may not touch the fleet's profiles by hand: to take the floor away frees a station."""
    if request.action == "SetChargingProfile":
        profile = request.payload.get("chargingProfile")
        number = profile.get("id") if isinstance(profile, dict) else None
    elif request.action == "ClearChargingProfile":
        number = request.payload.get("chargingProfileId")
        if number is None:
            return "this may clear the fleet's profiles, the floor among them; clear by id, or say --force"
    else:
        return ""
    if isinstance(number, int) and number in owned:
        return f"profile id {number} belongs to the fleet; change its schedule in git, or say --force"
    return ""


def _station(world: World, event: StationEvent, now: datetime) -> Stepped:
    key = event.station.casefold()
    before = world.stations.get(key) or Station(event.station)
    after = absorb(before, event, now)
    if isinstance(event, Connected):
        after = replace(after, identity=event.station)
    if isinstance(event, ProfilesRead) and _is_off(after):
        after = replace(after, capability=None)  # its clock may have been set since: ask again
    done: tuple[Effect, ...] = (*entries(world, before, event, now), *_lost(before, after, event))
    if before.in_flight is not None and after.in_flight is None:
        errands = world.errands.delete(key) if key in world.errands else world.errands
        world = replace(world, in_flight=world.in_flight - 1, errands=errands)
    settled, effects = _settle(world, key, after, now)
    drained, more = _drain(settled, now)
    return drained, (*done, *effects, *more)


def _lost(before: Station, after: Station, event: StationEvent) -> tuple[Reply, ...]:
    """Answer those whose requests went with a connection."""
    if isinstance(event, RawAnswered):
        return ()
    kept = {each.ticket for each in after.asked}
    return tuple(Reply(each.ticket, "the connection was lost") for each in before.asked if each.ticket not in kept)


def _settle(world: World, key: str, station: Station, now: datetime) -> Stepped:
    """Aim a station, ask the table, and act on its answer."""
    aimed = _aim(world, station, now)
    kept = _verify(aimed)
    answer = decide(kept, world.pace(key), now)
    world = _keep(world, key, kept, answer, now)
    done = () if kept.verified is aimed.verified else (verified(kept, now),)
    world, command, answer = _choose(world, key, answer, now)
    wake = (Wake(station.identity, answer.at),) if answer.at is not None and command is None else ()
    return world, (*done, *((command,) if command else ()), *wake)


def _aim(world: World, station: Station, now: datetime) -> Station:
    """Give a station its goal for now, and compare; nothing is recomputed where nothing moved."""
    station = _introduce(world, station)
    goal, trouble = _goal(world, station, now)
    if goal is None:
        return replace(station, goal=None, verdicts=(), trouble=trouble)
    known = world.stations.get(station.identity.casefold())
    if known is not None and known.goal is goal and known.reported is station.reported:
        return replace(station, goal=goal, verdicts=known.verdicts)
    aimed = replace(station, goal=goal, verdicts=diff(goal.profiles, station.reported, goal.owned, now, goal.voltage))
    return forget_tries(aimed)


def _introduce(world: World, station: Station) -> Station:
    """Give a station the capability its manifest declares; when that changes, what it can take is read anew."""
    manifest = world.revision.station(station.identity) if world.revision else None
    if manifest is None or station.protocol is None:
        return station
    base = assume(manifest.declared, station.protocol)
    return station if base == station.base else replace(station, base=base, capability=None)


def _goal(world: World, station: Station, now: datetime) -> tuple[Goal | None, str]:
    """Give a station's goal, or why it has none."""
    if world.revision is None:
        return None, "no revision is loaded"
    manifest = world.revision.station(station.identity)
    if manifest is None:
        return None, "the revision in force does not list it"
    capability = station.capability or station.base
    if capability is None:
        return None, "it has not connected yet"
    try:
        goal = world.revision.goal(manifest, capability, now)
    except ManifestError as error:
        return None, str(error)
    return (world.revision.withhold(goal, CLOCK) if _is_off(station) else goal), ""


def _is_off(station: Station) -> bool:
    return station.skew is not None and abs(station.skew) > MARGIN


def _verify(station: Station) -> Station:
    """Call a goal verified once all of it was read back, or needs no write at all."""
    read = station.reported.known and not station.reported.unread
    complete = not changes(station.verdicts) and not stuck(station)
    if station.goal is None or station.goal.refusal or not read or not complete or not floor_is_in_force(station):
        return station
    return station if station.verified == station.goal else replace(station, verified=station.goal)


def _keep(world: World, key: str, station: Station, answer: Next, now: datetime) -> World:
    """Put a station back into the world, with what it may be drawing; release its site's waiting if that fell."""
    load = load_now(world, key, station, now)
    kept = replace(
        world,
        stations=world.stations.set(key, station),
        standing=world.standing.set(key, answer),
        tally=_count(world, key, answer),
        turned=turn(world, key, station, answer, now),
        waiting=world.waiting.leave(key),
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
    if answer.command is None and not answer.writes:
        return world, None, answer
    if world.in_flight >= world.settings.most_in_flight:
        return replace(world, waiting=world.waiting.join(key)), None, answer
    station = world.stations[key]
    if answer.command is not None:
        return _send(world, key, answer.command, now), answer.command, answer
    closed: Closed | None = None
    for change in answer.writes:
        closed = allows(world, key, change, now)
        if closed is None:
            command = _command(station, change)
            errands = world.errands.set(key, errand(world, station, change, now))
            return _send(replace(world, errands=errands), key, command, now), command, answer
    return _gated(wait(world, key), key, closed, now)


def _gated(world: World, key: str, closed: Closed | None, now: datetime) -> tuple[World, StationCommand | None, Next]:
    """Do what else there is to do for a station at a closed gate: others may wait for what it has to confirm."""
    otherwise = decide(world.stations[key], world.pace(key), now, gated=True)
    if otherwise.command is not None:
        return _send(world, key, otherwise.command, now), otherwise.command, otherwise
    times = [at for at in (otherwise.at, closed.at if closed else None) if at is not None]
    shown = Next(otherwise.state, closed.why if closed else otherwise.why, at=min(times, default=None))
    return replace(world, standing=world.standing.set(key, shown)), None, shown


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


def _drain(world: World, now: datetime) -> Stepped:
    """Let waiting stations send while there is room, each once."""
    effects: list[Effect] = []
    for _ in range(len(world.waiting)):
        key = world.waiting.first
        if key is None or world.in_flight >= world.settings.most_in_flight:
            break
        world, more = _settle(world, key, world.stations[key], now)
        effects += more
    return world, tuple(effects)
