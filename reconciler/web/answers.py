"""The shapes of what the API answers and takes that others rely on; the views fill them. Errors are made here, too."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

One = dict[str, object]
Many = list[dict[str, object]]


class Problem(BaseModel):
    """Every error looks like this: what is wrong, and what to do about it."""

    error: str
    hint: str = ""
    blocked: bool = False
    """Whether a window or a policy says no, and a person may pass it by."""


class Request(BaseModel):
    """One OCPP request that a person wrote; `force` lets it write a profile id of the fleet's own range."""

    model_config = ConfigDict(extra="forbid")

    action: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,50}$")]
    payload: dict[str, object] = Field(default_factory=dict)
    force: bool = False
    who: Annotated[str, Field(max_length=100)] = "api"


class Sent(BaseModel):
    """How a request ended: `ok` is false for CALLERROR, a time-out and a lost connection."""

    ok: bool
    answer: dict[str, object]


Pattern = Annotated[str, Field(min_length=1, max_length=100)]


class Listen(BaseModel):
    """Whose frames are to be written down: patterns of identities such as `Q3-*`; none for nobody's."""

    model_config = ConfigDict(extra="forbid")

    stations: Annotated[list[Pattern], Field(max_length=100)]


Who = Annotated[str, Field(min_length=1, max_length=100)]
Why = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Steer(BaseModel):
    """A person's word on the rollout; `override` passes its windows by, and only promotes."""

    model_config = ConfigDict(extra="forbid")

    reason: Why
    who: Who = "api"
    override: bool = False


class Back(BaseModel):
    """The revision to return to, by the beginning of its commit."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(pattern=r"^[0-9A-Za-z._/-]{4,100}$")]
    reason: Why
    who: Who = "api"


class Chosen(BaseModel):
    """Stations that are meant, in one of three ways and no two of them: by identity, by labels, or all."""

    model_config = ConfigDict(extra="forbid")

    stations: Annotated[list[Who], Field(max_length=10_000)] = []
    labels: dict[str, str] = Field(default_factory=dict)
    all: bool = False
    reason: Why
    who: Who = "api"


class Suspend(Chosen):
    """Stations that are not to be written to, until an instant or for good."""

    until: AwareDatetime | None = None


class Clearance(BaseModel):
    """Why repairs may go on after a drift storm."""

    model_config = ConfigDict(extra="forbid")

    reason: Why
    who: Who = "api"


class Json(Response):
    """Bytes of JSON, made in one go."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Write the content."""
        return orjson.dumps(content)


def may(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Describe the errors that a route may end in."""
    return {status: {"model": Problem} for status in statuses}


def fail(status: int, error: str, hint: str, **more: object) -> HTTPException:
    """Make an error to be raised."""
    detail = {"error": error, "hint": hint, **more}
    return HTTPException(status, detail=detail)  # type: ignore[arg-type] # any JSON is taken
