"""Which station follows which revision, and what that makes of the sites' caps. Pure; used by `course` alone.

While a rollout is under way, stations of one site may follow different revisions. Then the lowest of their caps counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from immutables import Map

from reconciler.controller.revision import Revision
from reconciler.controller.world import World
from reconciler.plan.fingerprint import Fingerprints
from reconciler.profiles.timeline import combine, timeline
from reconciler.rollout.site import ZERO, Caps, Load, first_excess

LIVE_REVISIONS = 8
"""How many revisions' fingerprints are remembered; more are seldom followed at once."""


def changed(world: World, head: Revision) -> dict[str, str]:
    """Give the stations for which a revision means something else than what they follow, with the commit of that.

    Stations that follow nothing yet have nothing to hold on to, and are not among them.
    """
    found: dict[str, str] = {}
    new = _marks(head)
    for key, station in head.fleet.stations.items():
        target, old = world.target(key), world.manifest(key)
        if target is not None and old is not None and _marks(target).of(old) != new.of(station):
            found[key] = target.commit
    return found


def place(world: World, head: Revision, placed: Mapping[str, str], others: Iterable[str] = ()) -> World:
    """Let every station follow `head`, but for those that hold on to a commit; forget what nobody follows.

    `others` are commits to be kept although nobody follows them.
    """
    known = world.revisions.set(head.commit, head)
    needed = {head.commit, *placed.values(), *others}
    revisions = Map({commit: known[commit] for commit in sorted(needed) if commit in known})
    kept = Map({key: commit for key, commit in placed.items() if commit != head.commit})
    plans = Map({commit: plan for commit, plan in world.plans.items() if commit in revisions})
    moved = replace(world, revision=head, revisions=revisions, placed=kept, plans=plans)
    return replace(moved, caps=_caps(head, revisions, kept))


def part(before: World, after: World, now: datetime) -> World:
    """Note who is listed no more: what it holds counts at its site for one more lease, for nobody renews it."""
    gone = {
        key: site for key in before.loads if (site := before.site_of(key)) is not None and after.manifest(key) is None
    }
    kept = {key: site for key, site in before.left.items() if after.manifest(key) is None and _flows(before, key, now)}
    loads = {key: _end(before.loads[key], now + _lease(before, key)) for key in gone}
    return replace(after, left=Map({**kept, **gone}), loads=after.loads.update(loads))


def members(world: World, site: str) -> Iterable[str]:
    """Give the stations that follow a revision which has them on this site, and those that have left it of late."""
    left = tuple(key for key, each in world.left.items() if each == site)
    if world.revision is not None and not world.placed:
        return (*world.revision.members.get(site, ()), *left)
    listed = dict.fromkeys(key for each in world.revisions.values() for key in each.members.get(site, ()))
    return (*(key for key in listed if world.site_of(key) == site), *left)


def _lease(world: World, key: str) -> timedelta:
    manifest = world.manifest(key)
    assert manifest is not None  # noqa: S101 (it has a site there)
    return manifest.settings.fail_safe.lease


def _end(load: Load, at: datetime) -> Load:
    """Give a load that is over at an instant."""
    over = timeline([(at, ZERO)])

    def cut(powers: tuple[Decimal | None, ...]) -> Decimal:
        return ZERO if powers[1] is not None else powers[0] or ZERO

    return Load(combine((load.draw, over), cut), combine((load.feed, over), cut))


def _flows(world: World, key: str, now: datetime) -> bool:
    lines = (world.loads[key].draw, world.loads[key].feed)
    return any(first_excess(line, ZERO, now) is not None for line in lines)


def _caps(head: Revision, revisions: Mapping[str, Revision], placed: Mapping[str, str]) -> Map[str, Caps]:
    caps = dict(head.caps)
    followed = {(commit, station.site) for key, commit in placed.items() if (station := revisions[commit].station(key))}
    for commit, site in followed:
        if site is not None:
            caps[site] = _lowest(caps.get(site), revisions[commit].caps[site])
    return Map(caps)


def _lowest(one: Caps | None, other: Caps) -> Caps:
    if one is None:
        return other
    return Caps(min(one.import_w, other.import_w), min(one.export_w, other.export_w))


@lru_cache(maxsize=LIVE_REVISIONS)
def _marks(revision: Revision) -> Fingerprints:
    return Fingerprints(revision.fleet, revision.renderer.templates)
