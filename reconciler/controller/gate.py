"""The site's gate before a write: do its caps hold if this change goes out now? Pure; used by `step` alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from reconciler.controller.places import members
from reconciler.controller.world import World
from reconciler.plan.change import Change, Clear, Install, Replace
from reconciler.profiles.values import replace
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, StationCommand
from reconciler.rollout.site import AT_CAP, NOTHING, Load, exceeds, heavier, load_of
from reconciler.rollout.station import Station

ASK_AGAIN = timedelta(seconds=60)
RELEASED = 8
"""How many waiting stations are asked again when a load on their site falls: a trickle, since most will still wait."""


class Closed(NamedTuple):
    """The gate is closed: why, and when to ask again at the latest."""

    why: str
    at: datetime


def allows(world: World, key: str, change: Change, now: datetime) -> Closed | None:
    """Say why a change may not go out now; None where the site's caps allow it, or where it raises nothing."""
    site = world.site_of(key)
    if site is None or world.revision is None:
        return None
    current = world.loads.get(key, NOTHING)
    raised = heavier(current, _load(world, world.stations[key], change, now) or NOTHING)
    if raised == current:
        return None
    day = _day(now)
    others = (world.loads.get(each) or _unseen(world, each, day) for each in members(world, site) if each != key)
    why = exceeds((raised, *others), world.caps[site], now)
    return Closed(f"{AT_CAP}: {why}", now + ASK_AGAIN) if why else None


def draws_more(world: World, key: str, change: Change, now: datetime) -> bool:
    """Tell whether a station could draw more at some time, were a change to go out."""
    held, after = _load(world, world.stations[key], None, now), _load(world, world.stations[key], change, now)
    if held is None or after is None:
        return False
    return heavier(Load(held.draw, NOTHING.feed), Load(after.draw, NOTHING.feed)).draw != held.draw


def wait(world: World, key: str) -> World:
    """Let a station wait at its site's gate, so that it is asked again when a load on the site falls."""
    site = world.site_of(key)
    if site is None:
        return world
    return replace(world, gated=world.gated.set(site, world.gated.get(site, frozenset()) | {key}))


def release(world: World, key: str) -> World:
    """Let some of the stations that wait at a site's gate ask again, because a load on it has changed."""
    site = world.site_of(key)
    gated = world.gated.get(site) if site is not None else None
    if site is None or not gated:
        return world
    freed = sorted(gated - {key})[:RELEASED]
    return replace(world, waiting=world.waiting.join(*freed), gated=world.gated.set(site, gated.difference(freed)))


def load_now(world: World, key: str, station: Station, now: datetime) -> Load | None:
    """Give the most that a station may be doing; None where the fleet does not know it.

    What was read back counts as it is. Until then, what it may have been sent counts as well as what it held before.
    """
    if not station.reported.ever_known:
        return _unseen(world, key, _day(now)) if world.manifest(key) is not None else None
    sending = station.in_flight if isinstance(station.in_flight, Push | ClearCommand) else None
    load = _load(world, station, sending, now)
    known = world.loads.get(key, NOTHING)
    sure = station.reported.known and not station.reported.unread and sending is None
    heaviest = load if sure or load is None else heavier(known, load)
    return known if heaviest == known and key in world.loads else heaviest


def _unseen(world: World, key: str, day: datetime) -> Load:
    """Count a station that was never read as if it held what is desired of it."""
    target = world.target(key)
    return target.planned(key, day) if target is not None and key in target.fleet.stations else NOTHING


def _load(world: World, station: Station, write: Change | StationCommand | None, now: datetime) -> Load | None:
    """Give the load of what a station holds, after a write."""
    key = station.identity.casefold()
    target = world.target(key)
    if target is None or key not in target.fleet.stations:
        return None
    held = {number: each.profile for number, each in sorted(station.reported.held.items())}
    match write:
        case Install() | Replace():
            held[write.new.id] = write.new
        case Push():
            held[write.profile.id] = write.profile
        case Clear():
            held.pop(write.old.id, None)
        case ClearCommand():
            held.pop(write.profile_id, None)
        case _:
            pass
    return load_of(tuple(held.values()), target.evses(key), _day(now))


def _day(now: datetime) -> datetime:
    """Give the day's begin, so that loads are computed once a day and not once a moment."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
