"""What a station refuses for good is not sent to it again; what time cures is tried again, ever less often."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.plan.change import PASSING
from reconciler.reported.events import Refused
from reconciler.rollout.station import FIRST_RETRY, LONGEST_RETRY

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SLACK = timedelta(seconds=5)
"""What a try itself takes, with the reading after it."""


@pytest.fixture
def refusing(arena):
    """Give a station that lacks profile 1011 and refuses it for a reason."""

    def make(code, retry_after=None):
        made = arena()
        made.refuses[1011] = Refused(code, "", retry_after)
        del made.held[1011]
        return made.wait()

    return make


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.sampled_from((0, 1, 20, 300))), max_size=10))
def test_a_permanent_refusal_is_not_retried_with_the_same_content_over_any_reconnects(refusing, happenings):
    made = refusing("InvalidSchedule")
    for session, (reconnects, minutes) in enumerate(happenings, 2):
        if reconnects:
            made.connect(session)
        made.wait(minutes * MINUTE)
    made.wait(HOUR)
    assert made.times(1011) == 1
    assert made.standing()[:2] == ("refused", "refused: InvalidSchedule")


def test_other_content_is_tried_after_a_permanent_refusal(refusing, bench):
    made = refusing("InvalidSchedule")
    less = bench.profile(1011, 1, 1, 3000)
    profiles = (*bench.goal.profiles[:2], less, bench.goal.profiles[3])
    made.known = replace(made.known, goal=replace(made.known.goal, profiles=profiles))
    made.refuses.clear()
    made.wait()
    assert (made.times(1011), made.held[1011].profile) == (2, less)


def test_a_boot_gives_refused_content_one_more_try(refusing):
    made = refusing("InvalidSchedule")
    made.boot().wait(HOUR)
    assert made.times(1011) == 2


@pytest.mark.parametrize("code", sorted(PASSING - {"csnotaccepted"}))
def test_a_refusal_that_time_cures_is_tried_again_until_it_is_taken(refusing, code):
    made = refusing(code).wait(2 * HOUR)
    tried = made.times(1011)
    assert tried >= 8
    made.refuses.clear()
    made.wait(LONGEST_RETRY + MINUTE)
    assert (made.times(1011), made.standing()[:2]) == (tried + 1, ("in-sync", ""))


def test_tries_grow_rarer_from_a_second_to_a_quarter_of_an_hour(refusing):
    made = refusing("OutOfMemory").wait(6 * HOUR)
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(made.written)]
    assert FIRST_RETRY / 2 <= gaps[0] <= FIRST_RETRY + SLACK
    assert all(gap <= LONGEST_RETRY + SLACK for gap in gaps)
    assert all(gap >= LONGEST_RETRY / 2 for gap in gaps[11:])
    assert len(set(gaps[11:])) > 1, "without jitter a whole fleet would try at once"


def test_a_station_that_says_how_long_to_wait_is_asked_again_then(refusing):
    made = refusing("Whatever", 30 * MINUTE).wait(2 * HOUR)
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(made.written)]
    assert gaps
    assert all(gap >= 30 * MINUTE for gap in gaps)
