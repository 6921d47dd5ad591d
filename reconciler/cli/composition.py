"""The joined program: source, controller, stations and API in one event loop. `run` and `apply` are made of it.

It owns no decision; it starts parts in the order in which they need one another, and ends them in the opposite one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from reconciler.cli.admission import admit
from reconciler.cli.clock import Clock
from reconciler.cli.observation import Observation
from reconciler.cli.options import Address
from reconciler.controller.loop import Controller
from reconciler.controller.recorder import Journal
from reconciler.controller.world import Compared, RevisionLoaded, Settings
from reconciler.errors import ReconcilerError, UsageError
from reconciler.ocpp.answers import Admission
from reconciler.reported.events import StationEvent
from reconciler.rollout.absorb import Ended
from reconciler.rollout.commands import StationCommand
from reconciler.source.polling import Fetched, FetchFailed, Source, watch
from reconciler.stations.credentials import Credentials
from reconciler.stations.server import StationServer
from reconciler.stations.terms import House, Terms

if TYPE_CHECKING:
    from reconciler.cli.keeping import Recalled

LAST_ANSWERS_S = 10.0
"""How long commands in flight may take to end when the program is told to stop."""


class Relay:
    """Passes commands on until the program is told to end, and knows which of them are under way."""

    def __init__(self) -> None:
        """Begin with nothing under way; `stations` is set before the first command."""
        self.stations: StationServer | None = None
        self._under_way: set[str] = set()
        self._ending = False
        self._idle = asyncio.Event()

    def execute(self, command: StationCommand) -> None:
        """Pass a command on; once the program ends, none leaves any more."""
        if self._ending or self.stations is None:
            return
        self._under_way.add(command.station.casefold())
        self.stations.execute(command)

    def note(self, event: StationEvent) -> None:
        """Take note of a command's end."""
        if isinstance(event, Ended):
            self._under_way.discard(event.station.casefold())
        if self._ending and not self._under_way:
            self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Let nothing new go out, and wait until what is under way has ended, or the time is over."""
        self._ending = True
        if self._under_way:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)


@dataclass(frozen=True, slots=True)
class Setup:
    """What the program is started with; without `credentials` it listens on loopback addresses only."""

    listen: Address
    clock: Clock
    settings: Settings
    templates: Mapping[str, str]
    credentials: Credentials | None = None
    terms: Terms = field(default_factory=Terms)
    observation: Observation = field(default_factory=Observation)


class Program:
    """The controller with its stations; `start` listens, `stop` ends in peace."""

    def __init__(self, setup: Setup, journal: Journal | None = None, recalled: Recalled | None = None) -> None:
        """Join the parts; nothing runs yet. With a journal, nothing is written to a station that it has not kept.

        Raises:
            UsageError: stations would be taken from other machines without a password.
        """
        if setup.credentials is None and not setup.listen.is_loopback:
            raise UsageError(
                f"--listen {setup.listen} is open to other machines, and without --auth any of them could take a "
                "station's place: give --auth FILE (see `reconciler hash-password`), or listen on 127.0.0.1"
            )
        self._log = structlog.get_logger("program")
        self._relay = Relay()
        self.now = setup.clock
        self.controller = Controller(self._relay, setup.templates, setup.clock, setup.settings, journal)
        if recalled is not None:
            self.controller.begin(recalled.world, recalled.entries)
        if recalled is not None and recalled.head is not None:
            self.controller.report(RevisionLoaded(recalled.head))
        seen = setup.observation
        self._measures = seen.measures
        house = House(setup.clock, self._report, self._admit, setup.terms, seen.measures.call, seen.transcript)
        self.stations = StationServer(
            house,
            self._knows,
            setup.listen.host,
            setup.listen.port,
            credentials=setup.credentials,
            is_open=lambda: self.listening and self.controller.world.revision is not None,
        )
        self._relay.stations = self.stations
        self._loop: asyncio.Task[None] | None = None
        self.listening = False

    def _admit(self, identity: str) -> Admission:
        return admit(self.controller.world.target(identity.casefold()), identity)

    async def start(self) -> None:
        """Run the controller's loop.

        Raises:
            UsageError: the address can't be had.
        """
        self._loop = asyncio.create_task(self.controller.run(), name="controller")
        await self.stations.start()
        self.listening = True
        host, port = self.stations.address
        self._log.info("listening", stations=f"ws://{Address(host, port)}")

    async def follow(self, source: Source, interval: timedelta) -> None:
        """Take every new commit of a source, until cancelled; what can't be fetched or loaded changes nothing.

        Raises:
            UsageError: the very first try shows that there is no such revision or folder.
        """
        first = True
        async for seen in watch(source, interval, random.uniform):
            match seen:
                case Fetched(snapshot):
                    await self.controller.take(snapshot)
                case FetchFailed(UsageError() as error) if first and self.controller.world.revision is None:
                    raise error
                case FetchFailed(error, failures, wait):
                    self._complain(error, failures, wait)
            first = False

    def _complain(self, error: ReconcilerError, failures: int, wait: timedelta) -> None:
        served = self.controller.world.revision
        self._log.warning(
            "fetch failed",
            error=str(error),
            failures=failures,
            retry_s=wait.total_seconds(),
            serving=served.commit if served else "nothing yet",
        )

    async def watch_over(self) -> None:
        """Wait as long as the controller's loop runs; whatever ends it is raised here."""
        if self._loop is not None:
            await asyncio.shield(self._loop)

    def hold_writes(self) -> None:
        """Read stations and write nothing, until `release_writes`."""
        self.controller.report(Compared(frozenset(), "nobody is written to before the plan is made"))

    def release_writes(self, keys: Iterable[str], why: str) -> None:
        """Write what these stations need, and to no other; `why` not is told of those."""
        self.controller.report(Compared(frozenset(keys), why))

    async def stop(self) -> None:
        """Let commands in flight end, close every socket, and end the loop."""
        self.listening = False
        await self._relay.drain(LAST_ANSWERS_S)
        await self.stations.stop()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self.controller.finish()
        self.controller.close()
        self._log.info("stopped")

    def _report(self, event: StationEvent) -> None:
        self.controller.report(event)
        self._measures.take(event)
        self._relay.note(event)

    def _knows(self, key: str) -> bool:
        return self.controller.world.manifest(key) is not None
