"""The durable state of one fleet. Opened by the composition root, written by the controller's loop, read by commands.

It knows documents, revisions and lines of history as values, and nothing of what they mean. Whatever fails is a
StoreLost that says what to do; every call afterwards tries again, so that it recovers as soon as the database does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from reconciler.errors import UsageError
from reconciler.profiles.form import JsonObject
from reconciler.rollout.ledger import Batch, Entry, KeptRevision, Kind, Name
from reconciler.rollout.question import Page, Question
from reconciler.store import rows, schema
from reconciler.store.address import Address, File, read_address
from reconciler.store.complaints import explained
from reconciler.store.engines import make_engine, need_file, prepare_file
from reconciler.store.lock import lock_file
from reconciler.store.selections import newest, oldest, unneeded
from reconciler.store.tables import CAUSES, DOCUMENTS, HISTORY, REVISIONS, TABLES
from reconciler.store.tenure import Tenure

if TYPE_CHECKING:
    from sqlalchemy import Delete, Row, Table, Update
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

PAGE = 1000
PRUNED_AT_ONCE = 5000
REVISIONS_AT_ONCE = 20
_WITHOUT_FILES = tuple(column for column in REVISIONS.c if column.name != "files")


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that is known at present, as it was last written."""

    documents: Mapping[Name, JsonObject]


class Store:
    """Keep documents, revisions and history in one database."""

    def __init__(self, address: Address, engine: AsyncEngine, tenure: Tenure | None, ends: AsyncExitStack) -> None:
        self._address = address
        self._engine = engine
        self._tenure = tenure
        self._ends = ends
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, *, fleet: str = "", read_only: bool = False) -> Store:
        """Open a database, as its only controller unless `read_only`.

        `url` is a path, `sqlite:///path` or `postgresql://user@host/database`. A new or older database gets its tables.
        Raises UsageError for an address that can't be right, and StoreLost for a database that can't be used.
        """
        address = read_address(url)
        async with AsyncExitStack() as ends:
            if isinstance(address, File):
                await _prepare(address, ends, read_only=read_only)
            engine = make_engine(address, read_only=read_only)
            ends.push_async_callback(engine.dispose)
            with explained(address):
                tenure = None if read_only else await _begin(engine, address, fleet, ends)
                if read_only:
                    async with engine.connect() as connection:
                        await connection.run_sync(schema.need_newest, address)
            return cls(address, engine, tenure, ends.pop_all())

    @property
    def place(self) -> str:
        """Give where the database is, without user and password."""
        return str(self._address)

    async def write(self, batch: Batch) -> None:
        """Write a batch, all of it or nothing; raises StoreLost when it is not certain that all of it is kept.

        The same entries may be handed in again after that: none is recorded twice.
        """
        if not batch:
            return
        revisions = await asyncio.to_thread(lambda: [rows.revision_values(each) for each in batch.revisions])

        async def work(connection: AsyncConnection, entries: tuple[Entry, ...], number: int) -> None:
            await self._record(connection, entries)
            await self._replace(connection, REVISIONS, revisions)
            await self._replace(connection, DOCUMENTS, _bodies(batch, number))
            await _drop(connection, batch)

        async with self._turn:
            with explained(self._address):
                await self._own().write(batch.entries, work)

    async def load(self) -> Kept:
        """Give all current documents."""
        async with self._reading() as connection:
            found = (await connection.execute(select(DOCUMENTS))).all()
        return Kept({(Kind(row.kind), row.name): rows.read_body(row.body) for row in found})

    async def revision(self, commit: str = "") -> KeptRevision | None:
        """Give a revision with its files, by the beginning of its commit, or the last one that has files."""
        if commit:
            wanted = select(REVISIONS).where(REVISIONS.c.commit >= commit, REVISIONS.c.commit < commit + "~")
        else:
            wanted = select(REVISIONS).where(REVISIONS.c.files.is_not(None))
        best_first = wanted.order_by(REVISIONS.c.commit != commit, REVISIONS.c.taken_at.desc()).limit(1)
        async with self._reading() as connection:
            row = (await connection.execute(best_first)).one_or_none()
        return rows.with_files(rows.read_revision(row), row.files) if row else None

    async def revisions(self, limit: int = 100) -> tuple[KeptRevision, ...]:
        """Give the revisions without their files, the newest first."""
        wanted = select(*_WITHOUT_FILES).order_by(REVISIONS.c.taken_at.desc()).limit(limit)
        async with self._reading() as connection:
            found = (await connection.execute(wanted)).all()
        return tuple(rows.read_revision(row) for row in found)

    async def history(self, question: Question) -> tuple[Entry, ...]:
        """Give the lines that a question asks for, newest first."""
        return (await self.page(question)).entries

    async def page(self, question: Question) -> Page:
        """Give the lines that a question asks for, newest first, and where the next page begins."""
        async with self._reading() as connection:
            found = (await connection.execute(newest(question, self._engine.dialect.name))).all()
        page = found[: question.limit]
        return Page(tuple(map(rows.read_entry, page)), page[-1].id if len(found) > len(page) > 0 else 0)

    async def stream(self, question: Question) -> AsyncIterator[Entry]:
        """Give the lines that a question asks for, oldest first, whatever its limit, as of the moment it begins."""
        last, after = await self._last(), None
        while found := await self._next(question, last, after):
            for row in found:
                yield rows.read_entry(row)
            after = found[-1]

    async def prune(self, before: datetime) -> int:
        """Take away the history before an instant, a few lines at a time; give how many lines went."""
        total = 0
        while count := await self._prune_some(before):
            total += count
        if total:
            await self._prune_causes()
        return total

    async def prune_files(self, before: datetime) -> int:
        """Take away the files of revisions taken before an instant that nothing asks for; give of how many.

        Call it when the history was pruned. What else is known of them stays; one taken again has its files again.
        """
        total = 0
        while commits := await self._unneeded(before):
            old = REVISIONS.c.commit.in_(commits) & (REVISIONS.c.taken_at < before)
            total += await self._change(update(REVISIONS).where(old).values(files=None))
        return total

    async def size(self) -> int:
        """Give the bytes that the database takes on its disk."""
        if isinstance(self._address, File):
            paths = (self._address.path, self._address.path.with_name(f"{self._address.path.name}-wal"))
            return await asyncio.to_thread(lambda: sum(path.stat().st_size for path in paths if path.exists()))
        sizes = select(*(func.pg_total_relation_size(name) for name in TABLES.tables))
        async with self._reading() as connection:
            return sum(int(each) for each in (await connection.execute(sizes)).one())

    async def close(self) -> None:
        """Give up the connections and the lock."""
        async with self._turn:
            await self._ends.aclose()

    def _own(self) -> Tenure:
        if self._tenure is None:
            raise UsageError(f"the store ({self._address}) was opened for reading only")
        return self._tenure

    async def _record(self, connection: AsyncConnection, entries: tuple[Entry, ...]) -> None:
        if not entries:
            return
        causes = {values["id"]: values for values in map(rows.cause_values, entries)}
        known = self._insert(CAUSES).on_conflict_do_nothing(index_elements=[CAUSES.c.id])
        await connection.execute(known, list(causes.values()))
        await connection.execute(insert(HISTORY), [rows.entry_values(each) for each in entries])

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        return (sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert)(table)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with explained(self._address):
            async with self._engine.connect() as connection:
                yield connection

    async def _replace(self, connection: AsyncConnection, table: Table, values: list[rows.Values]) -> None:
        if not values:
            return
        add = self._insert(table)
        changed = {column.name: add.excluded[column.name] for column in table.c if not column.primary_key}
        await connection.execute(
            add.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed), values
        )

    async def _last(self) -> int:
        async with self._reading() as connection:
            return int((await connection.execute(select(func.coalesce(func.max(HISTORY.c.id), 0)))).scalar_one())

    async def _next(self, question: Question, last: int, after: Row[Any] | None) -> list[Row[Any]]:
        wanted = oldest(question, self._engine.dialect.name, last, after, PAGE)
        async with self._reading() as connection:
            return list((await connection.execute(wanted)).all())

    async def _prune_some(self, before: datetime) -> int:
        lines = select(HISTORY.c.id).where(HISTORY.c.at < before).order_by(HISTORY.c.at).limit(PRUNED_AT_ONCE)
        return await self._change(delete(HISTORY).where(HISTORY.c.id.in_(lines)))

    async def _unneeded(self, before: datetime) -> list[str]:
        wanted = unneeded(before, self._engine.dialect.name, REVISIONS_AT_ONCE)
        async with self._reading() as connection:
            return list((await connection.execute(wanted)).scalars())

    async def _prune_causes(self) -> None:
        mentioned = select(HISTORY.c.id).where(HISTORY.c.cause == CAUSES.c.id).exists()
        await self._change(delete(CAUSES).where(~mentioned))

    async def _change(self, statement: Delete | Update) -> int:
        async def work(connection: AsyncConnection, _: tuple[Entry, ...], __: int) -> int:
            return (await connection.execute(statement)).rowcount

        async with self._turn:
            with explained(self._address):
                return await self._own().write((), work)


async def _prepare(address: File, ends: AsyncExitStack, *, read_only: bool) -> None:
    if read_only:
        need_file(address.path)
        return
    ends.callback(lock_file(address).release)
    with explained(address):
        await asyncio.to_thread(prepare_file, address.path)


async def _begin(engine: AsyncEngine, address: Address, fleet: str, ends: AsyncExitStack) -> Tenure:
    tenure = Tenure(engine, address)
    ends.push_async_callback(tenure.end)
    await tenure.begin(fleet)
    return tenure


def _bodies(batch: Batch, number: int) -> list[rows.Values]:
    kept = ((name, body) for name, body in batch.documents.items() if body is not None)
    return [
        {"kind": kind.value, "name": rows.clean(name), "body": rows.write_body(body), "batch": number}
        for (kind, name), body in kept
    ]


async def _drop(connection: AsyncConnection, batch: Batch) -> None:
    gone = [(kind.value, rows.clean(name)) for (kind, name), body in batch.documents.items() if body is None]
    if gone:
        await connection.execute(delete(DOCUMENTS).where(tuple_(DOCUMENTS.c.kind, DOCUMENTS.c.name).in_(gone)))
