"""How a running program is seen from outside: what is measured, whose frames are written down, and who is told.

Made from `run`'s options, given to the program, which feeds it, and to the API, which shows it. It decides nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.cli.clock import Clock
from reconciler.controller.loop import Controller
from reconciler.controller.recorder import Journal
from reconciler.errors import ReconcilerError, UsageError
from reconciler.manifests.snapshot import Snapshot
from reconciler.rollout.ledger import Batch
from reconciler.source.polling import Source
from reconciler.stations.server import StationServer
from reconciler.stations.transcript import Transcript
from reconciler.web.measures import Measures
from reconciler.web.metrics import Metrics, Sources
from reconciler.web.notices import look
from reconciler.web.receivers import Receiver


@dataclass(frozen=True, slots=True)
class Observation:
    """What is measured, the log of frames if there is one, and whom to tell."""

    measures: Measures = field(default_factory=Measures)
    transcript: Transcript | None = None
    receivers: tuple[Receiver, ...] = ()

    def metrics(self, controller: Controller, stations: StationServer, clock: Clock) -> Metrics:
        """Give what a scrape of this program shows."""
        log = self.transcript
        dropped = (lambda: log.dropped) if log is not None else (lambda: 0)
        return Metrics(self.measures, Sources(controller, stations, clock, lambda: controller.queued, dropped))

    @asynccontextmanager
    async def running(self, controller: Controller, clock: Clock) -> AsyncIterator[None]:
        """Write frames down and tell receivers until the block ends; what was taken by then is written."""
        from reconciler.web.notify import Notifier, Pauses

        writing = asyncio.create_task(self.transcript.run()) if self.transcript is not None else None
        notifier = Notifier(
            self.receivers, lambda: look(controller.world, clock()), self.measures.notified, Pauses(random.uniform)
        )
        telling = asyncio.create_task(notifier.run()) if self.receivers else None
        try:
            yield
        finally:
            if telling is not None:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
            if writing is not None and self.transcript is not None:
                self.transcript.close()
                await writing


@dataclass(frozen=True, slots=True)
class CountedJournal:
    """A journal whose lines of history are counted once they are written."""

    journal: Journal
    measures: Measures

    async def write(self, batch: Batch) -> None:
        """Write a batch; raises StoreLost."""
        await self.journal.write(batch)
        self.measures.recorded(len(batch.entries))


@dataclass(frozen=True, slots=True)
class CountedSource:
    """A source whose looks for new commits are counted, so that one sees when the last good one was."""

    source: Source
    measures: Measures
    clock: Clock

    async def fetch(self) -> Snapshot:
        """Give the revision as it is now; raises ReconcilerError."""
        try:
            snapshot = await self.source.fetch()
        except ReconcilerError:
            self.measures.missed()
            raise
        self.measures.fetched(self.clock())
        return snapshot


def open_transcript(path: Path | None, patterns: Sequence[str], clock: Clock) -> Transcript | None:
    """Give the log of frames that options ask for.

    Raises:
        UsageError: stations are chosen without a file, or the file can't be in such a place.
    """
    if path is None:
        if patterns:
            raise UsageError("--frame-log-stations chooses whose frames are written; --frame-log FILE says where")
        return None
    if not path.parent.is_dir() or path.is_dir():
        raise UsageError(f"--frame-log {path}: it has to be a file in a folder that exists")
    transcript = Transcript(path, clock)
    transcript.choose(patterns)
    return transcript
