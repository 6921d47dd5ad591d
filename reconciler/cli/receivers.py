"""Reads the file that `run --notify` names: whom to tell of what, in which words. Secrets come from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.cli.options import is_loopback
from reconciler.errors import ManifestError, UsageError
from reconciler.web.notices import Event, Notice
from reconciler.web.receivers import Receiver, address

LARGEST = 1 << 20
MOST = 50


class Told(BaseModel):
    """One receiver, as people write it; `token` names a variable of the environment."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["webhook", "github", "gitlab"] = "webhook"
    url: str
    token: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    events: list[Event] = Field(default_factory=list)
    template: str | dict[str, object] | None = None


class Receivers(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    receivers: Annotated[list[Told], Field(max_length=MOST)]


def read_receivers(path: Path) -> tuple[Receiver, ...]:
    """Read the file, take tokens from the environment, and try every template once.

    Raises:
        UsageError: it can't be read, or says what can't be done; never with a secret in its message.
    """
    try:
        told = Receivers.model_validate(yaml.safe_load(_read(path)))
    except yaml.YAMLError as error:
        raise UsageError(f"--notify {path} is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"--notify {path}: {where}: {first['msg']}") from None
    return tuple(_receiver(each, f"--notify {path}: receivers.{index}") for index, each in enumerate(told.receivers))


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--notify {path} can't be read: {error}") from error
    if len(text) > LARGEST:
        raise UsageError(f"--notify {path} is longer than {LARGEST} characters")
    return text


def _receiver(told: Told, place: str) -> Receiver:
    token = _token(told.token, os.environ, place) if told.token else ""
    _check_url(told, place)
    receiver = Receiver(told.kind, told.url, token, frozenset(told.events), told.template)
    for event in Event:
        try:
            address(receiver, Notice(event, datetime(2026, 1, 1, tzinfo=UTC), "fleet", "words", "commit", 1, 2))
        except ManifestError as error:
            raise UsageError(f"{place}: template: {error.message}") from error
    return receiver


def _token(name: str, environment: Mapping[str, str], place: str) -> str:
    token = environment.get(name, "").strip()
    if not token:
        raise UsageError(f"{place}: the environment has no {name}")
    if not token.isascii() or not token.isprintable():
        raise UsageError(f"{place}: what {name} holds is no token: it has characters that no header can carry")
    return token


def _check_url(told: Told, place: str) -> None:
    """Refuse what is no address, and a secret on a way that everybody can read."""
    try:
        parts = urlsplit(told.url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"{place}: url takes http:// or https:// and a host")
    if parts.username or parts.password:
        raise UsageError(f"{place}: url carries a password; put it into the environment and name it under `token`")
    if told.token and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise UsageError(f"{place}: a token is not sent over http:// to another machine; use https://")
