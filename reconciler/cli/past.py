"""Where lines of history come from: a running controller's API page by page, or the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.manifests.fleet import Fleet
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


async def _fleet(store: Store) -> Fleet | None:
    """Give the fleet of the last revision that was taken, so that groups and sites have their names."""
    from reconciler.errors import ManifestError, RevisionError
    from reconciler.manifests.load import load
    from reconciler.manifests.snapshot import Snapshot

    kept = await store.revision()
    if kept is None:
        return None
    try:
        return load(Snapshot(kept.commit, kept.author, kept.committed_at, kept.subject, kept.files))
    except (ManifestError, RevisionError):
        return None
