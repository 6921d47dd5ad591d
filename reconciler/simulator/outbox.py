"""What a station still has to tell: its boot first, then its queue, then heartbeats; a state machine without I/O.

    needed ──next──> asked ──Accepted──> accepted ──restart──> needed
                       └──Pending, Rejected, no answer──> needed, after a while

`connection` takes one request at a time out of it and brings back what became of it.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.profiles.form import JsonObject
from reconciler.simulator.messages import Request

MOST_QUEUED = 256
MOST_ATTEMPTS = 3
BOOT_RETRY = timedelta(seconds=10)
NO_HEARTBEAT = timedelta(days=1)
"""Even where no interval is given, the answer to a heartbeat sets the clock once a day."""


class Boot(StrEnum):
    """How far a station has come with the CSMS."""

    NEEDED = "needed"
    ASKED = "asked"
    ACCEPTED = "accepted"


class Outbox:
    """The outgoing requests of one station; `tempo` is how much faster than life its clock runs."""

    __slots__ = ("_due", "_hello", "_queue", "boot", "heartbeat", "tempo")

    def __init__(self, hello: Request, now: datetime, tempo: float) -> None:
        self.boot, self.tempo = Boot.NEEDED, tempo
        self.heartbeat = NO_HEARTBEAT
        self._hello, self._due = hello, now
        self._queue: deque[Request] = deque()

    @property
    def accepted(self) -> bool:
        """Tell whether the CSMS has accepted the station since it booted."""
        return self.boot is Boot.ACCEPTED

    @property
    def due(self) -> datetime | None:
        """Give the instant at which there is something to say, None while an answer is awaited."""
        return None if self.boot is Boot.ASKED else self._due

    @property
    def empty(self) -> bool:
        """Tell whether nothing is queued."""
        return not self._queue

    def add(self, request: Request) -> None:
        """Queue a request; where there are too many, the oldest periodic meter value goes, or else the oldest."""
        if len(self._queue) >= MOST_QUEUED:
            old = next((one for one in self._queue if one.payload.get("triggerReason") == "MeterValuePeriodic"), None)
            self._queue.remove(old or self._queue[0])
        self._queue.append(request)

    def restart(self, hello: Request, now: datetime) -> None:
        """Begin anew after a reboot; what was queued about transactions is kept in flash."""
        self.boot, self._hello, self._due = Boot.NEEDED, hello, now
        self._queue = deque(one for one in self._queue if one.action == "TransactionEvent")

    def next(self, now: datetime) -> Request | None:
        """Take out the request to make now, if any."""
        if self.boot is Boot.NEEDED and now >= self._due:
            self.boot = Boot.ASKED
            return self._hello
        if self.boot is not Boot.ACCEPTED:
            return None
        if not self._queue and now < self._due:
            return None
        self._due = now + self.heartbeat * self.tempo
        return self._queue.popleft() if self._queue else Request("Heartbeat", {})

    def booted(self, answer: JsonObject, now: datetime) -> bool:
        """Take the answer to BootNotification; say whether the station was accepted (B01, B02, B03)."""
        seconds = answer.get("interval")
        interval = timedelta(seconds=seconds) if isinstance(seconds, int) and seconds > 0 else None
        if answer.get("status") != "Accepted":
            self.boot, self._due = Boot.NEEDED, now + (interval or BOOT_RETRY) * self.tempo
            return False
        self.boot, self.heartbeat = Boot.ACCEPTED, interval or NO_HEARTBEAT
        self._due = now + self.heartbeat * self.tempo
        return True

    def set_heartbeat(self, seconds: int, now: datetime) -> None:
        """Change the time between two heartbeats."""
        self.heartbeat = timedelta(seconds=seconds) or NO_HEARTBEAT
        self._due = now + self.heartbeat * self.tempo

    def failed(self, request: Request, now: datetime, *, offline: bool) -> None:
        """Take back a request that got no answer: a boot and events of transactions are tried again (E13)."""
        if request.action == "BootNotification":
            self.boot, self._due = Boot.NEEDED, now + BOOT_RETRY * (0 if offline else self.tempo)
        elif request.action == "TransactionEvent" and (offline or request.attempts + 1 < MOST_ATTEMPTS):
            self._queue.appendleft(request.again(offline=offline))
