"""What calendars, seasons and extended schedules say at an instant: the wall clock decides, in every zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Place
from reconciler.manifests.days import Calendar, DateRange, Days, Holidays, Pattern, Season
from reconciler.manifests.fleet import Schedule, Window
from reconciler.manifests.quantity import Quantity
from reconciler.render.compile import compile_schedule, spoken_at, value_at

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DUTCH = Calendar("dutch", frozenset(), (), (Holidays("NL"),), (), Place("c.yaml"))
DAY = timedelta(days=1)


def kw(number):
    return Quantity(Decimal(number * 1000), "W")


def window(pattern, start, end, power, line=1):
    pattern = Pattern(Days(frozenset(range(7)))) if pattern is None else pattern
    return Window(pattern.on.weekdays, start * 60, end * 60, kw(power), Place("s.yaml", line), pattern)


def schedule(*windows, otherwise=None, valid=(None, None), extends=None):
    place = Place("s.yaml", 99) if otherwise is not None else None
    asked = None if otherwise is None else kw(otherwise)
    return Schedule("s", windows, asked, place, *valid, Place("s.yaml"), extends)


def said(each, *wall):
    value = value_at(each, datetime(*wall, tzinfo=AMSTERDAM))
    return None if value is None else int(value.value / 1000)


WORKDAYS = Pattern(Days(frozenset(range(5))), without=Days(calendars=(DUTCH,)))
HOLIDAYS = Pattern(Days(calendars=(DUTCH,)))


def test_a_holiday_on_a_monday_is_no_working_day():
    week = schedule(window(WORKDAYS, 17, 20, -7), window(HOLIDAYS, 17, 20, 3))
    assert said(week, 2026, 4, 27, 18) == 3  # King's Day, a Monday
    assert said(week, 2026, 5, 4, 18) == -7


def test_a_window_over_midnight_runs_into_the_holiday_that_follows():
    night = schedule(window(WORKDAYS, 22, 30, 11))
    assert said(night, 2026, 4, 27, 5) is None  # the day before is a Sunday
    assert said(night, 2026, 4, 28, 5) is None  # the day before is the holiday
    assert said(night, 2026, 4, 29, 5) == 11


def test_an_extending_schedule_wins_where_its_windows_speak_and_leaves_the_rest():
    base = schedule(window(None, 8, 20, 2, 5), otherwise=1)
    mine = schedule(window(None, 12, 14, 9, 7), extends=base)
    assert [said(mine, 2026, 5, 4, hour) for hour in (7, 9, 12, 13, 14, 21)] == [1, 2, 9, 9, 2, 1]


def test_its_own_otherwise_comes_after_the_windows_of_what_it_extends():
    base = schedule(window(None, 8, 20, 2), otherwise=1)
    mine = schedule(window(None, 12, 14, 9), otherwise=5, extends=base)
    assert [said(mine, 2026, 5, 4, hour) for hour in (7, 9, 12)] == [5, 2, 9]


def test_its_window_of_the_night_before_wins_over_what_it_extends():
    base = schedule(window(None, 0, 24, 2))
    mine = schedule(window(None, 22, 30, 9), extends=base)
    assert [said(mine, 2026, 5, 4, hour) for hour in (5, 6, 21, 22)] == [9, 2, 2, 9]


def test_outside_its_validity_only_what_it_extends_speaks():
    base = schedule(window(None, 8, 20, 2), otherwise=1)
    mine = schedule(window(None, 8, 20, 9), otherwise=5, valid=(date(2026, 5, 4), date(2026, 5, 5)), extends=base)
    assert [said(mine, 2026, 5, day, 9) for day in (3, 4, 5)] == [2, 9, 2]
    assert [said(mine, 2026, 5, day, 7) for day in (3, 4, 5)] == [1, 5, 1]


def test_what_is_said_comes_with_the_line_that_says_it():
    base = schedule(window(None, 8, 20, 2, 5), otherwise=1)
    mine = schedule(window(None, 12, 14, 9, 7), extends=base)
    lines = [spoken_at(mine, datetime(2026, 5, 4, hour, tzinfo=AMSTERDAM)).place.line for hour in (7, 9, 12)]
    assert lines == [99, 5, 7]
    assert spoken_at(mine, datetime(2026, 5, 4, 7, tzinfo=AMSTERDAM)).window is None


def switch_days(zone):
    """Give the days of 2026 on which a zone's offset changes."""
    at = [datetime(2026, 1, 1, tzinfo=UTC) + DAY * n for n in range(366)]
    offsets = [instant.astimezone(zone).utcoffset() for instant in at]
    return [at[n].astimezone(zone).date() for n in range(365) if offsets[n] != offsets[n + 1]]


ZONES = [name for name in sorted(available_timezones()) if switch_days(ZoneInfo(name))]


@pytest.mark.parametrize("name", ZONES)
def test_windows_hold_by_the_wall_clock_on_days_of_23_and_25_hours(name):
    zone = ZoneInfo(name)
    for day in switch_days(zone):
        only = Pattern(Days(ranges=(DateRange(day, day + DAY),)))
        week = schedule(window(only, 1, 3, 4), window(only, 22, 25, -4))
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
        steps = compile_schedule(week, zone, start, start + 4 * DAY)
        for quarter in range(4 * 96):
            instant = start + timedelta(minutes=15 * quarter)
            value = [power for at, power in steps if at <= instant][-1]
            assert value == oracle(instant.astimezone(zone), day)


def oracle(wall, day):
    if wall.date() in (day, day + DAY):
        if 1 <= wall.hour < 3:
            return kw(4)
        if wall.hour >= 22:
            return kw(-4)
    return kw(-4) if wall.date() in (day + DAY, day + 2 * DAY) and wall.hour < 1 else None


seasons = st.builds(
    Season, st.tuples(st.integers(1, 12), st.integers(1, 28)), st.tuples(st.integers(1, 12), st.integers(1, 28))
)
day_sets = st.builds(
    Days,
    weekdays=st.frozensets(st.integers(0, 6)),
    ranges=st.lists(
        st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(lambda day: DateRange(day, day)), max_size=3
    ).map(tuple),
    calendars=st.sampled_from(((), (DUTCH,))),
)
patterns = st.builds(Pattern, day_sets, day_sets, day_sets, st.none() | seasons)
windows = st.builds(window, patterns, st.integers(0, 23), st.integers(24, 30), st.integers(-9, 9))
schedules = st.lists(windows, max_size=3).map(lambda given: schedule(*given))
extended = st.builds(
    lambda given, base, otherwise: schedule(*given, otherwise=otherwise, extends=base),
    st.lists(windows, max_size=3),
    st.none() | schedules,
    st.none() | st.integers(-3, 3),
)


@settings(max_examples=60, deadline=None)
@given(extended, st.integers(0, 364), st.integers(0, 96 * 3 - 1))
def test_a_compiled_schedule_says_at_every_instant_what_the_wall_clock_asks(each, offset, quarter):
    start = datetime(2026, 1, 1, tzinfo=UTC) + DAY * offset
    steps = compile_schedule(each, AMSTERDAM, start, start + 3 * DAY)
    instant = start + timedelta(minutes=15 * quarter)
    assert [power for at, power in steps if at <= instant][-1] == value_at(each, instant.astimezone(AMSTERDAM))
