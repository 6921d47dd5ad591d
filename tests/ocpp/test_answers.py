from datetime import UTC, datetime

import pytest

from reconciler.errors import ProtocolError
from reconciler.ocpp.answers import ACTIONS, Admission, answer
from reconciler.ocpp.judge import judge, knows
from reconciler.profiles.capability import Protocol

NOW = datetime(2026, 3, 1, 12, 30, 15, 999999, tzinfo=UTC)
OPEN = Admission()
TOKEN = {"idToken": "x", "type": "Central"}
HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "a",
    "issuerKeyHash": "b",
    "serialNumber": "c",
}
STATION = {"model": "dc22", "vendorName": "acme"}
EVENT = {
    "eventType": "Started",
    "timestamp": "2026-03-01T00:00:00Z",
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t"},
}


def given(protocol, action, payload, admission=OPEN):
    found = answer(protocol, action, payload, NOW, admission)
    judge(protocol, action, "Response", found.payload)
    return found


@pytest.mark.parametrize("protocol", Protocol)
def test_a_boot_is_answered_with_time_and_interval(protocol):
    boot = {"reason": "PowerUp", "chargingStation": STATION}
    assert given(protocol, "BootNotification", boot, Admission(interval=60)).payload == {
        "currentTime": "2026-03-01T12:30:15Z",
        "interval": 60,
        "status": "Accepted",
    }


@pytest.mark.parametrize("protocol", Protocol)
def test_a_heartbeat_sets_the_clock(protocol):
    assert given(protocol, "Heartbeat", {}).payload == {"currentTime": "2026-03-01T12:30:15Z"}


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_a_station_that_is_not_accepted_may_only_boot(status):
    closed = Admission(status)
    assert (
        given(Protocol.V21, "BootNotification", {"reason": "PowerUp", "chargingStation": STATION}, closed).payload[
            "status"
        ]
        == status
    )
    with pytest.raises(ProtocolError) as caught:
        answer(Protocol.V21, "Heartbeat", {}, NOW, closed)
    assert caught.value.code == "SecurityError"


@pytest.mark.parametrize(
    ("protocol", "action", "code"),
    [
        (Protocol.V201, "Nonsense", "NotImplemented"),
        (Protocol.V201, "PullDynamicScheduleUpdate", "NotImplemented"),
        (Protocol.V21, "SetChargingProfile", "NotSupported"),
    ],
)
def test_an_action_without_answer_is_refused(protocol, action, code):
    with pytest.raises(ProtocolError) as caught:
        answer(protocol, action, {}, NOW, OPEN)
    assert caught.value.code == code


def test_a_transaction_event_with_a_token_is_granted():
    assert given(Protocol.V201, "TransactionEvent", {**EVENT, "idToken": TOKEN}).payload == {
        "idTokenInfo": {"status": "Accepted"}
    }
    assert given(Protocol.V201, "TransactionEvent", EVENT).payload == {}


@pytest.mark.parametrize("action", ["TransactionEvent", "MeterValues", "StatusNotification"])
@pytest.mark.parametrize("protocol", Protocol)
def test_what_would_be_sent_again_for_ever_is_answered_whatever_it_holds(protocol, action):
    assert given(protocol, action, {"nonsense": 1}).flaw.startswith(
        ("FormatViolation", "OccurrenceConstraintViolation")
    )


def test_other_messages_against_the_schema_are_refused_with_their_code():
    with pytest.raises(ProtocolError) as caught:
        answer(Protocol.V201, "NotifyReport", {"requestId": "1"}, NOW, OPEN)
    assert caught.value.code in {"TypeConstraintViolation", "OccurrenceConstraintViolation"}


REPORT = {
    "requestId": 1,
    "evseId": 1,
    "chargingLimitSource": "CSO",
    "chargingProfile": [
        {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [
                {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}]}
            ],
        }
    ],
}


def test_a_report_with_a_field_too_many_still_counts():
    assert given(Protocol.V201, "ReportChargingProfiles", REPORT).flaw == ""
    assert "FormatViolation" in given(Protocol.V201, "ReportChargingProfiles", {**REPORT, "more": 1}).flaw
    with pytest.raises(ProtocolError):
        answer(Protocol.V201, "ReportChargingProfiles", {**REPORT, "evseId": "1"}, NOW, OPEN)


def test_a_driver_is_accepted_and_a_contract_is_not_vouched_for():
    assert given(Protocol.V201, "Authorize", {"idToken": TOKEN}).payload == {"idTokenInfo": {"status": "Accepted"}}
    with_contract = {"idToken": TOKEN, "iso15118CertificateHashData": [{**HASH, "responderURL": "http://x"}]}
    assert given(Protocol.V201, "Authorize", with_contract).payload["certificateStatus"] == "NoCertificateAvailable"


def test_allowed_energy_transfers_are_told_on_2_1_where_they_are_known():
    v2g = Admission(energy_transfers=("DC_BPT", "DC"))
    asked = {"idToken": TOKEN}
    assert given(Protocol.V21, "Authorize", asked, v2g).payload["allowedEnergyTransfer"] == ["DC_BPT", "DC"]
    assert "allowedEnergyTransfer" not in given(Protocol.V201, "Authorize", asked, v2g).payload
    assert "allowedEnergyTransfer" not in given(Protocol.V21, "Authorize", asked).payload


def test_charging_needs_never_end_the_transaction():
    needs = {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC"}}
    assert given(Protocol.V21, "NotifyEVChargingNeeds", needs).payload == {"status": "NoChargingProfile"}
    assert given(Protocol.V201, "NotifyEVChargingNeeds", needs).payload == {"status": "Rejected"}


MORE = {
    "PullDynamicScheduleUpdate": {"chargingProfileId": 5},
    "VatNumberValidation": {"vatNumber": "NL1"},
    "GetCertificateChainStatus": {
        "certificateStatusRequests": [{"certificateHashData": HASH, "source": "OCSP", "urls": ["http://x"]}]
    },
    "OpenPeriodicEventStream": {
        "constantStreamData": {"id": 1, "variableMonitoringId": 1, "params": {"interval": 1, "values": 1}}
    },
    "ClosePeriodicEventStream": {"id": 1},
    "NotifyPriorityCharging": {"transactionId": "t", "activated": True},
    "NotifyDERAlarm": {"controlType": "EnterService", "timestamp": "2026-03-01T00:00:00Z"},
    "NotifyDERStartStop": {"controlId": "c", "started": True, "timestamp": "2026-03-01T00:00:00Z"},
    "ReportDERControl": {"requestId": 1},
    "NotifySettlement": {
        "pspRef": "p",
        "status": "Settled",
        "settlementAmount": 1.5,
        "settlementTime": "2026-03-01T00:00:00Z",
    },
    "BatterySwap": {
        "eventType": "BatteryIn",
        "requestId": 1,
        "idToken": TOKEN,
        "batteryData": [{"evseId": 1, "serialNumber": "s", "soC": 50, "soH": 90}],
    },
    "GetCertificateStatus": {"ocspRequestData": {**HASH, "responderURL": "http://x"}},
    "Get15118EVCertificate": {"iso15118SchemaVersion": "x", "action": "Install", "exiRequest": "x"},
    "SignCertificate": {"csr": "x"},
    "DataTransfer": {"vendorId": "acme"},
    "NotifyEVChargingSchedule": {
        "timeBase": "2026-03-01T00:00:00Z",
        "evseId": 1,
        "chargingSchedule": REPORT["chargingProfile"][0]["chargingSchedule"][0],
    },
    "NotifyChargingLimit": {"chargingLimit": {"chargingLimitSource": "EMS"}},
    "ClearedChargingLimit": {"chargingLimitSource": "EMS"},
    "NotifyReport": {"requestId": 1, "generatedAt": "2026-03-01T00:00:00Z", "seqNo": 0},
    "NotifyMonitoringReport": {"requestId": 1, "generatedAt": "2026-03-01T00:00:00Z", "seqNo": 0},
    "NotifyCustomerInformation": {"data": "x", "seqNo": 0, "generatedAt": "2026-03-01T00:00:00Z", "requestId": 1},
    "NotifyDisplayMessages": {"requestId": 1},
    "NotifyEvent": {
        "generatedAt": "2026-03-01T00:00:00Z",
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": "2026-03-01T00:00:00Z",
                "trigger": "Delta",
                "actualValue": "x",
                "eventNotificationType": "HardWiredNotification",
                "component": {"name": "EVSE"},
                "variable": {"name": "Power"},
            }
        ],
    },
    "SecurityEventNotification": {"type": "x", "timestamp": "2026-03-01T00:00:00Z"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "LogStatusNotification": {"status": "Idle"},
    "PublishFirmwareStatusNotification": {"status": "Idle"},
    "ReservationStatusUpdate": {"reservationId": 1, "reservationUpdateStatus": "Expired"},
    "MeterValues": {
        "evseId": 1,
        "meterValue": [{"timestamp": "2026-03-01T00:00:00Z", "sampledValue": [{"value": 1}]}],
    },
    "StatusNotification": {
        "timestamp": "2026-03-01T00:00:00Z",
        "connectorStatus": "Available",
        "evseId": 1,
        "connectorId": 1,
    },
}
ELSEWHERE = {
    "BootNotification",
    "Heartbeat",
    "Authorize",
    "TransactionEvent",
    "ReportChargingProfiles",
    "NotifyEVChargingNeeds",
}


def test_every_answer_is_tried_here():
    assert MORE.keys() | ELSEWHERE == ACTIONS


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("action", sorted(MORE))
def test_every_message_of_a_station_gets_a_valid_answer(protocol, action):
    if knows(protocol, action):
        assert given(protocol, action, MORE[action]).flaw == ""
    else:
        with pytest.raises(ProtocolError, match="NotImplemented"):
            given(protocol, action, MORE[action])


def test_a_pull_of_a_profile_that_is_not_dynamic_is_rejected():
    assert given(Protocol.V21, "PullDynamicScheduleUpdate", {"chargingProfileId": 5}).payload == {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "InvalidProfile"},
    }
