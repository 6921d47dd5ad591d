"""One open socket of one station: the loop that feeds the session, and the queue of commands beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from secrets import randbelow
from typing import assert_never
from uuid import uuid4

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from reconciler.errors import ProtocolError, Transient
from reconciler.ocpp import answers
from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.frames import ErrorCode
from reconciler.ocpp.inventory import Complete, Inventory, Unknown
from reconciler.ocpp.notices import notices, place
from reconciler.ocpp.session import (
    Answered,
    Called,
    Disputed,
    Ending,
    Event,
    Failed,
    Fate,
    Refused,
    Sent,
    Session,
    Stray,
    TimedOut,
    outcome,
)
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject
from reconciler.reported.events import Connected, Disconnected, Ready
from reconciler.rollout.commands import StationCommand
from reconciler.stations.conduct import carry_out, undone
from reconciler.stations.terms import House
from reconciler.stations.transcript import Direction, Spoken

MAX_TRANSACTIONS = 64
_LOG = structlog.get_logger("stations")
_REQUEST_IDS = count(1 + randbelow(1 << 29))
"""Begins anywhere, so that a report asked for by an earlier process is not taken for one of ours."""


class Link:
    """The life of one connection: `run` until the socket closes, `submit` commands, `end` from outside."""

    def __init__(
        self,
        socket: ServerConnection,
        identity: str,
        number: int,
        house: House,
        counted: Callable[[str], None],
    ) -> None:
        self.identity, self.number = identity, number
        self.protocol = protocol = Protocol(socket.subprotocol or "")
        self.since = self.heard = house.clock()
        self._socket, self._house, self._counted = socket, house, counted
        self._session = Session(protocol, timeout=house.terms.timeout, max_bytes=house.terms.max_bytes)
        self._commands: list[StationCommand] = []
        self._worker: asyncio.Task[None] | None = None
        self._asked: dict[str, tuple[asyncio.Future[Ending], float]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._inventory: Inventory | None = None
        self._news: asyncio.Event | None = None
        self._ended: asyncio.Event | None = None
        self._evses: dict[str, int] = {}
        self._timeouts = 0
        self._ready = False

    @property
    def _ending(self) -> bool:
        return self._ended is not None

    @property
    def _log(self) -> structlog.stdlib.BoundLogger:
        """Give a logger that names the station: made when there is something to say, for most are silent for hours."""
        bound: structlog.stdlib.BoundLogger = _LOG.bind(station=self.identity, session=self.number)
        return bound

    def now(self) -> datetime:
        """Give the instant."""
        return self._house.clock()

    async def run(self) -> None:
        """Talk until the socket is closed; whatever ends it, everything that was begun is reported as ended."""
        self._house.report(Connected(self.identity, self.protocol, self.number))
        self._log.info("station connected", protocol=self.protocol.version)
        self._set_timer("boot", self._house.terms.boot_wait, self._become_ready)
        self._set_timer("silence", self._house.terms.silence, self._check_silence)
        try:
            async for message in self._socket:
                await self._take(message)
                await asyncio.sleep(0)  # a station that never pauses must not starve the others
        except ConnectionClosed:
            pass
        except Exception:  # noqa: BLE001 - what goes wrong with one station must not be lost, nor reach another
            self._log.exception("connection failed")
        finally:
            await self.end()

    def submit(self, command: StationCommand) -> None:
        """Queue a command; it is carried out after those before it, and ends in one event."""
        if self._ending or len(self._commands) >= self._house.terms.max_commands:
            why = "the station is gone" if self._ending else "too many commands are waiting"
            asyncio.get_running_loop().call_soon(self._house.report, undone(command, why))
            return
        self._commands.append(command)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def ask(self, action: str, payload: JsonObject) -> Ending:
        """Send a request and wait for its end."""
        id_ = str(uuid4())
        try:
            self._session.call(action, payload, self.now(), id_)
        except (Transient, ProtocolError) as error:
            return Failed(id_, action, ErrorCode.GENERIC, str(error), Fate.UNSENT)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Ending] = loop.create_future()
        self._asked[id_] = (future, loop.time())
        self._counted(action)
        self._write_down("sent", "CALL", (action, id_), payload)
        await self._flush()
        return await future

    async def take_stock(self) -> Complete | Unknown | Ending:
        """Ask for all profiles and wait until the reports have come to rest."""
        request_id = next(_REQUEST_IDS)
        # Known before it is sent: some stations report before they answer.
        self._inventory = Inventory(request_id, self.now(), self._house.terms.patience)
        ending = await self.ask("GetChargingProfiles", dialect(self.protocol).get_profiles(request_id))
        if not isinstance(ending, Answered):
            self._inventory = None
            return ending
        self._inventory = self._inventory.answered(str(ending.payload.get("status")), self.now())
        return await self._settled()

    async def end(self) -> None:
        """End everything that was begun, report each end and then the station as gone; done twice it is done once."""
        if self._ended is not None:
            await self._ended.wait()
            return
        self._ended = asyncio.Event()
        for timer in self._timers.values():
            timer.cancel()
        for event in self._session.close():
            self._settle(event)
        self._hear()
        if self._worker is not None:
            await self._worker
        self._house.report(Disconnected(self.identity, self.number))
        self._log.info("station disconnected")
        self._ended.set()

    async def hang_up(self, code: int, reason: str) -> None:
        """Close the socket."""
        await self._socket.close(code, reason)

    async def _settled(self) -> Complete | Unknown:
        spoken, news = dialect(self.protocol), asyncio.Event()
        self._news = news
        while self._inventory is not None and not self._ending:
            if outcome := self._inventory.outcome(self.now(), spoken):
                self._inventory = self._news = None
                return outcome
            news.clear()
            wait = (self._inventory.due - self.now()).total_seconds()
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), max(wait, 0.001))
        self._inventory = self._news = None
        return Unknown("the connection was closed")

    async def _work(self) -> None:
        while self._commands:
            command = self._commands.pop(0)
            try:
                event = await carry_out(command, self)
            except Exception as error:  # noqa: BLE001 - a command without an event would hold its station up for ever
                self._log.exception("command failed", command=type(command).__name__)
                event = undone(command, f"failed here: {type(error).__name__}")
            self._house.report(event)

    async def _take(self, message: str | bytes) -> None:
        self.heard = self.now()
        for event in self._session.receive(message, self.heard):
            await self._handle(event)
        await self._flush()

    async def _handle(self, event: Event) -> None:
        match event:
            case Called(id_, action, payload):
                self._write_down("received", "CALL", (action, id_), payload)
                await self._answer(event)
            case Answered() | Failed() | TimedOut():
                self._settle(event)
            case Refused(id_, code, description):
                self._write_down("received", "REFUSED", ("", id_), {"description": description}, code)
                self._log.warning("message refused", code=code, description=description)
            case Disputed(id_, code, description):
                self._write_down("received", "CALLRESULTERROR", ("", id_), {"description": description}, code)
                self._log.warning("answer disputed", code=code, description=description)
            case Stray(id_, why):
                self._write_down("received", "STRAY", ("", id_), {"why": why})
                self._log.info("stray message", why=why)
            case Sent(action, payload):
                self._write_down("received", "SEND", (action, ""), payload)
                self._log.debug("unconfirmed message", action=action[:50])
            case _:  # pragma: no cover
                assert_never(event)

    async def _answer(self, call: Called) -> None:
        """Answer first, so that nothing the message means can hold its answer back."""
        admission = self._house.admission(self.identity)
        try:
            answer = answers.answer(self.protocol, call.action, call.payload, self.now(), admission)
        except ProtocolError as error:
            self._session.refuse(call.id, error.code, error.description)
            flaw = {"description": error.description}
            self._write_down("sent", "CALLERROR", (call.action, call.id), flaw, error.code)
            self._log.warning("call refused", action=call.action[:50], code=error.code, description=error.description)
            return
        if answer.flaw:
            self._log.warning("call against the schema", action=call.action, flaw=answer.flaw)
        self._session.answer(call.id, answer.payload)
        self._write_down("sent", "CALLRESULT", (call.action, call.id), answer.payload)
        await self._flush()
        self._note(call)
        if admission.status == "Accepted":
            self._become_ready()

    def _note(self, call: Called) -> None:
        if call.action == "ReportChargingProfiles" and self._inventory is not None:
            self._inventory = self._inventory.told(call.payload, self.now())
            self._hear()
        if call.action == "TransactionEvent":
            self._place(call.payload)
        for event in notices(self.identity, call.action, call.payload, self.now(), self._evses):
            self._house.report(event)

    def _hear(self) -> None:
        """Wake whoever waits for reports."""
        if self._news is not None:
            self._news.set()

    def _place(self, payload: JsonObject) -> None:
        transaction, evse_id = place(payload)
        if transaction and evse_id:
            self._evses.pop(transaction, None)
            self._evses[transaction] = evse_id
        if len(self._evses) > MAX_TRANSACTIONS:
            self._evses.pop(next(iter(self._evses)))

    def _settle(self, ending: Ending) -> None:
        self._timeouts = self._timeouts + 1 if isinstance(ending, TimedOut) else 0
        future, since = self._asked.pop(ending.id)
        future.set_result(ending)
        self._house.ended(ending.action, outcome(ending), asyncio.get_running_loop().time() - since)
        self._write_end(ending)
        if self._timeouts >= self._house.terms.max_timeouts:
            self._log.warning("no answers: the station is to connect anew", timeouts=self._timeouts)
            self._abort()

    def _write_end(self, ending: Ending) -> None:
        """Write down how a call of ours ended; where no frame came, the line says so."""
        match ending:
            case Answered(id_, action, payload):
                self._write_down("received", "CALLRESULT", (action, id_), payload)
            case Failed(id_, action, code, description, fate):
                kind = "CALLERROR" if fate is Fate.REFUSED else "NONE"
                self._write_down("received", kind, (action, id_), {"description": description}, code)
            case TimedOut(id_, action):
                self._write_down("received", "NONE", (action, id_), {}, outcome(ending))
            case _:  # pragma: no cover
                assert_never(ending)

    def _write_down(
        self, direction: Direction, kind: str, about: tuple[str, str], payload: JsonObject, status: str = ""
    ) -> None:
        """Tell the transcript of a frame; `about` is its action and its id."""
        transcript = self._house.transcript
        if transcript is None or not transcript.wants(self.identity):
            return
        told = status or str(payload.get("status") or "")
        transcript.note(Spoken(self.identity, direction, kind, *about, payload, told))

    def _become_ready(self) -> None:
        if self._ready or self._ending or self._house.admission(self.identity).status != "Accepted":
            return
        self._ready = True
        self._house.report(Ready(self.identity, self.number))

    async def _flush(self) -> None:
        """Write what waits; a peer that does not read is cut off rather than waited for."""
        try:
            async with asyncio.timeout(self._house.terms.timeout.total_seconds()):
                for text in self._session.outgoing():
                    await self._socket.send(text)
        except ConnectionClosed:
            pass
        except TimeoutError:
            self._abort()
        self._arm()

    def _abort(self) -> None:
        self._socket.transport.abort()

    def _arm(self) -> None:
        deadline = self._session.next_deadline
        if deadline is not None:
            self._set_timer("deadline", deadline - self.now(), self._tick)

    def _tick(self) -> None:
        for event in self._session.tick(self.now()):
            self._settle(event)
        self._arm()

    def _check_silence(self) -> None:
        left = self.heard + self._house.terms.silence - self.now()
        if left <= timedelta(0):
            self._abort()
        else:
            self._set_timer("silence", left, self._check_silence)

    def _set_timer(self, name: str, wait: timedelta, act: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        seconds = max(wait.total_seconds(), 0.001)
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, self._ring, name, act)

    def _ring(self, name: str, act: Callable[[], None]) -> None:
        del self._timers[name]
        act()
