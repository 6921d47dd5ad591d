"""Weeks of local days: equal days are one stretch, windows over midnight are whole, switch days keep the clock."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from reconciler.plan.asked import SILENT, asked_by_powers, clip_line
from reconciler.plan.week import (
    EVERY_DAY,
    NOTHING,
    Stretch,
    compare,
    direction_changes,
    surroundings,
    week_from,
)
from reconciler.profiles.timeline import timeline

ZONE = ZoneInfo("Europe/Amsterdam")
MONDAY = date(2026, 11, 23)
SPAN = week_from(MONDAY, ZONE)
SEVEN, NINE, ZERO = Decimal(7000), Decimal(9000), Decimal(0)


def local(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def daily(power, start, end, days=range(20, 32)):
    """Give a line with a power from one hour to another on days of November 2026; after midnight on the next day."""
    steps = [(local(20, 0), ZERO)]
    for day in days:
        begin = datetime(2026, 11, 1, tzinfo=ZONE) + timedelta(days=day - 1)
        steps.append(((begin.replace(hour=start)).astimezone(UTC), power))
        finish = begin.replace(hour=end) + timedelta(days=1 if end <= start else 0)
        steps.append((finish.astimezone(UTC), ZERO))
    return timeline(steps)


def test_a_week_begins_and_ends_at_local_midnight_also_when_the_clocks_change():
    start, end = week_from(date(2026, 10, 19), ZONE)
    assert (start.hour, end.hour, end - start) == (22, 23, timedelta(days=7, hours=1))
    assert surroundings(SPAN) == (SPAN[0] - timedelta(days=1), SPAN[1] + timedelta(days=1))


def test_equal_days_are_one_stretch():
    assert compare(daily(SEVEN, 17, 20), daily(NINE, 17, 20), SPAN, ZONE) == (
        Stretch(EVERY_DAY, 17 * 60, 20 * 60, SEVEN, NINE),
    )


def test_days_that_differ_are_told_by_their_weekday():
    weekdays = daily(SEVEN, 17, 20, (23, 24, 25, 26, 27))
    found = compare(NOTHING, weekdays, SPAN, ZONE)
    assert Stretch(frozenset(range(5)), 17 * 60, 20 * 60, None, SEVEN) in found


def test_a_window_over_midnight_is_whole_and_belongs_to_the_day_on_which_it_starts():
    assert compare(daily(ZERO, 23, 5), daily(SEVEN, 23, 5), SPAN, ZONE) == (
        Stretch(EVERY_DAY, 23 * 60, 29 * 60, ZERO, SEVEN),
    )


def test_what_never_changes_holds_at_all_times():
    always = timeline([(local(20, 0), SEVEN)])
    assert compare(NOTHING, always, SPAN, ZONE) == (Stretch(EVERY_DAY, 0, None, None, SEVEN),)


def test_what_starts_and_does_not_end_is_open():
    begun = timeline([(local(20, 0), ZERO), (local(25, 12), SEVEN)])
    assert compare(timeline([(local(20, 0), ZERO)]), begun, SPAN, ZONE) == (
        Stretch(frozenset({2}), 12 * 60, None, ZERO, SEVEN),
    )


def test_what_lies_before_or_after_the_week_is_not_told():
    before = timeline([(local(20, 0), ZERO), (local(22, 10), SEVEN), (local(22, 11), ZERO)])
    after = timeline([(local(20, 0), ZERO), (SPAN[1], SEVEN)])
    quiet = timeline([(local(20, 0), ZERO)])
    assert compare(quiet, before, SPAN, ZONE) == ()
    assert compare(quiet, after, SPAN, ZONE) == ()


def test_equal_lines_have_no_stretch():
    assert compare(daily(SEVEN, 17, 20), daily(SEVEN, 17, 20), SPAN, ZONE) == ()


def test_turns_are_those_of_the_busiest_day_and_zero_is_no_direction():
    line = timeline(
        [
            (local(23, 8), SEVEN),
            (local(23, 9), ZERO),
            (local(23, 10), -SEVEN),
            (local(24, 8), SEVEN),
            (local(24, 9), -SEVEN),
            (local(24, 10), SEVEN),
        ]
    )
    assert direction_changes(line, SPAN, ZONE) == 3
    assert direction_changes(NOTHING, SPAN, ZONE) == 0


def test_turns_outside_the_span_do_not_count():
    line = timeline([(local(20, 8), SEVEN), (local(20, 9), -SEVEN), (SPAN[1], SEVEN)])
    assert direction_changes(line, SPAN, ZONE) == 0


def test_a_clipped_line_says_nothing_afterwards():
    clipped = clip_line(asked_by_powers(daily(SEVEN, 17, 20)), local(23, 18))
    assert clipped.at(local(23, 17, 30)).power == SEVEN
    assert clipped.at(local(23, 19)) == SILENT
