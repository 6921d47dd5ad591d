"""SHELL: many simulated stations over real WebSockets in one process, with a handle on each of them.

The command line, the demo, the benchmarks and tests use it. It decides nothing about stations: it starts their
connections, and passes on what a test or a person does to one of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from reconciler.errors import UsageError
from reconciler.ocpp.session import TIMEOUT
from reconciler.profiles.profile import Profile
from reconciler.simulator.bay import Wear
from reconciler.simulator.connection import BackOff, Connection, Network
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import Faults
from reconciler.simulator.station import SimulatedStation, Writes


def utc_now() -> datetime:
    """Read the machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a fleet runs: its clock and how much faster than life that goes, its seed, passwords and patience.

    Time-outs and back-off are real time, whatever the clock says; `opening` bounds how many connect at once.
    """

    clock: Callable[[], datetime] = utc_now
    speed: float = 1.0
    seed: int = 0
    passwords: Mapping[str, str] = field(default_factory=dict)
    back_off: BackOff = field(default_factory=BackOff)
    timeout: timedelta = TIMEOUT
    opening: int = 100


REAL_LIFE = Setting()


class SimulatedFleet:
    """Stations by identity, each with a connection to `url` (ws://host:port/path) that it keeps up.

    A station is handed over with its own clock's `now` at birth; a jump of a pretend clock is told by `stir`.
    """

    def __init__(self, stations: Iterable[SimulatedStation], url: str, setting: Setting = REAL_LIFE) -> None:
        if not url.startswith(("ws://", "wss://")):
            raise UsageError(f"stations connect to ws://HOST:PORT or wss://HOST:PORT, not to {url!r}")
        self._pulse = asyncio.Event()
        self._failure: BaseException | None = None
        network = Network(
            url=url,
            clock=setting.clock,
            speed=setting.speed,
            back_off=setting.back_off,
            chance=random.Random(setting.seed),  # noqa: S311 - a fleet's day shall be repeatable, not secret
            timeout=setting.timeout,
            gate=asyncio.Semaphore(setting.opening),
            passwords=setting.passwords.get,
            pulse=self._pulse.set,
        )
        self._connections = {station.identity: Connection(station, network) for station in stations}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Let every station begin to connect."""
        self._tasks = [
            asyncio.create_task(connection.live(), name=f"simulated {identity}")
            for identity, connection in self._connections.items()
        ]
        for task in self._tasks:
            task.add_done_callback(self._note)

    async def stop(self) -> None:
        """Disconnect every station and end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._complain()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at after every message, wake-up and connection."""
        while not condition():
            self._complain()
            self._pulse.clear()
            await self._pulse.wait()

    def _note(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._failure = self._failure or task.exception()
            self._pulse.set()

    def _complain(self) -> None:
        """Raise what ended a simulated station by itself: a fault of this program must not pass for silence."""
        if self._failure is not None:
            raise self._failure

    def stir(self) -> None:
        """Have every station look at its clock, because that jumped."""
        for connection in self._connections.values():
            connection.stir()

    @property
    def identities(self) -> tuple[str, ...]:
        """Give the stations' identities in the order given."""
        return tuple(self._connections)

    @property
    def online(self) -> int:
        """Count the stations that are connected."""
        return sum(connection.online for connection in self._connections.values())

    def station(self, identity: str) -> SimulatedStation:
        """Give a station itself.

        Raises:
            KeyError: there is none.
        """
        return self._connections[identity].station

    def connected(self, identity: str) -> bool:
        """Tell whether a station is connected."""
        return self._connections[identity].online

    def power_w(self, identity: str, evse_id: int) -> float:
        """Give the flow at an EVSE now, + into the vehicle; EVSE 0 is the sum."""
        return self.station(identity).power_w(evse_id, self._connections[identity].now())

    def energy_wh(self, identity: str, evse_id: int) -> tuple[float, float]:
        """Give the registers of an EVSE now: imported and exported."""
        return self.station(identity).energy_wh(evse_id, self._connections[identity].now())

    def wear(self, identity: str, evse_id: int) -> Wear:
        """Give relay cycles and direction changes of an EVSE."""
        return self.station(identity).wear(evse_id)

    def profiles(self, identity: str) -> tuple[Profile, ...]:
        """Give the profiles that a station holds, by id."""
        return self.station(identity).profiles

    def writes(self, identity: str) -> Writes:
        """Count the requests that write profiles which reached a station."""
        return self.station(identity).writes

    def reboot(self, identity: str, *, keep_memory: bool | None = None) -> None:
        """Restart a station; it connects again after its back-off."""
        self._connections[identity].restart(keep_memory=keep_memory)

    def cut(self, identity: str) -> None:
        """Drop a station's connection without a close frame; it comes back after its back-off."""
        self._connections[identity].cut()

    def inject_foreign_profile(self, identity: str, profile: Profile, source: str | None = None) -> None:
        """Install a profile behind the CSMS's back."""
        connection = self._connections[identity]
        connection.station.inject(profile, connection.now(), source)
        connection.stir()

    def release_profile(self, identity: str, profile_id: int) -> None:
        """Drop a profile behind the CSMS's back."""
        connection = self._connections[identity]
        connection.station.release(profile_id, connection.now())
        connection.stir()

    def plug(self, identity: str, evse_id: int, vehicle: Vehicle) -> None:
        """Bring a vehicle to an EVSE."""
        connection = self._connections[identity]
        connection.station.plug(evse_id, vehicle, connection.now())
        connection.stir()

    def unplug(self, identity: str, evse_id: int) -> None:
        """Take the vehicle away."""
        connection = self._connections[identity]
        connection.station.unplug(evse_id, connection.now())
        connection.stir()

    def break_down(self, identity: str, evse_id: int, *, broken: bool = True) -> None:
        """Let an EVSE fault, or mend it."""
        connection = self._connections[identity]
        connection.station.break_down(evse_id, connection.now(), broken=broken)
        connection.stir()

    def order(self, identity: str, faults: Faults) -> None:
        """Put other faults on a station, in place of those it has."""
        connection = self._connections[identity]
        connection.station.faults = faults
        connection.stir()
