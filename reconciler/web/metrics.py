"""SHELL: `/metrics` in Prometheus' text format: what was counted, and how the fleet stands at the instant of a scrape.

Made by the command line, served by `api`. It holds no state of its own; the world is surveyed once per scrape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler.rollout.conditions import Reason
from reconciler.rollout.progress import Phase, Rollout, untried
from reconciler.web.measures import CALLS, OTHER, Measures
from reconciler.web.ports import Controlling, Counting, WorldLike
from reconciler.web.standstill import at_cap
from reconciler.web.survey import Survey, survey
from reconciler.web.view import STATES

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NAMESPACE = "reconciler"


@dataclass(frozen=True, slots=True)
class Sources:
    """What a scrape asks: the controller, the stations' counters, the clock, and two numbers.

    `queued` events wait for the controller, `dropped` frames were not written down.
    """

    controller: Controlling
    stations: Counting
    clock: Callable[[], datetime]
    queued: Callable[[], int] = lambda: 0
    dropped: Callable[[], int] = lambda: 0


class Metrics:
    """Gives the text of one scrape."""

    def __init__(self, measures: Measures, sources: Sources) -> None:
        """Join what was counted with what can be seen."""
        self._registry = measures.registry
        self._registry.register(_Fleet(measures, sources))

    def write(self) -> bytes:
        """Write all metrics as they are now."""
        return generate_latest(self._registry)


class _Fleet(Collector):
    """Reads the world when it is asked, and once for all metrics."""

    def __init__(self, measures: Measures, sources: Sources) -> None:
        self._measures, self._sources = measures, sources

    def collect(self) -> Iterator[Metric]:
        """Give everything that is read off the world."""
        now, world = self._sources.clock(), self._sources.controller.world
        seen = survey(world, now)
        yield from _stations(seen, world)
        yield from _leases(seen, now)
        yield from _rollout(world, now)
        yield from self._queues(world)
        yield from self._keeping(world, now)

    def _queues(self, world: WorldLike) -> Iterator[Metric]:
        yield _gauge("queued_events", "Events that wait for the controller's step", self._sources.queued())
        yield _gauge("waiting_stations", "Stations that wait for room to send", len(world.waiting))
        yield _gauge("commands_in_flight", "Commands that stations have not answered yet", world.in_flight)
        frames = CounterMetricFamily(f"{NAMESPACE}_calls", "Calls sent to stations.", labels=["action"])
        counts = dict.fromkeys([*sorted(CALLS), OTHER], 0)
        for action, count in self._sources.stations.all_frames().items():
            counts[action if action in CALLS else OTHER] += count
        for action, count in counts.items():
            frames.add_metric([action], count)
        yield frames
        dropped = self._sources.dropped()
        yield CounterMetricFamily(f"{NAMESPACE}_frame_log_dropped", "Frames not written down.", value=dropped)

    def _keeping(self, world: WorldLike, now: datetime) -> Iterator[Metric]:
        """Tell of git and of the database: what the controller knows, and what it can keep."""
        yield _gauge("store_up", "Whether what is done can be recorded", world.recording.ok)
        yield _gauge("revision_refused", "Whether the newest commit was refused", world.refused is not None)
        if world.refused is not None and world.refused.since is not None:
            refused_s = world.refused.since.timestamp()
            yield _gauge("revision_refused_timestamp_seconds", "When the newest commit was refused", refused_s)
        at = world.revision.snapshot.committed_at if world.revision else None
        if at is not None:
            yield _gauge("revision_committed_timestamp_seconds", "When the commit in force was made", at.timestamp())
        if self._measures.fetched_at is not None:
            age = (now - self._measures.fetched_at).total_seconds()
            yield _gauge("git_age_seconds", "Time since the last look for new commits that went well", age)


def _stations(seen: Survey, world: WorldLike) -> Iterator[Metric]:
    states = GaugeMetricFamily(f"{NAMESPACE}_stations", "Stations by state.", labels=["state"])
    for state in STATES:
        states.add_metric([state], seen.states.get(state, 0))
    yield states
    reasons = GaugeMetricFamily(f"{NAMESPACE}_station_reasons", "Stations by why they stand so.", labels=["reason"])
    for reason in Reason:
        reasons.add_metric([reason.value], seen.reasons.get(reason, 0))
    yield reasons
    yield _gauge("stations_connected", "Stations of the fleet that are connected", seen.connected)
    yield _gauge("stations_faulted", "Connected stations that say that a part of them is broken", seen.faulted)
    yield _gauge("stations_suspended", "Stations that a person keeps from being written", len(world.suspended))
    if seen.in_sync_ratio is not None:
        yield _gauge("in_sync_ratio", "Share of the connected stations that are in sync", seen.in_sync_ratio)
    yield _gauge("drift_storm", "Whether repairs have stopped because too many drifted", world.storm is not None)


def _leases(seen: Survey, now: datetime) -> Iterator[Metric]:
    margin = GaugeMetricFamily(
        f"{NAMESPACE}_lease_margin_seconds", "Time until the first lease with flow ends.", labels=["connected"]
    )
    for online, lapse in sorted(seen.lapses.items()):
        margin.add_metric([str(online).lower()], (lapse - now).total_seconds())
    yield margin
    yield _gauge("leases_at_risk", "Leases of connected stations whose renewal is overdue", seen.at_risk)
    yield _gauge("leases_lapsed", "Leases of connected stations that ended without renewal", seen.lapsed)
    age = (now - seen.drifting_since).total_seconds() if seen.drifting_since else 0.0
    yield _gauge("drift_oldest_seconds", "For how long the station that has drifted longest has", age)


def _rollout(world: WorldLike, now: datetime) -> Iterator[Metric]:
    rollout = world.rollout
    phases = GaugeMetricFamily(f"{NAMESPACE}_rollout_phase", "Where the last rollout stands.", labels=["phase"])
    for phase in Phase:
        phases.add_metric([phase.value], float(rollout is not None and rollout.phase is phase))
    yield phases
    if rollout is None:
        return
    yield _gauge("rollout_phase_seconds", "For how long it stands there", (now - rollout.changed_at).total_seconds())
    waits = bool(untried(rollout) or at_cap(world)) and rollout.phase is Phase.RELEASING
    yield _gauge("rollout_waits_for_person", "Whether no wave follows before a person says so", waits)
    yield _gauge("rollout_wave", "The last wave released, from 1; 0 before any", rollout.wave + 1)
    yield _gauge("rollout_waves", "How many waves it has", len(rollout.waves))
    members = GaugeMetricFamily(f"{NAMESPACE}_rollout_members", "Stations of the rollout.", labels=["status"])
    for status, count in _members(rollout).items():
        members.add_metric([status], count)
    yield members


def _members(rollout: Rollout) -> dict[str, int]:
    released = {
        "open": len(rollout.open),
        "deferred": len(rollout.deferred) - len(rollout.not_awaited),
        "not_awaited": len(rollout.not_awaited),
        "verified": len(rollout.verified),
        "failed": len(rollout.failed),
    }
    return {"unreleased": sum(map(len, rollout.waves)) - sum(released.values()), **released}


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", f"{about}.", value=float(value))
