"""Piecewise-constant signed power over UTC: the one value on which schedules, caps and stacks are computed.

Called by `render` (schedules become timelines), `plan` (site caps) and the laws. It refuses to know time zones,
weekdays and OCPP: whoever has those makes a timeline first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

Power = Decimal | None
"""Watts, positive = charge (import), negative = discharge (export); None = says nothing."""


class Step(NamedTuple):
    """A power that holds from `start` until the next step."""

    start: datetime
    power_w: Power


@dataclass(frozen=True, slots=True)
class Timeline:
    """Signed power over UTC; before the first step it says nothing, and the last step holds for ever.

    Always in canonical form when made by `timeline`: starts strictly increase and neighbours differ.
    """

    steps: tuple[Step, ...] = ()

    def at(self, instant: datetime) -> Power:
        """Give the power at an instant, or None where the timeline says nothing."""
        index = bisect_right(self.steps, instant, key=lambda step: step.start)
        return self.steps[index - 1].power_w if index else None

    def starts(self) -> tuple[datetime, ...]:
        """Give the instants at which the power may change."""
        return tuple(step.start for step in self.steps)


def timeline(steps: Iterable[tuple[datetime, Power]]) -> Timeline:
    """Make a timeline from steps in any order; of two steps at one instant the later given wins."""
    ordered = sorted(dict(steps).items())
    kept: list[Step] = []
    for start, power in ordered:
        if (kept[-1].power_w if kept else None) != power:
            kept.append(Step(start, power))
    return Timeline(tuple(kept))


def combine(lines: Iterable[Timeline], join: Callable[[tuple[Power, ...]], Power]) -> Timeline:
    """Join timelines instant by instant; `join` gets one power per timeline, in the order given."""
    changes: dict[datetime, list[tuple[int, Power]]] = {}
    powers: list[Power] = []
    for number, line in enumerate(lines):
        powers.append(None)
        for start, power in line.steps:
            changes.setdefault(start, []).append((number, power))
    joined: list[tuple[datetime, Power]] = []
    for start in sorted(changes):
        for number, power in changes[start]:
            powers[number] = power
        joined.append((start, join(tuple(powers))))
    return timeline(joined)


def overlay(lines: Iterable[Timeline]) -> Timeline:
    """Let the first timeline that says something win at every instant."""
    return combine(lines, lambda powers: next((power for power in powers if power is not None), None))


def bound(line: Timeline, lowest_w: Decimal, highest_w: Decimal) -> Timeline:
    """Keep the power within bounds; silence stays silence."""
    return timeline(
        (start, None if power is None else min(max(power, lowest_w), highest_w)) for start, power in line.steps
    )


def clip(line: Timeline, start: datetime, end: datetime) -> Timeline:
    """Keep what is said within [start, end); outside, the result says nothing."""
    if end <= start:
        return Timeline()
    inside = [step for step in line.steps if start < step.start < end]
    return timeline([(start, line.at(start)), *inside, (end, None)])


def total(weighted: Iterable[tuple[Timeline, int]]) -> Timeline:
    """Sum timelines, each taken `count` times; silence counts as zero. Cost grows with the steps, not their product."""
    zero = Decimal(0)
    rises: dict[datetime, Decimal] = {}
    for line, count in weighted:
        before = zero
        for start, power in line.steps:
            rises[start] = rises.get(start, zero) + ((power or zero) - before) * count
            before = power or zero
    sums: list[tuple[datetime, Power]] = []
    for start in sorted(rises):
        sums.append((start, (sums[-1][1] or zero if sums else zero) + rises[start]))
    return timeline(sums)
