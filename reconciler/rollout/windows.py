"""Whether a rollout may begin writes now, in words that people are shown. Pure.

The controller's step asks, and looks again at `until`. What windows mean is known to `manifests.openings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.manifests.openings import look, next_change
from reconciler.manifests.strategy import Window
from reconciler.manifests.times import write_duration


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether windows are open, why, and until when nothing changes in that (None: for ever)."""

    open: bool
    why: str
    until: datetime | None = None


def verdict(windows: Sequence[Window], now: datetime) -> Verdict:
    """Judge an instant: deny wins; without a window that allows, all that is not denied is open.

    `until` is UTC and never after the next change; where that is far ahead, it is before, and the verdict stays.
    """
    if not windows:
        return Verdict(open=True, why="no windows are declared")
    found = look(windows, now)
    return Verdict(found.holds, _why(found.holds, found.windows), next_change(windows, now))


def _why(is_open: bool, windows: Sequence[Window]) -> str:  # noqa: FBT001 - a verdict in two words
    if not windows:
        return "no window denies it" if is_open else "outside the windows that allow it"
    named = " and ".join(_write(window) for window in windows)
    return f"allowed by {named}" if is_open else f"denied by {named}"


def _write(window: Window) -> str:
    return f"`{window.cron}` for {write_duration(window.duration)}, {window.timezone}"
