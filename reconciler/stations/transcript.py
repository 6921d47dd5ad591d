"""The log of frames, one JSON line each, for the stations that somebody wants to listen to.

The links tell it of every frame; it never lets them wait: what does not fit into its queue is dropped and counted. The
command line starts and stops it, the HTTP side chooses the stations. Credentials are taken out before anything is
written (`ocpp.redaction`). It refuses to know what a frame means.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import orjson
import structlog

from reconciler.ocpp.redaction import redact
from reconciler.profiles.form import JsonObject

MOST_BYTES = 50 << 20
OLD_FILES = 5
MOST_WAITING = 10_000
Direction = Literal["sent", "received"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One frame: `kind` is its message type, `status` the answer's or the error's code, `direction` as seen from us."""

    station: str
    direction: Direction
    kind: str
    action: str
    id: str
    payload: JsonObject
    status: str = ""


class Transcript:
    """Writes the frames of chosen stations to a file that is turned over by size; `run` is its life."""

    def __init__(
        self, path: Path, clock: Callable[[], datetime], most_bytes: int = MOST_BYTES, old_files: int = OLD_FILES
    ) -> None:
        """Take the file; nothing is listened to before `choose`."""
        self.dropped = 0
        self.chosen: tuple[str, ...] = ()
        self._path, self._clock, self._most, self._old = path, clock, most_bytes, old_files
        self._waiting: deque[tuple[datetime, Spoken]] = deque()
        self._news = asyncio.Event()
        self._verdicts: dict[str, bool] = {}
        self._broken = self._closing = False
        self._log = structlog.get_logger("transcript")

    def choose(self, patterns: Iterable[str]) -> None:
        """Listen to the stations whose identities match one of these patterns (`Q3-*`), in whatever case."""
        self.chosen = tuple(patterns)
        self._verdicts = {}

    def wants(self, station: str) -> bool:
        """Tell whether a station is listened to."""
        if not self.chosen:
            return False
        verdict = self._verdicts.get(station)
        if verdict is None:
            name = station.casefold()
            verdict = self._verdicts[station] = any(fnmatchcase(name, each.casefold()) for each in self.chosen)
        return verdict

    def note(self, spoken: Spoken) -> None:
        """Take a frame; returns at once, whatever becomes of it."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append((self._clock(), spoken))
        self._news.set()

    async def run(self) -> None:
        """Write until `close`, what is left as well."""
        while self._waiting or not self._closing:
            await self._news.wait()
            self._news.clear()
            await asyncio.to_thread(self._write, self._take())

    def close(self) -> None:
        """Let `run` end once everything taken so far is written."""
        self._closing = True
        self._news.set()

    def _take(self) -> tuple[tuple[datetime, Spoken], ...]:
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken

    def _write(self, taken: Sequence[tuple[datetime, Spoken]]) -> None:
        """Append what was taken; a file that can't be written costs its frames and nothing else."""
        try:
            for at, spoken in taken:
                self._append(_encode(at, spoken))
        except OSError as error:
            self.dropped += len(taken)
            if not self._broken:
                self._log.warning("frames can't be written", file=str(self._path), error=error.strerror or str(error))
            self._broken = True
        else:
            self._broken = False

    def _append(self, line: bytes) -> None:
        number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(number).st_size
            if not size or size + len(line) <= self._most:
                os.write(number, line)
                return
        finally:
            os.close(number)
        self._turn_over()
        self._append(line)

    def _turn_over(self) -> None:
        """Make room: the file becomes number 1, 1 becomes 2, and the last one goes."""
        files = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, self._old + 1))]
        for older, newer in reversed(list(zip(files[1:], files[:-1], strict=True))):
            if newer.exists():
                newer.replace(older)


def _encode(at: datetime, spoken: Spoken) -> bytes:
    """Give a frame's line; a payload that can't be written as JSON leaves its place empty."""
    line = _line(at, spoken)
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(line | {"payload": None}, option=orjson.OPT_APPEND_NEWLINE)


def _line(at: datetime, spoken: Spoken) -> dict[str, object]:
    return {
        "at": at,
        "station": spoken.station,
        "direction": spoken.direction,
        "type": spoken.kind,
        "action": spoken.action,
        "id": spoken.id,
        "status": spoken.status,
        "payload": redact(spoken.action, spoken.payload),
    }
