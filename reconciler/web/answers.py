"""The shapes of what the API answers and takes that others rely on; the views fill them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """Every error looks like this: what is wrong, and what to do about it."""

    error: str
    hint: str = ""


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
