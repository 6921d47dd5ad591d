"""Every command ends in exactly one event, whatever the station does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.reported.events import (
    Accepted,
    CapabilityRead,
    CompositeRead,
    CompositeStep,
    Connected,
    Disconnected,
    NotSent,
    OutcomeUnknown,
    ProfilesRead,
    RawAnswered,
    ReadFailed,
    Refused,
    Written,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadComposite, ReadProfiles, SendRaw

START = datetime(2026, 3, 1, tzinfo=UTC)
OLD = Capability(Protocol.V201)
READS = [ReadProfiles("Q3-001"), ReadComposite("Q3-001", 1, 60, Unit.WATT), ReadCapability("Q3-001", OLD)]


def profile(*periods):
    parts = periods or (Period(0, limit=Decimal(7000)),)
    schedule = ChargingSchedule(1, Unit.WATT, parts, START)
    return Profile(810001, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


PUSH = Push("Q3-001", profile(), OLD)
CLEAR = Clear("Q3-001", 810001)


async def opened(place, protocol="ocpp2.0.1", **terms):
    await place.open(**terms)
    client = await place.connect(protocols=(protocol,))
    await place.events.next(Connected)
    return client


def report(request_id, profile_id=810001, tbc=False, evse_id=1, source="CSO"):
    return {
        "requestId": request_id,
        "evseId": evse_id,
        "chargingLimitSource": source,
        "tbc": tbc,
        "chargingProfile": [
            {
                "id": profile_id,
                "stackLevel": 1,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": [
                    {
                        "id": 1,
                        "startSchedule": "2026-03-01T00:00:00.000Z",
                        "chargingRateUnit": "W",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000.0}],
                    }
                ],
            }
        ],
    }


async def test_a_profile_is_pushed_in_the_dialect_of_the_station(place):
    client = await opened(place)
    place.server.execute(PUSH)
    id_, payload = await client.read_call("SetChargingProfile")
    assert payload["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 7000}
    ]
    await client.send(3, id_, {"status": "Accepted"})
    assert await place.events.next(Written) == Written("Q3-001", 810001, PUSH.profile, Accepted())
    assert place.server.frames("q3-001") == {"SetChargingProfile": 1}


async def test_what_the_dialect_can_not_say_is_not_sent(place):
    await opened(place)
    discharge = profile(Period(0, setpoint=Decimal(-7000), mode=Mode.CENTRAL_SETPOINT))
    place.server.execute(Push("Q3-001", discharge, OLD))
    outcome = (await place.events.next(Written)).outcome
    assert isinstance(outcome, NotSent)
    assert outcome.permanent
    assert place.server.frames("Q3-001") == {}


async def test_a_refusal_is_reported_with_its_words(place):
    client = await opened(place)
    place.server.execute(PUSH)
    id_, _ = await client.read_call("SetChargingProfile")
    info = {"reasonCode": "RateLimitExceeded", "additionalInfo": "20 seconds before retry"}
    await client.send(3, id_, {"status": "Rejected", "statusInfo": info})
    assert (await place.events.next(Written)).outcome == Refused(
        "RateLimitExceeded", "20 seconds before retry", timedelta(seconds=20)
    )


async def test_commands_of_one_station_go_one_at_a_time_and_in_order(place):
    client = await opened(place)
    place.server.execute(PUSH)
    place.server.execute(CLEAR)
    first, _ = await client.read_call("SetChargingProfile")
    assert (await client.call("Heartbeat", {}))[:2] == [3, "s1"], "its answer does not wait for ours"
    await client.send(3, first, {"status": "Accepted"})
    second, payload = await client.read_call("ClearChargingProfile")
    assert payload == {"chargingProfileId": 810001}
    await client.send(3, second, {"status": "Unknown"})
    await place.events.next(Written)
    assert await place.events.next(Written) == Written("Q3-001", 810001, None, Accepted())
    assert place.server.all_frames() == {"SetChargingProfile": 1, "ClearChargingProfile": 1}


async def test_a_call_without_answer_is_unknown_and_a_late_answer_is_dropped(place):
    client = await opened(place)
    place.server.execute(PUSH)
    id_, _ = await client.read_call("SetChargingProfile")
    assert isinstance((await place.events.next(Written)).outcome, OutcomeUnknown)
    await client.send(3, id_, {"status": "Accepted"})
    assert (await client.call("Heartbeat", {}))[0] == 3
    assert len(place.events.of(Written)) == 1


async def test_after_many_calls_without_answer_the_station_has_to_connect_anew(place):
    client = await opened(place, timeout=timedelta(milliseconds=60))
    for _ in range(3):
        place.server.execute(PUSH)
    await client.closed()
    await place.events.next(Disconnected)
    assert len(place.events.of(Written)) == 3


async def test_a_socket_that_closes_ends_what_was_begun_before_it_is_reported_gone(place):
    client = await opened(place)
    place.server.execute(PUSH)
    place.server.execute(CLEAR)
    await client.read_call("SetChargingProfile")
    client.socket.transport.abort()
    await place.events.next(Disconnected)
    first, second, gone = place.events.all[-3:]
    assert isinstance(first.outcome, OutcomeUnknown)
    assert isinstance(second.outcome, NotSent)
    assert isinstance(gone, Disconnected)


async def test_a_replaced_socket_ends_its_calls_at_once(place):
    client = await opened(place, timeout=timedelta(seconds=60))
    place.server.execute(PUSH)
    await client.read_call("SetChargingProfile")
    await place.connect()
    await place.events.next(Connected)
    kinds = [type(event) for event in place.events.all if isinstance(event, Connected | Disconnected | Written)]
    assert kinds == [Connected, Written, Disconnected, Connected]


@pytest.mark.parametrize("command", [*READS, PUSH, CLEAR, SendRaw("Q3-001", "Reset", {}, "t")])
async def test_a_station_that_is_not_connected_gets_nothing_and_that_is_reported(place, command):
    await place.open()
    place.server.execute(command)
    assert place.events.all == [], "never before execute returns"
    event = await place.events.next((ReadFailed, Written, RawAnswered))
    assert "not connected" in str(event)


async def test_commands_beyond_the_bound_are_refused(place):
    await opened(place, max_commands=1)
    place.server.execute(PUSH)
    place.server.execute(CLEAR)
    assert (await place.events.next(Written)).outcome == NotSent("too many commands are waiting")


async def test_profiles_are_read_from_reports_before_and_after_the_answer(place):
    client = await opened(place)
    place.server.execute(ReadProfiles("Q3-001"))
    id_, payload = await client.read_call("GetChargingProfiles")
    request_id = payload["requestId"]
    assert (await client.call("ReportChargingProfiles", report(request_id, 1, tbc=True), "r1"))[0] == 3
    await client.send(3, id_, {"status": "Accepted"})
    assert (await client.call("ReportChargingProfiles", report(request_id, 2, evse_id=0, source="EMS"), "r2"))[0] == 3
    read = await place.events.next(ProfilesRead)
    assert [(one.profile.id, one.profile.evse_id, one.source) for one in read.profiles] == [
        (2, 0, "EMS"),
        (1, 1, "CSO"),
    ]


async def test_a_station_without_profiles_says_so(place):
    client = await opened(place)
    place.server.execute(ReadProfiles("Q3-001"))
    id_, _ = await client.read_call("GetChargingProfiles")
    await client.send(3, id_, {"status": "NoProfiles"})
    assert await place.events.next(ProfilesRead) == ProfilesRead("Q3-001", ())


async def test_accepted_without_a_report_is_unknown(place):
    client = await opened(place)
    place.server.execute(ReadProfiles("Q3-001"))
    id_, _ = await client.read_call("GetChargingProfiles")
    await client.send(3, id_, {"status": "Accepted"})
    assert "nothing was reported" in (await place.events.next(ReadFailed)).why


async def test_reports_for_nobody_are_answered_and_change_nothing(place):
    client = await opened(place)
    assert (await client.call("ReportChargingProfiles", report(5)))[0] == 3
    assert not place.events.of(ProfilesRead)


async def test_a_socket_that_closes_while_reports_are_awaited_ends_the_reading(place):
    client = await opened(place)
    place.server.execute(ReadProfiles("Q3-001"))
    id_, _ = await client.read_call("GetChargingProfiles")
    await client.send(3, id_, {"status": "Accepted"})
    assert (await client.call("Heartbeat", {}))[0] == 3
    client.socket.transport.abort()
    assert (await place.events.next(ReadFailed)).why == "the connection was closed"


@pytest.mark.parametrize("command", READS[:2])
async def test_a_station_without_smart_charging_is_told_from_one_that_fails(place, command):
    client = await opened(place)
    for code, permanent in (("NotImplemented", True), ("InternalError", False)):
        place.server.execute(command)
        id_, *_ = (await client.read())[1:]
        await client.send(4, id_, code, "", {})
        assert (await place.events.next(ReadFailed)).permanent is permanent


def composite(**changes):
    schedule = {
        "evseId": 1,
        "duration": 60,
        "scheduleStart": "2026-03-01T00:00:00Z",
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000}],
    }
    return {"status": "Accepted", "schedule": schedule} | changes


async def test_a_composite_schedule_is_read(place):
    client = await opened(place)
    place.server.execute(READS[1])
    id_, payload = await client.read_call("GetCompositeSchedule")
    assert payload == {"evseId": 1, "duration": 60, "chargingRateUnit": "W"}
    await client.send(3, id_, composite())
    assert await place.events.next(CompositeRead) == CompositeRead(
        "Q3-001", 1, START, (CompositeStep(0, Decimal(7000), None),)
    )


async def test_a_composite_schedule_outside_the_calendar_is_not_read(place):
    client = await opened(place)
    place.server.execute(READS[1])
    id_, _ = await client.read_call("GetCompositeSchedule")
    answer = composite()
    answer["schedule"]["scheduleStart"] = "0001-01-01T00:00:00+10:00"
    await client.send(3, id_, answer)
    assert "can't be read" in (await place.events.next(ReadFailed)).why


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, {"status": "Accepted"}])
async def test_a_composite_answer_without_a_schedule_tells_nothing(place, answer):
    client = await opened(place)
    place.server.execute(READS[1])
    id_, _ = await client.read_call("GetCompositeSchedule")
    await client.send(3, id_, answer)
    assert "without a schedule" in (await place.events.next(ReadFailed)).why


def values(asked, known):
    return {
        "getVariableResult": [
            {**one, "attributeStatus": "Accepted", "attributeValue": known[one["variable"]["name"]]}
            if one["variable"]["name"] in known
            else {**one, "attributeStatus": "UnknownVariable"}
            for one in asked["getVariableData"]
        ]
    }


async def test_the_capability_is_read_in_chunks_of_the_size_that_the_station_takes(place):
    client = await opened(place, "ocpp2.1")
    place.server.execute(ReadCapability("Q3-001", OLD))
    known = {
        "ItemsPerMessage": "6",
        "ProfileStackLevel": "5",
        "PeriodsPerSchedule": "24",
        "DateTime": "2026-03-01T00:00:00Z",
    }
    sizes = []
    while len(sizes) < 3:
        id_, payload = await client.read_call("GetVariables")
        sizes.append(len(payload["getVariableData"]))
        await client.send(3, id_, values(payload, known))
    read = await place.events.next(CapabilityRead)
    assert sizes == [4, 6, 3]
    assert (read.capability.protocol, read.capability.max_stack_level, read.capability.max_periods) == (
        Protocol.V21,
        5,
        24,
    )
    assert read.skew is not None


async def test_a_station_without_a_device_model_keeps_what_was_declared(place):
    client = await opened(place)
    place.server.execute(ReadCapability("Q3-001", OLD))
    for _ in range(2):
        id_, _ = await client.read_call("GetVariables")
        await client.send(4, id_, "NotImplemented", "", {})
    assert await place.events.next(CapabilityRead) == CapabilityRead("Q3-001", OLD, None)


@pytest.mark.parametrize("answered", [0, 1])
async def test_a_device_model_that_does_not_answer_is_not_read(place, answered):
    client = await opened(place)
    place.server.execute(ReadCapability("Q3-001", OLD))
    for _ in range(answered):
        id_, payload = await client.read_call("GetVariables")
        await client.send(3, id_, values(payload, {}))
    assert "GetVariables was not answered in time" in (await place.events.next(ReadFailed)).why


async def test_a_request_by_hand_is_answered_with_what_came(place):
    client = await opened(place)
    for frame, ok, answer in (
        ((3, {"status": "Accepted"}), True, {"status": "Accepted"}),
        ((4, "NotSupported", "no", {}), False, {"errorCode": "NotSupported", "errorDescription": "no"}),
    ):
        place.server.execute(SendRaw("Q3-001", "Reset", {"type": "Immediate"}, "t"))
        id_, _ = await client.read_call("Reset")
        await client.send(frame[0], id_, *frame[1:])
        assert await place.events.next(RawAnswered) == RawAnswered("Q3-001", "t", ok, answer)


async def test_a_request_by_hand_that_is_not_answered_says_so(place):
    await opened(place)
    place.server.execute(SendRaw("Q3-001", "Reset", {"type": "Immediate"}, "t"))
    told = await place.events.next(RawAnswered)
    assert (told.ok, told.not_sent) == (False, "")


async def test_a_request_by_hand_to_a_station_that_is_not_there_is_not_sent(place):
    await opened(place)
    place.server.execute(SendRaw("Q3-009", "Reset", {"type": "Immediate"}, "t"))
    told = await place.events.next(RawAnswered)
    assert (told.ok, told.not_sent) == (False, "the station is not connected")


async def test_a_request_by_hand_that_is_not_json_is_not_sent(place):
    await opened(place)
    place.server.execute(SendRaw("Q3-001", "Reset", {"type": object()}, "t"))
    told = await place.events.next(RawAnswered)
    assert "not JSON" in told.not_sent
    assert told.answer["errorDescription"] == told.not_sent
    assert place.server.frames("Q3-001") == {}


async def test_a_fault_in_this_process_ends_the_command_and_not_the_station(place):
    client = await opened(place)
    broken = replace(profile(), schedules=(None,))
    place.server.execute(Push("Q3-001", broken, OLD))
    assert (await place.events.next(Written)).outcome == NotSent("failed here: AttributeError")
    assert (await client.call("Heartbeat", {}))[0] == 3


HUGE = SendRaw("Q3-001", "DataTransfer", {"vendorId": "x", "data": "y" * 30_000_000}, "t")


@pytest.fixture
async def deaf(place):
    """A station that reads nothing while something far larger than any buffer is sent to it."""
    await place.open(timeout=timedelta(milliseconds=300))
    client = await place.connect(compression=None)
    await place.events.next(Connected)
    client.socket.transport.pause_reading()
    place.server.execute(HUGE)
    yield client
    client.socket.transport.abort()


async def test_a_station_that_does_not_read_is_cut_off_and_no_other_waits(place, deaf):
    other = await place.connect("Q3-002")
    assert (await other.call("Heartbeat", {}))[0] == 3
    await place.events.next(Disconnected)
    assert len(place.events.of(RawAnswered)) == 1


async def test_of_connections_that_come_while_an_old_one_is_ended_the_newest_stays(place, deaf):
    second, third = await place.connect(), await place.connect()
    assert (await third.call("Heartbeat", {}))[0] == 3
    await second.closed()
    assert (await third.call("Heartbeat", {}))[0] == 3
    assert len(place.server.stations()) == 1


async def test_stopping_waits_for_sockets_that_are_being_closed(place, deaf):
    await place.connect()
    await place.server.stop()
    assert len(place.events.of(Disconnected)) == len(place.events.of(Connected))
