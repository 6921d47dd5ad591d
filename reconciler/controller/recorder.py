"""Keeps what the loop's turns leave, and lets a write out only after the line that announces it was kept.

Part of the controller's shell; made by the loop. Lines, revisions and documents go to the journal in groups: while one
group is being written the next one collects. It knows neither stations nor databases, only the two shapes below.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Protocol

import structlog

from reconciler.controller.world import Recording, Reply
from reconciler.errors import StoreLost
from reconciler.profiles.form import JsonObject
from reconciler.profiles.wording import count
from reconciler.reported.events import NotSent, RawAnswered, Written
from reconciler.rollout.commands import Clear, Push, SendRaw
from reconciler.rollout.ledger import Batch, Entry, KeptRevision, Name

MOST_LINES = 50_000
"""How many lines wait for a journal that is away; no writes leave meanwhile, so that few come."""
MOST_REVISIONS = 20
"""How many revisions wait likewise: each has all its files with it, and the last are those that are followed."""
AT_ONCE = 100
"""How many documents are made before the loop has its turn."""
LONGEST_WRITE_S = 30.0
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 15.0
LAST_WRITE_S = 10.0

Leaving = Push | Clear | SendRaw | Reply
"""What leaves only after what it tells of was kept: commands that may change a station, and that an order is obeyed."""


class Journal(Protocol):
    """Where things are kept."""

    async def write(self, batch: Batch) -> None:
        """Write all of a batch, or nothing of it; raises StoreLost."""


class Desk(Protocol):
    """What the recorder asks of the loop."""

    def marked(self) -> Sequence[Name]:
        """Give the names of what has changed since it was last drained."""

    def drain(self, names: Sequence[Name]) -> Mapping[Name, JsonObject | None]:
        """Give the documents of these names as they are now, and take the marks away."""

    def mark(self, names: Sequence[Name]) -> None:
        """Mark names again whose documents were not kept."""

    def release(self, command: Leaving) -> None:
        """Let something leave, if anyone still waits for it."""

    def report(self, event: Written | RawAnswered | Recording) -> None:
        """Tell what came of something."""

    def now(self) -> datetime:
        """Give the time."""


class Recorder:
    """One for each journal; `run` is its only task, everything else is called between the loop's turns."""

    def __init__(self, journal: Journal, desk: Desk) -> None:
        """Begin with nothing to keep."""
        self._journal, self._desk = journal, desk
        self._entries: deque[Entry] = deque()
        self._revisions: list[KeptRevision] = []
        self._held: list[Leaving] = []
        self._under_way = 0
        self._work = asyncio.Event()
        self._failures = 0
        self._lost = 0
        self._why = ""
        self._log = structlog.get_logger("recorder")

    @property
    def waiting(self) -> int:
        """Count the lines that are not kept yet, those that are being written among them."""
        return len(self._entries) + self._under_way

    def note(self, entry: Entry) -> None:
        """Take a line of history."""
        self._entries.append(entry)
        self._bound()
        self._work.set()

    def keep(self, revision: KeptRevision) -> None:
        """Take a revision that was taken or refused."""
        self._revisions.append(revision)
        del self._revisions[:-MOST_REVISIONS]
        self._work.set()

    def hold(self, command: Leaving) -> None:
        """Let something wait until all up to now is kept; while it can't be, a command ends as not sent."""
        if self._failures:
            self._refuse(command)
            return
        self._held.append(command)
        self._work.set()

    def turn(self) -> None:
        """Take note of the end of a turn: what it has marked is to be kept as well."""
        if self._desk.marked():
            self._work.set()

    async def run(self) -> None:
        """Write group after group, and try again what could not be written, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            if not await self._flush(LONGEST_WRITE_S):
                await asyncio.sleep(min(FIRST_RETRY_S * 2 ** min(self._failures - 1, 10), LONGEST_RETRY_S))
                self._work.set()

    async def finish(self) -> None:
        """Write what is left, once; called when `run` has ended."""
        self._held.clear()
        if not await self._flush(LAST_WRITE_S):
            self._log.error("not recorded", lines=len(self._entries), why=self._why)

    async def _flush(self, longest_s: float) -> bool:
        try:
            return await self._write_group(longest_s)
        finally:
            self._under_way = 0

    async def _write_group(self, longest_s: float) -> bool:
        entries, self._entries = self._entries, deque()
        self._under_way = len(entries)
        revisions, self._revisions = self._revisions, []
        held, self._held = self._held, []
        documents: dict[Name, JsonObject | None] = {}
        try:
            await self._make(documents)
            await self._write(Batch((*self._told(), *entries), documents, tuple(revisions)), longest_s)
        except (StoreLost, asyncio.CancelledError) as error:
            self._put_back(entries, revisions, documents)
            if not isinstance(error, StoreLost):
                raise
            self._fail(error, held)
            return False
        self._succeed(held)
        return True

    async def _make(self, documents: dict[Name, JsonObject | None]) -> None:
        """Make the documents of all that is marked now, some at a time; a later state than a line's does no harm."""
        names = iter(tuple(self._desk.marked()))
        while some := tuple(islice(names, AT_ONCE)):
            documents.update(self._desk.drain(some))
            if len(some) == AT_ONCE:
                await asyncio.sleep(0)

    async def _write(self, batch: Batch, longest_s: float) -> None:
        if not batch:
            return
        try:
            async with asyncio.timeout(longest_s):
                await self._journal.write(batch)
        except TimeoutError as error:
            raise StoreLost(f"the database has not answered for {longest_s:g} s") from error
        except StoreLost:
            raise
        except Exception as error:
            self._log.exception("journal broke")
            raise StoreLost(f"{type(error).__name__} while writing to the database; see the log") from error

    def _put_back(
        self, entries: deque[Entry], revisions: list[KeptRevision], documents: Mapping[Name, JsonObject | None]
    ) -> None:
        self._entries.extendleft(reversed(entries))
        self._bound()
        self._revisions = [*revisions, *self._revisions][-MOST_REVISIONS:]
        self._desk.mark(tuple(documents))

    def _fail(self, error: StoreLost, held: list[Leaving]) -> None:
        self._failures += 1
        self._why = str(error)
        if self._failures == 1:
            self._log.error("nothing can be recorded, nothing is written", why=self._why)
            self._desk.report(Recording(ok=False, why=self._why))
        held += self._held
        self._held = []
        for command in held:
            self._refuse(command)

    def _succeed(self, held: list[Leaving]) -> None:
        if self._failures:
            self._log.info("recording again", tries=self._failures, lines_lost=self._lost)
            self._failures, self._lost, self._why = 0, 0, ""
            self._desk.report(Recording(ok=True))
        for command in held:
            self._desk.release(command)

    def _refuse(self, command: Leaving) -> None:
        why = f"could not be recorded: {self._why}"
        match command:
            case Push():
                profile = command.profile
                self._desk.report(Written(command.station, profile.id, profile, NotSent(why)))
            case Clear():
                self._desk.report(Written(command.station, command.profile_id, None, NotSent(why)))
            case SendRaw():
                answer = {"error": why}
                self._desk.report(RawAnswered(command.station, command.ticket, ok=False, answer=answer, not_sent=why))
            case Reply():
                self._desk.release(replace(command, error=f"obeyed, but it would not survive a restart: {why}"))

    def _bound(self) -> None:
        while len(self._entries) > MOST_LINES:
            self._entries.popleft()
            self._lost += 1

    def _told(self) -> tuple[Entry, ...]:
        """Give the line that stands for those that found no room."""
        if not self._lost:
            return ()
        words = f"{count(self._lost, 'line')} found no room while nothing could be recorded"
        return (Entry(self._desk.now(), "", "history", words),)
