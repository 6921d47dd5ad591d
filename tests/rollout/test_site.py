"""What a site may be drawing and feeding: the most of what its stations hold or were sent, never offset."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.profiles.profile import Mode, Period
from reconciler.profiles.timeline import Timeline, timeline
from reconciler.rollout.site import (
    MOST_PERIODS,
    NOTHING,
    Caps,
    Load,
    exceeds,
    first_excess,
    heavier,
    load_of,
    load_of_lines,
)
from strategies import timelines
from toys import NOON

HOUR = timedelta(hours=1)
EVSES = ((1, Decimal(11_000), Decimal(690)), (2, Decimal(9000), Decimal(690)))


def line(*powers):
    return timeline((NOON + hour * HOUR, Decimal(power)) for hour, power in enumerate(powers))


def draws(*powers):
    return Load(line(*powers), line(0))


def test_an_evse_without_a_profile_draws_what_its_hardware_carries(bench):
    assert load_of((), EVSES, NOON) == Load(line(20_000), line(0))
    assert load_of((bench.one,), EVSES, NOON) == Load(line(16_000, 9000), line(0))
    assert load_of((bench.floor, bench.one), EVSES, NOON) == Load(line(7000, 0), line(0))


def test_no_evse_draws_more_than_its_rating(bench):
    assert load_of((bench.profile(1, 1, 1, 50_000),), EVSES[:1], NOON).draw == line(11_000)


def test_feeding_counts_apart(bench):
    schedule = replace(bench.one.schedule, periods=(Period(0, setpoint=Decimal(-7000), mode=Mode.CENTRAL_SETPOINT),))
    feeding = replace(bench.one, schedules=(schedule,))
    assert load_of((bench.floor, feeding, bench.two), EVSES, NOON) == Load(line(5000, 0), line(7000))


def test_a_station_that_holds_too_much_to_compute_counts_with_all_it_carries(bench):
    many = tuple(bench.profile(number, 1, number, 1) for number in range(MOST_PERIODS + 1))
    assert load_of(many, EVSES, NOON) == Load(line(20_000), line(20_000))


def test_planned_lines_are_split_into_what_is_drawn_and_fed():
    assert load_of_lines((line(5000, -3000), line(-1000, 2000))) == Load(line(5000, 2000), line(1000, 3000))
    assert load_of_lines(()) == NOTHING


@given(timelines, timelines, st.integers(-100, 100))
def test_the_heavier_of_two_is_the_most_at_every_instant(one, other, hours):
    at = NOON + hours * HOUR
    most = heavier(Load(one, other), Load(other, one))
    assert most.draw.at(at) or max(one.at(at) or 0, other.at(at) or 0) == 0
    assert most.draw == most.feed
    assert heavier(most, most) is most


def test_a_cap_is_exceeded_by_the_sum_at_one_instant():
    caps = Caps(Decimal(10_000), Decimal(1000))
    assert exceeds((draws(6000, 0), draws(0, 6000)), caps, NOON) == ""
    assert exceeds((draws(6000, 6000), draws(0, 6000)), caps, NOON) == (
        "12.0 kW of 10.0 kW import at 2026-03-03 13:00 UTC"
    )
    fed = Load(line(0), line(1001))
    assert exceeds((draws(9000), fed), caps, NOON) == "1.0 kW of 1.0 kW export at 2026-03-03 12:00 UTC"


def test_drawing_does_not_offset_feeding():
    both = Load(line(9000), line(2000))
    assert "export" in exceeds((both,), Caps(Decimal(10_000), Decimal(1000)), NOON)


def test_the_past_does_not_count():
    assert first_excess(line(9000, 0), Decimal(1000), NOON) == (NOON, 9000)
    assert first_excess(line(9000, 0), Decimal(1000), NOON + HOUR) is None
    assert first_excess(line(9000, 0, 9000), Decimal(1000), NOON + HOUR) == (NOON + 2 * HOUR, 9000)
    assert first_excess(Timeline(), Decimal(0), NOON) is None


@given(st.lists(timelines, max_size=5), st.integers(0, 30))
def test_one_load_many_times_weighs_as_much_as_many_loads(lines, cap):
    caps = Caps(Decimal(cap * 500), Decimal(10**9))
    shared = [Load(each, Timeline()) for each in lines]
    copies = [Load(Timeline(tuple(each.steps)), Timeline()) for each in lines for _ in range(2)]
    assert exceeds([*shared, *shared], caps, NOON) == exceeds(copies, caps, NOON)
