"""One end of an OCPP-J connection, sans I/O: texts and time in, events and texts out.

Either end uses it: `stations` as CSMS, `simulator` as station. It keeps one CALL in flight per direction (OCPP 2.1
part 4, 4.1.4), never holds an answer back for it, and ends every call exactly once. It knows no socket, draws no ids
and reads no clock; what a request means is its caller's business.

    call ──> queued ──> in flight ──> Answered | Failed | TimedOut
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, assert_never

from reconciler.errors import ProtocolError, Transient
from reconciler.ocpp import judge
from reconciler.ocpp.frames import (
    MAX_BYTES,
    NO_ID,
    Call,
    CallError,
    CallResult,
    CallResultError,
    ErrorCode,
    Frame,
    FrameError,
    Ignored,
    Send,
    encode,
    parse,
)
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject

TIMEOUT = timedelta(seconds=30)
MAX_QUEUED = 64
MAX_UNANSWERED = 16
REMEMBERED = 8
"""How many ended calls are kept to tell a late answer from one that was never asked for."""


class Fate(StrEnum):
    """What a failed call may have done at the peer."""

    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Called:
    """The peer asks; `Session.answer` or `Session.refuse` with this id is owed."""

    id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Sent:
    """The peer tells (SEND of 2.1); nothing is owed."""

    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Answered:
    """Our call was answered, and the answer is valid."""

    id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Failed:
    """Our call was refused, answered invalidly or cut off; `fate` says what the peer may have done."""

    id: str
    action: str
    code: str
    description: str
    fate: Fate = Fate.REFUSED


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Our call got no answer in time: its outcome is unknown, and it must be read back before a retry."""

    id: str
    action: str


@dataclass(frozen=True, slots=True)
class Stray:
    """The peer sent what answers nothing: late, double, never asked for, or of a type that is not spoken here."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The peer sent what is no frame, or too many at once, and was told so where the standard lets us."""

    id: str
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """The peer says that an answer or a refusal of ours was not valid (CALLRESULTERROR, or CALLERROR "-1")."""

    id: str
    code: str
    description: str


Ending = Answered | Failed | TimedOut
Event = Called | Sent | Answered | Failed | TimedOut | Stray | Refused | Disputed
Judge = Callable[[Protocol, str, Literal["Request", "Response"], JsonObject], None]


@dataclass(frozen=True, slots=True)
class _Flight:
    call: Call
    deadline: datetime


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: Call
    text: str


class Session:
    """The state of one end; every method returns at once.

    `receive`, `tick` and `close` return events; what is to be written waits in `outgoing`. A session that was closed
    takes nothing more and gives nothing more.
    """

    __slots__ = (
        "_ended",
        "_flight",
        "_judge",
        "_max_bytes",
        "_out",
        "_owed",
        "_queued",
        "_timeout",
        "closed",
        "protocol",
    )

    def __init__(
        self,
        protocol: Protocol,
        *,
        timeout: timedelta = TIMEOUT,
        max_bytes: int = MAX_BYTES,
        judge: Judge = judge.judge,
    ) -> None:
        self.protocol = protocol
        self.closed = False
        self._timeout, self._max_bytes, self._judge = timeout, max_bytes, judge
        self._queued: list[_Waiting] = []
        self._flight: _Flight | None = None
        self._ended: tuple[str, ...] = ()
        self._owed: set[str] = set()
        self._out: list[str] = []

    @property
    def next_deadline(self) -> datetime | None:
        """Give the instant at which `tick` has something to do, if there is one."""
        return self._flight.deadline if self._flight else None

    @property
    def idle(self) -> bool:
        """Say whether no call of ours is queued or in flight."""
        return self._flight is None and not self._queued

    def call(self, action: str, payload: JsonObject, now: datetime, id: str) -> None:  # noqa: A002 - the wire's word
        """Queue a request; it leaves when the one in flight has ended. `id` must be new on this connection.

        Raises:
            Transient: the queue is full or the session is closed; nothing was queued.
            ProtocolError: the payload can't be written as JSON; nothing was queued.
        """
        if self.closed or len(self._queued) >= MAX_QUEUED:
            raise Transient("the connection is closed" if self.closed else f"{MAX_QUEUED} calls are waiting already")
        call = Call(id, action, payload)
        self._queued.append(_Waiting(call, encode(call)))
        self._advance(now)

    def send(self, action: str, payload: JsonObject, id: str) -> None:  # noqa: A002 - the wire's word
        """Tell the peer something that is never answered (2.1).

        Raises:
            ProtocolError: MessageTypeNotSupported, the protocol has no SEND.
        """
        if self.protocol is not Protocol.V21:
            raise ProtocolError(ErrorCode.MESSAGE_TYPE, f"{self.protocol.version} has no SEND", id)
        self._write(Send(id, action, payload))

    def answer(self, id: str, payload: JsonObject) -> None:  # noqa: A002 - the wire's word
        """Answer a call of the peer at once; does nothing where no answer is owed."""
        if id in self._owed:
            self._write(CallResult(id, payload))
            self._owed.discard(id)

    def refuse(self, id: str, code: str, description: str = "") -> None:  # noqa: A002 - the wire's word
        """Refuse a call of the peer at once; does nothing where no answer is owed."""
        if id in self._owed:
            self._write(CallError(id, code, description))
            self._owed.discard(id)

    def receive(self, text: str | bytes, now: datetime) -> tuple[Event, ...]:
        """Take one WebSocket message; whatever it holds, this returns."""
        if self.closed:
            return ()
        try:
            event = self._take(parse(text, self.protocol, self._max_bytes), now)
        except FrameError as error:
            event = self._reject(error, now)
        return (event,)

    def tick(self, now: datetime) -> tuple[TimedOut, ...]:
        """Let time pass: end the call in flight if its deadline has come."""
        if self._flight is None or now < self._flight.deadline:
            return ()
        call = self._land(now)
        return (TimedOut(call.id, call.action),)

    def close(self) -> tuple[Failed, ...]:
        """End everything: the call in flight has an unknown outcome, those behind it never left."""
        lost = () if self._flight is None else (_cut_off(self._flight.call, Fate.UNKNOWN),)
        unsent = tuple(_cut_off(waiting.call, Fate.UNSENT) for waiting in self._queued)
        self.closed, self._flight = True, None
        self._queued.clear()
        self._owed.clear()
        self._out.clear()
        return lost + unsent

    def outgoing(self) -> tuple[str, ...]:
        """Hand over the messages to write, in order; each is handed over once."""
        messages = tuple(self._out)
        self._out.clear()
        return messages

    def _take(self, frame: Frame, now: datetime) -> Event:
        match frame:
            case Call():
                return self._admit(frame)
            case CallResult(id_, payload):
                return self._settle(id_, payload, now)
            case CallError(id_, code, description):
                return self._fail(id_, code, description, now)
            case CallResultError(id_, code, description):
                return Disputed(id_, code, description)
            case Send(_, action, payload):
                return Sent(action, payload)
            case Ignored(number):
                return Stray(NO_ID, f"message type {number} is not part of {self.protocol.version}")
            case _:  # pragma: no cover
                assert_never(frame)

    def _admit(self, call: Call) -> Event:
        if call.id in self._owed:
            return Stray(call.id, "a call with this id is being answered")
        if len(self._owed) >= MAX_UNANSWERED:
            return self._turn_away(CallError(call.id, ErrorCode.GENERIC, f"{MAX_UNANSWERED} calls are unanswered"))
        self._owed.add(call.id)
        return Called(call.id, call.action, call.payload)

    def _settle(self, id_: str, payload: JsonObject, now: datetime) -> Event:
        if not self._awaits(id_):
            return self._stray(id_)
        call = self._land(now)
        try:
            self._judge(self.protocol, call.action, "Response", payload)
        except ProtocolError as error:
            return self._dispute(call, error)
        return Answered(call.id, call.action, payload)

    def _fail(self, id_: str, code: str, description: str, now: datetime) -> Event:
        if self._awaits(id_):
            call = self._land(now)
            return Failed(call.id, call.action, ErrorCode.read(code), description or code)
        return Disputed(id_, code, description) if id_ == NO_ID else self._stray(id_)

    def _reject(self, error: FrameError, now: datetime) -> Event:
        """Tell the peer of a text that is no frame; answers and refusals are never answered with a CALLERROR."""
        if error.number == 3 and self._awaits(error.message_id):
            return self._dispute(self._land(now), error)
        if error.number > 2:
            return Refused(error.message_id, error.code, error.description)
        return self._turn_away(CallError(error.message_id, error.code, error.description))

    def _turn_away(self, error: CallError) -> Refused:
        self._write(error)
        return Refused(error.id, error.code, error.description)

    def _dispute(self, call: Call, error: ProtocolError) -> Failed:
        """End a call whose answer is not valid: the peer did something, and nobody can say what."""
        if self.protocol is Protocol.V21:
            self._write(CallResultError(call.id, error.code, error.description))
        return Failed(call.id, call.action, error.code, error.description, Fate.UNKNOWN)

    def _stray(self, id_: str) -> Stray:
        return Stray(id_, "late or double answer" if id_ in self._ended else "answer to a call that was never made")

    def _awaits(self, id_: str) -> bool:
        return self._flight is not None and self._flight.call.id == id_

    def _land(self, now: datetime) -> Call:
        assert self._flight is not None  # noqa: S101 - every caller has just looked
        call, self._flight = self._flight.call, None
        self._ended = (*self._ended, call.id)[-REMEMBERED:]
        self._advance(now)
        return call

    def _advance(self, now: datetime) -> None:
        if self._flight is None and self._queued:
            waiting = self._queued.pop(0)
            self._flight = _Flight(waiting.call, now + self._timeout)
            self._out.append(waiting.text)

    def _write(self, frame: Frame) -> None:
        if not self.closed:
            self._out.append(encode(frame))


def _cut_off(call: Call, fate: Fate) -> Failed:
    return Failed(call.id, call.action, ErrorCode.GENERIC, "the connection was closed", fate)


def outcome(ending: Ending) -> str:
    """Give a call's end in one word of six: what statistics can be made of."""
    match ending:
        case Answered(payload=payload):
            return "accepted" if payload.get("status", "Accepted") == "Accepted" else "rejected"
        case Failed(fate=Fate.REFUSED):
            return "error"
        case Failed(fate=fate):
            return "unsent" if fate is Fate.UNSENT else "lost"
        case TimedOut():
            return "timeout"
        case _:  # pragma: no cover
            assert_never(ending)
