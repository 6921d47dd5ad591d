"""The error tree: each branch is named after the one who can cure it.

    ReconcilerError
    ├── ManifestError   the author of a manifest or a template: place, field and rule are given
    ├── RevisionError   the author of a revision: all its ManifestErrors at once
    ├── StationError    the station or its maker: it refused, or it can't
    │   ├── Rejected        it answered, and the answer was no
    │   └── Unsupported     it can't take what is asked; nothing was sent
    ├── ProtocolError   the peer on the wire: what it sent is not OCPP-J
    ├── UnsafePlan      a person: the plan is possible, but not without a decision
    ├── UsageError      the caller of a command
    └── Transient       time: network, git or a database; try again after `retry_after`
        └── StoreLost       whoever keeps the database: it can't be reached, is full, read-only or damaged

Everything raised here carries its subject as attributes, so that the same error can be shown as text, as JSON and as an
annotation. No message ever holds a credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


class ReconcilerError(Exception):
    """The root of everything this program raises on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in the files of a revision; lines and columns count from 1, and 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Give the form that editors and terminals turn into a link."""
        parts = [self.file, *(str(number) for number in (self.line, self.column) if number)]
        return ":".join(parts)


@dataclass(eq=False)
class ManifestError(ReconcilerError):
    """Something an author wrote can't be taken.

    `rule` is a stable id such as `unknown-key`; `field` is the path inside the document (`spec.windows[0].power`);
    `hint` says what to write instead, and is empty where nothing better than the message can be said.
    """

    message: str
    place: Place
    field: str = ""
    rule: str = "manifest"
    hint: str = ""

    def __str__(self) -> str:
        """Give the one line that a terminal shows."""
        at = f" {self.field}:" if self.field else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place}:{at} {self.message}{hint} [{self.rule}]"

    def order(self) -> tuple[Place, str, str, str]:
        """Give the key by which errors are sorted: by place, then by what they say."""
        return (self.place, self.field, self.rule, self.message)


@dataclass(eq=False)
class RevisionError(ReconcilerError):
    """A revision was refused as a whole (invariant 6); `errors` holds every reason, sorted by place."""

    errors: tuple[ManifestError, ...]

    def __post_init__(self) -> None:
        self.errors = tuple(sorted(self.errors, key=ManifestError.order))

    def __str__(self) -> str:
        """Give one line per error."""
        return "\n".join(str(error) for error in self.errors)


class StationError(ReconcilerError):
    """A station can't be brought to what is desired, for a reason of its own."""


@dataclass(eq=False)
class Rejected(StationError):
    """The station answered no; `reason_code` is its own word (OCPP appendix 5), compared without case."""

    reason_code: str
    detail: str = ""

    def __str__(self) -> str:
        """Give the station's words."""
        return f"{self.reason_code}: {self.detail}" if self.detail else self.reason_code


@dataclass(eq=False)
class Unsupported(StationError):
    """The station can't take this, so nothing was sent; `what` is the feature and `why` the evidence."""

    what: str
    why: str

    def __str__(self) -> str:
        """Give what is missing and how it is known."""
        return f"{self.what}: {self.why}"


@dataclass(eq=False)
class ProtocolError(ReconcilerError):
    """A peer sent what OCPP-J does not allow; `code` is the RPC error code to answer with."""

    code: str
    description: str
    message_id: str = "-1"

    def __str__(self) -> str:
        """Give the code and what was wrong."""
        return f"{self.code}: {self.description}"


@dataclass(eq=False)
class UnsafePlan(ReconcilerError):
    """The plan needs a person: every reason is listed, none is hidden behind the first."""

    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """Give one line per reason."""
        return "\n".join(self.reasons)


class UsageError(ReconcilerError):
    """The command was called in a way that can't be served; the message says how to call it."""


@dataclass(eq=False)
class Transient(ReconcilerError):
    """It may go through later; nothing was lost and nothing was sent twice."""

    message: str
    retry_after: timedelta = field(default=timedelta(seconds=30))

    def __str__(self) -> str:
        """Give what failed."""
        return self.message


@dataclass(eq=False)
class StoreLost(Transient):
    """Nothing can be recorded, so nothing is pushed (invariant 11); the message says what to do about the database."""
