"""Captured profiles become windows that a person could have written, or are refused with the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from reconciler.manifests.quantity import Quantity
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Recurrency, Unit
from reconciler.render.capture import CapturedWindow, Inexpressible, Piece, capture, is_floor, round_to_minutes

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 3, 3, 11, tzinfo=UTC)  # a Tuesday, noon in Amsterdam
HOUR = 3600


def profile(*powers, kind=Kind.ABSOLUTE, start=NOW, duration=None, unit=Unit.WATT, **more):
    periods = tuple(Period(at, limit=Decimal(limit)) for at, limit in powers)
    schedule = ChargingSchedule(1, unit, periods, start, duration)
    return replace(Profile(1, 1, 1, Purpose.TX_DEFAULT, kind, (schedule,)), **more)


def watts(value):
    return Quantity(Decimal(value), "W")


def refusal(captured, now=NOW):
    with pytest.raises(Inexpressible) as caught:
        capture(captured, ZONE, now)
    return str(caught.value)


def recurring(*powers, start, recurrency=Recurrency.DAILY, **more):
    return profile(*powers, kind=Kind.RECURRING, start=start, recurrency=recurrency, **more)


def test_what_recurs_daily_becomes_windows_of_every_day_joined_over_midnight():
    evening = datetime(2026, 1, 1, 16, tzinfo=UTC)
    assert capture(recurring((0, -7000), (3 * HOUR, 3500), (12 * HOUR, 11000), start=evening), ZONE, NOW) == (
        CapturedWindow(("daily",), Piece(300, 1020, watts(11000))),
        CapturedWindow(("daily",), Piece(1020, 1200, watts(-7000))),
        CapturedWindow(("daily",), Piece(1200, 300, watts(3500))),
    )


def test_what_recurs_weekly_becomes_windows_of_weekdays():
    monday = datetime(2026, 2, 22, 23, tzinfo=UTC)
    week = recurring((0, 7000), (5 * 24 * HOUR, 3500), start=monday, recurrency=Recurrency.WEEKLY)
    assert capture(week, ZONE, NOW) == (
        CapturedWindow(("weekdays",), Piece(0, 1440, watts(7000))),
        CapturedWindow(("weekends",), Piece(0, 1440, watts(3500))),
    )
    odd = recurring((0, 7000), (3 * 24 * HOUR, 3500), start=monday, recurrency=Recurrency.WEEKLY)
    assert [window.days for window in capture(odd, ZONE, NOW)] == [("mon", "tue", "wed"), ("thu", "fri", "sat", "sun")]


def test_periods_of_the_same_power_become_one_window():
    found = capture(profile((0, 2000), (HOUR, 2000), (2 * HOUR, 2500), duration=3 * HOUR), ZONE, NOW)
    assert [(window.piece.start, window.piece.end) for window in found] == [(720, 840), (840, 900)]


def test_a_gap_stays_a_gap():
    evening = datetime(2026, 1, 1, 16, tzinfo=UTC)
    found = capture(recurring((0, 5000), start=evening, duration=2 * HOUR), ZONE, NOW)
    assert found == (CapturedWindow(("daily",), Piece(1020, 1140, watts(5000))),)


def test_what_recurs_is_bounded_by_whole_days():
    midnight, later = datetime(2026, 3, 4, 23, tzinfo=UTC), datetime(2026, 3, 9, 23, tzinfo=UTC)
    found = capture(recurring((0, 5000), start=midnight, valid_to=later), ZONE, NOW)
    assert {(window.valid_from, window.valid_to) for window in found} == {(date(2026, 3, 5), date(2026, 3, 10))}
    assert "validity begins with a day" in refusal(recurring((0, 5000), start=midnight + timedelta(hours=3)))
    assert "validity ends with a day" in refusal(recurring((0, 5000), start=NOW, valid_to=later + timedelta(hours=1)))
    assert refusal(recurring((0, 5000), start=NOW - timedelta(days=9), valid_to=NOW)).startswith(
        "it ended at 2026-03-03"
    )


def test_what_is_absolute_becomes_windows_of_its_dates_and_goes_on_from_the_last():
    found = capture(profile((0, 2000), (HOUR, 2500), (4 * 24 * HOUR, 1000)), ZONE, NOW)
    assert found == (
        CapturedWindow((date(2026, 3, 3),), Piece(720, 780, watts(2000))),
        CapturedWindow((date(2026, 3, 3),), Piece(780, 1440, watts(2500))),
        CapturedWindow((date(2026, 3, 7),), Piece(0, 720, watts(2500))),
        CapturedWindow((date(2026, 3, 7),), Piece(720, 1440, watts(1000))),
        CapturedWindow(((date(2026, 3, 4), date(2026, 3, 6)),), Piece(0, 1440, watts(2500))),
        CapturedWindow(("daily",), Piece(0, 1440, watts(1000)), date(2026, 3, 8)),
    )


def test_dates_with_the_same_window_stand_together():
    days = [(day * 24 * HOUR + at, power) for day in range(3) for at, power in ((0, 1000), (HOUR, 0))]
    found = capture(profile(*days, duration=3 * 24 * HOUR), ZONE, NOW)
    assert found[0] == CapturedWindow(((date(2026, 3, 3), date(2026, 3, 5)),), Piece(720, 780, watts(1000)))


def test_the_past_is_left_out():
    found = capture(profile((0, 2000), (48 * HOUR, 2500), start=NOW - timedelta(days=9)), ZONE, NOW)
    assert found == (
        CapturedWindow((date(2026, 3, 3),), Piece(0, 1440, watts(2500))),
        CapturedWindow(("daily",), Piece(0, 1440, watts(2500)), date(2026, 3, 4)),
    )
    assert refusal(profile((0, 1), duration=60, start=NOW - timedelta(days=1))) == "it ended at 2026-03-02 12:01"
    assert refusal(profile((0, 1), valid_to=NOW)).startswith("it ended")


def test_what_ends_far_beyond_any_plan_does_not_end():
    far = datetime(9999, 12, 31, tzinfo=UTC)
    assert capture(profile((0, 1000), valid_to=far), ZONE, NOW) == capture(profile((0, 1000)), ZONE, NOW)


def test_a_power_is_written_without_an_exponent():
    assert str(capture(profile((0, "1E+1")), ZONE, NOW)[0].piece.power) == "10 W"


def test_amperes_stay_amperes():
    assert capture(profile((0, 16), unit=Unit.AMPERE), ZONE, NOW)[0].piece.power == Quantity(Decimal(16), "A")


def test_a_change_between_minutes_is_refused_unless_rounded():
    seconds = profile((0, 2000), (90, 2500), start=NOW + timedelta(seconds=20), duration=400, valid_from=NOW)
    assert refusal(seconds) == "it changes at 2026-03-03 12:00:20, and a schedule on full minutes"
    assert [(w.piece.start, w.piece.end) for w in capture(round_to_minutes(seconds), ZONE, NOW)] == [
        (720, 722),
        (722, 727),
    ]
    assert round_to_minutes(replace(seconds, schedules=(replace(seconds.schedule, start=None),))).schedule.start is None


def test_a_change_in_the_hour_that_clocks_repeat_is_refused():
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, for the first time
    told = refusal(profile((0, 2000), (60 * 60 + 30 * 60, 0), start=night), night)
    assert told == "it changes at 2026-10-25 02:00 while clocks show that hour twice"
    assert capture(profile((0, 2000), start=night - timedelta(hours=6)), ZONE, night)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"purpose": Purpose.STATION_MAX}, "it caps the station as a whole"),
        ({"purpose": Purpose.EXTERNAL}, "another source"),
        ({"purpose": Purpose.TX}, "one transaction"),
        ({"purpose": Purpose.PRIORITY}, "priority"),
        ({"purpose": Purpose.LOCAL_GENERATION}, "generated locally"),
        ({"kind": Kind.RELATIVE}, "it is Relative"),
        ({"kind": Kind.DYNAMIC}, "it is Dynamic"),
        ({"kind": Kind.RECURRING}, "does not say how often"),
    ],
)
def test_what_is_no_power_over_local_time_is_refused_with_the_reason(changed, why):
    assert why in refusal(replace(profile((0, 1000)), **changed))


@pytest.mark.parametrize(
    ("periods", "why"),
    [
        ((Period(0, mode=Mode.LOCAL_FREQUENCY),), "its operation mode LocalFrequency is no signed power"),
        ((Period(0),), "no limit and no setpoint"),
        ((Period(0, limit=Decimal(1), number_phases=1), Period(60, limit=Decimal(1))), "different numbers of phases"),
        ((Period(0, limit=Decimal("0.1234567")),), "`0.1234567 W` is not a power"),
        ((Period(0, limit=Decimal(10) ** 10),), "more than a grid connection carries"),
    ],
)
def test_what_no_manifest_can_say_is_refused(periods, why):
    schedule = ChargingSchedule(1, Unit.WATT, periods, NOW)
    assert why in refusal(replace(profile((0, 1)), schedules=(schedule,)))


def test_what_has_no_start_or_commands_nothing_is_refused():
    assert refusal(profile((0, 1), start=None)) == "it says no start"
    assert refusal(profile(start=NOW)) == "it commands nothing from now on"
    assert refusal(recurring(start=NOW)) == "it commands nothing from now on"


def test_more_days_than_a_person_would_read_are_refused():
    days = [(day * 24 * HOUR, day % 2) for day in range(500)]
    assert "at most 400" in refusal(profile(*days))


def test_a_floor_is_zero_for_ever_and_nothing_else():
    floor = profile((0, 0), evse_id=0)
    assert is_floor(floor)
    for other in (
        profile((0, 0), duration=60),
        profile((0, 0), valid_to=NOW),
        profile((0, 0), (60, 1)),
        replace(floor, purpose=Purpose.STATION_MAX),
        replace(floor, kind=Kind.RECURRING),
    ):
        assert not is_floor(other)
