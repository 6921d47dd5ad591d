"""The controller's step: one event in, the next world and its effects out. Pure; the only place that decides.

The shell calls it for every event. It is level-triggered: each event updates what is known of one station, and what
follows is computed from that knowledge alone, so that a lost, doubled or late event is made good by the next one.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from immutables import Map

from reconciler.controller.course import ALL, load, tend, wake_all, watch
from reconciler.controller.durable import same
from reconciler.controller.gate import load_now, release
from reconciler.controller.history import entries, loading, verified
from reconciler.controller.holds import note_drift
from reconciler.controller.orders import SUSPENSIONS, expire, lift, obey, refusal
from reconciler.controller.sending import choose, forget
from reconciler.controller.stances import turn
from reconciler.controller.world import (
    Ask,
    Compared,
    Effect,
    Event,
    Order,
    Recording,
    Reply,
    RevisionLoaded,
    RevisionRefused,
    World,
)
from reconciler.errors import ManifestError
from reconciler.plan.change import changes
from reconciler.profiles.fit import may_discharge
from reconciler.profiles.values import replace
from reconciler.profiles.wording import count
from reconciler.render.assume import assume
from reconciler.render.lease import MARGIN
from reconciler.reported.events import (
    Accepted,
    Connected,
    OutcomeUnknown,
    ProfilesRead,
    RawAnswered,
    StationEvent,
    Woken,
    Written,
)
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, Wake
from reconciler.rollout.echoes import await_read_back
from reconciler.rollout.ledger import Entry, Kind
from reconciler.rollout.station import Goal, Station, compare, floor_is_in_force, forget_tries, stuck
from reconciler.rollout.table import Next, decide

WITHDRAWN = "its discharge is withdrawn; what it may charge comes with its wave"
CLOCK = f"its clock is off by more than {MARGIN}, so that no lease would end in time; it gets no flow until it is set"

Stepped = tuple[World, tuple[Effect, ...]]
FleetEvent = RevisionLoaded | RevisionRefused | Order | Recording | Compared


def step(world: World, event: Event, now: datetime) -> Stepped:
    """Take in one event; give the world after it, and what is to be done about it, in order."""
    match event:
        case Ask():
            return _ask(world, event, now)
        case RevisionLoaded() | RevisionRefused() | Order() | Recording() | Compared():
            return _fleet(world, event, now)
        case Woken(station=station) if station in (ALL, SUSPENSIONS):
            return _ring(world, station, now)
        case _:
            return _station(world, event, now)


def _fleet(world: World, event: FleetEvent, now: datetime) -> Stepped:
    match event:
        case RevisionLoaded():
            loaded, effects = load(world, event, now)
            return loaded, (*loading(event, now), *effects)
        case RevisionRefused():
            return _refuse(world, event, now), ()
        case Order():
            return obey(world, event, now)
        case Recording():
            return _record(world, event, now)
        case Compared():
            return replace(world, compared=event), wake_all(world, now)
        case _:  # pragma: no cover
            assert_never(event)


def _ring(world: World, alarm: str, now: datetime) -> Stepped:
    """Do what is due for the fleet; a new process has no alarms yet, and sets them with its first look at all."""
    world, ended = expire(world, now)
    if alarm != ALL:
        return world, ended
    tended, moves = tend(world, now)
    return tended, (*ended, *moves)


def _refuse(world: World, event: RevisionRefused, now: datetime) -> World:
    """Note a commit that was refused, and since when; one that is looked at again is refused since the first time."""
    known = world.refused
    is_known = known is not None and known.commit == event.commit
    return replace(world, refused=replace(event, since=known.since if known is not None and is_known else now))


def _record(world: World, event: Recording, now: datetime) -> Stepped:
    """Stop pushing while nothing can be recorded, and go on when it can."""
    before = world.recording
    recorded = replace(world, recording=replace(event, since=before.since if event.ok is before.ok else now))
    return recorded, (*wake_all(recorded, now), Wake(ALL, now)) if event.ok else ()


def _ask(world: World, event: Ask, now: datetime) -> Stepped:
    request = event.request
    key = request.station.casefold()
    station = world.stations.get(key)
    why = refusal(world, station, event)
    if station is None or why:
        return world, (Reply(request.ticket, why),)
    asked = replace(station, asked=(*station.asked, request))
    after, effects = _settle(world, key, asked, now)
    return after, (*entries(world, station, event, now), *effects)


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
        after = _await(world, before, after, event)
        world = forget(world, key)
    settled, effects = _settle(world, key, after, now)
    drained, more = _drain(settled, now)
    moved = drained.rollout is not world.rollout or drained.storm is not world.storm
    tended, moves = tend(drained, now) if moved else (drained, ())
    return tended, (*done, *effects, *more, *moves, *_storm(world, tended, now))


def _await(world: World, before: Station, after: Station, event: StationEvent) -> Station:
    """Note that a write which was or may have been taken is still to be read back."""
    intent, command = world.errands.get(before.identity.casefold()), before.in_flight
    taken = not isinstance(event, Written) or isinstance(event.outcome, Accepted | OutcomeUnknown)
    if intent is None or not taken or not isinstance(command, Push | ClearCommand):
        return after
    return await_read_back(after, command.profile_id, intent.write)


def _storm(before: World, after: World, now: datetime) -> tuple[Entry, ...]:
    storm = after.storm
    if storm is None or before.storm is not None:
        return ()
    words = (
        f"{storm.drifted} of {count(storm.connected, 'connected station')} drifted: repairs stop until a person decides"
    )
    return (Entry(now, "", "storm", words, revision=after.revision.commit if after.revision else ""),)


def _lost(before: Station, after: Station, event: StationEvent) -> tuple[Reply, ...]:
    """Answer those whose requests went with a connection."""
    if isinstance(event, RawAnswered):
        return ()
    kept = {each.ticket for each in after.asked}
    return tuple(Reply(each.ticket, "the connection was lost") for each in before.asked if each.ticket not in kept)


def _settle(world: World, key: str, station: Station, now: datetime) -> Stepped:
    """Aim a station, ask the table, and act on its answer."""
    world, lifted = lift(world, key, now)
    aimed = _aim(world, station, now)
    kept = _verify(aimed)
    answer = decide(kept, world.pace(key), now)
    known = world.stations.get(key)
    world = _keep(world, key, kept, answer, now)
    done = (verified(kept, now),) if _is_news(aimed, kept) else ()
    world, command, answer = choose(world, key, answer, now)
    world = _mark(world, key, known)
    sent = () if command is None else (command,)
    intent = (world.errands[key],) if isinstance(command, Push | ClearCommand) else ()
    alarm = (Wake(station.identity, answer.at),) if answer.at is not None and command is None else ()
    return world, (*lifted, *done, *intent, *sent, *alarm)


def _mark(world: World, key: str, before: Station | None) -> World:
    """Mark a station whose document is another now."""
    if before is not None and same(before, world.stations[key]):
        return world
    return replace(world, dirty=world.dirty.set((Kind.STATION, key), None))


def _aim(world: World, station: Station, now: datetime) -> Station:
    """Give a station its goal for now, and compare; nothing is recomputed where nothing moved."""
    station = _introduce(world, station)
    goal, trouble = _goal(world, station, now)
    if goal is None:
        return replace(station, goal=None, verdicts=(), trouble=trouble)
    known = world.stations.get(station.identity.casefold())
    same_question = known is not None and known.goal is goal and known.reported is station.reported
    if known is not None and same_question and not changes(known.verdicts):
        return replace(station, goal=goal, verdicts=known.verdicts)  # what is kept stays so; what waits may be over
    aimed = replace(station, goal=goal, verdicts=compare(goal, station.reported, now))
    return forget_tries(aimed)


def _introduce(world: World, station: Station) -> Station:
    """Give a station the capability its manifest declares; when that changes, what it can take is read anew."""
    manifest = world.manifest(station.identity.casefold())
    if manifest is None or station.protocol is None:
        return station
    base = assume(manifest.declared, station.protocol)
    return station if base == station.base else replace(station, base=base, capability=None)


def _goal(world: World, station: Station, now: datetime) -> tuple[Goal | None, str]:
    """Give a station's goal, or why it has none."""
    target = world.target(station.identity.casefold())
    if target is None:
        return None, "no revision is loaded"
    manifest = target.station(station.identity)
    if manifest is None:
        return None, "the revision in force does not list it"
    capability = station.capability or station.base
    if capability is None:
        return None, "it has not connected yet"
    try:
        goal = target.goal(manifest, capability, now)
    except ManifestError as error:
        return None, str(error)
    if _is_off(station):
        return target.withhold(goal, CLOCK), ""
    return (target.withhold(goal, "", note=WITHDRAWN) if _is_withdrawn(world, station, goal) else goal), ""


def _is_withdrawn(world: World, station: Station, goal: Goal) -> bool:
    """Tell whether a station that waits for its wave would go on discharging, though the head forbids it."""
    key, head = station.identity.casefold(), world.revision
    target = world.target(key)
    if head is None or target is None or target is head or key not in head.fleet.stations:
        return False
    return head.withdraws(target, key) and any(map(may_discharge, goal.profiles))


def _is_off(station: Station) -> bool:
    return station.skew is not None and abs(station.skew) > MARGIN


def _verify(station: Station) -> Station:
    """Call a goal verified once all of it was read back, or needs no write at all."""
    read = station.reported.known and not station.reported.unread
    complete = not changes(station.verdicts) and not stuck(station)
    if station.session is None or not station.ready or not read or not complete:
        return station
    if station.goal is None or station.goal.refusal or not floor_is_in_force(station):
        return station
    return station if station.verified == station.goal else replace(station, verified=station.goal)


def _is_news(before: Station, after: Station) -> bool:
    """Tell whether a goal was read back of which that was not known, be it from before a restart."""
    old, new = before.verified, after.verified
    if new is old or new is None:
        return False
    return old is None or bool(old.profiles) or old.revision != new.revision


def _keep(world: World, key: str, station: Station, answer: Next, now: datetime) -> World:
    """Put a station back into the world, with what it may be drawing; release its site's waiting if that fell."""
    load, before = load_now(world, key, station, now), world.standing.get(key)
    kept = replace(
        world,
        stations=world.stations.set(key, station),
        standing=world.standing.set(key, answer),
        tally=_count(world, key, answer),
        turned=turn(world, key, station, answer, now),
        waiting=world.waiting.leave(key),
    )
    kept = watch(note_drift(kept, key, before.state if before else "", answer.state, now), key, station)
    if load is None or load is world.loads.get(key):
        return kept
    return release(replace(kept, loads=world.loads.set(key, load)), key)


def _count(world: World, key: str, answer: Next) -> Map[str, int]:
    before = world.standing.get(key)
    tally = world.tally
    if before is not None:
        tally = tally.set(before.state, tally[before.state] - 1)
    return tally.set(answer.state, tally.get(answer.state, 0) + 1)


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
