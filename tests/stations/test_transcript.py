import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from reconciler.reported.events import RawAnswered, Ready
from reconciler.rollout.commands import SendRaw
from reconciler.stations import transcript as module
from reconciler.stations.transcript import Spoken, Transcript

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


def frame(station="Q3-001", number=1, **payload):
    return Spoken(station, "sent", "CALL", "GetVariables", f"id{number}", payload)


@asynccontextmanager
async def running(transcript):
    """Run a transcript, and end it once everything is written."""
    task = asyncio.create_task(transcript.run())
    try:
        yield
    finally:
        transcript.close()
        await asyncio.wait_for(task, 5)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ocpp-json.log"


@pytest.fixture
def transcript(file):
    return Transcript(file, lambda: AT, most_bytes=1000, old_files=2)


async def test_each_frame_is_one_line_and_secrets_are_gone(transcript, file):
    async with running(transcript):
        transcript.note(Spoken("Q3-001", "received", "CALLRESULT", "A", "7", {"password": "hunter2"}, "Accepted"))
    assert lines(file) == [
        {
            "at": "2026-03-03T12:00:00+00:00",
            "station": "Q3-001",
            "direction": "received",
            "type": "CALLRESULT",
            "action": "A",
            "id": "7",
            "status": "Accepted",
            "payload": {"password": "(removed)"},
        }
    ]
    assert file.stat().st_mode & 0o077 == 0


async def test_only_chosen_stations_are_listened_to_and_the_choice_can_be_changed(transcript):
    assert not transcript.wants("Q3-001")
    transcript.choose(["q3-*", "B1"])
    assert [transcript.wants(name) for name in ("Q3-001", "Q3-001", "b1", "B2")] == [True, True, True, False]
    transcript.choose([])
    assert not transcript.wants("Q3-001")


async def test_the_file_is_turned_over_by_size_and_the_oldest_goes(transcript, file):
    async with running(transcript):
        for number in range(40):
            transcript.note(frame(number=number))
    files = [file, file.with_name("ocpp-json.log.1"), file.with_name("ocpp-json.log.2")]
    assert sorted(file.parent.iterdir()) == sorted(files)
    assert all(each.stat().st_size <= 1000 for each in files)
    kept = [line["id"] for each in reversed(files) for line in lines(each)]
    assert kept == [f"id{number}" for number in range(40 - len(kept), 40)]


async def test_a_line_longer_than_the_file_may_be_gets_a_file_of_its_own(transcript, file):
    async with running(transcript):
        transcript.note(frame(number=1))
        transcript.note(frame(number=2, text="x" * 5000))
        transcript.note(frame(number=3))
    assert [line["id"] for line in lines(file)] == ["id3"]
    assert [line["id"] for line in lines(file.with_name("ocpp-json.log.1"))] == ["id2"]


async def test_a_payload_that_is_no_json_costs_no_line(transcript, file):
    async with running(transcript):
        transcript.note(frame(number=1, odd="\ud800"))
        transcript.note(frame(number=2))
    assert [(line["id"], line["payload"]) for line in lines(file)] == [("id1", None), ("id2", {})]


async def test_what_does_not_fit_into_the_queue_is_dropped_and_counted(transcript, file, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    for number in range(5):
        transcript.note(frame(number=number))
    async with running(transcript):
        pass
    assert (len(lines(file)), transcript.dropped) == (3, 2)


async def test_a_file_that_cannot_be_written_costs_its_frames_and_heals(tmp_path):
    folder = tmp_path / "later"
    transcript = Transcript(folder / "ocpp-json.log", lambda: AT)
    transcript.note(frame(number=1))
    transcript.note(frame(number=2))
    async with running(transcript):
        await _until(lambda: transcript.dropped == 2)
        transcript.note(frame(number=3))
        await _until(lambda: transcript.dropped == 3)
        folder.mkdir()
        transcript.note(frame(number=4))
    assert [line["id"] for line in lines(folder / "ocpp-json.log")] == ["id4"]


async def test_frames_of_a_real_connection_are_written_down_both_ways(place, transcript, file):
    ended = []
    transcript = Transcript(file, lambda: AT)
    transcript.choose(["q3-001"])
    await place.open(transcript=transcript, ended=lambda *end: ended.append(end))
    async with running(transcript):
        client = await place.connect()
        await client.boot()
        await place.events.next(Ready)
        await client.call("Heartbeat", {"more": 1}, "h1")
        await client.raw("nonsense")
        await client.read()
        await client.send(3, "stray", {})
        await client.call("Heartbeat", {}, "h2")
        for number, answer in enumerate(("Accepted", "Rejected", None)):
            place.server.execute(SendRaw("Q3-001", "TriggerMessage", {"requestedMessage": "Heartbeat"}, str(number)))
            id_, _ = await client.read_call("TriggerMessage")
            await (client.send(3, id_, {"status": answer}) if answer else client.send(4, id_, "InternalError", "", {}))
            await place.events.next(RawAnswered)
        place.server.execute(SendRaw("Q3-001", "TriggerMessage", {"requestedMessage": "Heartbeat"}, "3"))
        await client.read_call("TriggerMessage")
        await place.events.next(RawAnswered)
    spoken = [(line["direction"], line["type"], line["action"], line["status"]) for line in lines(file)]
    asked = ("sent", "CALL", "TriggerMessage", "")
    assert spoken == [
        ("received", "CALL", "BootNotification", ""),
        ("sent", "CALLRESULT", "BootNotification", "Accepted"),
        ("received", "CALL", "Heartbeat", ""),
        ("sent", "CALLERROR", "Heartbeat", "FormatViolation"),
        ("received", "REFUSED", "", "RpcFrameworkError"),
        ("received", "STRAY", "", ""),
        ("received", "CALL", "Heartbeat", ""),
        ("sent", "CALLRESULT", "Heartbeat", ""),
        asked,
        ("received", "CALLRESULT", "TriggerMessage", "Accepted"),
        asked,
        ("received", "CALLRESULT", "TriggerMessage", "Rejected"),
        asked,
        ("received", "CALLERROR", "TriggerMessage", "InternalError"),
        asked,
        ("received", "NONE", "TriggerMessage", "timeout"),
    ]
    assert [(action, outcome) for action, outcome, _ in ended] == [
        ("TriggerMessage", outcome) for outcome in ("accepted", "rejected", "error", "timeout")
    ]
    assert ended[-1][2] >= 0.4


async def test_frames_of_a_2_1_connection_are_written_down_as_well(place, file):
    transcript = Transcript(file, lambda: AT)
    transcript.choose(["*"])
    await place.open(transcript=transcript)
    async with running(transcript):
        client = await place.connect(protocols=("ocpp2.1",))
        await client.boot()
        await client.send(
            6,
            "s1",
            "NotifyPeriodicEventStream",
            {"id": 1, "pending": 0, "basetime": "2026-03-03T12:00:00Z", "data": []},
        )
        await client.send(5, "boot", "FormatViolation", "", {})
        await client.call("Heartbeat", {}, "h2")
    assert {"SEND", "CALLRESULTERROR"} <= {line["type"] for line in lines(file)}


async def test_a_connection_of_another_station_is_not_written_down(place, transcript, file):
    transcript.choose(["Q3-002"])
    await place.open(transcript=transcript)
    async with running(transcript):
        client = await place.connect()
        await client.boot()
    assert not file.exists()


async def _until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)
