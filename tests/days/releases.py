"""What rollouts and people's orders promise: waves that were read back, paces, quarantine, suspensions, storms."""

from collections import deque
from datetime import timedelta

from reconciler.controller.world import Order, RevisionLoaded, Verb
from reconciler.profiles.fit import may_discharge
from reconciler.profiles.profile import Purpose
from reconciler.rollout.commands import Clear
from reconciler.rollout.progress import Phase
from reconciler.rollout.station import second_opinion
from reconciler.rollout.windows import verdict

MINUTE = timedelta(minutes=1)
UNLIMITED = 1_000_000
LATE = timedelta(minutes=2)
MARGIN = timedelta(hours=1)


class Releases:
    """Compares what is sent with what the rollout and people allow."""

    def __init__(self, day, hold):
        self.day, self.hold = day, hold
        self.read_back, self.quarantined, self.excused = set(), {}, {}
        self.stormy, self.writes = {}, {}

    def begin(self, world, since):
        """Take over what a new process begins with; what had no time to be kept before the crash may be lost."""
        held = world.storm.held if world.storm else {}
        self.stormy = {key: at for key, at in self.stormy.items() if at < since or key in held}
        self.quarantined = {
            commit: at for commit, at in self.quarantined.items() if at < since or commit in world.quarantined
        }

    def on_send(self, toy, command, errand):
        """Hold a write against pace, quarantine, suspension and storm, as of when it was decided."""
        known = toy.held.get(errand.profile_id)
        lowers = self._lowers(toy, command, known)
        withdraws = self._withdraws(toy, command, known)
        if not lowers:
            self._paced(toy, errand)
        suspended = self.day.people.is_suspended(toy.key, errand.at)
        self.hold(withdraws or not suspended, "suspended", f"{toy.identity} is written to: {errand}")
        stormy = self.stormy.get(toy.key)
        self.hold(lowers or stormy is None or stormy >= errand.at, "storm", f"{toy.identity} is written to: {errand}")
        since = self.quarantined.get(errand.revision)
        excused = toy.key in self.excused.get(errand.revision, ())
        late = since is not None and since < errand.at and not excused
        self.hold(not late, "quarantine", f"{errand.revision} is pushed to {toy.identity}: {errand}")

    def _withdraws(self, toy, command, known):
        goal = self.day.controller.world.stations[toy.key].goal
        if goal is None or any(map(may_discharge, goal.profiles)):
            return False
        return known is None or may_discharge(known.stored)

    def _lowers(self, toy, command, known):
        if self._withdraws(toy, command, known):
            return True
        if isinstance(command, Clear):
            return False
        return command.profile.id == 1000 or (command.profile.purpose is Purpose.STATION_MAX and known is None)

    def _paced(self, toy, errand):
        """No more writes in any minute than the fleet's pace says, and the site's."""
        world = self.day.controller.world
        target = world.target(toy.key)
        strategy = target.fleet.strategy
        for name, pace in (("", strategy.writes_per_minute), (self.day.site(toy), strategy.site_writes_per_minute)):
            writes = self.writes.setdefault(name, deque())
            writes.append((errand.at, UNLIMITED if pace is None else pace))
            while writes and writes[0][0] <= errand.at - MINUTE:
                writes.popleft()
            most = max(each for _, each in writes)  # stations may follow revisions of different paces
            self.hold(len(writes) <= most, "pace", f"{len(writes)} writes in a minute at {name or 'all'}")

    def after_step(self, before, event, world):
        """Hold each move of a rollout against what was read back."""
        if world.rollout is not before.rollout and world.rollout is not None:
            self._moved(before.rollout, event, world)
        if world.quarantined is not before.quarantined:
            for commit in world.quarantined:
                self.quarantined.setdefault(commit, self.day.now)
            self.quarantined = {each: at for each, at in self.quarantined.items() if each in world.quarantined}
        if world.storm is not before.storm:
            held = world.storm.held if world.storm else {}
            self.stormy = {key: self.stormy.get(key, self.day.now) for key in held}
            self.day.faults["storms"] += before.storm is None

    def _moved(self, before, event, world):
        rollout = world.rollout
        if rollout.phase is Phase.ABORTED and (before is None or before.phase is not Phase.ABORTED):
            self.day.faults["rollouts aborted"] += 1
            holds = rollout.strategy.on_abort == "hold"
            self.excused[rollout.commit] = {toy.key for toy in self.day.toys.values()} if holds else set(rollout.urgent)
        same = before is not None and before.commit == rollout.commit and before.began_at == rollout.began_at
        by_hand = isinstance(event, Order) and event.verb is Verb.PROMOTE
        if same and rollout.phase is Phase.COMPLETE and before.phase is not Phase.COMPLETE:
            self.day.faults["rollouts complete"] += 1
        passed = rollout.wave > before.wave or rollout.phase is Phase.COMPLETE if same else False
        if passed and not by_hand and not before.is_over and not isinstance(event, RevisionLoaded):
            self._was_read_back(before, world)
            self.hold(before.phase is not Phase.PAUSED, "paused", f"{rollout.commit} goes on while it is paused")
        if same and rollout.wave > before.wave and not rollout.overridden:
            opening = verdict(rollout.strategy.windows, self.day.now)
            self.hold(opening.open or by_hand, "windows", f"a wave of {rollout.commit} is let out while {opening.why}")

    def _was_read_back(self, rollout, world):
        """A wave is left only when every member that is online has the new revision read back (I9).

        Of one that does not report, it is its composite schedules that were.
        """
        for key in rollout.released:
            toy = next(each for each in self.day.toys.values() if each.key == key)
            station = world.stations.get(key)
            gone = toy.session is None or station is None or station.session is None or key in world.suspended
            failed = world.rollout.failed if world.rollout else {}
            if gone or key in rollout.failed or key in failed or key in rollout.forgiven or second_opinion(station):
                continue
            verified = station.verified is not None and station.verified.revision == rollout.commit
            self.hold(verified, "I9 read back", f"{key} is not verified and its wave of {rollout.commit} has passed")
            skewed = toy.skew is not None and abs(toy.skew) > MARGIN
            shown = skewed or (key, rollout.commit) in self.read_back or not self._differs(toy, station)
            self.hold(shown, "I9 read back", f"{key} never showed {rollout.commit}, and its wave has passed")

    def on_report(self, toy):
        """Remember that a report has shown all of a revision."""
        station = self.day.controller.world.stations.get(toy.key)
        if station is not None and station.goal is not None and not self._differs(toy, station):
            self.read_back.add((toy.key, station.goal.revision))

    def _differs(self, toy, station):
        return toy.seen is None or self.day.differs_seen(toy.seen, station.goal)

    def at_the_end(self):
        """A rollout has ended, or says what it waits for."""
        rollout, now = self.day.controller.world.rollout, self.day.now
        if rollout is None or rollout.is_over or self.day.controller.world.storm is not None:
            return
        standing = self.day.controller.world.standing
        waits = bool(rollout.open) and all(standing[key].why for key in rollout.open)
        times = [at for at in (rollout.not_before, rollout.soak_until) if at is not None]
        waits = waits or bool(rollout.reason) or any(at > now - LATE for at in times)
        self.hold(waits, "end of rollouts", f"{rollout.commit} is {rollout.phase} for no reason: {rollout}")
