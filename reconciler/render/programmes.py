"""What schedules come to for one EVSE: power over UTC, how far it may lead, what vehicles leave with.

Called by the renderer for profiles, and through it by whatever sums, draws or proves. Nothing here knows a protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from reconciler.manifests.fleet import Evse, Fleet, Station
from reconciler.profiles.timeline import Timeline
from reconciler.render.compile import evse_timeline
from reconciler.render.departures import Outcome, Span, cut, departures, settle
from reconciler.render.orders import Order, cut_orders, envelope, evse_orders, is_directed, nominal, plain_order

REMEMBERED = 20_000


class Programmes:
    """Works out what EVSEs are to do; departures are remembered, for they are asked for by every span."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.zone = ZoneInfo(fleet.timezone)
        self._outcomes: dict[object, Outcome] = {}
        self._directed: dict[int, bool] = {}

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
            if len(self._outcomes) >= REMEMBERED:
                self._outcomes.clear()
            self._outcomes[key] = known
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
        return self._line(station, evse, span)

    def _line(self, station: Station, evse: Evse, span: Span) -> Timeline:
        return evse_timeline(station.assignments, evse, self.zone, self._fleet.nominal_voltage, span)

    def _orders(self, station: Station, evse: Evse, span: Span) -> tuple[Order, ...]:
        return evse_orders(station.assignments, evse, self.zone, self._fleet.nominal_voltage, span)
