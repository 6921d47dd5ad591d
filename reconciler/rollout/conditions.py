"""How a station stands in the words of Kubernetes: Ready, Reconciling and Stalled, and since when. Pure.

The controller's step keeps one `Turned` for each station and makes the next one after every event; the web page's view
shows them and sums them up. Which reason means what stands in one table here and nowhere else, so that no two places
can disagree: where Ready is True, neither of the others is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from reconciler.rollout.station import Station
from reconciler.rollout.table import CONTESTED, Next


class Status(StrEnum):
    """A condition's status, as Kubernetes spells it."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Why a station stands as it does; the last four are what somebody or something holds back."""

    IN_SYNC = "InSync"
    PROGRESSING = "Progressing"
    DRIFTED = "Drifted"
    OFFLINE = "Offline"
    REFUSED = "Refused"
    NOT_READ = "NotRead"
    NOT_VERIFIABLE = "NotVerifiable"
    NO_GOAL = "NoGoal"
    SUSPENDED = "Suspended"
    DRIFT_STORM = "DriftStorm"
    CONTESTED = "Contested"
    NOT_RECORDING = "NotRecording"


class Sync(StrEnum):
    """Whether a station holds what it should."""

    IN_SYNC = "in-sync"
    OUT_OF_SYNC = "out-of-sync"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """Whether a station is there and well, whatever it holds."""

    HEALTHY = "healthy"
    OFFLINE = "offline"
    FAULTED = "faulted"
    UNKNOWN = "unknown"


class Triple(NamedTuple):
    """The statuses of the three conditions."""

    ready: Status
    reconciling: Status
    stalled: Status


_T, _F, _U = Status.TRUE, Status.FALSE, Status.UNKNOWN
STATUSES: Mapping[Reason, Triple] = {
    Reason.IN_SYNC: Triple(_T, _F, _F),
    Reason.PROGRESSING: Triple(_F, _T, _F),
    Reason.DRIFTED: Triple(_F, _T, _F),
    Reason.OFFLINE: Triple(_U, _F, _F),
    Reason.REFUSED: Triple(_F, _F, _T),
    Reason.NOT_READ: Triple(_U, _T, _F),
    Reason.NOT_VERIFIABLE: Triple(_U, _F, _F),
    Reason.NO_GOAL: Triple(_U, _F, _T),
    Reason.SUSPENDED: Triple(_F, _F, _T),
    Reason.DRIFT_STORM: Triple(_F, _F, _T),
    Reason.CONTESTED: Triple(_F, _F, _T),
    Reason.NOT_RECORDING: Triple(_F, _F, _T),
}
"""What each reason says of Ready, Reconciling and Stalled. Stalled is what nothing but a person moves on."""
BY_STATE: Mapping[str, Reason] = {
    "in-sync": Reason.IN_SYNC,
    "pending": Reason.PROGRESSING,
    "drifted": Reason.DRIFTED,
    "deferred": Reason.OFFLINE,
    "refused": Reason.REFUSED,
}
_SYNC = {_T: Sync.IN_SYNC, _F: Sync.OUT_OF_SYNC, _U: Sync.UNKNOWN}
RESTLESS = frozenset({Reason.PROGRESSING, Reason.DRIFTED})
"""The reasons that something else can hold back."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A station's reason and since when, and the instants at which each condition's status last changed."""

    reason: Reason
    since: datetime
    ready: datetime
    reconciling: datetime
    stalled: datetime


def transition(
    before: Turned | None, station: Station, standing: Next, now: datetime, stopped: Reason | None = None
) -> Turned:
    """Give how a station stands from now on; the same object where nothing turned.

    `stopped` is what keeps a station from being written that has something to be written, if anything does.
    """
    reason = judge(station, standing, stopped)
    if before is None:
        return Turned(reason, now, now, now, now)
    if reason is before.reason:
        return before
    old, new = STATUSES[before.reason], STATUSES[reason]
    return Turned(
        reason,
        now,
        before.ready if new.ready is old.ready else now,
        before.reconciling if new.reconciling is old.reconciling else now,
        before.stalled if new.stalled is old.stalled else now,
    )


def judge(station: Station, standing: Next, stopped: Reason | None = None) -> Reason:
    """Give the reason for how a station stands."""
    reason = BY_STATE.get(standing.state) or _unknown(station)
    if standing.why.startswith(CONTESTED):
        return Reason.CONTESTED
    return stopped if stopped is not None and reason in RESTLESS else reason


def _unknown(station: Station) -> Reason:
    if station.goal is None:
        return Reason.NO_GOAL
    return Reason.NOT_VERIFIABLE if station.blind else Reason.NOT_READ


def sync(reason: Reason) -> Sync:
    """Give the axis of what a station holds."""
    return _SYNC[STATUSES[reason].ready]


def health(station: Station | None) -> Health:
    """Give the axis of how a station is: what it says is broken counts only while it is there to say so."""
    if station is None or station.protocol is None:
        return Health.UNKNOWN
    if station.session is None:
        return Health.OFFLINE
    return Health.FAULTED if station.faulted else Health.HEALTHY
