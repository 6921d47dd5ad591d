"""How each database is connected to. Called by `store`; knows no tables.

SQLite: write-ahead log, so that readers never wait for the writer; every commit is on the disk before it counts.
PostgreSQL: a server that does not answer is given up after seconds, so that the controller can say so.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, assert_never
from urllib.parse import quote

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from reconciler.errors import UsageError
from reconciler.store.address import Address, File, Server

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

BUSY_S = 5
CONNECT_S = 5
COMMAND_S = 30
CHECK_S = 30.0
_EVERYTHING = "1"  # a number instead of a table: all of them, until as many faults are found
_CHECKED = ("documents", "revisions", "keeper", _EVERYTHING)
_INSTRUCTIONS_PER_LOOK = 10_000
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",
)
_SERVER_SETTINGS = {
    "application_name": "reconciler",
    "jit": "off",
    # A controller whose network is gone must lose its lock within a minute, or no other could take over.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def make_engine(address: Address, *, read_only: bool) -> AsyncEngine:
    """Make an engine that never creates a file; it connects when it is first asked."""
    match address:
        case File(path):
            return _file_engine(path, read_only=read_only)
        case Server(url):
            settings = {**_SERVER_SETTINGS, **({"default_transaction_read_only": "on"} if read_only else {})}
            arguments = {"timeout": CONNECT_S, "command_timeout": COMMAND_S, "server_settings": settings}
            return create_async_engine(
                url, pool_size=4, max_overflow=2, pool_pre_ping=True, hide_parameters=True, connect_args=arguments
            )
        case _:
            assert_never(address)


def _file_engine(path: Path, *, read_only: bool) -> AsyncEngine:
    query = {"mode": "ro" if read_only else "rw", "uri": "true"}
    url = URL.create("sqlite+aiosqlite", database=f"file:{quote(str(path))}", query=query)
    engine = create_async_engine(url, pool_size=4, hide_parameters=True, connect_args={"timeout": BUSY_S})
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _: object) -> None:
    # Python's driver would begin transactions late and not at all round a change of the schema: we begin them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def prepare_file(path: Path) -> None:
    """Create the file where there is none, set its write-ahead log, and look whether it is whole.

    What a start needs is looked at first, then everything; after half a minute, what is not checked by then is told
    when it is read. Raises sqlite3.Error when the file is damaged or can't be written.
    """
    with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        # A file on a read-only disk opens well and fails at the first write: ask now.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        _check(connection)


def _check(connection: sqlite3.Connection) -> None:
    deadline = monotonic() + CHECK_S
    present = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.set_progress_handler(lambda: monotonic() > deadline, _INSTRUCTIONS_PER_LOOK)
    for part in _CHECKED:
        if part in present or part is _EVERYTHING:
            _check_part(connection, part)


def _check_part(connection: sqlite3.Connection, part: str) -> None:
    try:
        found = connection.execute(f"PRAGMA quick_check({part})").fetchall()
    except sqlite3.OperationalError:
        # Out of time, or the disk fails: whoever reads on is told what is wrong.
        return
    if found != [("ok",)]:
        damage = sqlite3.DatabaseError(str(found[0][0]))
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def need_file(path: Path) -> None:
    """Raise UsageError where there is no file to read."""
    if not path.is_file():
        raise UsageError(f"there is no store at {path}: check the path, or start the controller once")


def knows_something(path: Path) -> bool:
    """Tell whether a SQLite file holds any document; one that can't be read may, so that it counts as if it did."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", timeout=BUSY_S, uri=True)) as connection:
            return connection.execute("SELECT 1 FROM documents LIMIT 1").fetchone() is not None
    except sqlite3.Error as error:
        return error.sqlite_errorcode != sqlite3.SQLITE_ERROR  # which says that there is no such table yet
