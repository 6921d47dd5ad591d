"""What has to outlive the process, as values: lines of history, revisions, and documents of what is known. Pure.

The controller's step makes them, the controller's shell hands them on in batches, the store writes each batch whole or
not at all. Nothing here knows how they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.form import JsonObject


class Stage(StrEnum):
    """How far the write has come that a line tells of; `NOTE` is a line that stands for itself."""

    INTENT = "intent"
    ANSWER = "answer"
    READ_BACK = "read-back"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of history: what was done to a station, why, by which commit, and how it ended (invariant 11).

    A write leaves up to three lines with the same `write`: its intent before anything is sent, the station's answer
    with the time it took, and what was read back. `station` is empty for what concerns the whole fleet, `who` the
    person who asked, `plan` the digest of the plan that was reviewed, `digest` that of the payload.
    """

    at: datetime
    station: str
    action: str
    reason: str
    answer: str = ""
    profile_id: int | None = None
    evse_id: int | None = None
    revision: str = ""
    author: str = ""
    source: str = ""
    digest: str = ""
    plan: str = ""
    who: str = ""
    stage: Stage = Stage.NOTE
    write: str = ""
    duration_ms: int | None = None


class Kind(StrEnum):
    """The kinds of documents; a name is a casefolded identity, a commit, or empty where a fleet has one only."""

    STATION = "station"
    ROLLOUT = "rollout"
    SUSPENSION = "suspension"
    FLEET = "fleet"


Name = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class KeptRevision:
    """A commit that was taken or refused; `files` is the whole input, empty where it was refused."""

    commit: str
    fleet: str
    subject: str
    author: str
    signature: str
    committed_at: datetime | None
    taken_at: datetime
    verdict: str
    why: str = ""
    plan: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def snapshot(self) -> Snapshot:
        """Give what was read of the commit."""
        return Snapshot(self.commit, self.author, self.committed_at, self.subject, self.files, self.signature)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one turn leaves behind; a document of None is one that is no more."""

    entries: tuple[Entry, ...] = ()
    documents: Mapping[Name, JsonObject | None] = field(default_factory=dict)
    revisions: tuple[KeptRevision, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(self.entries or self.documents or self.revisions)
