"""Windows: open by the clock on the wall of each window's zone, through every switch, and deny wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests.openings import next_switch
from reconciler.manifests.strategy import Window
from reconciler.rollout.windows import verdict

ZONES = ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
BERLIN = "Europe/Berlin"
OFFICE = Window(True, "0 9 * * mon-fri", 8 * HOUR, BERLIN)
EVENING = Window(False, "0 16 * * *", 4 * HOUR, BERLIN)


def at(text, zone=BERLIN, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@st.composite
def lines(draw):
    """Draw a cron line, and what it means: minutes, hours and weekdays."""
    minutes = draw(st.sampled_from(((0,), (30,), (0, 15, 30, 45))))
    hours = draw(st.sampled_from(((0,), (1,), (2,), (3,), (9,), (23,), tuple(range(24)))))
    days = draw(st.sampled_from(((0,), (1, 2, 3, 4, 5), tuple(range(7)))))
    text = [",".join(map(str, part)) for part in (minutes, hours)]
    return f"{text[0]} {text[1]} * * {','.join(DAYS[day] for day in days)}", (minutes, hours, days)


@st.composite
def drawn_windows(draw):
    cron, meaning = draw(lines())
    duration = draw(st.sampled_from((1, 10, 45, 60, 90, 300, 1440, 4000))) * MINUTE
    return Window(draw(st.booleans()), cron, duration, draw(st.sampled_from(ZONES))), meaning


@st.composite
def instants(draw):
    """Draw instants of which many are near a switch of some zone."""
    zone = draw(st.sampled_from(ZONES))
    near = next_switch(zone, datetime(2026, draw(st.integers(1, 12)), 1, tzinfo=UTC))
    return near + timedelta(seconds=draw(st.integers(-7 * 3600, 7 * 3600)))


def holds(window, meaning, now):
    """Say the same as a window, minute by minute, by the clock on the wall."""
    wall = now.astimezone(ZoneInfo(window.timezone)).replace(tzinfo=None)
    begin = wall.replace(second=0, microsecond=0)
    minutes, hours, days = meaning
    while begin > wall - window.duration:
        if begin.minute in minutes and begin.hour in hours and begin.isoweekday() % 7 in days:
            return True
        begin -= MINUTE
    return False


def expected(drawn, now):
    allows = [holds(window, meaning, now) for window, meaning in drawn if window.allow]
    denied = any(holds(window, meaning, now) for window, meaning in drawn if not window.allow)
    return not denied and (any(allows) or not allows)


@given(st.lists(drawn_windows(), max_size=3), instants())
@settings(max_examples=80, deadline=None)
def test_windows_hold_by_the_clock_on_the_wall(drawn, now):
    found = verdict([window for window, _ in drawn], now)
    assert found.open is expected(drawn, now)


@given(st.lists(drawn_windows(), min_size=1, max_size=3), instants(), st.lists(st.floats(0, 0.999), max_size=4))
@settings(max_examples=80, deadline=None)
def test_nothing_changes_before_the_instant_that_is_told(drawn, now, shares):
    found = verdict([window for window, _ in drawn], now)
    assert found.until > now
    for share in (*shares, 0.9999):
        between = now + min(found.until - now, timedelta(days=40)) * share
        assert expected(drawn, between) is found.open


@given(drawn_windows(), instants())
@settings(max_examples=60, deadline=None)
def test_the_instant_that_is_told_is_the_change_where_it_is_near(drawn, now):
    found = verdict([drawn[0]], now)
    if found.until < now + timedelta(hours=7):
        assert verdict([drawn[0]], found.until).open is not found.open


@pytest.mark.parametrize(
    ("now", "is_open", "until"),
    [
        ("2026-11-23T08:59:59", False, "2026-11-23T09:00"),
        ("2026-11-23T09:00", True, "2026-11-23T16:00"),
        ("2026-11-23T16:00", False, "2026-11-24T09:00"),
        ("2026-11-27T18:00", False, "2026-11-30T09:00"),
    ],
)
def test_deny_wins_over_allow(now, is_open, until):
    found = verdict((OFFICE, EVENING), at(now))
    assert (found.open, found.until) == (is_open, at(until))


def test_without_a_window_that_allows_all_that_is_not_denied_is_open():
    found = verdict((EVENING,), at("2026-11-23T12:00"))
    assert (found.open, found.until) == (True, at("2026-11-23T16:00"))
    assert not verdict((EVENING,), at("2026-11-23T17:00")).open


def test_without_windows_it_is_open_for_ever():
    found = verdict((), at("2026-11-23T12:00"))
    assert (found.open, found.until, found.why) == (True, None, "no windows are declared")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ("2026-11-23T12:00", "allowed by `0 9 * * mon-fri` for 8h, Europe/Berlin"),
        ("2026-11-23T16:30", "denied by `0 16 * * *` for 4h, Europe/Berlin"),
        ("2026-11-23T21:00", "outside the windows that allow it"),
    ],
)
def test_the_reason_names_the_windows(now, why):
    assert verdict((OFFICE, EVENING), at(now)).why == why


def test_the_reason_says_where_nothing_denies():
    assert verdict((EVENING,), at("2026-11-23T12:00")).why == "no window denies it"


def test_windows_that_follow_each_other_are_one():
    hourly = Window(True, "0 9-16 * * *", HOUR, BERLIN)
    assert verdict((hourly,), at("2026-11-23T09:30")).until == at("2026-11-23T17:00")
    half_hourly = Window(True, "0,30 6-21 * * *", 30 * MINUTE, BERLIN)
    assert verdict((half_hourly,), at("2026-11-23T06:10")).until == at("2026-11-23T22:00")


@pytest.mark.parametrize("allow", [True, False])
def test_of_windows_that_hold_together_the_last_to_end_counts(allow):
    nested = [Window(allow, "0 6 * * *", hours * HOUR, BERLIN) for hours in range(1, 16)]
    found = verdict(nested, at("2026-11-23T06:10"))
    assert (found.open, found.until) == (allow, at("2026-11-23T21:00"))


def test_in_spring_a_window_begins_when_the_clock_has_skipped_its_begin():
    night = Window(True, "30 2 * * *", HOUR, BERLIN)
    before, after = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert (verdict((night,), before).open, verdict((night,), before).until) == (False, after)
    assert (verdict((night,), after).open, verdict((night,), after).until) == (True, at("2026-03-29T03:30"))


def test_in_autumn_a_window_holds_in_both_passes():
    night = Window(True, "0 1 * * *", HOUR + 30 * MINUTE, BERLIN)
    first, again, last = (at("2026-10-25T02:30"), at("2026-10-25T02:00", fold=1), at("2026-10-25T02:30", fold=1))
    assert verdict((night,), at("2026-10-25T01:10")).until == first
    assert verdict((night,), first).until == again
    assert (verdict((night,), again).open, verdict((night,), again).until) == (True, last)


def test_a_window_that_never_closes_is_looked_at_again():
    always = Window(True, "* * * * *", 2 * MINUTE, "UTC")
    now = at("2026-11-23T12:00")
    assert now + 30 * MINUTE < verdict((always,), now).until < now + timedelta(days=365)
