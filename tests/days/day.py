"""One simulated day of a fleet: a virtual clock, a controller, stations, a network, people, and what goes wrong.

Everything is drawn from one generator that the seed makes, so a seed is a day that can be lived again. `live` runs it
to its end, in which faults stop and an hour passes, and raises `Broken` where an invariant does not hold.
"""

import heapq
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random

from days.disk import Disk
from days.happenings import Happenings
from days.journal import Journal
from days.loop import Controller
from days.people import People
from days.truth import Toy
from days.watch import Broken, Watch, seconds
from days.wire import Wire
from reconciler.errors import StoreLost
from reconciler.profiles.canonical import same_meaning
from reconciler.profiles.capability import Protocol

SWITCHES = (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC))
"""Days on which the clocks of Europe/Amsterdam are set."""
LENGTH, SHORT = timedelta(hours=24), timedelta(hours=3)
LARGE = 50
"""Each so many days have a fleet of some hundreds of stations, and are shorter."""
ON_DISK = 5
"""Each so many days keep their journal in a real database."""
KEPT_WITHIN = timedelta(minutes=1)
MOST_EVENTS = 400_000


@dataclass
class Ended:
    """How a day ended: its hash, how many events it had, what was injected and what was checked."""

    seed: int
    digest: str
    events: int
    faults: Counter
    checks: Counter
    begun: datetime


class Day:
    """The world of one seed."""

    def __init__(self, seed):
        self.seed, self.rng = seed, Random(seed)
        self.now = self.begun = self._begin()
        self.agenda, self.numbers = [], count()
        self.trace, self.digest, self.events = deque(maxlen=30), sha256(), 0
        self.faults = Counter()
        self.watch, self.wire = Watch(self), Wire(self)
        self.journal = Journal()
        self.wire.faults = self.faults
        self.toys, self.known, self.controller = {}, {}, None
        self.longest_lease = timedelta(0)
        self.large = seed % LARGE == LARGE - 1
        self.size = (20, 80) if self.large else (1, self.rng.choice((2, 3, 3, 4)))
        self.length = SHORT if self.large else LENGTH
        self.silent_since = None
        self.people, self.happenings = People(self), Happenings(self)

    def _begin(self):
        """Draw when the day begins; each fourth one has a switch of the clocks in it."""
        begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=self.rng.randrange(360 * 24 * 60))
        if self.seed % 4 == 0:
            begin = SWITCHES[self.seed // 4 % 2] - timedelta(minutes=self.rng.randrange(20 * 60))
        return begin

    # --- time

    def at(self, when, what):
        """Let something happen at an instant."""
        heapq.heappush(self.agenda, (max(when, self.now), next(self.numbers), what))

    def later(self, wait, what):
        """Let something happen after a while."""
        self.at(self.now + wait, what)

    def run(self, until):
        """Let time pass."""
        while self.agenda and self.agenda[0][0] <= until:
            when, _, what = heapq.heappop(self.agenda)
            self.now = when
            what()
        self.now = until

    def live(self):
        """Live the day to its end and give how it went; raises Broken with all that is needed to live it again."""
        try:
            self._live()
        except Broken as broken:
            raise Broken(self.obituary(broken)) from broken
        finally:
            self.journal.close()
        return Ended(self.seed, self.digest.hexdigest(), self.events, self.faults, self.watch.checks, self.begun)

    def _live(self):
        if self.seed % ON_DISK == 0:
            self.journal = Disk()
        self.controller = Controller(self)
        self.people.push(self.people.draft)
        self.happenings.plan(self.begun + self.length)
        self.run(self.begun + self.length)
        while self.now < self.happenings.until:
            self.run(self.happenings.until)
        self.happenings.cease()
        self.run(self.now + timedelta(hours=1, minutes=1))
        for _ in range(5):  # a lease may be due at this very moment
            if self.watch.who_is_wrong():
                self.run(self.now + timedelta(seconds=70))
        self.watch.everyone_holds()
        complaint = self.journal.complaint()
        self.watch.hold(not complaint, "store", complaint)

    def obituary(self, broken):
        """Tell of a broken invariant: the seed, the instant, what and the last events."""
        lines = (
            f"seed {self.seed}, begun {self.begun:%Y-%m-%d %H:%M}, at {self.now:%Y-%m-%d %H:%M:%S.%f} UTC",
            f"{broken}",
        )
        return "\n".join((*lines, "the last events:", *self.trace, f"live it again: make days SEED={self.seed}"))

    # --- what happens

    def note(self, text):
        """Write a line of the trace."""
        line = f"{self.now:%d %H:%M:%S.%f} {text}"
        self.trace.append(line)
        self.digest.update(line.encode())

    def note_event(self, event):
        """Write down an event that the controller takes in."""
        self.events += 1
        self.note(tell(event))
        if self.events > MOST_EVENTS:
            raise Broken(f"I12 no hot retry: {self.events} events in a day")

    def report(self, event):
        """Hand an event to the controller, if there is one."""
        self.controller.report(event)

    def join(self, toy, booted=""):
        """Let a station connect, if anybody listens."""
        if self.controller.alive and toy.session is None:
            self.watch.on_trouble(toy.identity)
            self.wire.connect(toy, booted)

    def meet(self, draft):
        """Let stations exist that a commit names for the first time."""
        self.longest_lease = max(self.longest_lease, seconds(draft.lease[0]))
        revision = self.controller.loading
        for key in revision.fleet.stations if revision else ():
            self.known[key] = revision.evses(key)
        for row in draft.rows:
            for identity in row.identities:
                if identity not in self.toys:
                    protocol = Protocol.V21 if row.kind.endswith("21") else Protocol.V201
                    toy = self.toys[identity] = self.happenings.born(Toy(identity, protocol, row.evses))
                    self.later(timedelta(seconds=self.rng.randrange(600)), lambda toy=toy: self.join(toy))

    # --- the process

    def crash(self):
        """Kill the controller: what is not kept is lost; what is on its way may still arrive."""
        controller = self.controller
        controller.alive = False
        self.silent_since = self.now
        if controller.recorder.group is not None and self.rng.random() < 0.5:
            with suppress(StoreLost):
                self.journal.write(controller.recorder.group[0])
        for toy, command in self.wire.hang_up():
            if self.rng.random() < 0.5:
                self.watch.before_take(toy, command)
                self.watch.on_take(toy, command, toy.answer(command, self.now))

    def restart(self):
        """Start the controller from what was kept, with the newest commit of git soon after; stations come back."""
        if self.now - self.silent_since > self.longest_lease:
            self.watch.effects.nothing_flows(self.silent_since)
        failing = self.controller.recorder.failures or self.journal.slow
        self.controller = Controller(self)
        self.watch.on_trouble()
        self.controller.begin()
        self.watch.releases.begin(self.controller.world, self.begun if failing else self.silent_since - KEPT_WITHIN)
        self.later(timedelta(seconds=self.rng.random() * 5), self.people.pull)
        for _, toy in sorted(self.toys.items()):
            self.later(timedelta(seconds=1 + self.rng.random() * 60), lambda toy=toy: self.join(toy))

    # --- what others ask

    def site(self, toy):
        """Give the site of a station by the revision that it follows."""
        target = self.controller.world.target(toy.key)
        manifest = target.station(toy.identity) if target else None
        return manifest.site if manifest else None

    def evses(self, toy):
        """Give a station's EVSEs as (id, charge rating in W, watts per ampere) by the newest revision."""
        return self.known[toy.key]

    def may_clear(self, slot):
        """Tell whether a policy lets a profile of others be cleared."""
        return (
            slot is not None
            and slot.source == "CSO"
            and any(
                rule.policy == "clear" and rule.first <= slot.stored.stack_level <= rule.last
                for revision in self.controller.world.revisions.values()
                for rule in revision.fleet.drift.foreign
            )
        )

    def differs(self, held, goal):
        """Say how what is stored differs from a goal in meaning; empty where it does not."""
        return self.differs_seen({number: each.stored for number, each in held.items()}, goal)

    def differs_seen(self, seen, goal):
        """Say how a report differs from a goal in meaning; empty where it does not."""
        wanted = {each.id: each for each in goal.profiles}
        ours = {number: each for number, each in seen.items() if 1000 <= number <= 1999}
        for number in sorted({*wanted, *ours}):
            if number not in ours or number not in wanted:
                return f"{number} is {'not held' if number in wanted else 'left'}"
            if not same_meaning(wanted[number], ours[number], self.now):
                return f"{number} means something else"
        return ""


def tell(event):
    """Give an event in few words that are the same in every process."""
    words = [type(event).__name__, getattr(event, "station", "")]
    for name in ("session", "profile_id", "evse_id", "reason", "why", "ticket"):
        value = getattr(event, name, None)
        if value not in (None, ""):
            words.append(f"{name}={value}")
    outcome = getattr(event, "outcome", None)
    if outcome is not None:
        words.append(
            f"{type(outcome).__name__} {getattr(outcome, 'why', '') or getattr(outcome, 'reason_code', '')}".strip()
        )
    profiles = getattr(event, "profiles", None)
    if profiles is not None:
        words.append(str([each.profile.id for each in profiles]))
    revision = getattr(event, "revision", None)
    if revision is not None:
        words.append(revision.commit)
    return " ".join(words)


def live(seed):
    """Live one day."""
    return Day(seed).live()
