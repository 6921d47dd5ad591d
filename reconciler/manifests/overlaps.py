"""Windows of one schedule that would speak at the same time.

Used by `schedules`. Weekly windows are laid side by side over one week. Where dates, calendars or seasons decide, days
enough are looked at to see how they can fall together; for what is missed there, the window written first holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import combinations

from reconciler.manifests.complaints import Complaints
from reconciler.manifests.days import Days, Pattern, named, sample
from reconciler.manifests.fleet import Schedule, Window
from reconciler.manifests.times import DAYS, MINUTES_PER_DAY

MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
MOST_DATED = 200
"""How many windows a schedule may have where dates decide: each is held against each."""

RECENT = date(2027, 1, 1).toordinal()
"""Of the sampled days, those before it are shown only where windows clash on no later one: they are gone by."""

Clash = tuple[int, int, str]
"""The numbers of two windows, the earlier first, and when they first clash."""


class Overlaps:
    """Finds overlaps; days are worked out once per pattern, whichever schedules share it."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._samples: dict[tuple[date, ...], tuple[date, ...]] = {}
        self._days: dict[tuple[Pattern, tuple[date, ...]], frozenset[int]] = {}
        self._meetings: dict[tuple[int, int, int], int | None] = {}

    def check(self, schedule: Schedule) -> None:
        """Note each pair of windows that overlap, with the first moment at which they do."""
        dated = any(window.pattern is not None for window in schedule.windows)
        if dated and len(schedule.windows) > MOST_DATED:
            message = f"{len(schedule.windows)} windows, and where dates decide a schedule may have {MOST_DATED}"
            hint = "`extends` splits a schedule in two"
            self._complaints.add(schedule.place, "too-many-windows", message, field="spec.windows", hint=hint)
            return
        for first, second, when in self._dated(schedule) if dated else weekly_clashes(schedule.windows):
            message = f"overlaps the window at {schedule.windows[first].place} on {when}"
            place = schedule.windows[second].place
            self._complaints.add(place, "overlapping-windows", message, field=f"spec.windows[{second}]")

    def _dated(self, schedule: Schedule) -> Iterator[Clash]:
        patterns = [window.pattern or Pattern(Days(window.days)) for window in schedule.windows]
        beyond = named(patterns)
        held = [self._ordinals(pattern, beyond) for pattern in patterns]
        for one, other in combinations(range(len(held)), 2):
            for shift in (-1, 0, 1):
                minute = _meet(schedule.windows[one], schedule.windows[other], shift)
                day = None if minute is None else self._meeting(held[one], held[other], shift)
                if minute is not None and day is not None:
                    when = date.fromordinal(day + minute // MINUTES_PER_DAY)
                    yield one, other, f"{DAYS[when.weekday()]} {when} {_clock(minute)}"
                    break

    def _ordinals(self, pattern: Pattern, beyond: tuple[date, ...]) -> frozenset[int]:
        if beyond not in self._samples:
            self._samples[beyond] = sample(beyond)
        key = (pattern, beyond)
        if key not in self._days:
            self._days[key] = frozenset(day.toordinal() for day in self._samples[beyond] if day in pattern)
        return self._days[key]

    def _meeting(self, one: frozenset[int], other: frozenset[int], shift: int) -> int | None:
        """Give the first day, of late if need be, on which the one window holds and the other `shift` days later."""
        key = (id(one), id(other), shift)
        if key not in self._meetings:
            self._meetings[key] = min(
                (day for day in one if day + shift in other), key=lambda day: (day < RECENT, day), default=None
            )
        return self._meetings[key]


def _meet(one: Window, other: Window, shift: int) -> int | None:
    """Give the first minute, of the day that the one starts on, that both cover when the other starts days later."""
    start = max(one.start, other.start + shift * MINUTES_PER_DAY)
    return start if start < min(one.end, other.end + shift * MINUTES_PER_DAY) else None


def weekly_clashes(windows: tuple[Window, ...]) -> Iterator[Clash]:
    """Lay the windows side by side over a week; each clash is with the one that reaches furthest before it."""
    clashes: dict[tuple[int, int], int] = {}
    reach, last = 0, -1
    for start, end, number in sorted(_week(windows)):
        if start < reach:
            first, second = sorted((last, number))
            clashes.setdefault((first, second), start)
        if end > reach:
            reach, last = end, number
    for (first, second), start in sorted(clashes.items()):
        yield first, second, f"{DAYS[start // MINUTES_PER_DAY]} {_clock(start)}"


def _clock(minute: int) -> str:
    return f"{minute % MINUTES_PER_DAY // 60:02}:{minute % 60:02}"


def _week(windows: tuple[Window, ...]) -> Iterator[tuple[int, int, int]]:
    """Give minutes of the week and the window's number; what runs beyond Sunday goes on at the start of Monday."""
    for number, window in enumerate(windows):
        for day in sorted(window.days):
            start, end = day * MINUTES_PER_DAY + window.start, day * MINUTES_PER_DAY + window.end
            yield start, min(end, MINUTES_PER_WEEK), number
            if end > MINUTES_PER_WEEK:
                yield 0, end - MINUTES_PER_WEEK, number
