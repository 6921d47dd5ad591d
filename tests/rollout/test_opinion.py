"""The second opinion: a composite schedule is evidence where it shows no more than was accepted, both ways."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.reported.events import CompositeRead, CompositeStep
from reconciler.rollout.opinion import allows_no_more
from toys import NOON

HOUR = 3600


def accepted(*periods, unit=Unit.WATT, evse=1):
    schedule = ChargingSchedule(1, unit, periods, start=NOON)
    return (Profile(1, evse, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,)),)


def read(*steps, unit=Unit.WATT, start=NOON):
    made = tuple(CompositeStep(at, *map(number, powers)) for at, *powers in steps)
    return CompositeRead("S", 1, start, made, unit)


def number(value):
    return None if value is None else Decimal(str(value))


CHARGING = accepted(Period(0, limit=Decimal(7000)), Period(1800, limit=Decimal(0)))
FEEDING = accepted(Period(0, setpoint=Decimal(-7000), mode=Mode.CENTRAL_SETPOINT))


@pytest.mark.parametrize(
    ("shown", "profiles", "agrees"),
    [
        (read((0, 7000, None), (1800, 0, None)), CHARGING, True),
        (read((0, 6950, None), (1800, 40, None)), CHARGING, True),
        (read((0, 0, None)), CHARGING, True),
        (read((0, 7000, None), (1802, 0, None)), CHARGING, True),
        (read((0, 7000, None), (1798, 0, None)), CHARGING, True),
        (read((1800, 0, None), (0, 7000, None)), CHARGING, True),
        (read((0, 7100, None), (1800, 0, None)), CHARGING, False),
        (read((0, 7000, None)), CHARGING, False),
        (read((0, 33_120, None)), CHARGING, False),
        (read((0, 7000, None), (1800, 0, None), (2400, 7000, None)), CHARGING, False),
        (read(), CHARGING, False),
        (read((0, None, None)), CHARGING, False),
        (read((0, None, None)), (), True),
        (read((0, 33_120, None)), (), True),
        (read((0, 11_000, -7000)), FEEDING, True),
        (read((0, -7000, None)), FEEDING, True),
        (read((0, 0, -3000)), FEEDING, True),
        (read((0, 0, -9000)), FEEDING, False),
        (read((0, -7000, None)), CHARGING, False),
        (read((0, 7000, None)), accepted(Period(0, limit=Decimal(7000)), evse=2), True),
    ],
)
def test_only_no_more_than_accepted_agrees(shown, profiles, agrees):
    assert allows_no_more(shown, profiles) is agrees


def test_amperes_are_compared_with_amperes():
    floor = accepted(Period(0, limit=Decimal(0)), unit=Unit.AMPERE)
    assert allows_no_more(read((0, 0, None), unit=Unit.AMPERE), floor)
    assert not allows_no_more(read((0, 48, None), unit=Unit.AMPERE), floor)
    sixteen = accepted(Period(0, limit=Decimal(16), number_phases=1), unit=Unit.AMPERE)
    assert allows_no_more(read((0, 16.1, None), unit=Unit.AMPERE), sixteen)
    assert not allows_no_more(read((0, 17, None), unit=Unit.AMPERE), sixteen)


def test_what_a_station_shows_of_the_end_of_time_does_no_harm():
    last = datetime.max.replace(tzinfo=UTC)
    assert allows_no_more(read((0, 0, None), (2**31 - 1, 0, None), start=last - timedelta(hours=1)), CHARGING)
    assert allows_no_more(read((-(2**31), 0, None), start=NOON), CHARGING)


@given(st.lists(st.tuples(st.integers(0, HOUR), st.integers(0, 9)), min_size=1, max_size=5), st.integers(1, 9))
def test_what_was_accepted_agrees_with_itself_and_not_with_more(steps, more):
    times = dict(sorted({0: 4}.items()) + sorted(steps))
    periods = tuple(Period(at, limit=Decimal(times[at] * 1000)) for at in sorted(times))
    shown = [(at, times[at] * 1000, None) for at in sorted(times)]
    assert allows_no_more(read(*shown), accepted(*periods))
    raised = [(at, power + more * 1000, None) for at, power, _ in shown]
    assert not allows_no_more(read(*raised), accepted(*periods))
    assert allows_no_more(read(*shown), accepted(*(replace(each, limit=each.limit + more * 1000) for each in periods)))
