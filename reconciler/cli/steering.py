"""Carries people's orders from the API to the controller, finds older revisions, and answers from the whole history.

Joins the controller, the store and the source for `run`; without a store the history is what is at hand, and older
revisions come from git alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from reconciler.cli.hindsight import Asked, look_back, revive
from reconciler.controller.world import Order, Verb
from reconciler.errors import ReconcilerError, RevisionError, StoreLost, UsageError
from reconciler.rollout.lines import recent
from reconciler.source.shipped import default_templates

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.controller.loop import Controller
    from reconciler.controller.revision import Revision
    from reconciler.manifests.snapshot import Snapshot
    from reconciler.rollout.question import Page, Question
    from reconciler.store.store import Store
    from reconciler.web.ports import Wish


class Steering:
    """People's hand on a running controller."""

    def __init__(self, controller: Controller, read: Callable[[str], Snapshot], store: Store | None = None) -> None:
        """Take the controller, what reads a commit from the source in a thread, and where things are kept."""
        self._controller, self._read, self._store = controller, read, store

    async def order(self, wish: Wish) -> str:
        """Give an order; give why it was not taken, empty where it was."""
        verb, ticket = Verb(wish.verb), uuid4().hex
        order = Order(verb, wish.who, wish.reason, ticket, wish.keys, wish.until, wish.override)
        return (await self._controller.order(order)).error

    async def go_back(self, commit: str, who: str, reason: str) -> str:
        """Return to an older revision by the beginning of its commit; give the whole commit.

        Raises:
            UsageError: no such revision is known, or it is in force already.
            RevisionError: it is not good any more.
            Transient: it can't be fetched now.
        """
        snapshot = await self._find(commit)
        served = self._controller.world.revision
        if served is not None and served.commit == snapshot.commit:
            raise UsageError(f"commit {snapshot.commit[:12]} is in force already")
        revision = await self._controller.go_back(snapshot, who, reason)
        if isinstance(revision, RevisionError):
            raise revision
        return revision.commit

    async def knows(self, commit: str) -> bool:
        """Tell whether a revision is kept whose commit begins so; raises StoreLost."""
        return self._store is not None and await self._store.revision(commit) is not None

    async def lines(self, question: Question) -> Page:
        """Answer a question about the history; raises StoreLost."""
        if self._store is not None:
            return await self._store.page(question)
        return recent(self._controller.history, self._controller.recorded, question)

    async def look_back(self, identity: str, at: datetime) -> dict[str, object]:
        """Show what a station had been told at an instant, and by which line of git.

        Raises:
            UsageError: the instant is to come, or no line of history is that old.
            StoreLost: the history can't be read.
        """
        world = self._controller.world
        station = world.stations.get(identity.casefold())
        return await look_back(self.lines, self._revision, Asked(identity, at, station.capability if station else None))

    async def _revision(self, commit: str) -> Revision | None:
        """Give a revision that is followed, or make it anew of what was kept or of git; None where it can't be had."""
        served = self._controller.world.revisions.get(commit)
        if served is not None:
            return served
        try:
            return await asyncio.to_thread(revive, await self._find(commit), default_templates())
        except StoreLost:
            raise
        except ReconcilerError:
            return None

    async def _find(self, commit: str) -> Snapshot:
        """Find a revision among those that are followed, those that were kept, and those in git, in this order."""
        known = [each for each in self._controller.world.revisions.values() if each.commit.startswith(commit)]
        if len(known) == 1:
            return known[0].snapshot
        kept = await self._store.revision(commit) if self._store is not None else None
        if kept is not None and kept.files:
            return kept.snapshot
        return await asyncio.to_thread(self._read, commit)
