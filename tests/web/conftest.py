"""A fleet of three kinds of stations as the controller's own step knows it, and the API over it without a socket."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.cli.hindsight import Asked, look_back
from reconciler.controller.revision import revise
from reconciler.controller.step import step
from reconciler.controller.world import Order, Reply, RevisionLoaded, Verb, World
from reconciler.errors import StoreLost, UsageError
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.events import (
    Accepted,
    CapabilityRead,
    Connected,
    ProfilesRead,
    Ready,
    ReportedProfile,
    Written,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadProfiles
from reconciler.rollout.lines import recent

ROOT = Path(__file__).parents[2]
MANIFESTS = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: yard}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 810000, to: 819999}
  discharge: allowed
---
kind: Site
metadata: {name: quay}
spec: {import: 100 kW, export: 100 kW}
---
kind: Group
metadata: {name: night}
spec:
  site: quay
  select: {labels: {line: night}}
  schedules:
    - {schedule: evening, priority: 20}
    - {schedule: rest, priority: 10}
---
kind: Station
metadata: {name: A1, labels: {line: night}}
spec: {identity: A1, evses: [{id: 1, charge: 11 kW, discharge: 11 kW, current: DC}], capability: {protocol: "2.1"}}
---
kind: Station
metadata: {name: A2, labels: {line: night}}
spec: {identity: A2, evses: [{id: 1, charge: 11 kW, discharge: 11 kW, current: DC}], capability: {protocol: "2.1"}}
---
kind: Schedule
metadata: {name: evening}
spec:
  windows:
    - {days: daily, from: "17:00", to: "20:00", power: -7 kW}
    - {days: daily, from: "20:00", to: "21:00", power: 0 kW}
---
kind: Schedule
metadata: {name: rest}
spec:
  windows: [{days: daily, from: "23:30", to: "05:30", power: 11 kW}]
  otherwise: 3.5 kW
"""
NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)  # 18:00 in Amsterdam


def make_revision(text=MANIFESTS, commit="c0ffee"):
    """Prove a revision of one file."""
    shipped = {path.name: path.read_text() for path in (ROOT / "templates").iterdir()}
    return revise(Snapshot(commit, "Ada", NOW, "Evenings", {"fleet.yaml": text}), shipped, NOW)


@dataclass
class Yard:
    """Drives the controller's step; stations answer what they are told to hold."""

    world: World = field(default_factory=World)
    now: datetime = NOW
    history: list = field(default_factory=list)

    def take(self, event):
        """Step once; give the effects."""
        self.world, effects = step(self.world, event, self.now)
        self.history += [each for each in effects if type(each).__name__ == "Entry"]
        return effects

    def connect(self, identity):
        """Connect a station and serve its commands until there are none."""
        self.take(Connected(identity, Protocol.V21, 1))
        self.serve(identity, self.take(Ready(identity, 1)), {})

    def serve(self, identity, effects, held):
        """Answer as a station does that keeps what it accepts."""
        while commands := [each for each in effects if isinstance(each, ReadCapability | ReadProfiles | Push | Clear)]:
            effects = self.take(self._answer(identity, commands[0], held))

    def _answer(self, identity, command, held):
        match command:
            case ReadCapability():
                return CapabilityRead(identity, command.base, timedelta(seconds=-1.5))
            case ReadProfiles():
                return ProfilesRead(identity, tuple(ReportedProfile(profile) for profile in held.values()))
            case Push():
                held[command.profile.id] = command.profile
                return Written(identity, command.profile.id, command.profile, Accepted())
            case Clear():
                held.pop(command.profile_id, None)
                return Written(identity, command.profile_id, None, Accepted())

    def report(self, identity, profiles):
        """Let a station report what it holds, unasked."""
        return self.take(ProfilesRead(identity, tuple(ReportedProfile(profile) for profile in profiles)))

    def held(self, identity):
        """Give what a station is believed to hold."""
        return [each.profile for each in self.world.stations[identity.casefold()].reported.held.values()]


@dataclass
class Steered:
    """Carries people's orders to the yard's step, and answers from its history."""

    yard: Yard
    older: dict = field(default_factory=dict)
    kept: tuple = ()
    lost: str = ""

    async def order(self, wish):
        order = Order(Verb(wish.verb), wish.who, wish.reason, "1", wish.keys, wish.until, wish.override)
        return next(each.error for each in self.yard.take(order) if isinstance(each, Reply))

    async def go_back(self, commit, who, reason):
        found = self.older.get(commit)
        if found is None:
            raise UsageError(f"there is no commit {commit}")
        if isinstance(found, Exception):
            raise found
        self.yard.take(RevisionLoaded(found, reason, who=who, back=True))
        return found.commit

    async def lines(self, question):
        return recent(self.yard.history, len(self.yard.history), question)

    async def look_back(self, identity, at):
        async def find(commit):
            return self.yard.world.revisions.get(commit)

        if self.lost:
            raise StoreLost(self.lost)
        return await look_back(self.lines, find, Asked(identity, at))

    async def knows(self, commit):
        return any(each.startswith(commit) for each in self.kept)


@pytest.fixture
def steered(yard):
    """Give the hand that steers the yard."""
    return Steered(yard)


@pytest.fixture
def yard():
    """Give a fleet of two with its revision loaded, nobody seen yet."""
    yard = Yard()
    yard.take(RevisionLoaded(make_revision()))
    return yard


@pytest.fixture
def stranger():
    """Give a profile that the fleet does not own and that wins over its schedules."""
    period = Period(0, limit=Decimal(4000))
    schedule = ChargingSchedule(7, Unit.WATT, (period,), start=NOW - timedelta(hours=1))
    return Profile(7, 1, 8, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


@pytest.fixture
def revision_of():
    """Give a function that proves the fleet's manifests after one text in them was replaced."""
    return lambda commit, old, new: make_revision(MANIFESTS.replace(old, new), commit)


@pytest.fixture
def edited():
    """Give a function that proves the fleet's manifests after several texts in them were replaced."""

    def make(commit, *edits):
        text = MANIFESTS
        for old, new in edits:
            assert old in text, old
            text = text.replace(old, new)
        return make_revision(text, commit)

    return make
