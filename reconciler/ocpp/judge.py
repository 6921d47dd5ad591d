"""Judges payloads by the standard's own JSON schemas, which the `ocpp` package carries as files.

Called by `answers` and `session` for what comes in, and by tests for what goes out. A payload that passes is well
formed; whether it makes sense is another matter.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

import jsonschema_rs
import orjson

from reconciler.errors import ProtocolError
from reconciler.ocpp.frames import ErrorCode
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject

Kind = Literal["Request", "Response"]

_FOLDERS = {Protocol.V201: "v201", Protocol.V21: "v21"}
_CODES = {
    "type": ErrorCode.TYPE,
    "required": ErrorCode.OCCURRENCE,
    "minItems": ErrorCode.OCCURRENCE,
    "maxItems": ErrorCode.OCCURRENCE,
    "additionalProperties": ErrorCode.FORMAT,
}
_UNCONFIRMED = frozenset({"NotifyPeriodicEventStream"})
"""Messages without an answer (2.1's SEND) have one schema, named after the action alone."""
_MAX_TEXT = 200


def judge(protocol: Protocol, action: str, kind: Kind, payload: JsonObject) -> None:
    """Accept a payload silently.

    Raises:
        ProtocolError: NotImplemented for an unknown action, otherwise the violation's code and the place
            in the payload. Values are not repeated: they may be tokens of people.
    """
    try:
        _validator(protocol, action, kind).validate(payload)
    except jsonschema_rs.ValidationError as error:
        code = _CODES.get(error.kind.name, ErrorCode.PROPERTY)
        raise ProtocolError(code, f"{_path(error.instance_path)}: {error.message}"[:_MAX_TEXT]) from error
    except ValueError as error:
        # The one other ValueError of the library: what is wrong is nested too deeply to be told.
        raise ProtocolError(ErrorCode.FORMAT, str(error)) from error


def knows(protocol: Protocol, action: str) -> bool:
    """Say whether the protocol has this action, whoever it is that may send it."""
    return _name(action, "Request") in _schemas(protocol)


@cache
def _schemas(protocol: Protocol) -> dict[str, Traversable]:
    # Asked of the package above: to find files in a package is to import it, and these two are large.
    return {file.name: file for file in (files("ocpp") / _FOLDERS[protocol] / "schemas").iterdir()}


@cache
def _validator(protocol: Protocol, action: str, kind: Kind) -> jsonschema_rs.Validator:
    file = _schemas(protocol).get(_name(action, kind))
    if file is None:
        raise ProtocolError(ErrorCode.NOT_IMPLEMENTED, f"{protocol.version} has no action {action[:50]!r}")
    return jsonschema_rs.validator_for(orjson.loads(file.read_bytes()), validate_formats=True, mask="the value")


def _name(action: str, kind: Kind) -> str:
    return f"{action}.json" if action in _UNCONFIRMED else f"{action}{kind}.json"


def _path(steps: list[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
