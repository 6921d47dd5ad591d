import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from schemathesis import openapi

from reconciler.controller.world import Recording
from reconciler.reported.events import RawAnswered
from reconciler.reported.saved import read_state
from reconciler.web.api import MOST_BYTES, Ports, make_app
from reconciler.web.measures import Measures
from reconciler.web.metrics import Metrics, Sources


class Controlled:
    """A controller whose world the yard moves, and whose stations answer what a test says."""

    def __init__(self, yard):
        self.yard, self.asked, self.answers = yard, [], True

    @property
    def world(self):
        return self.yard.world

    @property
    def history(self):
        return self.yard.history

    @property
    def recorded(self):
        return len(self.yard.history)

    async def ask(self, request, who, *, force=False):
        self.asked.append((request.station, request.action, request.payload, who, force))
        match self.answers:
            case True:
                return RawAnswered(request.station, request.ticket, True, {"status": "Accepted"})
            case str(error):
                return SimpleNamespace(error=error)
        return await asyncio.Event().wait()


@pytest.fixture
def controlled(yard):
    return Controlled(yard)


@pytest.fixture
def heard():
    return [True]


@dataclass
class Chosen:
    """A log of frames that notes whom it is to listen to."""

    chosen: tuple = ()
    dropped: int = 3

    def choose(self, patterns):
        self.chosen = tuple(patterns)


@pytest.fixture
def ports(controlled, heard, steered):
    counting = SimpleNamespace(all_frames=lambda: {"GetVariables": 2})
    now = lambda: controlled.yard.now  # noqa: E731
    metrics = Metrics(Measures(), Sources(controlled, counting, now))
    return Ports(controlled, counting, now, lambda: heard[0], 0.2, metrics.write, Chosen(), steered)


@pytest.fixture
def app(ports):
    return make_app(ports)


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        yield client


async def test_the_metrics_can_be_scraped(client):
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"\nreconciler_stations_connected 0.0\n" in answer.content


async def test_whose_frames_are_written_down_is_chosen_while_it_runs(client, ports):
    answer = await client.put("/api/v1/frame-log", json={"stations": ["Q3-*"]})
    assert answer.json() == {"stations": ["Q3-*"], "dropped": 3}
    assert ports.frame_log.chosen == ("Q3-*",)
    assert await get(client, "/api/v1/frame-log") == {"stations": ["Q3-*"], "dropped": 3}
    assert (await client.put("/api/v1/frame-log", json={"stations": [""]})).status_code == 422


async def test_without_metrics_and_a_log_of_frames_there_are_none(ports):
    app = make_app(replace(ports, metrics=None, frame_log=None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        await get(client, "/metrics", 404)
        assert await get(client, "/api/v1/frame-log") == {"stations": [], "dropped": 0}
        answer = await client.put("/api/v1/frame-log", json={"stations": ["A1"]})
    assert (answer.status_code, "--frame-log FILE" in answer.json()["hint"]) == (409, True)


async def get(client, path, status=200, **params):
    answer = await client.get(path, params=params or None)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_process_is_ready_once_it_listens_and_a_revision_is_loaded(client, heard, controlled):
    assert await get(client, "/healthz") == {"ok": True}
    assert await get(client, "/readyz") == {"ok": True, "readOnly": False}
    loaded = controlled.yard.world
    controlled.yard.world = replace(loaded, recording=Recording(ok=False, why="disk full"))
    assert await get(client, "/readyz") == {"ok": True, "readOnly": True}
    heard[0] = False
    assert "not listening" in (await get(client, "/readyz", 503))["error"]
    heard[0], controlled.yard.world = True, type(controlled.world)()
    assert "no revision" in (await get(client, "/readyz", 503))["error"]
    assert await get(client, "/healthz") == {"ok": True}


async def test_the_api_serves_each_view(client, yard):
    yard.connect("A1")
    assert (await get(client, "/api/v1/status"))["frames"] == {"GetVariables": 2}
    assert [each["name"] for each in await get(client, "/api/v1/groups")] == ["night"]
    assert [each["identity"] for each in await get(client, "/api/v1/stations", state="in-sync")] == ["A1"]
    assert [each["identity"] for each in await get(client, "/api/v1/stations", label="line=night")] == ["A1", "A2"]
    assert (await get(client, "/api/v1/stations/a1"))["state"] == "in-sync"
    assert (await get(client, "/api/v1/stations/A1/explain"))["evses"][0]["leader"] == 810011
    assert await get(client, "/api/v1/drift") == []
    assert len(await get(client, "/api/v1/history", station="A1", limit=1)) == 1
    assert [each["name"] for each in await get(client, "/api/v1/sites")] == ["quay"]


async def test_an_instant_gone_by_is_explained_from_the_history(client, yard, steered):
    yard.connect("A1")
    yard.now += timedelta(minutes=10)
    path = "/api/v1/stations/a1/explain"
    view = await get(client, path, at=yard.now.isoformat())
    assert (view["identity"], view["evses"][0]["told"]["setpointW"]) == ("A1", -7000)
    assert "still to come" in (await get(client, path, 409, at="2031-01-01T00:00:00Z"))["error"]
    assert "nothing about 'a1'" in (await get(client, path, 404, at="2020-01-01T00:00:00Z"))["error"]
    await get(client, path, 422, at="18:10")
    steered.lost = "the disk is full"
    assert (await get(client, path, 503, at=yard.now.isoformat()))["error"] == "the disk is full"


async def test_without_a_keeper_nothing_of_the_past_is_explained(ports):
    app = make_app(replace(ports, steering=None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        answer = await get(client, "/api/v1/stations/a1/explain", 409, at="2020-01-01T00:00:00Z")
    assert "keeps no past" in answer["error"]


async def test_the_state_can_be_read_back_as_a_saved_state(client, yard):
    yard.connect("A1")
    state = read_state(await get(client, "/api/v1/state"))
    assert (state.revision, state.at, set(state.stations)) == ("c0ffee", yard.now, {"a1"})
    assert state.stations["a1"].reported.held == yard.world.stations["a1"].reported.held
    yard.world = type(yard.world)()
    assert (await get(client, "/api/v1/state"))["revision"] == ""


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/api/v1/stations/nobody", 404, "nobody"),
        ("/api/v1/stations/nobody/explain", 404, "nobody"),
        ("/api/v1/stations/A11/explain", 404, "there is no station 'A11' in the fleet; did you mean A1?"),
        ("/api/v1/stations?state=fine", 422, "in-sync"),
        ("/api/v1/stations?label=line", 422, "label"),
        ("/api/v1/history?limit=0", 422, "limit"),
        ("/nothing", 404, "Not Found"),
    ],
)
async def test_every_error_says_what_is_wrong_as_json(client, path, status, word):
    problem = await get(client, path, status)
    assert set(problem) == {"error", "hint"}
    assert word in problem["error"]


async def post(client, identity="a1", **body):
    return await client.post(f"/api/v1/stations/{identity}/send", json={"action": "TriggerMessage", **body})


async def test_a_request_by_hand_is_passed_on_and_its_answer_given(client, controlled):
    answer = await post(client, payload={"requestedMessage": "Heartbeat"}, who="ada", force=True)
    assert answer.json() == {"ok": True, "answer": {"status": "Accepted"}}
    assert controlled.asked == [("A1", "TriggerMessage", {"requestedMessage": "Heartbeat"}, "ada", True)]


async def test_what_the_controller_will_not_send_is_a_conflict(client, controlled):
    controlled.answers = "profile id 810011 belongs to the fleet"
    answer = await post(client)
    assert (answer.status_code, answer.json()["error"]) == (409, "profile id 810011 belongs to the fleet")


async def test_a_request_without_an_answer_ends(client, controlled):
    controlled.answers = None
    answer = await post(client)
    assert answer.status_code == 504
    assert "may have been carried out" in answer.json()["hint"]


@pytest.mark.parametrize("body", [{"action": "No such!"}, {"payload": []}, {"other": 1}, {"who": "x" * 101}])
async def test_a_request_of_the_wrong_shape_reaches_nobody(client, controlled, body):
    assert (await post(client, **body)).status_code == 422
    assert controlled.asked == []


async def test_a_body_beyond_the_bound_is_refused_before_it_is_read(client, controlled):
    large = b"x" * (MOST_BYTES + 1)

    async def drip():
        for start in range(0, len(large), 1 << 16):
            yield large[start : start + (1 << 16)]

    for content in (large, drip()):
        answer = await client.post("/api/v1/stations/a1/send", content=content)
        assert answer.status_code == 413
        assert answer.json()["hint"] == f"at most {MOST_BYTES} bytes"
    assert controlled.asked == []


def test_the_api_keeps_to_its_own_description(app):
    schema = openapi.from_asgi("/openapi.json", app)
    operations = [operation.ok() for operation in schema.get_all_operations()]
    assert len(operations) == 22
    for operation in operations:
        _hold(operation)


def _hold(operation):
    from hypothesis import HealthCheck, given, settings

    @settings(max_examples=8, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def check(case):
        case.call_and_validate()

    check()
