from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ocpp import variables
from reconciler.ocpp.variables import Variable
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Mode, Unit

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BASE = Capability(Protocol.V21, max_stack_level=2, max_periods=20)


def result(component, name, value, instance=None, evse=None, status="Accepted"):
    named = {"name": name, **({"instance": instance} if instance else {})}
    where = {"name": component, **({"evse": {"id": evse}} if evse else {})}
    return {"attributeStatus": status, "attributeValue": value, "component": where, "variable": named}


def smart(name, value, instance=None):
    return result("SmartChargingCtrlr", name, value, instance)


def told(*results):
    return variables.values([{"getVariableResult": list(results)}])


def read(*results, base=BASE):
    return variables.read(told(*results), base)


def test_what_the_device_model_says_is_taken():
    found = read(
        smart("ProfileStackLevel", "9"),
        smart("RateUnit", "A, W"),
        smart("PeriodsPerSchedule", "24"),
        smart("MaxExternalConstraintsId", "-5"),
        smart("UpdateRateLimit", "30"),
        smart("SupportsFeature", "true", "MaxOfflineDuration"),
        result("V2XChargingCtrlr", "SupportedOperationModes", "ChargingOnly,CentralSetpoint,Unheard", evse=1),
    )
    assert (found.max_stack_level, found.max_periods, found.max_external_id) == (9, 24, -5)
    assert found.units == (Unit.WATT, Unit.AMPERE)
    assert found.update_rate_limit == timedelta(seconds=30)
    assert found.max_offline
    assert found.modes == {Mode.CHARGING_ONLY, Mode.CENTRAL_SETPOINT}


def test_what_is_missing_changes_nothing():
    assert read() == BASE
    assert read(smart("ProfileStackLevel", "9", None) | {"attributeStatus": "UnknownVariable"}) == BASE


@pytest.mark.parametrize(
    "odd",
    [
        smart("ProfileStackLevel", "many"),
        smart("ProfileStackLevel", "-1"),
        smart("PeriodsPerSchedule", "0"),
        smart("RateUnit", "horses"),
        smart("UpdateRateLimit", ""),
        smart("Available", "perhaps"),
        smart("SupportsFeature", "?", "MaxOfflineDuration"),
        {"attributeStatus": "Accepted", "attributeValue": "1"},
        {"attributeStatus": "Accepted", "attributeValue": "1", "component": {"evse": {"id": "x"}}, "variable": {}},
        smart("ProfileStackLevel", None),
        "not an object",
    ],
)
def test_what_can_not_be_read_changes_nothing(odd):
    assert read(odd) == BASE


def test_an_answer_without_results_says_nothing():
    assert variables.values([{}, {"getVariableResult": 5}]) == {}


def test_names_are_compared_without_case():
    assert read(result("smartchargingctrlr", "PROFILESTACKLEVEL", "4")).max_stack_level == 4


@pytest.mark.parametrize("words", ["Power", "W", "w"])
def test_units_are_known_in_the_spellings_that_stations_use(words):
    assert read(smart("RateUnit", words)).units == (Unit.WATT,)


def test_either_spelling_of_support_counts():
    assert read(smart("SupportsMaxOfflineDuration", "true")).max_offline
    assert read(
        smart("SupportsFeature", "false", "MaxOfflineDuration"), smart("SupportsMaxOfflineDuration", "True")
    ).max_offline
    known = Capability(Protocol.V21, max_offline=True)
    assert not read(smart("SupportsMaxOfflineDuration", "false"), base=known).max_offline


@pytest.mark.parametrize("name", ["Available", "Enabled"])
def test_smart_charging_is_off_only_where_the_station_says_so(name):
    assert not read(smart(name, "false")).smart_charging
    assert read(smart(name, "true")).smart_charging


def test_an_evse_whose_v2x_is_off_only_charges():
    assert read(
        result("V2XChargingCtrlr", "Enabled", "false", evse=1),
        result("V2XChargingCtrlr", "SupportedOperationModes", "CentralSetpoint", evse=1),
    ).modes == {Mode.CHARGING_ONLY}


def test_a_mode_counts_only_where_every_evse_has_it():
    assert read(
        result("V2XChargingCtrlr", "Enabled", "true", evse=1),
        result("V2XChargingCtrlr", "SupportedOperationModes", "CentralSetpoint,CentralFrequency", evse=1),
        result("V2XChargingCtrlr", "SupportedOperationModes", "CentralSetpoint", evse=2),
    ).modes == {Mode.CHARGING_ONLY, Mode.CENTRAL_SETPOINT}


def test_the_clock_is_compared_with_ours():
    found = told(result("ClockCtrlr", "DateTime", "2026-03-01T00:00:07.900Z"))
    assert variables.skew(found, NOW) == timedelta(seconds=7)
    assert variables.skew({}, NOW) is None


def test_the_station_says_how_much_fits_a_message():
    assert variables.chunk(told(result("DeviceDataCtrlr", "ItemsPerMessage", "20", "GetVariables"))) == 20
    assert variables.chunk({}) == variables.FIRST_CHUNK


@pytest.mark.parametrize("protocol", Protocol)
@given(size=st.integers(-5, 100))
def test_chunks_hold_every_question_once(protocol, size):
    asked = variables.questions(protocol, (1, 2))
    payloads = variables.requests(asked, size)
    assert sum(len(payload["getVariableData"]) for payload in payloads) == len(asked)
    assert all(len(payload["getVariableData"]) <= max(size, 1) for payload in payloads)


def test_the_first_question_is_how_many_fit():
    assert variables.questions(Protocol.V201)[0] == Variable("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables")
