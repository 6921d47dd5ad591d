"""Which group lies in which, and which stations each selects.

Used by `load`. Cycles and depth are bounded here, so that everything after can follow parents without care.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.manifests.complaints import clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.manifests.catalogue import Catalogue, Entry
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.models import GroupSpec
    from reconciler.manifests.roster import Listed

MAX_DEPTH = 32
MAX_MEMBERSHIPS = 5_000_000


def chains(catalogue: Catalogue, complaints: Complaints) -> dict[str, tuple[str, ...]]:
    """Give each group and its ancestors, nearest first; note cycles, depth and parents that do not exist."""
    parents = {name: _parent(catalogue, name, complaints) for name in sorted(catalogue.groups)}
    return {name: _chain(name, parents, catalogue, complaints) for name in parents}


def ranks(lineages: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Give the groups of these lineages, nearest first, those that are equally near together.

    Of two that lie in each other the inner one is the nearer, whatever else leads to the outer one.
    """
    distance: dict[str, int] = {}
    for lineage in lineages:
        for steps, group in enumerate(lineage):
            distance[group] = max(steps, distance.get(group, steps))
    return tuple(
        tuple(sorted(group for group, at in distance.items() if at == steps))
        for steps in sorted(set(distance.values()))
    )


def _parent(catalogue: Catalogue, name: str, complaints: Complaints) -> str | None:
    entry = catalogue.groups[name]
    parent = entry.spec.parent
    if parent is None:
        return None
    known = catalogue.check_reference("Group", parent, entry.at("parent"), "spec.parent", complaints)
    return parent if known else None


def _chain(
    name: str, parents: Mapping[str, str | None], catalogue: Catalogue, complaints: Complaints
) -> tuple[str, ...]:
    chain = [name]
    while (parent := parents[chain[-1]]) is not None:
        if parent in chain:
            _complain_cycle(chain[chain.index(parent) :], name, catalogue, complaints)
            break
        if len(chain) == MAX_DEPTH:
            message = f"groups lie inside each other deeper than {MAX_DEPTH} levels"
            complaints.add(catalogue.groups[name].at("parent"), "groups-too-deep", message, field="spec.parent")
            break
        chain.append(parent)
    return tuple(chain)


def _complain_cycle(cycle: list[str], name: str, catalogue: Catalogue, complaints: Complaints) -> None:
    # Every member of a cycle comes across it; the first by name reports it.
    if name == min(cycle):
        way = " in ".join(clip(group) for group in (*cycle, cycle[0]))
        place = catalogue.groups[name].at("parent")
        complaints.add(place, "cyclic-groups", f"a group can't lie in itself: {way}", field="spec.parent")


def site_names(
    catalogue: Catalogue, lineage: Mapping[str, tuple[str, ...]], complaints: Complaints
) -> dict[str, str | None]:
    """Give each group's site: the one that its topmost ancestor names."""
    own: dict[str, str | None] = {}
    for name in lineage:
        entry, site = catalogue.groups[name], catalogue.groups[name].spec.site
        known = site is not None and catalogue.check_reference("Site", site, entry.at("site"), "spec.site", complaints)
        own[name] = site if known else None
    return {name: next((own[group] for group in chain if own[group]), None) for name, chain in lineage.items()}


class Selector:
    """Find stations by labels or names, through an index built once."""

    def __init__(self, listed: Mapping[str, Listed], complaints: Complaints, *, complete: bool) -> None:
        self._complaints = complaints
        self._complete = complete
        self._listed = listed
        self._by_label: dict[tuple[str, str], set[str]] = {}
        alike: dict[int, tuple[Mapping[str, str], list[str]]] = {}
        for key, station in listed.items():
            alike.setdefault(id(station.labels), (station.labels, []))[1].append(key)
        for labels, keys in alike.values():
            for pair in labels.items():
                self._by_label.setdefault(pair, set()).update(keys)

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        """Give keys by the names of stations and by themselves; few fleets name stations."""
        named = {station.name.casefold(): key for key, station in self._listed.items()}
        return named | {key: key for key in self._listed}

    def select(self, entry: Entry[GroupSpec]) -> frozenset[str]:
        """Give the keys of the stations that a group itself selects; note an empty selection and unknown names."""
        chosen = entry.spec.select
        if chosen is None:
            return frozenset()
        found = self._labelled(chosen.labels) if chosen.labels else self._named(entry, chosen.names)
        if not found and chosen.labels and self._complete:
            hint = self._label_hint(chosen.labels)
            self._complaints.add(
                entry.at("select"), "empty-selection", "no station has these labels", field="spec.select", hint=hint
            )
        return frozenset(found)

    def _labelled(self, labels: Mapping[str, str]) -> set[str]:
        return set.intersection(*(self._by_label.get(pair, set()) for pair in labels.items()))

    def _named(self, entry: Entry[GroupSpec], names: Iterable[str]) -> set[str]:
        found = set()
        for number, name in enumerate(names):
            key = self._by_name.get(name.casefold())
            if key is not None:
                found.add(key)
            elif self._complete:
                path = ("select", "names", number)
                hint = self._complaints.suggest(name.casefold(), self._by_name)
                message, field = f"there is no station `{clip(name)}`", f"spec.select.names[{number}]"
                self._complaints.add(entry.at(*path), "unknown-reference", message, field=field, hint=hint)
        return found

    def _label_hint(self, labels: Mapping[str, str]) -> str:
        written = (f"{key}={value}" for key, value in self._by_label)
        missing = next((pair for pair in labels.items() if pair not in self._by_label), None)
        return self._complaints.suggest("=".join(missing), written) if missing else ""


def members(lineage: Mapping[str, tuple[str, ...]], selected: Mapping[str, frozenset[str]]) -> dict[str, set[str]]:
    """Give the stations of each group, its descendants' among them."""
    result: dict[str, set[str]] = {name: set() for name in lineage}
    for name, chain in lineage.items():
        for group in chain:
            result[group] |= selected[name]
    return result


def check_memberships(
    catalogue: Catalogue,
    lineage: Mapping[str, tuple[str, ...]],
    selected: Mapping[str, frozenset[str]],
    complaints: Complaints,
) -> bool:
    """Refuse a fleet whose groups together have more members than can be worked with; tell whether it may go on."""
    total = 0
    for name, chain in lineage.items():
        total += len(chain) * len(selected[name])
        if total > MAX_MEMBERSHIPS:
            message = f"the groups together have more than {MAX_MEMBERSHIPS} members"
            complaints.add(catalogue.groups[name].at("select"), "too-many-members", message, field="spec.select")
            return False
    return True
