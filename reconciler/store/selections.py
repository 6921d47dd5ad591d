"""Questions about what is kept as statements of SQL. Called by `store`; runs nothing.

Lines are ordered by time and, within one instant, by the order in which they were recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, Integer, Select, Text, and_, any_, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from reconciler.store.rows import clean
from reconciler.store.tables import CAUSES, DOCUMENTS, HISTORY, REVISIONS

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from reconciler.rollout.question import Question

_AFTER_HEXADECIMAL = "~"
_LINES = select(HISTORY, *(column for column in CAUSES.c if column.name != "id")).join(CAUSES)


def newest(question: Question, engine: str) -> Select[Any]:
    """Select one line more than asked for, newest first, so that the end can be told from a full page."""
    wanted = _LINES.where(*_conditions(question, engine))
    return wanted.order_by(HISTORY.c.at.desc(), HISTORY.c.id.desc()).limit(question.limit + 1)


def oldest(question: Question, engine: str, last: int, after: Row[Any] | None, count: int) -> Select[Any]:
    """Select the next `count` lines after a row, oldest first, and none that came after line `last`."""
    wanted = _LINES.where(HISTORY.c.id <= last, *_conditions(question, engine))
    if after is not None:
        later = and_(HISTORY.c.at == after.at, HISTORY.c.id > after.id)
        wanted = wanted.where(HISTORY.c.at >= after.at, or_(HISTORY.c.at > after.at, later))
    return wanted.order_by(HISTORY.c.at, HISTORY.c.id).limit(count)


def unneeded(before: datetime, engine: str, count: int) -> Select[Any]:
    """Select commits taken before an instant whose files nothing asks for any more.

    Those of a commit that a line of history names explain that line; those that a document names are followed, may be
    gone back to, or are believed of a station; and the last ones taken are what a start begins with at the worst.
    """
    others = REVISIONS.alias()
    last = select(func.max(others.c.taken_at)).where(others.c.files.is_not(None)).scalar_subquery()
    conditions = (
        REVISIONS.c.files.is_not(None),
        REVISIONS.c.taken_at < before,
        REVISIONS.c.taken_at < last,
        ~select(CAUSES.c.id).where(CAUSES.c.revision == REVISIONS.c.commit).exists(),
        ~select(DOCUMENTS.c.name).where(_place_in_body(engine) > 0).exists(),
    )
    return select(REVISIONS.c.commit).where(*conditions).limit(count)


def _place_in_body(engine: str) -> ColumnElement[int]:
    """Count from 1 where a document names a commit; 0 is nowhere."""
    if engine == "sqlite":
        return func.instr(DOCUMENTS.c.body, REVISIONS.c.commit, type_=Integer)
    return func.strpos(DOCUMENTS.c.body.collate("C"), REVISIONS.c.commit, type_=Integer)


def _conditions(question: Question, engine: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if question.stations is not None:
        found.append(_of_stations(question.stations, engine))
    if question.revision:
        found.append(HISTORY.c.cause.in_(_of_revision(clean(question.revision))))
    if question.since is not None:
        found.append(HISTORY.c.at >= question.since)
    if question.until is not None:
        found.append(HISTORY.c.at < question.until)
    if question.before:
        found.append(_before(question.before))
    return found


def _of_revision(prefix: str) -> Select[Any]:
    matches = and_(CAUSES.c.revision >= prefix, CAUSES.c.revision < prefix + _AFTER_HEXADECIMAL)
    return select(CAUSES.c.id).where(matches)


def _of_stations(stations: tuple[str, ...], engine: str) -> ColumnElement[bool]:
    keys = sorted({clean(each.casefold()) for each in stations})
    if not keys:
        return false()
    if len(keys) == 1:
        return HISTORY.c.key == keys[0]
    # One parameter, however many stations a group has: both engines bound the number of parameters.
    if engine == "sqlite":
        return HISTORY.c.key.in_(select(func.json_each(orjson.dumps(keys).decode()).table_valued("value").c.value))
    return HISTORY.c.key == any_(literal(keys, ARRAY(Text)))


def _before(number: int) -> ColumnElement[bool]:
    at = select(HISTORY.c.at).where(HISTORY.c.id == number).scalar_subquery()
    return and_(HISTORY.c.at <= at, or_(HISTORY.c.at < at, HISTORY.c.id < number))
