"""The one connection that writes, and the proof that nobody else does. Called by `store`.

A controller that opens a database begins a tenure: it takes the lock and counts the keeper's row up. Every transaction
names its tenure, so that a controller that lost the database to another one can't write to it any more, whatever it
believes. On PostgreSQL the lock belongs to the very session that writes: with the one gone, so is the other.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row, func, select, update

from reconciler.errors import UsageError
from reconciler.store.address import Address, File
from reconciler.store.complaints import FAILURES, lost
from reconciler.store.lock import identity
from reconciler.store.schema import migrate
from reconciler.store.tables import KEEPER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from reconciler.rollout.ledger import Entry

    Entries = tuple[Entry, ...]

T = TypeVar("T")
_SPACE = 0x76326701
"""The first half of the advisory lock's key; the second is the schema that the tables live in."""


class Tenure:
    """Write through one connection, which is made anew after a failure."""

    def __init__(self, engine: AsyncEngine, address: Address) -> None:
        self._engine = engine
        self._address = address
        self._file = identity(address.path) if isinstance(address, File) else None
        self._number = 0
        self._batch = 0
        self._unsure: tuple[int, Entries] | None = None
        self._recorded: Counter[Entry] = Counter()
        self._connection: AsyncConnection | None = None

    async def begin(self, fleet: str) -> None:
        """Take the lock, bring the tables to their newest form, and make the database this controller's.

        Raises StoreLost where another controller has it, and UsageError where it belongs to another fleet.
        """
        try:
            connection = await self._connect()
            async with connection.begin():
                await connection.run_sync(migrate, self._address)
                await self._take(connection, fleet)
        except BaseException:
            await self.end()
            raise

    async def write(self, entries: Entries, work: Callable[[AsyncConnection, Entries, int], Awaitable[T]]) -> T:
        """Do some work in one transaction; it gets the entries that are not recorded yet, and the batch's number.

        Where the database fell silent while it committed, the next transaction finds out what it had recorded, so that
        a batch that is handed in again leaves no line twice.
        """
        try:
            connection = self._connection or await self._resume()
            self._need_same_file()
            known = self._recorded
            fresh, self._unsure = _without(entries, known), None
            number = self._batch + 1
            async with connection.begin():
                await self._sign(connection, number)
                result = await work(connection, fresh, number)
                self._unsure = (number, fresh)
        except BaseException:
            await self.end()
            raise
        self._batch, self._unsure, self._recorded = number, None, known - Counter(entries)
        return result

    async def end(self) -> None:
        """Give up the connection, and its lock with it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*FAILURES):
                await connection.invalidate()
            with suppress(*FAILURES):
                await connection.close()

    async def _connect(self) -> AsyncConnection:
        connection = self._connection = await self._engine.connect()
        if isinstance(self._address, File):
            return connection
        async with connection.begin():
            lock = select(func.pg_try_advisory_lock(_SPACE, func.hashtext(func.current_schema())))
            mine = (await connection.execute(lock)).scalar_one()
        if not mine:
            raise lost(self._address, "belongs to another controller: stop that one first")
        return connection

    async def _take(self, connection: AsyncConnection, fleet: str) -> None:
        row = await self._keeper(connection)
        if fleet and row.fleet and row.fleet.casefold() != fleet.casefold():
            raise UsageError(f"{self._address} belongs to the fleet {row.fleet!r}: give another database")
        self._number, self._batch = row.tenure + 1, row.batch
        await connection.execute(update(KEEPER).values(tenure=self._number, fleet=fleet or row.fleet))

    async def _resume(self) -> AsyncConnection:
        self._need_same_file()
        connection = await self._connect()
        async with connection.begin():
            row = await self._keeper(connection)
        if self._unsure is not None and (row.tenure, row.batch) == (self._number, self._unsure[0]):
            self._recorded += Counter(self._unsure[1])
            self._unsure = None
        self._batch = row.batch
        return connection

    async def _sign(self, connection: AsyncConnection, number: int) -> None:
        mine = update(KEEPER).where(KEEPER.c.tenure == self._number).values(batch=number)
        if (await connection.execute(mine)).rowcount != 1:
            raise lost(self._address, "was taken over by another controller: stop one of them and start the other anew")

    async def _keeper(self, connection: AsyncConnection) -> Row[Any]:
        """Read whose the database is; a damaged page may be read without complaint and say nothing that makes sense."""
        rows = (await connection.execute(select(KEEPER))).all()
        if len(rows) != 1 or not all(isinstance(each, int) for each in (rows[0].tenure, rows[0].batch)):
            raise lost(self._address, "is damaged: put a backup in its place, or move it away to begin anew")
        return rows[0]

    def _need_same_file(self) -> None:
        if isinstance(self._address, File) and identity(self._address.path) != self._file:
            raise lost(self._address, "was moved or replaced: start the controller anew on the file that it is to use")


def _without(entries: Entries, recorded: Counter[Entry]) -> Entries:
    left, fresh = recorded.copy(), []
    for entry in entries:
        if left[entry] > 0:
            left[entry] -= 1
        else:
            fresh.append(entry)
    return tuple(fresh)
