"""When a wave stands still at the caps of its sites, because it is the very commit that raises them. Pure.

Called by every view of a rollout. While stations of one site follow several commits, the lowest of their caps counts
(decision 11): what needs the higher one waits for waves that come after it. What else stations wait for at a site's
gate ends by itself, and is none of this module's business.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.rollout.progress import Phase
from reconciler.rollout.site import AT_CAP
from reconciler.web.ports import WorldLike

WAY_OUT = "`reconciler rollout promote` lets the next wave follow"


def at_cap(world: WorldLike) -> str:
    """Say that all whom a wave waits for wait for caps that later waves raise, and the way out; empty otherwise."""
    rollout = world.rollout
    if rollout is None or rollout.phase is not Phase.RELEASING or not rollout.open:
        return ""
    if not all(key in world.standing and world.standing[key].why.startswith(AT_CAP) for key in rollout.open):
        return ""
    sites = sorted({site for key in rollout.open if (site := _site(world, key))} & set(_raised(world)))
    if not sites:
        return ""
    why = "the lower cap of the commit before counts until all stations of a site follow this one"
    return f"wave {rollout.wave + 1} waits for the cap of {', '.join(sites)}: {why}; {WAY_OUT}"


def _site(world: WorldLike, key: str) -> str | None:
    target = world.target(key)
    manifest = target.fleet.stations.get(key) if target else None
    return manifest.site if manifest else None


def _raised(world: WorldLike) -> Iterator[str]:
    """Give the sites that have a higher cap than some of their stations' commits say."""
    for key in world.placed:
        site, followed = _site(world, key), world.target(key)
        if site is None or followed is None or world.revision is None:
            continue
        old, new = followed.fleet.sites[site], world.revision.fleet.sites.get(site)
        if new is not None and (old.import_w < new.import_w or old.export_w < new.export_w):
            yield site
