"""Whether vehicles leave with what they need, and which discharge is given up for it.

Called by the renderer for every timeline and by the proof of a revision. What a vehicle holds is followed from the
worst that is declared: it arrives as empty as it may. Since more at the start is never less at the end, whatever is
enough for that vehicle is enough for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconciler.manifests.fleet import ReadyBy
from reconciler.profiles.timeline import Timeline, combine, timeline

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SECONDS_PER_HOUR = 3600
ZERO = Decimal(0)

Span = tuple[datetime, datetime]


class Outcome(NamedTuple):
    """What a vehicle holds at a departure in Wh, and the spans in which its discharge has to be given up for that."""

    at: datetime
    held_wh: Decimal
    cuts: tuple[Span, ...] = ()


def departures(ready: ReadyBy, zone: ZoneInfo, span: Span) -> Iterator[tuple[date, Span]]:
    """Give the local day of each departure that a span touches, with the span that counts for it."""
    day, last = span[0].astimezone(zone).date(), span[1].astimezone(zone).date() + DAY
    while day <= last:
        if day in ready.days:
            counts = counted(ready, zone, day)
            if counts[0] < span[1] and counts[1] > span[0]:
                yield day, counts
        day += DAY


def counted(ready: ReadyBy, zone: ZoneInfo, day: date) -> Span:
    """Give the span before a day's departure in which flow counts."""
    since = ready.time if ready.since is None else ready.since
    begin = _instant(zone, day if since < ready.time else day - DAY, since)
    return begin, _instant(zone, day, ready.time)


def follow(ready: ReadyBy, line: Timeline, counts: Span) -> Decimal:
    """Give what the worst vehicle holds at the end of a span, in Wh."""
    held = ready.assumed_wh
    for begin, end, power in pieces(line, counts):
        held += power * Decimal(int((end - begin).total_seconds())) / SECONDS_PER_HOUR
        if ready.capacity_wh is not None:
            held = min(max(held, ZERO), ready.capacity_wh)
    return held


def settle(ready: ReadyBy, line: Timeline, counts: Span) -> Outcome:
    """Give what a vehicle leaves with; where discharge may be trimmed, the least of it, the latest first."""
    held = follow(ready, line, counts)
    cuts: list[Span] = []
    if held >= ready.least_wh or not ready.trims:
        return Outcome(counts[1], held)
    for begin, end, power in reversed(list(pieces(line, counts))):
        if power >= 0:
            continue
        left = cut(line, tuple(cuts))
        whole = follow(ready, cut(left, ((begin, end),)), counts)
        cuts.append((_latest(ready, left, counts, (begin, end)) if whole >= ready.least_wh else begin, end))
        if whole >= ready.least_wh:
            break
    return Outcome(counts[1], follow(ready, cut(line, tuple(cuts)), counts), tuple(cuts))


def cut(line: Timeline, cuts: tuple[Span, ...]) -> Timeline:
    """Give up discharge within spans; charge stays."""
    if not cuts:
        return line
    edges = [(at, ZERO if number % 2 == 0 else None) for number, at in enumerate(_edges(cuts))]
    masked = timeline(edges)
    return combine((line, masked), lambda powers: max(powers[0] or ZERO, ZERO) if powers[1] is not None else powers[0])


def pieces(line: Timeline, span: Span) -> Iterator[tuple[datetime, datetime, Decimal]]:
    """Give the stretches of one power within a span."""
    inside = [span[0], *(start for start in line.starts() if span[0] < start < span[1]), span[1]]
    for begin, end in pairwise(inside):
        yield begin, end, line.at(begin) or ZERO


def _latest(ready: ReadyBy, line: Timeline, counts: Span, stretch: Span) -> datetime:
    """Give the latest whole minute of a discharge from which on giving it up is enough."""
    low, high = 0, int((stretch[1] - stretch[0]) / MINUTE)
    while low < high:
        middle = (low + high + 1) // 2
        begin = stretch[0] + middle * MINUTE
        if follow(ready, cut(line, ((begin, stretch[1]),)), counts) >= ready.least_wh:
            low = middle
        else:
            high = middle - 1
    return stretch[0] + low * MINUTE


def _edges(cuts: tuple[Span, ...]) -> list[datetime]:
    """Give where cuts begin and end, in turn; those that touch become one."""
    joined: list[Span] = []
    for begin, end in sorted(cuts):
        if joined and joined[-1][1] >= begin:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return [at for each in joined for at in each]


def _instant(zone: ZoneInfo, day: date, minute: int) -> datetime:
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return wall.astimezone(UTC)
