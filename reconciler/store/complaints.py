"""What a database's failure means to the one who keeps it. Called by everything here that asks a database.

Every failure becomes a StoreLost with one sentence that says what to do; the drivers' texts, which may hold parameters,
stay out of it.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from reconciler.errors import StoreLost
from reconciler.store.address import Address, File

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILURES = (SQLAlchemyError, sqlite3.Error, PostgresError, InterfaceError, OSError)
RETRY = timedelta(seconds=5)
_BY_ITSELF = "it goes on by itself then"

# https://www.sqlite.org/rescode.html: the low byte names the kind of failure.
_SQLITE = {
    sqlite3.SQLITE_FULL: f"has no room: the disk is full; free some space, {_BY_ITSELF}",
    sqlite3.SQLITE_READONLY: f"can't be written: make its disk, its folder and the file writable, {_BY_ITSELF}",
    sqlite3.SQLITE_PERM: f"can't be opened: allow this user to read and write it, {_BY_ITSELF}",
    sqlite3.SQLITE_CANTOPEN: f"can't be opened: make sure that its folder exists and can be written, {_BY_ITSELF}",
    sqlite3.SQLITE_CORRUPT: "is damaged: put a backup in its place, or move it away to begin anew",
    sqlite3.SQLITE_NOTADB: "is damaged or no SQLite database: put a backup in its place, or give another path",
    sqlite3.SQLITE_BUSY: f"is being written by another program: end that program, {_BY_ITSELF}",
    sqlite3.SQLITE_LOCKED: f"is being written by another program: end that program, {_BY_ITSELF}",
    sqlite3.SQLITE_IOERR: f"can't be read or written: its disk fails or is full; look at the disk, {_BY_ITSELF}",
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: whole codes first, then their classes.
_POSTGRES = {
    "25006": f"takes no writes: give the address of the primary, or end its read-only mode, {_BY_ITSELF}",
    "42501": "refuses this user: let the user create tables in the database, and write them",
    "53100": f"has no room: its disk is full; free some space, {_BY_ITSELF}",
    "53300": f"has too many connections: allow more, {_BY_ITSELF}",
    "28": "refuses user or password: check both, in the address or in PGPASSWORD",
    "3D": "does not exist: create the database, or correct its name",
    "53": f"has run out of memory or disk: give it more, {_BY_ITSELF}",
    "57": f"is being stopped or started: start it, {_BY_ITSELF}",
    "58": f"reports that its disk fails: look at its log, {_BY_ITSELF}",
    "XX": "reports that it is damaged: look at its log and restore a backup",
}
_UNREACHABLE = f"can't be reached: check that it runs, its address and the network, {_BY_ITSELF}"


def lost(address: Address, words: str) -> StoreLost:
    """Make the error that says what to do about the database."""
    return StoreLost(f"the store ({address}) {words}", RETRY)


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """Turn every failure of a driver into StoreLost."""
    try:
        yield
    except FAILURES as error:
        raise lost(address, explain(address, error)) from error


def explain(address: Address, error: BaseException) -> str:
    """Give the sentence for a failure."""
    causes = tuple(_causes(error))
    return _of_file(causes) if isinstance(address, File) else _of_server(causes)


def _of_file(causes: tuple[BaseException, ...]) -> str:
    for cause in causes:
        code = getattr(cause, "sqlite_errorcode", None)
        if isinstance(code, int) and code & 0xFF in _SQLITE:
            return _SQLITE[code & 0xFF]
    if isinstance(causes[-1], OSError):
        return f"can't be opened ({causes[-1].strerror}): make sure that its folder exists and can be written"
    return f"failed ({type(causes[-1]).__name__}): look at the file and its disk"


def _of_server(causes: tuple[BaseException, ...]) -> str:
    for cause in causes:
        code = getattr(cause, "sqlstate", None)
        if isinstance(code, str) and code[:2] != "08":
            return _POSTGRES.get(code) or _POSTGRES.get(code[:2]) or f"failed (SQLSTATE {code}): look at its log"
    return _UNREACHABLE


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = getattr(seen, "orig", None) or seen.__cause__
