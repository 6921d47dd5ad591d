"""Where lines of history come from: a running controller's API page by page, or the database itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.controller.revision import Revision
    from reconciler.manifests.fleet import Fleet
    from reconciler.profiles.capability import Capability
    from reconciler.rollout.question import Question
    from reconciler.store.store import Store

PAGE = 10_000
Rows = list[dict[str, Any]]


def ask_server(server: str, about: str, question: Question) -> Rows:
    """Ask a running controller for the lines; raises as its client does."""
    from reconciler.cli.client import Client
    from reconciler.profiles.form import write_instant

    span = {"since": write_instant(question.since), "until": write_instant(question.until)}
    rows: Rows = []
    before = ""
    with Client(server) as client:
        while len(rows) < question.limit:
            limit = str(min(PAGE, question.limit - len(rows)))
            asked = {"about": about or None, "limit": limit, "before": before or None, **span}
            page, before = client.page("history", **asked)
            rows += page
            if not before:
                break
    return rows


def ask_store(url: str, about: str, question: Question) -> Rows:
    """Read the lines from a database; raises StoreLost, UsageError and UnknownName."""
    from reconciler.cli.loop import run_loop

    return run_loop(_read(url, about, question))


def look_back_in_store(url: str, identity: str, at: datetime) -> dict[str, Any]:
    """Read from a database what a station had been told at an instant; raises StoreLost and UsageError."""
    from reconciler.cli.loop import run_loop

    return run_loop(_look_back(url, identity, at))


async def _read(url: str, about: str, question: Question) -> Rows:
    from dataclasses import replace

    from reconciler.store.store import Store
    from reconciler.web.history import About, lines_view, members, tell
    from reconciler.web.subjects import find

    store = await Store.open(url, read_only=True)

    async def knows(commit: str) -> bool:
        return await store.revision(commit) is not None

    try:
        fleet = await _fleet(store) if about else None
        meant = await find(about, fleet, store.page, knows) if about else About()
        asked = replace(question, stations=members(fleet, meant), revision=meant.commit)
        lines, _ = await tell(store.page, asked)
    finally:
        await store.close()
    return lines_view(lines)


async def _look_back(url: str, identity: str, at: datetime) -> dict[str, Any]:
    from reconciler.cli.hindsight import Asked, look_back
    from reconciler.store.store import Store

    store = await Store.open(url, read_only=True)
    try:
        return await look_back(
            store.page, partial(_revive, store), Asked(identity, at, await _capability(store, identity))
        )
    finally:
        await store.close()


async def _revive(store: Store, commit: str) -> Revision | None:
    """Make a kept revision anew; None where its files are not kept, or are good for nothing any more."""
    from reconciler.cli.hindsight import revive
    from reconciler.errors import ManifestError, RevisionError
    from reconciler.source.shipped import default_templates

    kept = await store.revision(commit)
    try:
        return revive(kept.snapshot, default_templates()) if kept and kept.files else None
    except (ManifestError, RevisionError):
        return None


async def _capability(store: Store, identity: str) -> Capability | None:
    """Give what a station said last of what it can do."""
    from reconciler.controller.dossier import read_station
    from reconciler.profiles.form import Malformed
    from reconciler.rollout.ledger import Kind

    document = (await store.load()).documents.get((Kind.STATION, identity.casefold()))
    try:
        return read_station(document).capability if document else None
    except Malformed:
        return None


async def _fleet(store: Store) -> Fleet | None:
    """Give the fleet of the last revision that was taken, so that groups and sites have their names."""
    from reconciler.errors import ManifestError, RevisionError
    from reconciler.manifests.load import load

    kept = await store.revision()
    if kept is None:
        return None
    try:
        return load(kept.snapshot)
    except (ManifestError, RevisionError):
        return None
