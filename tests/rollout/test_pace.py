from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import NOON

from reconciler.rollout.pace import GOOD_FOR, Meter, is_good, turn


@given(
    per_minute=st.integers(1, 1200),
    gaps=st.lists(st.integers(0, 5_000), min_size=1, max_size=200),
    late=st.integers(0, 2_000),
)
def test_no_minute_has_more_turns_than_the_pace_says_however_late_they_are_taken(per_minute, gaps, late):
    meter, now, taken = Meter(), NOON, []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        at, meter = turn(meter, per_minute, now)
        taken.append(at + timedelta(milliseconds=late * (len(taken) % 2)))
    for start in taken:
        assert sum(start <= each < start + timedelta(minutes=1) for each in taken) <= per_minute


@given(per_minute=st.integers(24, 10_000))
def test_the_pace_is_used_but_for_an_eighth(per_minute):
    meter, taken = Meter(), []
    for _ in range(3 * per_minute):
        at, meter = turn(meter, per_minute, NOON)
        taken.append(at)
    assert taken == sorted(taken)
    assert (taken[-1] - NOON) <= timedelta(minutes=3.4)


@pytest.mark.parametrize(
    ("after", "good"), [(-1, False), (0, True), (GOOD_FOR.seconds, True), (GOOD_FOR.seconds + 1, False)]
)
def test_a_turn_is_good_for_a_moment_only(after, good):
    assert is_good(NOON, NOON + timedelta(seconds=after)) is good
