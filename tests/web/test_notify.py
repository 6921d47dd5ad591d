"""Notices arrive over real HTTP, though the receiver fails first; nothing waits for them, nothing secret is logged."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from reconciler.web import notify
from reconciler.web.notices import Event, Scene
from reconciler.web.notify import TRIES, Notifier, Pauses
from reconciler.web.receivers import Receiver
from reconciler.web.serve import ApiServer

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
CALM, STORM = Scene(NOW, "yard"), Scene(NOW, "yard", storm="9 of 12 drifted")
PAUSES = Pauses(lambda low, high: high, look_s=0.005, first_s=0.001)


@dataclass
class Elsewhere:
    """A receiver's server: answers as it is told, then 200; notes what came."""

    answers: list = field(default_factory=list)
    came: list = field(default_factory=list)
    port: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hooks/s3cret"

    async def take(self, request: Request):
        self.came.append((request.url.path, dict(request.headers), await request.body()))
        self.news.set()
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        return JSONResponse({}, status, headers=headers)


@pytest.fixture
async def elsewhere():
    elsewhere = Elsewhere()
    app = FastAPI()
    app.add_route("/{path:path}", elsewhere.take, methods=["POST"])
    server = ApiServer(app, "127.0.0.1", 0)
    await server.start()
    elsewhere.port = server.port
    yield elsewhere
    await server.stop()


class Told:
    """What is looked at, and what became of the notices."""

    def __init__(self):
        self.scene, self.results = CALM, asyncio.Queue()

    def look(self):
        if isinstance(self.scene, Exception):
            raise self.scene
        return self.scene

    async def result(self):
        return await asyncio.wait_for(self.results.get(), 5)


@asynccontextmanager
async def running(told, *receivers, pauses=PAUSES):
    task = asyncio.create_task(Notifier(receivers, told.look, told.results.put_nowait, pauses).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_notice_arrives_though_the_receiver_fails_first(elsewhere):
    elsewhere.answers = [(503, {}), (429, {"Retry-After": "0"}), (500, {"Retry-After": "soon"})]
    told = Told()
    async with running(told, Receiver("webhook", elsewhere.url, "t0ken")):
        told.scene = STORM
        assert await told.result() == "sent"
    assert len(elsewhere.came) == 4
    path, headers, body = elsewhere.came[-1]
    assert (path, headers["authorization"]) == ("/hooks/s3cret", "Bearer t0ken")
    assert b'"event":"drift-storm"' in body


async def test_a_text_is_sent_as_it_is(elsewhere):
    told = Told()
    async with running(told, Receiver("webhook", elsewhere.url, template="{{ message }}")):
        told.scene = STORM
        assert await told.result() == "sent"
    assert elsewhere.came[0][2] == b"9 of 12 drifted; repairs have stopped"


async def test_what_another_try_cannot_help_is_not_tried_again(elsewhere):
    elsewhere.answers = [(401, {})]
    told = Told()
    async with running(told, Receiver("webhook", elsewhere.url)):
        told.scene = STORM
        assert await told.result() == "failed"
    assert len(elsewhere.came) == 1


async def test_a_receiver_that_never_takes_it_is_given_up_and_no_secret_is_logged(elsewhere):
    elsewhere.answers = [(500, {})] * TRIES
    told = Told()
    with structlog.testing.capture_logs() as logs:
        async with running(told, Receiver("webhook", elsewhere.url, "t0ken")):
            told.scene = STORM
            assert await told.result() == "failed"
    assert len(elsewhere.came) == TRIES
    assert logs[-1]["error"] == "answered 500"
    assert logs[-1]["receiver"] == "webhook at 127.0.0.1"
    assert "s3cret" not in str(logs)
    assert "t0ken" not in str(logs)


async def test_a_receiver_that_is_not_there_is_given_up(unused_port):
    told = Told()
    async with running(told, Receiver("webhook", f"http://127.0.0.1:{unused_port}/")):
        told.scene = STORM
        assert await told.result() == "failed"


@pytest.fixture
def unused_port():
    server = ApiServer(FastAPI(), "127.0.0.1", 0)
    server._socket.close()
    return server.port


async def test_who_asked_for_something_else_is_not_told(elsewhere):
    told = Told()
    other = Receiver("webhook", f"{elsewhere.url}/other", events=frozenset({Event.ABORTED}))
    async with running(told, other, Receiver("webhook", elsewhere.url)):
        told.scene = STORM
        assert await told.result() == "sent"
    assert [path for path, _, _ in elsewhere.came] == ["/hooks/s3cret"]


async def test_a_template_that_fails_costs_its_notice_only(elsewhere):
    told = Told()
    broken = Receiver("webhook", elsewhere.url, events=frozenset({Event.DRIFT_STORM}), template="{{ nothing }}")
    async with running(told, broken, Receiver("webhook", elsewhere.url)):
        told.scene = STORM
        assert sorted([await told.result(), await told.result()]) == ["failed", "sent"]


async def test_an_address_that_cannot_be_is_given_up_without_being_shown(elsewhere):
    told = Told()
    odd, good = Receiver("webhook", "http://s3cret\x00.example.org/"), Receiver("webhook", elsewhere.url)
    with structlog.testing.capture_logs() as logs:
        async with running(told, odd, good):
            told.scene = STORM
            assert sorted([await told.result(), await told.result()]) == ["failed", "sent"]
    assert logs[-1]["error"] == "InvalidURL"


async def test_what_does_not_fit_into_the_queue_is_dropped_and_looking_goes_on(elsewhere, monkeypatch):
    monkeypatch.setattr(notify, "MOST_WAITING", 1)
    elsewhere.answers = [(500, {})] * 100
    told = Told()
    async with running(told, Receiver("webhook", elsewhere.url), pauses=Pauses(lambda low, high: 60.0, look_s=0.001)):
        told.scene = STORM
        await asyncio.wait_for(elsewhere.news.wait(), 5)
        while told.results.empty():
            told.scene = CALM if told.scene is STORM else STORM
            await asyncio.sleep(0.005)
        assert await told.result() == "dropped"


async def test_a_look_that_breaks_does_not_end_the_telling(elsewhere):
    told = Told()
    told.scene = ValueError("broken")
    with structlog.testing.capture_logs() as logs:
        async with running(told, Receiver("webhook", elsewhere.url)):
            while not logs:
                await asyncio.sleep(0.005)
            told.scene = STORM
            assert await told.result() == "sent"
    assert logs[0]["event"] == "nothing can be told"


def test_pauses_double_up_to_a_bound_and_respect_what_the_receiver_asks():
    pauses = Pauses(lambda low, high: low)
    assert [pauses.before(number) for number in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]
    assert (pauses.before(0, 12), pauses.before(0, 10_000)) == (12, 30)
