"""What leases of one fleet say together: each for its own time, and nothing that one of them denies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.render.leases import LEAST_SHARED, gather, read_lease

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def period(hours, limit, **more):
    return Period(hours * 3600, limit=Decimal(limit), **more)


def profile(*periods, begin=NOON, **more):
    schedule = ChargingSchedule(1, more.pop("unit", Unit.WATT), periods, begin, more.pop("duration", None))
    made = Profile(7, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))
    return replace(made, **more)


def lease(begin, hours, of=lambda hour: 11 if hour % 24 < 6 else 3):
    """Give a lease of so many hours from `begin` hours after noon on, of a power by the hour after noon."""
    rows = tuple(period(number, of(begin + number)) for number in range(hours))
    return read_lease(profile(*rows, period(hours, 0), begin=NOON + begin * HOUR))


def said(found, hour):
    return found.said_at(NOON + hour * HOUR).limit


def test_the_zero_that_closes_a_lease_is_no_part_of_it():
    found = read_lease(profile(period(0, 5), period(2, 0), period(3, 7), period(9, 0)))
    assert (found.begin, found.end) == (NOON, NOON + 9 * HOUR)
    assert [said(found, hour) for hour in (0, 2, 3, 8)] == [5, 0, 7, 7]


@pytest.mark.parametrize(
    "other",
    [
        profile(period(0, 5), period(2, 1)),
        profile(period(0, 0)),
        profile(period(0, 5), period(2, 0), duration=9 * 3600),
        profile(period(0, 5), period(2, 0), valid_to=NOON + HOUR),
        profile(period(0, 5), period(2, 0), valid_from=NOON),
        profile(period(0, 5), period(2, 0), kind=Kind.RELATIVE, begin=None),
        profile(period(0, 5), period(2, 0), purpose=Purpose.TX),
        profile(period(0, 5), period(2, 0), begin=None),
        profile(period(0, 5, mode=Mode.LOCAL_LOAD_BALANCING), period(2, 0)),
    ],
)
def test_what_does_not_end_in_zero_for_ever_is_no_lease(other):
    assert read_lease(other) is None


def test_leases_that_say_the_same_for_the_time_that_both_cover_are_one():
    early, late = lease(0, 20), lease(8, 22)
    whole = gather((early, late))
    assert whole[early] == whole[late]
    assert (whole[early].begin, whole[early].end) == (NOON, NOON + 30 * HOUR)
    assert all(said(whole[early], hour) == (11 if hour % 24 < 6 else 3) for hour in range(30))


def test_what_one_denies_is_not_said_by_another():
    one, other = lease(0, 20), lease(8, 22, of=lambda hour: 11 if hour == 12 else 3)
    assert gather((one, other)) == {one: one, other: other}
    on_phases = replace(one, steps=tuple((at, replace(each, number_phases=1)) for at, each in one.steps))
    assert len(set(gather((one, on_phases)).values())) == 2
    assert not one.agrees(replace(one, unit=Unit.AMPERE))


def test_too_short_a_time_together_tells_nothing():
    least = LEAST_SHARED // HOUR
    assert lease(0, 20).agrees(lease(20 - least, 20))
    assert not lease(0, 20).agrees(lease(21 - least, 20))


def test_a_lease_that_agrees_with_two_that_disagree_joins_neither():
    one, other = lease(0, 30, of=lambda hour: 11 if hour == 28 else 3), lease(0, 30, of=lambda _: 3)
    short, shorter = lease(0, 20, of=lambda _: 3), lease(0, 10, of=lambda _: 3)
    whole = gather((one, other, short, shorter))
    assert whole == {one: one, other: whole[other], short: whole[shorter], shorter: whole[short]}
    assert whole[short].end == NOON + 20 * HOUR


def test_the_order_in_which_they_come_is_no_matter():
    some = (lease(0, 20), lease(8, 22), lease(3, 30), lease(2, 26, of=lambda hour: hour % 5 + 1))
    assert len({frozenset(gather(each).items()) for each in permutations(some)}) == 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30), st.integers(1, 4)), max_size=8))
def test_together_they_say_of_each_what_it_said_of_itself(parts):
    leases = [
        lease(begin, hours, of=lambda hour, step=step: hour % 24 // 6 // step + 1) for begin, hours, step in parts
    ]
    for each, whole in gather(leases).items():
        hours = range((each.begin - NOON) // HOUR, (each.end - NOON) // HOUR)
        assert [said(whole, hour) for hour in hours] == [said(each, hour) for hour in hours]


def test_a_schedule_of_it_ends_with_it():
    found = lease(2, 12)
    schedule = found.schedule(ChargingSchedule(9, Unit.WATT, ()))
    assert (schedule.id, schedule.start, schedule.duration) == (9, NOON + 2 * HOUR, 12 * 3600)
    assert [each.start for each in schedule.periods] == [hour * 3600 for hour in range(12)]
