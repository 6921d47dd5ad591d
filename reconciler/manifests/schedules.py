"""Schedules as values, and what is wrong inside one: windows that overlap, discharge without consent.

Used by `load`. Local time stays local here; `render` knows the calendar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests.fleet import Schedule, Window
from reconciler.manifests.times import DAYS, MINUTES_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.errors import Place
    from reconciler.manifests.catalogue import Entry
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.programme import ScheduleSpec, WindowSpec
    from reconciler.manifests.quantity import Quantity

MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY


def resolve_schedules(entries: Mapping[str, Entry[ScheduleSpec]], complaints: Complaints) -> dict[str, Schedule]:
    """Make each schedule a value and note windows that overlap."""
    schedules = {name: _schedule(entries[name]) for name in sorted(entries)}
    for schedule in schedules.values():
        _check_overlaps(schedule, complaints)
    return schedules


def check_consent(schedules: Mapping[str, Schedule], complaints: Complaints) -> None:
    """Note every discharge, for a fleet that has not consented to any."""
    for schedule in schedules.values():
        for power, place, field in powers(schedule):
            if power.value < 0:
                message = f"{power} discharges, and the Fleet does not allow it"
                hint = "`discharge: allowed` in the Fleet is the consent"
                complaints.add(place, "discharge-not-allowed", message, field=field, hint=hint)


def powers(schedule: Schedule) -> Iterator[tuple[Quantity, Place, str]]:
    """List the powers of a schedule with their places and field paths."""
    for number, window in enumerate(schedule.windows):
        yield window.power, window.place, f"spec.windows[{number}].power"
    if schedule.otherwise is not None and schedule.otherwise_place is not None:
        yield schedule.otherwise, schedule.otherwise_place, "spec.otherwise"


def _schedule(entry: Entry[ScheduleSpec]) -> Schedule:
    spec = entry.spec
    return Schedule(
        name=entry.name,
        windows=tuple(_window(window, entry.at("windows", number)) for number, window in enumerate(spec.windows)),
        otherwise=spec.otherwise,
        otherwise_place=None if spec.otherwise is None else entry.at("otherwise"),
        valid_from=spec.validity.from_,
        valid_to=spec.validity.to,
        place=entry.place,
    )


def _window(spec: WindowSpec, place: Place) -> Window:
    end = spec.to if spec.to > spec.from_ else spec.to + MINUTES_PER_DAY
    return Window(spec.days, spec.from_, end, spec.power, place)


def _check_overlaps(schedule: Schedule, complaints: Complaints) -> None:
    """Lay the windows side by side over a week; each clash is with the one that reaches furthest before it."""
    clashes: dict[tuple[int, int], int] = {}
    reach, last = 0, -1
    for start, end, number in sorted(_week(schedule.windows)):
        if start < reach:
            first, second = sorted((last, number))
            clashes.setdefault((first, second), start)
        if end > reach:
            reach, last = end, number
    for (first, second), start in sorted(clashes.items()):
        _complain(schedule, first, second, start, complaints)


def _complain(schedule: Schedule, first: int, second: int, start: int, complaints: Complaints) -> None:
    day, minute = divmod(start, MINUTES_PER_DAY)
    at = f"{DAYS[day]} {minute // 60:02}:{minute % 60:02}"
    message = f"overlaps the window at {schedule.windows[first].place} on {at}"
    complaints.add(schedule.windows[second].place, "overlapping-windows", message, field=f"spec.windows[{second}]")


def _week(windows: tuple[Window, ...]) -> Iterator[tuple[int, int, int]]:
    """Give minutes of the week and the window's number; what runs beyond Sunday goes on at the start of Monday."""
    for number, window in enumerate(windows):
        for day in sorted(window.days):
            start, end = day * MINUTES_PER_DAY + window.start, day * MINUTES_PER_DAY + window.end
            yield start, min(end, MINUTES_PER_WEEK), number
            if end > MINUTES_PER_WEEK:
                yield 0, end - MINUTES_PER_WEEK, number
