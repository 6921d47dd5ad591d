"""What may never happen, held against the truth after every event of a day.

What is checked of sending is checked when a frame leaves, what is checked of effect when a station has taken it
(`effects`), what is checked of rollouts and orders after each step (`releases`). A breach is raised as `Broken`.
"""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta

from days.effects import Effects
from days.releases import Releases
from reconciler.profiles.canonical import same_meaning
from reconciler.profiles.composite import Situation, compose
from reconciler.profiles.fit import may_discharge
from reconciler.reported.events import Accepted, CompositeRead, OutcomeUnknown, ProfilesRead, Written
from reconciler.rollout.commands import Clear, Push

HORIZON = timedelta(days=8)
HOUR = timedelta(hours=1)
FRAMES = 80
"""How many frames a station may be sent in an hour in which nothing happens to it."""
FOR_EACH = 14
"""How many more for each thing that happens."""
STALLS = ("the site's cap", "contested", "suspended", "storm", "its turn")
"""What a station may wait for in the end, each with its reason."""
DURATIONS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Note:
    """What is remembered of a write that is under way: what it was meant for, and what was true before it."""

    goal: object
    caps: object
    before: dict = field(default_factory=dict)


def seconds(text):
    """Read a duration of a draft."""
    return timedelta(seconds=int(text[:-1]) * DURATIONS[text[-1]])


class Watch:
    """Sees everything that is true of a day, and compares."""

    def __init__(self, day):
        self.day = day
        self.under_way, self.overwritten = {}, {}
        self.frames, self.trouble = defaultdict(deque), defaultdict(deque)
        self.checks = Counter()
        self.effects, self.releases = Effects(day, self.hold), Releases(day, self.hold)

    def hold(self, holds, rule, text):
        """Raise where an invariant does not hold."""
        self.checks[rule] += 1
        if not holds:
            raise Broken(f"{rule}: {text}")

    def on_trouble(self, *identities):
        """Remember that something happened to stations: they may be sent more within the hour."""
        for identity in identities or sorted(self.day.toys):
            self.trouble[identity].append(self.day.now)

    def on_end(self, toy, command, event):
        """Take in how a command ended: what a report says is what the controller may go by."""
        match event:
            case ProfilesRead():
                toy.seen = {each.profile.id: each.profile for each in event.profiles}
                toy.floored = toy.floored or 1000 in toy.seen
                toy.clean = all(slot.sent is not None for slot in toy.held.values())
                self.releases.on_report(toy)
            case CompositeRead():
                toy.shown = True
            case Written() if toy.seen is not None and isinstance(event.outcome, Accepted | OutcomeUnknown):
                toy.seen.pop(event.profile_id, None)
        self.under_way.pop((toy.identity, id(command)), None)

    def on_submit(self, command, link):
        """One command in flight per station (I12)."""
        waiting = len(link.commands) + (link.current is not None)
        self.hold(waiting <= 1, "I12 one in flight", f"{waiting} commands at once for {command.station}")

    def on_send(self, toy, command):
        """Hold a frame that leaves against what may be sent."""
        self._hot(toy)
        if not isinstance(command, Push | Clear):
            return
        world = self.day.controller.world
        number = command.profile.id if isinstance(command, Push) else command.profile_id
        errand = world.errands.get(toy.key)
        self._intended(toy, command, number, errand)
        self._owned(toy, command, number)
        self._quiet(toy, command)
        self._floor_first(toy, command)
        self._spacing(toy, number, world)
        self.releases.on_send(toy, command, errand)
        goal = world.stations[toy.key].goal
        meant = (
            goal if goal is not None and goal.revision == errand.revision else None
        )  # else it was re-aimed meanwhile
        self.under_way[toy.identity, id(command)] = Note(meant, self.effects.caps(self.day.site(toy)))

    def _hot(self, toy):
        """Bound the frames of an hour (I12)."""
        now = self.day.now
        frames, trouble = self.frames[toy.identity], self.trouble[toy.identity]
        frames.append(now)
        for each in (frames, trouble):
            while each and each[0] < now - HOUR:
                each.popleft()
        most = FRAMES + FOR_EACH * len(trouble)
        self.hold(len(frames) <= most, "I12 no hot retry", f"{len(frames)} frames an hour to {toy.identity}")

    def _intended(self, toy, command, number, errand):
        """Every write has a line of intent, with revision and reason, in what is kept before it leaves (I11)."""
        self.hold(errand is not None, "I11 intent", f"a write of {number} to {toy.identity} of which nothing is told")
        line = self.day.journal.intents.get(errand.write)
        self.hold(line is not None, "I11 intent", f"no line kept before the write of {number} to {toy.identity}")
        told = line.reason and line.revision and line.profile_id == number and line.station == toy.identity
        self.hold(bool(told), "I11 reason", f"the line of {number} to {toy.identity} does not tell of it: {line}")

    def _owned(self, toy, command, number):
        """Only the fleet's own ids are written; a policy may clear others of a CSMS (I3)."""
        slot = toy.held.get(number)
        allowed = isinstance(command, Clear) and self.day.may_clear(slot)
        self.hold(
            1000 <= number <= 1999 or allowed, "I3 owned", f"{type(command).__name__} of {number} at {toy.identity}"
        )

    def _quiet(self, toy, command):
        """What a report has shown to mean the same is not written (I2)."""
        if isinstance(command, Push) and toy.seen is not None:
            held = toy.seen.get(command.profile.id)
            same = held is not None and same_meaning(held, command.profile, self.day.now)
            self.hold(not same, "I2 quiet", f"{toy.identity} holds {command.profile.id} already")

    def _floor_first(self, toy, command):
        """No flow before the floor was read back, and every profile with flow ends within its lease (I4)."""
        if isinstance(command, Clear) or command.profile.id in (1000, 1001):
            return
        read = toy.seen is not None and 1000 in toy.seen
        self.hold(read or toy.shown, "I4 floor before flow", f"{toy.identity} has no floor that was read")
        self.hold(self._ends(toy, command.profile), "I4 lease", f"{command.profile.id} of {toy.identity} never ends")

    def _ends(self, toy, profile):
        end = self.day.now + self.day.longest_lease
        held = (self.day.controller.world.stations[toy.key].goal.floor, profile)
        spans = compose(held, profile.evse_id, end, end + HORIZON, Situation())
        return all(span.flow.most_import_w == 0 and span.flow.most_export_w == 0 for span in spans)

    def _spacing(self, toy, number, world):
        """Between two overwrites on one EVSE lies the write interval (I7); floor and withdrawn discharge don't wait."""
        slot = toy.held.get(number)
        if slot is None or not 1001 <= number <= 1999:
            return
        goal = world.stations[toy.key].goal
        if may_discharge(slot.stored) and goal is not None and not any(map(may_discharge, goal.profiles)):
            return
        last = self.overwritten.get((toy.identity, slot.stored.evse_id))
        interval = world.pace(toy.key).write_interval
        apart = last is None or self.day.now - last >= interval
        words = f"{toy.identity} EVSE {slot.stored.evse_id} again after less than {interval}"
        self.hold(apart, "I7 write interval", words)

    def before_take(self, toy, command):
        """Remember what was true before."""
        note = self.under_way.get((toy.identity, id(command)))
        if note is not None:
            note.before = self.effects.now_of(toy)

    def on_take(self, toy, command, event):
        """Hold what a station has now against what it had."""
        if not isinstance(command, Push | Clear):
            return
        if isinstance(command, Push) and command.profile.id == 1000:
            toy.shown = False
        note = self.under_way.get((toy.identity, id(command)))
        if note is None or not isinstance(event.outcome, Accepted):
            return
        number = command.profile.id if isinstance(command, Push) else command.profile_id
        before = note.before["ours"]
        if number in before and number != 1000:
            self.overwritten[toy.identity, before[number].evse_id] = self.day.now
        self.effects.hold_after(toy, note)

    def after_step(self, before, event, world, effects):
        """Hold the controller's own books against each other."""
        in_flight = sum(each.in_flight is not None for each in world.stations.values())
        self.hold(
            world.in_flight == in_flight, "I12 books", f"{world.in_flight} in flight by the books, not {in_flight}"
        )
        key = getattr(event, "station", "").casefold()
        standing = world.standing.get(key)
        if standing is not None:
            told = bool(standing.why) or standing.state == "in-sync"
            self.hold(told, "a reason for every state", f"{key} is {standing.state} for no reason")
        self.releases.after_step(before, event, world)

    def everyone_holds(self):
        """After an hour without faults each station holds what is desired, or stands still for a named reason."""
        wrong = self.who_is_wrong()
        self.hold(not wrong, "end", "; ".join(wrong))
        self.releases.at_the_end()

    def who_is_wrong(self):
        """Say who does not stand as it should, and how."""
        connected = [toy for _, toy in sorted(self.day.toys.items()) if toy.session is not None]
        return [words for toy in connected if (words := self._misstanding(toy))]

    def _misstanding(self, toy):
        world = self.day.controller.world
        station, standing = world.stations.get(toy.key), world.standing.get(toy.key)
        if station is None or standing is None or station.session is None:
            return f"{toy.identity} is not known as connected"
        wrong = self._wrong(toy, station, world)
        stalled = standing.state in ("refused", "unknown") or any(word in standing.why for word in STALLS)
        if not wrong or (stalled and standing.why):
            return ""
        return f"{toy.identity} is {standing.state} ({standing.why}): {wrong}"

    def _wrong(self, toy, station, world):
        """Say what of a station's truth is not as desired."""
        target = world.target(toy.key)
        if target is None or target.station(toy.identity) is None:
            return ""
        if station.goal is None or station.goal.revision != target.commit:
            return f"it is not aimed at {target.commit}"
        return self.day.differs(toy.held, station.goal)
