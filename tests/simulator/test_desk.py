"""What a station answers, and what it keeps: every answer is judged by the standard's schemas."""

from datetime import timedelta

import pytest

from reconciler.ocpp.frames import ErrorCode
from reconciler.ocpp.variables import Variable, questions, read, requests, skew, values
from reconciler.profiles.capability import V2X_MODES, Capability, Protocol
from reconciler.profiles.form import read_profile
from reconciler.profiles.profile import Purpose, Unit
from reconciler.simulator.desk import Refusal
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import Faults
from reconciler.simulator.nameplate import EvsePlate, NegativeLimit

HUGE = Vehicle(battery_wh=10_000_000)
ALL = {"requestId": 7, "chargingProfile": {"chargingLimitSource": ["CSO", "EMS"]}}


def ids(station):
    return [profile.id for profile in station.station.profiles]


def reports(station):
    return [payload for action, payload in station.listen() if action == "ReportChargingProfiles"]


def reported(station, **criteria):
    evse = {"evseId": criteria.pop("evseId")} if "evseId" in criteria else {}
    told = station.ask("GetChargingProfiles", {"requestId": 1, **evse, "chargingProfile": criteria})
    found = [profile["id"] for report in reports(station) for profile in report["chargingProfile"]]
    return found if told["status"] == "Accepted" else told["status"]


@pytest.fixture
def stocked(bench, profile):
    def make(**plate):
        station = bench(evses=(EvsePlate(1), EvsePlate(2)), **plate)
        station.set(profile((0, 0), id=1, level=0), 0)
        station.set(profile(id=2, level=1), 1)
        station.set(profile(id=3, level=2), 2)
        station.set(profile((0, 9000), id=4, level=0, purpose="ChargingStationMaxProfile"), 0)
        return station

    return make


def test_the_same_id_replaces_wherever_it_was(bench, profile):
    station = bench(evses=(EvsePlate(1), EvsePlate(2)))
    station.set(profile(), 1)
    station.set(profile((0, 1), level=5), 2)
    (held,) = station.station.profiles
    assert (held.evse_id, held.stack_level) == (2, 5)


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({"chargingProfileId": 2}, [1, 3, 4]),
        ({"chargingProfileCriteria": {"evseId": 2}}, [1, 2, 4]),
        ({"chargingProfileCriteria": {"stackLevel": 0}}, [2, 3]),
        ({"chargingProfileCriteria": {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile"}}, [2, 3, 4]),
        ({}, []),
    ],
)
def test_clearing_takes_what_meets_every_criterion(stocked, criteria, left):
    station = stocked()
    assert station.ask("ClearChargingProfile", criteria) == {"status": "Accepted"}
    assert ids(station) == left


def test_clearing_what_is_not_there_is_unknown(stocked):
    station = stocked()
    assert station.ask("ClearChargingProfile", {"chargingProfileId": 99}) == {"status": "Unknown"}
    assert ids(station) == [1, 2, 3, 4]


def test_external_constraints_are_never_cleared(bench, profile):
    station = bench()
    station.set(profile())
    external = read_profile(1, profile(id=5, purpose="ChargingStationExternalConstraints"))
    station.station.inject(external, station.now)
    assert station.ask("ClearChargingProfile", {"chargingProfileId": 5}) == {"status": "Unknown"}
    station.ask("ClearChargingProfile", {})
    assert ids(station) == [5]


def test_clearing_the_last_profile_frees_the_flow_at_once(bench, profile):
    station = bench(HUGE)
    station.set(profile((0, 0)))
    station.wait(60)
    station.ask("ClearChargingProfile", {"chargingProfileId": 10})
    station.wait(60)
    assert station.power_w() == 22_000


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({"chargingLimitSource": ["CSO"]}, [1, 4, 2, 3]),
        ({"chargingLimitSource": ["EMS", "SO"]}, "NoProfiles"),
        ({"chargingProfileId": [3, 4, 99]}, [4, 3]),
        ({"evseId": 0, "stackLevel": 0}, [1, 4]),
        ({"evseId": 2, "chargingProfilePurpose": "TxDefaultProfile"}, [3]),
    ],
)
def test_profiles_are_reported_by_criteria(stocked, criteria, found):
    assert reported(stocked(), **criteria) == found


def test_there_is_one_report_for_each_evse_and_source(stocked, profile):
    station = stocked()
    external = read_profile(0, profile(id=5, purpose="ChargingStationExternalConstraints"))
    station.station.inject(external, station.now)
    station.ask("GetChargingProfiles", ALL)
    told = reports(station)
    assert [(one["evseId"], one["chargingLimitSource"], one["tbc"]) for one in told] == [
        (0, "CSO", True),
        (0, "EMS", True),
        (1, "CSO", True),
        (2, "CSO", False),
    ]
    assert {one["requestId"] for one in told} == {7}


def test_what_is_reported_is_what_was_sent(bench, profile, protocol):
    station = bench(protocol=protocol)
    mine = profile(customData={"vendorId": "x"})
    station.set(mine)
    station.ask("GetChargingProfiles", ALL)
    assert reports(station)[0]["chargingProfile"] == [mine]


@pytest.mark.parametrize(
    ("faults", "shape"),
    [
        (Faults(mute_reports=True), []),
        (Faults(wrong_tbc=True), [False, False, True]),
        (Faults(split_reports=True), [True, True, True, False]),
    ],
)
def test_reports_go_wrong_to_order(stocked, faults, shape):
    station = stocked(faults=faults)
    assert station.ask("GetChargingProfiles", ALL) == {"status": "Accepted"}
    assert [one["tbc"] for one in reports(station)] == shape


def composite(station, evse_id=1, duration=3600, **more):
    told = station.ask("GetCompositeSchedule", {"duration": duration, "evseId": evse_id, **more})
    return told["schedule"]["chargingSchedulePeriod"] if "schedule" in told else told["statusInfo"]["reasonCode"]


def test_a_composite_shows_every_change_and_the_default_for_none(bench, profile, setpoint):
    station = bench()
    station.set(profile((0, 5000), (600, setpoint(-3000)), schedule={"duration": 1200}))
    assert composite(station) == [
        {"startPeriod": 0, "limit": 5000},
        {"startPeriod": 600, "limit": 33120, "setpoint": -3000, "operationMode": "CentralSetpoint"},
        {"startPeriod": 1200, "limit": 33120},
    ]
    assert composite(station, chargingRateUnit="A")[2] == {"startPeriod": 1200, "limit": 48}


def test_the_composite_of_the_station_adds_its_evses_under_its_maximum(bench, profile, setpoint):
    station = bench(evses=(EvsePlate(1), EvsePlate(2)))
    station.set(profile((0, 5000), (600, 8000)), 1)
    station.set(profile((0, setpoint(-3000)), id=11), 2)
    assert composite(station, 0) == [{"startPeriod": 0, "limit": 2000}, {"startPeriod": 600, "limit": 5000}]
    station.set(profile((0, 3000), id=12, purpose="ChargingStationMaxProfile"), 0)
    assert composite(station, 0, chargingRateUnit="W") == [
        {"startPeriod": 0, "limit": 0},
    ]


@pytest.mark.parametrize(
    ("policy", "shown"),
    [(NegativeLimit.DISCHARGE, -1000), (NegativeLimit.UNLIMITED, 33120), (NegativeLimit.CLAMP, 0)],
)
def test_a_probe_with_a_negative_limit_tells_what_it_means(bench, profile, policy, shown):
    station = bench(protocol=Protocol.V201, negative_limit=policy)
    station.set(profile((0, -1000), validTo="2026-06-01T12:31:00Z", schedule={"startSchedule": "2026-06-01T12:30:00Z"}))
    before = [period["limit"] for period in composite(station) if period["startPeriod"] <= 1800]
    assert before[-1] == shown


def test_a_composite_is_refused_for_what_a_station_lacks(bench):
    station = bench(units=(Unit.WATT,))
    assert composite(station, 9) == "UnknownEvse"
    assert composite(station, chargingRateUnit="A") == "UnsupportedRateUnit"


def test_a_composite_over_a_lifetime_ends_after_a_week(bench):
    told = bench().ask("GetCompositeSchedule", {"duration": 2_000_000_000, "evseId": 1})
    assert told["schedule"]["duration"] == 7 * 86_400


def learn(station, asked=None):
    wanted = asked or questions(station.station.plate.protocol)
    return values(station.ask("GetVariables", payload) for payload in requests(wanted, 4))


def test_a_station_tells_what_it_can_take(bench, protocol):
    station = bench(
        protocol=protocol,
        units=(Unit.WATT,),
        max_stack_level=5,
        max_periods=7,
        max_external_id=3,
        update_rate_limit=timedelta(seconds=30),
    )
    found = learn(station)
    v21 = protocol is Protocol.V21
    assert read(found, Capability(protocol)) == Capability(
        protocol,
        units=(Unit.WATT,),
        max_stack_level=5,
        max_periods=7,
        modes=V2X_MODES,
        max_offline=v21,
        max_external_id=3 if v21 else 0,
        update_rate_limit=timedelta(seconds=30 if v21 else 0),
    )
    assert skew(found, station.now + timedelta(seconds=90)) == timedelta(seconds=-90)


def test_an_evse_that_can_not_discharge_is_no_v2x(bench):
    found = learn(bench(evses=(EvsePlate(1, 22_000, 0),)))
    assert read(found, Capability(Protocol.V21)).modes == {"ChargingOnly"}


def status(station, component, variable, **more):
    data = {"component": {"name": component}, "variable": {"name": variable}, **more}
    return station.ask("GetVariables", {"getVariableData": [data]})["getVariableResult"][0]["attributeStatus"]


def test_variables_go_missing_and_unknown_ones_are_named(bench):
    station = bench(missing=frozenset({"SmartChargingCtrlr.Available"}))
    assert status(station, "SmartChargingCtrlr", "Available") == "UnknownVariable"
    assert status(station, "smartchargingctrlr", "RATEUNIT") == "Accepted"
    assert status(station, "Toaster", "Crumbs") == "UnknownComponent"
    assert status(station, "Toaster", "Crumbs", attributeType="Target") == "UnknownComponent"
    assert status(station, "ClockCtrlr", "DateTime", attributeType="Target") == "NotSupportedAttributeType"


def test_too_many_variables_a_message_are_refused(bench):
    one = {"component": {"name": "ClockCtrlr"}, "variable": {"name": "DateTime"}}
    reply = bench(items_per_message=2).ask("GetVariables", {"getVariableData": [one] * 3})
    assert isinstance(reply, Refusal)
    assert reply.code == ErrorCode.OCCURRENCE


def assign(station, component, variable, value):
    data = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": value}
    return station.ask("SetVariables", {"setVariableData": [data]})["setVariableResult"][0]["attributeStatus"]


def test_intervals_can_be_set_and_hold(bench):
    station = bench()
    assert assign(station, "OCPPCommCtrlr", "HeartbeatInterval", "30") == "Accepted"
    assert assign(station, "SampledDataCtrlr", "TxUpdatedInterval", "20") == "Accepted"
    station.wait(20)
    assert [payload["triggerReason"] for payload in station.events("Updated")][-1] == "MeterValuePeriodic"
    assert assign(station, "SampledDataCtrlr", "TxUpdatedInterval", "0") == "Accepted"
    station.wait(30)
    assert station.listen() == [("Heartbeat", {})]
    (told,) = learn(station, [Variable("OCPPCommCtrlr", "HeartbeatInterval")]).values()
    assert told == "30"


def test_what_can_not_be_set_is_rejected(bench):
    station = bench()
    assert assign(station, "SmartChargingCtrlr", "RateUnit", "A") == "Rejected"
    assert assign(station, "OCPPCommCtrlr", "HeartbeatInterval", "soon") == "Rejected"
    assert assign(station, "OCPPCommCtrlr", "Nonsense", "1") == "UnknownVariable"


@pytest.mark.parametrize(
    "wanted", ["BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "TransactionEvent"]
)
def test_a_station_says_what_it_is_triggered_to(bench, wanted, protocol):
    station = bench(protocol=protocol)
    assert station.ask("TriggerMessage", {"requestedMessage": wanted, "evse": {"id": 1}}) == {"status": "Accepted"}
    assert [action for action, _ in station.listen()] == [wanted]


def test_an_empty_evse_has_a_meter_without_a_charge(bench):
    station = bench(None)
    station.ask("TriggerMessage", {"requestedMessage": "MeterValues"})
    ((_, payload),) = station.listen()
    assert {one["value"] for one in payload["meterValue"][0]["sampledValue"]} == {0}
    assert len(payload["meterValue"][0]["sampledValue"]) == 4


def test_a_trigger_it_can_not_follow_is_told(bench):
    station = bench(None)
    assert station.ask("TriggerMessage", {"requestedMessage": "LogStatusNotification"}) == {"status": "NotImplemented"}
    assert station.ask("TriggerMessage", {"requestedMessage": "Heartbeat", "evse": {"id": 9}})["status"] == "Rejected"
    assert station.ask("TriggerMessage", {"requestedMessage": "TransactionEvent"}) == {"status": "Accepted"}
    assert station.listen() == []


def test_a_reset_restarts_unless_it_can_not(bench):
    station = bench()
    assert station.ask("Reset", {"type": "OnIdle"})["statusInfo"]["reasonCode"] == "TxInProgress"
    assert station.ask("Reset", {"type": "Immediate", "evseId": 1})["status"] == "Rejected"
    assert not station.station.restart_wanted
    assert station.ask("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    assert station.station.restart_wanted
    assert bench(None).ask("Reset", {"type": "OnIdle"}) == {"status": "Accepted"}


@pytest.fixture
def dynamic(bench, profile, setpoint):
    station = bench(HUGE)
    held = profile(
        (0, setpoint(-5000)), chargingProfileKind="Dynamic", schedule={"startSchedule": None, "duration": 120}
    )
    assert station.set(held) == "Accepted"
    return station


def update(station, profile_id=10, **values):
    return station.ask("UpdateDynamicSchedule", {"chargingProfileId": profile_id, "scheduleUpdate": values})


def test_a_dynamic_profile_is_followed_until_its_duration_ends(dynamic):
    dynamic.wait(119)
    assert dynamic.power_w() == -5000
    dynamic.wait(60)
    assert dynamic.power_w() == 22_000


def test_an_update_changes_the_setpoint_and_revives_the_profile(dynamic):
    dynamic.wait(300)
    assert update(dynamic, setpoint=-4500) == {"status": "Accepted"}
    dynamic.wait(60)
    assert dynamic.power_w() == -4500
    dynamic.ask("GetChargingProfiles", ALL)
    (told,) = reports(dynamic)[0]["chargingProfile"]
    assert told["dynUpdateTime"] == "2026-06-01T12:05:00Z"
    assert told["chargingSchedule"][0]["chargingSchedulePeriod"][0]["setpoint"] == -4500


def test_only_a_dynamic_profile_can_be_updated(bench, profile):
    station = bench()
    station.set(profile())
    assert update(station, limit=1)["statusInfo"]["reasonCode"] == "InvalidProfile"
    assert update(station, 99, limit=1)["statusInfo"]["reasonCode"] == "InvalidProfile"


def test_what_a_station_does_not_know_is_not_implemented(bench):
    for reply in (
        bench().ask("RequestStartTransaction", {}),
        bench(protocol=Protocol.V201).ask("UpdateDynamicSchedule", {}),
    ):
        assert isinstance(reply, Refusal)
        assert reply.code == ErrorCode.NOT_IMPLEMENTED


def test_a_request_against_the_schema_is_refused(bench):
    reply = bench().ask("SetChargingProfile", {"evseId": "one"})
    assert isinstance(reply, Refusal)
    assert reply.code in (ErrorCode.TYPE, ErrorCode.OCCURRENCE)


def test_writes_are_counted_whatever_became_of_them(dynamic):
    dynamic.ask("ClearChargingProfile", {"chargingProfileId": 99})
    update(dynamic, 99, limit=1)
    writes = dynamic.station.writes
    assert (writes.set_profile, writes.clear_profile, writes.update) == (1, 1, 1)


def test_a_foreign_profile_is_held_beside_ours(bench, profile):
    station = bench()
    station.station.inject(read_profile(1, profile(id=77)), station.now)
    assert station.set(profile(id=10, level=3)) == "Accepted"
    assert ids(station) == [10, 77]
    assert all(action != "NotifyChargingLimit" for action, _ in station.listen())


def test_external_constraints_are_told_and_so_is_their_end(bench, profile):
    station = bench(HUGE)
    external = read_profile(1, profile((0, 2000), id=5, purpose=Purpose.EXTERNAL.value))
    station.station.inject(external, station.now, "SO")
    station.wait(60)
    assert station.power_w() == 2000
    assert station.listen()[0] == ("NotifyChargingLimit", {"evseId": 1, "chargingLimit": {"chargingLimitSource": "SO"}})
    station.station.release(5, station.now)
    station.station.release(6, station.now)
    assert ("ClearedChargingLimit", {"evseId": 1, "chargingLimitSource": "SO"}) in station.listen()
