"""What a station says before its WebSocket is open: identity, password, the protocols it speaks."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from urllib.parse import unquote

from reconciler.profiles.capability import Protocol

_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,48}", re.ASCII)
"""identifierString without the colon, at which HTTP Basic splits."""


def identity(path: str) -> str | None:
    """Give the last segment of a request's path, decoded once; None where that is no identity."""
    segment = path.partition("?")[0].rpartition("/")[2]
    try:
        name = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return None
    return name if _IDENTITY.fullmatch(name) else None


def basic(header: str | None) -> tuple[str, bytes] | None:
    """Give user and password of an Authorization header, split at the first colon; None where it is not HTTP Basic."""
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
        return (user.decode("utf-8"), password) if colon else None
    except ValueError:
        return None


def choose(offered: Sequence[str]) -> Protocol | None:
    """Give the first protocol in the station's order that is spoken here."""
    return next((Protocol(word) for word in offered if word in set(Protocol)), None)
