"""How long a plan takes: as long as its slowest station, and as its fleet's pace and concurrency let it."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.strategy import Strategy
from reconciler.plan.change import Clear, Install, Replace
from reconciler.plan.pace import AT_ONCE, EXCHANGE, Work, estimate, least_time
from reconciler.rollout.pace import Meter, opens_at, spend
from revisions import MONDAY, revision, state_of

MINUTE = timedelta(minutes=1)


def changes(*evses, kind=Replace):
    profiles = {each.evse_id: each for each in state_profiles()}
    made = {Replace: lambda p: Replace(p, p, ""), Install: lambda p: Install(p, ""), Clear: lambda p: Clear(p, "")}
    return tuple(made[kind](profiles[evse]) for evse in evses)


def state_profiles():
    return [held.profile for held in state_of(revision())["b-01"].reported.held.values()]


def test_first_profiles_follow_one_another_and_later_writes_to_one_evse_keep_their_distance():
    def alone(made):
        return estimate([Work(made, MINUTE)], Strategy())

    assert alone(changes(0, 0, 1, kind=Install)) == 4 * EXCHANGE
    assert alone(changes(1)) == 2 * EXCHANGE
    assert alone(changes(1, 1, kind=Clear)) == 3 * EXCHANGE + MINUTE
    assert alone(()) == timedelta(0)


def works(number, sites=1):
    return [Work(changes(1), MINUTE, f"quay-{each % sites}") for each in range(number)]


def test_a_large_fleet_takes_as_long_as_its_number_of_commands():
    assert estimate(works(AT_ONCE * 5), Strategy(writes_per_minute=None)) == 10 * EXCHANGE
    assert estimate(works(100), Strategy(writes_per_minute=None, in_flight=10)) == 20 * EXCHANGE
    assert estimate(works(100, 2), Strategy(writes_per_minute=None, site_in_flight=5)) == 20 * EXCHANGE


def test_the_pace_of_the_fleet_and_of_each_site_bounds_how_fast_a_plan_goes_out():
    assert estimate(works(6000), Strategy(writes_per_minute=600)) == least_time(6000, 600)
    assert estimate(works(6000, 2), Strategy(writes_per_minute=600, site_writes_per_minute=60)) == least_time(3000, 60)
    assert estimate([Work(changes(1))] * 500, Strategy(site_writes_per_minute=1)) < MINUTE  # none has a site


@given(st.integers(0, 400), st.integers(1, 120))
def test_no_more_time_is_estimated_than_the_meter_takes_and_no_less(writes, per_minute):
    meter, now = Meter(), MONDAY
    for _ in range(writes):
        now = opens_at(meter, per_minute, now)
        meter = spend(meter, per_minute, now)
    assert abs(now - MONDAY - least_time(writes, per_minute)) < timedelta(seconds=1)
