"""What a schedule does over a week of local days, as stretches of time that people can read.

Called by `fleet_plan` for schedules and by `words` for profiles. It turns instants back into weekdays and wall-clock
times, and folds equal days into one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from reconciler.profiles.timeline import Power, Timeline, timeline

DAYS = 7
EVERY_DAY = frozenset(range(DAYS))
DAY = timedelta(days=1)
NOTHING = Timeline()
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to `end` (minutes of the local day on which it starts) `before` becomes `after`, in W or A.

    `end` is None where nothing ends it within the week; `days` are the weekdays on which it starts, Monday is 0. A
    power is None where there is no profile.
    """

    days: frozenset[int]
    start: int
    end: int | None
    before: Power
    after: Power


def week_from(day: date, zone: ZoneInfo) -> Span:
    """Give the instants between which a week of local days starts and ends."""
    return _midnight(day, zone), _midnight(day + DAYS * DAY, zone)


def surroundings(span: Span) -> Span:
    """Give a span with a day more on both sides, so that windows over midnight are whole."""
    return span[0] - DAY, span[1] + DAY


def compare(before: Timeline, after: Timeline, span: Span, zone: ZoneInfo) -> tuple[Stretch, ...]:
    """Give the stretches that start within a span and in which the two differ, sorted by time of day."""
    days: dict[tuple[int, int | None, Power, Power], set[int]] = {}
    for start, end, one, other in _segments(before, after, span):
        wall = start.astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        key = (minute, None if end is None else _minutes(end.astimezone(zone), wall.date()), one, other)
        days.setdefault(key, set()).update(EVERY_DAY if start <= span[0] and end is None else {wall.weekday()})
    found = (Stretch(frozenset(each), *key) for key, each in days.items())
    return tuple(sorted(found, key=lambda each: (each.start, sorted(each.days), each.end or 0)))


def direction_changes(line: Timeline, span: Span, zone: ZoneInfo) -> int:
    """Give how often a line turns from charge to discharge or back, on the day of the span that has most of it."""
    turns: dict[date, int] = {}
    sign = 0
    for start, power in line.steps:
        if not power:
            continue
        now = 1 if power > 0 else -1
        if sign and now != sign and span[0] <= start < span[1]:
            day = start.astimezone(zone).date()
            turns[day] = turns.get(day, 0) + 1
        sign = now
    return max(turns.values(), default=0)


def _segments(
    before: Timeline, after: Timeline, span: Span
) -> Iterator[tuple[datetime, datetime | None, Power, Power]]:
    starts = sorted({*before.starts(), *after.starts()})
    pairs = [(start, before.at(start), after.at(start)) for start in starts]
    kept = [pairs[index] for index in range(len(pairs)) if not index or pairs[index][1:] != pairs[index - 1][1:]]
    ends = [following[0] for _, following in pairwise(kept)]
    for (start, one, other), end in zip(kept, [*ends, None], strict=True):
        if one == other or start >= span[1]:
            continue
        if start >= span[0]:
            yield start, end, one, other
        elif end is None or end >= span[1]:
            yield span[0], None, one, other


def clip_to(line: Timeline, end: datetime) -> Timeline:
    """Let a line say nothing from an instant on."""
    return timeline([*(step for step in line.steps if step.start < end), (end, None)])


def _minutes(wall: datetime, day: date) -> int:
    return (wall.date() - day).days * 24 * 60 + wall.hour * 60 + wall.minute


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
