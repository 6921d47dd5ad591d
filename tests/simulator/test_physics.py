"""Power and energy between two instants are exact, whatever lies between."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.simulator.physics import Motion

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
watts = st.integers(-50_000, 50_000).map(float)
ramps = st.sampled_from([10.0, 1000.0, 50_000.0])
seconds = st.integers(0, 20_000)
motions = st.builds(Motion, st.just(NOON), watts, watts, ramps)


def after(number):
    return NOON + timedelta(seconds=number)


@given(motions, seconds)
def test_power_stays_between_where_it_began_and_its_target(motion, time):
    power_w = motion.power_w(after(time))
    assert min(motion.from_w, motion.to_w) <= power_w <= max(motion.from_w, motion.to_w)


@given(motions)
def test_the_target_is_reached_when_it_is_settled_and_kept(motion):
    assert motion.power_w(motion.settled) == motion.to_w
    assert motion.power_w(motion.settled + timedelta(days=1)) == motion.to_w


@given(motions, seconds, seconds)
def test_energy_of_two_parts_is_the_energy_of_the_whole(motion, one, other):
    first, last = sorted((one, other))
    middle = after(first)
    rest = Motion(middle, motion.power_w(middle), motion.to_w, motion.ramp_w_per_s)
    parts = [a + b for a, b in zip(motion.energy_wh(middle), rest.energy_wh(after(last)), strict=True)]
    for part, whole in zip(parts, motion.energy_wh(after(last)), strict=True):
        assert math.isclose(part, whole, abs_tol=1e-3)


@given(motions)
def test_energy_is_the_area_under_the_power(motion):
    steps = [motion.power_w(after(second / 10)) for second in range(601)]
    area_wh = sum((a + b) / 2 for a, b in pairwise(steps)) / 10 / 3600
    imported_wh, exported_wh = motion.energy_wh(after(60))
    assert math.isclose(imported_wh - exported_wh, area_wh, abs_tol=1.0)


@given(motions, st.integers(1, 50_000), st.integers(1, 50_000))
def test_a_battery_is_full_or_empty_exactly_at_its_bound(motion, room_wh, reserve_wh):
    bound = motion.bound(float(room_wh), float(reserve_wh))
    if bound is None:
        assert motion.to_w == 0
        return
    imported_wh, exported_wh = motion.energy_wh(bound)
    net_wh = imported_wh - exported_wh
    assert math.isclose(net_wh, room_wh, abs_tol=0.1) or math.isclose(net_wh, -reserve_wh, abs_tol=0.1)


def test_a_flow_too_small_to_fill_a_battery_in_years_has_no_bound():
    assert Motion(NOON, 0.01, 0.01).bound(1_000_000.0, 0.0) is None


def test_a_ramp_that_ends_before_the_battery_is_full_has_no_bound():
    assert Motion(NOON, 1000.0, 0.0, 100.0).bound(10.0, 0.0) is None
