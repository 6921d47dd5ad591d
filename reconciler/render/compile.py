"""Compile what people write (weekdays, local windows) to power over UTC; the only place that knows time zones.

Called by `desired` and by `explain`. The rule is one sentence: at every instant the window holds that the wall clock of
the fleet's time zone stands in. On the day of 23 hours a window loses what the clock skips; on the day of 25 hours it
holds in both passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconciler.errors import Place
from reconciler.manifests.fleet import Assignment, Evse, Schedule, Window
from reconciler.manifests.quantity import Quantity
from reconciler.profiles.timeline import Timeline, bound, overlay, timeline

DAY = timedelta(days=1)
MINUTES = 24 * 60


def compile_schedule(schedule: Schedule, zone: ZoneInfo, start: datetime, end: datetime) -> tuple[Said, ...]:
    """Give what a schedule says over [start, end), as steps of UTC instants and quantities; None = says nothing."""
    said = compile_spoken(schedule, zone, start, end)
    return tuple((at, spoken.power if spoken else None) for at, spoken in said)


def compile_spoken(
    schedule: Schedule, zone: ZoneInfo, start: datetime, end: datetime
) -> tuple[tuple[datetime, Spoken | None], ...]:
    """Give what a schedule says over [start, end) with the lines that say it."""
    days = tuple(_days(start.astimezone(zone).date() - DAY, end.astimezone(zone).date() + DAY))
    instants = {start, *(at for at in _instants(schedule, zone, days) if start < at < end)}
    return tuple((at, spoken_at(schedule, at.astimezone(zone))) for at in sorted(instants))


Said = tuple[datetime, Quantity | None]
"""From an instant on, the quantity that a schedule asks for."""


class Spoken(NamedTuple):
    """What a schedule says at one moment, and where that is written; `window` is None where `otherwise` speaks."""

    power: Quantity
    place: Place
    window: Window | None = None


def value_at(schedule: Schedule, wall: datetime) -> Quantity | None:
    """Give what a schedule says when the wall clock shows `wall`; the window of the day before may still run."""
    spoken = spoken_at(schedule, wall)
    return spoken.power if spoken else None


def spoken_at(schedule: Schedule, wall: datetime) -> Spoken | None:
    """Give what a schedule says when the wall clock shows `wall`, and the line that says it.

    First its own windows speak, then those of the schedule that it extends, and so on; then `otherwise` in that order.
    """
    for each in schedule.lineage():
        window = _window_at(each, wall)
        if window is not None:
            return Spoken(window.power, window.place, window)
    for each in schedule.lineage():
        if each.otherwise is not None and each.is_valid(wall.date()):
            return Spoken(each.otherwise, each.otherwise_place or each.place)
    return None


def _window_at(schedule: Schedule, wall: datetime) -> Window | None:
    day, minute = wall.date(), wall.hour * 60 + wall.minute
    for begun, elapsed in ((day, minute), (day - DAY, minute + MINUTES)):
        if not schedule.is_valid(begun):
            continue
        for window in schedule.windows:
            if window.start <= elapsed < window.end and window.holds_on(begun):
                return window
    return None


def evse_timeline(
    assignments: Iterable[Assignment], evse: Evse, zone: ZoneInfo, voltage: Decimal, span: tuple[datetime, datetime]
) -> Timeline:
    """Give the signed power one EVSE should have over a span: the highest priority that speaks, in its rating, or zero.

    `assignments` come with the highest priority first; `voltage` turns amperes per phase into watts.
    """
    lines = [assignment_timeline(assignment, evse, zone, voltage, span) for assignment in assignments]
    floor = timeline([(span[0], Decimal(0))])
    return bound(overlay([*lines, floor]), -evse.discharge_w, evse.charge_w)


def assignment_timeline(
    assignment: Assignment, evse: Evse, zone: ZoneInfo, voltage: Decimal, span: tuple[datetime, datetime]
) -> Timeline:
    """Give what one assigned schedule alone says for an EVSE over a span, in W."""
    said = compile_schedule(assignment.schedule, zone, *span)
    return timeline(
        (at, None if value is None else value.to_watts(evse.phases, voltage, evse.current)) for at, value in said
    )


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _instants(schedule: Schedule, zone: ZoneInfo, days: Iterable[date]) -> Iterator[datetime]:
    """Give every instant at which the schedule may begin to say something else, in no order."""
    windows = (window for each in schedule.lineage() for window in each.windows)
    minutes = {0, *(edge % MINUTES for window in windows for edge in (window.start, window.end))}
    for day in days:
        for minute in minutes:
            yield from _shown(zone, day, minute)
        switch = switch_on(zone, day)
        if switch is not None:
            yield switch


@lru_cache(maxsize=65_536)  # schedules share the days that they are compiled for, and most of their minutes
def _shown(zone: ZoneInfo, day: date, minute: int) -> tuple[datetime, ...]:
    """Give the instants at which the wall clock shows a minute of a day, or would if it skipped none."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (a wall clock, before it has a zone)
    walls = ((midnight + timedelta(minutes=minute)).replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return tuple(dict.fromkeys(wall.astimezone(UTC) for wall in walls))


@lru_cache(maxsize=4096)
def switch_on(zone: ZoneInfo, day: date) -> datetime | None:
    """Give the instant at which the zone's offset changes on a local day, or None; to the second."""
    low = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    high = low + timedelta(hours=26)
    if _offset(low, zone) == _offset(high, zone):
        return None
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        low, high = (middle, high) if _offset(middle, zone) == _offset(low, zone) else (low, middle)
    return high


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()
