"""What people do on a day: they push commits, good and broken, and give orders; what they were told is remembered."""

from datetime import timedelta
from itertools import count

from days import fleets
from days.loop import kept
from reconciler.controller.world import Ask, Order, RevisionLoaded, Verb
from reconciler.rollout.commands import SendRaw

ORDERS = (
    Verb.PAUSE,
    Verb.RESUME,
    Verb.PROMOTE,
    Verb.ABORT,
    Verb.SUSPEND,
    Verb.SUSPEND,
    Verb.UNSUSPEND,
    Verb.CLEAR_STORM,
)


class People:
    """Those who work on a fleet; `branch` is the newest commit in git, `draft` what a next edit begins with."""

    def __init__(self, day):
        self.day, self.rng = day, day.rng
        self.draft, self.branch, self.commits = fleets.draw_fleet(self.rng, *day.size), None, 0
        self.written = self.draft
        self.tickets, self.orders, self.taken = count(1), {}, []
        self.suspended = {}

    def push(self, draft):
        """Push a commit; tells whether it was taken, None while nobody follows git."""
        self.commits += 1
        self.written = draft
        self.branch = fleets.snapshot(draft, f"c{self.commits:03}", self.day.now)
        if not self.day.controller.alive:
            return None
        taken = self.day.controller.take(self.branch)
        self.day.faults["commits" if taken else "commits refused"] += 1
        if taken:
            self.draft = draft
            self.taken.append(self.branch)
            self.day.note(f"commit {self.branch.commit}")
            self.day.meet(draft)
            self.day.watch.on_trouble()
        return taken

    def pull(self):
        """Let the controller that has just started look at git."""
        if self.day.controller.alive and self.branch is not None and self.day.controller.take(self.branch):
            self.draft = self.written
            self.taken.append(self.branch)
            self.day.meet(self.draft)

    def commit(self):
        """Edit the fleet, sometimes several times in a row."""
        for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
            self.push(fleets.edit(self.rng, self.draft))

    def blunder(self):
        """Push what has to be refused as a whole."""
        taken = self.push(fleets.spoil(self.rng, self.draft))
        self.day.watch.hold(not taken, "I6 all or nothing", "a broken commit was taken")

    def order(self, verb=None):
        """Give an order."""
        verb = verb or self.rng.choice(ORDERS)
        keys, until = (), None
        if verb in (Verb.SUSPEND, Verb.UNSUSPEND):
            everyone = sorted(toy.key for toy in self.day.toys.values())
            keys = tuple(self.rng.sample(everyone, self.rng.randint(1, len(everyone))))
            until = self.day.now + timedelta(minutes=self.rng.randint(5, 300)) if self.rng.random() < 0.5 else None
            until = until and until.replace(microsecond=0)
        if verb is Verb.UNSUSPEND and self.suspended:
            keys = tuple(sorted(self.suspended))
        override = verb is Verb.PROMOTE and self.rng.random() < 0.5
        order = Order(verb, "Eve", "because", f"t{next(self.tickets)}", keys, until, override)
        self.orders[order.ticket] = order
        self._doubt(order)
        self.day.faults[f"order: {verb}"] += 1
        self.day.watch.on_trouble()
        self.day.report(order)

    def back(self):
        """Return to a commit of before, as a rollback does."""
        world = self.day.controller.world
        older = [each for each in self.taken if world.revision is not None and each.commit != world.revision.commit]
        if not older or not self.day.controller.alive:
            return
        chosen = self.rng.choice(older)
        revision = fleets.compile_again(chosen.files, chosen.commit, self.day.now)
        self.day.watch.on_trouble()
        self.day.controller.recorder.revisions.append(kept(chosen, "taken", self.day.now, chosen.files))
        self.day.report(RevisionLoaded(revision, "because", "", "Eve", back=True))

    def ask(self, toy):
        """Send a request by hand."""
        action = self.rng.choice(("GetBaseReport", "ClearChargingProfile"))
        request = SendRaw(toy.identity, action, {}, f"t{next(self.tickets)}")
        self.day.report(Ask(request, "Eve"))

    def answered(self, reply):
        """Take in the answer to an order: what a person was told to be so is so from then on."""
        order = self.orders.pop(reply.ticket, None)
        if order is not None and not reply.error and order.verb is Verb.SUSPEND:
            self.suspended |= dict.fromkeys(order.keys, (self.day.now, order.until))

    def _doubt(self, order):
        """Forget what an order may end: whether it is obeyed, and kept, is not sure until it is answered."""
        for key in order.keys:
            since, until = self.suspended.pop(key, (None, None))
            if since is not None and order.verb is Verb.SUSPEND:
                self.suspended[key] = (since, min(filter(None, (until, order.until)), default=None))

    def is_suspended(self, key, at):
        """Tell whether a person was told, before an instant, that a station is not written to."""
        since, until = self.suspended.get(key, (None, None))
        return since is not None and since < at and (until is None or at < until)
