"""Conditions as Kubernetes has them, of a station, of many together, and of the fleet. Pure.

Called by `view`. What a station's reason means is `rollout.conditions`' business; here it is put into words and summed
up. Offline is not failed: stations that are away neither make a group ready nor keep it from being so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from reconciler.profiles.form import write_instant
from reconciler.profiles.wording import count
from reconciler.rollout.conditions import STATUSES, Health, Reason, Status, Sync, Turned, health, sync
from reconciler.rollout.progress import Phase, Rollout, untried
from reconciler.web.ports import StormLike, WorldLike
from reconciler.web.standstill import at_cap

View: TypeAlias = dict[str, object]
READY, RECONCILING, STALLED = "Ready", "Reconciling", "Stalled"
NO_STATIONS = "NoStations"
ABOUT = {
    Reason.IN_SYNC: "in sync",
    Reason.PROGRESSING: "pending",
    Reason.DRIFTED: "drifted",
    Reason.OFFLINE: "offline",
    Reason.REFUSED: "refused",
    Reason.NOT_READ: "not read yet",
    Reason.NOT_VERIFIABLE: "not verifiable",
    Reason.NO_GOAL: "without a goal",
    Reason.SUSPENDED: "suspended",
    Reason.DRIFT_STORM: "held by a drift storm",
    Reason.CONTESTED: "contested",
    Reason.NOT_RECORDING: "held because nothing can be recorded",
}
"""How messages count stations of each reason."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `observed` is the commit that it is about, `at` the last change of its status if that is known."""

    type: str
    status: Status
    reason: str
    message: str
    observed: str | None = None
    at: datetime | None = None


class Stance(NamedTuple):
    """A station's reason, and when its conditions turned; None for one that was not seen yet."""

    reason: Reason
    turned: Turned | None


class Cause(NamedTuple):
    """What stands over all stations of a fleet: it stalls them, or it is work on the way."""

    stalls: bool
    reason: str
    message: str
    since: datetime | None


def stance(world: WorldLike, key: str) -> Stance:
    """Give how a station stands; one that the revision in force does not list has no goal, whatever it does."""
    if world.revision is not None and key not in world.revision.fleet.stations:
        return Stance(Reason.NO_GOAL, None)
    turned = world.turned.get(key)
    return Stance(turned.reason if turned else Reason.OFFLINE, turned)


def station_conditions(world: WorldLike, key: str, message: str) -> tuple[Condition, ...]:
    """Give the three conditions of one station."""
    reason, turned = stance(world, key)
    station = world.stations.get(key)
    observed = station.goal.revision if station and station.goal else None
    times = (turned.ready, turned.reconciling, turned.stalled) if turned else (None, None, None)
    return tuple(
        Condition(name, status, reason.value, message, observed, at)
        for name, status, at in zip((READY, RECONCILING, STALLED), STATUSES[reason], times, strict=True)
    )


def gather(stances: Sequence[Stance], observed: str | None) -> tuple[Condition, ...]:
    """Sum up many stations: Ready where all that are there are, Stalled and Reconciling where any is.

    A status that one station decides has the time of the first that did, one that takes all of them that of the last.
    """
    counts = Counter(each.reason for each in stances)
    message = _words(counts, len(stances))
    ready = _ready(counts)
    deciding = _deciding(stances, ready)
    reason = _commonest(deciding) or NO_STATIONS
    return (
        Condition(READY, ready, reason, message, observed, _when((t.ready for t in _turns(deciding)), ready)),
        _any(RECONCILING, stances, (reason, message), observed),
        _any(STALLED, stances, (reason, message), observed),
    )


def fleet_conditions(world: WorldLike, stances: Sequence[Stance]) -> tuple[Condition, ...]:
    """Give the fleet's conditions: those of all its stations, under what stands over them."""
    ready, reconciling, stalled = gather(stances, world.revision.commit if world.revision else None)
    causes = tuple(_causes(world))
    for cause in reversed(causes):
        said = (cause.reason, cause.message, ready.observed, cause.since)
        ready = Condition(READY, Status.FALSE, *said)
        if cause.stalls:
            stalled = Condition(STALLED, Status.TRUE, *said)
        else:
            reconciling = Condition(RECONCILING, Status.TRUE, *said)
    return ready, reconciling, stalled


def tell(conditions: Iterable[Condition]) -> list[View]:
    """Write conditions as Kubernetes spells them."""
    return [
        {
            "type": each.type,
            "status": each.status.value,
            "reason": each.reason,
            "message": each.message,
            "observedRevision": each.observed,
            "lastTransitionTime": write_instant(each.at),
        }
        for each in conditions
    ]


def tell_storm(storm: StormLike) -> str:
    """Say what a storm is, for whoever tells of it."""
    return f"{storm.drifted} of {count(storm.connected, 'connected station')} drifted at once"


def axes(world: WorldLike, key: str) -> View:
    """Give a station's two axes."""
    reason = stance(world, key).reason
    return {"sync": sync(reason).value, "health": health(world.stations.get(key)).value}


def count_axes(world: WorldLike, keys: Iterable[str]) -> View:
    """Count stations on both axes."""
    chosen = tuple(keys)
    in_sync = Counter(sync(stance(world, key).reason) for key in chosen)
    well = Counter(health(world.stations.get(key)) for key in chosen)
    return {
        "sync": {each.value: in_sync[each] for each in Sync},
        "health": {each.value: well[each] for each in Health},
    }


def _ready(counts: Counter[Reason]) -> Status:
    statuses = {STATUSES[reason].ready for reason in counts if reason is not Reason.OFFLINE}
    if Status.FALSE in statuses:
        return Status.FALSE
    return Status.TRUE if statuses == {Status.TRUE} else Status.UNKNOWN


def _deciding(stances: Sequence[Stance], ready: Status) -> list[Stance]:
    """Give those who make Ready what it is; where all are offline, all of them."""
    found = [each for each in stances if STATUSES[each.reason].ready is ready]
    return [each for each in found if each.reason is not Reason.OFFLINE] or found


def _any(kind: str, stances: Sequence[Stance], otherwise: tuple[str, str], observed: str | None) -> Condition:
    """Give a condition that is True where it is for any station."""
    place = (READY, RECONCILING, STALLED).index(kind)
    true = [each for each in stances if STATUSES[each.reason][place] is Status.TRUE]
    status = Status.TRUE if true else Status.FALSE
    reason = _commonest(true) or otherwise[0]
    field = kind.lower()
    times = (getattr(turned, field) for turned in _turns(true or stances))
    return Condition(kind, status, reason, otherwise[1], observed, _when(times, Status.FALSE if true else Status.TRUE))


def _turns(stances: Iterable[Stance]) -> Iterator[Turned]:
    return (each.turned for each in stances if each.turned is not None)


def _when(times: Iterable[datetime], status: Status) -> datetime | None:
    """Give the time of the first where one decides (False), and of the last where it takes all."""
    return min(times, default=None) if status is Status.FALSE else max(times, default=None)


def _commonest(stances: Sequence[Stance]) -> str:
    counted = Counter(each.reason for each in stances)
    return min(counted, key=lambda reason: (-counted[reason], reason.value)).value if counted else ""


def _words(counts: Counter[Reason], total: int) -> str:
    rest = (f"{counts[reason]} {ABOUT[reason]}" for reason in ABOUT if counts[reason] and reason is not Reason.IN_SYNC)
    return ", ".join([f"{counts[Reason.IN_SYNC]} of {total} in sync", *rest])


def _causes(world: WorldLike) -> Iterator[Cause]:
    """Give what stands over the stations, the gravest first."""
    if not world.recording.ok:
        yield Cause(stalls=True, reason="NotRecording", message=world.recording.why, since=world.recording.since)
    if world.storm is not None:
        yield Cause(stalls=True, reason="DriftStorm", message=tell_storm(world.storm), since=world.storm.since)
    if world.refused is not None:
        refused = world.refused
        words = f"{count(len(refused.errors), 'error')} in {refused.commit[:12]}: {refused.subject}"
        yield Cause(stalls=True, reason="RevisionRefused", message=words, since=refused.since)
    if world.rollout is not None and (cause := _rollout(world.rollout, at_cap(world))):
        yield cause


def _rollout(rollout: Rollout, capped: str) -> Cause | None:
    words = f"{rollout.commit[:12]}, wave {rollout.wave + 1} of {len(rollout.waves)}"
    reason = capped or rollout.reason
    said = f"{words}: {reason}" if reason else words
    match rollout.phase:
        case Phase.ABORTED:
            return Cause(stalls=True, reason="RolloutAborted", message=said, since=rollout.changed_at)
        case Phase.PAUSED:
            return Cause(stalls=True, reason="RolloutPaused", message=said, since=rollout.changed_at)
        case Phase.RELEASING if untried(rollout):
            return Cause(stalls=True, reason="WaveUntried", message=said, since=rollout.changed_at)
        case Phase.RELEASING if capped:
            return Cause(stalls=True, reason="WaveAtCap", message=said, since=rollout.changed_at)
        case Phase.WAITING | Phase.RELEASING | Phase.SOAKING:
            return Cause(stalls=False, reason="RollingOut", message=said, since=rollout.began_at)
        case _:
            return None
