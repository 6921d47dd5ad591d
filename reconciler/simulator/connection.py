"""SHELL: one simulated station's life on the network. It connects, serves, loses the connection and comes back.

`fleet` runs one for each station: a task that reads and, while connected, one that writes. It wakes at the instants
that the station names, by one timer of the event loop. What a station says and does is decided in `station` and `desk`.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from reconciler.ocpp.session import Answered, Called, Event, Failed, Fate, Session, TimedOut
from reconciler.simulator.desk import Answer, Reply, handle
from reconciler.simulator.faults import treat
from reconciler.simulator.messages import Request
from reconciler.simulator.station import SimulatedStation

log = structlog.get_logger()
_QUIET = logging.getLogger("reconciler.simulator.websockets")
_QUIET.setLevel(logging.CRITICAL)  # the library writes request headers, and so passwords, at lower levels
MAX_BYTES = 1 << 20
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Time-outs run by the event loop's own clock, counted from here, however fast the stations' clock runs."""
LEAST_WAIT_S = 0.001
LONGEST_WAIT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long a station waits before it connects again: real seconds, doubled after each vain try."""

    least_s: float = 1.0
    spread_s: float = 1.0
    doublings: int = 5

    def wait_s(self, tries: int, chance: float) -> float:
        """Give the wait after so many vain tries, by a number drawn evenly from [0, 1)."""
        return float((self.least_s + self.spread_s * chance) * 2 ** min(tries, self.doublings))


@dataclass(frozen=True, slots=True)
class Network:
    """What all connections of a process share; `gate` bounds how many are opening at once."""

    url: str
    clock: Callable[[], datetime]
    speed: float
    back_off: BackOff
    chance: random.Random
    timeout: timedelta
    gate: asyncio.Semaphore
    passwords: Callable[[str], str | None]
    pulse: Callable[[], None]


class Connection:
    """A station with its socket, or on its way to one."""

    def __init__(self, station: SimulatedStation, network: Network) -> None:
        self.station, self._network = station, network
        self._session: Session | None = None
        self._socket: ClientConnection | None = None
        self._flying: dict[str, Request] = {}
        self._stir = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._late: set[asyncio.TimerHandle] = set()
        self._prefix, self._calls, self._tries = f"{network.chance.getrandbits(64):016x}", 0, 0

    @property
    def online(self) -> bool:
        """Tell whether the station is connected."""
        return self._session is not None

    def now(self) -> datetime:
        """Give the station's own time."""
        return self._network.clock() + self.station.faults.clock

    def stir(self) -> None:
        """Have the writer look again: something may be due."""
        self._stir.set()

    def cut(self) -> None:
        """Drop the connection without a close frame."""
        if self._socket is not None:
            self._socket.transport.abort()

    def restart(self, *, keep_memory: bool | None = None, reason: str = "PowerUp") -> None:
        """Restart the station, which drops the connection as well."""
        self.station.reboot(self.now(), keep_memory=keep_memory, reason=reason)
        self.cut()

    async def live(self) -> None:
        """Connect, serve and come back, until cancelled."""
        while True:
            try:
                await self._visit()
            except (OSError, WebSocketException) as error:
                log.debug("not connected", station=self.station.identity, why=type(error).__name__)
            wait_s = self._network.back_off.wait_s(self._tries, self._network.chance.random())
            self._tries += 1
            await asyncio.sleep(wait_s)

    async def _visit(self) -> None:
        async with self._network.gate:
            socket = await self._open()
        writer: asyncio.Task[None] | None = None
        try:
            if socket.subprotocol == self.station.plate.protocol.value:
                self._begin(socket)
                writer = asyncio.create_task(self._write(socket))
                writer.add_done_callback(lambda _: self.cut())
                async for text in socket:
                    self._receive(text)
        finally:
            self._end()
            if writer is not None:
                await _finish(writer)
            await socket.close()

    async def _open(self) -> ClientConnection:
        station, network = self.station, self._network
        password = network.passwords(station.identity)
        return await connect(
            f"{network.url.rstrip('/')}/{quote(station.identity, safe='')}",
            subprotocols=[Subprotocol(station.plate.protocol)],
            additional_headers=_authorization(station.identity, password) if password is not None else None,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            max_size=MAX_BYTES,
            proxy=None,
            logger=_QUIET,
        )

    def _begin(self, socket: ClientConnection) -> None:
        self._socket, self._session, self._tries = (
            socket,
            Session(self.station.plate.protocol, timeout=self._network.timeout),
            0,
        )
        self.station.connected(self.now())
        if self.station.faults.cut is not None:
            self._later(self.station.faults.cut, self.cut)
        self._network.pulse()

    def _end(self) -> None:
        """Take the connection as lost: what was under way has an unknown outcome."""
        for timer in (self._timer, *self._late):
            if timer is not None:
                timer.cancel()
        self._timer, session = None, self._session
        self._late.clear()
        if session is None:
            return
        self._session = self._socket = None
        self.station.disconnected(self.now())
        for event in session.close():
            self._take(event)
        self._network.pulse()

    async def _write(self, socket: ClientConnection) -> None:
        """Write what there is to say, then sleep until something stirs."""
        while self._session is not None:
            self._stir.clear()
            self._speak(self._session)
            for text in self._session.outgoing():
                await socket.send(text)
            self._network.pulse()
            if self.station.restart_wanted:
                self.restart(reason="RemoteReset")
            self._arm()
            await self._stir.wait()

    def _speak(self, session: Session) -> None:
        now, wire_now = self.now(), self._wire_now()
        self.station.tick(now)
        for event in session.tick(wire_now):
            self._take(event)
        if session.idle and (request := self.station.next_call(now)) is not None:
            self._calls += 1
            id_ = f"{self._prefix}-{self._calls}"
            self._flying[id_] = request
            session.call(request.action, request.payload, wire_now, id_)

    def _receive(self, text: str | bytes) -> None:
        assert self._session is not None  # noqa: S101 - it ends with the reader
        for event in self._session.receive(text, self._wire_now()):
            self._take(event)
        self.stir()
        self._network.pulse()

    def _take(self, event: Event) -> None:
        match event:
            case Called(id_, action, payload):
                self._serve(Called(id_, action, payload))
            case Answered(id_, _, payload):
                self.station.answered(self._flying.pop(id_), payload, self.now())
            case Failed(id_, _, _, _, fate):
                self.station.unanswered(self._flying.pop(id_), self.now(), refused=fate is Fate.REFUSED)
            case TimedOut(id_, _):
                self.station.unanswered(self._flying.pop(id_), self.now())
            case _:
                log.debug("odd message", station=self.station.identity, what=type(event).__name__)

    def _serve(self, call: Called) -> None:
        faults, session = self.station.faults, self._session
        assert session is not None  # noqa: S101 - a closed session calls nothing
        treatment = treat(faults, call.action, self._network.chance.random())
        if not treatment.heard:
            return
        reply = handle(self.station, call.action, call.payload, self.now())
        if faults.early_reports and call.action == "GetChargingProfiles":
            self._speak(session)
        if treatment.answered and treatment.delay:
            self._later(treatment.delay, lambda: self._reply(session, call.id, reply))
        elif treatment.answered:
            self._reply(session, call.id, reply)

    def _reply(self, session: Session, id_: str, reply: Reply) -> None:
        if isinstance(reply, Answer):
            session.answer(id_, reply.payload)
        else:
            session.refuse(id_, reply.code, reply.description)
        self.stir()

    def _arm(self) -> None:
        """Set the one timer to the next instant at which the station or its session has something to do."""
        if self._timer is not None:
            self._timer.cancel()
        waits = list(self._waits())
        self._timer = None
        if waits:
            wait_s = min(max(min(waits), LEAST_WAIT_S), LONGEST_WAIT_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self.stir)

    def _waits(self) -> tuple[float, ...]:
        now, session = self.now(), self._session
        change = self.station.next_change(now)
        deadline = session.next_deadline if session else None
        by_clock = () if change is None else ((change - now).total_seconds() / self._network.speed,)
        by_loop = () if deadline is None else ((deadline - self._wire_now()).total_seconds(),)
        return (*by_clock, *by_loop)

    def _later(self, delay: timedelta, act: Callable[[], None]) -> None:
        """Do something after a real time, unless the connection is lost before."""

        def run() -> None:
            self._late.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(delay.total_seconds(), run)
        self._late.add(timer)

    def _wire_now(self) -> datetime:
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


async def _finish(writer: asyncio.Task[None]) -> None:
    """End a writer; that its connection broke is no news, anything else is a fault of this program."""
    writer.cancel()
    (outcome,) = await asyncio.gather(writer, return_exceptions=True)
    if isinstance(outcome, Exception) and not isinstance(outcome, OSError | WebSocketException):
        raise outcome


def _authorization(identity: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{identity}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}
