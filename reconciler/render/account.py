"""Where each step of an EVSE's programme comes from: the schedule, its window, the line in git and the priority. Pure.

Called by `render --explain`. Powers are those that go into profiles, after ratings, departures and what a station can't
be told; it knows neither profiles nor how people read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from reconciler.manifests.fleet import Assignment, Evse, Station
from reconciler.profiles.capability import Capability
from reconciler.render.compile import Spoken, compile_spoken
from reconciler.render.departures import Span
from reconciler.render.orders import Order, degrade
from reconciler.render.programmes import Programmes

Speaker = tuple[Assignment, Spoken]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hold what one EVSE is to do from `start` to before `end`; `speaker` is who says so, None where nobody does."""

    start: datetime
    end: datetime
    order: Order
    speaker: Speaker | None


def account(
    programmes: Programmes, station: Station, evse: Evse, capability: Capability, span: Span
) -> tuple[Stretch, ...]:
    """Give the stretches of an EVSE's programme over [start, end), each with the highest priority that speaks."""
    asked = programmes.orders(station, evse, span)
    orders = degrade(asked, capability, station.settings.on_unsupported)[0]
    lines = [(each, compile_spoken(each.schedule, programmes.zone, *span)) for each in station.assignments]
    starts = sorted({each.start for each in orders} | {at for _, line in lines for at, _ in line} | {span[0]})
    found = (
        Stretch(start, end, _order(orders, start), _speaker(lines, start))
        for start, end in pairwise((*starts, span[1]))
    )
    return tuple(_joined(found))


def _order(orders: Sequence[Order], at: datetime) -> Order:
    order = orders[bisect_right(orders, at, key=lambda each: each.start) - 1]
    return replace(order, start=at)


def _speaker(
    lines: Sequence[tuple[Assignment, tuple[tuple[datetime, Spoken | None], ...]]], at: datetime
) -> Speaker | None:
    for assignment, line in lines:
        spoken = line[bisect_right(line, at, key=lambda each: each[0]) - 1][1]
        if spoken is not None:
            return assignment, spoken
    return None


def _joined(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    """Put together what follows on one another and says the same, in the same line's words."""
    last = next(stretches)
    for each in stretches:
        if (replace(each.order, start=last.order.start), each.speaker) == (last.order, last.speaker):
            last = replace(last, end=each.end)
        else:
            yield last
            last = each
    yield last
