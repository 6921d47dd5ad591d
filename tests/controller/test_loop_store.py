"""The loop with a real database: what is kept is there, and what befalls the disk stops writes and nothing else."""

import asyncio
import resource
import sqlite3
from contextlib import asynccontextmanager, closing, contextmanager

import pytest

from ledgers import Bench
from reconciler.controller.durable import restore
from reconciler.controller.world import Order, RevisionLoaded, Verb, World
from reconciler.errors import StoreLost
from reconciler.rollout.ledger import Kind, Stage
from reconciler.rollout.question import Question
from reconciler.store.store import Store
from toys import NOON, revision

NOW_S = 20


@asynccontextmanager
async def opened(path):
    store = await Store.open(str(path))
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def running(store, world=None):
    bench = Bench(world, store)
    try:
        yield bench
    finally:
        await bench.stop()


@contextmanager
def full_disk(path):
    """Let no file grow beyond what the database's log has now, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = path.with_name(f"{path.name}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(log.stat().st_size, 1), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def somebody_else(path):
    """Hold the database as another program would that does not let go."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def noise(path):
    """Write noise over the database and its log, as a failing disk or a restore into a running controller would."""
    for each in (path, *(path.with_name(f"{path.name}-{part}") for part in ("wal", "shm"))):
        with each.open("r+b") as file:
            file.write(b"noise" * (each.stat().st_size // 5))


def _holds_nothing(station):
    return station.reported.known and not station.reported.held


async def settle(bench, identity="A-1", number=1):
    bench.connect(identity, number)
    async with asyncio.timeout(NOW_S):
        await bench.settle(number=number)


async def test_history_and_documents_are_in_the_database(tmp_path):
    async with opened(tmp_path / "state.db") as store:
        async with running(store) as bench:
            bench.controller.report(RevisionLoaded(revision()))
            await settle(bench)
        lines = (await store.history(Question(limit=100)))[::-1]
        assert lines == tuple(bench.controller.history)
        documents = (await store.load()).documents
    stages = [line.stage for line in lines if line.action == "SetChargingProfile"]
    assert stages.count(Stage.INTENT) == stages.count(Stage.ANSWER) == 3
    assert set(documents) >= {(Kind.STATION, "a-1"), (Kind.FLEET, "")}
    assert not restore(World(), documents, NOON).complaints


@pytest.mark.parametrize("trouble", [full_disk, somebody_else])
async def test_while_the_disk_fails_stations_are_read_and_not_written_and_all_is_kept_later(trouble, tmp_path):
    path = tmp_path / "state.db"
    async with opened(path) as store, running(store) as bench:
        bench.controller.report(RevisionLoaded(revision()))
        await settle(bench)
        await bench.idle()
        sent = len(bench.writes())
        with trouble(path):
            bench.connect("A-2", 2)
            async with asyncio.timeout(NOW_S):
                await bench.controller.until(lambda world: not world.recording.ok)
                await bench.controller.until(lambda world: world.stations["a-2"].reported.known)
            assert len(bench.writes()) == sent
        async with asyncio.timeout(NOW_S):
            await bench.settle(number=2)
        await bench.idle()
        assert bench.controller.world.recording.ok
        assert not bench.yard.unannounced
        lines = (await store.history(Question(limit=1000)))[::-1]
        assert lines == tuple(bench.controller.history)


async def test_a_database_damaged_during_a_run_is_told_and_stations_are_read_and_not_written(tmp_path):
    path = tmp_path / "state.db"
    async with opened(path) as store, running(store) as bench:
        bench.controller.report(RevisionLoaded(revision()))
        await settle(bench)
        await bench.idle()
        sent, known = len(bench.writes()), len(bench.controller.history)
        noise(path)
        bench.connect("A-2", 2)
        async with asyncio.timeout(NOW_S):
            await bench.controller.until(lambda world: not world.recording.ok)
            await bench.controller.until(lambda world: world.stations["a-2"].reported.known)
            reply = await bench.controller.order(Order(Verb.SUSPEND, "ada", "rewiring", "t1", ("b-1",)))
        why = bench.controller.world.recording.why
        assert f"the store ({path}) is damaged" in why
        assert "put a backup in its place" in why
        assert "would not survive a restart" in reply.error
        bench.yard.held["A-1"].clear()  # what a station has lost is seen and told, and not put back
        bench.connect("A-1", 3)
        async with asyncio.timeout(NOW_S):
            await bench.controller.until(lambda world: _holds_nothing(world.stations["a-1"]))
        assert len(bench.writes()) == sent
        assert len(bench.controller.history) > known
        with pytest.raises(StoreLost, match="damaged"):
            await store.history(Question())
    with pytest.raises(StoreLost, match="damaged"):
        await Store.open(str(path))
