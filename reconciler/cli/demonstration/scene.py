"""What the acts play with: repository, controller, simulated stations and clock, and how to look at them and wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from reconciler.cli.clock import Clock
from reconciler.cli.demonstration.process import ControllerProcess
from reconciler.cli.demonstration.repository import Repository
from reconciler.cli.demonstration.told import Missed, Told
from reconciler.cli.output import make_bar
from reconciler.manifests.fleet import Fleet, Station
from reconciler.profiles.profile import Profile, later
from reconciler.render.lease import Lease, lease_at
from reconciler.simulator.fleet import SimulatedFleet
from reconciler.simulator.station import Writes

EVENING = datetime(2026, 3, 3, 16, 30, tzinfo=UTC)
"""A Tuesday, 17:30 in Amsterdam: night buses feed in, day buses charge."""
LOOK_S = 0.15
NOTHING_W = 50.0
"""A flow below this is none: what meters of this size can't tell from zero."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything on stage; `manifests` is the fleet as first committed."""

    told: Told
    repository: Repository
    controller: ControllerProcess
    stations: SimulatedFleet
    manifests: Fleet
    http: httpx.AsyncClient
    clock: Clock

    async def ask(self, path: str) -> Any:
        """Ask the controller's API."""
        try:
            answer = await self.http.get(f"/api/v1/{path}")
        except httpx.HTTPError as error:
            raise Missed(f"the controller's API does not answer ({type(error).__name__})") from error
        return answer.raise_for_status().json()

    async def frames(self) -> Mapping[str, int]:
        """Give how many requests the controller has sent, by action."""
        sent: dict[str, int] = (await self.ask("status"))["frames"]
        return sent

    async def until(self, what: str, count: Callable[[], Awaitable[int]], seconds: float, total: int = 24) -> None:
        """Wait until as many as asked for are counted.

        Raises:
            Missed: they were not, in this time.
        """
        with make_bar(what, total) as show:
            try:
                async with asyncio.timeout(seconds):
                    while (done := await count()) < total:
                        show(done)
                        await asyncio.sleep(LOOK_S)
            except TimeoutError as error:
                raise Missed(f"{what}: {await count()} of {total} after {seconds:g} s") from error

    async def in_sync(self, commit: str) -> int:
        """Count the stations that were read back and equal what a commit asks for."""
        rows = await self.ask("stations")
        return sum(row["state"] == "in-sync" and row["revision"] == commit for row in rows)

    async def follow(self, group: str, power_w: float) -> int:
        """Count the stations of a group whose own meter shows a power."""
        return sum(abs(self.power_w(name) - power_w) < NOTHING_W for name in self.members(group))

    def members(self, group: str) -> tuple[str, ...]:
        """Give the identities of a group."""
        return self.manifests.groups[group].members

    def power_w(self, identity: str) -> float:
        """Give a station's flow by its own meter, + into the vehicle."""
        return self.stations.power_w(identity, 0)

    def meters_w(self) -> tuple[float, float]:
        """Give what all stations draw and feed by their own meters."""
        powers = [self.power_w(name) for name in self.stations.identities]
        return sum(each for each in powers if each > 0), -sum(each for each in powers if each < 0)

    def writes(self) -> dict[str, Writes]:
        """Give how many profile writes have reached each station."""
        return {name: self.stations.writes(name) for name in self.stations.identities}

    def lease(self) -> Lease:
        """Give the lease that holds now; slots this short are the same for all stations."""
        return lease_at(self.clock(), first_station(self.manifests).settings.fail_safe, 0)

    async def room(self, seconds: float) -> None:
        """See to it that no renewal falls into the next seconds: where one would, let it pass first."""
        renewal = self.lease().renewal
        left = renewal - self.clock()
        if left > timedelta(seconds=seconds):
            return
        self.told.line(f"(leases are renewed in {left.total_seconds():.0f} s; let that pass first)")
        await asyncio.sleep(max(left.total_seconds(), 0))
        await self.until("leases renewed", self._renewed, 30)
        await self.until("in sync again", lambda: self.in_sync(self.repository.commit), 30)

    async def _renewed(self) -> int:
        end = self.lease().end
        return sum(any(_ends(each) == end for each in self.stations.profiles(name)) for name in self.members_of_all())

    def members_of_all(self) -> tuple[str, ...]:
        """Give every identity."""
        return self.stations.identities


def _ends(profile: Profile) -> datetime | None:
    """Give the instant of a profile's last period: where that is zero, flow ends there."""
    schedule = profile.schedule
    return None if schedule.start is None else later(schedule.start, schedule.periods[-1].start)


def first_station(fleet: Fleet) -> Station:
    """Give the station that stands for all: those of the demo inherit the same lease."""
    return next(iter(fleet.stations.values()))
