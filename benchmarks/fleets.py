"""Fleets of any size as text, and stations that answer at once, without a wire."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reconciler.controller.step import step
from reconciler.controller.world import Event, World
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import Profile
from reconciler.reported.events import (
    Accepted,
    CapabilityRead,
    Connected,
    ProfilesRead,
    Ready,
    ReportedProfile,
    StationEvent,
    Written,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadProfiles, StationCommand, Wake

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)

FLEET = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: bench}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 810000, to: 819999}
  writeInterval: 0s
  failSafe: {lease: 30h, renewBefore: 6h, maxOffline: 15m}
  discharge: allowed
  rollout: {pace: {writes: unlimited}}
  guardrails: {blast-radius: {share: 100 %, reason: the worst case is measured}}
"""
GROUP = """\
---
apiVersion: v2g.fleet/v1alpha1
kind: Site
metadata: {name: site-NUMBER}
spec: {import: 100 MW, export: 100 MW}
---
kind: Group
metadata: {name: group-NUMBER}
spec:
  site: site-NUMBER
  select: {labels: {row: "NUMBER"}}
  schedules:
    - {schedule: evening-NUMBER, priority: 20}
    - {schedule: night-NUMBER, priority: 10}
---
kind: StationSet
metadata: {name: set-NUMBER, labels: {row: "NUMBER"}}
spec:
  identities: "SNUMBER-{0001..COUNT}"
  evses: [{id: 1, charge: 15 kW, discharge: 15 kW, current: DC}]
  capability: {protocol: "2.1"}
---
kind: Schedule
metadata: {name: evening-NUMBER}
spec:
  windows:
    - {days: [mon, tue, wed, thu, fri], from: "17:00", to: "20:00", power: POWER kW}
    - {days: daily, from: "20:00", to: "23:30", power: 0 kW}
---
kind: Schedule
metadata: {name: night-NUMBER}
spec:
  windows: [{days: daily, from: "23:30", to: "05:30", power: 11 kW}]
  otherwise: DAYTIME kW
"""


def fleet_files(stations: int, groups: int, power: str = "-7", daytime: str = "3.5") -> dict[str, str]:
    """Give the manifests of a fleet with `stations` spread over `groups`; every lease has some daytime in it."""
    count = f"{stations // groups:04d}"
    files = {"fleet.yaml": FLEET}
    for number in range(groups):
        text = GROUP.replace("NUMBER", str(number)).replace("COUNT", count)
        text = text.replace("POWER", power).replace("DAYTIME", daytime)
        files[f"groups/{number}.yaml"] = text
    return files


def snapshot(stations: int, groups: int, power: str = "-7", daytime: str = "3.5") -> Snapshot:
    """Give a fleet as a snapshot."""
    commit = f"commit{power}/{daytime}"
    return Snapshot(commit, "bench", None, "bench", fleet_files(stations, groups, power, daytime))


def shipped() -> dict[str, str]:
    """Give the default templates of this checkout."""
    folder = Path(__file__).parent.parent / "templates"
    return {path.name: path.read_text() for path in folder.glob("*.j2")}


class MemoryFleet:
    """Stations without a wire: they accept everything, remember it and report it back."""

    def __init__(self, world: World, now: datetime = NOON) -> None:
        self.world, self.now = world, now
        self.profiles: dict[str, dict[int, Profile]] = {}
        self.frames = 0

    def connect(self, identities: list[str]) -> None:
        for number, identity in enumerate(identities):
            self.profiles[identity] = {}
            self.feed(Connected(identity, Protocol.V21, number))
            self.feed(Ready(identity, number))

    def feed(self, event: Event) -> None:
        pending: list[Event] = [event]
        while pending:
            self.world, effects = step(self.world, pending.pop(), self.now)
            for effect in effects:
                if isinstance(effect, StationCommand):
                    pending.append(self.carry_out(effect))
                elif isinstance(effect, Wake):
                    self.ring(effect)

    def ring(self, wake: Wake) -> None:
        """Take note of an alarm; here time stands still, and none rings."""

    def carry_out(self, command: StationCommand) -> StationEvent:
        held = self.profiles[command.station]
        match command:
            case ReadCapability():
                return CapabilityRead(command.station, command.base)
            case ReadProfiles():
                return ProfilesRead(command.station, tuple(ReportedProfile(each) for each in held.values()))
            case Push():
                self.frames += 1
                held[command.profile.id] = command.profile
                return Written(command.station, command.profile.id, command.profile, Accepted())
            case Clear():
                self.frames += 1
                held.pop(command.profile_id, None)
                return Written(command.station, command.profile_id, None, Accepted())
        raise TypeError(command)
