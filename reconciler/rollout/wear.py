"""What an EVSE has gone through by our doing: writes to its flash and turns of its flow, counted for good. Pure.

`absorb` counts; the counters are kept, because a relay's life is longer than a process's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

STILL_W = Decimal(200)
"""Net power within this of zero has no direction: meters drift, and a cable alone draws something."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Writes that were accepted, and turns between charge and discharge; `sign` is the last direction, 0 before any."""

    writes: int = 0
    turns: int = 0
    sign: int = 0

    def written(self) -> Counts:
        """Count a write that was accepted."""
        return replace(self, writes=self.writes + 1)

    def metered(self, power_w: Decimal) -> Counts:
        """Take in net power in W, + import: a turn is counted where it flows the other way than last."""
        if abs(power_w) <= STILL_W:
            return self
        sign = 1 if power_w > 0 else -1
        if sign == self.sign:
            return self
        return replace(self, turns=self.turns + bool(self.sign), sign=sign)
