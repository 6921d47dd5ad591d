"""The bounds within which the fleet talks with one station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.ocpp.answers import Admission
from reconciler.ocpp.frames import MAX_BYTES
from reconciler.ocpp.inventory import Patience
from reconciler.reported.events import StationEvent
from reconciler.stations.transcript import Transcript

Clock = Callable[[], datetime]
Report = Callable[[StationEvent], None]
Ended = Callable[[str, str, float], None]
"""Told of each call's end: its action, its outcome (`session.outcome`) and its seconds on the way."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Times and sizes.

    `boot_wait` is how long a new connection may stay silent before it is taken to have booted earlier;
    after `max_timeouts` calls in a row without answer the socket is closed, so that the station connects anew;
    `ping_interval` None sends no pings: some stations can't answer them, so a missing pong never closes a socket;
    after `silence` without any message the socket is closed.
    """

    timeout: timedelta = timedelta(seconds=30)
    patience: Patience = field(default_factory=Patience)
    boot_wait: timedelta = timedelta(seconds=2)
    ping_interval: timedelta | None = timedelta(seconds=60)
    silence: timedelta = timedelta(hours=25)
    max_bytes: int = MAX_BYTES
    max_commands: int = 32
    max_timeouts: int = 3


def admit_all(_: str) -> Admission:
    """Accept every station that got this far."""
    return Admission()


def ignore(_: str, __: str, ___: float) -> None:
    """Take no note of a call's end."""


@dataclass(frozen=True, slots=True)
class House:
    """What all connections of one server share; without a `transcript` no frame is written down."""

    clock: Clock
    report: Report
    admission: Callable[[str], Admission] = admit_all
    terms: Terms = field(default_factory=Terms)
    ended: Ended = ignore
    transcript: Transcript | None = None
