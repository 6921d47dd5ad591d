"""Two sites whose stations are toys: revisions go out in waves, people give orders, and the process dies now and then.

What is written is told to `laws` before a station takes it, with the truth of that moment. What outlives a crash are
the documents that the loop would have kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import orjson

from reconciler.controller.durable import drain, restore
from reconciler.controller.kept import needed, restore_course, restore_suspensions
from reconciler.controller.revision import revise
from reconciler.controller.step import step
from reconciler.controller.world import Order, RevisionLoaded, Settings, Verb, World
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.fit import may_discharge
from reconciler.profiles.profile import Profile, Purpose
from reconciler.profiles.timeline import total
from reconciler.reported.events import Faulted, ProfilesRead, Woken
from reconciler.rollout.commands import Clear, Push
from reconciler.rollout.site import load_of
from toys import NOON, SCHEDULE, ToyFleet, shipped

SITES = ("yard", "quay")
FLEET = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: yards}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 1000, to: 1999}
  failSafe: {lease: 3h, renewBefore: 1h, maxOffline: 15m}
  writeInterval: 60s
"""
ROW = """\
---
kind: Site
metadata: {name: SITE}
spec: {import: IMPORT kW, export: EXPORT kW}
---
kind: StationSet
metadata: {name: set-ROW, labels: {row: ROW}}
spec:
  identities: [NAMES]
  evses: [{id: 1, charge: 11 kW, DISCHARGEcurrent: DC}]
  capability: {protocol: "2.1", maxOffline: true}
---
kind: Group
metadata: {name: ROW}
spec: {site: SITE, select: {labels: {row: ROW}}, schedules: [{schedule: ROW, priority: LEVEL}]}
"""


@dataclass(frozen=True)
class Draft:
    """What a commit says: by row the power in kW of two windows, how much the caps leave, how it goes out.

    `levels` are the schedules' priorities by row: another one is another profile. `gone` stations are not listed.
    """

    rows: tuple = (2, 2)
    powers: tuple = ((-7, 3), (5, 2))
    slack: int = 0
    rollout: str = ""
    discharge: bool = True
    levels: tuple = (10, 10)
    gone: tuple = ()

    def names(self, row):
        """Give the stations of a row, 0 or 1."""
        return tuple(f"{'AB'[row]}-{number}" for number in range(1, self.rows[row] + 1))

    @property
    def identities(self):
        """Give all stations that there are, listed or not."""
        return self.names(0) + self.names(1)

    @property
    def flows(self):
        """Give the powers that are asked for."""
        return tuple(tuple(each if self.discharge else max(each, 0) for each in row) for row in self.powers)

    def cap(self, row, sign):
        """Give a cap in kW that these powers keep to."""
        listed = [each for each in self.names(row) if each not in self.gone]
        return len(listed) * max(0, *(sign * each for each in self.flows[row])) + self.slack


@lru_cache(maxsize=2048)
def commit(draft, name):
    """Prove the revision of a draft."""
    text = FLEET + ("  discharge: allowed\n" if draft.discharge else "")
    text += f"  rollout: {{{draft.rollout}}}\n" if draft.rollout else ""
    for row, site in enumerate(SITES):
        listed = ", ".join(each for each in draft.names(row) if each not in draft.gone)
        words = {
            "IMPORT": draft.cap(row, 1),
            "EXPORT": draft.cap(row, -1),
            "SITE": site,
            "ROW": "ab"[row],
            "NAMES": listed,
            "DISCHARGE": "discharge: 11 kW, " if draft.discharge else "",
            "LEVEL": draft.levels[row],
        }
        part = ROW
        for word, value in words.items():
            part = part.replace(word, str(value))
        first, second = draft.flows[row]
        part += SCHEDULE.replace("NAME", "ab"[row]).replace("FIRST", str(first)).replace("SECOND", str(second))
        text += part
    return revise(Snapshot(name, "Ada", None, "yards", {"fleet.yaml": text}), shipped(), NOON)


@dataclass(frozen=True)
class Write:
    """A write that a station is about to take; `held` is what it truly holds under that id."""

    key: str
    command: Push | Clear
    commit: str
    held: Profile | None
    goal: object

    @property
    def withdraws(self):
        """Tell whether it ends discharge at a station that is to discharge no more."""
        wanted = self.goal is not None and any(map(may_discharge, self.goal.profiles))
        return not wanted and (self.held is None or may_discharge(self.held))

    @property
    def lowers(self):
        """Tell whether it can only lower flow."""
        if isinstance(self.command, Clear):
            return self.withdraws
        ceiling = self.command.profile.purpose is Purpose.STATION_MAX and self.held is None
        return self.withdraws or ceiling or self.command.profile.id == 1000


class Yards(ToyFleet):
    """Toy stations, what is kept of their world, and who watches."""

    def __init__(self, draft, settings=None):
        super().__init__(draft.identities, settings or Settings(read_back=timedelta(hours=1)))
        self.draft, self.made, self.documents, self.commits = draft, {}, {}, [draft]
        self.laws: list[Callable] = []
        self.steps: list[Callable] = []
        self.before = self.world
        self.shown: set = set()
        self.crashes = 0
        self.load(commit(draft, "c0")).connect().run(timedelta(hours=1))

    def feed(self, event):
        """Step once, keep what is to be kept, and carry the effects out."""
        self.before = self.world
        self.world, effects = step(self.world, event, self.now)
        self.world, documents = drain(self.world)
        self.documents |= documents
        if isinstance(event, ProfilesRead):
            self._show(event.station)
        for law in self.steps:
            law(self, event)
        for effect in effects:
            self._carry_out(effect)
        assert self.world.in_flight == sum(each.in_flight is not None for each in self.world.stations.values())
        return effects

    def _show(self, identity):
        goal = self.station(identity).goal
        if goal is not None and self.holds(identity):
            self.shown.add((identity.casefold(), goal.revision))

    def _execute(self, command):
        if isinstance(command, Push | Clear):
            key = command.station.casefold()
            number = command.profile.id if isinstance(command, Push) else command.profile_id
            held = self.stations[command.station].held.get(number)
            write = Write(key, command, self.world.errands[key].revision, held, self.world.stations[key].goal)
            for law in self.laws:
                law(self, write)
        super()._execute(command)

    def load(self, made, **fields):
        """Put a revision in force, as git or a person says."""
        self.made[made.commit] = made
        self.feed(RevisionLoaded(made, **fields))
        return self

    def crash(self):
        """Die between two events, and begin again with what was kept; the stations come back."""
        here = [each.identity for each in self.stations.values() if each.online]
        for each in self.stations.values():
            each.online = False
        self.crashes += 1
        self._queue, self._alarms, self._busy = [], {}, {}
        kept = {name: orjson.loads(orjson.dumps(each)) for name, each in self.documents.items() if each is not None}
        found = restore(World(settings=self.world.settings), kept, self.now)
        assert not found.complaints
        revisions = {each: self.made[each] for each in needed(kept)}
        self.world = restore_suspensions(restore_course(found.world, kept, revisions, self.now), kept)
        for station in tuple(self.world.stations.values()):
            self.feed(Woken(station.identity))
        self.feed(Woken(""))
        newest = list(self.made)[-1]
        if self.world.revision.commit != newest:
            self.load(self.made[newest])
        self.connect(*here)

    def order(self, verb, *keys):
        """Give an order."""
        self.feed(Order(verb, "Ada", "because", "t1", keys))

    def sums(self, row):
        """Give what the stations of a row truly draw and feed, as they are built."""
        first = self.made["c0"]
        loads = [
            load_of(tuple(self.stations[each].held.values()), first.evses(each.casefold()), NOON)
            for each in self.draft.names(row)
        ]
        return total((each.draw, 1) for each in loads), total((each.feed, 1) for each in loads)

    def happen(self, what):
        """Let one thing happen; stations are named by a number."""
        kind, *more = what
        if kind == "crash":
            return self.crash()
        if kind == "commit":
            return self._commit(more[0])
        if kind == "back":
            return self._go_back(more[0])
        if kind == "order":
            return self._order(*more)
        return self.befall(tuple(self.stations)[more[0] % len(self.stations)], kind, *more[1:])

    def _commit(self, fields):
        draft = Draft(rows=self.draft.rows, **fields)
        self.commits.append(draft)
        self.load(commit(draft, f"c{len(self.commits) - 1}"))

    def _go_back(self, number):
        name = f"c{number % len(self.commits)}"
        self.feed(RevisionLoaded(self.made[name], "because", "", "Ada", back=True))

    def _order(self, verb, number):
        names = tuple(self.stations)
        about = verb in (Verb.SUSPEND, Verb.UNSUSPEND)
        self.order(verb, *((names[number % len(names)].casefold(),) if about else ()))

    def befall(self, identity, kind, *more):
        """Let something happen to a station, or a part of it break or be whole again."""
        if kind != "fault":
            super().befall(identity, kind, *more)
        elif self.stations[identity].online:
            self.feed(Faulted(identity, 1, active=more[0], what="connector"))

    def heal(self):
        """End every fault and every order, and bring everyone back."""
        self.mend()
        for identity in self.stations:
            self.feed(Faulted(identity, 1, active=False, what="connector"))
        self.order(Verb.UNSUSPEND, *map(str.casefold, self.stations))
        self.order(Verb.RESUME)
        self.order(Verb.CLEAR_STORM)
        return self.run(timedelta(hours=1))
