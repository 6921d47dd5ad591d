"""A temporary git repository, the program in processes of its own, and simulated stations over real sockets."""

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.cli.clock import VARIABLE, read_clock, write_clock
from reconciler.manifests.load import load
from reconciler.simulator.connection import BackOff
from reconciler.simulator.fleet import Setting, SimulatedFleet
from reconciler.simulator.nameplate import Nameplate
from reconciler.simulator.population import Outfit, stations_like
from reconciler.source.folder import read_folder
from repositories import Repository, Row, manifests

EVENING = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)  # 18:00 in Amsterdam
PROGRAM = (sys.executable, "-c", "from reconciler.cli.main import main; main()")
MANIFESTS = manifests(
    Row(
        name="row-a",
        line="night",
        identities="A{1..2}",
        capability="protocol: 2.0.1, negativeLimit: true",
        schedule="evening",
        window='from: "17:00", to: "20:00", power: -7 kW',
    ),
    Row(
        name="row-b",
        line="day",
        identities="B{1..2}",
        capability='protocol: "2.1"',
        schedule="noon",
        window='from: "11:00", to: "20:00", power: 9 kW',
    ),
)


class Fleets(Repository):
    """A repository that begins with the fleet of these tests."""

    def commit(self, text=MANIFESTS):
        return super().commit(text)


class Yard:
    """Everything of one test; what it starts, it ends."""

    def __init__(self, stack, repository):
        self.stack, self.repository = stack, repository
        self.shared = write_clock(EVENING, time.time())
        self.clock = read_clock(self.shared)

    async def spawn(self, *words):
        """Start a command; its stderr can be read line by line."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, *words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=self.environment()
        )
        self.stack.push_async_callback(end, process)
        return process

    async def run(self, *words):
        """Run a command to its end; give exit code, stdout and stderr."""
        process = await self.spawn(*words)
        async with asyncio.timeout(60):
            out, problem = await process.communicate()
        return process.returncode, out.decode(), problem.decode()

    def environment(self):
        state = str(self.repository.folder / ".git" / "state")
        return os.environ | {VARIABLE: self.shared, "NO_COLOR": "1", "XDG_STATE_HOME": state}

    async def simulate(self, url, count=4):
        """Start as many of the fleet's stations as asked for."""
        manifests = list(load(read_folder(self.repository.folder)).stations.values())
        outfit = Outfit(plate=Nameplate(metering=timedelta(seconds=1)))
        made = stations_like(manifests[:count], self.clock(), outfit=outfit)
        setting = Setting(clock=self.clock, back_off=BackOff(least_s=0.1, spread_s=0.1))
        fleet = SimulatedFleet(made, url, setting)
        await fleet.start()
        self.stack.push_async_callback(fleet.stop)
        return fleet


async def end(process):
    """Kill what a test left behind, and let its pipes go."""
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.communicate()


@pytest.fixture
async def yard(tmp_path):
    repository = Fleets.begin(tmp_path)
    async with AsyncExitStack() as stack:
        yield Yard(stack, repository)
