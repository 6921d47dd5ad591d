"""How many writes a minute may go out: a meter that gives each write its turn. Pure.

The controller's step holds one meter for the fleet and one for each site with a pace of its own. A turn is given once
and is good for a moment only, so that turns that were missed can't be made up for in a burst: over any minute, no more
writes go out than the pace says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
GOOD_FOR = timedelta(seconds=2)
"""How late a turn may be taken."""
BURST = 12
"""One part in so many of a minute's writes may go at once."""


@dataclass(frozen=True, slots=True)
class Meter:
    """When all turns given so far would have been used up at an even pace; None before the first."""

    spent_until: datetime | None = None


def turn(meter: Meter, per_minute: int, now: datetime) -> tuple[datetime, Meter]:
    """Give the next turn, now or later, and the meter after it; `per_minute` is at least 1."""
    burst, interval = _shape(per_minute)
    spent = max(meter.spent_until or now, now)
    at = max(now, spent - interval * (burst - 1))
    return at, Meter(spent + interval)


def is_good(at: datetime, now: datetime) -> bool:
    """Tell whether a turn may be taken now."""
    return at <= now <= at + GOOD_FOR


def _shape(per_minute: int) -> tuple[int, timedelta]:
    """Give how many may go at once, and the time that each further one takes."""
    burst = max(1, per_minute // BURST)
    left = per_minute - burst
    return burst, (MINUTE + GOOD_FOR) / left if left else MINUTE + GOOD_FOR
