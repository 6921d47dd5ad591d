from copy import deepcopy
from decimal import Decimal

import pytest

from reconciler.errors import ProtocolError
from reconciler.ocpp.judge import judge, knows
from reconciler.profiles.capability import Protocol

SET = {
    "evseId": 1,
    "chargingProfile": {
        "id": 1,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "startSchedule": "2026-03-01T00:00:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}],
            }
        ],
    },
}


def changed(path, value):
    payload = deepcopy(SET)
    *way, last = path
    inner = payload
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return payload


PROFILE = ("chargingProfile",)
SCHEDULE = (*PROFILE, "chargingSchedule", 0)
PERIOD = (*SCHEDULE, "chargingSchedulePeriod", 0)


@pytest.mark.parametrize("limit", [16, 16.1, Decimal("16.1"), 16.100000381469727, 0.1 + 0.2, -7000, 16.0])
def test_a_limit_is_a_number_however_it_is_held(limit):
    judge(Protocol.V201, "SetChargingProfile", "Request", changed((*PERIOD, "limit"), limit))


@pytest.mark.parametrize("time", ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.1234567Z", "2026-03-01T02:00:00+02:00"])
def test_every_rfc_3339_instant_passes(time):
    judge(Protocol.V21, "SetChargingProfile", "Request", changed((*SCHEDULE, "startSchedule"), time))


@pytest.mark.parametrize(
    ("payload", "code", "place"),
    [
        (changed(("evseId",), "1"), "TypeConstraintViolation", "$.evseId:"),
        (changed(("evseId",), 1.5), "TypeConstraintViolation", "$.evseId:"),
        (changed(("evseId",), None), "OccurrenceConstraintViolation", '$: "evseId"'),
        (changed((*PROFILE, "chargingSchedule"), []), "OccurrenceConstraintViolation", "$.chargingProfile"),
        (
            changed((*PROFILE, "chargingSchedule"), SET["chargingProfile"]["chargingSchedule"] * 4),
            "OccurrenceConstraintViolation",
            "$.chargingProfile.chargingSchedule:",
        ),
        (changed((*PROFILE, "chargingProfileKind"), "Odd"), "PropertyConstraintViolation", "$.chargingProfile."),
        (
            changed((*SCHEDULE, "startSchedule"), "2026-13-01T00:00:00Z"),
            "PropertyConstraintViolation",
            "$.chargingProfile.chargingSchedule[0].startSchedule",
        ),
        (changed((*SCHEDULE, "startSchedule"), "2026-03-01T00:00:00"), "PropertyConstraintViolation", "$.charging"),
        (changed((*PROFILE, "transactionId"), "x" * 37), "PropertyConstraintViolation", "$.chargingProfile.trans"),
        (changed(("more",), 1), "FormatViolation", "$:"),
    ],
)
def test_a_violation_has_its_code_and_its_place(payload, code, place):
    with pytest.raises(ProtocolError) as caught:
        judge(Protocol.V201, "SetChargingProfile", "Request", payload)
    assert caught.value.code == code
    assert caught.value.description.startswith(place)


def test_values_are_not_repeated():
    with pytest.raises(ProtocolError) as caught:
        judge(Protocol.V201, "Authorize", "Request", {"idToken": {"idToken": "SECRET", "type": "SECRET"}})
    assert "SECRET" not in str(caught.value)


def test_a_payload_nested_too_deeply_is_refused():
    deep = {}
    for _ in range(900):
        deep = {"a": deep}
    with pytest.raises(ProtocolError) as caught:
        judge(Protocol.V201, "Heartbeat", "Request", {"more": deep})
    assert caught.value.code == "FormatViolation"


@pytest.mark.parametrize("action", ["Nonsense", "", "../v16/schemas/Heartbeat", "heartbeat", "HeartbeatRequest"])
def test_an_unknown_action_is_not_implemented(action):
    with pytest.raises(ProtocolError) as caught:
        judge(Protocol.V201, action, "Request", {})
    assert caught.value.code == "NotImplemented"
    assert not knows(Protocol.V201, action)


def test_each_version_knows_its_own_actions():
    assert knows(Protocol.V21, "NotifyPeriodicEventStream")
    assert knows(Protocol.V201, "Heartbeat")
    assert not knows(Protocol.V201, "PullDynamicScheduleUpdate")


def test_a_message_without_answer_is_judged_by_its_one_schema():
    judge(
        Protocol.V21,
        "NotifyPeriodicEventStream",
        "Request",
        {"id": 1, "pending": 0, "basetime": "2026-03-01T00:00:00Z", "data": [{"t": 0, "v": "1"}]},
    )
