"""Which days a window holds on: weekdays, dates, calendars, holidays, seasons, and exceptions both ways.

Made by `calendars` and `schedules`, asked by `render` for one day at a time; the only home of the holidays library.
A day is a date of the fleet's own wall clock, so nothing here knows a time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import holidays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.errors import Place

Meaning = tuple[object, ...]
"""What counts of a value, without names and places: equal where equal is meant."""

SAMPLED_YEARS = range(2024, 2036)
"""Leap and common years that begin on every weekday: how dates, weekdays and holidays can fall together."""
SAMPLED_AFTER = 400
"""How many days after an explicit date beyond those years are looked at as well."""
MOST_SAMPLED = 50
"""How many such dates are looked at."""


class _DaySet(Protocol):
    def __contains__(self, day: date, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class DateRange:
    """Hold days from `first` to `last`, both in it."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        """Tell whether a day is in the range."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Season:
    """Hold a part of every year by (month, day), both ends in it; one that ends before it begins runs over New Year."""

    first: tuple[int, int]
    last: tuple[int, int]

    def __contains__(self, day: date) -> bool:
        """Tell whether a day is in the season."""
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class Holidays:
    """Hold whose holidays are meant; `categories` are the library's (`public` where none is named)."""

    country: str
    subdivision: str = ""
    categories: tuple[str, ...] = ()

    def __contains__(self, day: date) -> bool:
        """Tell whether a day is a holiday."""
        return day in holidays_of(self, day.year)


@lru_cache(maxsize=4096)
def holidays_of(rule: Holidays, year: int) -> frozenset[date]:
    """Give the holidays of a year, none where the library knows none.

    Raises:
        NotImplementedError: the library has no such country or subdivision.
        ValueError: it has no such category there.
    """
    chosen = rule.categories or None
    found = holidays.country_holidays(rule.country, subdiv=rule.subdivision or None, years=year, categories=chosen)
    return frozenset(day for day in found if day.year == year)


@lru_cache(maxsize=1)
def countries() -> dict[str, list[str]]:
    """Give the codes of the countries that have holidays, each with its subdivisions."""
    return holidays.list_supported_countries()


def categories(country: str) -> tuple[str, ...]:
    """Give the categories of holidays that a country has."""
    return tuple(holidays.country_holidays(country).supported_categories)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Hold a named set of days: weekdays, ranges and holidays together, without what is excepted."""

    name: str
    weekdays: frozenset[int]
    ranges: tuple[DateRange, ...]
    holidays: tuple[Holidays, ...]
    excepted: tuple[DateRange, ...]
    place: Place

    def __contains__(self, day: date) -> bool:
        """Tell whether a day is in the calendar."""
        if _any(self.excepted, day):
            return False
        return day.weekday() in self.weekdays or _any(self.ranges, day) or _any(self.holidays, day)

    @property
    def meaning(self) -> Meaning:
        """Give what counts of it."""
        named = sorted((rule.country, rule.subdivision, rule.categories) for rule in self.holidays)
        return (sorted(self.weekdays), _dates(self.ranges), named, _dates(self.excepted))


@dataclass(frozen=True, slots=True)
class Days:
    """Hold days by any of three ways: weekday (0 is Monday), date, calendar."""

    weekdays: frozenset[int] = frozenset()
    ranges: tuple[DateRange, ...] = ()
    calendars: tuple[Calendar, ...] = ()

    def __contains__(self, day: date) -> bool:
        """Tell whether a day is among them."""
        return day.weekday() in self.weekdays or _any(self.ranges, day) or _any(self.calendars, day)

    @property
    def meaning(self) -> Meaning:
        """Give what counts of them."""
        return (sorted(self.weekdays), _dates(self.ranges), sorted(repr(each.meaning) for each in self.calendars))


NO_DAYS = Days()


@dataclass(frozen=True, slots=True)
class Pattern:
    """Hold when a window holds: `on` in the season but not `without`, and `also`; from `first` to before `until`."""

    on: Days
    without: Days = NO_DAYS
    also: Days = NO_DAYS
    season: Season | None = None
    first: date | None = None
    until: date | None = None

    def __contains__(self, day: date) -> bool:
        """Tell whether the window holds on a day."""
        if (self.first and day < self.first) or (self.until and day >= self.until):
            return False
        if day in self.also:
            return True
        return day in self.on and (self.season is None or day in self.season) and day not in self.without

    @property
    def is_weekly(self) -> bool:
        """Tell whether every week is the same."""
        return self == Pattern(Days(self.on.weekdays))

    @property
    def meaning(self) -> Meaning:
        """Give what counts of it."""
        season = (self.season.first, self.season.last) if self.season else None
        parts = (self.on.meaning, self.without.meaning, self.also.meaning)
        return (*parts, season, str(self.first), str(self.until))

    def dates(self) -> Iterator[date]:
        """Give the dates that are named in it, by which it differs from week to week."""
        for days in (self.on, self.without, self.also):
            ranges = (*days.ranges, *(each for calendar in days.calendars for each in calendar.ranges))
            yield from (day for each in ranges for day in (each.first, each.last))
        yield from (day for day in (self.first, self.until) if day)


def named(patterns: Iterable[Pattern]) -> tuple[date, ...]:
    """Give the dates that patterns name beyond the sampled years, sorted."""
    return tuple(sorted({day for pattern in patterns for day in pattern.dates() if day.year not in SAMPLED_YEARS}))


def sample(beyond: tuple[date, ...]) -> tuple[date, ...]:
    """Give days enough to see whether patterns ever fall on one day, whatever today is; `beyond` are those named."""
    low, high = date(SAMPLED_YEARS[0], 1, 1), date(SAMPLED_YEARS[-1], 12, 31)
    more = {day.toordinal() + step for day in beyond[:MOST_SAMPLED] for step in range(SAMPLED_AFTER)}
    numbers = {*range(low.toordinal(), high.toordinal() + 1), *more}
    return tuple(date.fromordinal(number) for number in sorted(numbers) if number <= date.max.toordinal())


def _any(sets: Iterable[_DaySet], day: date) -> bool:
    return any(day in each for each in sets)


def _dates(ranges: tuple[DateRange, ...]) -> list[tuple[str, str]]:
    return sorted((str(each.first), str(each.last)) for each in ranges)
