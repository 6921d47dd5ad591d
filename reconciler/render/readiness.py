"""Proof that vehicles can leave when they have to, made before a revision reaches any station.

Called by `controller.revision`. A year and more is looked at, but each kind of day only once: days on which the same
windows hold, and before which the clocks do the same, have one outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from reconciler.errors import ManifestError
from reconciler.manifests.fleet import Assignment, Evse, ReadyBy, Station
from reconciler.render.departures import counted
from reconciler.render.desired import Renderer

AHEAD = 400
"""How many days are looked at: every season and every holiday comes in them."""
DAY = timedelta(days=1)
BEFORE = (-2, -1, 0, 1)
"""The days, around that of a departure, whose windows and clocks may have a part in it."""
SHOWN = Decimal("0.1")


def check_departures(renderer: Renderer, now: datetime) -> list[ManifestError]:
    """Give an error for each kind of vehicle that would leave with less than it needs; the first such day is named."""
    alike: dict[tuple[object, ...], list[tuple[Station, Evse, ReadyBy]]] = {}
    for station in renderer.fleet.stations.values():
        ready = station.settings.ready_by
        for evse in station.evses if ready else ():
            assert ready is not None  # noqa: S101 - said in the line above
            alike.setdefault((id(station.assignments), evse, ready), []).append((station, evse, ready))
    return [error for group in alike.values() for error in _check(renderer, now, group)]


def _check(renderer: Renderer, now: datetime, alike: list[tuple[Station, Evse, ReadyBy]]) -> Iterator[ManifestError]:
    station, evse, ready = alike[0]
    for day in _kinds_of_day(renderer, station.assignments, ready, now.astimezone(renderer.programmes.zone).date()):
        counts = counted(ready, renderer.programmes.zone, day)
        outcome = renderer.programmes.departure(station, evse, counts)
        if outcome.held_wh < ready.least_wh:
            wall = outcome.at.astimezone(renderer.programmes.zone)
            others = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
            yield ManifestError(
                f"at {station.identity}{others}, EVSE {evse.id}, a vehicle leaves on {wall:%a %Y-%m-%d %H:%M} with"
                f" {_kwh(outcome.held_wh)} at worst: {_kwh(ready.least_wh - outcome.held_wh)} are missing",
                ready.place,
                field="spec.readyBy",
                rule="ready-by",
                hint=_hint(ready),
            )
            return


def _hint(ready: ReadyBy) -> str:
    if ready.trims:
        return "without any discharge it would not be enough either; charge more before it"
    return "charge more before it or discharge less; `policy: trim` gives up discharge where that is enough"


def _kinds_of_day(renderer: Renderer, assignments: Iterable[Assignment], ready: ReadyBy, today: date) -> Iterator[date]:
    schedules = tuple(schedule for each in assignments for schedule in each.schedule.lineage())
    seen: set[object] = set()
    for number in range(-1, AHEAD):
        day = today + number * DAY
        if day not in ready.days:
            continue
        around = [day + step * DAY for step in BEFORE]
        windows = tuple(
            each.is_valid(near) and tuple(window.holds_on(near) for window in each.windows)
            for each in schedules
            for near in around
        )
        midnights = (datetime(near.year, near.month, near.day, tzinfo=renderer.programmes.zone) for near in around)
        kind = (windows, tuple(midnight.utcoffset() for midnight in midnights))
        if kind not in seen:
            seen.add(kind)
            yield day


def _kwh(energy: Decimal) -> str:
    return f"{(energy / 1000).quantize(SHOWN):f} kWh"
