"""The course of revisions: a new one begins a rollout, waves are let out, the gate or a person stops it. Pure.

Used by `step`, which feeds it what concerns more than one station. It moves stations from one revision to another by
`places`; what a station then needs is decided for it alone, when it is woken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import assert_never

from immutables import Map

from reconciler.controller.holds import forget_turns
from reconciler.controller.places import changed, part, place
from reconciler.controller.sights import off_power, sight
from reconciler.controller.world import Effect, RevisionLoaded, World
from reconciler.manifests.strategy import Wave
from reconciler.profiles.values import replace
from reconciler.profiles.wording import count
from reconciler.rollout.commands import Wake
from reconciler.rollout.ledger import Entry, Kind
from reconciler.rollout.progress import (
    Abort,
    Finish,
    Move,
    Phase,
    Release,
    Rollout,
    Withhold,
    advance,
    end,
    observe,
)
from reconciler.rollout.station import Station
from reconciler.rollout.waves import waves
from reconciler.rollout.windows import Verdict, verdict

ALL = ""
"""The station of an alarm that concerns the whole fleet."""
MOST_QUARANTINED = 100
STORM = "a drift storm holds it up until a person decides"
RETURN = timedelta(minutes=10)
"""How long stations get to come back after a start before a rollout goes on without them."""

Stepped = tuple[World, tuple[Effect, ...]]


def load(world: World, event: RevisionLoaded, now: datetime) -> Stepped:
    """Begin the rollout of a revision; stations that it does not change follow it at once."""
    head, before = event.revision, world.revision
    if head.commit in world.quarantined and not event.forced:
        return world, (
            _line(now, f"not taken, for it is in quarantine: {world.quarantined[head.commit]}", head.commit),
        )
    world = replace(world, refused=None, plans=world.plans.set(head.commit, event.plan), opening=None)
    world = forget_turns(replace(world, quarantined=_without(world.quarantined, head.commit)))
    if before is None or before.commit == head.commit:
        return keep(place(world, head, world.placed, _needed(world.rollout))), wake_all(world, now)
    world, lines = _supersede(world, event, now)
    previous = changed(world, head)
    urgent = {key for key, commit in previous.items() if head.is_safer(world.revisions[commit], key, now)}
    waiting = {} if event.back else {key: commit for key, commit in previous.items() if key not in urgent}
    rollout = _plan(event, before.commit, previous, tuple(sorted(previous if event.back else waiting)), now)
    rollout = replace(rollout, not_before=world.began_at + RETURN if world.began_at else None)
    placed = place(world, head, waiting, _needed(rollout))
    world = replace(part(world, placed, now), rollout=rollout)
    words = f"begun: {count(len(previous), 'station')} to change, in {count(len(rollout.waves), 'wave')}"
    words = words if previous else "taken: no station to change"
    told = (*lines, _line(now, words, head.commit, event.who), *wake_all(world, now))
    world, effects = tend(keep(world), now)
    return world, (*told, *effects)


def tend(world: World, now: datetime) -> Stepped:
    """Let the rollout go on as far as it can; called when something has changed for it, or its time has come."""
    rollout = world.rollout
    if rollout is None or rollout.is_over or not world.recording.ok:
        return world, ()
    if world.storm is not None:
        return (world if rollout.reason == STORM else replace(world, rollout=replace(rollout, reason=STORM))), ()
    if rollout.reason == STORM:
        rollout = replace(rollout, reason="")
    world, opening = _opening(world, rollout, now)
    after, move = advance(rollout, opening, lambda: off_power(world, rollout, now), now, partial(spelt, world))
    if after is not world.rollout:
        world = keep(replace(world, rollout=after))
    if move is None:
        times = [at for at in (after.soak_until, after.not_before, opening.until) if at is not None and at > now]
        return world, (Wake(ALL, min(times)),) if times and not after.is_over else ()
    world, effects = carry_out(world, after, move, now)
    world, more = tend(world, now)
    return world, (*effects, *more)


def watch(world: World, key: str, station: Station) -> World:
    """Tell the rollout what one of its stations shows now."""
    rollout = world.rollout
    if rollout is None or rollout.is_over or not rollout.is_released(key):
        return world
    after = observe(rollout, key, sight(world, rollout, key, station))
    return world if after is rollout else replace(world, rollout=after)


def withdraw(world: World, rollout: Rollout) -> World:
    """Let released stations to which nothing of it was written yet go on with what they held, unless in quarantine."""
    assert world.revision is not None  # noqa: S101 (a rollout has one)
    untouched = (key for key in rollout.released if not _is_started(world, rollout, key))
    left = world.quarantined if rollout.returns else ()
    back = {key: commit for key in untouched if (commit := rollout.previous[key]) not in left}
    return place(forget_turns(world), world.revision, {**world.placed, **back}, _needed(rollout))


def abort(world: World, rollout: Rollout, why: str, now: datetime, who: str = "") -> Stepped:
    """Stop a rollout, quarantine its commit, and bring its stations back, unless its strategy is to hold.

    Stations that it made safer stay as they are: what lowered a cap or withdrew discharge is taken back by people only.
    Where a person went back, there is nothing to return to: that is in quarantine.
    """
    over = end(rollout, Phase.ABORTED, why, now, who)
    quarantined = world.quarantined if rollout.returns else _quarantine(world.quarantined, rollout.commit, why)
    told = _line(now, f"aborted: {why}", rollout.commit, who)
    world = keep(replace(world, rollout=over, quarantined=quarantined))
    if rollout.returns or rollout.strategy.on_abort == "hold":
        return withdraw(world, rollout), (told, *wake(world, rollout.previous, now))
    stays = dict.fromkeys(rollout.urgent, rollout.commit)
    placed = {**world.placed, **rollout.previous, **stays}
    world = part(world, place(forget_turns(world), world.revisions[rollout.base], placed), now)
    return world, (told, *wake_all(world, now))


def carry_out(world: World, rollout: Rollout, move: Move, now: datetime) -> Stepped:
    """Do what the rollout's table has said, to the world's stations."""
    match move:
        case Release(keys):
            words = f"wave {rollout.wave + 1} of {len(rollout.waves)} released: {count(len(keys), 'station')}"
            return _release(world, rollout, keys), (_line(now, words, rollout.commit), *wake(world, keys, now))
        case Withhold():
            told = _line(now, f"held back: {rollout.reason}", rollout.commit)
            return withdraw(world, rollout), (told, *wake(world, rollout.released, now))
        case Abort(why):
            return abort(world, rollout, why, now)
        case Finish():
            assert world.revision is not None  # noqa: S101 (a rollout has one)
            left = len(rollout.not_awaited)
            words = f"complete: {len(rollout.verified)} verified, {len(rollout.deferred) - left} deferred"
            words = f"{words}, {left} not awaited" if left else words
            lines = (_line(now, words, rollout.commit),) if rollout.previous else ()
            return place(world, world.revision, world.placed), lines
        case _:  # pragma: no cover
            assert_never(move)


def _release(world: World, rollout: Rollout, keys: Iterable[str]) -> World:
    """Let stations follow the new revision; what was wrong with them before is not held against it."""
    assert world.revision is not None  # noqa: S101 (a rollout has one)
    released = frozenset(keys)
    placed = {key: commit for key, commit in world.placed.items() if key not in released}
    world = place(world, world.revision, placed, _needed(rollout))
    met = {key: station for key in sorted(released) if (station := world.stations.get(key)) is not None}
    before = {key for key in met if key in world.standing and world.standing[key].state == "refused"}
    begun = replace(
        rollout,
        faults=rollout.faults.update({key: station.faults for key, station in met.items()}),
        forgiven=rollout.forgiven.update(dict.fromkeys(before)),
    )
    for key, station in met.items():
        begun = observe(begun, key, sight(world, begun, key, station))
    return replace(world, rollout=begun)


def _plan(
    event: RevisionLoaded, base: str, previous: Mapping[str, str], members: tuple[str, ...], now: datetime
) -> Rollout:
    head, strategy = event.revision, event.revision.fleet.strategy
    if event.back:
        strategy = replace(strategy, waves=(Wave(share=Decimal(1)),), soak=timedelta(0))
    divided = waves(strategy, members, lambda key: head.fleet.stations[key].labels, head.commit)
    return Rollout(
        commit=head.commit,
        base=base,
        plan=event.plan,
        strategy=strategy,
        waves=divided,
        previous=Map(previous),
        urgent=tuple(sorted(previous.keys() - set(members))),
        began_at=now,
        changed_at=now,
        who=event.who,
        overridden=event.forced if event.back else "",
        returns=event.back,
    )


def _supersede(world: World, event: RevisionLoaded, now: datetime) -> Stepped:
    """End the rollout that is under way; a person who goes back also quarantines what was in force."""
    lines: tuple[Effect, ...] = ()
    rollout = world.rollout
    if rollout is not None and not rollout.is_over:
        words = f"superseded by {event.revision.commit[:12]}"
        world = withdraw(replace(world, rollout=end(rollout, Phase.SUPERSEDED, words, now)), rollout)
        world, lines = keep(world), (_line(now, words, rollout.commit),)
    if event.back and world.revision is not None:
        why = f"{event.who} went back: {event.forced}"
        world = replace(world, quarantined=_quarantine(world.quarantined, world.revision.commit, why))
    return world, lines


def _quarantine(quarantined: Mapping[str, str], commit: str, why: str) -> Mapping[str, str]:
    """Remember a commit that is not to be pushed again; the oldest are forgotten, for newer ones have come since."""
    return dict([*_without(quarantined, commit).items(), (commit, why)][-MOST_QUARANTINED:])


def _without(quarantined: Mapping[str, str], commit: str) -> Mapping[str, str]:
    """Let a commit out of quarantine: a person has taken it back."""
    return {each: why for each, why in quarantined.items() if each != commit}


def _opening(world: World, rollout: Rollout, now: datetime) -> tuple[World, Verdict]:
    """Judge the windows; the verdict holds until it may change."""
    known = world.opening
    if known is not None and known[0] <= now and (known[1].until is None or now < known[1].until):
        return world, known[1]
    judged = verdict(rollout.strategy.windows, now)
    return replace(world, opening=(now, judged)), judged


def _is_started(world: World, rollout: Rollout, key: str) -> bool:
    station = world.stations.get(key)
    if station is None:
        return False
    verified = station.verified is not None and station.verified.revision == rollout.commit
    return verified or station.wrote == rollout.commit


def _needed(rollout: Rollout | None) -> tuple[str, ...]:
    """Give the commits that a rollout may have to go back to."""
    if rollout is None or rollout.is_over:
        return ()
    return (rollout.base, *sorted(set(rollout.previous.values())))


def keep(world: World) -> World:
    """Mark what concerns the whole fleet as changed."""
    dirty = world.dirty.set((Kind.FLEET, ""), None)
    return replace(world, dirty=dirty.set((Kind.ROLLOUT, world.rollout.commit), None) if world.rollout else dirty)


def wake(world: World, keys: Iterable[str], now: datetime) -> tuple[Effect, ...]:
    """Let stations that were met be looked at."""
    return tuple(Wake(world.stations[key].identity, now) for key in keys if key in world.stations)


def wake_all(world: World, now: datetime) -> tuple[Effect, ...]:
    """Let all stations that were met be looked at."""
    return tuple(Wake(station.identity, now) for station in world.stations.values())


def spelt(world: World, key: str) -> str:
    """Give a station's identity as it spells it itself, so that a reason reads as the lists do."""
    station = world.stations.get(key)
    return station.identity if station is not None else key


def _line(now: datetime, words: str, commit: str, who: str = "") -> Entry:
    return Entry(now, "", "rollout", words, revision=commit, who=who)
