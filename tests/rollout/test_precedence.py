"""A station may hold all that is desired and follow somebody else: then its reason says whom, and where."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.manifests.strategy import ForeignRule
from reconciler.profiles.profile import Purpose
from reconciler.reported.belief import Belief, Held
from reconciler.rollout.precedence import overruled
from toys import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
def beside(bench):
    """Give a station that holds its goal and some profiles of others beside it."""

    def make(*others, rules=(), **more):
        goal = replace(bench.goal, foreign_rules=rules)
        station = bench.station(goal=goal, verified=goal, **more)
        held = {profile.id: Held(profile, Belief.OBSERVED, source) for profile, source in others}
        return bench.doubt(station, held=station.reported.held | held)

    return make


@pytest.mark.parametrize("limit", [0, 9000], ids=["less", "more"])
def test_who_leads_an_evse_is_named_in_the_reason(bench, beside, limit):
    station = beside((bench.profile(7, 1, 9, limit), "EMS"))
    assert bench.ask(station)[:2] == ("in-sync", "profile 7 of EMS at stack level 9 leads EVSE 1")


def test_who_only_takes_away_limits(bench, beside):
    external = bench.profile(7, 0, 0, 6000, purpose=Purpose.EXTERNAL)
    assert overruled(beside((external, "SO")), NOON) == ("profile 7 of SO at stack level 0 limits EVSE 1",)


def test_who_lies_below_or_says_the_same_or_speaks_at_another_time_is_not_named(bench, beside):
    below, same = bench.profile(7, 1, 0, 9000), bench.profile(7, 1, 9, 7000, 0)
    schedule = replace(same.schedule, start=NOON + HOUR, periods=bench.profile(1, 0, 0, 3).schedule.periods)
    late = replace(same, schedules=(schedule,))
    for other in (below, same, late):
        assert overruled(beside((other, "EMS")), NOON) == ()
    assert overruled(beside((late, "EMS")), NOON + HOUR) == ("profile 7 of EMS at stack level 9 leads EVSE 1",)


def test_a_profile_of_a_whole_station_is_named_for_each_evse_it_leads(bench, beside):
    station = beside((bench.profile(7, 0, 9, 1000), "CSO"))
    assert [words[-6:] for words in overruled(station, NOON)] == ["EVSE 1", "EVSE 2"]


def test_of_two_that_say_the_same_the_leader_is_named(bench, beside):
    station = beside((bench.profile(7, 1, 9, 1000), "CSO"), (bench.profile(8, 1, 8, 1000), "EMS"))
    assert overruled(station, NOON) == ("profile 7 of CSO at stack level 9 leads EVSE 1",)


def test_who_limits_beside_one_who_leads_is_named_as_well(bench, beside):
    external = bench.profile(8, 1, 0, 500, purpose=Purpose.EXTERNAL)
    station = beside((bench.profile(7, 1, 9, 1000), "EMS"), (external, "SO"))
    assert overruled(station, NOON) == (
        "profile 7 of EMS at stack level 9 leads EVSE 1",
        "profile 8 of SO at stack level 0 limits EVSE 1",
    )


def test_who_is_ignored_by_a_rule_is_not_named(bench, beside):
    rules = (ForeignRule(9, 9, "ignore"),)
    assert overruled(beside((bench.profile(7, 1, 9, 0), "EMS"), rules=rules), NOON) == ()


def test_without_a_goal_or_strangers_nobody_is_named(bench, beside):
    assert overruled(beside(), NOON) == ()
    assert overruled(bench.station(goal=None), NOON) == ()


def test_notes_of_what_can_not_be_verified_are_told_first(bench, beside):
    station = beside((bench.profile(7, 1, 9, 0), "EMS"))
    kept = replace(station.verdicts[0], reason="not verifiable: maxOfflineDuration")
    answer = bench.ask(replace(station, verdicts=(kept, *station.verdicts[1:])))
    assert answer.why == "not verifiable: maxOfflineDuration; profile 7 of EMS at stack level 9 leads EVSE 1"
