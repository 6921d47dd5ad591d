"""Compiled schedules say what the wall clock says: at every minute, also on the days that have 23 or 25 hours."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Place
from reconciler.manifests.fleet import Assignment, Current, Evse, Schedule, Window
from reconciler.manifests.quantity import Quantity
from reconciler.profiles.timeline import timeline
from reconciler.render.compile import assignment_timeline, compile_schedule, evse_timeline, switch_on, value_at

HERE = Place("s.yaml", 1)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SWITCHES = {
    "Europe/Amsterdam": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Lisbon": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/Santiago": (date(2026, 9, 6), date(2026, 4, 5)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),  # at midnight
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),  # by half an hour
    "Pacific/Chatham": (date(2026, 9, 27), date(2026, 4, 5)),
    "Asia/Beirut": (date(2026, 3, 29), date(2026, 10, 25)),  # at midnight
    "Africa/Casablanca": (date(2026, 3, 22), date(2026, 2, 15)),
    "Antarctica/Troll": (date(2026, 3, 29), date(2026, 10, 25)),  # by two hours
    "Asia/Kathmandu": (date(2026, 3, 29), date(2026, 10, 25)),  # never, and 5:45 off
    "UTC": (date(2026, 3, 29), date(2026, 10, 25)),
}


def kw(number):
    return Quantity(Decimal(number * 1000), "W")


def window(days, start, end, power):
    return Window(frozenset(days), start, end, kw(power), HERE)


def schedule(*windows, otherwise=None, valid=(None, None)):
    return Schedule("s", windows, None if otherwise is None else kw(otherwise), HERE, *valid, HERE)


def at(*numbers):
    return datetime(*numbers, tzinfo=AMSTERDAM)


@st.composite
def schedules(draw):
    """Draw one or two windows that do not overlap, over midnight too, with a validity now and then."""
    first = draw(st.integers(0, 1439))
    length = draw(st.integers(1, 1440 - 1))
    gap = draw(st.integers(0, 1439 - length))
    windows = [window(range(7), first, first + length, draw(st.integers(-9, 9)))]
    if gap:
        begin = (first + length) % 1440
        windows.append(window(range(7), begin, begin + gap, draw(st.integers(-9, 9))))
    day = date(2026, 3, 29) + timedelta(days=draw(st.integers(-2, 220)))
    valid = draw(st.sampled_from(((None, None), (day, None), (None, day), (day - DAY, day))))
    return schedule(*windows, otherwise=draw(st.one_of(st.none(), st.integers(-9, 9))), valid=valid)


def wall_clock_says(each, wall):
    """Say it the slow way: by what the clock shows, for windows begun on this day or the one before."""
    shown = wall.replace(tzinfo=UTC, second=0)  # as the clock shows it: no zone's own arithmetic
    for begun in (wall.date(), wall.date() - DAY):
        after = each.valid_from is None or begun >= each.valid_from
        if not after or (each.valid_to is not None and begun >= each.valid_to):
            continue
        midnight = datetime(begun.year, begun.month, begun.day, tzinfo=UTC)
        for one in each.windows:
            held = midnight + one.start * MINUTE <= shown < midnight + one.end * MINUTE
            if held and begun.weekday() in one.days:
                return one.power
    after = each.valid_from is None or wall.date() >= each.valid_from
    return each.otherwise if after and (each.valid_to is None or wall.date() < each.valid_to) else None


def check_minutes(each, zone, day):
    """Hold the compiled steps against the wall clock at every minute of three days round `day`."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    steps = dict(compile_schedule(each, zone, start, start + 3 * DAY))
    said = steps[start]
    for number in range(3 * 1440):
        instant = start + number * MINUTE
        said = steps.get(instant, said)
        assert said == wall_clock_says(each, instant.astimezone(zone)), instant


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("which", [0, 1], ids=["forward", "back"])
def test_the_wall_clock_decides_at_every_minute_of_a_switch_day(name, which):
    night = schedule(window(range(7), 22 * 60, 26 * 60 + 30, 11), window({6}, 150, 210, -5), otherwise=2)
    check_minutes(night, ZoneInfo(name), SWITCHES[name][which])


@settings(max_examples=25)
@given(schedules(), st.sampled_from(sorted(SWITCHES)), st.sampled_from((0, 1)))
def test_the_wall_clock_decides_whatever_the_windows(each, name, which):
    check_minutes(each, ZoneInfo(name), SWITCHES[name][which])


@given(schedules(), st.integers(0, 10**6), st.integers(1, 10**4), st.integers(1, 10**4))
def test_a_span_says_the_same_whatever_span_it_is_a_part_of(each, offset, first, second):
    start = datetime(2026, 1, 1, tzinfo=UTC) + offset * MINUTE
    middle, end = start + first * MINUTE, start + (first + second) * MINUTE
    whole = timeline((at, q and q.value) for at, q in compile_schedule(each, AMSTERDAM, start, end))
    for part in ((start, middle), (middle, end)):
        for at, quantity in compile_schedule(each, AMSTERDAM, *part):
            assert whole.at(at) == (quantity and quantity.value)


def test_a_window_over_midnight_belongs_to_the_day_it_starts_on():
    friday = schedule(window({4}, 23 * 60, 26 * 60, 11))
    assert value_at(friday, at(2026, 3, 7, 1, 59)) == kw(11)  # a Saturday
    assert value_at(friday, at(2026, 3, 7, 2, 0)) is None
    assert value_at(friday, at(2026, 3, 6, 1, 0)) is None  # a Friday


def test_validity_counts_the_day_on_which_a_window_starts():
    last = schedule(window(range(7), 23 * 60, 26 * 60, 11), otherwise=2, valid=(date(2026, 3, 1), date(2026, 3, 7)))
    assert value_at(last, at(2026, 3, 7, 1, 0)) == kw(11)
    assert value_at(last, at(2026, 3, 7, 2, 0)) is None
    assert value_at(last, at(2026, 3, 1, 1, 0)) == kw(2)
    assert value_at(last, at(2026, 2, 28, 23, 30)) is None


@pytest.mark.parametrize(
    ("day", "at"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 1, tzinfo=UTC)),
        (date(2026, 3, 30), None),
    ],
)
def test_the_switch_is_found_to_the_second(day, at):
    assert switch_on(AMSTERDAM, day) == at


def assignment(each, priority=10):
    return Assignment(each, priority, "g", HERE)


EVSE = Evse(1, Decimal(9000), Decimal(5000), 3, Current.AC, "")
SPAN = (datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))


def test_the_highest_priority_that_speaks_wins_and_silence_is_zero():
    high = schedule(window(range(7), 600, 660, -4))
    low = schedule(window(range(7), 600, 720, 3))
    line = evse_timeline([assignment(high, 20), assignment(low)], EVSE, ZoneInfo("UTC"), Decimal(230), SPAN)
    hours = [SPAN[0] + timedelta(hours=hour) for hour in (9, 10, 11, 12)]
    assert [line.at(each) for each in hours] == [0, -4000, 3000, 0]


def test_an_evse_never_gets_more_than_its_rating():
    much = schedule(window(range(7), 0, 720, 50), window(range(7), 720, 1440, -50))
    line = evse_timeline([assignment(much)], EVSE, ZoneInfo("UTC"), Decimal(230), SPAN)
    assert (line.at(SPAN[0]), line.at(SPAN[0] + timedelta(hours=13))) == (9000, -5000)


def test_amperes_count_on_each_phase():
    each = Schedule(
        "s", (Window(frozenset(range(7)), 0, 1440, Quantity(Decimal(10), "A"), HERE),), None, None, None, None, HERE
    )
    assert assignment_timeline(assignment(each), EVSE, AMSTERDAM, Decimal(240), SPAN).at(SPAN[0]) == 7200
