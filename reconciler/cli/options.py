"""What options of several commands have in common: durations, addresses, labels and the server to ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.manifests.quantity import Malformed
from reconciler.manifests.times import parse_duration

SERVER = "http://127.0.0.1:8081"
SERVER_VARIABLE = "RECONCILER_SERVER"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen on; port 0 asks for a free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        """Give it as it is written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by name or by address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_address(option: str, text: str) -> Address:
    """Read HOST:PORT.

    Raises:
        UsageError: it is none.
    """
    host, sign, port = text.rpartition(":")
    if not sign or not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise UsageError(f"{option} takes HOST:PORT such as 127.0.0.1:8080, not {text!r}")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def read_duration(option: str, text: str) -> timedelta:
    """Read a duration above zero.

    Raises:
        UsageError: it is none.
    """
    try:
        duration = parse_duration(text)
    except Malformed as error:
        raise UsageError(f"{option}: {error}; {error.hint}") from error
    if not duration:
        raise UsageError(f"{option} takes a duration above zero, not {text!r}")
    return duration


def read_instant(option: str, text: str, otherwise: str = "") -> datetime:
    """Read an instant with its zone (RFC 3339); `otherwise` is what else the option takes, for the error.

    Raises:
        UsageError: it is none, or says no zone.
    """
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    example = "an instant with its zone, such as 2026-11-23T17:00:00+01:00"
    raise UsageError(f"{option} takes {otherwise}{example}, not {text!r}")


def read_labels(texts: Iterable[str]) -> dict[str, str]:
    """Read `key=value` pairs; several in one text are set apart by commas.

    Raises:
        UsageError: one is not of that form.
    """
    pairs = [pair.strip().partition("=") for text in texts for pair in text.split(",")]
    for key, sign, _ in pairs:
        if not key or not sign:
            raise UsageError("-l takes key=value, such as -l line=night")
    return {key: value for key, _, value in pairs}


def cache_folder() -> Path:
    """Give the folder for copies of repositories behind URLs; it may be deleted at any time."""
    return _folder("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """Give the folder for what has to be kept."""
    return _folder("XDG_STATE_HOME", ".local/state")


def _folder(variable: str, otherwise: str) -> Path:
    import os

    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / otherwise) / "fleet-profile-reconciler"
