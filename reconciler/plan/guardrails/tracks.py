"""What every EVSE is to do over the coming eight days, computed once for all that are alike.

Used by the checks of this room. Eight days hold every weekday, and one more for windows over midnight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reconciler.errors import Place
from reconciler.manifests.fleet import Evse, Station
from reconciler.profiles.timeline import Timeline
from reconciler.render.compile import spoken_at
from reconciler.render.desired import Renderer

HORIZON = timedelta(days=8)
Kind = tuple[int, int, Evse]


@dataclass(frozen=True, slots=True)
class Track:
    """The line of one kind of EVSE, in W; `station` stands for all that have such an EVSE, `stations` by their keys.

    What flows lies from `lowest` to `highest`; both are the line itself where the schedule alone steers.
    """

    station: Station
    evse: Evse
    line: Timeline
    stations: tuple[str, ...]
    lowest: Timeline
    highest: Timeline


class Tracks:
    """Gives the tracks of a revision from `now` on."""

    def __init__(self, renderer: Renderer, now: datetime) -> None:
        self.fleet = renderer.fleet
        self.now = now
        self.zone = ZoneInfo(renderer.fleet.timezone)
        self.alike = alike(renderer.fleet.stations.values())
        self._tracks = _tracks(renderer, (now, now + HORIZON), self.alike)

    def __iter__(self) -> Iterator[Track]:
        """Give one track for each kind of EVSE."""
        return iter(self._tracks.values())

    def of(self, station: Station, evse: Evse) -> Track:
        """Give the track of an EVSE."""
        return self._tracks[kind_of(station, evse)]

    def place(self, track: Track, at: datetime) -> Place:
        """Give where that is written which speaks for a track at an instant; else its first schedule."""
        wall = at.astimezone(self.zone)
        spoken = (spoken_at(assignment.schedule, wall) for assignment in track.station.assignments)
        first = next((each.place for each in spoken if each is not None), None)
        return first or next((each.schedule.place for each in track.station.assignments), track.station.place)


def alike(stations: Iterable[Station]) -> tuple[tuple[Station, ...], ...]:
    """Give the stations of each kind, made of the very same objects: they differ in names, labels, models and sites."""
    found: dict[tuple[int, int, int, int], list[Station]] = {}
    for each in stations:
        found.setdefault((id(each.assignments), id(each.settings), id(each.evses), id(each.declared)), []).append(each)
    return tuple(map(tuple, found.values()))


def kind_of(station: Station, evse: Evse) -> Kind:
    """Give what two EVSEs have in common that are to do the same."""
    return (id(station.assignments), id(station.settings), evse)


def has_flow(renderer: Renderer, now: datetime) -> bool:
    """Tell whether any EVSE has any flow within the horizon; stops at the first."""
    examples = {
        kind_of(group[0], evse): (group[0], evse)
        for group in alike(renderer.fleet.stations.values())
        for evse in group[0].evses
    }
    pairs = (renderer.envelope(*example, (now, now + HORIZON)) for example in examples.values())
    return any(step.power_w for pair in pairs for line in pair for step in line.steps)


def _tracks(
    renderer: Renderer, span: tuple[datetime, datetime], alike: Iterable[tuple[Station, ...]]
) -> dict[Kind, Track]:
    named: dict[Kind, list[str]] = {}
    example: dict[Kind, tuple[Station, Evse]] = {}
    for group in alike:
        for evse in group[0].evses:
            kind = kind_of(group[0], evse)
            named.setdefault(kind, []).extend(station.identity for station in group)
            example.setdefault(kind, (group[0], evse))
    return {kind: _track(renderer, *example[kind], span, tuple(named[kind])) for kind in example}


def _track(
    renderer: Renderer, station: Station, evse: Evse, span: tuple[datetime, datetime], stations: tuple[str, ...]
) -> Track:
    lowest, highest = renderer.envelope(station, evse, span)
    line = lowest if lowest is highest else renderer.timeline(station, evse, span)
    return Track(station, evse, line, stations, lowest, highest)
