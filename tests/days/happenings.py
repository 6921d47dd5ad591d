"""What goes wrong on a day, and what people do on it: drawn when the day begins, so that no day is like another.

Every day leaves some kinds of trouble out: bugs hide where everything happens at once, and where nothing does.
"""

from datetime import timedelta
from decimal import Decimal

from days.truth import Slot, halve, reword, stranger
from days.wire import Weather
from reconciler.reported.events import Faulted, Metered, Refused

REFUSALS = (
    Refused("InvalidSchedule"),
    Refused("InternalError"),
    Refused("OutOfMemory"),
    Refused("RateLimitExceeded", "wait", timedelta(minutes=2)),
)
KINDS = {
    "commit": 5,
    "broken commit": 1,
    "reboot": 3,
    "reboot and forget": 2,
    "drop": 4,
    "silent drop": 2,
    "partition": 2,
    "amnesia": 2,
    "altered": 2,
    "foreign": 2,
    "foreign gone": 1,
    "bad network": 2,
    "refusing": 2,
    "forgetting": 1,
    "mute": 1,
    "skew": 1,
    "fault": 1,
    "odd meter": 1,
    "crash": 3,
    "blackout": 1,
    "full disk": 1,
    "slow disk": 1,
    "doubtful disk": 1,
    "order": 6,
    "rollback": 1,
    "request by hand": 1,
}
"""What may happen, and how often relative to the rest."""


class Happenings:
    """Draws and does what happens."""

    def __init__(self, day):
        self.day, self.rng = day, day.rng
        self.character = [kind for kind in KINDS if kind == "commit" or self.rng.random() < 0.5]
        self.busy = self.rng.choice((2, 5, 10, 18))
        self.over, self.until = False, day.begun

    def plan(self, until):
        """Draw the instants of a day at which something happens."""
        minutes = int((until - self.day.now).total_seconds() // 60)
        for minute in sorted(self.rng.randrange(15, minutes) for _ in range(self.busy)):
            self.day.later(timedelta(minutes=minute, seconds=self.rng.random() * 60), self._happen)

    def born(self, toy):
        """Give a station habits of its own."""
        drawn = self.rng.random()
        toy.stores = reword if drawn < 0.2 else halve if drawn < 0.23 else None
        toy.mute = self.rng.random() < 0.05
        return toy

    def _happen(self):
        kind = self.rng.choices(self.character, [KINDS[each] for each in self.character])[0]
        toy = self.day.toys[self.rng.choice(sorted(self.day.toys))]
        before = self.day.now
        self.day.note(f"-- {kind} ({toy.identity})")
        self.day.watch.on_trouble(toy.identity)
        self.day.faults[kind] += 1
        getattr(self, "_" + kind.replace(" ", "_"))(toy)
        assert self.day.now == before

    def cease(self):
        """End every fault, and bring everyone back."""
        self.over = True
        self.day.note("-- faults cease")
        self.day.watch.on_trouble()
        self.day.wire.weather = Weather()
        journal = self.day.journal
        journal.full = journal.slow = journal.doubtful = False
        if not self.day.controller.alive:
            self.day.restart()
        for _, toy in sorted(self.day.toys.items()):
            toy.refuses, toy.forgets, toy.mute, toy.skew = {}, set(), False, None
            self._mend(toy)
            if toy.session is None:
                self.day.join(toy, "PowerUp")

    # --- people

    def _commit(self, toy):
        self.day.people.commit()

    def _broken_commit(self, toy):
        self.day.people.blunder()

    def _order(self, toy):
        self.day.people.order()

    def _rollback(self, toy):
        self.day.people.back()

    def _request_by_hand(self, toy):
        self.day.people.ask(toy)

    # --- the process and its disk

    def _crash(self, toy):
        """Kill the controller at some moment within the next seconds, often just after something has begun."""
        moment = timedelta(milliseconds=self.rng.choice((0, 3, 30, 300, 3000)) * self.rng.random())
        if self.rng.random() < 0.5:
            self.rng.choice((self.day.people.commit, self.day.people.order))()
        self.day.later(moment, lambda: self._kill(timedelta(seconds=self.rng.choice((1, 30, 900, 7200)))))

    def _blackout(self, toy):
        """Let the controller be gone for longer than any lease."""
        self._kill(self.day.longest_lease + timedelta(minutes=self.rng.randrange(1, 60)))

    def _kill(self, downtime):
        if not self.day.controller.alive or self.over:
            return
        self.day.note("-- killed")
        self.day.crash()
        self.until = max(self.until, self.day.now + downtime + timedelta(hours=1))
        self.day.later(downtime, lambda: self.day.controller.alive or self.day.restart())

    def _full_disk(self, toy):
        self.day.journal.full = True
        self._until(lambda: setattr(self.day.journal, "full", False))

    def _slow_disk(self, toy):
        self.day.journal.slow = True
        self._until(lambda: setattr(self.day.journal, "slow", False))

    def _doubtful_disk(self, toy):
        self.day.journal.doubtful = True

    # --- stations

    def _reboot(self, toy):
        self._away(toy, timedelta(seconds=self.rng.randrange(5, 300)), booted="PowerUp")

    def _reboot_and_forget(self, toy):
        toy.forget(None if self.rng.random() < 0.6 else self._some(toy))
        self._reboot(toy)

    def _some(self, toy):
        return [number for number in sorted(toy.held) if self.rng.random() < 0.5]

    def _amnesia(self, toy):
        toy.forget(self._some(toy))

    def _altered(self, toy):
        """Let another writer overwrite a profile, perhaps again and again."""
        number = self.rng.choice((1000, 1001, 1011, 1011))
        limit = self.rng.choice((0, 1000, 3000, 7000))
        for again in range(self.rng.choice((1, 1, 5))):
            self.day.later(timedelta(minutes=20 * again), lambda: self.over or toy.alter(number, limit))

    def _foreign(self, toy):
        number, level = self.rng.randint(1, 9), self.rng.choice((1, 5, 8))
        each = stranger(number, self.rng.randint(1, toy.evses), level, self.rng.choice((0, 2000, 50_000)))
        if any(slot.stored.slot == each.slot for slot in toy.held.values()):
            return
        toy.held[number] = Slot(each, self.rng.choice(("CSO", "EMS", "SO")))
        toy.clean = False

    def _foreign_gone(self, toy):
        toy.forget([number for number in toy.held if number < 1000])

    def _refusing(self, toy):
        number = self.rng.choice((1000, 1001, 1011, 1012))
        toy.refuses[number] = self.rng.choice(REFUSALS)
        self._until(lambda: toy.refuses.pop(number, None))

    def _forgetting(self, toy):
        toy.forgets.add(self.rng.choice((1001, 1011, 1012)))
        self._until(toy.forgets.clear)

    def _mute(self, toy):
        toy.mute = True
        self._until(lambda: setattr(toy, "mute", False))

    def _skew(self, toy):
        toy.skew = timedelta(minutes=self.rng.choice((-2, 3, 30, -90, 200)))

    def _fault(self, toy):
        self.day.report(Faulted(toy.identity, self.rng.randint(0, toy.evses), True, "Connector"))
        self._until(lambda: self._mend(toy))

    def _mend(self, toy):
        for evse in range(toy.evses + 1):
            self.day.report(Faulted(toy.identity, evse, False, "Connector"))

    def _odd_meter(self, toy):
        self.day.report(Metered(toy.identity, 1, Decimal(self.rng.choice((0, 60_000))), self.day.now))

    def _until(self, end):
        self.day.later(timedelta(minutes=self.rng.randrange(1, 240)), end)

    # --- the network

    def _drop(self, toy):
        self._away(toy, self._absence())

    def _silent_drop(self, toy):
        self._away(toy, self._absence(), noticed_after=timedelta(seconds=self.rng.randrange(1, 90)))

    def _absence(self):
        return timedelta(seconds=self.rng.choice((1, 20, 300, 3600, 6 * 3600)) * (0.5 + self.rng.random()))

    def _away(self, toy, absence, booted="", noticed_after=timedelta(0)):
        self.day.wire.cut(toy, noticed_after=noticed_after)
        self.day.later(absence, lambda: toy.session is None and self.day.join(toy, booted))

    def _partition(self, toy):
        """Cut a whole site off for a while."""
        site, absence = self.day.site(toy), self._absence()
        for _, other in sorted(self.day.toys.items()):
            if self.day.site(other) == site:
                self.day.watch.on_trouble(other.identity)
                self._away(other, absence + timedelta(seconds=self.rng.randrange(30)))

    def _bad_network(self, toy):
        chances = [self.rng.choice((0.0, 0.05, 0.2)) for _ in range(4)]
        self.day.wire.weather = Weather(*chances)
        self._until(lambda: setattr(self.day.wire, "weather", Weather()))
