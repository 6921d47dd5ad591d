import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ocpp.redaction import FIELDS, REMOVED, VARIABLES, redact

SECRET = "hunter2-hunter2-hunter2"


def variable(name, **more):
    return {"component": {"name": "SecurityCtrlr"}, "variable": {"name": name}, **more}


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("SetVariables", {"setVariableData": [variable("BasicAuthPassword", attributeValue=SECRET)]}),
        ("GetVariables", {"getVariableResult": [variable("authorizationkey", attributeValue=SECRET)]}),
        ("NotifyReport", {"reportData": [variable("BasicAuthPassword", variableAttribute=[{"value": SECRET}])]}),
        ("NotifyEvent", {"eventData": [variable("BasicAuthPassword", actualValue=SECRET, eventId=1)]}),
        ("SetNetworkProfile", {"connectionData": {"basicAuthPassword": SECRET, "vpn": {"key": SECRET}}}),
        ("CertificateSigned", {"certificateChain": SECRET}),
        ("SignCertificate", {"csr": SECRET}),
        ("Authorize", {"idToken": {"idToken": SECRET, "type": "ISO14443"}}),
        ("UpdateFirmware", {"firmware": {"location": f"ftp://joe:{SECRET}@files.example.org/fw?x=1"}}),
        ("GetLog", {"log": {"remoteLocation": f"https://files.example.org/put?signature={SECRET}"}}),
        ("DataTransfer", {"vendorId": "acme", "data": {"any": [SECRET]}}),
    ],
)
def test_a_secret_is_taken_out_and_its_place_is_shown(action, payload):
    shown = json.dumps(redact(action, payload))
    assert SECRET not in shown
    assert REMOVED in shown


def test_what_is_no_secret_stays_as_it_is():
    payload = {
        "evseId": 1,
        "chargingProfile": {"id": 810001, "chargingSchedule": [{"limit": 11000.5, "periods": [0, 1]}]},
        "setVariableData": [variable("HeartbeatInterval", attributeValue="300")],
        "log": {"remoteLocation": "https://files.example.org/put"},
        "variable": "BasicAuthPassword",
        "location": "Outlet",
    }
    assert redact("SetChargingProfile", payload) == payload


def test_which_variable_it_was_and_how_it_went_stays():
    result = variable("BasicAuthPassword", attributeStatus="Rejected", attributeValue=SECRET)
    shown = redact("SetVariables", {"setVariableResult": [result]})
    assert shown == {"setVariableResult": [{**result, "attributeValue": REMOVED}]}


def test_what_is_too_deep_to_look_into_is_taken_out():
    deep = {"password": SECRET}
    for _ in range(100):
        deep = {"custom": deep}
    assert SECRET not in json.dumps(redact("Heartbeat", deep))
    assert SECRET not in json.dumps(redact("Heartbeat", {"a": [[[deep]]]}))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3),
    max_leaves=12,
)
HIDING = st.sampled_from(sorted(FIELDS)).map(lambda name: {name.upper(): SECRET}) | st.sampled_from(
    sorted(VARIABLES)
).map(lambda name: variable(name, value=SECRET, more=[{"deep": SECRET}]))


@given(PLAIN, HIDING, st.lists(st.sampled_from(["list", "field"]), max_size=6))
def test_a_secret_is_found_wherever_it_stands(around, hiding, way):
    payload = hiding
    for step in way:
        payload = [around, payload] if step == "list" else {"beside": around, "field": payload}
    assert SECRET not in json.dumps(redact("Heartbeat", {"payload": payload, "around": around}))
