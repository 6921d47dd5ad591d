# ruff: noqa: D102 - a property is documented by the class that has it
"""What the HTTP side asks of the rest of the program, as shapes: it is unaware of the controller and of sockets.

The command line joins them. All of it is read-only but `ask`, which sends one request that a person wrote, and what
`Steering` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
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
from reconciler.rollout.ledger import Entry
from reconciler.rollout.progress import Rollout
from reconciler.rollout.question import Page, Question
from reconciler.rollout.station import Station
from reconciler.rollout.table import Next

LONGEST_ASK_S = 60.0


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
    def evses(self, key: str, /) -> tuple[tuple[int, Decimal, Decimal], ...]:
        """Give a station's EVSEs as (id, charge rating in W, watts per ampere)."""


class RefusedLike(Shape):
    """A commit that was refused as a whole."""

    @property
    def commit(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def errors(self) -> tuple[ManifestError, ...]: ...
    @property
    def since(self) -> datetime | None: ...


class StormLike(Shape):
    """Too many stations drifted at once, and repairs have stopped."""

    @property
    def since(self) -> datetime: ...
    @property
    def drifted(self) -> int: ...
    @property
    def connected(self) -> int: ...
    @property
    def held(self) -> Mapping[str, None]: ...


class SuspensionLike(Shape):
    """A person keeps a station from being written to."""

    @property
    def reason(self) -> str: ...
    @property
    def who(self) -> str: ...
    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime | None: ...


class RecordingLike(Shape):
    """Whether what is done can be recorded."""

    @property
    def ok(self) -> bool: ...
    @property
    def why(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...


class WorldLike(Shape):
    """All that is known; keys are casefolded identities."""

    @property
    def revision(self) -> RevisionLike | None: ...
    def target(self, key: str, /) -> RevisionLike | None:
        """Give the revision that a station is to hold now."""

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
    def placed(self) -> Mapping[str, str]: ...
    @property
    def quarantined(self) -> Mapping[str, str]: ...
    @property
    def suspended(self) -> Mapping[str, SuspensionLike]: ...
    @property
    def storm(self) -> StormLike | None: ...
    @property
    def recording(self) -> RecordingLike: ...


class NotAsked(Shape):
    """The end of a request that was not sent."""

    @property
    def error(self) -> str: ...


class Controlling(Shape):
    """The controller, as the API sees it; its history has the last of the `recorded` lines, newest last."""

    @property
    def world(self) -> WorldLike: ...
    @property
    def history(self) -> Sequence[Entry]: ...
    @property
    def recorded(self) -> int: ...
    async def ask(self, request: SendRaw, who: str, *, force: bool = False) -> RawAnswered | NotAsked:
        """Send one request that a person wrote and wait for its end; with `force` it may touch the fleet's profiles."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person orders: `verb` as the controller spells it, about these stations, or the rollout or the fleet."""

    verb: str
    who: str
    reason: str
    keys: tuple[str, ...] = ()
    until: datetime | None = None
    override: bool = False


class Steering(Shape):
    """Who carries people's orders to the controller, and has the whole history."""

    async def order(self, wish: Wish, /) -> str:
        """Give an order; give why it was not taken, empty where it was."""

    async def go_back(self, commit: str, who: str, reason: str, /) -> str:
        """Return to an older revision by the beginning of its commit; give the whole commit.

        Raises:
            UsageError: no such revision is known, or it is in force already.
            RevisionError: it is not good any more.
            Transient: it can't be fetched now.
        """

    async def knows(self, commit: str, /) -> bool:
        """Tell whether a revision is kept whose commit begins so; raises StoreLost."""

    async def lines(self, question: Question, /) -> Page:
        """Answer a question about the history; raises StoreLost."""

    async def look_back(self, identity: str, at: datetime, /) -> dict[str, object]:
        """Show what a station had been told at an instant, and by which line; raises UsageError and StoreLost."""


class Counting(Shape):
    """The stations shell, as the API sees it: how many requests it sent, by action."""

    def all_frames(self) -> Mapping[str, int]:
        """Give how many requests of each action were sent to all stations since the start."""


class Listening(Shape):
    """The log of frames, as the API sees it: whose frames are written down, by patterns of identities."""

    @property
    def chosen(self) -> tuple[str, ...]: ...
    @property
    def dropped(self) -> int: ...
    def choose(self, patterns: Iterable[str], /) -> None:
        """Choose whose frames are written down from now on."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What the API stands on: the controller, the stations' counters, the clock, and whether stations are heard.

    Without `metrics` there is nothing to scrape; without `frame_log` no frame can be written down;
    without `steering` no orders are taken, and the history is what is at hand.
    """

    controller: Controlling
    stations: Counting
    clock: Callable[[], datetime]
    listening: Callable[[], bool]
    longest_ask_s: float = LONGEST_ASK_S
    metrics: Callable[[], bytes] | None = None
    frame_log: Listening | None = None
    steering: Steering | None = None
