"""The program as `reconciler run` joins it, in a process of its own, with a database file; a pipe tells it what to do.

Its memory and its processor time are its own, and nobody else's; its log goes nowhere, but is written.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.fleets import shipped, snapshot
from reconciler.cli.composition import Program, Setup
from reconciler.cli.keeping import recall
from reconciler.cli.logs import configure_logs
from reconciler.cli.loop import run_loop
from reconciler.cli.observation import CountedJournal, Observation
from reconciler.cli.options import Address
from reconciler.controller.world import Settings, World
from reconciler.simulator.fleet import utc_now
from reconciler.store.store import Store

PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024
IDLE_S = 20.0
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Started:
    """What a program is started with; port 0 asks for a free one."""

    store: str
    stations: int
    groups: int
    port: int = 0
    read_back: timedelta = timedelta(hours=2)


class Running:
    """The process, seen from outside."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.port: int = pipe.recv()

    def load(self, daytime: str) -> Figures:
        """Take a commit, and wait for no station."""
        return self._ask("load", daytime)

    def take(self, daytime: str) -> Figures:
        """Take the commit with this power by day, and wait until every station was read back with it."""
        return self._ask("take", daytime)

    def settle(self, daytime: str) -> Figures:
        """Wait until every station was read back with a commit that a process before this one has taken."""
        return self._ask("settle", daytime)

    def rest(self) -> Figures:
        """Do nothing for a while; give what is held after it."""
        return self._ask("rest", "")

    def stop(self) -> None:
        """End in peace."""
        self._pipe.send(None)

    def _ask(self, order: str, daytime: str) -> Figures:
        self._pipe.send((order, daytime))
        return self._pipe.recv()


@contextmanager
def running(started: Started) -> Iterator[Running]:
    """Run the program until the block ends."""
    context = multiprocessing.get_context("spawn")
    parent, child = context.Pipe()
    process = context.Process(target=_live, args=(child, started), daemon=True)
    process.start()
    outside = Running(parent)
    try:
        yield outside
    finally:
        outside.stop()
        process.join(60)


def _live(pipe: Connection, started: Started) -> None:
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        configure_logs(form="json")
        run_loop(_run(pipe, started))


async def _run(pipe: Connection, started: Started) -> None:
    begun = perf_counter()
    async with _program(started) as program:
        pipe.send(program.stations.address[1])
        while (order := await asyncio.to_thread(pipe.recv)) is not None:
            pipe.send(await _obey(program, started, begun, *order))


@asynccontextmanager
async def _program(started: Started) -> AsyncIterator[Program]:
    seen = Observation()
    setup = Setup(
        Address("127.0.0.1", started.port),
        utc_now,
        Settings(read_back=started.read_back),
        shipped(),
        observation=seen,
    )
    store = await Store.open(started.store, fleet="bench")
    try:
        recalled = await recall(store, World(settings=setup.settings), setup.templates, setup.clock())
        program = Program(setup, CountedJournal(store, seen.measures), recalled)
        await program.start()
        try:
            yield program
        finally:
            await program.stop()
    finally:
        await store.close()


async def _obey(program: Program, started: Started, begun: float, order: str, daytime: str) -> Figures:
    before, spent, since = _writes(program), process_time(), perf_counter()
    head = snapshot(started.stations, started.groups, daytime=daytime)
    match order:
        case "take":
            await program.controller.take(head)
            await _settled(program, started.stations, head.commit)
        case "load":
            await program.controller.take(head)
            await asyncio.sleep(IDLE_S / 4)
        case "settle":
            since, before, spent = begun, 0, 0.0
            await _settled(program, started.stations, head.commit)
        case _:
            await asyncio.sleep(IDLE_S)
    return {
        "seconds": perf_counter() - since,
        "cpu_s": process_time() - spent,
        "writes": _writes(program) - before,
        "rss_kb": _rss_kb(),
        "connected": len(program.stations.stations()),
        "in_sync": program.controller.world.tally.get("in-sync", 0),
    }


async def _settled(program: Program, stations: int, commit: str) -> None:
    await program.controller.until(
        lambda world: world.tally.get("in-sync", 0) == stations and _on(world, commit) and not _unread(world)
    )


def _on(world: World, commit: str) -> bool:
    return all(each.verified is not None and each.verified.revision == commit for each in world.stations.values())


def _unread(world: World) -> bool:
    return any(not each.reported.known or each.reported.unread for each in world.stations.values())


def _writes(program: Program) -> int:
    return program.stations.all_frames().get("SetChargingProfile", 0)


def _rss_kb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KB


def load_average() -> float:
    """Give how many processes wanted a core in the last minute: the machine is shared."""
    return os.getloadavg()[0]
