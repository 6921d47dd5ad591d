"""What stations say, rightly and wrongly, and what becomes of it; nothing of it may reach another station."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from websockets.exceptions import ConnectionClosed

from reconciler.ocpp.answers import Admission
from reconciler.reported.events import Booted, Connected, Disconnected, ExternallyLimited, Metered, Ready, StationEvent

NOW = "2026-03-01T00:00:00Z"
NEVER = timedelta(hours=1)


async def test_a_station_that_boots_is_answered_and_then_ready(place):
    await place.open(boot_wait=NEVER)
    client = await place.connect()
    kind, id_, payload = await client.boot()
    assert (kind, id_, payload["status"], payload["interval"]) == (3, "boot", "Accepted", 300)
    await place.events.next(Ready)
    assert [type(event) for event in place.events.all] == [Connected, Booted, Ready]
    assert place.events.of(Booted)[0].vendor == "acme"


async def test_a_station_that_merely_reconnects_is_ready_without_a_boot(place):
    await place.open()
    await place.connect()
    await place.events.next(Ready)
    assert not place.events.of(Booted)


async def test_a_station_that_speaks_without_booting_is_ready(place):
    await place.open(boot_wait=NEVER)
    client = await place.connect()
    assert (await client.call("Heartbeat", {}))[0] == 3
    await place.events.next(Ready)


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_a_station_that_is_not_accepted_is_never_ready(place, status):
    await place.open(admission=lambda _: Admission(status))
    client = await place.connect()
    assert (await client.boot())[2]["status"] == status
    assert (await client.call("Heartbeat", {}))[2] == "SecurityError"
    await asyncio.sleep(0.1)
    assert not place.events.of(Ready)


@pytest.mark.parametrize(
    ("text", "id_", "code"),
    [
        ("nonsense", "-1", "RpcFrameworkError"),
        ("{}", "-1", "RpcFrameworkError"),
        ('[2,"a"]', "a", "RpcFrameworkError"),
        ('[2,"a","Heartbeat",[]]', "a", "FormatViolation"),
        ('[2,"a","Nonsense",{}]', "a", "NotImplemented"),
        ('[2,"a","SetChargingProfile",{}]', "a", "NotSupported"),
        ('[2,"a","Heartbeat",{"more":1}]', "a", "FormatViolation"),
        ('[2,"a","BootNotification",{"reason":"PowerUp"}]', "a", "OccurrenceConstraintViolation"),
        ('[2,"a","Authorize",{"idToken":{"idToken":5,"type":"Central"}}]', "a", "TypeConstraintViolation"),
        ('[2,"a","FirmwareStatusNotification",{"status":"Odd"}]', "a", "PropertyConstraintViolation"),
        ('[2,"a","Heartbeat",' + '{"a":' * 2000 + "1" + "}" * 2000 + "]", "-1", "RpcFrameworkError"),
        ('[2,"a","DataTransfer",{"vendorId":"' + "x" * 11_000 + '"}]', "-1", "RpcFrameworkError"),
    ],
)
async def test_what_is_wrong_is_answered_with_its_code_and_the_session_goes_on(place, text, id_, code):
    await place.open()
    client, other = await place.connect(), await place.connect("Q3-002")
    await client.raw(text)
    assert (await client.read())[:3] == [4, id_, code]
    assert (await client.call("Heartbeat", {}))[0] == 3
    assert (await other.call("Heartbeat", {}))[0] == 3


async def test_bytes_that_are_no_text_are_refused_and_the_session_goes_on(place):
    await place.open()
    client = await place.connect()
    await client.socket.send(b"\x00\xff")
    assert (await client.read())[2] == "RpcFrameworkError"
    assert (await client.call("Heartbeat", {}))[0] == 3


@pytest.mark.parametrize(
    "frame",
    [
        [3, "never-asked", {}],
        [4, "never-asked", "GenericError", "", {}],
        [4, "-1", "RpcFrameworkError", "", {}],
        [3, "never-asked", 5],
        [9, "what"],
        [6, "x", "NotifyPeriodicEventStream", {}],
        [5, "x", "FormatViolation", "", {}],
    ],
)
@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_what_answers_nothing_is_dropped_and_the_session_goes_on(place, protocol, frame):
    await place.open()
    client = await place.connect(protocols=(protocol,))
    await client.send(*frame)
    assert (await client.call("Heartbeat", {}))[:2] == [3, "s1"]


async def test_a_frame_beyond_all_bounds_closes_its_own_socket_alone(place):
    await place.open()
    client, other = await place.connect(), await place.connect("Q3-002")
    await client.raw("x" * 100_000)
    with pytest.raises(ConnectionClosed):
        await client.read()
    assert client.socket.close_code == 1009
    assert (await place.events.next(Disconnected)).station == "Q3-001"
    assert (await other.call("Heartbeat", {}))[0] == 3


async def test_a_station_that_drops_dead_is_reported_gone(place):
    await place.open()
    client = await place.connect()
    await place.events.next(Connected)
    client.socket.transport.abort()
    assert (await place.events.next(Disconnected)).station == "Q3-001"
    assert place.server.stations() == ()


async def test_a_station_that_is_silent_for_too_long_is_cut_off(place):
    await place.open(silence=timedelta(milliseconds=120))
    client = await place.connect()
    await asyncio.sleep(0.08)
    await client.call("Heartbeat", {})
    assert await client.closed() == 1006
    await place.events.next(Disconnected)


async def test_pings_can_be_left_out(place):
    await place.open(ping_interval=None)
    client = await place.connect()
    assert (await client.call("Heartbeat", {}))[0] == 3


async def test_what_a_station_tells_is_reported(place):
    await place.open()
    client = await place.connect()
    sample = {"value": 7.0, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}}
    meter = [{"timestamp": NOW, "sampledValue": [sample]}]
    started = {
        "eventType": "Started",
        "timestamp": NOW,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
        "evse": {"id": 2},
    }
    await client.call("TransactionEvent", started)
    updated = {**started, "eventType": "Updated", "meterValue": meter}
    del updated["evse"]
    await client.call("TransactionEvent", updated)
    metered = await place.events.next(Metered)
    assert (metered.evse_id, metered.power_w) == (2, Decimal(7000))
    await client.call("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}, "evseId": 1})
    assert await place.events.next(ExternallyLimited) == ExternallyLimited("Q3-001", 1, "EMS", True)


async def test_only_so_many_transactions_are_remembered(place):
    await place.open()
    client = await place.connect()
    for number in range(70):
        event = {"transactionInfo": {"transactionId": f"t{number}"}, "evse": {"id": 1}}
        assert (await client.call("TransactionEvent", event, f"e{number}"))[0] == 3
    late = {"transactionInfo": {"transactionId": "t0"}, "meterValue": [{"timestamp": NOW, "sampledValue": []}]}
    assert (await client.call("TransactionEvent", late, "late"))[0] == 3
    assert not place.events.of(Metered)


async def test_a_message_of_a_station_against_the_schema_that_it_would_repeat_is_answered(place):
    await place.open()
    client = await place.connect()
    assert (await client.call("StatusNotification", {"connectorId": 0}))[0] == 3


async def test_connected_stations_are_shown(place):
    await place.open()
    await place.connect("Q3-002")
    await place.connect()
    await place.events.next(Connected)
    await place.events.next(Connected)
    views = place.server.stations()
    assert [view.identity for view in views] == ["Q3-001", "Q3-002"]
    assert {view.protocol.version for view in views} == {"2.0.1"}


async def test_an_operator_may_close_a_socket(place):
    await place.open()
    client = await place.connect()
    await place.events.next(Connected)
    _, code = await asyncio.gather(place.server.disconnect("q3-001"), client.closed())
    assert code == 1001
    await place.events.next(Disconnected)
    await place.server.disconnect("Q3-001")


async def test_a_fault_in_this_process_ends_one_connection_and_says_so(place):
    def broken(_: str) -> Admission:
        raise LookupError("no such thing")

    await place.open(admission=broken)
    client = await place.connect()
    await client.send(2, "a", "Heartbeat", {})
    await client.closed()
    assert isinstance(await place.events.next(Disconnected), StationEvent)
