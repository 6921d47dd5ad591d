"""PostgreSQL that is away, refuses or hangs: a sentence that says what to do, no password in it, and on by itself."""

import asyncio
import traceback

import asyncpg
import pytest

import databases
from reconciler.errors import StoreLost
from reconciler.rollout.ledger import Batch
from reconciler.rollout.question import Question
from reconciler.store import engines

pytestmark = pytest.mark.postgres


async def _refusal(opened, url, **options):
    with pytest.raises(StoreLost) as lost:
        async with opened(url, **options):
            pass
    told = "".join(traceback.format_exception(lost.value))
    assert databases.PASSWORD not in told
    assert databases.QUOTED not in told
    assert "wrong-secret" not in told
    return str(lost.value)


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_wrong_password_is_told_and_not_shown(cluster, opened, read_only):
    url = cluster.url("postgres", password="wrong-secret")
    assert "refuses user or password: check both" in await _refusal(opened, url, read_only=read_only)


async def test_a_missing_database_is_told(cluster, opened):
    assert "does not exist: create the database" in await _refusal(opened, cluster.url("nowhere"))


async def test_a_server_that_does_not_run_is_told(cluster, opened):
    assert "check that it runs" in await _refusal(opened, cluster.url("postgres", port=1))


async def test_a_server_that_never_answers_is_given_up(cluster, opened, monkeypatch):
    monkeypatch.setattr(engines, "CONNECT_S", 0.2)
    calls = []
    silent = await asyncio.start_server(lambda _, writer: calls.append(writer), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        assert "check that it runs" in await _refusal(opened, cluster.url("postgres", port=port))
        for writer in calls:
            writer.transport.abort()
    assert calls


async def test_a_database_that_takes_no_writes_is_told(cluster, opened):
    url = cluster.fresh()
    cluster.sql("postgres", f"ALTER DATABASE {_name(url)} SET default_transaction_read_only = on")
    assert "takes no writes: give the address of the primary" in await _refusal(opened, url)


async def test_a_user_who_may_not_create_tables_is_told(cluster, opened):
    url = cluster.fresh()
    cluster.sql(_name(url), "DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD 'guest'")
    assert "refuses this user: let the user create tables" in await _refusal(
        opened, f"postgresql://guest:guest@127.0.0.1:{cluster.port}/{_name(url)}"
    )


async def test_a_server_that_is_killed_is_told_and_found_again(cluster, opened, line):
    async with opened(cluster.fresh()) as store:
        await store.write(Batch((line(1),)))
        cluster.crash()
        try:
            with pytest.raises(StoreLost, match="by itself"):
                await store.write(Batch((line(2),)))
            with pytest.raises(StoreLost, match="check that it runs"):
                await store.write(Batch((line(2),)))
            with pytest.raises(StoreLost):
                await store.history(Question())
        finally:
            cluster.start()
        assert await store.history(Question()) == (line(1),)
        await store.write(Batch((line(2),)))
        assert await store.history(Question()) == (line(2), line(1))


async def test_a_write_that_hangs_is_given_up_and_leaves_nothing(cluster, opened, line, monkeypatch):
    monkeypatch.setattr(engines, "COMMAND_S", 0.5)
    url = cluster.fresh()
    async with opened(url) as store:
        other = await asyncpg.connect(url)
        await other.execute("BEGIN; LOCK TABLE history IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreLost):
            await store.write(Batch((line(1),)))
        await other.close()
        await store.write(Batch((line(1),)))
        assert await store.history(Question()) == (line(1),)


async def test_a_caller_that_gives_up_leaves_a_store_that_works(cluster, opened, line):
    url = cluster.fresh()
    async with opened(url) as store:
        other = await asyncpg.connect(url)
        await other.execute("BEGIN; LOCK TABLE history IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await store.write(Batch((line(1),)))
        await other.close()
        await store.write(Batch((line(2),)))
        assert await store.history(Question()) == (line(2),)


def _name(url):
    return url.rsplit("/", 1)[-1]
