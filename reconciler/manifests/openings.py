"""When windows let a rollout go on: as the clock of each window's zone shows, through every switch of daylight saving.

Used by `rollouts`, which refuses windows that never open, and by `rollout.windows`, which puts it into words. A window
holds at every instant at which its wall clock stands in it, as those of schedules do: what a clock skips is lost, what
it shows twice holds twice. Deny wins; where no window allows, all that is not denied is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from reconciler.manifests.crontab import matches
from reconciler.manifests.strategy import Window

EDGES = 12
"""Over how many edges of windows the next change is looked for."""
CHAIN = 32
"""How many matches that follow each other are joined to one spell of a window."""
TRIALS = 1000
"""Over how many edges windows have to open once: two of each day for a year, for what opens in summer only."""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""From when on windows have to open once; they come again, so that any day would do."""
END = BEGIN.replace(year=2040)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spell:
    """A state that holds until an instant at which it may change; `windows` are those that make it."""

    holds: bool
    until: datetime
    windows: tuple[Window, ...] = ()


def look(windows: Sequence[Window], now: datetime) -> Spell:
    """Tell whether windows (at least one) are open at an instant, and until when at least."""
    denies = [spell(window, now) for window in windows if not window.allow]
    if any(each.holds for each in denies):
        return _longest(denies, is_open=False)
    allows = [spell(window, now) for window in windows if window.allow]
    if not any(each.holds for each in allows) and allows:
        return Spell(holds=False, until=min(each.until for each in allows))
    found = _longest(allows, is_open=True) if allows else Spell(holds=True, until=min(each.until for each in denies))
    return Spell(found.holds, min((found.until, *(each.until for each in denies))), found.windows)


def _longest(spells: Sequence[Spell], *, is_open: bool) -> Spell:
    """Join those that hold: together they hold at least as long as the one that ends last."""
    active = [each for each in spells if each.holds]
    return Spell(is_open, max(each.until for each in active), tuple(each.windows[0] for each in active))


def next_change(windows: Sequence[Window], now: datetime) -> datetime:
    """Give the next instant at which windows open or close; where that is far ahead, one until when they do neither."""
    first = look(windows, now)
    at = first.until
    for each in islice(_outlook(windows, at), EDGES):
        if each.holds is not first.holds:
            break
        at = each.until
    return at


def ever_open(windows: Sequence[Window]) -> bool:
    """Tell whether windows open at some time."""
    outlook = islice(_outlook(windows, BEGIN), TRIALS) if windows else [Spell(holds=True, until=END)]
    return any(each.holds for each in takewhile(lambda each: each.until <= END, outlook))


def _outlook(windows: Sequence[Window], at: datetime) -> Iterator[Spell]:
    while True:
        found = look(windows, at)
        yield found
        at = found.until


def spell(window: Window, now: datetime) -> Spell:
    """Tell whether an instant lies in a window, and until when that is so at least."""
    local = now.astimezone(ZoneInfo(window.timezone))
    offset, wall = local.utcoffset() or timedelta(), local.replace(tzinfo=None)
    switch = next_switch(window.timezone, now)
    found = list(islice(matches(window.cron, wall - window.duration), 1))
    holds = bool(found) and found[0] <= wall
    edge = _end(window, found[0]) if holds else next(iter(found), None)
    until = min(switch, (edge - offset).replace(tzinfo=UTC)) if edge else switch
    return Spell(holds, until, (window,))


def _end(window: Window, begin: datetime) -> datetime:
    """Give the wall time at which a window ends that began: where it begins again before, that begin counts."""
    last = begin
    for following in islice(matches(window.cron, begin), CHAIN):
        if following > last + window.duration:
            break
        last = following
    return last + window.duration


def next_switch(timezone: str, now: datetime) -> datetime:
    """Give the instant at which a zone's clocks are next put forward or back; at most two years are looked ahead."""
    year = now.astimezone(UTC).year
    found = (switch for each in (year, year + 1) for switch in _switches(timezone, each) if switch > now)
    return next(found, datetime(year + 2, 1, 1, tzinfo=UTC))


@lru_cache(maxsize=256)
def _switches(timezone: str, year: int) -> tuple[datetime, ...]:
    zone, first = ZoneInfo(timezone), datetime(year, 1, 1, tzinfo=UTC)
    days = [first + number * DAY for number in range((first.replace(year=year + 1) - first).days + 1)]
    return tuple(_switch(zone, *pair) for pair in pairwise(days) if _offset(zone, pair[0]) != _offset(zone, pair[1]))


def _switch(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (before, middle) if _offset(zone, middle) != _offset(zone, before) else (middle, after)
    return after


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
