import asyncio
import signal

import httpx
import pytest
from fastapi import FastAPI

from reconciler.errors import UsageError
from reconciler.web.serve import ApiServer


@pytest.fixture
async def server():
    app = FastAPI()

    @app.get("/")
    async def hello() -> dict[str, bool]:
        return {"ok": True}

    server = ApiServer(app, "127.0.0.1", 0)
    await server.start()
    yield server
    await server.stop()


async def test_it_serves_once_it_has_started(server):
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{server.host}:{server.port}/")
    assert answer.json() == {"ok": True}


async def test_it_leaves_signals_to_the_program():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    server = ApiServer(FastAPI(), "127.0.0.1", 0)
    await server.start()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    await server.stop()


async def test_nothing_is_served_after_the_stop():
    server = ApiServer(FastAPI(), "127.0.0.1", 0)
    await server.start()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(server.host, server.port)


async def test_stopping_before_the_start_lets_the_address_go():
    server = ApiServer(FastAPI(), "127.0.0.1", 0)
    await server.stop()
    again = ApiServer(FastAPI(), "127.0.0.1", server.port)
    await again.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "no.such.host.invalid"])
async def test_an_address_that_cannot_be_had_is_an_error_of_the_caller(server, host):
    with pytest.raises(UsageError, match="can't listen"):
        ApiServer(FastAPI(), host, server.port)
