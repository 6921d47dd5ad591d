# ruff: noqa: D102 - a property is documented by the class that has it
"""What the HTTP side asks of the rest of the program, as shapes: it is unaware of the controller and of sockets.

The command line joins them. All of it is read-only but `ask`, which sends one request that a person wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from datetime import datetime
from decimal import Decimal
from typing import Protocol as Shape

from reconciler.errors import ManifestError
from reconciler.manifests.fleet import Fleet
from reconciler.manifests.snapshot import Snapshot
from reconciler.plan.change import Owned
from reconciler.reported.events import RawAnswered
from reconciler.rollout.commands import SendRaw
from reconciler.rollout.conditions import Turned
from reconciler.rollout.progress import Rollout
from reconciler.rollout.station import Station
from reconciler.rollout.table import Next


class RevisionLike(Shape):
    """A verified commit."""

    @property
    def commit(self) -> str: ...
    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def fleet(self) -> Fleet: ...
    @property
    def owned(self) -> Owned: ...
    def evses(self, key: str, /) -> tuple[tuple[int, Decimal, Decimal], ...]: ...


class RefusedLike(Shape):
    """A commit that was refused as a whole."""

    @property
    def commit(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def errors(self) -> tuple[ManifestError, ...]: ...


class StormLike(Shape):
    """Too many stations drifted at once, and repairs have stopped."""

    @property
    def since(self) -> datetime: ...
    @property
    def drifted(self) -> int: ...
    @property
    def connected(self) -> int: ...


class RecordingLike(Shape):
    """Whether what is done can be recorded."""

    @property
    def ok(self) -> bool: ...
    @property
    def why(self) -> str: ...


class WorldLike(Shape):
    """All that is known; keys are casefolded identities."""

    @property
    def revision(self) -> RevisionLike | None: ...
    @property
    def refused(self) -> RefusedLike | None: ...
    @property
    def stations(self) -> Mapping[str, Station]: ...
    @property
    def standing(self) -> Mapping[str, Next]: ...
    @property
    def tally(self) -> Mapping[str, int]: ...
    @property
    def turned(self) -> Mapping[str, Turned]: ...
    @property
    def waiting(self) -> Sized: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def rollout(self) -> Rollout | None: ...
    @property
    def suspended(self) -> Sized: ...
    @property
    def storm(self) -> StormLike | None: ...
    @property
    def recording(self) -> RecordingLike: ...


class EntryLike(Shape):
    """One line of history."""

    @property
    def at(self) -> datetime: ...
    @property
    def station(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def profile_id(self) -> int | None: ...
    @property
    def evse_id(self) -> int | None: ...
    @property
    def revision(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def digest(self) -> str: ...


class NotAsked(Shape):
    """The end of a request that was not sent."""

    @property
    def error(self) -> str: ...


class Controlling(Shape):
    """The controller, as the API sees it."""

    @property
    def world(self) -> WorldLike: ...
    @property
    def history(self) -> Sequence[EntryLike]: ...
    async def ask(self, request: SendRaw, who: str, *, force: bool = False) -> RawAnswered | NotAsked: ...


class Counting(Shape):
    """The stations shell, as the API sees it: how many requests it sent, by action."""

    def all_frames(self) -> Mapping[str, int]: ...


class Listening(Shape):
    """The log of frames, as the API sees it: whose frames are written down, by patterns of identities."""

    @property
    def chosen(self) -> tuple[str, ...]: ...
    @property
    def dropped(self) -> int: ...
    def choose(self, patterns: Iterable[str], /) -> None: ...
