"""What is asked of an EVSE over time, as people are told it: a power, or a mode in which others steer and how far.

Made from a timeline, from the orders of schedules, or (in `power`) from a profile; compared by `week` and said by
`words`. Orders that go out as the same words are the same here, so that nothing is told as a change that is none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from reconciler.profiles.profile import CurvePoint, Mode
from reconciler.profiles.timeline import Power, Timeline
from reconciler.render.orders import Order

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Steering:
    """A mode in which the schedule alone does not say the flow, and the least and the most of it, in W or A."""

    mode: Mode
    lowest: Decimal = ZERO
    highest: Decimal = ZERO
    curve: tuple[CurvePoint, ...] = ()


class Asked(NamedTuple):
    """What is asked for: nothing (a power of None), a power, or what comes of a mode around a power."""

    power: Power
    steering: Steering | None = None

    @property
    def band(self) -> tuple[Decimal, Decimal]:
        """Give the least and the most that may flow; zero where nothing is asked for."""
        if self.steering:
            return self.steering.lowest, self.steering.highest
        return self.power or ZERO, self.power or ZERO

    @property
    def flows(self) -> bool:
        """Tell whether anything may flow."""
        return any(self.band) or (self.steering is not None and self.steering.mode is Mode.EXTERNAL_LIMITS)


SILENT = Asked(None)


class Part(NamedTuple):
    """What is asked for from `start` on, until the next part."""

    start: datetime
    asked: Asked


@dataclass(frozen=True, slots=True)
class Line:
    """What is asked for over time; neighbours differ, and before the first part nothing is."""

    parts: tuple[Part, ...] = ()

    def at(self, instant: datetime) -> Asked:
        """Give what is asked for at an instant."""
        index = bisect_right(self.parts, instant, key=_start)
        return self.parts[index - 1].asked if index else SILENT

    def starts(self) -> tuple[datetime, ...]:
        """Give the instants at which it changes."""
        return tuple(part.start for part in self.parts)


def line_of(parts: Iterable[tuple[datetime, Asked]]) -> Line:
    """Make a line of parts in the order of their starts."""
    kept: list[Part] = []
    for start, asked in parts:
        if asked != (kept[-1].asked if kept else SILENT):
            kept.append(Part(start, asked))
    return Line(tuple(kept))


def asked_by_powers(line: Timeline) -> Line:
    """Make a line of powers."""
    return Line(tuple(Part(start, Asked(power)) for start, power in line.steps))


def asked_by_orders(orders: Iterable[Order], *, speaks_modes: bool) -> Line:
    """Make a line of orders; a station that knows no modes is told a limit, or zero for being idle."""
    return line_of((order.start, _asked(order, speaks_modes=speaks_modes)) for order in orders)


def clip_line(line: Line, end: datetime) -> Line:
    """Let a line ask for nothing from an instant on."""
    return line_of([*(part for part in line.parts if part.start < end), Part(end, SILENT)])


def steering_of(mode: Mode | None, power: Decimal, lowest: Decimal, highest: Decimal) -> Steering | None:
    """Give how a mode steers; None for the modes in which a power goes out where nobody names a mode."""
    if mode in (None, Mode.CHARGING_ONLY) or (mode is Mode.CENTRAL_SETPOINT and power <= 0):
        return None
    return Steering(mode, lowest, highest)


def _asked(order: Order, *, speaks_modes: bool) -> Asked:
    if not speaks_modes and order.mode in (Mode.IDLE, Mode.CENTRAL_SETPOINT):
        return Asked(order.power_w)
    steering = steering_of(order.mode, order.power_w, order.lowest_w, order.highest_w)
    if steering and order.curve:
        steering = Steering(steering.mode, steering.lowest, steering.highest, order.curve)
    return Asked(order.power_w, steering)


def _start(part: Part) -> datetime:
    return part.start
