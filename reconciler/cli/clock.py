"""The clock that a command runs by: the machine's, or a pretended one for trials, demonstrations and tests.

`RECONCILER_CLOCK` is an instant (`2026-03-03T18:00:00+01:00`): it is that late when the process starts, and goes on
from there. `INSTANT@UNIXSECONDS` fixes the machine's time at which it was that late, so that processes share one clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from reconciler.errors import UsageError

Clock = Callable[[], datetime]
VARIABLE = "RECONCILER_CLOCK"


def machine_clock() -> datetime:
    """Read the machine's clock."""
    return datetime.now(UTC)


def read_clock(text: str) -> Clock:
    """Give the clock that a text asks for; empty for the machine's.

    Raises:
        UsageError: the text is no instant.
    """
    if not text:
        return machine_clock
    epoch, _, start = text.partition("@")
    try:
        ahead = _ahead(datetime.fromisoformat(epoch), float(start) if start else None)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{VARIABLE} is an instant such as 2026-03-03T18:00:00+01:00, not {text!r}") from error
    return lambda: machine_clock() + ahead


def faster(clock: Clock, speed: float) -> Clock:
    """Give a clock that starts where another one stands and runs `speed` times as fast."""
    began = clock()
    return lambda: began + (clock() - began) * speed


def write_clock(epoch: datetime, unix_start: float) -> str:
    """Write the text that makes another process share a clock."""
    return f"{epoch.isoformat()}@{unix_start!r}"


def _ahead(epoch: datetime, unix_start: float | None) -> timedelta:
    if epoch.tzinfo is None:
        raise ValueError("an instant has a zone")
    began = machine_clock() if unix_start is None else datetime.fromtimestamp(unix_start, UTC)
    return epoch.astimezone(UTC) - began
