"""Following a source: new commits as they come, failures with a growing wait; its reader keeps the last good one.

Used by the controller's shell.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reconciler.manifests.snapshot import Snapshot

LONGEST_WAIT = timedelta(minutes=10)
MOST_DOUBLINGS = 10


class Source(Protocol):
    """Whatever gives the revision as it is now."""

    async def fetch(self) -> Snapshot:
        """Give it; raises ReconcilerError."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A commit that was not there before, or the first success after failures (then it may be the same commit)."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """The source could not be read; what was fetched before stays good. `failures` in a row; next try after `wait`."""

    error: ReconcilerError
    failures: int
    wait: timedelta


Observation: TypeAlias = Fetched | FetchFailed


async def watch(
    source: Source, interval: timedelta, uniform: Callable[[float, float], float]
) -> AsyncIterator[Observation]:
    """Poll every `interval`, a little varied by `uniform(low, high)`, and yield what is new, without end."""
    commit: str | None = None
    failures = 0
    while True:
        try:
            snapshot = await source.fetch()
        except ReconcilerError as error:
            failures += 1
            wait = back_off(interval, failures, uniform)
            yield FetchFailed(error, failures, wait)
        else:
            if failures or snapshot.commit != commit:
                yield Fetched(snapshot)
            commit, failures = snapshot.commit, 0
            wait = interval * uniform(0.9, 1.1)
        await asyncio.sleep(wait.total_seconds())


def back_off(interval: timedelta, failures: int, uniform: Callable[[float, float], float]) -> timedelta:
    """Double the wait with every failure up to a limit; half of it is chance, so that many do not come back at once."""
    longest = max(LONGEST_WAIT, interval)
    wait = interval * 2.0 ** min(failures, MOST_DOUBLINGS)
    return min(wait, longest) * uniform(0.5, 1.0)
