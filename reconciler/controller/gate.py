"""The site's gate before a write: do its caps hold if this change goes out now? Pure; used by `step` alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from reconciler.controller.world import World
from reconciler.plan.change import Change, Clear
from reconciler.profiles.profile import Profile
from reconciler.rollout.commands import Push
from reconciler.rollout.site import NOTHING, Load, exceeds, heavier, load_of
from reconciler.rollout.station import Station

ASK_AGAIN = timedelta(seconds=60)
RELEASED = 8
"""How many waiting stations are asked again when a load on their site falls: a trickle, since most will still wait."""


class Closed(NamedTuple):
    """The gate is closed: why, and when to ask again at the latest."""

    why: str
    at: datetime


def allows(world: World, key: str, change: Change, now: datetime) -> tuple[World, Closed | None]:
    """Say whether a change may go out; where it may not, the station waits at its site's gate."""
    site = _site(world, key)
    if site is None or world.revision is None or isinstance(change, Clear):
        return world, None
    current = world.loads.get(key, NOTHING)
    raised = heavier(current, _load(world, world.stations[key], (change.new,), now) or NOTHING)
    if raised == current:
        return world, None
    members = world.revision.members.get(site, ())
    others = (world.loads.get(member) or _unseen(world, member, now) for member in members if member != key)
    why = exceeds((raised, *others), world.revision.caps[site], now)
    if not why:
        return world, None
    gated = world.gated.get(site, frozenset()) | {key}
    return replace(world, gated=world.gated.set(site, gated)), Closed(f"the site's cap: {why}", now + ASK_AGAIN)


def release(world: World, key: str) -> World:
    """Let some of the stations that wait at a site's gate ask again, because a load on it has changed."""
    site = _site(world, key)
    gated = world.gated.get(site) if site is not None else None
    if site is None or not gated:
        return world
    freed = sorted(gated - {key})[:RELEASED]
    waiting = world.waiting.update(dict.fromkeys(freed, True))
    return replace(world, waiting=waiting, gated=world.gated.set(site, gated.difference(freed)))


def load_now(world: World, key: str, station: Station, now: datetime) -> Load | None:
    """Give the most that a station may be doing; None where the fleet does not know it.

    What was read back counts as it is. Until then, what it may have been sent counts as well as what it held before.
    """
    if not station.reported.ever_known:
        return _unseen(world, key, now)
    sending = (station.in_flight.profile,) if isinstance(station.in_flight, Push) else ()
    load = _load(world, station, sending, now)
    sure = station.reported.known and not station.reported.unread and not sending
    return load if sure or load is None else heavier(world.loads.get(key, NOTHING), load)


def _unseen(world: World, key: str, now: datetime) -> Load:
    """Count a station that was never read as if it held what is desired of it."""
    if world.revision is None or key not in world.revision.fleet.stations:
        return NOTHING
    return world.revision.planned(key, _day(now))


def _load(world: World, station: Station, added: tuple[Profile, ...], now: datetime) -> Load | None:
    key = station.identity.casefold()
    if world.revision is None or key not in world.revision.fleet.stations:
        return None
    new = {profile.id for profile in added}
    held = (each.profile for number, each in sorted(station.reported.held.items()) if number not in new)
    return load_of((*held, *added), world.revision.evses(key), _day(now))


def _day(now: datetime) -> datetime:
    """Give the day's begin, so that loads are computed once a day and not once a moment."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _site(world: World, key: str) -> str | None:
    manifest = world.revision.fleet.stations.get(key) if world.revision else None
    return manifest.site if manifest else None
