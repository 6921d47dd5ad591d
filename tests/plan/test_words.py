"""The words in which people read powers, times, stations and profiles."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from reconciler.plan.power import lease_end, power_line, renews
from reconciler.plan.week import EVERY_DAY, Stretch
from reconciler.plan.words import (
    count,
    describe_day,
    describe_days,
    describe_differences,
    describe_instant,
    describe_names,
    describe_place,
    describe_power,
    describe_profile,
    describe_stretch,
    describe_week,
)
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Recurrency, Unit

ZONE = ZoneInfo("Europe/Amsterdam")
NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)
HOUR = 3600
SEVEN, NINE = Decimal(-7000), Decimal(9000)


def profile(*steps, start=NOON, **changes):
    """Give an Absolute profile of an EVSE from (hours, watts) on; negative watts are a setpoint."""
    periods = tuple(
        Period(int(hours * HOUR), limit=Decimal(watts))
        if watts >= 0
        else Period(int(hours * HOUR), setpoint=Decimal(watts), mode=Mode.CENTRAL_SETPOINT)
        for hours, watts in steps
    )
    facts = {"evse_id": 1, "stack_level": 1, "purpose": Purpose.TX_DEFAULT, "kind": Kind.ABSOLUTE} | changes
    return Profile(id=11, schedules=(ChargingSchedule(1, Unit.WATT, periods, start),), **facts)


EXPORT = profile((0, 3500), (5, -7000), (8, 0), (11.5, 11000), (17.5, 0))


@pytest.mark.parametrize(
    ("watts", "words"),
    [
        ("-7000", "-7 kW"),
        ("3500", "3.5 kW"),
        ("0", "0 kW"),
        ("-0.0", "0 kW"),
        ("800", "800 W"),
        ("999.9", "999.9 W"),
        ("11040", "11.04 kW"),
        ("-22080.4", "-22.08 kW"),
        ("1000000", "1000 kW"),
    ],
)
def test_powers_are_said_in_kilowatts_where_they_are_that_large(watts, words):
    assert describe_power(Decimal(watts)) == words


def test_amperes_stay_amperes():
    assert describe_power(Decimal("16.0"), Unit.AMPERE) == "16 A"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (range(5), "Mon-Fri"),
        ((5, 6), "Sat, Sun"),
        ((0, 2, 3, 4), "Mon, Wed-Fri"),
        ((6,), "Sun"),
    ],
)
def test_weekdays_are_said_as_runs(days, words):
    assert describe_days(frozenset(days)) == words


@pytest.mark.parametrize(
    ("stretch", "words"),
    [
        (Stretch(EVERY_DAY, 1020, 1200, SEVEN, NINE), "17:00-20:00 -7 kW -> 9 kW"),
        (Stretch(frozenset({0}), 1410, 1770, None, NINE), "Mon 23:30-05:30 9 kW"),
        (Stretch(EVERY_DAY, 0, None, SEVEN, None), "at all times -7 kW"),
        (Stretch(frozenset({4}), 600, None, None, NINE), "from Fri 10:00 on 9 kW"),
        (Stretch(frozenset({4}), 600, 600 + 2 * 1440, None, NINE), "Fri 10:00-10:00 (2 days later) 9 kW"),
        (Stretch(frozenset({4}), 600, 700 + 1440, None, NINE), "Fri 10:00-11:40 (1 day later) 9 kW"),
    ],
)
def test_a_stretch_is_said_with_its_days_and_clock(stretch, words):
    assert describe_stretch(stretch) == words


def test_a_week_leaves_out_where_nothing_flows():
    idle, busy = (Stretch(EVERY_DAY, at, at + 60, None, power) for at, power in ((0, Decimal(0)), (60, NINE)))
    assert describe_week([idle, busy]) == "01:00-02:00 9 kW"
    assert describe_week([idle]) == "no flow"


def test_a_profile_is_said_by_the_clock_of_the_fleet():
    words = "12:00-17:00 3.5 kW; 17:00-20:00 -7 kW; 23:30-05:30 11 kW"
    assert describe_profile(EXPORT, NOON, ZONE) == words


def test_a_profile_without_an_end_is_said_in_one_word():
    assert describe_profile(profile((0, 0)), NOON, ZONE) == "0 kW at all times"


@pytest.mark.parametrize(
    "other",
    [
        replace(EXPORT, kind=Kind.RECURRING, recurrency=Recurrency.DAILY),
        replace(EXPORT, schedules=EXPORT.schedules * 2),
        replace(EXPORT, schedules=(replace(EXPORT.schedule, periods=(Period(0, mode=Mode.LOCAL_FREQUENCY),)),)),
        replace(EXPORT, valid_to=NOON - timedelta(hours=1)),
    ],
)
def test_a_profile_without_fixed_powers_is_said_by_its_kind(other):
    assert power_line(other, NOON) is None
    assert describe_profile(other, NOON, ZONE) == f"{other.kind} TxDefaultProfile"
    assert describe_differences(EXPORT, other, NOON, ZONE) == ()
    assert not renews(other, EXPORT, NOON)


def test_an_idle_period_is_said_as_such():
    idle = replace(EXPORT, schedules=(replace(EXPORT.schedule, periods=(Period(0, mode=Mode.IDLE),)),))
    assert describe_profile(idle, NOON, ZONE) == "idle at all times"


def test_two_profiles_differ_where_their_powers_do_while_both_run():
    more = profile((0, 3500), (5, -9000), (8, 0), (11.5, 11000), (30, 0))
    assert describe_differences(EXPORT, more, NOON, ZONE) == ("17:00-20:00 -7 kW -> -9 kW",)


def test_two_profiles_without_an_end_differ_at_all_times():
    assert describe_differences(profile((0, 0)), profile((0, 500)), NOON, ZONE) == ("at all times 0 kW -> 500 W",)


def test_profiles_in_different_units_are_not_compared_in_words():
    amperes = replace(EXPORT, schedules=(replace(EXPORT.schedule, unit=Unit.AMPERE),))
    assert describe_differences(EXPORT, amperes, NOON, ZONE) == ()


def test_a_renewal_goes_on_where_the_old_lease_would_end():
    longer = profile((0, 3500), (5, -7000), (8, 0), (11.5, 11000), (17.5, 3500), (30, 0))
    assert renews(longer, EXPORT, NOON)
    assert not renews(EXPORT, longer, NOON)
    assert not renews(profile((0, 3500), (5, -9000), (30, 0)), EXPORT, NOON)
    assert not renews(replace(longer, stack_level=2), EXPORT, NOON)
    assert not renews(profile((0, 500)), profile((0, 0)), NOON)
    assert renews(longer, profile((-40, 3500), (-10, 0)), NOON)  # a lease that has run out
    assert lease_end(power_line(EXPORT, NOON)) == NOON + timedelta(hours=17.5)


def test_what_takes_the_place_of_a_flow_without_end_is_no_renewal():
    assert not renews(EXPORT, profile((0, 5000)), NOON)


def test_a_profile_that_ends_by_itself_is_silent_from_there():
    ending = replace(EXPORT, schedules=(replace(EXPORT.schedule, duration=int(12 * HOUR)),))
    assert lease_end(power_line(ending, NOON)) == NOON + timedelta(hours=12)
    assert renews(EXPORT, ending, NOON)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"purpose": Purpose.STATION_MAX, "evse_id": 0, "stack_level": 0}, "station maximum"),
        ({"evse_id": 0, "stack_level": 0}, "floor"),
        ({"evse_id": 0}, "TxDefaultProfile of all EVSEs"),
        ({}, "EVSE 1"),
    ],
)
def test_a_profile_is_named_by_its_place(changes, words):
    assert describe_place(profile((0, 0), **changes)) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([f"Q3-{number:03}" for number in range(1, 13)], "Q3-001..Q3-012"),
        (["B-2", "A", "B-1"], "A, B-1, B-2"),
        (["B-9", "B-10", "B-11"], "B-9..B-11"),
        (["B-09", "B-010", "B-011"], "B-09, B-010, B-011"),
        (["a1", "A2", "A3", "A4"], "a1, A2..A4"),
        ([f"X{number}Y" for number in range(9)], "X0Y, X1Y, X2Y, X3Y, X4Y, X5Y and 3 more"),
        (["A", "A"], "A"),
        ([], ""),
    ],
)
def test_names_are_said_as_runs(names, words):
    assert describe_names(names) == words


def test_numbers_days_and_instants_are_said_as_people_do():
    assert (count(1, "station"), count(0, "station")) == ("1 station", "0 stations")
    assert describe_instant(NOON, ZONE) == "Mon 2026-11-23 12:00"
    assert describe_day(date(2026, 11, 28)) == "Sat 2026-11-28"
