"""What a revision changes in the schedules of one kind of station over the week to come, and what that costs.

Called by `fleet_plan` once per kind. A lease covers a day or so; people who review a plan on a Monday want to see what
it changes on Sunday, and next season's schedule as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from zoneinfo import ZoneInfo

from reconciler.manifests.fleet import Station
from reconciler.plan.asked import Line, asked_by_orders
from reconciler.plan.week import DAY, NOTHING, Span, Stretch, compare, direction_changes, surroundings, week_from
from reconciler.profiles.capability import Protocol
from reconciler.profiles.timeline import Timeline
from reconciler.render.desired import Renderer

FAR = 400
"""How many days ahead schedules are compared: every season and every holiday comes in them."""
MOST_WEEKS = 20
"""How many weeks beyond the first are looked at, each from the first day of another kind on."""

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
    for evse_id in sorted({evse.id for side in (before, after) if side for evse in side[1].evses}):
        found = next(_changes(before, after, evse_id, today), None)
        if found is not None:
            weeks[evse_id] = found
    span = week_from(today, zone)
    turns = [sum(_turns(side, span, zone)) if side else 0 for side in (before, after)]
    return Outlook(weeks, turns[0], turns[1], before is None)


def _changes(before: Side | None, after: Side, evse_id: int, today: date) -> Iterator[Week]:
    zone = ZoneInfo(after[0].fleet.timezone)
    for day in chain((today,), islice(_other_days(before, after, today), MOST_WEEKS)):
        span = week_from(day, zone)
        old = _asked(before, evse_id, span) if before else NOTHING
        stretches = compare(old, _asked(after, evse_id, span), span, zone)
        if stretches:
            yield Week(day, stretches)


def _other_days(before: Side | None, after: Side, today: date) -> Iterator[date]:
    """Give the first day of each kind on which the two sides' windows are not the same."""
    seen: set[tuple[str, str]] = set()
    for number in range(1, FAR if before else 0):
        day = today + number * DAY
        pair = (_windows(before, day), _windows(after, day))
        if pair[0] != pair[1] and pair not in seen:
            seen.add(pair)
            yield day


def _windows(side: Side | None, day: date) -> str:
    assignments = side[1].assignments if side else ()
    schedules = (schedule for each in assignments for schedule in each.schedule.lineage() if schedule.is_valid(day))
    return repr(
        [([each.meaning for each in found.windows if each.holds_on(day)], found.otherwise) for found in schedules]
    )


def _turns(side: Side, span: Span, zone: ZoneInfo) -> Iterator[int]:
    for evse in side[1].evses:
        yield direction_changes(_line(side, evse.id, span), span, zone)


def _asked(side: Side, evse_id: int, span: Span) -> Timeline | Line:
    """Give what schedules ask of an EVSE, with the modes in which they do."""
    programmes, station = side[0].programmes, side[1]
    evse = next((each for each in station.evses if each.id == evse_id), None)
    if evse is None or not programmes.is_directed(station):
        return _line(side, evse_id, span)
    orders = programmes.orders(station, evse, surroundings(span))
    return asked_by_orders(orders, speaks_modes=station.declared.protocol != Protocol.V201.version)


def _line(side: Side, evse_id: int, span: Span) -> Timeline:
    renderer, station = side
    evse = next((each for each in station.evses if each.id == evse_id), None)
    return renderer.timeline(station, evse, surroundings(span)) if evse else NOTHING
