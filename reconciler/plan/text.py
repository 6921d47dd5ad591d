"""A plan as lines that people read: identical changes first and once, the unchanged hidden, one summary line last.

Called by the command line, which adds colour by tone. Lines are plain text of at most `COLUMNS` characters, and times
are those of the fleet's time zone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from reconciler.plan.change import Change, Clear, Install, Replace
from reconciler.plan.fleet_plan import FleetPlan, StationPlan, Version
from reconciler.plan.itemise import Item, Itemiser
from reconciler.plan.words import count, describe_instant, describe_names
from reconciler.reported.belief import Held

COLUMNS = 100
MOST_GROUPS = 60
"""How many different things one section tells; the JSON form has all."""
SHORT = 12
K = TypeVar("K", bound=Hashable)


class Tone(StrEnum):
    """What kind of line it is, for whoever shows it in colour."""

    PLAIN = "plain"
    HEADING = "heading"
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    WARN = "warn"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text and its tone."""

    text: str
    tone: Tone = Tone.PLAIN


TONES = {"+": Tone.ADD, "~": Tone.CHANGE, "-": Tone.REMOVE, "!": Tone.WARN}


def write_text(plan: FleetPlan) -> tuple[Line, ...]:
    """Give a plan's lines; the last is the summary."""
    itemiser = Itemiser(plan)
    sections = (_changes, _later, _drift, _renewals, _refused, _foreign, _offline, _departed, _assumed)
    body = [line for section in sections for line in section(plan, itemiser)]
    head = [Line(text, Tone.QUIET) for text in _wrap(_heading(plan), "", "  ")]
    quiet = [] if body else [Line("Nothing to change.")]
    cost = [Line(_cost(plan), Tone.QUIET)] if plan.changed else []
    return (*head, *body, *quiet, *cost, Line(summarise(plan), Tone.HEADING))


def summarise(plan: FleetPlan) -> str:
    """Say the whole plan in one line."""
    numbers = [
        (plan.tally.get(kind, 0), word) for kind, word in ((Install, "install"), (Replace, "replace"), (Clear, "clear"))
    ]
    parts = [", ".join(f"{number} to {word}" for number, word in numbers)]
    parts.append(f"{len(plan.changed)} of {count(len(plan.stations), 'station')}")
    notes = (
        (sum(1 for station in plan.stations if station.later), "later"),
        (sum(1 for station in plan.stations if station.drifted), "drifted"),
        (sum(1 for station in plan.stations if station.connected is False), "offline"),
        (sum(1 for station in plan.stations if station.goal_refusal or station.stuck), "refused"),
    )
    parts += [f"{number} {word}" for number, word in notes if number]
    return f"Plan: {'; '.join(parts)}; digest {plan.digest[:SHORT]}"


def describe_version(version: Version | None) -> str:
    """Say which revision it is: its short commit and subject."""
    if version is None:
        return "nothing"
    if not version.commit:
        return version.subject
    return f'{version.commit[:SHORT]} "{textwrap.shorten(version.subject, 40, placeholder="...")}"'


def _heading(plan: FleetPlan) -> str:
    against = f"what {count(len(plan.stations), 'station')} report" if plan.live else describe_version(plan.base)
    at = describe_instant(plan.at, ZoneInfo(plan.timezone))
    return f"{describe_version(plan.head)} against {against}, at {at} {plan.timezone}"


def _changes(plan: FleetPlan, itemiser: Itemiser) -> Iterator[Line]:
    yield from _itemised(plan.changed, lambda each: each.intended, itemiser)


def _drift(plan: FleetPlan, itemiser: Itemiser) -> Iterator[Line]:
    drifted = [station for station in plan.stations if station.drifted]
    if drifted:
        yield Line("Drift: stations hold something else, and git did not ask for it", Tone.HEADING)
        yield from _itemised(drifted, _repairs, itemiser)


def _repairs(station: StationPlan) -> tuple[Change, ...]:
    return tuple(
        each for each in station.changes if (each.old if isinstance(each, Clear) else each.new).id in station.drifted
    )


def _itemised(
    stations: Iterable[StationPlan], select: Callable[[StationPlan], tuple[Change, ...]], itemiser: Itemiser
) -> Iterator[Line]:
    items = ((itemiser.items(station, select(station)), station.identity) for station in stations)
    yield from _grouped((key, identity) for key, identity in items if key)


def _later(plan: FleetPlan, itemiser: Itemiser) -> Iterator[Line]:
    found = [(itemiser.later(station), station.identity) for station in plan.stations if station.later]
    if found:
        yield Line("Later: written when the leases of those days are renewed", Tone.HEADING)
        yield from _grouped(found)


def _renewals(plan: FleetPlan, _: Itemiser) -> Iterator[Line]:
    names = [station.identity for station in plan.stations if station.renewed]
    if names:
        yield from _told("Renewals", f"a longer lease for {_these(names)}", Tone.QUIET)


def _refused(plan: FleetPlan, _: Itemiser) -> Iterator[Line]:
    found: list[tuple[str, str]] = []
    for station in plan.stations:
        reasons = [station.goal_refusal, *(f"profile {each.new.id}: {each.reason}" for each in station.stuck)]
        found += [(reason, station.identity) for reason in reasons if reason]
    if found:
        yield Line("Refused: not sent, for it can't be taken", Tone.HEADING)
        yield from _grouped(((Item("!", "", reason),), identity) for reason, identity in found)


def _foreign(plan: FleetPlan, _: Itemiser) -> Iterator[Line]:
    found = [(_stranger(held), station.identity) for station in plan.stations for held in station.foreign]
    if found:
        yield Line("Foreign profiles: not ours, so they stay", Tone.HEADING)
        yield from _grouped(((Item("!", "", text),), identity) for text, identity in found)


def _stranger(held: Held) -> str:
    profile = held.profile
    return (
        f"profile {profile.id} of {held.source}: {profile.purpose}, EVSE {profile.evse_id}, level {profile.stack_level}"
    )


def _offline(plan: FleetPlan, _: Itemiser) -> Iterator[Line]:
    waiting = [station for station in plan.stations if station.connected is False]
    deferred = [station.identity for station in waiting if station.changes]
    if waiting:
        text = f"{_these(station.identity for station in waiting)}; changes wait for {len(deferred)} of them"
        yield from _told("Offline", text, Tone.WARN)


def _departed(plan: FleetPlan, _: Itemiser) -> Iterator[Line]:
    if plan.departed:
        yield from _told("Left the fleet", f"{_these(plan.departed)}: what they hold ends with its lease", Tone.WARN)


def _assumed(plan: FleetPlan, _: Itemiser) -> Iterator[Line]:
    names = [station.identity for station in plan.stations if station.assumed and (station.changes or station.later)]
    if names:
        yield from _told("Assumed", f"OCPP 2.1 for {_these(names)} without a declared protocol", Tone.QUIET)


def _cost(plan: FleetPlan) -> str:
    churn = plan.churn
    turns = str(churn.turns_after) if churn.turns_before is None else f"{churn.turns_before} -> {churn.turns_after}"
    told = f"; turns between charge and discharge on the busiest day: {turns}"
    return f"Cost: {count(churn.writes, 'write')}{told if churn.turns_before or churn.turns_after else ''}"


def _grouped(found: Iterable[tuple[tuple[Item, ...], str]]) -> Iterator[Line]:
    groups: dict[tuple[Item, ...], list[str]] = {}
    for key, identity in found:
        groups.setdefault(key, []).append(identity)
    ordered = sorted(groups.items(), key=lambda each: (min(each[1]), each[0]))
    for items, names in ordered[:MOST_GROUPS]:
        yield from _group(items, names)
    if len(ordered) > MOST_GROUPS:
        yield Line(f"and {count(len(ordered) - MOST_GROUPS, 'more group')}; -o json has all of them", Tone.WARN)


def _group(items: tuple[Item, ...], names: list[str]) -> Iterator[Line]:
    """Tell a single change on the line of its stations, and several below it."""
    if len(items) == 1:
        text = f"{_these(names)}: {items[0].text}"
        yield from (Line(part, TONES[items[0].symbol]) for part in _wrap(text, f"{items[0].symbol} ", "    "))
        return
    yield from (Line(part) for part in _wrap(f"{_these(names)}:", "  ", "    "))
    for item in items:
        yield from (Line(part, TONES[item.symbol]) for part in _wrap(item.text, f"    {item.symbol} ", "        "))


def _told(heading: str, text: str, tone: Tone) -> Iterator[Line]:
    return (Line(part, tone) for part in _wrap(f"{heading}: {text}", "", "  "))


def _these(names: Iterable[str]) -> str:
    unique = set(names)
    return f"{count(len(unique), 'station')} ({describe_names(unique)})"


def _wrap(text: str, first: str, other: str) -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, initial_indent=first, subsequent_indent=other, break_on_hyphens=False, break_long_words=True
    )
