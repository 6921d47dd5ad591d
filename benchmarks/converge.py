"""From a commit to every station read back, over real WebSockets: controller and simulator in a process each."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from multiprocessing.connection import Connection
from time import perf_counter, process_time

import structlog
import uvloop

from benchmarks.fleets import shipped, snapshot
from reconciler.controller.loop import Controller
from reconciler.controller.world import Settings, World
from reconciler.simulator.fleet import Setting, SimulatedFleet, utc_now
from reconciler.simulator.population import stations_like
from reconciler.stations.server import StationServer
from reconciler.stations.terms import House


def measure(stations: int, groups: int = 20) -> dict[str, float]:
    """Give seconds from start (and from a second commit) until every station was read back, and frames sent."""
    _quiet()
    return uvloop.run(_measure(stations, groups))


async def _measure(stations: int, groups: int) -> dict[str, float]:
    built: list[Controller] = []
    house = House(clock=utc_now, report=lambda event: built[0].report(event))  # noqa: PLW0108 (it is built after)
    server = StationServer(house, lambda _: True, port=0)
    controller = Controller(server, shipped(), utc_now, Settings())
    built.append(controller)
    await server.start()
    run = asyncio.create_task(controller.run())
    first = snapshot(stations, groups)
    revision = await controller.take(first)
    parent, child = multiprocessing.get_context("spawn").Pipe()
    simulator = multiprocessing.get_context("spawn").Process(
        target=_simulate, args=(child, stations, groups, server.address)
    )
    simulator.start()
    started, spent = perf_counter(), process_time()
    await controller.until(lambda world: world.tally.get("in-sync", 0) == stations and _on(world, revision.commit))
    rollout, rollout_cpu = perf_counter() - started, process_time() - spent
    before = _pushed(server)
    changed = snapshot(stations, groups, "-8")
    started, spent = perf_counter(), process_time()
    await controller.take(changed)
    await controller.until(lambda world: world.tally.get("in-sync", 0) == stations and _on(world, changed.commit))
    change, change_cpu = perf_counter() - started, process_time() - spent
    pushed = _pushed(server) - before
    parent.send("stop")
    simulator.join(30)
    run.cancel()
    await server.stop()
    controller.close()
    return {
        "stations": stations,
        "rollout_s": rollout,
        "rollout_controller_cpu_s": rollout_cpu,
        "change_s": change,
        "change_controller_cpu_s": change_cpu,
        "change_frames": pushed,
    }


def _on(world: World, commit: str) -> bool:
    return all(station.verified and station.verified.revision == commit for station in world.stations.values())


def _pushed(server: StationServer) -> int:
    return server.all_frames()["SetChargingProfile"]


def _simulate(pipe: Connection, stations: int, groups: int, address: tuple[str, int]) -> None:
    _quiet()
    uvloop.run(_run_stations(pipe, stations, groups, address))


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


async def _run_stations(pipe: Connection, stations: int, groups: int, address: tuple[str, int]) -> None:
    from reconciler.manifests.load import load

    fleet = load(snapshot(stations, groups))
    simulated = SimulatedFleet(
        stations_like(fleet.stations.values(), utc_now()), f"ws://{address[0]}:{address[1]}/", Setting(opening=200)
    )
    await simulated.start()
    await asyncio.to_thread(pipe.recv)
    await simulated.stop()
