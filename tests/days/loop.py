"""The controller's loop on the day's clock: turns, alarms, and write-ahead, in the order of `controller/loop.py`.

A crash drops the whole object; `begin` makes the next one of what was kept.
"""

import heapq
from collections import deque
from datetime import timedelta

from days import fleets
from days.recorder import Recorder
from reconciler.controller.course import ALL
from reconciler.controller.durable import restore
from reconciler.controller.kept import needed, restore_course, restore_suspensions
from reconciler.controller.step import step
from reconciler.controller.world import Reply, RevisionLoaded, RevisionRefused, Settings, World
from reconciler.errors import RevisionError
from reconciler.reported.events import Woken
from reconciler.rollout.commands import Clear, Push, SendRaw, Wake
from reconciler.rollout.ledger import Entry, KeptRevision

TURN = 25


class Controller:
    """One process's life."""

    def __init__(self, day):
        self.day, self.alive = day, True
        self.world = World(settings=Settings())
        self.events, self.turning = deque(), False
        self.alarms, self.due, self.ringing = [], {}, None
        self.recorder = Recorder(self)
        self.loading, self.refused = None, False

    def begin(self):
        """Take over what was kept: the revisions that are needed are made of their files, without git."""
        documents, now = self.day.journal.load(), self.day.now
        kept = self.day.journal.revisions
        revisions, before = {}, None
        for commit in needed(documents):
            before = revisions[commit] = fleets.compile_again(kept[commit].files, commit, now, before)
        restored = restore(self.world, documents, now)
        self.day.watch.hold(not restored.complaints, "restore", str(restored.complaints))
        world = restore_course(restored.world, documents, revisions, now)
        self.world = restore_suspensions(world, documents)
        self.recorder.entries += restored.entries
        for _, station in sorted(self.world.stations.items()):
            self.report(Woken(station.identity))
        self.report(Woken(ALL))

    def take(self, snapshot):
        """Make a commit the desired revision, or refuse it as a whole; tells whether it was taken."""
        before, now = self.loading or self.world.revision, self.day.now
        if before is not None and snapshot.commit == before.commit and not self.refused:
            return True
        try:
            revision = fleets.take(snapshot, now, before)
        except RevisionError as error:
            self.refused = True
            self.recorder.revisions.append(kept(snapshot, "refused", now, {}))
            self.day.note(f"commit {snapshot.commit} refused: {error.errors[0].rule}")
            self.report(RevisionRefused(snapshot.commit, snapshot.subject, error.errors))
            return False
        self.loading, self.refused = revision, False
        self.recorder.revisions.append(kept(snapshot, "taken", now, snapshot.files))
        self.report(RevisionLoaded(revision, "", f"plan of {snapshot.commit}"))
        return True

    def report(self, event):
        """Take an event in; it is stepped in a turn of its own."""
        if not self.alive:
            return
        self.events.append(event)
        if not self.turning:
            self.turning = True
            self.day.later(timedelta(0), self._turn)

    def _turn(self):
        if not self.alive:
            return
        self.turning = False
        for _ in range(min(TURN, len(self.events))):
            self._step(self.events.popleft())
        self.recorder.turn()
        if self.events and not self.turning:
            self.turning = True
            self.day.later(timedelta(0), self._turn)

    def _step(self, event):
        before = self.world
        self.day.note_event(event)
        self.world, effects = step(self.world, event, self.day.now)
        for effect in effects:
            self._carry_out(effect)
        if isinstance(event, RevisionLoaded) and event.revision is self.loading:
            self.loading = None
        self.day.watch.after_step(before, event, self.world, effects)

    def _carry_out(self, effect):
        match effect:
            case Wake():
                self._wake(effect)
            case Entry():
                self.recorder.entries.append(effect)
            case Push() | Clear() | SendRaw() | Reply(error=""):
                self.recorder.hold(effect)
            case Reply():
                self.day.people.answered(effect)
            case _:
                self.day.wire.execute(effect)

    def release(self, command):
        """Let out what was kept: an answer to people, or a command unless its connection has gone meanwhile."""
        if isinstance(command, Reply):
            self.day.people.answered(command)
            return
        station = self.world.stations.get(command.station.casefold())
        if station is not None and station.in_flight is command:
            self.day.wire.execute(command)

    def _wake(self, wake):
        if self.due.get(wake.station) == wake.at:
            return
        self.due[wake.station] = wake.at
        heapq.heappush(self.alarms, (wake.at, wake.station))
        self._arm()

    def _arm(self):
        """Ring when the first alarm is due."""
        if not self.alarms:
            return
        first = max(self.alarms[0][0], self.day.now)
        if self.ringing is None or first < self.ringing or self.ringing < self.day.now:
            self.ringing = first
            self.day.at(first, lambda: self._ring(first))

    def _ring(self, armed):
        if not self.alive or self.ringing != armed:
            return
        self.ringing = None
        while self.alarms and self.alarms[0][0] <= self.day.now:
            at, station = heapq.heappop(self.alarms)
            if self.due.get(station) == at:
                del self.due[station]
                self.report(Woken(station))
        self._arm()


def kept(snapshot, verdict, now, files):
    """Give a commit as the journal has it."""
    return KeptRevision(
        commit=snapshot.commit,
        fleet="days",
        subject=snapshot.subject,
        author=snapshot.author,
        signature="",
        committed_at=now,
        taken_at=now,
        verdict=verdict,
        files=files,
    )
