"""What is kept of a commit that was taken or refused. Pure.

Used by the loop, which hands it to the recorder. Only what was taken has its files with it, for it may be served again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reconciler.controller.revision import Revision
from reconciler.errors import RevisionError
from reconciler.manifests.snapshot import Snapshot
from reconciler.rollout.ledger import KeptRevision

MOST_REASONS = 100
"""How many of the errors of a refused commit are kept."""


def taken(revision: Revision, force: str, plan: str, now: datetime) -> KeptRevision:
    """Keep a revision with its files, a person's reason and the digest of its plan."""
    kept = _kept(revision.snapshot, "taken", now)
    return replace(kept, fleet=revision.fleet.name, why=force, plan=plan, files=revision.snapshot.files)


def turned_down(snapshot: Snapshot, error: RevisionError, now: datetime) -> KeptRevision:
    """Keep why a commit was refused."""
    return replace(_kept(snapshot, "refused", now), why="\n".join(str(each) for each in error.errors[:MOST_REASONS]))


def _kept(snapshot: Snapshot, verdict: str, now: datetime) -> KeptRevision:
    return KeptRevision(
        commit=snapshot.commit,
        fleet="",
        subject=snapshot.subject,
        author=snapshot.author,
        signature=snapshot.signature,
        committed_at=snapshot.committed_at,
        taken_at=now,
        verdict=verdict,
    )
