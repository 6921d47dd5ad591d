"""Proof that vehicles can leave when they have to, made before a revision reaches any station.

Called by `controller.revision`. A year and more is looked at, but each kind of day only once: days on which the same
windows hold, and before which the clocks do the same, have one outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from reconciler.errors import ManifestError
from reconciler.manifests.fleet import Assignment, Evse, ReadyBy, Station, Window
from reconciler.render.departures import counted
from reconciler.render.desired import Renderer

AHEAD = 400
"""How many days are looked at: every season and every holiday comes in them."""
DAY = timedelta(days=1)
SHOWN = Decimal("0.1")


def check_departures(renderer: Renderer, now: datetime) -> list[ManifestError]:
    """Give an error for each kind of vehicle that would leave with less than it needs; the first such day is named."""
    alike: dict[tuple[object, ...], list[tuple[Station, Evse, ReadyBy]]] = {}
    for station in renderer.fleet.stations.values():
        ready = station.settings.ready_by
        for evse in station.evses if ready else ():
            assert ready is not None  # noqa: S101 - said in the line above
            alike.setdefault((id(station.assignments), evse, ready), []).append((station, evse, ready))
    almanac = _Almanac()
    return [error for group in alike.values() for error in _check(renderer, now, group, almanac)]


def _check(
    renderer: Renderer, now: datetime, alike: list[tuple[Station, Evse, ReadyBy]], almanac: _Almanac
) -> Iterator[ManifestError]:
    station, evse, ready = alike[0]
    for day in _kinds_of_day(
        renderer, station.assignments, ready, now.astimezone(renderer.programmes.zone).date(), almanac
    ):
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


class _Almanac:
    """Tells on which days windows hold, once per pattern: schedules share them."""

    def __init__(self) -> None:
        self._held: dict[object, dict[date, bool]] = {}

    def holds(self, window: Window, day: date) -> bool:
        if window.pattern is None:
            return day.weekday() in window.days
        known = self._held.setdefault(id(window.pattern), {})
        if day not in known:
            known[day] = window.holds_on(day)
        return known[day]


def _kinds_of_day(
    renderer: Renderer, assignments: Iterable[Assignment], ready: ReadyBy, today: date, almanac: _Almanac
) -> Iterator[date]:
    schedules = tuple(schedule for each in assignments for schedule in each.schedule.lineage())
    zone, seen = renderer.programmes.zone, set[object]()
    for number in range(-1, AHEAD):
        day = today + number * DAY
        if day not in ready.days:
            continue
        windows = tuple(
            each.is_valid(near) and tuple(almanac.holds(window, near) for window in each.windows)
            for each in schedules
            for near in (day - 2 * DAY, day - DAY, day)
        )
        around = (day - DAY, day, day + DAY)
        offsets = [datetime(near.year, near.month, near.day, tzinfo=zone).utcoffset() for near in around]
        kind = (windows, offsets[0] == offsets[1] or offsets[1], offsets[1] == offsets[2] or offsets[2])
        if kind not in seen:
            seen.add(kind)
            yield day


def _kwh(energy: Decimal) -> str:
    return f"{(energy / 1000).quantize(SHOWN):f} kWh"
