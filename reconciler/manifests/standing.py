"""What stays as it was from one snapshot to the next: unchanged sources give the very same objects.

Asked by each step of `load`. Whoever works something out once per kind of station goes by the identity of its parts, so
what was worked out for the fleet before holds for this one wherever the parts are the same objects. Equality would not
do: 7 kW and 7.0 kW are equal and are written in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.manifests.catalogue import is_manifest

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from pydantic import BaseModel

    from reconciler.manifests.catalogue import Catalogue, Entry, Readings
    from reconciler.manifests.fleet import Assignment, Evse, Fleet, ReadyBy, Schedule, Settings, Station
    from reconciler.manifests.models import GroupSpec
    from reconciler.manifests.placement import Structure
    from reconciler.manifests.programme import ScheduleSpec
    from reconciler.manifests.roster import Listed

EVERYWHERE = ("Fleet", "Calendar", "Template")
"""Kinds that any station may depend on: where one of them changes, nothing stands."""


@dataclass(frozen=True, slots=True)
class Loading:
    """A fleet without errors, and what it was made of on the way; `rows` are by the identity of their entries."""

    fleet: Fleet
    files: Mapping[str, str]
    readings: Readings
    found: Catalogue
    schedules: Mapping[str, Schedule]
    rows: Mapping[int, tuple[Listed, ...]]
    listed: Mapping[str, Listed]
    direct: Mapping[str, tuple[str, ...]]
    structure: Structure


class Standing:
    """Gives what a loading before has that holds for this catalogue as well; None where it has to be made anew."""

    def __init__(self, before: Loading | None, found: Catalogue, files: Mapping[str, str]) -> None:
        self._found = found
        self._before = before if before is not None and _is_steady(before, found, files) else None
        self._is_settled: dict[tuple[str, ...], bool] = {}
        self.stations: Iterable[Station] = self._before.fleet.stations.values() if self._before else ()

    def schedule(self, entry: Entry[ScheduleSpec], base: Schedule | None) -> Schedule | None:
        """Give the schedule of an entry that extends the same as before."""
        known = self._before.schedules.get(entry.name) if self._before and self._has("Schedule", entry) else None
        return known if known is not None and known.extends is base else None

    def rows(self, entry: Entry[BaseModel]) -> tuple[Listed, ...] | None:
        """Give the stations that an entry lists."""
        return self._before.rows.get(id(entry)) if self._before else None

    def own(self, entry: Entry[GroupSpec], schedules: Mapping[str, Schedule]) -> tuple[Assignment, ...] | None:
        """Give a group's own assignments, if each of its schedules stands."""
        if self._before is None or not self._has("Group", entry):
            return None
        known = self._before.structure.own[entry.name]
        return known if all(each.schedule is schedules.get(each.schedule.name) for each in known) else None

    def station(self, listed: Listed, direct: tuple[str, ...], structure: Structure) -> Station | None:
        """Give a station whose own lines, groups and site are what they were."""
        before = self._before
        if before is None or before.listed.get(listed.key) is not listed or before.direct.get(listed.key) != direct:
            return None
        known = before.fleet.stations[listed.key]
        if direct not in self._is_settled:
            self._is_settled[direct] = all(self._is_same_group(name, structure) for name in direct)
        sites = (each.sites.get(known.site) for each in (self._found, before.found)) if known.site else iter((0, 0))
        return known if self._is_settled[direct] and next(sites) is next(sites) else None

    def _is_same_group(self, name: str, structure: Structure) -> bool:
        assert self._before is not None  # noqa: S101 - the caller has looked
        old, chain = self._before.structure, structure.lineage[name]
        return old.lineage.get(name) == chain and all(
            structure.groups[each] is old.groups[each]
            and structure.own[each] is old.own[each]
            and structure.sites[each] == old.sites[each]
            for each in chain
        )

    def _has(self, kind: str, entry: Entry[BaseModel]) -> bool:
        return self._before is not None and self._before.found.entries[kind].get(entry.name) is entry


def _is_steady(before: Loading, found: Catalogue, files: Mapping[str, str]) -> bool:
    for kind in EVERYWHERE:
        old, new = before.found.entries[kind], found.entries[kind]
        if old.keys() != new.keys() or any(old[name] is not entry for name, entry in new.items()):
            return False
    return _plain(before.files) == _plain(files)


def _plain(files: Mapping[str, str]) -> dict[str, str]:
    """Give what is no manifest: tables, templates."""
    return {path: text for path, text in files.items() if not is_manifest(path)}


def spell_evses(evses: tuple[Evse, ...]) -> Hashable:
    """Give a key that tells equal hardware apart where its powers are written in two ways."""
    return (evses, *((str(evse.charge_w), str(evse.discharge_w)) for evse in evses))


def spell_settings(settings: Settings) -> Hashable:
    """Give a key that tells equal settings apart where their numbers are written in two ways."""
    return settings if settings.ready_by is None and settings.template is None else repr(settings)


def spell_bound(assignments: tuple[Assignment, ...], ready: ReadyBy) -> Hashable:
    """Give a key for assignments under a departure."""
    return (tuple(map(id, assignments)), repr(ready))
