import asyncio
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.cli.observation import CountedJournal, CountedSource, Observation, open_transcript
from reconciler.controller.world import Storm, World
from reconciler.errors import StoreLost, Transient, UsageError
from reconciler.manifests.snapshot import Snapshot
from reconciler.rollout.ledger import Batch, Entry
from reconciler.stations.transcript import Spoken
from reconciler.web.measures import Measures
from reconciler.web.receivers import Receiver
from reconciler.web.serve import ApiServer

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
ENTRY = Entry(NOW, "A1", "verified", "")


def clock():
    return NOW


class Kept:
    """A journal that may be away."""

    def __init__(self):
        self.batches, self.away = [], False

    async def write(self, batch):
        if self.away:
            raise StoreLost("disk full")
        self.batches.append(batch)


async def test_only_lines_that_were_written_are_counted():
    measures, kept = Measures(), Kept()
    journal = CountedJournal(kept, measures)
    await journal.write(Batch((ENTRY, ENTRY)))
    kept.away = True
    with pytest.raises(StoreLost):
        await journal.write(Batch((ENTRY,)))
    assert measures.registry.get_sample_value("reconciler_history_rows_total") == 2
    assert kept.batches == [Batch((ENTRY, ENTRY))]


class Fetches:
    """A source that may be away."""

    def __init__(self):
        self.away = False

    async def fetch(self):
        if self.away:
            raise Transient("no network")
        return Snapshot("c1", "", None, "", {})


async def test_each_look_for_commits_is_counted_and_the_last_good_one_remembered():
    measures, fetches = Measures(), Fetches()
    source = CountedSource(fetches, measures, clock)
    assert (await source.fetch()).commit == "c1"
    fetches.away = True
    with pytest.raises(Transient):
        await source.fetch()
    counted = [
        measures.registry.get_sample_value("reconciler_fetches_total", {"result": each}) for each in ("ok", "failed")
    ]
    assert (counted, measures.fetched_at) == ([1, 1], NOW)


def test_the_help_says_that_the_log_of_frames_is_empty_until_stations_are_chosen():
    told = " ".join(CliRunner().invoke(app, ["run", "--help"]).stdout.split())
    assert "of nobody until they are chosen" in told
    assert "--frame-log ocpp-json.log --frame-log-stations 'Q3-*'" in told


def test_without_a_file_there_is_no_log_of_frames(tmp_path):
    assert open_transcript(None, [], clock) is None
    with pytest.raises(UsageError, match="--frame-log FILE says where"):
        open_transcript(None, ["*"], clock)
    for nowhere in (tmp_path, tmp_path / "no" / "ocpp-json.log"):
        with pytest.raises(UsageError, match="has to be a file"):
            open_transcript(nowhere, ["*"], clock)


async def test_a_scrape_shows_the_queue_and_the_frames_not_written(tmp_path):
    controller = SimpleNamespace(world=World(), queued=7)
    stations = SimpleNamespace(all_frames=dict)
    transcript = open_transcript(tmp_path / "frames.log", ["*"], clock)
    transcript.dropped = 3
    shown = Observation(transcript=transcript).metrics(controller, stations, clock).write()
    assert b"reconciler_queued_events 7.0" in shown
    assert b"reconciler_frame_log_dropped_total 3.0" in shown
    assert b"reconciler_frame_log_dropped_total 0.0" in Observation().metrics(controller, stations, clock).write()


async def test_frames_taken_until_the_end_are_written(tmp_path):
    file = tmp_path / "frames.log"
    observation = Observation(transcript=open_transcript(file, ["*"], clock))
    async with observation.running(SimpleNamespace(world=World()), clock):
        observation.transcript.note(Spoken("A1", "sent", "CALL", "Reset", "1", {}))
    assert json.loads(file.read_text())["action"] == "Reset"


async def test_receivers_are_told_while_it_runs_and_it_ends_with_the_program():
    came = asyncio.Queue()
    app = FastAPI()

    @app.post("/")
    async def take(request: Request):
        came.put_nowait(await request.json())

    server = ApiServer(app, "127.0.0.1", 0)
    await server.start()
    observation = Observation(receivers=(Receiver("webhook", f"http://127.0.0.1:{server.port}/"),))
    async with observation.running(SimpleNamespace(world=World(storm=Storm(NOW, 9, 12))), clock):
        notice = await asyncio.wait_for(came.get(), 5)
    await server.stop()
    assert notice["event"] == "drift-storm"


async def test_with_nothing_to_write_and_nobody_to_tell_nothing_runs():
    before = asyncio.all_tasks()
    async with Observation().running(SimpleNamespace(world=World()), clock):
        assert asyncio.all_tasks() == before
