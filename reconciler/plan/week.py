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

from reconciler.plan.asked import Asked, Line, Steering, asked_by_powers
from reconciler.profiles.timeline import Power, Timeline

DAYS = 7
EVERY_DAY = frozenset(range(DAYS))
DAY = timedelta(days=1)
NOTHING = Timeline()
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to `end` (minutes of the local day on which it starts) `before` becomes `after`, in W or A.

    `end` is None where nothing ends it within the week; `days` are the weekdays on which it starts, Monday is 0. A
    power is None where there is no profile. Where a mode steers, it stands beside the power.
    """

    days: frozenset[int]
    start: int
    end: int | None
    before: Power
    after: Power
    before_mode: Steering | None = None
    after_mode: Steering | None = None

    @property
    def old(self) -> Asked:
        """Give what was asked for."""
        return Asked(self.before, self.before_mode)

    @property
    def new(self) -> Asked:
        """Give what is asked for."""
        return Asked(self.after, self.after_mode)


def week_from(day: date, zone: ZoneInfo) -> Span:
    """Give the instants between which a week of local days starts and ends."""
    return _midnight(day, zone), _midnight(day + DAYS * DAY, zone)


def surroundings(span: Span) -> Span:
    """Give a span with a day more on both sides, so that windows over midnight are whole."""
    return span[0] - DAY, span[1] + DAY


def compare(before: Timeline | Line, after: Timeline | Line, span: Span, zone: ZoneInfo) -> tuple[Stretch, ...]:
    """Give the stretches that start within a span and in which the two differ, sorted by time of day."""
    days: dict[tuple[int, int | None, Asked, Asked], set[int]] = {}
    for start, end, one, other in _segments(_line(before), _line(after), span):
        wall = start.astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        key = (minute, None if end is None else _minutes(end.astimezone(zone), wall.date()), one, other)
        days.setdefault(key, set()).update(EVERY_DAY if start <= span[0] and end is None else {wall.weekday()})
    found = (_stretch(frozenset(each), *key) for key, each in days.items())
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


def _line(line: Timeline | Line) -> Line:
    return line if isinstance(line, Line) else asked_by_powers(line)


def _stretch(days: frozenset[int], start: int, end: int | None, one: Asked, other: Asked) -> Stretch:
    return Stretch(days, start, end, one.power, other.power, one.steering, other.steering)


def _segments(before: Line, after: Line, span: Span) -> Iterator[tuple[datetime, datetime | None, Asked, Asked]]:
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


def _minutes(wall: datetime, day: date) -> int:
    return (wall.date() - day).days * 24 * 60 + wall.hour * 60 + wall.minute


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
