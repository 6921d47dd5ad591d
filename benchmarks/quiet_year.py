"""How often a quiet year writes each profile: one station, both daylight-saving switches, read back every hour.

The controller's step runs by a clock that jumps from alarm to alarm; the station accepts all and reports what it holds.
"""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import timedelta
from time import process_time

from benchmarks.fleets import NOON, MemoryFleet, shipped, snapshot
from reconciler.controller.revision import revise
from reconciler.controller.world import RevisionLoaded, Settings, World
from reconciler.reported.events import StationEvent, Woken
from reconciler.rollout.commands import Clear, Push, StationCommand, Wake

YEAR = timedelta(days=365)


class Alarmed(MemoryFleet):
    """A station whose alarms ring in their order, and whose writes are counted by profile."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.writes: Counter[int] = Counter()
        self.alarms: list[tuple] = []

    def ring(self, wake: Wake) -> None:
        heapq.heappush(self.alarms, (wake.at, wake.station))

    def carry_out(self, command: StationCommand) -> StationEvent:
        match command:
            case Push():
                self.writes[command.profile.id] += 1
            case Clear():
                self.writes[command.profile_id] += 1
        return super().carry_out(command)

    def live(self, span: timedelta) -> int:
        """Let time pass; give how many alarms rang."""
        end, rang = self.now + span, 0
        while self.alarms and self.alarms[0][0] < end:
            at, station = heapq.heappop(self.alarms)
            while self.alarms and self.alarms[0] == (at, station):
                heapq.heappop(self.alarms)
            self.now, rang = max(self.now, at), rang + 1
            self.feed(Woken(station))
        return rang


def measure() -> dict[str, float]:
    """Give the most writes of one profile in a year, its first among them, and of all profiles together."""
    fleet = Alarmed(World(settings=Settings(read_back=timedelta(hours=1))))
    started = process_time()
    fleet.feed(RevisionLoaded(revise(snapshot(1, 1), shipped(), NOON)))
    fleet.connect(["S0-0001"])
    rang = fleet.live(YEAR)
    assert fleet.world.tally["in-sync"] == 1
    return {
        "days": YEAR.days,
        "most_writes_of_a_profile": max(fleet.writes.values()),
        "profiles": len(fleet.writes),
        "writes": sum(fleet.writes.values()),
        "alarms": rang,
        "cpu_s": process_time() - started,
    }
