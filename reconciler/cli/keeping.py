"""What outlives the controller: opens the store, and gives the world that it begins with. Used by `run`.

Joins the store to the controller's documents. A revision that was in force is made again from its kept files, so that
stations are served before git has answered, or without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from reconciler.cli.clock import Clock
from reconciler.controller.durable import restore
from reconciler.controller.kept import needed, restore_course, restore_suspensions
from reconciler.controller.revision import Revision, revise
from reconciler.controller.world import World
from reconciler.errors import RevisionError, StoreLost
from reconciler.profiles.form import Malformed
from reconciler.rollout.ledger import Entry, KeptRevision
from reconciler.store.store import Store

NOTHING = "none"
"""The store's name of those who want none."""
ANEW = "no wave, quarantine or suspension is known: the newest commit goes to all stations at once"
"""What a new database means to a fleet that is not new."""
PRUNE_EVERY_S = 6 * 3600.0
PRUNE_FIRST_S = 60.0


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the controller begins with; `head` is a revision that is still to be put in force."""

    world: World
    entries: tuple[Entry, ...] = ()
    head: Revision | None = None


async def open_store(url: str, fleet: str) -> Store | None:
    """Open the store as its only controller, or none where none is wanted; raises StoreLost and UsageError."""
    if url == NOTHING:
        return None
    if "://" not in url:
        await asyncio.to_thread(_make_folder, Path(url).parent)
    return await Store.open(url, fleet=fleet)


async def recall(store: Store, world: World, templates: Mapping[str, str], now: datetime) -> Recalled:
    """Give the world that was kept; whatever of it can't be read or made again is told in the log.

    Raises:
        StoreLost: the database can't be read, or not what it says of the fleet.
    """
    log = structlog.get_logger("program")
    documents = (await store.load()).documents
    restored = restore(world, documents, now)
    for complaint in restored.complaints:
        log.error("document left out", complaint=complaint)
    world = restored.world
    try:
        commits = needed(documents)
        revisions = await _make_again(store, commits, templates, now)
        world = restore_suspensions(restore_course(world, documents, revisions, now), documents)
    except Malformed as error:
        words = "what the fleet followed and who is suspended can't be read from the database"
        raise StoreLost(f"{words} ({error}): put a copy of it back, or begin a new one") from error
    head = None if world.revision else await _last(store, templates, now)
    served = world.revision or head
    if served is not None:
        log.info("serving what was kept", revision=served.commit, stations=len(world.stations), store=store.place)
    elif not documents:
        log.warning("nothing was kept", store=store.place, means=ANEW)
    return Recalled(world, restored.entries, head)


async def prune(store: Store, retention: timedelta, clock: Clock) -> None:
    """Take away history that is older than wanted, and files that it needed, again and again, until cancelled."""
    log, wait = structlog.get_logger("program"), PRUNE_FIRST_S
    while True:
        await asyncio.sleep(wait)
        wait = PRUNE_EVERY_S
        try:
            before = clock() - retention
            gone, emptied = await store.prune(before), await store.prune_files(before)
        except StoreLost as error:
            log.warning("history not pruned", error=str(error))
        else:
            log.info("history pruned", lines=gone, revisions=emptied)


async def _make_again(
    store: Store, commits: tuple[str, ...], templates: Mapping[str, str], now: datetime
) -> dict[str, Revision]:
    """Make revisions from their files, each with what it has alike with the one before."""
    made: dict[str, Revision] = {}
    before: Revision | None = None
    for commit in commits:
        kept = await store.revision(commit)
        revision = await _prove(kept, templates, now, before) if kept and kept.files else None
        if revision is not None:
            made[commit] = before = revision
    return made


async def _last(store: Store, templates: Mapping[str, str], now: datetime) -> Revision | None:
    kept = await store.revision()
    return await _prove(kept, templates, now, None) if kept else None


async def _prove(
    kept: KeptRevision, templates: Mapping[str, str], now: datetime, before: Revision | None
) -> Revision | None:
    try:
        return await asyncio.to_thread(revise, kept.snapshot, templates, now, before)
    except RevisionError as error:
        errors = [str(each) for each in error.errors]
        structlog.get_logger("program").error("kept revision not good any more", revision=kept.commit, errors=errors)
        return None


def _make_folder(folder: Path) -> None:
    """Make the folder of a database; what goes wrong is told when the database is opened."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreLost(f"the folder {folder} of the database can't be made: {error.strerror}") from error
