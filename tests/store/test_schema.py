"""How the tables come to be, and what is done with those of another version."""

import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert

from reconciler.errors import StoreLost, UsageError
from reconciler.rollout.ledger import Batch, Kind
from reconciler.rollout.question import Question
from reconciler.store import rows, schema
from reconciler.store.address import File, read_address
from reconciler.store.engines import make_engine, prepare_file
from reconciler.store.tables import CAUSES, DOCUMENTS, HISTORY, REVISIONS, TABLES


async def _alter(url, work):
    """Do something to a database as its tables' owner, without the store."""
    address = read_address(url)
    if isinstance(address, File):
        prepare_file(address.path)
    engine = make_engine(address, read_only=False)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _differences(connection):
    context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
    return compare_metadata(context, TABLES)


async def test_the_migrated_tables_are_those_that_the_program_uses(url, opened):
    async with opened(url):
        pass
    assert await _alter(url, _differences) == []


def test_every_migration_is_known_and_follows_the_one_before():
    scripts = ScriptDirectory(str(schema.MIGRATIONS))
    assert tuple(reversed([each.revision for each in scripts.walk_revisions()])) == schema.VERSIONS


@pytest.mark.parametrize("version", schema.VERSIONS[:-1])
async def test_an_older_database_is_migrated_with_all_that_it_holds(url, opened, line, taken, version):
    def fill(connection):
        schema.migrate(connection, read_address(url), version)
        connection.execute(insert(CAUSES), [rows.cause_values(line())])
        connection.execute(insert(HISTORY), [rows.entry_values(line())])
        connection.execute(insert(REVISIONS), [rows.revision_values(taken("abc"))])
        connection.execute(insert(DOCUMENTS), [{"kind": "fleet", "name": "", "body": '{"a":1}', "batch": 1}])

    await _alter(url, fill)
    with pytest.raises(StoreLost, match="older version of this program: start the controller"):
        async with opened(url, read_only=True):
            pass
    async with opened(url) as store:
        assert await store.history(Question()) == (line(),)
        assert await store.revision() == taken("abc")
        assert (await store.load()).documents == {(Kind.FLEET, ""): {"a": 1}}
        await store.write(Batch((line(1),)))
    assert await _alter(url, _differences) == []


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_newer_database_is_left_alone(url, opened, read_only):
    async with opened(url):
        pass
    newer = f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"
    await _alter(url, lambda connection: connection.exec_driver_sql(newer))
    with pytest.raises(StoreLost, match="newer version of this program: install"):
        async with opened(url, read_only=read_only):
            pass


async def test_tables_of_something_else_are_left_alone(url, opened):
    await _alter(url, lambda connection: connection.exec_driver_sql("CREATE TABLE history (visited TEXT)"))
    with pytest.raises(UsageError, match="'history' of something else"):
        async with opened(url):
            pass
    found = await _alter(url, lambda connection: connection.exec_driver_sql("SELECT visited FROM history").all())
    assert found == []


async def test_a_migration_that_fails_leaves_the_old_tables(url, opened):
    def half(connection):
        schema.migrate(connection, read_address(url))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await _alter(url, half)
    assert await _alter(url, lambda connection: schema.current(connection, read_address(url))) == ""
    async with opened(url):
        pass


def test_a_file_keeps_its_write_ahead_log_and_waits_for_the_disk(tmp_path):
    prepare_file(tmp_path / "state.db")
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_the_writer_of_a_file_waits_for_the_disk(tmp_path):
    prepare_file(tmp_path / "state.db")
    engine = make_engine(File(tmp_path / "state.db"), read_only=False)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
    await engine.dispose()
