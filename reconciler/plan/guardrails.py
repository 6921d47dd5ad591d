"""Proofs that a revision keeps its sites' caps, made before anything is sent (invariant 8).

Called for a revision as a whole. Import and export are summed apart, so that the proof holds for every subset of
stations that is offline: whoever goes silent falls to zero, and takes nothing from the other sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.errors import ManifestError
from reconciler.manifests.fleet import Evse, Site, Station
from reconciler.profiles.timeline import Timeline, bound, combine, total
from reconciler.render.desired import Renderer

HORIZON = timedelta(days=8)
"""Every weekday, and one more for windows over midnight."""
ZERO = Decimal(0)


def check_sites(renderer: Renderer, now: datetime) -> tuple[ManifestError, ...]:
    """Give an error for each cap that the schedules of a site exceed within eight days from `now`."""
    span = (now, now + HORIZON)
    fleet = renderer.fleet
    members: dict[str, list[Station]] = {}
    for station in fleet.stations.values():
        if station.site is not None:
            members.setdefault(station.site, []).append(station)
    found = (_check(fleet.sites[name], site_lines(renderer, members[name], span), now) for name in sorted(members))
    return tuple(error for errors in found for error in errors)


def site_lines(
    renderer: Renderer, stations: list[Station], span: tuple[datetime, datetime]
) -> tuple[Timeline, Timeline]:
    """Give the most that stations may draw and feed back together over a span, in W as magnitudes."""
    kinds: Counter[tuple[int, Evse]] = Counter()
    example: dict[tuple[int, Evse], Station] = {}
    for station in stations:
        for evse in station.evses:
            key = (id(station.assignments), evse)
            kinds[key] += 1
            example[key] = station
    lines = [(renderer.timeline(example[key], key[1], span), count) for key, count in kinds.items()]
    most = max((line.at(start) or ZERO for line, _ in lines for start in line.starts()), default=ZERO)
    least = min((line.at(start) or ZERO for line, _ in lines for start in line.starts()), default=ZERO)
    draw = total((bound(line, ZERO, max(most, ZERO)), count) for line, count in lines)
    feed = total((_negated(bound(line, min(least, ZERO), ZERO)), count) for line, count in lines)
    return draw, feed


def _negated(line: Timeline) -> Timeline:
    return combine((line,), lambda powers: None if powers[0] is None else -powers[0])


def _check(site: Site, lines: tuple[Timeline, Timeline], now: datetime) -> Iterator[ManifestError]:
    for name, cap, line in (("import", site.import_w, lines[0]), ("export", site.export_w, lines[1])):
        excess = next(((start, power) for start, power in line.steps if power is not None and power > cap), None)
        if excess is not None:
            start = max(excess[0], now)
            yield ManifestError(
                f"the schedules of site {site.name} {name} {_kilowatts(excess[1])} at {start:%Y-%m-%d %H:%M} UTC, "
                f"over its cap of {_kilowatts(cap)}",
                site.place,
                field=f"spec.{name}",
                rule=f"site-{name}",
                hint="lower a schedule of its groups, or raise the cap if the grid connection allows it",
            )


def _kilowatts(power: Decimal) -> str:
    return f"{power / 1000:.1f} kW"
