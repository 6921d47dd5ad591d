"""Where the database is, read from what people wrote. Called by `store`; opens nothing and shows no password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from reconciler.errors import UsageError

_HOW = "write a path, sqlite:///path or postgresql://user@host/database"
_POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")
_SQLITE = ("sqlite", "sqlite+aiosqlite")
_OPTIONS = {"sslmode": "ssl", "ssl": "ssl", "host": "host", "port": "port"}


@dataclass(frozen=True, slots=True)
class File:
    """A SQLite file."""

    path: Path

    def __str__(self) -> str:
        """Give the path."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL database; where the URL has no password, the driver looks at PGPASSWORD and the pgpass file."""

    url: URL

    def __str__(self) -> str:
        """Give host and database, without user and password."""
        host = self.url.host or self.url.query.get("host") or "localhost"
        port = f":{self.url.port}" if self.url.port else ""
        return f"PostgreSQL at {host}{port}, database {self.url.database or self.url.username or 'of its user'}"


Address = File | Server


def read_address(text: str) -> Address:
    """Read a path or a URL; raises UsageError, without repeating the text, which may hold a password."""
    if "://" not in text:
        return _file(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(f"the address of the store can't be read: {_HOW}") from None
    if url.drivername in _SQLITE:
        return _sqlite(url)
    if url.drivername in _POSTGRES:
        return _server(url)
    raise UsageError(f"a store of the kind {url.drivername!r} is not known: {_HOW}")


def _sqlite(url: URL) -> File:
    if url.query or url.host:
        raise UsageError(f"a SQLite store takes three slashes and a path, and no options: {_HOW}")
    return _file(url.database or "")


def _file(text: str) -> File:
    if text in ("", ":memory:"):
        raise UsageError(f"the store needs a file, since it has to outlive the process: {_HOW}")
    return File(Path(text).expanduser().absolute())


def _server(url: URL) -> Server:
    unknown = sorted(set(url.query) - set(_OPTIONS))
    if unknown:
        raise UsageError(f"the store's option {unknown[0]!r} is not known: there are {', '.join(sorted(_OPTIONS))}")
    query = {_OPTIONS[name]: value for name, value in url.query.items()}
    return Server(url.set(drivername="postgresql+asyncpg", query=query))
