"""Power that ramps towards a target, and the energy that flows meanwhile: exact at any instant, without ticking.

`bay` asks it what flows now and when a battery will be full or empty. It knows watts and seconds only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LEAST_W = 0.000_001
"""What floating point may leave between a ramp and its target."""
LONGEST_S = 10 * 365 * 86_400.0
"""Beyond this many seconds an end is as good as none, and a datetime may not hold it."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Power that moves in a straight line within `seconds` and does not change its sign."""

    seconds: float
    from_w: float
    to_w: float

    @property
    def energy_wh(self) -> float:
        """Give the signed energy of the whole leg."""
        return (self.from_w + self.to_w) / 2 * self.seconds / 3600

    def until(self, energy_wh: float) -> float:
        """Give the seconds after which the leg has moved an energy of its own sign, infinite where it never does."""
        slope = (self.to_w - self.from_w) / self.seconds if math.isfinite(self.seconds) and self.seconds else 0.0
        joules, start = abs(energy_wh) * 3600, abs(self.from_w)
        slope = slope if self.from_w + self.to_w > 0 else -slope
        if not slope:
            return joules / start if start else math.inf
        root = start * start + 2 * slope * joules
        return (math.sqrt(root) - start) / slope if root >= 0 else math.inf


@dataclass(frozen=True, slots=True)
class Motion:
    """Power in W that leaves `from_w` at `since` for `to_w`, by `ramp_w_per_s`, and stays there."""

    since: datetime
    from_w: float = 0.0
    to_w: float = 0.0
    ramp_w_per_s: float = 1.0

    @property
    def settled(self) -> datetime:
        """Give the instant from which the power stays what it is."""
        return self.since + timedelta(microseconds=math.ceil(self._ramp_s * 1_000_000))

    @property
    def _ramp_s(self) -> float:
        return abs(self.to_w - self.from_w) / self.ramp_w_per_s

    def power_w(self, at: datetime) -> float:
        """Give the power at an instant."""
        reach = self.ramp_w_per_s * max((at - self.since).total_seconds(), 0.0)
        gap = self.to_w - self.from_w
        return self.to_w if abs(gap) - reach <= LEAST_W else self.from_w + math.copysign(reach, gap)

    def energy_wh(self, at: datetime) -> tuple[float, float]:
        """Give the energies imported and exported until an instant, both as magnitudes."""
        imported = exported = 0.0
        for leg in self._legs((at - self.since).total_seconds()):
            imported += max(leg.energy_wh, 0.0)
            exported += max(-leg.energy_wh, 0.0)
        return imported, exported

    def bound(self, room_wh: float, reserve_wh: float) -> datetime | None:
        """Give the instant at which a battery with this room and reserve is full or empty, None where it never is."""
        passed, net_wh = 0.0, 0.0
        for leg in self._legs(math.inf):
            left = room_wh - net_wh if leg.from_w + leg.to_w > 0 else reserve_wh + net_wh
            seconds = leg.until(max(left, 0.0)) if leg.from_w or leg.to_w else math.inf
            if seconds < leg.seconds:
                return self._after(passed + seconds)
            passed, net_wh = passed + leg.seconds, net_wh + leg.energy_wh
        return None

    def _after(self, seconds: float) -> datetime | None:
        if seconds > LONGEST_S:
            return None
        return self.since + timedelta(microseconds=math.ceil(seconds * 1_000_000))

    def _legs(self, seconds: float) -> Iterator[Leg]:
        """Cut the first `seconds` at the zero crossing and where the target is reached."""
        ramp_s = self._ramp_s
        crossing = abs(self.from_w) / self.ramp_w_per_s if self.from_w * self.to_w < 0 else ramp_s
        marks = sorted({min(mark, seconds) for mark in (0.0, crossing, ramp_s, seconds)})
        for start, end in pairwise(marks):
            if end <= ramp_s:
                yield Leg(end - start, self._ramp_at(start), self._ramp_at(end))
            else:
                yield Leg(end - start, self.to_w, self.to_w)

    def _ramp_at(self, seconds: float) -> float:
        gap = self.to_w - self.from_w
        moved = self.ramp_w_per_s * seconds
        return self.to_w if moved >= abs(gap) else self.from_w + math.copysign(moved, gap)
