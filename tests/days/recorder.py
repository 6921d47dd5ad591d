"""Write-ahead on the day's clock, in the order of `controller/recorder.py`: what is announced is kept before it leaves.

Lines, revisions and documents go to the journal in groups; while one group is being written the next one collects.
"""

from datetime import timedelta

from reconciler.controller.durable import drain, mark
from reconciler.controller.world import Recording, Reply
from reconciler.errors import StoreLost
from reconciler.reported.events import NotSent, RawAnswered, Written
from reconciler.rollout.commands import Clear, Push
from reconciler.rollout.ledger import Batch

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=0.5), timedelta(seconds=15)


class Recorder:
    """Keeps what one process's turns leave."""

    def __init__(self, controller):
        self.controller, self.day = controller, controller.day
        self.entries, self.revisions, self.held = [], [], []
        self.group = None  # (batch, held) that is being written
        self.failures, self.why = 0, ""

    def hold(self, command):
        """Let a command wait until the lines noted so far are kept; while they can't be, it ends as not sent."""
        if self.failures:
            self._refuse(command)
        else:
            self.held.append(command)

    def turn(self):
        """Begin to write what there is, if nothing is being written."""
        something = self.entries or self.revisions or self.held or self.controller.world.dirty
        if self.group is not None or not something:
            return
        names = sorted(self.controller.world.dirty)
        self.controller.world, documents = drain(self.controller.world, names)
        batch = Batch(tuple(self.entries), documents, tuple(self.revisions))
        self.group, self.entries, self.revisions, self.held = (batch, self.held), [], [], []
        self.day.later(self.day.journal.latency(self.day.rng), self._end)

    def _end(self):
        if not self.controller.alive:
            return
        batch, held = self.group
        try:
            self.day.journal.write(batch)
        except StoreLost as error:
            self._put_back(batch)
            self._fail(str(error), held)
            return
        self._succeed(held)

    def _put_back(self, batch):
        self.entries[:0], self.revisions[:0] = batch.entries, batch.revisions
        self.controller.world = mark(self.controller.world, tuple(batch.documents))

    def _fail(self, why, held):
        self.failures, self.why = self.failures + 1, why
        self.day.faults["batches that could not be written"] += 1
        if self.failures == 1:
            self.controller.report(Recording(ok=False, why=why))
        for command in (*held, *self.held):
            self._refuse(command)
        self.held = []
        self.day.later(min(FIRST_RETRY * 2 ** min(self.failures - 1, 10), LONGEST_RETRY), self._again)

    def _again(self):
        self.group = None
        if self.controller.alive:
            self.turn()

    def _succeed(self, held):
        self.group = None
        if self.failures:
            self.failures = 0
            self.controller.report(Recording(ok=True))
        for command in held:
            self.controller.release(command)
        self.turn()

    def _refuse(self, command):
        why = f"could not be recorded: {self.why}"
        match command:
            case Reply():
                self.controller.day.people.answered(Reply(command.ticket, why))
            case Push(profile=profile):
                self.controller.report(Written(command.station, profile.id, profile, NotSent(why)))
            case Clear():
                self.controller.report(Written(command.station, command.profile_id, None, NotSent(why)))
            case _:
                told = RawAnswered(command.station, command.ticket, ok=False, answer={"error": why}, not_sent=why)
                self.controller.report(told)
