from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.change import Owned
from reconciler.rollout.conditions import BY_STATE, STATUSES, Reason, Status, Sync, judge, sync, transition
from reconciler.rollout.station import Goal, Station
from reconciler.rollout.table import CONTESTED, Next

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
GOAL = Goal((), "c0ffee", NOW, Owned(1, 9))
STATION = Station("A1", goal=GOAL)
STATES = st.sampled_from([*BY_STATE, "unknown"])
STOPS = st.sampled_from([None, Reason.SUSPENDED, Reason.DRIFT_STORM, Reason.NOT_RECORDING])


def test_every_reason_says_what_it_means_for_all_three_conditions():
    assert set(STATUSES) == set(Reason)


def test_ready_excludes_reconciling_and_stalled_and_those_exclude_each_other():
    for statuses in STATUSES.values():
        assert [statuses.ready, statuses.reconciling, statuses.stalled].count(Status.TRUE) <= 1


@pytest.mark.parametrize(
    ("station", "reason"),
    [
        (Station("A1"), Reason.NO_GOAL),
        (Station("A1", goal=GOAL), Reason.NOT_READ),
        (Station("A1", goal=GOAL, failed_reads=2), Reason.NOT_VERIFIABLE),
    ],
)
def test_what_is_unknown_says_why(station, reason):
    assert judge(station, Next("unknown")) is reason


def test_a_station_that_somebody_else_keeps_changing_is_contested_whatever_else_holds():
    assert judge(STATION, Next("drifted", f"{CONTESTED}profile 7"), Reason.DRIFT_STORM) is Reason.CONTESTED


def test_a_storm_stops_what_wants_writing_and_nothing_else():
    assert judge(STATION, Next("drifted"), Reason.DRIFT_STORM) is Reason.DRIFT_STORM
    assert judge(STATION, Next("in-sync"), Reason.DRIFT_STORM) is Reason.IN_SYNC
    assert judge(STATION, Next("deferred"), Reason.DRIFT_STORM) is Reason.OFFLINE


@pytest.mark.parametrize(
    ("reason", "axis"),
    [(Reason.IN_SYNC, Sync.IN_SYNC), (Reason.DRIFTED, Sync.OUT_OF_SYNC), (Reason.OFFLINE, Sync.UNKNOWN)],
)
def test_the_axis_of_sync_follows_ready(reason, axis):
    assert sync(reason) is axis


@given(st.lists(st.tuples(STATES, STOPS), min_size=1, max_size=20))
def test_a_condition_has_the_time_of_the_last_change_of_its_own_status(course):
    turned, at, statuses = None, NOW, None
    turns = {}
    for state, stopped in course:
        at += timedelta(seconds=1)
        turned = transition(turned, STATION, Next(state), at, stopped)
        after = STATUSES[turned.reason]
        for name in after._fields:
            if statuses is None or getattr(statuses, name) is not getattr(after, name):
                turns[name] = at
        statuses = after
    assert {name: getattr(turned, name) for name in statuses._fields} == turns


def test_where_nothing_turns_the_value_stays_the_same_object():
    before = transition(None, STATION, Next("pending"), NOW)
    assert transition(before, STATION, Next("pending", "another word"), NOW + timedelta(hours=1)) is before


def test_a_reason_has_a_time_of_its_own_where_its_statuses_are_those_of_the_one_before():
    pending = transition(None, STATION, Next("pending"), NOW)
    drifted = transition(pending, STATION, Next("drifted"), NOW + timedelta(hours=1))
    assert (drifted.since, drifted.ready) == (NOW + timedelta(hours=1), NOW)
