from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.world import RevisionLoaded, World
from reconciler.plan.change import Owned
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.reported.events import Connected, Disconnected, Faulted
from reconciler.rollout.conditions import Reason
from reconciler.rollout.station import Goal
from reconciler.web.survey import PATIENCE, Survey, grace, survey

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FLOW, STILL = Decimal(7000), Decimal(0)


def profile(*periods, purpose=Purpose.TX_DEFAULT, start=NOW, duration=None, valid_to=None):
    schedule = ChargingSchedule(1, Unit.WATT, periods, start=start, duration=duration)
    return Profile(1, 1, 1, purpose, Kind.ABSOLUTE, (schedule,), valid_to=valid_to)


def goal(*profiles, until=NOW + HOUR):
    return Goal(profiles, "c0ffee", until, Owned(1, 9))


def hours(number):
    return int(number * 3600)


def test_without_a_revision_there_is_nothing_to_count():
    assert survey(World(), NOW) == Survey()
    assert Survey().in_sync_ratio is None


def test_stations_are_counted_by_state_and_reason(yard):
    yard.connect("A1")
    seen = survey(yard.world, yard.now)
    assert (seen.stations, seen.connected, seen.in_sync, seen.in_sync_ratio) == (2, 1, 1, 1.0)
    assert seen.states == {"in-sync": 1, "deferred": 1}
    assert seen.reasons == {Reason.IN_SYNC: 1, Reason.OFFLINE: 1}
    assert (seen.faulted, seen.drifting_since) == (0, None)


def test_a_station_outside_the_fleet_is_not_counted(yard):
    yard.take(Connected("stray", Protocol.V201, 9))
    assert survey(yard.world, yard.now).connected == 0


def test_the_oldest_drift_gives_its_beginning(yard):
    for minutes, identity in enumerate(("A1", "A2")):
        yard.now = NOW + timedelta(minutes=minutes)
        yard.connect(identity)
        yard.report(identity, [])
    seen = survey(yard.world, yard.now)
    assert seen.drifting_since == NOW
    assert seen.in_sync_ratio == 0.0


def test_faults_count_while_the_station_is_there_to_say_so(yard):
    yard.connect("A1")
    yard.take(Faulted("A1", 1, True, "EVSE 1 connector 1"))
    assert survey(yard.world, yard.now).faulted == 1
    yard.take(Disconnected("A1", 1))
    assert survey(yard.world, yard.now).faulted == 0


def test_a_lease_that_nobody_renews_comes_at_risk_and_lapses(yard):
    yard.connect("A1")
    lease = grace(yard.world.stations["a1"].verified)
    assert lease.due < lease.risk < lease.lapse
    for at, counted in (
        (lease.risk - timedelta(seconds=1), (0, 0)),
        (lease.risk, (1, 0)),
        (lease.lapse - timedelta(seconds=1), (1, 0)),
        (lease.lapse, (0, 1)),
    ):
        seen = survey(yard.world, at)
        assert (seen.at_risk, seen.lapsed) == counted
        assert seen.lapses == {True: lease.lapse}


def test_the_lease_of_an_offline_station_ends_by_design_and_is_told_apart(yard):
    yard.connect("A1")
    lease = grace(yard.world.stations["a1"].verified)
    yard.take(Disconnected("A1", 1))
    seen = survey(yard.world, lease.lapse + HOUR)
    assert (seen.at_risk, seen.lapsed, seen.lapses) == (0, 0, {False: lease.lapse})


def test_stations_of_one_goal_share_the_first_lapse(yard):
    yard.connect("A1")
    yard.connect("A2")
    first = min(grace(station.verified).lapse for station in yard.world.stations.values())
    assert survey(yard.world, yard.now).lapses == {True: first}
    one = yard.world.stations["a1"]
    shared = replace(yard.world, stations=yard.world.stations.set("a2", replace(one, identity="A2")))
    assert survey(shared, yard.now).lapses == {True: grace(one.verified).lapse}


@pytest.mark.parametrize(
    "still",
    [
        profile(Period(0, limit=STILL)),
        profile(Period(0, mode=Mode.IDLE)),
        profile(Period(0, limit=FLOW), purpose=Purpose.STATION_MAX),
        profile(Period(0, limit=FLOW)),
        profile(Period(0, limit=FLOW), Period(60, limit=STILL), start=None),
    ],
)
def test_what_lets_nothing_flow_or_has_no_end_has_no_lease(still):
    assert grace(goal(still)) is None


@pytest.mark.parametrize(
    "flowing",
    [
        profile(Period(0, limit=FLOW), Period(hours(3), limit=STILL)),
        profile(Period(0, limit=STILL), Period(60, setpoint=-FLOW), Period(hours(3), limit=STILL)),
        profile(Period(0, limit=STILL, discharge_limit=-FLOW), Period(hours(3), mode=Mode.IDLE)),
        profile(Period(0, mode=Mode.EXTERNAL_LIMITS), Period(hours(3), limit=STILL)),
        profile(Period(0, limit=FLOW), duration=hours(3)),
        profile(Period(0, limit=FLOW), Period(hours(5), limit=STILL), valid_to=NOW + 3 * HOUR),
    ],
)
def test_a_lease_lapses_when_the_last_flow_ends(flowing):
    lease = grace(goal(flowing))
    assert (lease.due, lease.risk, lease.lapse) == (NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR)


def test_of_several_evses_the_first_to_end_counts_and_none_lapses_before_its_renewal():
    early = profile(Period(0, limit=FLOW), Period(60, limit=STILL))
    late = profile(Period(0, limit=FLOW), Period(hours(3), limit=STILL))
    lease = grace(goal(early, late))
    assert (lease.lapse, lease.risk) == (NOW + HOUR, NOW + HOUR + PATIENCE)


@given(st.integers(0, 72), st.integers(1, 72))
def test_a_lease_is_never_at_risk_before_its_renewal_was_due(due, end):
    flowing = profile(Period(0, limit=FLOW), Period(hours(end), limit=STILL))
    lease = grace(goal(flowing, until=NOW + due * HOUR))
    assert lease.due + PATIENCE <= lease.risk
    assert lease.due <= lease.lapse


def test_a_new_revision_alone_puts_no_lease_at_risk(yard, revision_of):
    yard.connect("A1")
    yard.take(RevisionLoaded(revision_of("0ther", "power: -7 kW", "power: -6 kW")))
    assert survey(yard.world, yard.now).at_risk == 0


def test_a_station_that_was_not_read_back_or_lets_nothing_flow_has_no_lease(yard):
    yard.take(Connected("A1", Protocol.V21, 1))
    assert survey(yard.world, yard.now).lapses == {}
    still = replace(yard.world.stations["a1"], verified=goal())
    assert survey(replace(yard.world, stations=yard.world.stations.set("a1", still)), yard.now).lapses == {}
