"""What a change of schedules does to one station's power and relays: the largest steps, and turns of direction.

Called by `sections` for the words beside a change. It counts from the week that people are shown, so that what is said
and what is shown are one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from reconciler.plan.outlook import Outlook, Week
from reconciler.plan.week import DAYS, Stretch

ZERO = Decimal(0)
DAY_MINUTES = 24 * 60


class Impact(NamedTuple):
    """By how much a station's power changes where it changes most, in W, and its turns of direction a day change.

    `other_w` is another such power: where a mode steers, the least and the most that may flow change by different ones.
    """

    peak_w: Decimal
    turns: int
    other_w: Decimal = ZERO


def impact_of(outlook: Outlook, evses: Collection[int], *, is_now: bool) -> Impact | None:
    """Give the impact on some EVSEs, summed at each instant; None where nothing changes in their schedules.

    Turns are known for the present week only, so what comes later has none.
    """
    weeks = [week for evse, week in outlook.weeks.items() if evse in evses]
    if not weeks:
        return None
    turns = outlook.turns_after - outlook.turns_before if is_now else 0
    each = [(week, 1) for week in weeks]
    most, least = _peak(each, 1), _peak(each, 0)
    return Impact(most, turns) if most == least else Impact(most or least, turns, least if most else ZERO)


def total_of(outlooks: Iterable[Outlook]) -> tuple[Decimal, ...]:
    """Give by how much the power of many stations together changes where it changes most, now or later, in W.

    Two powers where a mode steers, as in `Impact`; none where nothing changes. An outlook comes once for each station.
    """
    found: dict[int, tuple[Outlook, int]] = {}
    for outlook in outlooks:
        found[id(outlook)] = (outlook, found.get(id(outlook), (outlook, 0))[1] + 1)
    weeks = [(week, stations) for outlook, stations in found.values() for week in outlook.weeks.values()]
    peaks = {end: _peak(weeks, end) for end in (0, 1)} if weeks else {}
    return tuple(dict.fromkeys(peak for peak in peaks.values() if peak))


Counted = tuple[Week, int]
"""The week of an EVSE, and how many stations have it."""


def _peak(weeks: Collection[Counted], end: int) -> Decimal:
    """Give the largest change of the least (0) or the most (1) that may flow, of all weeks."""
    starts = sorted({week.since for week, _ in weeks})
    return max((_sum((each for each in weeks if each[0].since == since), end) for since in starts), key=abs)


def _sum(weeks: Iterable[Counted], end: int) -> Decimal:
    """Give the sum that is largest, of what is added or taken at any minute of one week."""
    rises: dict[int, Decimal] = {}
    for week, stations in weeks:
        for start, stop, change in _changes(week, end):
            rises[start] = rises.get(start, ZERO) + change * stations
            rises[stop] = rises.get(stop, ZERO) - change * stations
    sums, now = [ZERO], ZERO
    for minute in sorted(rises):
        now += rises[minute]
        sums.append(now)
    return max(sums, key=abs)


def _changes(week: Week, end: int) -> Iterator[tuple[int, int, Decimal]]:
    """Give each stretch on each of its days as minutes from the week's begin on, and by how much it changes power."""
    for stretch in week.stretches:
        change = _change(stretch, end)
        days = sorted((day - week.since.weekday()) % DAYS for day in stretch.days)
        if stretch.end is None:
            yield days[0] * DAY_MINUTES + stretch.start, DAYS * DAY_MINUTES, change
            continue
        yield from ((day * DAY_MINUTES + stretch.start, day * DAY_MINUTES + stretch.end, change) for day in days)


def _change(stretch: Stretch, end: int) -> Decimal:
    return stretch.new.band[end] - stretch.old.band[end]
