"""What an EVSE is ordered to do over time where a power alone does not say it: modes, curves, how far they may lead.

Called by `programmes` and `desired`. A timeline stays the value on which everything is summed; an order has beside it
the mode of operation, and the least and the most that may come of it. What a station can't be told is made less here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from reconciler.errors import Place, Unsupported
from reconciler.manifests.fleet import Assignment, Evse, OnUnsupported
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.fit import refuses_mode
from reconciler.profiles.profile import CurvePoint, Mode
from reconciler.profiles.timeline import Step, Timeline, timeline
from reconciler.render.compile import Spoken, compile_spoken

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Order:
    """What holds from `start` on, in W: `power_w` is asked for, and what flows lies from `lowest_w` to `highest_w`.

    `mode` is None where the power says it all. `baseline_w` and `curve` are LocalFrequency's.
    """

    start: datetime
    power_w: Decimal
    mode: Mode | None = None
    lowest_w: Decimal = ZERO
    highest_w: Decimal = ZERO
    curve: tuple[CurvePoint, ...] = ()
    place: Place | None = field(default=None, compare=False)


def plain_order(step: Step) -> Order:
    """Make an order of a step of a timeline."""
    power = step.power_w or ZERO
    return Order(step.start, power, None, power, power)


def is_directed(assignments: Iterable[Assignment]) -> bool:
    """Tell whether any window has a mode."""
    schedules = (schedule for each in assignments for schedule in each.schedule.lineage())
    return any(window.mode is not None for schedule in schedules for window in schedule.windows)


def evse_orders(
    assignments: Sequence[Assignment], evse: Evse, zone: ZoneInfo, voltage: Decimal, span: tuple[datetime, datetime]
) -> tuple[Order, ...]:
    """Give the orders of one EVSE over a span: the highest priority that speaks, within the rating, or zero."""
    lines = [compile_spoken(assignment.schedule, zone, *span) for assignment in assignments]
    starts = sorted({span[0], *(at for line in lines for at, _ in line)})
    return merge(_order(start, _first(lines, start), evse, voltage) for start in starts)


def merge(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Drop orders that say what the one before says."""
    kept: list[Order] = []
    for order in orders:
        if not kept or replace(order, start=kept[-1].start) != kept[-1]:
            kept.append(order)
    return tuple(kept)


def nominal(orders: Iterable[Order]) -> Timeline:
    """Give the power that is asked for."""
    return timeline((order.start, order.power_w) for order in orders)


def envelope(orders: Sequence[Order]) -> tuple[Timeline, Timeline]:
    """Give the least and the most that may flow."""
    lowest = timeline((order.start, order.lowest_w) for order in orders)
    return lowest, timeline((order.start, order.highest_w) for order in orders)


def cut_orders(orders: Sequence[Order], cuts: Iterable[tuple[datetime, datetime]]) -> tuple[Order, ...]:
    """Put a zero in place of whatever may discharge within spans."""
    for begin, end in cuts:
        starts = sorted({order.start for order in orders} | {begin, end})
        at = [order.start for order in orders]
        split = (
            replace(orders[bisect_right(at, start) - 1], start=start) for start in starts if start >= orders[0].start
        )
        orders = merge(
            Order(each.start, ZERO) if begin <= each.start < end and each.lowest_w < 0 else each for each in split
        )
    return tuple(orders)


def degrade(
    orders: Iterable[Order], capability: Capability, policy: OnUnsupported
) -> tuple[tuple[Order, ...], tuple[str, ...]]:
    """Make less of what a station can't be told, and say so; with `refuse` it is left for `fit` to refuse by name."""
    kept: list[Order] = []
    notes: dict[str, None] = {}
    for order in orders:
        refusal = _refusal(order, capability)
        if refusal is None or (policy == "refuse" and order.mode is not Mode.IDLE):
            kept.append(order)
            continue
        kept.append(_less(order, policy))
        if order.mode is not Mode.IDLE:  # a zero is all that it asks for
            where = f", at {order.place}" if order.place else ""
            notes[f"{refusal}; {_words(kept[-1])} instead{where}"] = None
    return merge(kept), tuple(notes)


def _refusal(order: Order, capability: Capability) -> Unsupported | None:
    discharges = order.power_w < 0 and order.mode in (None, Mode.CENTRAL_SETPOINT)
    if capability.protocol is Protocol.V201 and discharges and not capability.negative_limit:
        return Unsupported("discharge on OCPP 2.0.1", "no negative limit is declared or proved there")
    mode = order.mode or (Mode.CENTRAL_SETPOINT if discharges else Mode.CHARGING_ONLY)
    return refuses_mode(mode, capability)


def _less(order: Order, policy: OnUnsupported) -> Order:
    power = max(order.power_w, ZERO) if policy == "charge-only" and order.mode is not Mode.IDLE else ZERO
    return Order(order.start, power, None, power, power, (), order.place)


def _words(order: Order) -> str:
    return f"charging only, with {order.power_w / 1000:f} kW at most," if order.power_w else "no flow"


def _first(lines: Sequence[tuple[tuple[datetime, Spoken | None], ...]], at: datetime) -> Spoken | None:
    said = (line[bisect_right(line, at, key=_begin) - 1][1] for line in lines)
    return next((spoken for spoken in said if spoken is not None), None)


def _begin(said: tuple[datetime, Spoken | None]) -> datetime:
    return said[0]


def _order(start: datetime, spoken: Spoken | None, evse: Evse, voltage: Decimal) -> Order:
    if spoken is None:
        return Order(start, ZERO)
    asked = spoken.power.to_watts(evse.phases, voltage, evse.current)
    power = _within(asked, evse)
    mode = spoken.window.mode if spoken.window else None
    if mode is Mode.LOCAL_FREQUENCY and spoken.window:
        curve = tuple(CurvePoint(hertz, _within(power + extra, evse) - power) for hertz, extra in spoken.window.curve)
        ends = [power + point.power_w for point in curve]
        return Order(start, power, mode, min(ends), max(ends), curve, spoken.place)
    if mode in (Mode.LOCAL_LOAD_BALANCING, Mode.EXTERNAL_LIMITS):
        return Order(start, ZERO, mode, -evse.discharge_w, evse.charge_w, (), spoken.place)
    return Order(start, power, mode, power, power, (), spoken.place)


def _within(power: Decimal, evse: Evse) -> Decimal:
    return min(max(power, -evse.discharge_w), evse.charge_w)


def facts(orders: Iterable[Order], first: datetime) -> Iterator[dict[str, object]]:
    """Give orders as templates see them; see docs/language.md."""
    for order in orders:
        yield {
            "start": order.start,
            "offset": int((order.start - first).total_seconds()),
            "power_w": order.power_w,
            "mode": order.mode.value if order.mode else "",
            "lowest_w": order.lowest_w,
            "highest_w": order.highest_w,
            "curve": [{"frequency": point.frequency_hz, "power_w": point.power_w} for point in order.curve],
        }
