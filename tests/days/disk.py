"""The journal as the program has it: the real store on a real SQLite file, held against the one in memory.

Each call runs to its end before the day goes on, so that a day stays the same day however fast the disk is.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path

from days.journal import Journal
from reconciler.errors import StoreLost
from reconciler.rollout.question import Question
from reconciler.store.store import Store

FASTEST = Path("/dev/shm")  # days are not about the speed of disks


class Disk(Journal):
    """Keeps everything twice: in memory, and through the store's own statements."""

    def __init__(self):
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = Path(tempfile.mkdtemp(prefix="days-", dir=FASTEST if FASTEST.is_dir() else None))
        self._store = None
        self._open()

    def _open(self):
        self._store = self._run(Store.open(str(self._folder / "fleet.db"), fleet="days"))

    def _run(self, work):
        return self._loop.run_until_complete(work)

    def write(self, batch):
        """Write a batch to the file, then to memory; raises StoreLost."""
        if self.full:
            raise StoreLost("the disk is full")
        self.doubtful = False  # the store's own tests let it fall silent
        self._run(self._store.write(batch))
        super().write(batch)

    def load(self):
        """Open the file anew, as another process, and give its documents."""
        self._run(self._store.close())
        self._open()
        return dict(self._run(self._store.load()).documents)

    def complaint(self):
        """Say how the file differs from what it was given; empty where it does not."""
        if self.load() != super().load():
            return "the store gives other documents than it was given"
        for commit, revision in self.revisions.items():
            kept = self._run(self._store.revision(commit))
            if kept is None or dict(kept.files) != dict(revision.files):
                return f"the store gives other files of {commit}"
        lines = self._run(self._lines())
        if sorted(map(str, lines)) != sorted(map(str, self.entries)):
            return f"the store gives {len(lines)} lines of history and was given {len(self.entries)}"
        return ""

    def close(self):
        """Take the file away."""
        self._run(self._store.close())
        self._loop.close()
        shutil.rmtree(self._folder)

    async def _lines(self):
        return [line async for line in self._store.stream(Question())]
