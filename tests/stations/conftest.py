"""A real server on localhost and real WebSocket clients that play stations."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from websockets.asyncio.client import connect

from reconciler.ocpp.inventory import Patience
from reconciler.stations.server import StationServer
from reconciler.stations.terms import House, Terms

SHORT = Terms(
    timeout=timedelta(milliseconds=400),
    patience=Patience(
        first=timedelta(milliseconds=400), settle=timedelta(milliseconds=30), announced=timedelta(milliseconds=150)
    ),
    boot_wait=timedelta(milliseconds=50),
    max_bytes=10_000,
)
WAIT = 5


class Events:
    """What was reported, in order; `next` waits for the next event of a type."""

    def __init__(self):
        self.all, self._waiting = [], asyncio.Queue()

    def report(self, event):
        self.all.append(event)
        self._waiting.put_nowait(event)

    async def next(self, kind):
        async with asyncio.timeout(WAIT):
            while not isinstance(event := await self._waiting.get(), kind):
                pass
        return event

    def of(self, kind):
        return [event for event in self.all if isinstance(event, kind)]


class Client:
    """One station: reads frames as JSON, writes what it is told."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, *frame):
        await self.socket.send(json.dumps(frame))

    async def raw(self, text):
        await self.socket.send(text)

    async def read(self):
        async with asyncio.timeout(WAIT):
            return json.loads(await self.socket.recv())

    async def read_call(self, action):
        frame = await self.read()
        assert (frame[0], frame[2]) == (2, action)
        return frame[1], frame[3]

    async def call(self, action, payload, id_="s1"):
        await self.send(2, id_, action, payload)
        return await self.read()

    async def boot(self):
        station = {"model": "dc22", "vendorName": "acme"}
        return await self.call("BootNotification", {"reason": "PowerUp", "chargingStation": station}, "boot")

    async def closed(self):
        async with asyncio.timeout(WAIT):
            await self.socket.wait_closed()
        return self.socket.close_code


class Place:
    """A server, its events, and a way to connect stations to it."""

    def __init__(self, stack):
        self.stack, self.events, self.server = stack, Events(), None

    async def open(self, known=("q3-001", "q3-002"), credentials=None, **changes):
        terms = replace(SHORT, **{name: changes.pop(name) for name in list(changes) if hasattr(SHORT, name)})
        house = House(lambda: datetime.now(UTC), self.events.report, terms=terms, **changes)
        self.server = StationServer(house, lambda key: key in known, port=0, credentials=credentials)
        await self.server.start()
        self.stack.push_async_callback(self.server.stop)
        return self

    def url(self, path="Q3-001"):
        host, port = self.server.address
        return f"ws://{host}:{port}/ocpp/{path}"

    async def connect(self, path="Q3-001", protocols=("ocpp2.0.1",), **options):
        socket = await connect(self.url(path), subprotocols=list(protocols) or None, proxy=None, **options)
        self.stack.push_async_callback(socket.close)
        return Client(socket)


@pytest.fixture
async def place():
    async with AsyncExitStack() as stack:
        yield Place(stack)
