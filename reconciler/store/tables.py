"""The tables as they are now. Called by `rows`, `selections` and `store`; a test holds them equal to the migrations'.

`documents` holds the present: one row per name, replaced as a whole. `history` is only ever added to, until retention
takes its oldest lines; `causes` holds once what many lines share, which halves the database. `revisions` holds each
commit's whole input. `keeper` has one row: whose the database is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An instant as microseconds since 1970: exact, small, and sorted alike by both engines."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Count the microseconds."""
        return None if value is None else (value - EPOCH) // _TICK

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the instant, in UTC."""
        return None if value is None else EPOCH + value * _TICK


_Count = BigInteger().with_variant(Integer(), "sqlite")
# Prefixes of commits are looked for as ranges, which are right in the order of bytes only.
_Ordered = String().with_variant(String(collation="C"), "postgresql")

TABLES = MetaData()
CAUSES = Table(
    "causes",
    TABLES,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("revision", _Ordered, nullable=False),
    Column("author", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("who", Text, nullable=False),
    Index("causes_by_revision", "revision"),
)
HISTORY = Table(
    "history",
    TABLES,
    Column("id", _Count, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("key", _Ordered, nullable=False),
    Column("station", Text, nullable=False),
    Column("cause", BigInteger, ForeignKey(CAUSES.c.id), nullable=False),
    Column("answer", Text, nullable=False),
    Column("profile_id", BigInteger),
    Column("evse_id", BigInteger),
    Column("digest", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("write", Text, nullable=False),
    Column("duration_ms", BigInteger),
    Index("history_by_station", "key", "at"),
    Index("history_by_cause", "cause", "at"),
    Index("history_by_time", "at"),
)
DOCUMENTS = Table(
    "documents",
    TABLES,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("batch", BigInteger, nullable=False),
)
REVISIONS = Table(
    "revisions",
    TABLES,
    Column("commit", _Ordered, primary_key=True),
    Column("fleet", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("committed_at", Instant),
    Column("taken_at", Instant, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("files", LargeBinary),
    Index("revisions_by_time", "taken_at"),
)
KEEPER = Table(
    "keeper",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("fleet", Text, nullable=False),
    Column("tenure", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
)
