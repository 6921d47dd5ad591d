"""Sets the scene, plays the acts in order, and clears everything away, whatever happens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import httpx

from reconciler.cli.clock import read_clock, write_clock
from reconciler.cli.demonstration.change import change, refuse
from reconciler.cli.demonstration.drift import drift
from reconciler.cli.demonstration.process import ControllerProcess
from reconciler.cli.demonstration.repository import Repository
from reconciler.cli.demonstration.rollout import quiet, rollout
from reconciler.cli.demonstration.scene import EVENING, Scene, first_station
from reconciler.cli.demonstration.silence import silence
from reconciler.cli.demonstration.told import Missed, Told
from reconciler.cli.demonstration.waves import waves
from reconciler.cli.exits import ERROR, OK
from reconciler.cli.loop import stop_signal, until_any
from reconciler.manifests.load import load
from reconciler.render.lease import lease_at
from reconciler.simulator.connection import BackOff
from reconciler.simulator.fleet import Setting, SimulatedFleet
from reconciler.simulator.nameplate import Nameplate
from reconciler.simulator.population import Outfit, stations_like
from reconciler.source.folder import read_folder

ACTS = (
    ("The first rollout: the floor, then schedules", rollout),
    ("Quiet: nothing to change, so nothing is sent", quiet),
    ("A commit changes one group's evening", change),
    ("A commit goes out in waves, and its first stations fail", waves),
    ("Drift: one station forgets, another gets a profile from somebody else", drift),
    ("A broken commit", refuse),
    ("Silence: the controller is killed", silence),
)


async def play() -> int:
    """Play everything; give the exit code."""
    told, stop, began = Told(), stop_signal(), time.monotonic()
    await until_any(stop, _perform(told))
    if stop.is_set():
        told.missed.append("stopped before the end")
    told.end(time.monotonic() - began)
    return ERROR if told.missed else OK


async def _perform(told: Told) -> None:
    with TemporaryDirectory(prefix="reconciler-demo-") as folder:
        try:
            async with _scene(told, Path(folder)) as scene:
                await _act(told, scene)
        except Missed as missed:
            told.hold(False, str(missed))


async def _act(told: Told, scene: Scene) -> None:
    try:
        for number, (title, act) in enumerate(ACTS, start=1):
            told.act(number, title)
            await act(scene)
    except Missed:
        told.line("the controller's last words:", "dim")
        told.line("\n".join(scene.controller.last_words), "dim")
        raise


@asynccontextmanager
async def _scene(told: Told, folder: Path) -> AsyncIterator[Scene]:
    """Start everything, and end it in any case."""
    repository = Repository(folder / "fleet")
    manifests = load(read_folder(repository.folder))
    # The clock starts with a lease, so that as much as possible of the story fits before its renewal.
    shared = write_clock(lease_at(EVENING, first_station(manifests).settings.fail_safe, 0).renewal, time.time())
    clock = read_clock(shared)
    local = clock().astimezone(ZoneInfo(manifests.timezone))
    told.line(f"a git repository of {len(manifests.stations)} stations; it is {local:%A %H:%M} in {manifests.timezone}")
    outfit = Outfit(plate=Nameplate(metering=timedelta(seconds=2)))
    made = stations_like(manifests.stations.values(), clock(), outfit=outfit)
    controller = await ControllerProcess.start(repository.folder, shared)
    setting = Setting(clock=clock, back_off=BackOff(least_s=0.3, spread_s=0.4))
    stations = SimulatedFleet(made, controller.stations_url, setting)
    try:
        await stations.start()
        async with httpx.AsyncClient(base_url=controller.api_url, timeout=10, trust_env=False) as http:
            yield Scene(told, repository, controller, stations, manifests, http, clock)
    finally:
        await stations.stop()
        await controller.kill()
