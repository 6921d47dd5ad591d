"""Proof that a site's caps hold at every instant, with any subset of its stations offline (invariant 8).

Import and export are summed apart: whoever goes silent falls to zero, and so takes nothing from the other sum. What a
subset can do at most is therefore done by all together, and one sum proves them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from reconciler.manifests.fleet import Site, Station
from reconciler.plan.guardrails.finding import Fact
from reconciler.plan.guardrails.tracks import Kind, Track, Tracks, kind_of
from reconciler.plan.words import describe_instant
from reconciler.profiles.timeline import Timeline, timeline, total

ZERO = Decimal(0)


def check_sites(tracks: Tracks) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    """Give a fact for each cap that the schedules of a site exceed."""
    members: dict[str, Counter[Kind]] = {}
    alike: dict[Kind, Track] = {}
    for site, station, count in _alike(tracks.fleet.stations.values()):
        for evse in station.evses:
            members.setdefault(site, Counter())[kind_of(station, evse)] += count
            alike[kind_of(station, evse)] = tracks.of(station, evse)
    split = {kind: sums(track.lowest, track.highest) for kind, track in alike.items()}
    for name in sorted(members):
        lines = [total((split[kind][way], count) for kind, count in members[name].items()) for way in (0, 1)]
        yield from ((fact, ()) for fact in _check(tracks.fleet.sites[name], lines, tracks))


def _alike(stations: Iterable[Station]) -> Iterator[tuple[str, Station, int]]:
    """Give one station for all of a site that share what they are made of, and how many they are."""
    counts: dict[tuple[str, int, int, int], list[Station]] = {}
    for each in stations:
        if each.site is not None:
            key = (each.site, id(each.assignments), id(each.settings), id(each.evses))
            counts.setdefault(key, []).append(each)
    return ((site, same[0], len(same)) for (site, *_), same in counts.items())


def sums(lowest: Timeline, highest: Timeline) -> tuple[Timeline, Timeline]:
    """Give the most that is drawn and the most that is fed, in W as magnitudes."""
    draw = timeline((start, max(power or ZERO, ZERO)) for start, power in highest.steps)
    feed = timeline((start, max(-(power or ZERO), ZERO)) for start, power in lowest.steps)
    return draw, feed


def _check(site: Site, lines: list[Timeline], tracks: Tracks) -> Iterator[Fact]:
    zone = ZoneInfo(tracks.fleet.timezone)
    for name, cap, line in (("import", site.import_w, lines[0]), ("export", site.export_w, lines[1])):
        excess = next(((start, power) for start, power in line.steps if power is not None and power > cap), None)
        if excess is not None:
            start = describe_instant(max(excess[0], tracks.now), zone)
            message = (
                f"the schedules of site {site.name} {name} {_kilowatts(excess[1])} at {start}, "
                f"over its cap of {_kilowatts(cap)}"
            )
            yield Fact(f"site-{name}", message, site.place, f"spec.{name}")


def _kilowatts(power: Decimal) -> str:
    return f"{power / 1000:.1f} kW"
