"""How a plan's revision goes out: what can't wait, then wave by wave with its soaks; and how long that takes.

Called by `fleet_plan`. It refuses to know how stations are divided: that is the rollout's, which is asked by the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from reconciler.manifests.fleet import Fleet
from reconciler.plan.pace import Work, estimate
from reconciler.plan.planned import Batch, Course, StationPlan

Batches = Sequence[Sequence[str]]
"""Keys of stations: first those that can't wait, then those of each wave; empty where no rollout is due."""


def chart(batches: Batches, plans: Mapping[str, StationPlan], fleet: Fleet, commit: str) -> Course:
    """Give the course of a rollout; who comes first is drawn by the commit, so without one groups are left open."""
    strategy, waves = fleet.strategy, batches[1:]
    is_drawn = bool(commit) or len(waves) < 2
    return Course(
        urgent=_batch(batches[0], plans),
        waves=tuple(_batch(wave, plans) if is_drawn else Batch(len(wave)) for wave in waves),
        soak=strategy.soak,
        writes_per_minute=strategy.writes_per_minute,
        windows=bool(strategy.windows),
    )


def time_taken(batches: Batches, plans: Mapping[str, StationPlan], fleet: Fleet) -> timedelta:
    """Give the time until all stations have been verified and the last wave has soaked, once all are online.

    What is in no wave, such as what undoes drift, goes with the first.
    """
    waves, later = batches[1:], batches[2:]
    waiting = {key for wave in later for key in wave}
    first = [key for key in plans if key not in waiting]
    taken = (estimate(_works(keys, plans, fleet), fleet.strategy) for keys in (first, *later))
    return sum(taken, fleet.strategy.soak * len(waves))


def _batch(keys: Sequence[str], plans: Mapping[str, StationPlan]) -> Batch:
    counted = Counter(plans[key].group for key in keys)
    return Batch(len(keys), {group: counted[group] for group in sorted(counted)})


def _works(keys: Iterable[str], plans: Mapping[str, StationPlan], fleet: Fleet) -> Iterable[Work]:
    return (Work(plans[key].changes, fleet.stations[key].settings.write_interval, plans[key].site) for key in keys)
