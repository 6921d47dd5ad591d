"""A plan divided for people: by topic, with equal changes put together, whatever is done with them on a screen or page.

Called by `text` and `markdown`, so that both say the same. Dividing adds nothing and leaves nothing out: by change, by
group or by station, the same changes are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from reconciler.plan.impact import Impact, impact_of, total_of
from reconciler.plan.itemise import Item, Itemiser
from reconciler.plan.outlook import Outlook
from reconciler.plan.planned import FleetPlan, StationPlan
from reconciler.reported.belief import Held


class Topic(StrEnum):
    """What a section is about, in the order in which they are told."""

    CHANGES = "changes"
    LATER = "later"
    DRIFT = "drift"
    REFUSED = "refused"
    FOREIGN = "foreign"


class Division(StrEnum):
    """What a plan is divided by before equal changes are put together."""

    CHANGE = "change"
    GROUP = "group"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Stations of which the same is told; `impact` is that of one of them, None where it can't be told."""

    items: tuple[Item, ...]
    names: tuple[str, ...]
    impact: Impact | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One topic, its clusters sorted by their first station."""

    topic: Topic
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some stations of a plan with a heading; of the whole plan it is empty."""

    heading: str
    stations: tuple[StationPlan, ...]


NO_GROUP = "in no group"


def divide(plan: FleetPlan, by: Division) -> tuple[Part, ...]:
    """Give the parts of a plan that have something to tell; together they hold every such station once."""
    told = [station for station in plan.stations if station.is_told]
    match by:
        case Division.CHANGE:
            return (Part("", tuple(told)),)
        case Division.GROUP:
            groups: dict[str, list[StationPlan]] = {}
            for station in told:
                groups.setdefault(station.group, []).append(station)
            names = sorted(groups, key=lambda name: (not name, name))
            return tuple(Part(name or NO_GROUP, tuple(groups[name])) for name in names)
        case Division.STATION:
            return tuple(Part(station.identity, (station,)) for station in told)
        case never:
            assert_never(never)


def sections(plan: FleetPlan, stations: Iterable[StationPlan], itemiser: Itemiser) -> tuple[Section, ...]:
    """Give the topics that some stations of a plan have something to tell of."""
    told = tuple(stations)
    found = ((topic, tuple(_clusters(_tell(topic, plan, told, itemiser)))) for topic in Topic)
    return tuple(Section(topic, clusters) for topic, clusters in found if clusters)


Told = tuple[tuple[Item, ...], Impact | None, str]


def _tell(topic: Topic, plan: FleetPlan, stations: tuple[StationPlan, ...], itemiser: Itemiser) -> Iterator[Told]:
    """Give what is told of each station under a topic; a station may come several times."""
    for station in stations:
        match topic:
            case Topic.CHANGES:
                yield itemiser.items(station, station.intended), _impact(plan, station, Topic.CHANGES), station.identity
            case Topic.LATER:
                yield itemiser.later(station), _impact(plan, station, Topic.LATER), station.identity
            case Topic.DRIFT:
                yield itemiser.items(station, station.repairs), None, station.identity
            case Topic.REFUSED:
                yield from (((Item("!", "", reason),), None, station.identity) for reason in _refusals(station))
            case Topic.FOREIGN:
                yield from (((Item("!", "", _stranger(each)),), None, station.identity) for each in station.foreign)
            case never:
                assert_never(never)


def _impact(plan: FleetPlan, station: StationPlan, topic: Topic) -> Impact | None:
    """Give the impact of a station's changes, unless what it did before is not known."""
    outlook = station.outlook
    if outlook is None or (outlook.is_new and plan.live):
        return None
    later = set(station.later)
    evses = later if topic is Topic.LATER else outlook.weeks.keys() - later
    return impact_of(outlook, evses, is_now=topic is Topic.CHANGES)


def total(plan: FleetPlan) -> tuple[Decimal, ...]:
    """Give by how much all that the revision changes, now and later, moves the fleet's power at the peak, in W.

    None at all where nothing moves it, and where it is not known of every station what it did before.
    """
    outlooks: list[Outlook] = []
    for station in plan.stations:
        if not (station.intended or station.later):
            continue
        if station.outlook is None or (station.outlook.is_new and plan.live):
            return ()
        outlooks.append(station.outlook)
    return total_of(outlooks)


def _clusters(told: Iterable[Told]) -> Iterator[Cluster]:
    names: dict[tuple[tuple[Item, ...], Impact | None], set[str]] = {}
    for items, impact, identity in told:
        if items:
            names.setdefault((items, impact), set()).add(identity)
    for (items, impact), identities in sorted(names.items(), key=lambda each: (min(each[1]), each[0][0])):
        yield Cluster(items, tuple(sorted(identities)), impact)


def _refusals(station: StationPlan) -> Iterator[str]:
    if station.goal_refusal:
        yield station.goal_refusal
    yield from (f"profile {each.new.id}: {each.reason}" for each in station.stuck)


def _stranger(held: Held) -> str:
    profile = held.profile
    return (
        f"profile {profile.id} of {held.source}: {profile.purpose}, EVSE {profile.evse_id}, level {profile.stack_level}"
    )
