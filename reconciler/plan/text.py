"""A plan as lines that people read: identical changes first and once, the unchanged hidden, one summary line last.

Called by the command line, which adds colour by tone. Lines are plain text of at most `COLUMNS` characters, and times
are those of the fleet's time zone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from reconciler.plan.change import Clear, Install, Replace
from reconciler.plan.impact import Impact
from reconciler.plan.itemise import Itemiser
from reconciler.plan.planned import FleetPlan, Version
from reconciler.plan.sections import NO_GROUP, Cluster, Division, Topic, divide, sections, total
from reconciler.plan.words import (
    describe_change,
    describe_instant,
    describe_names,
    describe_time,
    describe_waves,
)
from reconciler.profiles.wording import count

COLUMNS = 100
MOST_GROUPS = 60
"""How many different things one section tells; the JSON form has all."""
MOST_FINDINGS = 20
SHORT = 12


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


HEADINGS = {
    Topic.LATER: "Later: written when the leases of those days are renewed",
    Topic.DRIFT: "Drift: stations hold something else, and git did not ask for it",
    Topic.REFUSED: "Refused: not sent, for it can't be taken",
    Topic.FOREIGN: "Foreign profiles: not ours, so they stay",
}
"""What stands above the clusters of a topic; changes need no heading."""


def write_text(plan: FleetPlan, by: Division = Division.CHANGE) -> tuple[Line, ...]:
    """Give a plan's lines; the last is the summary."""
    body = list(_body(plan, by, Itemiser(plan)))
    told = [line for note in (_renewals, _offline, _departed, _assumed) for line in note(plan)]
    head = [Line(text, Tone.QUIET) for text in _wrap(_heading(plan), "", "  ")]
    quiet = [] if body or told else [Line("Nothing to change.")]
    cost = [Line(text, Tone.QUIET) for text in _wrap(_cost(plan), "", "  ")] if plan.changed else []
    errors, warnings = (tuple(_findings(plan, is_error=is_error)) for is_error in (True, False))
    notes = (*told, *warnings, *_eased(plan), *_waves(plan), *_together(plan))
    return (*head, *errors, *body, *quiet, *notes, *cost, Line(summarise(plan), Tone.HEADING))


def summarise(plan: FleetPlan) -> str:
    """Say the whole plan in one line."""
    numbers = [
        (plan.tally.get(kind, 0), word) for kind, word in ((Install, "install"), (Replace, "replace"), (Clear, "clear"))
    ]
    parts = [", ".join(f"{number} to {word}" for number, word in numbers)]
    stations = f"{len(plan.changed)} of {count(plan.size, 'station')}"
    parts.append(f"{stations} now, {len(plan.waiting)} later" if plan.waiting else stations)
    notes = (
        (sum(1 for station in plan.stations if station.drifted), "drifted"),
        (sum(1 for station in plan.stations if station.connected is False), "offline"),
        (sum(1 for station in plan.stations if station.is_refused), "refused"),
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
    against = f"what {count(plan.size, 'station')} report" if plan.live else describe_version(plan.base)
    at = describe_instant(plan.at, ZoneInfo(plan.timezone))
    return f"{describe_version(plan.head)} against {against}, at {at} {plan.timezone}"


def _findings(plan: FleetPlan, *, is_error: bool) -> Iterator[Line]:
    """Tell what the guardrails found: what refuses the plan stands before all else, what warns after the changes."""
    found = [finding for finding in plan.findings if finding.is_error is is_error]
    for finding in found[:MOST_FINDINGS]:
        text = f"{finding.severity}: {finding.place}: {finding.text} ({finding.hint}) [{finding.guardrail}]"
        yield from (Line(part, Tone.REMOVE if is_error else Tone.WARN) for part in _wrap(text, "! ", "    "))
    if len(found) > MOST_FINDINGS:
        yield Line(f"! and {len(found) - MOST_FINDINGS} more; `reconciler validate` has all of them", Tone.WARN)


def _eased(plan: FleetPlan) -> Iterator[Line]:
    """Repeat the reasons for which the fleet has eased a guardrail."""
    for waiver in plan.waivers:
        eased = f"{waiver.guardrail} ({', '.join(waiver.eased)})"
        yield from _told("Eased", f"{eased} at {waiver.place}: {waiver.reason}", Tone.WARN)


def _waves(plan: FleetPlan) -> Iterator[Line]:
    for heading, text in describe_waves(plan):
        yield from _told(heading, text, Tone.QUIET)


def _body(plan: FleetPlan, by: Division, itemiser: Itemiser) -> Iterator[Line]:
    """Tell the parts of the plan; station by station nothing is cut short, and each topic has all of its stations."""
    parts = [(part, sections(plan, part.stations, itemiser)) for part in divide(plan, by)]
    if by is Division.STATION:
        found = [section for _, each in parts for section in each]
        clusters = (
            (topic, [cluster for one in found if one.topic is topic for cluster in one.clusters]) for topic in Topic
        )
        for topic, told in clusters:
            yield from _topic(topic, told)
        return
    for part, each in parts:
        if each and by is Division.GROUP:
            yield Line(f"Group {part.heading}" if part.heading != NO_GROUP else "Stations in no group", Tone.HEADING)
        for section in each:
            yield from _topic(section.topic, section.clusters[:MOST_GROUPS])
            yield from _rest(len(section.clusters) - MOST_GROUPS)


def _topic(topic: Topic, clusters: Sequence[Cluster]) -> Iterator[Line]:
    if clusters and topic in HEADINGS:
        yield Line(HEADINGS[topic], Tone.HEADING)
    for cluster in clusters:
        yield from _cluster(cluster)


def _rest(left: int) -> Iterator[Line]:
    if left > 0:
        yield Line(f"and {count(left, 'more group')}; -o json has all of them", Tone.WARN)


def _renewals(plan: FleetPlan) -> Iterator[Line]:
    names = [station.identity for station in plan.stations if station.renewed]
    if names:
        yield from _told("Renewals", f"a longer lease for {_these(names)}", Tone.QUIET)


def _offline(plan: FleetPlan) -> Iterator[Line]:
    waiting = [station for station in plan.stations if station.connected is False]
    deferred = [station.identity for station in waiting if station.changes]
    if waiting:
        text = f"{_these(station.identity for station in waiting)}; changes wait for {len(deferred)} of them"
        yield from _told("Offline", text, Tone.WARN)


def _departed(plan: FleetPlan) -> Iterator[Line]:
    if plan.departed:
        yield from _told("Left the fleet", f"{_these(plan.departed)}: what they hold ends with its lease", Tone.WARN)


def _assumed(plan: FleetPlan) -> Iterator[Line]:
    names = [station.identity for station in plan.stations if station.assumed and (station.changes or station.later)]
    if names:
        yield from _told("Assumed", f"OCPP 2.1 for {_these(names)} without a declared protocol", Tone.QUIET)


def _together(plan: FleetPlan) -> Iterator[Line]:
    """Add up what is written now and what is written later, where both are told apart from each other."""
    if plan.changed and plan.waiting:
        numbers = f"{len(plan.changed)} change now, and {len(plan.waiting)} when their leases are renewed"
        peak = describe_total(plan)
        yield from _told("Together", f"{numbers}{f'; {peak} at the peak, now and later' if peak else ''}", Tone.HEADING)


def describe_total(plan: FleetPlan) -> str:
    """Say by how much the whole plan, now and later, moves the fleet's power at the peak; empty where it does not."""
    return " and ".join(describe_change(power) for power in total(plan))


def _cost(plan: FleetPlan) -> str:
    churn = plan.churn
    turns = str(churn.turns_after) if churn.turns_before is None else f"{churn.turns_before} -> {churn.turns_after}"
    told = f"; turns between charge and discharge on the busiest day: {turns}"
    turning = told if churn.turns_before or churn.turns_after else ""
    return f"Cost: {count(churn.writes, 'write')}{turning}; {describe_time(plan)}"


def _cluster(cluster: Cluster) -> Iterator[Line]:
    """Tell a single change on the line of its stations, and several below it."""
    names, items, effect = _these(cluster.names), cluster.items, describe_impact(cluster)
    if len(items) == 1:
        text = f"{names}: {items[0].text}{effect}"
        yield from (Line(part, TONES[items[0].symbol]) for part in _wrap(text, f"{items[0].symbol} ", "    "))
        return
    yield from (Line(part) for part in _wrap(f"{names}{effect}:", "  ", "    "))
    for item in items:
        yield from (Line(part, TONES[item.symbol]) for part in _wrap(item.text, f"    {item.symbol} ", "        "))


def describe_impact(cluster: Cluster) -> str:
    """Say what a cluster does to the power of all its stations and to the relays of each; empty for neither."""
    if cluster.impact is None:
        return ""
    turns, peak = cluster.impact.turns, describe_peak(cluster.impact, len(cluster.names))
    power = f", {peak} at the peak" if peak else ""
    each = " each" if len(cluster.names) > 1 else ""
    relays = f", {count(turns, 'direction change', '+')} a day{each}" if turns else ""
    return power + relays


def describe_peak(impact: Impact, stations: int) -> str:
    """Say by how much the power of so many stations changes where it changes most; empty where it does not."""
    powers = (each * stations for each in (impact.other_w, impact.peak_w))
    return " and ".join(describe_change(power) for power in powers if power)


def _told(heading: str, text: str, tone: Tone) -> Iterator[Line]:
    return (Line(part, tone) for part in _wrap(f"{heading}: {text}", "", "  "))


def _these(names: Iterable[str]) -> str:
    unique = set(names)
    return f"{count(len(unique), 'station')} ({describe_names(unique)})"


def _wrap(text: str, first: str, other: str) -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, initial_indent=first, subsequent_indent=other, break_on_hyphens=False, break_long_words=True
    )
