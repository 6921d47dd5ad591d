"""Where a day's controller keeps what has to outlive it: each batch whole or not at all.

Documents go through JSON, so that nothing survives a crash that could not have been on a disk. The disk may be full for
a while, and a write may be kept whose answer never comes.
"""

from datetime import timedelta

import orjson

from reconciler.errors import StoreLost
from reconciler.rollout.ledger import Stage

MILLISECOND = timedelta(milliseconds=1)


class Journal:
    """Kept in memory, with the semantics of a batch; `intents` are the writes announced in what is kept."""

    def __init__(self):
        self.entries, self.documents, self.revisions, self.intents = [], {}, {}, {}
        self.full = self.slow = self.doubtful = False
        self._uncertain = ()

    def latency(self, rng):
        """Draw how long a write takes."""
        return (rng.randint(500, 9_000) if self.slow else rng.randint(1, 20)) * MILLISECOND

    def write(self, batch):
        """Write a batch whole; the same entries may be handed in again after a failure. Raises StoreLost."""
        if self.full:
            raise StoreLost("the disk is full")
        known = {id(each) for each in self._uncertain}
        entries = [each for each in batch.entries if id(each) not in known]
        self.entries += entries
        self.intents |= {each.write: each for each in entries if each.stage is Stage.INTENT}
        for name, document in batch.documents.items():
            if document is None:
                self.documents.pop(name, None)
            else:
                self.documents[name] = orjson.dumps(document)
        self.revisions |= {each.commit: each for each in batch.revisions}
        self._uncertain = ()
        if self.doubtful:
            self.doubtful, self._uncertain = False, batch.entries
            raise StoreLost("the database has not answered")

    def complaint(self):
        """Say how what is kept differs from what was given; memory forgets nothing."""
        return ""

    def close(self):
        """Let go; memory needs nothing."""

    def load(self):
        """Give all documents as they were written last."""
        return {name: orjson.loads(text) for name, text in self.documents.items()}
