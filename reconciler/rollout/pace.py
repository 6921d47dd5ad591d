"""How many writes a minute may go out: a meter that says when the next one may. Pure.

The controller's step holds meters for the fleet and for each site with a pace of its own. Over any minute, no more
writes go out than the pace says; what was not used can't be made up for in a burst.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.plan.pace import shape


@dataclass(frozen=True, slots=True)
class Meter:
    """When all writes so far would have been through at an even pace; None before the first."""

    through_at: datetime | None = None


def takes_up(per_minute: int, began_at: datetime | None) -> Meter:
    """Give the first meter of a process: one that took up another's work at an instant has no burst left of it."""
    if began_at is None:
        return Meter()
    burst, interval = shape(per_minute)
    return Meter(began_at + interval * burst)


def opens_at(meter: Meter, per_minute: int, now: datetime) -> datetime:
    """Give the instant from which the next write may go; `per_minute` is at least 1."""
    burst, interval = shape(per_minute)
    return max(now, (meter.through_at or now) - interval * (burst - 1))


def spend(meter: Meter, per_minute: int, at: datetime) -> Meter:
    """Count a write that goes at an instant."""
    return Meter(max(meter.through_at or at, at) + shape(per_minute)[1])
