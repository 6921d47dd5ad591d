"""What a revision changes in the schedules of one kind of station over the week to come, and what that costs.

Called by `fleet_plan` once per kind. A lease covers a day or so; people who review a plan on a Monday want to see what
it changes on Sunday, and next season's schedule as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from reconciler.manifests.fleet import Evse, Station
from reconciler.plan.week import NOTHING, Span, Stretch, compare, direction_changes, surroundings, week_from
from reconciler.profiles.timeline import Timeline
from reconciler.render.desired import Renderer

MOST_SEASONS = 20
"""How many begins and ends of schedules are looked at beyond the week to come."""

Side = tuple[Renderer, Station]


@dataclass(frozen=True, slots=True)
class Week:
    """The stretches in which an EVSE's schedules differ, in the week from `since` on."""

    since: date
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """By EVSE, the first week in which its schedules change (absent: in none), and the turns of direction a day.

    `is_new` tells that there was no base to compare with: the weeks are the whole programme then.
    """

    weeks: Mapping[int, Week]
    turns_before: int
    turns_after: int
    is_new: bool


def look_ahead(before: Side | None, after: Side, now: datetime) -> Outlook:
    """Compare the schedules of a station before and after a revision, from the local day of `now` on."""
    zone = ZoneInfo(after[0].fleet.timezone)
    today = now.astimezone(zone).date()
    weeks: dict[int, Week] = {}
    for evse in after[1].evses:
        found = next(_changes(before, after, evse, today), None)
        if found is not None:
            weeks[evse.id] = found
    span = week_from(today, zone)
    turns = [sum(_turns(side, span, zone)) if side else 0 for side in (before, after)]
    return Outlook(weeks, turns[0], turns[1], before is None)


def _changes(before: Side | None, after: Side, evse: Evse, today: date) -> Iterator[Week]:
    zone = ZoneInfo(after[0].fleet.timezone)
    for day in (today, *_seasons((before, after), today)):
        span = week_from(day, zone)
        old = _line(before, evse.id, span) if before else NOTHING
        stretches = compare(old, _line(after, evse.id, span), span, zone)
        if stretches:
            yield Week(day, stretches)


def _seasons(sides: Iterable[Side | None], today: date) -> Iterator[date]:
    """Give the days after today on which a schedule begins or ends to be valid."""
    schedules = (each.schedule for side in sides if side for each in side[1].assignments)
    days = {day for schedule in schedules for day in (schedule.valid_from, schedule.valid_to) if day and day > today}
    return islice(sorted(days), MOST_SEASONS)


def _turns(side: Side, span: Span, zone: ZoneInfo) -> Iterator[int]:
    for evse in side[1].evses:
        yield direction_changes(_line(side, evse.id, span), span, zone)


def _line(side: Side, evse_id: int, span: Span) -> Timeline:
    renderer, station = side
    evse = next((each for each in station.evses if each.id == evse_id), None)
    return renderer.timeline(station, evse, surroundings(span)) if evse else NOTHING
