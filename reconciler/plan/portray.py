"""Make the pictures of a plan: a site or a group as a sum over its stations, a station EVSE by EVSE.

Called by the command line, which knows the two revisions and what is reported. Stations of one kind are computed once,
so that a site of ten thousand costs as much as one of ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from reconciler.manifests.fleet import Evse, Site, Station
from reconciler.plan.change import Owned
from reconciler.plan.guardrails.tracks import Kind, kind_of
from reconciler.plan.local_day import LocalDay, local_day
from reconciler.plan.picture import Band, Cap, Panel, Picture, Role, Series, Turn
from reconciler.plan.week import Span
from reconciler.plan.words import describe_day, describe_power
from reconciler.profiles.composite import Flow, Situation, compose
from reconciler.profiles.profile import Profile
from reconciler.profiles.timeline import Power, Timeline, clip, combine, timeline, total
from reconciler.profiles.wording import count
from reconciler.render.desired import Renderer
from reconciler.reported.belief import OURS, Reported

ZERO = Decimal(0)
LOOK_BACK = timedelta(days=1)
"""How long before a day its first flow may turn the direction of."""
Extent = tuple[Timeline, Timeline]
"""The least and the most that may flow."""
MOST_PANELS = 6
"""How many EVSEs of a station have their own panel."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Stations of one revision."""

    renderer: Renderer
    stations: Sequence[Station]


@dataclass(frozen=True, slots=True)
class Found:
    """What a station is believed to hold at an instant, and which of it is the fleet's own."""

    reported: Reported
    owned: Owned
    at: datetime


def portray_sum(title: str, on: date, before: Crowd | None, after: Crowd, site: Site | None = None) -> Picture:
    """Picture what stations draw and feed together on a local day, against a site's caps.

    Both are summed apart, as the caps are proved: whoever goes silent takes nothing from the other sum. Where a mode
    steers, the most that may come of it is taken, both ways.
    """
    day = local_day(on, ZoneInfo(after.renderer.fleet.timezone))
    known = [_known(crowd, day) if crowd else [] for crowd in (before, after)]
    old, new = _sums(known[0], day) if before else (), _sums(known[1], day)
    series = [Series(Role.BEFORE, "before", line) for line in old] + [Series(Role.AFTER, "after", each) for each in new]
    panel = Panel(tuple(series), tuple(_caps(site)), tuple(_turns(after, day)))
    # Draw and feed of a mode are never there at once, so their changes have no sum.
    change = tuple(_worst((*known[0], *known[1]))) or _peak(old, new, day)
    notes = (count(len(after.stations), "station"), *change)
    return Picture(title, (*_about(day), *notes), day, (panel,))


def portray_station(
    on: date, before: tuple[Renderer, Station] | None, after: tuple[Renderer, Station], found: Found | None = None
) -> Picture:
    """Picture a station's EVSEs on a local day: what its schedules ask for, and what it holds where that is known."""
    renderer, station = after
    day = local_day(on, ZoneInfo(renderer.fleet.timezone))
    panels = []
    for evse in station.evses[:MOST_PANELS]:
        old = _alike(before[1], evse) if before else None
        series = [Series(Role.BEFORE, "before", _line(before[0], before[1], old, day))] if before and old else []
        series.append(Series(Role.AFTER, "desired" if found else "after", _line(renderer, station, evse, day)))
        series += _held(found, evse, renderer.fleet.nominal_voltage, day) if found else ()
        turns = tuple(_turns(Crowd(renderer, (station,)), day, evse.id))
        title = f"EVSE {evse.id}" if len(station.evses) > 1 else ""
        bands = tuple(_bands(renderer, station, evse, day))
        panels.append(Panel(tuple(series), tuple(_ratings(evse)), turns, title, bands))
    left = len(station.evses) - len(panels)
    notes = (f"{count(left, 'more EVSE')} not shown",) if left else ()
    return Picture(f"Station {station.identity}", (*_about(day), *notes), day, tuple(panels))


def _about(day: LocalDay) -> Iterator[str]:
    yield describe_day(day.date)
    yield day.zone
    if day.hours != 24:
        yield f"a day of {day.hours:g} hours"


def _alike(station: Station, evse: Evse) -> Evse | None:
    return next((each for each in station.evses if each.id == evse.id), None)


def _line(renderer: Renderer, station: Station, evse: Evse, day: LocalDay) -> Timeline:
    return clip(renderer.timeline(station, evse, (day.start, day.end)), day.start, day.end)


def _envelope(renderer: Renderer, station: Station, evse: Evse, day: LocalDay) -> Extent:
    lowest, highest = renderer.envelope(station, evse, (day.start, day.end))
    return clip(lowest, day.start, day.end), clip(highest, day.start, day.end)


def _bands(renderer: Renderer, station: Station, evse: Evse, day: LocalDay) -> Iterator[Band]:
    """Give how far an EVSE's power may lead, for the times at which that is not the line itself."""
    lowest, highest = _envelope(renderer, station, evse, day)
    if lowest != highest:
        steered = [combine((lowest, highest), _differing(number)) for number in range(2)]
        yield Band("may come of a mode", *steered)


def _differing(number: int) -> Callable[[tuple[Power, ...]], Power]:
    return lambda powers: None if powers[0] == powers[1] else powers[number]


def _known(crowd: Crowd, day: LocalDay) -> list[tuple[Extent, int]]:
    """Give how far each kind of EVSE may lead, and how many there are."""
    return [(_envelope(crowd.renderer, station, evse, day), number) for station, evse, number in _kinds(crowd)]


def _worst(extents: Iterable[tuple[Extent, int]]) -> Iterator[str]:
    """Say that a sum has more in it than what is asked for, where it does."""
    if any(lowest != highest for (lowest, highest), _ in extents):
        yield "modes at their most"


def _sums(extents: Sequence[tuple[Extent, int]], day: LocalDay) -> tuple[Timeline, Timeline]:
    draw = total((_part(highest, 1), number) for (_, highest), number in extents)
    feed = total((_part(lowest, -1), number) for (lowest, _), number in extents)
    return _whole(draw, day), _whole(feed, day)


def _whole(line: Timeline, day: LocalDay) -> Timeline:
    """Let a sum speak from the first to the last minute of a day, zero where nobody is there to be summed."""
    return clip(combine((line, timeline([(day.start, ZERO)])), lambda powers: powers[0] or ZERO), day.start, day.end)


def _part(line: Timeline, sign: int) -> Timeline:
    return combine((line,), lambda powers: powers[0] if (powers[0] or ZERO) * sign > 0 else ZERO)


def _kinds(crowd: Crowd) -> Iterator[tuple[Station, Evse, int]]:
    """Give one station and EVSE of each kind, and how many there are."""
    counts: Counter[Kind] = Counter()
    example: dict[Kind, Station] = {}
    for station in crowd.stations:
        for evse in station.evses:
            kind = kind_of(station, evse)
            counts[kind] += 1
            example.setdefault(kind, station)
    return ((example[kind], kind[2], number) for kind, number in counts.items())


def _caps(site: Site | None) -> Iterator[Cap]:
    if site:
        yield Cap(f"import cap {describe_power(site.import_w)}", site.import_w)
        yield Cap(f"export cap {describe_power(site.export_w)}", -site.export_w)


def _ratings(evse: Evse) -> Iterator[Cap]:
    yield Cap(f"charge rating {describe_power(evse.charge_w)}", evse.charge_w)
    if evse.discharge_w:
        yield Cap(f"discharge rating {describe_power(evse.discharge_w)}", -evse.discharge_w)


def _turns(crowd: Crowd, day: LocalDay, only: int | None = None) -> Iterator[Turn]:
    """Give the turns of direction of a day, those of many EVSEs at one instant together."""
    counts: Counter[tuple[datetime, int]] = Counter()
    for station, evse, number in _kinds(crowd):
        if only in (None, evse.id):
            line = crowd.renderer.timeline(station, evse, (day.start - LOOK_BACK, day.end))
            for key in _reversals(line, day):
                counts[key] += number
    return (Turn(at, sign, number) for (at, sign), number in sorted(counts.items()))


def _reversals(line: Timeline, day: LocalDay) -> Iterator[tuple[datetime, int]]:
    held = 0
    for start, power in line.steps:
        sign = (power > 0) - (power < 0) if power else 0
        if sign and held and sign != held and start >= day.start:
            yield start, sign
        held = sign or held


def _peak(before: tuple[Timeline, ...], after: tuple[Timeline, ...], day: LocalDay) -> Iterator[str]:
    """Say by how much the sum changes where it changes most."""
    if before:
        change = combine((*before, *after), _difference)
        most = max(change.steps, key=lambda step: abs(step.power_w or ZERO), default=None)
        if most and most.power_w:
            clock = most.start.astimezone(ZoneInfo(day.zone))
            yield f"{describe_power(most.power_w)} at the peak, {clock:%H:%M}"


def _difference(powers: tuple[Power, ...]) -> Power:
    signed = [power or ZERO for power in powers]
    return sum(signed[2:], ZERO) - sum(signed[:2], ZERO)


def _held(found: Found, evse: Evse, voltage: Decimal, day: LocalDay) -> Iterator[Series]:
    """Give what the fleet's own profiles command from then on, and what all profiles of the station do together."""
    held = found.reported.held
    ours = [each.profile for number, each in held.items() if number in found.owned and each.source == OURS]
    start = max(day.start, found.at)
    if start < day.end and found.reported.ever_known:
        if ours:
            yield Series(Role.REPORTED, "reported", _commanded(ours, evse, voltage, (start, day.end)))
        everything = [each.profile for each in held.values()]
        yield Series(Role.COMPOSITE, "composite", _commanded(everything, evse, voltage, (start, day.end)))


def _commanded(profiles: Sequence[Profile], evse: Evse, voltage: Decimal, span: Span) -> Timeline:
    situation = Situation(watts_per_ampere=voltage * (evse.phases or 3), voltage=voltage)
    spans = compose(profiles, evse.id, *span, situation)
    return clip(timeline((each.start, _power(each.flow, evse)) for each in spans), *span)


def _power(flow: Flow, evse: Evse) -> Decimal:
    """Give the most that an EVSE does under a command: without any limit it is what the hardware carries."""
    signed = flow.limit_w if flow.setpoint_w is None else flow.setpoint_w
    return evse.charge_w if signed is None else min(max(signed, -evse.discharge_w), evse.charge_w)
