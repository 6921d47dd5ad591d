"""What a station gets from the groups it is in: its site, and its schedules by priority.

Used by `load`. It is worked out once per distinct set of groups, so stations with the same groups share the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.manifests.fleet import Assignment
from reconciler.manifests.hierarchy import ranks
from reconciler.manifests.standing import spell_bound

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from reconciler.manifests.catalogue import Catalogue, Entry
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.fleet import ReadyBy, Schedule, Settings, Station
    from reconciler.manifests.models import GroupSpec
    from reconciler.manifests.roster import Listed
    from reconciler.manifests.standing import Standing


@dataclass(frozen=True, slots=True)
class Structure:
    """Hold the groups as they lie in each other, and what each has of its own."""

    groups: Mapping[str, Entry[GroupSpec]]
    lineage: Mapping[str, tuple[str, ...]]
    sites: Mapping[str, str | None]
    own: Mapping[str, tuple[Assignment, ...]]
    selected: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Placement:
    """Hold what a set of groups gives; `sites` has one name, or none, or several in a fleet with errors."""

    groups: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    sites: tuple[str, ...]


def assign(
    catalogue: Catalogue, schedules: Mapping[str, Schedule], standing: Standing, complaints: Complaints
) -> dict[str, tuple[Assignment, ...]]:
    """Give each group's own assignments; note schedules that do not exist and a priority given twice."""
    found: dict[str, tuple[Assignment, ...]] = {}
    for name in sorted(catalogue.groups):
        known = standing.own(catalogue.groups[name], schedules)
        found[name] = _own(catalogue, name, schedules, complaints) if known is None else known
    return found


def _own(
    catalogue: Catalogue, name: str, schedules: Mapping[str, Schedule], complaints: Complaints
) -> tuple[Assignment, ...]:
    entry = catalogue.groups[name]
    result: list[Assignment] = []
    for number, spec in enumerate(entry.spec.schedules):
        place, field = entry.at("schedules", number, "schedule"), f"spec.schedules[{number}].schedule"
        if catalogue.check_reference("Schedule", spec.schedule, place, field, complaints):
            place = entry.at("schedules", number, "priority")
            result.append(Assignment(schedules[spec.schedule], spec.priority, name, place))
    return tuple(result)


class Placements:
    """Work out placements, each distinct one once."""

    def __init__(self, structure: Structure, standing: Standing, complaints: Complaints) -> None:
        self._structure = structure
        self._complaints = complaints
        self._placements: dict[tuple[str, ...], Placement] = {}
        self._tuples: dict[tuple[int, ...], tuple[Assignment, ...]] = {}
        self._bound: dict[Hashable, tuple[Assignment, ...]] = {}
        self._known: dict[tuple[int, int], tuple[Assignment, ...]] = {}
        for assignments, ready in {id(each.assignments): _held(each) for each in standing.stations}.values():
            if ready is None:
                self._tuples[tuple(map(id, assignments))] = assignments
            else:
                self._bound[spell_bound(assignments, ready)] = assignments
        self._reported: set[tuple[Assignment, Assignment]] = set()

    def place(self, station: Listed, direct: tuple[str, ...]) -> Placement:
        """Give what a station gets from the groups that select it; note clashes, naming the station."""
        placement = self._placements.get(direct)
        if placement is None:
            placement = self._placements[direct] = self._work_out(station, direct)
        sites = {*placement.sites, *([station.site] if station.site else [])}
        if len(sites) > 1:
            message = f"`{station.identity}` can't be in two sites: {', '.join(sorted(sites))}"
            hint = f"its groups are {', '.join(placement.groups)}"
            self._complaints.add(station.place, "two-sites", message, field=station.field, hint=hint)
        return placement

    def bound_to(self, assignments: tuple[Assignment, ...], settings: Settings) -> tuple[Assignment, ...]:
        """Give assignments as an object of their own where a departure shapes what they come to.

        Whatever is worked out once for stations alike goes by the identity of their assignments.
        """
        ready = settings.ready_by
        if ready is None:
            return assignments
        key = (id(assignments), id(settings))
        if key not in self._known:
            self._known[key] = self._bound.setdefault(spell_bound(assignments, ready), (*assignments,))
        return self._known[key]

    def _work_out(self, station: Listed, direct: tuple[str, ...]) -> Placement:
        groups = tuple(group for rank in ranks(self._structure.lineage[name] for name in direct) for group in rank)
        assignments = sorted(
            (assignment for group in groups for assignment in self._structure.own[group]),
            key=lambda assignment: (-assignment.priority, assignment.place),
        )
        self._check_priorities(station, assignments)
        found = tuple(assignments)
        found = self._tuples.setdefault(tuple(map(id, found)), found)
        return Placement(
            groups, found, tuple(sorted({site for group in groups if (site := self._structure.sites[group])}))
        )

    def _check_priorities(self, station: Listed, assignments: list[Assignment]) -> None:
        for first, second in pairwise(assignments):
            pair = (first, second)
            if first.priority == second.priority and pair not in self._reported:
                self._reported.add(pair)
                message = (
                    f"priority {second.priority} is taken by `{first.schedule.name}` of group `{first.group}`,"
                    f" at {first.place}, and `{station.identity}` gets both"
                )
                hint = "the higher priority wins; give each its own"
                self._complaints.add(second.place, "same-priority", message, field=self._field(second), hint=hint)

    def _field(self, assignment: Assignment) -> str:
        entry = self._structure.groups[assignment.group]
        places = [entry.at("schedules", number, "priority") for number in range(len(entry.spec.schedules))]
        return f"spec.schedules[{places.index(assignment.place)}].priority"


def _held(station: Station) -> tuple[tuple[Assignment, ...], ReadyBy | None]:
    return station.assignments, station.settings.ready_by
