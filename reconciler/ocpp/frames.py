"""OCPP-J frames as values: text to frame and back (OCPP 2.1 part 4, section 4).

Called by `session`. It knows the envelope only: whether an action exists or its payload makes sense, `judge` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

import orjson

from reconciler.errors import ProtocolError
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject

MAX_BYTES = 1 << 20
"""No limit stands in the standard; reports of more than 64 KiB are seen."""
NO_ID = "-1"
MAX_ID_LENGTH = 36
MAX_DESCRIPTION_LENGTH = 255


class ErrorCode(StrEnum):
    """RPC error codes of 2.x; 1.6 spells two of them in its own way."""

    FORMAT = "FormatViolation"
    GENERIC = "GenericError"
    INTERNAL = "InternalError"
    MESSAGE_TYPE = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE = "OccurrenceConstraintViolation"
    PROPERTY = "PropertyConstraintViolation"
    PROTOCOL = "ProtocolError"
    FRAMEWORK = "RpcFrameworkError"
    SECURITY = "SecurityError"
    TYPE = "TypeConstraintViolation"

    @classmethod
    def read(cls, text: str) -> ErrorCode:
        """Read a peer's code in either spelling; a code that nobody knows is a GenericError."""
        spelling = _OLD_SPELLINGS.get(text, text)
        return cls(spelling) if spelling in cls._value2member_map_ else cls.GENERIC


_OLD_SPELLINGS = {
    "FormationViolation": "FormatViolation",
    "OccurenceConstraintViolation": "OccurrenceConstraintViolation",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request: type 2."""

    id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallResult:
    """The answer to a request: type 3."""

    id: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallError:
    """The refusal of a request: type 4."""

    id: str
    code: str
    description: str = ""
    details: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallResultError:
    """The complaint about an answer: type 5, only 2.1."""

    id: str
    code: str
    description: str = ""
    details: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Send:
    """A message that nobody answers: type 6, only 2.1."""

    id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message of a type that this protocol does not have; it is dropped without an answer."""

    number: int


Frame = Call | CallResult | CallError | CallResultError | Send | Ignored


@dataclass(eq=False)
class FrameError(ProtocolError):
    """A text is not a frame; `number` is its message type where that can be read, which says who is to be told."""

    number: int = 0


def parse(text: str | bytes, protocol: Protocol, max_bytes: int = MAX_BYTES) -> Frame:
    """Read one WebSocket message.

    Raises:
        FrameError: with the RPC error code to answer with and the message id, which is "-1" where it can't be read.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > max_bytes:
        raise FrameError(ErrorCode.FRAMEWORK, f"message is longer than {max_bytes} bytes")
    try:
        items = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FrameError(ErrorCode.FRAMEWORK, f"not JSON: {error.msg}") from error
    return _read(items, protocol)


def encode(frame: Frame) -> str:
    """Write one WebSocket message; whole decimals become integers, others the nearest double.

    Raises:
        ProtocolError: the payload holds what JSON has not, or is nested too deeply.
    """
    try:
        return orjson.dumps(_items(frame), default=_number).decode()
    except orjson.JSONEncodeError as error:
        raise ProtocolError(ErrorCode.FORMAT, f"not JSON: {error}") from error


def _read(items: object, protocol: Protocol) -> Frame:
    if not isinstance(items, list) or not items:
        raise FrameError(ErrorCode.FRAMEWORK, "not a JSON array with a message in it")
    number, id_ = items[0], _id(items)
    if isinstance(number, bool) or not isinstance(number, int):
        raise FrameError(ErrorCode.FRAMEWORK, "the message type is not a number", id_)
    read = _READERS.get(number) if number <= 4 or protocol is Protocol.V21 else None
    if read is None:
        return Ignored(number)
    if id_ == NO_ID and items[1:2] != [NO_ID]:
        raise FrameError(ErrorCode.FRAMEWORK, f"the message id is not a text of 1 to {MAX_ID_LENGTH}", NO_ID, number)
    return read(items, id_)


def _id(items: list[object]) -> str:
    id_ = items[1] if len(items) > 1 else None
    return id_ if isinstance(id_, str) and 0 < len(id_) <= MAX_ID_LENGTH else NO_ID


def _request(kind: Callable[[str, str, JsonObject], Frame], number: int) -> Callable[[list[object], str], Frame]:
    def read(items: list[object], id_: str) -> Frame:
        if len(items) != 4:
            raise FrameError(ErrorCode.FRAMEWORK, f"a message of type {number} has 4 elements", id_, number)
        action, payload = items[2], items[3]
        if not isinstance(action, str):
            raise FrameError(ErrorCode.FRAMEWORK, "the action is not a text", id_, number)
        return kind(id_, action, _object(payload, id_, number))

    return read


def _read_result(items: list[object], id_: str) -> Frame:
    if len(items) != 3:
        raise FrameError(ErrorCode.FRAMEWORK, "a CALLRESULT has 3 elements", id_, 3)
    return CallResult(id_, _object(items[2], id_, 3))


def _refusal(kind: Callable[[str, str, str, JsonObject], Frame], number: int) -> Callable[[list[object], str], Frame]:
    def read(items: list[object], id_: str) -> Frame:
        # Stations leave out description and details; the refusal itself must not be lost for that.
        code, description, details = [*items[2:5], None, None, None][:3]
        if not isinstance(code, str):
            raise FrameError(ErrorCode.FRAMEWORK, "the error code is not a text", id_, number)
        text = description if isinstance(description, str) else ""
        return kind(id_, code, text[:MAX_DESCRIPTION_LENGTH], details if isinstance(details, dict) else {})

    return read


_READERS: dict[int, Callable[[list[object], str], Frame]] = {
    2: _request(Call, 2),
    3: _read_result,
    4: _refusal(CallError, 4),
    5: _refusal(CallResultError, 5),
    6: _request(Send, 6),
}


def _object(payload: object, id_: str, number: int) -> JsonObject:
    if not isinstance(payload, dict):
        raise FrameError(ErrorCode.FORMAT, "the payload is not an object", id_, number)
    return payload


def _items(frame: Frame) -> list[object]:
    match frame:
        case Call(id_, action, payload):
            return [2, id_, action, payload]
        case CallResult(id_, payload):
            return [3, id_, payload]
        case CallError(id_, code, description, details):
            return [4, id_, code, description[:MAX_DESCRIPTION_LENGTH], details]
        case CallResultError(id_, code, description, details):
            return [5, id_, code, description[:MAX_DESCRIPTION_LENGTH], details]
        case Send(id_, action, payload):
            return [6, id_, action, payload]
        case Ignored(number):
            return [number]
        case _:  # pragma: no cover
            assert_never(frame)


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    return int(value) if value == value.to_integral_value() else float(value)
