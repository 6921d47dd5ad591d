"""One controller per database, whatever becomes of locks and connections."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

import databases
from reconciler.errors import StoreLost, UsageError
from reconciler.rollout.ledger import Batch, Kind
from reconciler.rollout.question import Question

LATER = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
HOLD = """
import asyncio, sys
from reconciler.store.store import Store
async def hold():
    await Store.open(sys.argv[1])
    print("held", flush=True)
    await asyncio.sleep(600)
asyncio.run(hold())
"""


async def test_a_second_controller_is_refused_until_the_first_has_ended(url, opened):
    async with opened(url):
        with pytest.raises(StoreLost, match="belongs to another controller"):
            async with opened(url):
                pass
    async with opened(url):
        pass


async def test_a_controller_that_was_killed_holds_nothing(url, opened, line):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True)
    with holder.stdout:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLost, match="belongs to another controller"):
            async with opened(url):
                pass
        holder.kill()
        holder.wait(20)
    async with opened(url) as store:
        await store.write(Batch((line(),)))


async def test_a_database_of_one_fleet_is_not_given_to_another(url, opened):
    async with opened(url, fleet="harbour"):
        pass
    async with opened(url), opened(url, read_only=True):
        pass
    with pytest.raises(UsageError, match="belongs to the fleet 'harbour'"):
        async with opened(url, fleet="depot"):
            pass
    async with opened(url, fleet="Harbour"):
        pass


async def test_a_file_system_without_locks_is_told(tmp_path, opened, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreLost, match="can't be locked: put it on a local disk"):
        async with opened(str(tmp_path / "state.db")):
            pass


async def test_a_lock_that_can_not_be_signed_is_not_kept(tmp_path, opened, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        with pytest.raises(StoreLost, match="No space left on device"):
            async with opened(str(tmp_path / "state.db")):
                pass
    async with opened(str(tmp_path / "state.db")):
        pass


async def test_a_moved_file_is_not_written_any_more(tmp_path, opened, line):
    path = tmp_path / "state.db"
    async with opened(str(path)) as store:
        path.rename(tmp_path / "elsewhere.db")
        with pytest.raises(StoreLost, match="was moved or replaced"):
            await store.write(Batch((line(),)))
        (tmp_path / "elsewhere.db").rename(path)
        await store.write(Batch((line(),)))


@pytest.mark.postgres
async def test_a_controller_whose_session_was_ended_takes_its_lock_again(cluster, opened, line):
    url = cluster.fresh()
    async with opened(url) as store:
        cluster.sql(url.rsplit("/", 1)[-1], LATER)
        with pytest.raises(StoreLost):
            await store.write(Batch((line(1),)))
        await store.write(Batch((line(1),)))
        with pytest.raises(StoreLost, match="another controller"):
            async with opened(url):
                pass
        assert await store.history(Question()) == (line(1),)


@pytest.mark.postgres
async def test_a_controller_that_was_replaced_can_not_write_any_more(cluster, opened, line):
    url = cluster.fresh()
    async with opened(url) as first:
        cluster.sql(url.rsplit("/", 1)[-1], LATER)
        async with opened(url) as second:
            await second.write(Batch(documents={(Kind.FLEET, ""): {"of": "second"}}))
            for _ in range(2):
                with pytest.raises(StoreLost):
                    await first.write(Batch((line(),), {(Kind.FLEET, ""): {"of": "first"}}))
        with pytest.raises(StoreLost, match="taken over by another controller"):
            await first.write(Batch((line(),), {(Kind.FLEET, ""): {"of": "first"}}))
        assert (await first.load()).documents == {(Kind.FLEET, ""): {"of": "second"}}
        assert await first.history(Question()) == ()


@pytest.mark.postgres
@pytest.mark.parametrize("breaking", [databases.Wire.lose, databases.Wire.lose_the_answer_to])
@pytest.mark.parametrize("message", [b"COMMIT", b"INSERT INTO history"])
async def test_a_batch_whose_end_was_not_seen_is_recorded_once(cluster, opened, write_lines, line, breaking, message):
    name = cluster.fresh().rsplit("/", 1)[-1]
    wire = databases.Wire(cluster.port)
    twice = line(7)
    first = Batch((*write_lines(), twice, twice), {(Kind.FLEET, ""): {"a": 1}})
    async with wire.laid() as port, opened(cluster.url(name, port=port)) as store:
        breaking(wire, message)
        with pytest.raises(StoreLost, match="can't be reached"):
            await store.write(first)
        await store.write(Batch((*first.entries, twice, line(9)), first.documents))
        told = await store.history(Question())
    assert sorted(map(str, told)) == sorted(map(str, (*first.entries, twice, line(9))))
