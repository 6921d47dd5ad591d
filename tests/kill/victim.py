"""A controller in a process of its own, composed as `run` composes it, that kills itself where it is told to.

Started by `test_kill` from a fork server. It says through a pipe what has come about; nothing else comes out of it.
"""

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta

import structlog

from reconciler.cli.clock import read_clock
from reconciler.cli.composition import Program, Setup
from reconciler.cli.keeping import open_store, recall
from reconciler.cli.loop import run_loop, stop_signal
from reconciler.cli.options import Address
from reconciler.controller.world import Settings, World
from reconciler.reported.events import Written
from reconciler.rollout.commands import Clear, Push
from reconciler.rollout.ledger import Stage
from reconciler.source.repository import GitSource
from reconciler.source.shipped import default_templates

POINTS = ("before-intent", "after-intent", "before-send", "after-send", "after-answer", "before-record", "after-record")


@dataclass(frozen=True)
class Order:
    """What to run, and where to die: at the `number`th time that a write of `commit` comes to `point`."""

    repository: str
    store: str
    clock: str
    port: int
    point: str = ""
    number: int = 1
    commit: str = ""
    later_s: float = 0.0


class Fate:
    """Counts down to the kill."""

    def __init__(self, order):
        self.order, self.left = order, order.number

    def meet(self, point, commit):
        """Come to a point with a write of a commit."""
        if point != self.order.point or commit != self.order.commit:
            return
        self.left -= 1
        if self.left == 0:
            if point == "after-send":
                asyncio.get_running_loop().call_later(self.order.later_s, die)
            else:
                die()


def die():
    """End as a power cut would end it."""
    os.kill(os.getpid(), signal.SIGKILL)


class Journal:
    """The store, with the two ends of each batch as points."""

    def __init__(self, store, fate):
        self._store, self._fate = store, fate

    async def write(self, batch):
        """Write a batch."""
        self._meet("before", batch)
        await self._store.write(batch)
        self._meet("after", batch)

    def _meet(self, when, batch):
        for entry in batch.entries:
            if entry.stage is Stage.INTENT:
                self._fate.meet(f"{when}-intent", entry.revision)
            elif entry.stage is Stage.ANSWER:
                self._fate.meet(f"{when}-record", entry.revision)


class Doomed(Program):
    """The program, with the sending of a write and its answer as points."""

    fate = None

    def _is_of(self, station):
        target = self.controller.world.target(station.casefold())
        return target.commit if target else ""

    def watch_writes(self, fate):
        """Look at every write that leaves, and at every answer."""
        self.fate, execute = fate, self._relay.execute

        def watched(command):
            if isinstance(command, Push | Clear):
                self.fate.meet("before-send", self._is_of(command.station))
            execute(command)
            if isinstance(command, Push | Clear):
                self.fate.meet("after-send", self._is_of(command.station))

        self._relay.execute = watched

    def _report(self, event):
        if isinstance(event, Written) and self.fate is not None:
            self.fate.meet("after-answer", self._is_of(event.station))
        super()._report(event)


def main(order, pipe):
    """Run until told to stop, or until the kill."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    run_loop(_main(order, pipe))


async def _main(order, pipe):
    stop, fate = stop_signal(), Fate(order)
    clock = read_clock(order.clock)
    setup = Setup(Address("127.0.0.1", order.port), clock, Settings(), default_templates())
    store = await open_store(order.store, "yard")
    recalled = await recall(store, World(settings=setup.settings), setup.templates, setup.clock())
    program = Doomed(setup, Journal(store, fate), recalled)
    program.watch_writes(fate)
    await program.start()
    telling = asyncio.create_task(tell(program, pipe))
    following = asyncio.create_task(program.follow(GitSource(order.repository), timedelta(seconds=0.2)))
    await stop.wait()
    for task in (telling, following):
        task.cancel()
    await asyncio.gather(telling, following, return_exceptions=True)
    await program.stop()
    await store.close()


async def tell(program, pipe):
    """Say each commit once that all stations are in sync with."""
    told = set()

    def settled(world):
        head = world.revision
        return head is not None and head.commit not in told and all_verified(world, head)

    while True:
        await program.controller.until(settled)
        commit = program.controller.world.revision.commit
        told.add(commit)
        pipe.send(commit)


def all_verified(world, head):
    """Tell whether every station holds what the head says, and no rollout is under way."""
    stations = [world.stations.get(key) for key in head.fleet.stations]
    at_rest = world.rollout is None or world.rollout.is_over
    return at_rest and all(
        station is not None
        and station.session is not None
        and station.verified is not None
        and station.verified == station.goal
        and station.verified.revision == head.commit
        and station.in_flight is None
        for station in stations
    )
