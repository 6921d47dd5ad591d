"""What schedules come to for one EVSE: power over UTC, how far it may lead, what vehicles leave with.

Called by the renderer for profiles, and through it by whatever sums, draws or proves. Nothing here knows a protocol.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from reconciler.manifests.fleet import Evse, Fleet, ReadyBy, Station
from reconciler.profiles.timeline import Step, Timeline
from reconciler.render.compile import evse_timeline
from reconciler.render.departures import Outcome, Span, cut, departures, settle
from reconciler.render.orders import Order, cut_orders, envelope, evse_orders, is_directed, nominal, plain_order

REMEMBERED = 20_000
T = TypeVar("T")
K = TypeVar("K")
AHEAD = timedelta(days=12)
"""How many days are compiled at once: a lease that began yesterday, the days of a proof, and some to spare."""


class Programmes:
    """Works out what EVSEs are to do; departures are remembered, for they are asked for by every span."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.zone = ZoneInfo(fleet.timezone)
        self._outcomes: dict[tuple[int, Evse, ReadyBy, Span], Outcome] = {}
        self._directed: dict[int, bool] = {}
        self._lines: dict[tuple[int, int, int], tuple[Station, Span, Timeline]] = {}

    def take_over(self, before: Programmes, alive: Collection[int]) -> None:
        """Keep what vehicles leave with where the assignments are the same objects, by their identities."""
        known = before._outcomes.copy()
        self._outcomes = {key: outcome for key, outcome in known.items() if key[0] in alive}
        lines = before._lines.copy()
        self._lines = {key: line for key, line in lines.items() if key[0] in alive and key[1] in alive}

    def orders(self, station: Station, evse: Evse, span: Span) -> tuple[Order, ...]:
        """Give the orders of an EVSE over a span, with what a departure trims left out."""
        if not self.is_directed(station):
            return tuple(plain_order(step) for step in self.timeline(station, evse, span).steps)
        return cut_orders(self._orders(station, evse, span), self._cuts(station, evse, span))

    def timeline(self, station: Station, evse: Evse, span: Span) -> Timeline:
        """Give the signed power in W that is asked of an EVSE over a span, zero where no schedule speaks."""
        if self.is_directed(station):
            return nominal(self.orders(station, evse, span))
        return cut(self._line(station, evse, span), self._cuts(station, evse, span))

    def envelope(self, station: Station, evse: Evse, span: Span) -> tuple[Timeline, Timeline]:
        """Give the least and the most that may flow, in W: the same line twice where a power says it all."""
        if self.is_directed(station):
            return envelope(self.orders(station, evse, span))
        line = self.timeline(station, evse, span)
        return line, line

    def departures(self, station: Station, evse: Evse, span: Span) -> Iterator[tuple[date, Outcome]]:
        """Give the departures of an EVSE's vehicle that a span touches, by local day, with what it leaves with."""
        ready = station.settings.ready_by
        for day, counts in departures(ready, self.zone, span) if ready else ():
            yield day, self.departure(station, evse, counts)

    def departure(self, station: Station, evse: Evse, counts: Span) -> Outcome:
        """Give what an EVSE's vehicle leaves with at the end of a span; the station must have a departure."""
        ready = station.settings.ready_by
        assert ready is not None  # noqa: S101 - the caller has looked
        key = (id(station.assignments), evse, ready, counts)
        known = self._outcomes.get(key)
        if known is None:
            known = settle(ready, self._least(station, evse, counts), counts)
            remember(self._outcomes, key, known)
        return known

    def is_directed(self, station: Station) -> bool:
        """Tell whether a station's schedules have modes."""
        return self._directed.setdefault(id(station.assignments), is_directed(station.assignments))

    def _cuts(self, station: Station, evse: Evse, span: Span) -> tuple[Span, ...]:
        ready = station.settings.ready_by
        if ready is None or not ready.trims:
            return ()
        return tuple(each for _, outcome in self.departures(station, evse, span) for each in outcome.cuts)

    def _least(self, station: Station, evse: Evse, span: Span) -> Timeline:
        if self.is_directed(station):
            return envelope(self._orders(station, evse, span))[0]
        return self._compile(station, evse, span)

    def _line(self, station: Station, evse: Evse, span: Span) -> Timeline:
        """Give a line as a part of a longer one: leases, proofs and the next revision ask for nearly the same days."""
        key = (id(station.assignments), id(station.evses), evse.id)
        known = self._lines.get(key)
        if known is None or not known[1][0] <= span[0] <= span[1] <= known[1][1]:
            begin = span[0].astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            longer = (begin, max(span[1], begin + AHEAD))
            # The station is held so that no other object can ever lie where its parts do.
            known = self._lines[key] = (station, longer, self._compile(station, evse, longer))
        return _part(known[2], span)

    def _compile(self, station: Station, evse: Evse, span: Span) -> Timeline:
        return evse_timeline(station.assignments, evse, self.zone, self._fleet.nominal_voltage, span)

    def _orders(self, station: Station, evse: Evse, span: Span) -> tuple[Order, ...]:
        return evse_orders(station.assignments, evse, self.zone, self._fleet.nominal_voltage, span)


def remember(known: dict[K, T], key: K, value: T) -> None:
    """Keep a result, and forget all when there are too many: they are only a saving."""
    if len(known) >= REMEMBERED:
        known.clear()
    known[key] = value


def _part(line: Timeline, span: Span) -> Timeline:
    """Give what a line that spans more says from a span's begin to before its end."""
    first = bisect_right(line.steps, span[0], key=_start)
    last = bisect_left(line.steps, span[1], lo=first, key=_start)
    return Timeline((Step(span[0], line.steps[first - 1].power_w), *line.steps[first:last]))


def _start(step: Step) -> datetime:
    return step.start
