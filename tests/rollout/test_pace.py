from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.rollout.pace import Meter, opens_at, spend, takes_up
from toys import NOON

MINUTE = timedelta(minutes=1)


@given(per_minute=st.integers(1, 1200), gaps=st.lists(st.integers(0, 5_000), min_size=1, max_size=200))
def test_no_minute_has_more_writes_than_the_pace_says(per_minute, gaps):
    meter, now, gone = Meter(), NOON, []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        if opens_at(meter, per_minute, now) <= now:
            meter = spend(meter, per_minute, now)
            gone.append(now)
    assert gone
    for start in gone:
        assert sum(start <= each < start + MINUTE for each in gone) <= per_minute


@given(
    per_minute=st.integers(1, 1200),
    gaps=st.lists(st.integers(0, 5_000), min_size=1, max_size=200),
    crashes=st.sets(st.integers(0, 199), max_size=3),
)
def test_no_minute_has_more_writes_however_often_the_process_dies(per_minute, gaps, crashes):
    meter, now, gone = Meter(), NOON, []
    for number, gap in enumerate(gaps):
        if number in crashes:
            meter = takes_up(per_minute, now)
        now += timedelta(milliseconds=gap)
        if opens_at(meter, per_minute, now) <= now:
            meter = spend(meter, per_minute, now)
            gone.append(now)
    for start in gone:
        assert sum(start <= each < start + MINUTE for each in gone) <= per_minute


@given(per_minute=st.integers(24, 10_000))
def test_the_pace_is_used_but_for_an_eighth(per_minute):
    meter, at = Meter(), NOON
    for _ in range(3 * per_minute):
        at = opens_at(meter, per_minute, at)
        meter = spend(meter, per_minute, at)
    assert 2.8 * MINUTE <= at - NOON <= 3.4 * MINUTE
