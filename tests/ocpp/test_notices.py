from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.ocpp.notices import notices, place
from reconciler.reported.events import Booted, ExternallyLimited, Faulted, Metered

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(action, payload, evses=None):
    return notices("Q3-001", action, payload, NOW, evses or {})


def sample(value, measurand="Power.Active.Import", unit="W", multiplier=None, **fields):
    scale = {"unit": unit} | ({} if multiplier is None else {"multiplier": multiplier})
    return {"value": value, "measurand": measurand, "unitOfMeasure": scale, **fields}


def meter(*samples, timestamp="2026-03-01T12:00:00Z"):
    return {"timestamp": timestamp, "sampledValue": list(samples)}


def power(*samples):
    events = told("MeterValues", {"evseId": 1, "meterValue": [meter(*samples)]})
    return events[0].power_w if events else None


def test_a_boot_tells_what_machine_it_is():
    machine = {"vendorName": "acme", "model": "dc22", "firmwareVersion": "1.0"}
    assert told("BootNotification", {"reason": "PowerUp", "chargingStation": machine}) == (
        Booted("Q3-001", "acme", "dc22", "1.0", "PowerUp"),
    )
    assert told("BootNotification", {}) == (Booted("Q3-001", "", "", "", ""),)


def test_another_source_limits_and_frees():
    limit = {"chargingLimit": {"chargingLimitSource": "EMS"}}
    assert told("NotifyChargingLimit", {**limit, "evseId": 1}) == (ExternallyLimited("Q3-001", 1, "EMS", True),)
    assert told("ClearedChargingLimit", {"chargingLimitSource": "SO"}) == (ExternallyLimited("Q3-001", 0, "SO", False),)


def test_local_generation_is_not_a_limit():
    limit = {"chargingLimitSource": "Other", "isLocalGeneration": True}
    assert told("NotifyChargingLimit", {"chargingLimit": limit}) == ()


def test_other_messages_tell_nothing():
    assert told("Heartbeat", {}) == ()


def test_power_is_import_minus_export():
    assert power(sample(0), sample(7000, "Power.Active.Export")) == -7000
    assert power(sample(-7000)) == -7000
    assert power(sample(7000, "Power.Active.Export")) == -7000


def test_units_and_multipliers_are_applied():
    assert power(sample(7.4, unit="kW")) == 7400
    assert power(sample(74, multiplier=2)) == 7400
    assert power({"value": 5, "measurand": "Power.Active.Import"}) == 5


def test_lines_are_summed_where_there_is_no_total():
    assert power(*(sample(100, phase=line) for line in ("L1", "L2-N", "L3"))) == 300
    assert power(sample(290), sample(100, phase="L1")) == 290
    assert power(sample(5, phase="L1-L2")) is None


def test_the_outlet_counts_before_other_places_and_upstream_never():
    assert power(sample(1, location="Inlet"), sample(2)) == 2
    assert power(sample(1, location="Inlet")) == 1
    assert power(sample(1, location="Upstream")) is None


@pytest.mark.parametrize(
    "odd",
    [
        sample("x"),
        sample(1, "Voltage"),
        sample(1, unit="horses"),
        sample(1, multiplier="x"),
        sample(1, multiplier=99),
        "not an object",
        {},
    ],
)
def test_what_is_no_power_is_passed_over(odd):
    assert power(odd) is None
    assert power(odd, sample(5)) == 5


@pytest.mark.parametrize(
    "payload", [{}, {"meterValue": 5, "evseId": 1}, {"evseId": True, "meterValue": [meter(sample(1))]}]
)
def test_meter_values_that_can_not_be_read_are_passed_over(payload):
    assert told("MeterValues", payload) == ()


def test_the_newest_sample_counts():
    payload = {
        "evseId": 1,
        "meterValue": [meter(sample(2), timestamp="2026-03-01T12:00:05Z"), meter(sample(1))],
    }
    assert told("MeterValues", payload) == (Metered("Q3-001", 1, Decimal(2), NOW + timedelta(seconds=5)),)


@pytest.mark.parametrize("timestamp", ["1970-01-01T00:00:00Z", "nonsense", None])
def test_a_sample_with_an_incredible_time_was_taken_now(timestamp):
    payload = {"evseId": 1, "meterValue": [meter(sample(2), timestamp=timestamp)]}
    assert told("MeterValues", payload)[0].at == NOW


def transaction(evse=None, **fields):
    where = {} if evse is None else {"evse": {"id": evse}}
    return {"transactionInfo": {"transactionId": "t"}, "meterValue": [meter(sample(5))], **where, **fields}


def test_a_transaction_is_metered_on_its_evse():
    assert told("TransactionEvent", transaction(2))[0].evse_id == 2


def test_a_later_event_of_a_transaction_may_leave_its_evse_out():
    assert told("TransactionEvent", transaction(), {"t": 2})[0].evse_id == 2
    assert told("TransactionEvent", transaction(), {}) == ()


def test_what_was_measured_offline_is_not_told_as_now():
    assert told("TransactionEvent", transaction(2, offline=True)) == ()


def test_the_place_of_an_event_is_read_where_it_is_given():
    assert place(transaction(2)) == ("t", 2)
    assert place({"transactionInfo": 5, "evse": {"id": "x"}}) == ("", 0)
    assert place({"transactionInfo": {"transactionId": 5}, "evse": {"id": 0}}) == ("", 0)


def faults(*data):
    events = told("NotifyEvent", {"eventData": list(data)})
    return [(event.evse_id, event.active, event.what) for event in events]


def said(variable, value, evse=None, component="Connector", **fields):
    where = {"name": component} | ({"evse": evse} if evse else {})
    return {"component": where, "variable": {"name": variable}, "actualValue": value, **fields}


@pytest.mark.parametrize(("status", "active"), [("Faulted", True), ("Occupied", False), ("Available", False)])
def test_a_status_tells_whether_a_connector_is_faulted(status, active):
    payload = {"connectorStatus": status, "evseId": 2, "connectorId": 1}
    assert told("StatusNotification", payload) == (Faulted("Q3-001", 2, active, "EVSE 2 connector 1"),)


def test_a_status_of_no_evse_is_the_stations_and_one_without_a_status_says_nothing():
    for where in ({}, {"evseId": 0, "connectorId": 0}, {"evseId": True}):
        assert told("StatusNotification", {"connectorStatus": "Faulted", **where}) == (
            Faulted("Q3-001", 0, True, "station"),
        )
    assert told("StatusNotification", {"connectorStatus": 5, "evseId": 1}) == ()


def test_an_event_about_availability_names_the_part_as_its_status_does():
    place = {"id": 2, "connectorId": 1}
    assert faults(said("AvailabilityState", "Faulted", place), said("AvailabilityState", "Available", place)) == [
        (2, True, "EVSE 2 connector 1"),
        (2, False, "EVSE 2 connector 1"),
    ]
    assert faults(said("availabilitystate", "faulted", {"id": 2}, "EVSE")) == [(2, True, "EVSE 2")]


def test_an_event_about_a_problem_names_its_component():
    cooling = {"name": "CoolingSystem", "instance": "rear"}
    problem = {"component": cooling, "variable": {"name": "Problem"}, "actualValue": "true"}
    assert faults(problem) == [(0, True, "CoolingSystem rear of station")]
    assert faults({**problem, "actualValue": "false"}) == [(0, False, "CoolingSystem rear of station")]
    assert faults({**problem, "cleared": True}) == [(0, False, "CoolingSystem rear of station")]


def test_events_that_are_about_no_fault_or_can_not_be_read_are_passed_over():
    assert faults(said("Temperature", "80"), {}, "odd", {"component": 5, "variable": 5}) == []
    assert told("NotifyEvent", {"eventData": "odd"}) == ()
