"""Simulated stations in a process of their own: those that measure talk with it through a pipe, and count its cost.

The stations connect no more than `AT_ONCE` at a time, as the field does: a fleet is never switched on as one.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import process_time

import structlog

from benchmarks.fleets import snapshot
from reconciler.cli.loop import run_loop
from reconciler.manifests.load import load
from reconciler.simulator.fleet import Setting, SimulatedFleet, utc_now
from reconciler.simulator.population import stations_like

AT_ONCE = 32
Address = tuple[str, int]


class Crowd:
    """The process, seen from outside."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def cpu_s(self) -> float:
        """Give the seconds of processor time that the stations have taken."""
        self._pipe.send("cpu")
        return await asyncio.to_thread(self._pipe.recv)

    def leave(self) -> None:
        """Let all stations go."""
        self._pipe.send("stop")


@contextmanager
def crowd(stations: int, groups: int, address: Address) -> Iterator[Crowd]:
    """Let the stations of a fleet connect to an address, until the block ends."""
    context = multiprocessing.get_context("spawn")
    parent, child = context.Pipe()
    process = context.Process(target=_live, args=(child, stations, groups, address), daemon=True)
    process.start()
    outside = Crowd(parent)
    try:
        yield outside
    finally:
        outside.leave()
        process.join(60)


def _live(pipe: Connection, stations: int, groups: int, address: Address) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    run_loop(_run(pipe, stations, groups, address))


async def _run(pipe: Connection, stations: int, groups: int, address: Address) -> None:
    fleet = load(snapshot(stations, groups))
    made = stations_like(fleet.stations.values(), utc_now())
    simulated = SimulatedFleet(made, f"ws://{address[0]}:{address[1]}/", Setting(opening=AT_ONCE))
    await simulated.start()
    while await asyncio.to_thread(pipe.recv) == "cpu":
        pipe.send(process_time())
    await simulated.stop()
