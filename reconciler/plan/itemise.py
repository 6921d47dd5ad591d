"""The changes of one station as items that can be equal to another station's: what is done, where, in which words.

Called by `text`, which puts stations with equal items together. Schedules are told by their week where two revisions
are compared, and by what the profiles command where a revision is compared with what stations report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconciler.plan.change import Change, Clear, Install, Replace, subject
from reconciler.plan.fleet_plan import FleetPlan, StationPlan
from reconciler.plan.outlook import Outlook, Week
from reconciler.plan.words import (
    describe_day,
    describe_differences,
    describe_place,
    describe_profile,
    describe_stretch,
    describe_week,
)
from reconciler.profiles.profile import Profile

SYMBOLS: dict[type[Change], str] = {Install: "+", Replace: "~", Clear: "-"}


class Item(NamedTuple):
    """One change: `+`, `~`, `-` or `!`, the places it is made in, and what is said of it."""

    symbol: str
    places: str
    words: str

    @property
    def text(self) -> str:
        """Give places and words in one."""
        return f"{self.places}: {self.words}" if self.places else self.words


class Itemiser:
    """Gives the items of a plan's stations; stations that share verdicts share the work."""

    def __init__(self, plan: FleetPlan) -> None:
        self._at, self._zone = plan.at, ZoneInfo(plan.timezone)
        self._today = plan.at.astimezone(self._zone).date()
        self._known: dict[tuple[object, ...], tuple[object, tuple[Item, ...]]] = {}

    def items(self, station: StationPlan, changes: tuple[Change, ...]) -> tuple[Item, ...]:
        """Give the items of some of a station's changes, in the order of sending."""
        key = (id(station.verdicts), id(station.outlook), tuple(subject(change).id for change in changes))
        if key not in self._known:
            said = (
                (SYMBOLS[type(each)], describe_place(subject(each)), self._words(station.outlook, each))
                for each in changes
            )
            self._known[key] = ((station.verdicts, station.outlook), tuple(_joined(said)))
        return self._known[key][1]

    def later(self, station: StationPlan) -> tuple[Item, ...]:
        """Give what a station's schedules change on days that no lease reaches yet."""
        weeks = station.outlook.weeks if station.outlook else {}
        return tuple(_joined(("~", f"EVSE {evse}", self._week(weeks[evse])) for evse in station.later))

    def _words(self, outlook: Outlook | None, change: Change) -> str:
        week = outlook.weeks.get(subject(change).evse_id) if outlook else None
        fresh = outlook is not None and outlook.is_new
        if isinstance(change, Install):
            told = describe_week(week.stretches) if fresh and week else self._profile(change.new)
            return told if change.reason == "missing" else f"{told} ({change.reason})"
        if isinstance(change, Clear):
            told = self._profile(change.old) if fresh or not week else describe_week(week.stretches)
            return f"{told} ({change.reason})"
        if week and not fresh:
            return self._week(week)
        differences = describe_differences(change.old, change.new, self._at, self._zone)
        return "; ".join(differences) or f"the same power; {change.reason}"

    def _profile(self, profile: Profile) -> str:
        return describe_profile(profile, self._at, self._zone)

    def _week(self, week: Week) -> str:
        told = "; ".join(describe_stretch(stretch) for stretch in week.stretches)
        return told if week.since == self._today else f"from {describe_day(week.since)}: {told}"


def _joined(said: Iterable[tuple[str, str, str]]) -> Iterator[Item]:
    """Put places together in which the same is done; each comes as symbol, place and words."""
    places: dict[tuple[str, str], list[str]] = {}
    for symbol, place, words in said:
        places.setdefault((symbol, words), []).append(place)
    for (symbol, words), each in places.items():
        yield Item(symbol, ", ".join(each), words)
