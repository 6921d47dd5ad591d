"""What flows: the laws that every promise of the fleet rests on, shown on the station's own meter."""

import math
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import Unit
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import Faults
from reconciler.simulator.nameplate import EvsePlate, NegativeLimit

HUGE = Vehicle(battery_wh=10_000_000, min_soc=0.0)
FLOOR = {"id": 1, "level": 0, "schedule": {"startSchedule": "2020-01-01T00:00:00Z"}}


def test_without_a_profile_a_station_charges_as_fast_as_it_can(bench):
    station = bench(HUGE)
    station.wait(60)
    assert station.power_w() == 22_000


def test_the_floor_stops_all_flow(bench, profile):
    station = bench(HUGE)
    assert station.set(profile((0, 0), **FLOOR), evse_id=0) == "Accepted"
    station.wait(60)
    assert station.power_w() == 0


def test_flow_follows_each_period_and_ends_with_the_last(bench, profile, setpoint):
    station = bench(HUGE)
    station.set(profile((0, 0), **FLOOR), 0)
    station.set(profile((0, setpoint(-7000)), (600, setpoint(4000)), (1200, 0)))
    seen = []
    for _ in range(3):
        station.wait(599)
        seen.append(station.power_w())
        station.wait(1)
    station.wait(5_000_000)
    assert [*seen, station.power_w()] == [-7000, 4000, 0, 0]


def test_after_a_lease_the_floor_shows(bench, profile, setpoint):
    station = bench(HUGE)
    station.set(profile((0, 0), **FLOOR), 0)
    station.set(profile((0, setpoint(-7000)), schedule={"duration": 900}))
    station.wait(899)
    assert station.power_w() == -7000
    station.wait(60)
    assert station.power_w() == 0


def test_after_a_lease_without_a_floor_charging_is_unlimited(bench, profile, setpoint):
    station = bench(HUGE)
    station.set(profile((0, setpoint(-7000)), schedule={"duration": 900}))
    station.wait(960)
    assert station.power_w() == 22_000


def test_power_ramps(bench, profile):
    station = bench(HUGE, ramp_w_per_s=1000)
    station.wait(60)
    station.set(profile((0, 12_000)))
    station.wait(4)
    assert station.power_w() == 18_000


def test_amperes_are_per_phase_and_below_six_there_is_none(bench, profile):
    station = bench(HUGE, evses=(EvsePlate(1, 22_000, 0, 3),))
    station.set(profile((0, 10), (600, 5.9), schedule={"chargingRateUnit": "A"}))
    station.wait(60)
    assert station.power_w() == 6900
    station.wait(600)
    assert station.power_w() == 0


def test_a_station_shares_its_maximum_among_its_evses(bench, profile):
    station = bench(HUGE, evses=(EvsePlate(1), EvsePlate(2)))
    station.set(profile((0, 30_000), purpose="ChargingStationMaxProfile"), 0)
    station.wait(60)
    assert [station.power_w(evse) for evse in (1, 2, 0)] == [15_000, 15_000, 30_000]


def test_discharge_is_not_cut_by_the_maximum(bench, profile, setpoint):
    station = bench(HUGE, evses=(EvsePlate(1), EvsePlate(2)))
    station.set(profile((0, 4_000), purpose="ChargingStationMaxProfile"), 0)
    station.set(profile((0, setpoint(-5000)), id=11), 1)
    station.wait(60)
    assert [station.power_w(evse) for evse in (1, 2)] == [-5000, 4000]


def test_a_full_battery_takes_nothing_and_says_so(bench):
    station = bench(Vehicle(battery_wh=1000, soc=0.9))
    station.wait(3600)
    imported_wh, exported_wh = station.station.energy_wh(1, station.now)
    assert (station.power_w(), round(imported_wh, 3), exported_wh) == (0, 100, 0)
    assert station.events("Updated")[-1]["transactionInfo"]["chargingState"] == "SuspendedEV"


def test_a_battery_is_not_discharged_below_its_reserve(bench, profile, setpoint):
    station = bench(Vehicle(battery_wh=10_000, soc=0.5, min_soc=0.2))
    station.set(profile((0, setpoint(-9000)), (7200, setpoint(1000))))
    station.wait(7199)
    assert (station.power_w(), round(station.station.energy_wh(1, station.now)[1])) == (0, 3000)
    station.wait(60)
    assert station.power_w() == 1000


def test_an_empty_evse_gives_nothing(bench, profile, setpoint):
    station = bench(None)
    station.set(profile((0, setpoint(-9000))))
    station.wait(60)
    assert station.power_w() == 0


def test_a_vehicle_comes_and_goes_by_its_own_times(bench):
    hours = [bench(None).now + timedelta(hours=hour) for hour in (1, 2)]
    station = bench(Vehicle(battery_wh=1_000_000, arrives=hours[0], departs=hours[1]))
    seen = []
    for seconds in (3599, 3600, 60):
        station.wait(seconds)
        seen.append(station.power_w())
    assert seen == [0, 22_000, 0]


@pytest.mark.parametrize(
    ("policy", "flow_w"),
    [(NegativeLimit.DISCHARGE, -7000), (NegativeLimit.CLAMP, 0), (NegativeLimit.UNLIMITED, 22_000)],
)
def test_a_negative_limit_means_what_the_maker_made_of_it(bench, profile, policy, flow_w):
    station = bench(HUGE, protocol=Protocol.V201, negative_limit=policy)
    assert station.set(profile((0, -7000))) == "Accepted"
    station.wait(60)
    assert station.power_w() == flow_w


def test_the_clamp_fault_makes_any_station_clamp(bench, profile):
    station = bench(HUGE, protocol=Protocol.V201, faults=Faults(clamp=True))
    station.set(profile((0, -7000)))
    station.wait(60)
    assert station.power_w() == 0


def test_a_station_offline_for_too_long_drops_to_the_floor_and_comes_back(bench, profile, setpoint):
    station = bench(HUGE)
    station.set(profile((0, 0), **FLOOR), 0)
    station.set(profile((0, setpoint(-7000)), maxOfflineDuration=300))
    station.wait(60)
    station.station.disconnected(station.now)
    station.wait(299)
    assert station.power_w() == -7000
    station.wait(60)
    assert station.power_w() == 0
    station.station.connected(station.now)
    station.wait(60)
    assert station.power_w() == -7000


def test_a_profile_that_offline_time_invalidates_for_good_is_gone(bench, profile, setpoint):
    station = bench(HUGE)
    station.set(profile((0, setpoint(-7000)), maxOfflineDuration=300, invalidAfterOfflineDuration=True))
    station.station.disconnected(station.now)
    station.wait(301)
    station.station.connected(station.now)
    assert station.station.profiles == ()


def test_a_station_that_knows_no_offline_limit_ignores_it(bench, profile, setpoint):
    station = bench(HUGE, max_offline=False)
    station.set(profile((0, setpoint(-7000)), maxOfflineDuration=300))
    station.station.disconnected(station.now)
    station.wait(3600)
    assert station.power_w() == -7000


def test_a_recurring_profile_comes_back_every_day(bench, profile):
    station = bench(HUGE)
    station.set(
        profile(
            (0, 3000),
            (3600, 1000),
            chargingProfileKind="Recurring",
            recurrencyKind="Daily",
            schedule={"duration": 7200},
        )
    )
    seen = []
    for seconds in (60, 3600, 9 * 86_400):
        station.wait(seconds)
        seen.append(station.power_w())
    assert seen == [3000, 1000, 1000]


def test_wear_is_counted(bench, profile, setpoint):
    station = bench(HUGE)
    station.set(profile((0, setpoint(5000)), (600, setpoint(-5000)), (1200, 0), (1800, setpoint(-5000))))
    station.wait(3600)
    wear = station.station.wear(1)
    assert (wear.relay_cycles, wear.direction_changes) == (2, 1)


def test_an_unknown_evse_is_an_error(bench):
    with pytest.raises(KeyError):
        bench().station.wear(7)


limits = st.integers(0, 60_000).map(lambda watts: {"limit": watts})
setpoints = st.integers(-60_000, 60_000).map(lambda watts: {"operationMode": "CentralSetpoint", "setpoint": watts})
starts = st.lists(st.integers(1, 20_000), max_size=6, unique=True).map(sorted)
steps = starts.flatmap(lambda times: st.tuples(*(st.tuples(st.just(time), limits | setpoints) for time in (0, *times))))
waits = st.lists(st.integers(1, 9_000), min_size=1, max_size=6)
law = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@law
@given(steps, steps, waits)
def test_flow_never_exceeds_the_rating_whatever_is_commanded(bench, profile, one, other, times):
    station = bench(
        Vehicle(battery_wh=80_000, charge_w=90_000, discharge_w=90_000), evses=(EvsePlate(1, 11_000, 7000),)
    )
    station.set(profile(*one))
    station.set(profile(*other, id=11, level=2, schedule={"duration": 20_001}))
    for time in times:
        station.wait(time)
        assert -7000 <= station.power_w() <= 11_000


@law
@given(steps, waits)
def test_one_long_wait_is_the_same_as_many_short_ones(bench, profile, periods, times):
    patient, busy = bench(), bench()
    for station in (patient, busy):
        station.set(profile(*periods))
    for time in times:
        busy.wait(time)
    patient.wait(sum(times))
    assert math.isclose(patient.power_w(), busy.power_w(), abs_tol=1e-3)
    registers = (one.station.energy_wh(1, one.now) for one in (patient, busy))
    for mine, theirs in zip(*registers, strict=True):
        assert math.isclose(mine, theirs, abs_tol=0.1)
    assert patient.station.wear(1) == busy.station.wear(1)


@law
@given(steps, waits)
def test_nothing_flows_after_a_last_period_of_zero(bench, profile, periods, times):
    station = bench()
    station.set(profile(*periods, (20_001, 0)))
    for time in times:
        station.wait(time)
    station.wait(20_100)
    before = station.station.energy_wh(1, station.now)
    station.wait(30 * 86_400)
    assert (station.power_w(), station.station.energy_wh(1, station.now)) == (0, before)


@law
@given(steps, waits)
def test_a_station_says_when_its_flow_may_change(bench, profile, periods, times):
    station = bench()
    station.set(profile(*periods))
    for time in times:
        station.listen()
        change = station.station.next_change(station.now)
        if change is None or change > station.now + timedelta(seconds=time):
            target_w = station.station.bay(1).motion.to_w
            station.wait(time)
            assert station.station.bay(1).motion.to_w == target_w
        station.wait(time)


def test_units_a_station_lacks_do_not_matter_to_its_own_defaults(bench):
    station = bench(units=(Unit.AMPERE,))
    answer = station.ask("GetCompositeSchedule", {"duration": 60, "evseId": 1})
    assert answer["schedule"]["chargingRateUnit"] == "A"
