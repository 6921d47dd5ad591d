"""Calendars as values, and the days that a schedule names by weekday, date or calendar.

Used by `load` and `schedules`. It knows the calendars of the fleet; what a holiday is, `days` knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests.complaints import clip
from reconciler.manifests.days import Calendar, Days, Holidays
from reconciler.manifests.times import DAY_GROUPS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reconciler.errors import Place
    from reconciler.manifests.catalogue import Catalogue, Entry
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.fields import DayWords
    from reconciler.manifests.programme import CalendarSpec


class Almanac:
    """Resolve names of days by the calendars of a fleet, and note those that nothing has."""

    def __init__(self, catalogue: Catalogue, complaints: Complaints) -> None:
        self._catalogue, self._complaints = catalogue, complaints
        self.calendars = {name: self._calendar(entry) for name, entry in sorted(catalogue.calendars.items())}

    def resolve(self, words: DayWords, entry: Entry[BaseModel], path: tuple[str | int, ...], field: str) -> Days:
        """Give the days that are meant; `path` leads to where they stand below `spec`."""
        found = []
        for number, name in words.names:
            if name in self.calendars:
                found.append(self.calendars[name])
            else:
                step = (number,) if number >= 0 else ()
                self._complain(name, entry.at(*path, *step), field + "".join(f"[{each}]" for each in step))
        return Days(words.weekdays, words.ranges, tuple(found))

    def _calendar(self, entry: Entry[CalendarSpec]) -> Calendar:
        spec, named = entry.spec, entry.spec.holidays
        if entry.name in DAY_GROUPS:
            message = f"`{entry.name}` is a word for days already"
            self._complaints.add(entry.place, "reserved-name", message, field="metadata.name")
        rules = (Holidays(named.country, named.subdivision, named.categories),) if named else ()
        return Calendar(entry.name, spec.weekdays, tuple(spec.dates), rules, tuple(spec.except_), entry.place)

    def _complain(self, name: str, place: Place, field: str) -> None:
        mentioned = self._catalogue.mentioned["Calendar"]
        if not self._catalogue.whole or name in mentioned:
            return
        hint = self._complaints.suggest(name, (*DAY_GROUPS, *mentioned))
        hint = hint or "the words are " + ", ".join(DAY_GROUPS) + "; all else is a date or the name of a Calendar"
        message = f"`{clip(name)}` is neither a day nor a Calendar"
        self._complaints.add(place, "wrong-days", message, field=field, hint=hint)
