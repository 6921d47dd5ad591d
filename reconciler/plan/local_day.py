"""One day as the clocks of a fleet's zone show it: its begin and end, its full hours, and the switch of the clocks.

Called by `picture`, so that an axis is right on the days of 23 and of 25 hours: it runs in real time and is labelled
with what a clock on the wall shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reconciler.render.compile import switch_on

LABELLED_EACH = 3
"""Every so many hours of the wall clock have their label."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A full hour of the wall clock; most have no label."""

    at: datetime
    label: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """The instant at which clocks are set, and what they show before and after, as `HH:MM`."""

    at: datetime
    shown: str
    set_to: str

    @property
    def is_forward(self) -> bool:
        """Tell whether an hour is left out; otherwise one comes twice."""
        return self.set_to > self.shown


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A day from midnight to midnight of a zone's clocks."""

    date: date
    zone: str
    start: datetime
    end: datetime
    ticks: tuple[Tick, ...]
    switch: Switch | None = None

    @property
    def hours(self) -> float:
        """Give its length: 24, and 23 or 25 where clocks are set."""
        return self.elapsed(self.end)

    def elapsed(self, at: datetime) -> float:
        """Give the real hours from its begin to an instant."""
        return (at - self.start) / timedelta(hours=1)


def local_day(day: date, zone: ZoneInfo) -> LocalDay:
    """Give a day as a zone's clocks show it."""
    start, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    at = switch_on(zone, day)
    switch = _switch(at, zone) if at and start <= at < end else None
    return LocalDay(day, zone.key, start, end, tuple(_ticks(day, zone, start, end)), switch)


def _ticks(day: date, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Tick]:
    """Give every full hour that the clocks show, an hour that comes twice both times; only its first has a label."""
    for hour in range(24):
        wall = datetime.combine(day, time(hour), zone)
        shown = sorted({wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)})
        seen = [at for at in shown if at.astimezone(zone).hour == hour and start <= at < end]
        for number, at in enumerate(seen):
            labelled = hour % LABELLED_EACH == 0 and not number
            yield Tick(at, f"{hour:02}:00" if labelled else "")
    yield Tick(end, "24:00")


def _switch(at: datetime, zone: ZoneInfo) -> Switch:
    # A wall clock just before the switch, taken one second on, shows what it would have shown.
    before = (at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) + timedelta(seconds=1)
    return Switch(at, f"{before:%H:%M}", f"{at.astimezone(zone):%H:%M}")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
