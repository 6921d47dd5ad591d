from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.profiles.canonical import Course, canonical, course, differences, near, same_meaning, same_period
from reconciler.profiles.profile import (
    LAST_INSTANT,
    ChargingSchedule,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Recurrency,
    Unit,
)

T = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def period(start, limit):
    return Period(start, limit=Decimal(limit))


def profile(*steps, duration=None, start=T, **fields):
    schedule = ChargingSchedule(1, Unit.WATT, tuple(period(at, limit) for at, limit in steps), start, duration)
    given = {"id": 1, "evse_id": 1, "stack_level": 1, "purpose": Purpose.TX_DEFAULT, "kind": Kind.ABSOLUTE, **fields}
    return Profile(schedules=(schedule,), **given)


def with_schedule(held, **fields):
    return replace(held, schedules=(replace(held.schedule, **fields),))


PLAIN = profile((0, 5), (3600, 7), (7200, 0))
DAILY = profile((0, 5), (3600, 7), kind=Kind.RECURRING, recurrency=Recurrency.DAILY)


def limits(held, now):
    return [(at - T, step.limit) for at, step in course(held, now).steps]


# Canonical form


@pytest.mark.parametrize(
    "echo",
    [
        replace(PLAIN, valid_from=datetime(1970, 1, 1, tzinfo=UTC)),
        replace(PLAIN, valid_to=datetime(2262, 4, 11, 23, 46, 49, tzinfo=UTC)),
        replace(PLAIN, dyn_update_time=T, dyn_update_interval=0),
        replace(PLAIN, invalid_after_offline=True),
        with_schedule(PLAIN, id=77),
        with_schedule(PLAIN, periods=tuple(replace(each, number_phases=3) for each in PLAIN.schedule.periods)),
        with_schedule(PLAIN, periods=tuple(reversed(PLAIN.schedule.periods))),
        profile((0, 5), (1800, 5), (3600, "7.04"), (7200, 0), (9000, "0.0001")),
    ],
)
def test_what_stations_add_without_meaning_leaves_the_canonical_form_alone(echo):
    assert canonical(echo) == canonical(PLAIN)
    assert same_meaning(PLAIN, echo, T)


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAIN, max_offline=60),
        replace(PLAIN, valid_from=T + HOUR),
        replace(PLAIN, valid_to=T + HOUR),
        with_schedule(PLAIN, periods=tuple(replace(each, number_phases=1) for each in PLAIN.schedule.periods)),
        with_schedule(PLAIN, min_charging_rate=Decimal(6)),
    ],
)
def test_what_has_a_meaning_stays_in_the_canonical_form(other):
    assert canonical(other) != canonical(PLAIN)


def test_zero_is_zero_on_however_many_phases():
    def still(phases, use=None):
        return with_schedule(PLAIN, periods=(Period(0, Decimal(0), number_phases=phases, phase_to_use=use),))

    assert canonical(still(1, 2)) == canonical(still(3)) == canonical(still(None))
    assert same_meaning(still(1, 2), still(3), T)


def test_staying_invalid_after_being_offline_has_a_meaning_where_offline_has_a_limit():
    held = replace(PLAIN, max_offline=60)
    assert canonical(held) != canonical(replace(held, invalid_after_offline=True))


def test_a_start_that_only_validity_gives_becomes_the_start():
    assert canonical(with_schedule(replace(PLAIN, valid_from=T), start=None)).schedule.start == T


def test_a_duration_that_spans_the_recurrence_is_none():
    assert canonical(with_schedule(DAILY, duration=86_400)) == canonical(DAILY)
    assert canonical(with_schedule(DAILY, duration=86_399)).schedule.duration == 86_399


# Course


def test_a_course_begins_now_with_the_step_that_holds():
    assert limits(PLAIN, T + timedelta(minutes=90)) == [(timedelta(minutes=90), 7), (2 * HOUR, 0)]


def test_a_course_that_lies_ahead_begins_with_its_start():
    assert limits(PLAIN, T - DAY) == [(0 * HOUR, 5), (HOUR, 7), (2 * HOUR, 0)]


def test_a_course_ends_with_its_duration_or_validity_whichever_is_first():
    assert course(PLAIN, T).end is None
    assert course(with_schedule(PLAIN, duration=9000), T).end == T + timedelta(seconds=9000)
    shorter = replace(with_schedule(PLAIN, duration=9000), valid_to=T + HOUR)
    assert course(shorter, T) == Course(((T, period(0, 5)),), T + HOUR)


def test_a_duration_counts_from_the_start_and_not_from_validity():
    held = replace(with_schedule(PLAIN, duration=7200), valid_from=T + HOUR)
    assert limits(held, T) == [(HOUR, 7)]
    assert course(held, T).end == T + 2 * HOUR


def test_a_duration_counts_from_validity_where_there_is_no_start():
    held = replace(with_schedule(PLAIN, duration=7200, start=None), valid_from=T + HOUR)
    assert limits(held, T) == [(HOUR, 5), (2 * HOUR, 7)]
    assert course(held, T).end == T + 3 * HOUR


def test_without_any_begin_a_course_begins_now():
    assert limits(with_schedule(PLAIN, start=None), T) == [(0 * HOUR, 5), (HOUR, 7), (2 * HOUR, 0)]


@pytest.mark.parametrize("field", [{"valid_to": T + HOUR}, {"valid_to": T + 5 * HOUR, "valid_from": T + 6 * HOUR}])
def test_an_expired_profile_has_no_course(field):
    assert course(replace(PLAIN, **field), T + HOUR) == Course((), None)


def test_an_expired_duration_leaves_no_course():
    assert course(with_schedule(PLAIN, duration=60), T + HOUR) == Course((), None)


def test_a_course_beyond_the_calendar_is_cut_and_does_no_harm():
    held = with_schedule(PLAIN, start=LAST_INSTANT - HOUR, duration=2**31 - 1)
    assert [at for at, _ in course(held, T).steps] == [LAST_INSTANT - HOUR]


# Meaning


def test_changed_pasts_are_no_difference():
    other = profile((0, 9), (3600, 7), (7200, 0), start=T, valid_from=T - DAY)
    assert differences(PLAIN, other, T) == ("chargingSchedulePeriod",)
    assert same_meaning(PLAIN, other, T + HOUR)


def test_a_later_start_with_the_same_absolute_steps_is_no_difference():
    assert same_meaning(PLAIN, profile((0, 7), (3600, 0), start=T + HOUR), T + HOUR)


def test_two_expired_profiles_mean_the_same():
    assert same_meaning(replace(PLAIN, valid_to=T), profile((0, 1), valid_to=T - HOUR), T)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"id": 2}, "id"),
        ({"evse_id": 2}, "evseId"),
        ({"stack_level": 2}, "stackLevel"),
        ({"purpose": Purpose.STATION_MAX}, "chargingProfilePurpose"),
        ({"transaction_id": "tx"}, "transactionId"),
        ({"max_offline": 60}, "maxOfflineDuration"),
        ({"valid_to": T + DAY}, "duration"),
        ({"valid_from": T + HOUR}, "chargingSchedulePeriod"),
    ],
)
def test_a_difference_is_named_in_the_words_of_ocpp(other, named):
    assert differences(PLAIN, replace(PLAIN, **other), T) == (named,)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"unit": Unit.AMPERE}, ("chargingRateUnit",)),
        ({"min_charging_rate": Decimal(6)}, ("minChargingRate",)),
        ({"duration": 9000}, ("duration",)),
        ({"periods": (period(0, 5),)}, ("chargingSchedulePeriod",)),
        ({"periods": (period(0, 5), period(3600, 7), period(7201, 0))}, ("chargingSchedulePeriod",)),
        ({"duration": 9000, "periods": (period(0, 6),)}, ("duration", "chargingSchedulePeriod")),
    ],
)
def test_a_difference_of_the_schedule_is_named_by_its_field(other, named):
    assert differences(PLAIN, with_schedule(PLAIN, **other), T) == named


def test_every_difference_is_named_and_not_only_the_first():
    other = replace(with_schedule(PLAIN, duration=9000), id=2, stack_level=2)
    assert differences(PLAIN, other, T) == ("id", "stackLevel", "duration")


def test_large_numbers_may_lose_what_a_float_cannot_hold():
    assert same_meaning(profile((0, 250_000)), profile((0, "250000.2")), T)
    assert not same_meaning(profile((0, 250_000)), profile((0, "250000.4")), T)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (replace(DAILY, valid_from=T + DAY), "validFrom"),
        (replace(DAILY, valid_to=T + DAY), "validTo"),
        (replace(DAILY, recurrency=Recurrency.WEEKLY), "recurrencyKind"),
        (with_schedule(DAILY, duration=7200), "chargingSchedule"),
        (with_schedule(DAILY, start=T + HOUR), "chargingSchedule"),
        (with_schedule(DAILY, periods=(period(0, 5), period(3600, 8))), "chargingSchedule"),
        (with_schedule(DAILY, periods=(period(0, 5),)), "chargingSchedule"),
    ],
)
def test_a_recurring_profile_differs_by_validity_recurrence_and_schedule(other, named):
    assert differences(DAILY, other, T) == (named,)


@pytest.mark.parametrize(
    "other",
    [
        replace(DAILY, valid_from=T - DAY),
        with_schedule(DAILY, start=T - 30 * DAY),
        with_schedule(DAILY, start=T + DAY),
    ],
)
def test_recurrences_that_are_past_are_no_difference(other):
    assert same_meaning(DAILY, other, T + DAY)


def test_a_recurrence_that_has_not_begun_differs_from_one_that_runs():
    assert not same_meaning(DAILY, with_schedule(DAILY, start=T + DAY), T)


def test_two_expired_recurring_profiles_mean_the_same():
    assert same_meaning(replace(DAILY, valid_to=T), replace(DAILY, valid_to=T - HOUR, valid_from=T - DAY), T)
    assert not same_meaning(replace(DAILY, valid_to=T), DAILY, T)


def test_a_recurring_profile_is_not_an_absolute_one():
    assert differences(DAILY, replace(DAILY, kind=Kind.ABSOLUTE, recurrency=None), T) == (
        "chargingProfileKind",
        "recurrencyKind",
    )


def test_profiles_with_several_schedules_are_compared_schedule_by_schedule():
    three = replace(PLAIN, schedules=PLAIN.schedules * 3)
    assert same_meaning(three, replace(three, valid_from=T - DAY), T)
    assert differences(three, PLAIN, T) == ("chargingSchedule",)
    last = replace(PLAIN.schedule, unit=Unit.AMPERE)
    assert differences(three, replace(three, schedules=(*PLAIN.schedules * 2, last)), T) == ("chargingSchedule",)


@pytest.mark.parametrize(
    "other",
    [
        Period(0, Decimal(5), number_phases=1),
        Period(0, Decimal(5), phase_to_use=1),
        Period(0, Decimal(5), mode=Mode.EXTERNAL_SETPOINT),
        Period(0, Decimal(5), Decimal(-5)),
        Period(0, Decimal(5), setpoint=Decimal(5)),
        Period(0, None),
    ],
)
def test_periods_that_command_something_else_are_not_the_same(other):
    assert not same_period(Period(0, Decimal(5)), other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("7400", "7399.999", True),
        ("16.1", "16.100000381469727", True),
        ("16", "16.05", True),
        ("16", "16.06", False),
        ("100000", "100000.1", True),
        ("100000", "100000.2", False),
    ],
)
def test_numbers_are_near_within_what_the_way_may_change(one, other, same):
    assert near(Decimal(one), Decimal(other)) is near(Decimal(other), Decimal(one)) is same


def test_no_number_is_near_to_one():
    assert near(None, None)
    assert not near(None, Decimal(0))
    assert not near(Decimal(0), None)
