"""A plan as a comment on a pull request: what it does at a glance, details folded, never longer than a comment may be.

Called by the command line. The first line is a marker that nobody sees, by which one comment is updated in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconciler.plan.change import Clear, Install, Replace
from reconciler.plan.guardrails.finding import Finding
from reconciler.plan.itemise import Item, Itemiser
from reconciler.plan.page import Page, code, escape, marker, picture
from reconciler.plan.planned import FleetPlan, Version
from reconciler.plan.sections import Cluster, Division, Section, Topic, divide, sections
from reconciler.plan.text import SHORT, describe_peak, describe_total
from reconciler.plan.words import (
    describe_duration,
    describe_instant,
    describe_names,
    describe_time,
    describe_waves,
)
from reconciler.profiles.wording import count

LIMIT = 60_000
"""Characters; GitHub takes 65,536 in a comment."""
MOST_PICTURES = 4
TITLES = {
    Topic.CHANGES: "Changes",
    Topic.LATER: "Later, when the leases of those days are renewed",
    Topic.DRIFT: "Drift: git did not ask for it",
    Topic.REFUSED: "Refused, so not sent",
    Topic.FOREIGN: "Foreign profiles, which stay",
}


class Link(NamedTuple):
    """A picture that was drawn elsewhere: what it shows, and its path or URL."""

    title: str
    url: str


def write_markdown(plan: FleetPlan, pictures: Sequence[Link] = ()) -> str:
    """Write a plan; the same plan gives the same page."""
    page = Page(LIMIT)
    page.add(marker(plan.fleet))
    page.add(_headline(plan))
    page.add(_facts(plan))
    errors = [finding for finding in plan.findings if finding.is_error]
    page.add_lines("**What guardrails refuse:**\n", [_finding(each) for each in errors], share=0.3)
    page.add_lines(_TABLE_HEAD, tuple(_rows(plan)), share=0.4)
    for link in pictures[:MOST_PICTURES]:
        page.add(picture(link.title, link.url))
    _add_details(page, plan, pictures[MOST_PICTURES:])
    return str(page)


_TABLE_HEAD = """| group | stations | change | at the peak | direction changes a day |
|---|--:|---|--:|--:|"""


def _headline(plan: FleetPlan) -> str:
    changed = len(plan.changed)
    waiting = len(plan.waiting)
    if changed:
        done = f"{changed} of {count(plan.size, 'station')} change"
        done += f" now, {waiting} later (with their next lease)" if waiting else ""
    elif waiting:
        done = f"{waiting} of {count(plan.size, 'station')} change, on later days only"
    else:
        done = "nothing to change"
    refused = sum(1 for station in plan.stations if station.is_refused)
    stuck = f", {refused} refused" if refused else ""
    stop = "refused by guardrails: " if any(finding.is_error for finding in plan.findings) else ""
    return f"### Plan for {code(plan.fleet)}: {stop}{done}{stuck}"


def _facts(plan: FleetPlan) -> str:
    """Say numbers, cost, and what was compared with what."""
    kinds = ((Install, "install"), (Replace, "replace"), (Clear, "clear"))
    numbers = ", ".join(f"{plan.tally.get(kind, 0)} to {word}" for kind, word in kinds)
    churn = plan.churn
    turns = (
        "" if churn.turns_before is None else f", direction changes {churn.turns_before} -> {churn.turns_after} a day"
    )
    peak = describe_total(plan)
    power = f"{peak} at the peak of all together, " if peak else ""
    cost = f"{power}{count(churn.writes, 'write')}{turns}, {describe_time(plan)}"
    lines = (
        f"**{numbers}** ({escape(cost)}); digest <code>{plan.digest[:SHORT]}</code>",
        f"{describe_revision(plan.head)} against "
        f"{describe_revision(plan.base) if plan.base else 'nothing: all is new'}.",
        escape(_live(plan)),
    )
    return "<br>\n".join(lines)


def describe_revision(version: Version) -> str:
    """Say which revision it is, as Markdown: its short commit and its subject."""
    if not version.commit:
        return f"{code(version.subject)}"
    return f"commit {code(version.commit[:SHORT])} {code(version.subject)}"


def _live(plan: FleetPlan) -> str:
    """Say how old the knowledge of stations is, or that there is none."""
    zone = ZoneInfo(plan.timezone)
    at = f"at {describe_instant(plan.at, zone)} {plan.timezone}"
    if not plan.live:
        return f"Planned {at} from git alone: stations are taken to hold the base."
    if plan.state_at is None:
        return f"Planned {at} against what stations report; how old that is was not said."
    age = describe_duration(max(plan.at - plan.state_at, plan.at - plan.at))
    return f"Planned {at} against what stations reported at {describe_instant(plan.state_at, zone)}, {age} before."


def _rows(plan: FleetPlan) -> Iterator[str]:
    """Give one row for each group and for each of its different changes; what comes later joins its like of now."""
    itemiser = Itemiser(plan)
    for part in divide(plan, Division.GROUP):
        by_topic = {section.topic: section.clusters for section in sections(plan, part.stations, itemiser)}
        later = {_change(cluster): cluster for cluster in by_topic.get(Topic.LATER, ())}
        for cluster in by_topic.get(Topic.CHANGES, ()):
            yield _row(part.heading, cluster, later.pop(_change(cluster), None))
        yield from (_row(part.heading, cluster, cluster) for cluster in later.values())


def _change(cluster: Cluster) -> tuple[object, ...]:
    """Give what makes two rows one: the words, and the power of one station."""
    impact = cluster.impact
    return (*(item.text for item in cluster.items), impact and (impact.peak_w, impact.other_w))


def _row(group: str, cluster: Cluster, later: Cluster | None) -> str:
    """Write the row of a cluster; `later` has the stations that follow it, which are all where it is the same one."""
    whole, told = cluster, f"{len(cluster.names)}"
    if later is cluster:
        told += ", later"
    elif later:
        whole = replace(cluster, names=(*cluster.names, *later.names))
        told = f"{len(whole.names)}, {len(later.names)} of them later"
    peak, turns = _impact(whole)
    words = "<br>".join(escape(item.text) for item in cluster.items)
    return f"| {code(group)} | {told} | {words} | {peak} | {f'{turns:+}' if turns else ''} |"


def _impact(cluster: Cluster) -> tuple[str, int]:
    if cluster.impact is None:
        return "", 0
    return describe_peak(cluster.impact, len(cluster.names)), cluster.impact.turns * len(cluster.names)


def _add_details(page: Page, plan: FleetPlan, pictures: Sequence[Link]) -> None:
    itemiser = Itemiser(plan)
    (whole,) = divide(plan, Division.CHANGE)
    for section in sections(plan, whole.stations, itemiser):
        page.fold(f"{TITLES[section.topic]} ({_stations(section)})", tuple(_clusters(section)))
    for title, names in _notes(plan):
        page.fold(f"{title} ({count(len(names), 'station')})", (code(describe_names(names)),) if names else ())
    warnings = [_finding(each) for each in plan.findings if not each.is_error]
    page.fold(f"{count(len(warnings), 'warning')} of guardrails", warnings)
    page.fold("Guardrails that this fleet has eased", tuple(_eased(plan)))
    waves = [f"- {heading}: {code(text)}" for heading, text in describe_waves(plan)]
    page.fold(f"How it goes out: {count(len(plan.course.waves), 'wave')}" if plan.course else "", waves)
    page.fold("More pictures", [f"{picture(*link)}\n" for link in pictures])


def _stations(section: Section) -> str:
    return count(len({name for cluster in section.clusters for name in cluster.names}), "station")


def _clusters(section: Section) -> Iterator[str]:
    for cluster in section.clusters:
        peak, turns = _impact(cluster)
        told = [peak and f"{peak} at the peak", turns and f"{count(turns, 'direction change', '+')} a day"]
        effect = "".join(f", {escape(each)}" for each in told if each)
        lines = "".join(f"\n  - {_item(section.topic, item)}" for item in cluster.items)
        yield f"- {count(len(cluster.names), 'station')} {code(describe_names(cluster.names))}{effect}{lines}"


def _item(topic: Topic, item: Item) -> str:
    """Say an item; what stations say of themselves is foreign text."""
    if topic in (Topic.REFUSED, Topic.FOREIGN):
        return code(item.text)
    word = {"+": "install", "~": "replace", "-": "clear"}[item.symbol]
    return f"{word} {escape(item.text)}"


def _notes(plan: FleetPlan) -> Iterator[tuple[str, tuple[str, ...]]]:
    stations = plan.stations
    yield (
        "Offline: changes wait until they are back",
        tuple(each.identity for each in stations if each.connected is False),
    )
    yield "A longer lease and nothing else", tuple(each.identity for each in stations if each.renewed)
    yield "Left the fleet: what they hold ends with its lease", plan.departed
    assumed = tuple(each.identity for each in stations if each.assumed and (each.changes or each.later))
    yield "OCPP 2.1 is assumed: no protocol is declared", assumed


def _finding(finding: Finding) -> str:
    return f"- {code(finding.guardrail)} {code(str(finding.place))} {code(finding.text)}: {escape(finding.hint)}"


def _eased(plan: FleetPlan) -> Iterator[str]:
    for waiver in plan.waivers:
        eased = f"{waiver.guardrail} ({', '.join(waiver.eased)})"
        yield f"- {code(eased)} {code(str(waiver.place))}: {code(waiver.reason)}"
