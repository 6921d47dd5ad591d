"""`explain --at` from end to end: from a running controller's steering, from its database, and over its API."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.cli.steering import Steering
from reconciler.controller.dossier import write_station
from reconciler.controller.loop import Controller
from reconciler.controller.world import Settings
from reconciler.errors import StoreLost, UsageError
from reconciler.rollout.ledger import Batch, KeptRevision, Kind
from reconciler.store.store import Store
from toys import NOON, ToyFleet, revision, shipped

MADE = revision(commit="feed0001")
AT = NOON + timedelta(hours=2)


@pytest.fixture
def fleet():
    return ToyFleet().load(MADE).connect().run()


@pytest.fixture
async def store(tmp_path, fleet):
    opened = await Store.open(str(tmp_path / "kept.db"), fleet="toys")
    lines = sorted((*fleet.history, *fleet.intents, *fleet.echoes), key=lambda each: each.at)
    kept = KeptRevision("feed0001", "toys", "toys", "Ada", "", None, NOON, "taken", files=MADE.snapshot.files)
    station = write_station(fleet.world.stations["a-1"])
    await opened.write(Batch(tuple(lines), {(Kind.STATION, "a-1"): station}, (kept,)))
    yield opened
    await opened.close()


def explain(tmp_path, *words):
    return CliRunner().invoke(app, ["explain", *words, "--store", str(tmp_path / "kept.db")])


async def test_the_database_alone_tells_what_was_sent_and_whose_line_it_was(store, tmp_path):
    ended = await asyncio.to_thread(explain, tmp_path, "A-1", "--at", AT.isoformat())
    assert ended.exit_code == 0, ended.stderr
    assert "EVSE 1: setpoint -7 kW" in ended.stdout
    assert "made again it is what was sent" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 100
    ended = await asyncio.to_thread(explain, tmp_path, "A-1", "--at", AT.isoformat(), "-o", "json")
    assert json.loads(ended.stdout)["evses"][0]["told"]["asSent"] is True


async def test_what_the_database_has_lost_of_a_station_and_of_a_commit_is_done_without(store, tmp_path):
    gone = KeptRevision("feed0001", "toys", "toys", "Ada", "", None, NOON, "taken")
    await store.write(Batch((), {(Kind.STATION, "a-1"): {"identity": 7}}, (gone,)))
    ended = await asyncio.to_thread(explain, tmp_path, "A-1", "--at", AT.isoformat())
    assert ended.exit_code == 0, ended.stderr
    assert "can't be made again" in ended.stdout
    assert "commit feed0001 by Ada" in ended.stdout
    nonsense = replace(gone, files={"fleet.yaml": "nonsense: 1"})
    await store.write(Batch((), {(Kind.STATION, "a-1"): None}, (nonsense,)))
    assert "can't be made again" in (await asyncio.to_thread(explain, tmp_path, "A-1", "--at", AT.isoformat())).stdout


async def test_a_running_controller_looks_back_with_what_it_follows_and_what_it_keeps(store, fleet):
    def git(commit):
        raise UsageError(f"there is no commit {commit}")

    controller = Controller(None, shipped(), lambda: NOON, Settings())
    kept, followed, forgetful = Steering(controller, git, store), Steering(controller, git), Steering(controller, git)
    view = await kept.look_back("A-1", AT)
    assert view["evses"][0]["told"]["asSent"] is True
    controller.history.extend(sorted((*fleet.history, *fleet.intents), key=lambda each: each.at))
    controller.recorded = len(controller.history)
    assert (await forgetful.look_back("A-1", AT))["evses"][0]["told"] is None
    controller.world = fleet.world
    assert (await followed.look_back("A-1", AT))["evses"][0]["told"]["setpointW"] == -7000


async def test_a_database_that_is_away_is_not_taken_for_a_commit_that_is_gone(store, fleet):
    class Away:
        """A store that can answer about lines, and not about commits."""

        page = store.page

        async def revision(self, commit):
            raise StoreLost("the disk is gone")

    controller = Controller(None, shipped(), lambda: NOON, Settings())
    with pytest.raises(StoreLost):
        await Steering(controller, None, Away()).look_back("A-1", AT)


@pytest.mark.parametrize(
    "words",
    [
        ("A-1", "--store", "kept.db"),
        ("A-1", "--at", "1h", "--store", "kept.db", "--server", "http://localhost:1"),
        ("A-1", "--at", "18:10"),
    ],
)
def test_what_can_not_be_asked_of_the_past_is_a_usage_error(words):
    assert CliRunner().invoke(app, ["explain", *words]).exit_code == 64


def test_a_running_controller_is_asked_over_its_api(answers, reconciler):
    view = {"identity": "A1", "at": "2026-03-03T14:00:00Z", "timezone": "Europe/Amsterdam", "evses": [], "since": []}
    answers.by_path["/api/v1/stations/A1/explain"] = view
    shown = reconciler("explain", "A1", "--at", "2026-03-03T15:00:00+01:00").stdout
    assert shown.startswith("A1 at 2026-03-03 15:00:00 Europe/Amsterdam\n")
    assert answers.asked[-1][1] == "/api/v1/stations/A1/explain?at=2026-03-03T14%3A00%3A00Z"
