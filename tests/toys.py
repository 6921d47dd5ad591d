"""A small world to try the controller's step in: stations that hold profiles, and may lose, refuse, forget or reword.

Time, answers and alarms are values in a queue; nothing runs by itself. The truth is in `ToyStation.held`, what the
controller believes is in `ToyFleet.world`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count
from pathlib import Path

from reconciler.controller.revision import revise
from reconciler.controller.step import step
from reconciler.controller.world import Reply, RevisionLoaded, Settings, World
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.canonical import differences
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.events import (
    Accepted,
    Booted,
    CapabilityRead,
    CompositeRead,
    CompositeStep,
    Connected,
    Disconnected,
    OutcomeUnknown,
    ProfilesRead,
    RawAnswered,
    ReadFailed,
    Ready,
    Refused,
    ReportedProfile,
    Woken,
    Written,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadComposite, ReadProfiles, SendRaw, Wake
from reconciler.rollout.ledger import Entry, Stage

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
TIMEOUT = timedelta(seconds=30)
FAULTS = {
    "InternalError": Refused("InternalError"),
    "InvalidSchedule": Refused("InvalidSchedule"),
    "RateLimitExceeded": Refused("RateLimitExceeded", "0 seconds before retry", timedelta(0)),
}
FLEET = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: toys}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 1000, to: 1999}
  failSafe: {lease: 30h, renewBefore: 6h, maxOffline: 15m}
  writeInterval: WRITE
  discharge: allowed
---
kind: Site
metadata: {name: yard}
spec: {import: IMPORT kW, export: EXPORT kW}
---
kind: StationSet
metadata: {name: buses, labels: {row: a}}
spec:
  identities: "A-{1..2}"
  evses: [{id: 1, charge: 11 kW, discharge: 11 kW, current: DC}]
  capability: {protocol: "2.1", maxOffline: true}
---
kind: Station
metadata: {name: B-1, labels: {row: b}}
spec:
  identity: B-1
  evses: [{id: 1, charge: 16 A, phases: 3}, {id: 2, charge: 16 A, phases: 3}]
  capability: {protocol: 2.0.1}
---
kind: Group
metadata: {name: a}
spec: {site: yard, select: {labels: {row: a}}, schedules: [{schedule: a, priority: 10}]}
---
kind: Group
metadata: {name: b}
spec: {site: yard, select: {labels: {row: b}}, schedules: [{schedule: b, priority: 10}]}
"""
SCHEDULE = """\
---
kind: Schedule
metadata: {name: NAME}
spec:
  windows:
    - {days: daily, from: "14:00", to: "18:00", power: FIRST kW}
    - {days: daily, from: "18:00", to: "22:00", power: SECOND kW}
"""
IDENTITIES = ("A-1", "A-2", "B-1")
DEFAULT = ((-7, 3), (5, 2))


def shipped() -> dict[str, str]:
    """Give the default templates of this checkout."""
    return {path.name: path.read_text() for path in (Path(__file__).parents[1] / "templates").glob("*.j2")}


@lru_cache(maxsize=512)
def revision(powers=DEFAULT, caps=(100, 100), commit="c1", write="60s", extra="", swap=()):
    """Prove a revision in which row a and row b have a power in kW for each of two windows; `swap` edits the text."""
    text = FLEET.replace("IMPORT", str(caps[0])).replace("EXPORT", str(caps[1])).replace("WRITE", write)
    for name, (first, second) in zip("ab", powers, strict=True):
        text += SCHEDULE.replace("NAME", name).replace("FIRST", str(first)).replace("SECOND", str(second))
    for old, new in swap:
        assert old in text
        text = text.replace(old, new)
    files = {"fleet.yaml": text} | ({"templates/schedule.yaml.j2": extra} if extra else {})
    return revise(Snapshot(commit, "Ada", None, "toys", files), shipped(), NOON)


def stranger(number=7, evse_id=1, level=8, limit=Decimal(0)):
    """Give a profile that is not the fleet's."""
    schedule = ChargingSchedule(number, Unit.WATT, (Period(0, limit=limit),), start=NOON - timedelta(days=1))
    return Profile(number, evse_id, level, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


def reword(profile: Profile) -> Profile:
    """Report as one stack does: validity filled in, numberPhases on AC, numbers through 32-bit floats."""

    def noisy(value):
        return None if value is None else value + (Decimal("0.0004") if value > 0 else Decimal(0))

    def period(each):
        return replace(each, limit=noisy(each.limit), number_phases=each.number_phases or 3)

    schedules = tuple(replace(each, periods=tuple(map(period, each.periods))) for each in profile.schedules)
    return replace(
        profile,
        schedules=schedules,
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=datetime(2262, 4, 11, 23, 46, 49, tzinfo=UTC),
    )


@dataclass
class ToyStation:
    """A station as it truly is; the switches say what goes wrong with it."""

    identity: str
    protocol: Protocol = Protocol.V21
    held: dict[int, Profile] = field(default_factory=dict)
    others: dict[int, tuple[Profile, str]] = field(default_factory=dict)
    online: bool = False
    session: int = 0
    mute: bool = False  # reports nothing
    forgets: set[int] = field(default_factory=set)  # accepts these ids and keeps nothing
    refuses: dict[int, Refused] = field(default_factory=dict)
    losing: list[str] = field(default_factory=list)  # for each next write: "answer", "request" or "" for none
    rewords: Callable[[Profile], Profile] | None = None
    capability: dict[str, object] = field(default_factory=dict)
    unlimited: bool = False  # shows no limit in its composite schedules

    def write(self, command: Push | Clear):
        """Take a write; give the event and the time until it comes."""
        number, profile = command.profile_id, command.profile if isinstance(command, Push) else None
        fate = self.losing.pop(0) if self.losing else ""
        outcome = self.refuses.get(number) or Accepted()
        if fate != "request" and isinstance(outcome, Accepted):
            self._keep(number, profile)
        if fate:
            return TIMEOUT, Written(self.identity, number, profile, OutcomeUnknown("timed out"))
        return timedelta(milliseconds=100), Written(self.identity, number, profile, outcome)

    def _keep(self, number, profile):
        self.held.pop(number, None)
        if profile is not None and number not in self.forgets:
            self.held[number] = profile

    def answer(self, command):
        """Carry a command out; give the time it takes and the event it ends in."""
        soon = timedelta(milliseconds=100)
        match command:
            case Push() | Clear():
                return self.write(command)
            case ReadCapability():
                return soon, CapabilityRead(self.identity, replace(command.base, **self.capability))
            case ReadProfiles() if self.mute:
                return timedelta(seconds=60), ReadFailed(self.identity, "accepted, but nothing was reported")
            case ReadProfiles():
                own = [ReportedProfile(self.rewords(each) if self.rewords else each) for each in self.held.values()]
                return soon, ProfilesRead(
                    self.identity, (*own, *(ReportedProfile(each, by) for each, by in self.others.values()))
                )
            case ReadComposite():
                return soon, CompositeRead(self.identity, command.evse_id, *self._composite(command))
            case SendRaw():
                return soon, RawAnswered(self.identity, command.ticket, ok=True, answer={"status": "Accepted"})

    def _composite(self, command):
        if self.unlimited:
            return NOON, (CompositeStep(0, Decimal(33120), None),)
        return NOON, (CompositeStep(0, Decimal(0), None),)


class ToyFleet:
    """The controller's world with toy stations round it, driven by hand through time."""

    def __init__(self, identities=IDENTITIES, settings=None, now=NOON):
        self.world = World(settings=settings or Settings())
        self.now = now
        self.stations = {
            each: ToyStation(each, Protocol.V201 if each.startswith("B") else Protocol.V21) for each in identities
        }
        self.log: list[tuple[datetime, object]] = []
        self.history: list[Entry] = []
        self.intents: list[Entry] = []
        self.echoes: list[Entry] = []
        self.replies: list[Reply] = []
        self.watch: Callable[[ToyFleet], None] = lambda _: None
        self._queue: list[tuple[datetime, int, tuple[str, int] | None, object]] = []
        self._alarms: dict[str, datetime] = {}
        self._busy: dict[str, int] = {}
        self._numbers = count(1)
        self._sessions = count(1)

    def feed(self, event):
        """Step once, and carry the effects out."""
        self.world, effects = step(self.world, event, self.now)
        for effect in effects:
            self._carry_out(effect)
        in_flight = sum(station.in_flight is not None for station in self.world.stations.values())
        assert self.world.in_flight == in_flight, "commands in flight are miscounted"
        return effects

    def _carry_out(self, effect):
        match effect:
            case Wake():
                self._alarms[effect.station] = effect.at
                self._put(effect.at, None, effect)
            case Entry():
                lines = {Stage.INTENT: self.intents, Stage.READ_BACK: self.echoes}
                lines.get(effect.stage, self.history).append(effect)
            case Reply():
                self.replies.append(effect)
            case _:
                self._execute(effect)

    def _execute(self, command):
        station = self.stations[command.station]
        assert station.online, "a command for a station that is gone"
        assert command.station not in self._busy, "two commands in flight for one station"
        self.log.append((self.now, command))
        self._check_floor(command)
        wait, event = station.answer(command)
        self._busy[command.station] = station.session
        self._put(self.now + wait, (command.station, station.session), event)
        self.watch(self)

    def _check_floor(self, command):
        if not isinstance(command, Push) or command.profile.id in (1000, 1001):
            return
        known = self.world.stations[command.station.casefold()]
        held = known.reported.held
        assert 1000 in held, "flow before the floor"
        assert held[1000].belief.value == "observed" or known.blind, "flow before the floor was read back"

    def _put(self, at, link, event):
        heapq.heappush(self._queue, (at, next(self._numbers), link, event))

    def run(self, span=timedelta(minutes=5)):
        """Let time pass."""
        end = self.now + span
        while self._queue and self._queue[0][0] <= end:
            at, _, link, event = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            if isinstance(event, Wake):
                if self._alarms.get(event.station) == event.at:
                    del self._alarms[event.station]
                    self.feed(Woken(event.station))
                continue
            if self._busy.get(link[0]) == link[1]:
                del self._busy[link[0]]
                self.feed(event)
        self.now = end
        return self

    def load(self, made):
        """Put a revision in force."""
        self.feed(RevisionLoaded(made))
        return self

    def connect(self, *identities):
        """Connect stations, all of them if none is named."""
        for identity in identities or self.stations:
            station = self.stations[identity]
            self._busy.pop(identity, None)
            station.online, station.session = True, next(self._sessions)
            self.feed(Connected(identity, station.protocol, station.session))
            self.feed(Ready(identity, station.session))
        return self

    def disconnect(self, identity):
        """Lose a station's socket; what is in flight has no end."""
        station = self.stations[identity]
        self._busy.pop(identity, None)
        station.online = False
        self.feed(Disconnected(identity, station.session))

    def boot(self, identity, *, keep=True):
        """Restart a station on a new socket."""
        if not keep:
            self.stations[identity].held.clear()
        self.connect(identity)
        self.feed(Booted(identity, "Acme", "X", "1", "PowerUp"))

    def befall(self, identity, kind, *more):
        """Let something happen to a station; what needs a socket does not happen to one that is gone."""
        station = self.stations[identity]
        match kind:
            case "lose":
                station.losing = list(more[0])
            case "refuse":
                station.refuses[more[0]] = FAULTS[more[1]]
            case "forget":
                station.forgets.add(more[0])
            case "mute":
                station.mute = more[0]
            case "boot" if station.online:
                self.boot(identity, keep=more[0])
            case "disconnect" if station.online:
                self.disconnect(identity)
            case "reconnect":
                self.connect(identity)

    def mend(self):
        """End every fault, and bring everyone back."""
        for station in self.stations.values():
            station.losing, station.refuses, station.forgets, station.mute = [], {}, set(), False
            self.boot(station.identity)

    def holds(self, identity):
        """Tell whether a station truly holds what is desired of it; nothing where nothing is."""
        goal, held = self.station(identity).goal, self.stations[identity].held
        wanted = {each.id: each for each in goal.profiles} if goal else {}
        return set(held) == set(wanted) and not any(differences(wanted[n], held[n], self.now) for n in held)

    def state(self, identity):
        """Give the controller's word on a station."""
        return self.world.standing[identity.casefold()].state

    def why(self, identity):
        """Give the controller's reason."""
        return self.world.standing[identity.casefold()].why

    def station(self, identity):
        """Give what the controller knows of a station."""
        return self.world.stations[identity.casefold()]

    def sent(self, kind, since=None, station=None):
        """Give the commands of a kind."""
        return [
            command
            for at, command in self.log
            if isinstance(command, kind) and (since is None or at >= since) and station in (None, command.station)
        ]
