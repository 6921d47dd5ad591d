"""What can be asked of the history, as a value. Pure.

The command line and the web's API make questions, the store answers them; nothing here knows how lines are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.rollout.ledger import Entry


@dataclass(frozen=True, slots=True)
class Question:
    """Which lines of history are wanted, newest first.

    `stations` are identities in any case, None for all lines and empty for none; `revision` is the beginning of a
    commit; `since` is included and `until` is not; `limit` counts lines; `before` is the `older` of the page before.
    """

    stations: tuple[str, ...] | None = None
    revision: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    before: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of history, newest first; `older` goes into the next question's `before`, and is 0 at the end."""

    entries: tuple[Entry, ...]
    older: int = 0
