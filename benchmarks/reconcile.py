"""The controller's own cost, without wire and sockets: first rollout, no change, and a change, of a large fleet."""

from __future__ import annotations

from datetime import timedelta
from time import process_time

from benchmarks.fleets import NOON, MemoryFleet, shipped, snapshot
from reconciler.controller.revision import revise
from reconciler.controller.world import RevisionLoaded, World
from reconciler.reported.events import Woken


def measure(stations: int = 10_000, groups: int = 200) -> dict[str, float]:
    """Give seconds of processor time and frames for each of three passes over the whole fleet."""
    revision = revise(snapshot(stations, groups), shipped(), NOON)
    fleet = MemoryFleet(World())
    fleet.feed(RevisionLoaded(revision))
    identities = [station.identity for station in revision.fleet.stations.values()]
    rollout, frames = _timed(fleet, lambda: fleet.connect(identities))
    quiet, quiet_frames = _timed(fleet, lambda: [fleet.feed(Woken(identity)) for identity in identities])
    changed = revise(snapshot(stations, groups, "-8"), shipped(), NOON)
    fleet.now += timedelta(minutes=10)
    fleet.feed(RevisionLoaded(changed))
    change, change_frames = _timed(fleet, lambda: [fleet.feed(Woken(identity)) for identity in identities])
    return {
        "stations": stations,
        "in_sync": fleet.world.tally.get("in-sync", 0),
        "rollout_cpu_s": rollout,
        "rollout_frames": frames,
        "no_change_cpu_s": quiet,
        "no_change_frames": quiet_frames,
        "change_cpu_s": change,
        "change_frames": change_frames,
    }


def _timed(fleet: MemoryFleet, run) -> tuple[float, int]:
    before, started = fleet.frames, process_time()
    run()
    return process_time() - started, fleet.frames - before
