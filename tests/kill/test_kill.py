"""A controller killed at any moment of a rollout: its successor ends what it began, and nothing is forgotten."""

import asyncio
import multiprocessing
import os
import socket
import time
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kill import victim
from reconciler.cli.clock import read_clock, write_clock
from reconciler.manifests.load import load
from reconciler.rollout.ledger import Stage
from reconciler.rollout.question import Question
from reconciler.simulator import desk
from reconciler.simulator.connection import BackOff
from reconciler.simulator.fleet import Setting, SimulatedFleet
from reconciler.simulator.nameplate import Nameplate
from reconciler.simulator.population import Outfit, stations_like
from reconciler.source.folder import read_folder
from reconciler.store.store import Store
from repositories import Repository, Row, manifests

EXAMPLES = int(os.environ.get("KILLS", "9"))
EVENING = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
LONGEST_S = 60
ROW = Row(
    name="row-a",
    line="night",
    identities="A{1..3}",
    capability='protocol: "2.1"',
    schedule="evening",
    window='from: "11:00", to: "20:00", power: POWER kW',
)
FLEET = manifests(ROW, more='  rollout: {waves: [1, "100%"], soak: 0s}\n')
STATIONS = 3
NEEDED = {"first": 3, "second": 1}
"""How many profiles each station has to be sent for each of the two commits, if nothing goes wrong."""


@pytest.fixture(scope="module")
def server():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kill.victim"])
    return context


@pytest.fixture
def frames(monkeypatch):
    """Every SetChargingProfile that reaches a station, as (identity, profile id)."""
    seen, act = [], desk._ACTIONS["SetChargingProfile"]

    def watched(station, payload, now):
        seen.append((station.identity, payload["chargingProfile"]["id"]))
        return act(station, payload, now)

    monkeypatch.setitem(desk._ACTIONS, "SetChargingProfile", watched)
    return seen


class Place:
    """A repository, a database and a port."""

    def __init__(self, folder, store=""):
        self.store = store or str(folder / "state" / "yard.db")
        self.folder = folder / "fleet"
        self.folder.mkdir()
        self.repository = Repository.begin(self.folder)
        self.clock = write_clock(EVENING, time.time())
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def commit(self, power):
        return self.repository.commit(FLEET.replace("POWER", str(power)))

    def order(self, **fate):
        return victim.Order(str(self.folder), self.store, self.clock, self.port, **fate)

    async def history(self):
        store = await Store.open(self.store, read_only=True)
        try:
            return await store.history(Question(limit=10_000))
        finally:
            await store.close()


class Controller:
    """A process of the controller, and what it says."""

    def __init__(self, server, order):
        self.pipe, theirs = server.Pipe(duplex=False)
        self.process = server.Process(target=victim.main, args=(order, theirs), daemon=True)
        self.process.start()
        theirs.close()

    async def says(self, commit):
        """Wait until it says that all is in sync with a commit; false where it ended before."""
        end = time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            try:
                if await asyncio.to_thread(self.pipe.poll, 0.2) and self.pipe.recv() == commit:
                    return True
            except EOFError:
                return False
        raise TimeoutError(f"nothing was heard of {commit}")

    async def stop(self):
        self.process.terminate()
        await self.gone()
        assert self.process.exitcode == 0

    async def gone(self):
        await asyncio.to_thread(self.process.join, LONGEST_S)
        self.pipe.close()


@asynccontextmanager
async def stations(place):
    """Real simulated stations that keep what they hold, whatever happens to the controller."""
    clock = read_clock(place.clock)
    manifests = list(load(read_folder(place.folder)).stations.values())
    made = stations_like(manifests, clock(), outfit=Outfit(plate=Nameplate(metering=timedelta(seconds=600))))
    back_off = BackOff(least_s=0.05, spread_s=0.05)
    fleet = SimulatedFleet(made, f"ws://127.0.0.1:{place.port}", Setting(clock=clock, back_off=back_off))
    await fleet.start()
    try:
        yield fleet
    finally:
        await fleet.stop()


async def kill_and_go_on(server, place, fate):
    """Let one controller die in the rollout of the first or the second commit, and another one go on."""
    first = place.commit(9)
    async with stations(place) as fleet:
        if fate["during"] == "second":
            calm = Controller(server, place.order())
            assert await calm.says(first)
            await calm.stop()
        last = place.commit(5) if fate["during"] == "second" else first
        point, number = fate["point"], fate["number"]
        doomed = Controller(server, place.order(point=point, number=number, commit=last, later_s=fate["later_s"]))
        came_through = await doomed.says(last)
        await (doomed.stop() if came_through else doomed.gone())
        survivor = Controller(server, place.order())
        assert await survivor.says(last)
        await survivor.stop()
        return fleet, came_through


fates = st.fixed_dictionaries(
    {
        "during": st.sampled_from(("first", "second")),
        "point": st.sampled_from(victim.POINTS),
        "number": st.integers(1, 4),
        "later_s": st.sampled_from((0.0, 0.001, 0.005)),
    }
)


@pytest.fixture(params=["sqlite-1", "sqlite-2", pytest.param("postgres", marks=pytest.mark.postgres)])
def begun(request, tmp_path_factory):
    """Make a place with an empty database of either engine; of files twice, so that two processes share the work."""
    fresh = request.getfixturevalue("cluster").fresh if request.param == "postgres" else str
    return lambda: Place(tmp_path_factory.mktemp("kill"), fresh())


def test_killed_at_any_moment_all_ends_well_and_nothing_is_forgotten(server, frames, begun):
    @settings(
        max_examples=max(1, EXAMPLES // 3),
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),  # a failing fate costs a minute: it is told, not made smaller
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(fates)
    def kill(fate):
        frames.clear()
        asyncio.run(check(server, begun(), fate, frames))

    kill()


async def check(server, place, fate, frames):
    fleet, came_through = await kill_and_go_on(server, place, fate)
    power = 5000 if fate["during"] == "second" else 9000
    for identity in fleet.identities:
        held = {each.id: each for each in fleet.profiles(identity)}
        assert set(held) == {810000, 810001, 810011}, identity
        assert {period.setpoint or period.limit for period in held[810011].schedule.periods} >= {power}, identity
    needed = NEEDED["first"] + (NEEDED["second"] if fate["during"] == "second" else 0)
    received = Counter(identity for identity, _ in frames)
    assert all(needed <= received[identity] <= needed + 1 for identity in fleet.identities), received
    lines = await place.history()
    announced = Counter((line.station, line.profile_id) for line in lines if line.stage is Stage.INTENT)
    assert not Counter(frames) - announced, "a station received what no line announced"
    ended = {line.write for line in lines if line.stage is Stage.ANSWER}
    begun = {line.write for line in lines if line.stage is Stage.INTENT}
    assert begun == ended, "a line of a write has no end"
    assert came_through or fate["point"]
