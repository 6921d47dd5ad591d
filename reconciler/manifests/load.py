"""From a snapshot to a resolved fleet, or to everything that is wrong with it.

Called by the controller and the command line with a revision as a whole (invariant 6): there is no half-loaded fleet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Place, RevisionError
from reconciler.manifests.calendars import Almanac
from reconciler.manifests.catalogue import Catalogue, catalogue
from reconciler.manifests.complaints import Complaints
from reconciler.manifests.expressible import check_expressible
from reconciler.manifests.fleet import FailSafe, Fleet, Group, Site, Station
from reconciler.manifests.guardrails import resolve_guardrails
from reconciler.manifests.hierarchy import Selector, chains, check_memberships, members, site_names
from reconciler.manifests.inheritance import Inheritance
from reconciler.manifests.models import FleetSpec, ProfileIds, SiteSpec
from reconciler.manifests.placement import Placements, Structure, assign
from reconciler.manifests.references import References
from reconciler.manifests.rollouts import check_rollout, drift_of, strategy_of
from reconciler.manifests.roster import Roster
from reconciler.manifests.schedules import check_consent, resolve_schedules
from reconciler.manifests.snapshot import TEMPLATE_SUFFIX, TEMPLATES, is_read
from reconciler.manifests.standing import Loading, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.manifests.catalogue import Entry
    from reconciler.manifests.fleet import Assignment
    from reconciler.manifests.roster import Listed
    from reconciler.manifests.snapshot import Snapshot


def load(snapshot: Snapshot) -> Fleet:
    """Resolve a snapshot; raises RevisionError with every error at once."""
    return reload(snapshot, None).fleet


def reload(snapshot: Snapshot, before: Loading | None) -> Loading:
    """Resolve a snapshot as `load` does; what it has in common with the one before is neither read nor made again."""
    complaints = Complaints()
    readings = dict(before.readings) if before else {}
    found = catalogue(snapshot, complaints, readings)
    standing = Standing(before, found, snapshot.files)
    spec = _the_fleet(found, complaints)
    almanac = Almanac(found, complaints)
    schedules = resolve_schedules(found, almanac, standing, complaints)
    if spec.discharge == "forbidden" and (found.fleets or not found.broken("Fleet")):
        check_consent(schedules, complaints)
    roster = Roster(snapshot.files, spec.nominal_voltage, standing, complaints)
    roster.fill(found)
    check_rollout(found, (station.labels for station in roster.listed.values()), complaints)
    structure = _structure(found, roster.listed, assign(found, schedules, standing, complaints), complaints)
    references = References(found, almanac, templates(snapshot.files), complaints)
    inheritance = Inheritance(found, structure.lineage, references.resolve, standing, complaints)
    placements, direct = Placements(structure, standing, complaints), _direct(roster.listed, structure)
    stations = {
        key: standing.station(roster.listed[key], groups, structure)
        or _station(roster.listed[key], groups, placements, inheritance)
        for key, groups in direct.items()
    }
    check_expressible(stations.values(), complaints)
    if complaints.errors:
        raise RevisionError(complaints.errors)
    entry = next(iter(found.fleets.values()))
    fleet = _fleet(entry, _sites(found), _groups(found, stations, structure), stations, templates(snapshot.files))
    return Loading(fleet, snapshot.files, readings, found, schedules, roster.rows, roster.listed, direct, structure)


def templates(files: Mapping[str, str]) -> dict[str, str]:
    """Give the templates of a revision by file name, such as `schedule.yaml.j2`."""
    found = (path for path in sorted(files) if path.startswith(TEMPLATES) and path.endswith(TEMPLATE_SUFFIX))
    return {path.removeprefix(TEMPLATES): files[path] for path in found if is_read(path)}


def _the_fleet(found: Catalogue, complaints: Complaints) -> FleetSpec:
    entries = sorted(found.fleets.values(), key=lambda entry: entry.place)
    for entry in entries[1:]:
        message = f"there is another Fleet, at {entries[0].place}"
        complaints.add(entry.place, "one-fleet", message, hint="a revision has exactly one")
    if not entries and not found.broken("Fleet"):
        complaints.add(Place("."), "one-fleet", "no document is of kind Fleet", hint="a revision has exactly one")
    if entries:
        return entries[0].spec
    # Stands in so that the rest can still be judged; its revision is refused.
    ids = ProfileIds.model_validate({"from": 1, "to": 1000})
    return FleetSpec.model_construct(timezone="UTC", profile_ids=ids)


def _structure(
    found: Catalogue, listed: Mapping[str, Listed], own: Mapping[str, tuple[Assignment, ...]], complaints: Complaints
) -> Structure:
    lineage = chains(found, complaints)
    complete = not (found.broken("Station") or found.broken("StationSet"))
    selector = Selector(listed, complaints, complete=complete)
    selected = {name: selector.select(found.groups[name]) for name in lineage}
    if not check_memberships(found, lineage, selected, complaints):
        selected = dict.fromkeys(lineage, frozenset())
    sites = site_names(found, lineage, complaints)
    return Structure(found.groups, lineage, sites, own, selected)


def _direct(listed: Mapping[str, Listed], structure: Structure) -> dict[str, tuple[str, ...]]:
    """Give the groups that select each station; those of many are the same."""
    direct: dict[str, tuple[str, ...]] = dict.fromkeys(sorted(listed), ())
    for name, keys in structure.selected.items():
        joined = {groups: (*groups, name) for groups in {direct[key] for key in keys}}
        for key in keys:
            direct[key] = joined[direct[key]]
    return direct


def _station(listed: Listed, direct: tuple[str, ...], placements: Placements, inheritance: Inheritance) -> Station:
    placement = placements.place(listed, direct)
    site = listed.site or next(iter(placement.sites), None)
    inherited = inheritance.settle(listed, direct, site)
    return Station(
        identity=listed.identity,
        name=listed.name,
        labels=listed.labels,
        model=listed.model,
        site=site,
        groups=placement.groups,
        evses=listed.evses,
        declared=inherited.declared,
        assignments=placements.bound_to(placement.assignments, inherited.settings),
        settings=inherited.settings,
        place=listed.place,
        origins=inherited.origins,
        told=listed.told,
    )


def _sites(found: Catalogue) -> dict[str, Site]:
    return {name: _site(found.sites[name]) for name in sorted(found.sites)}


def _site(entry: Entry[SiteSpec]) -> Site:
    return Site(entry.name, entry.spec.import_.value, entry.spec.export.value, entry.place)


def _groups(found: Catalogue, stations: Mapping[str, Station], structure: Structure) -> dict[str, Group]:
    everyone = members(structure.lineage, structure.selected)
    return {
        name: Group(
            name=name,
            parent=found.groups[name].spec.parent,
            site=structure.sites[name],
            members=tuple(stations[key].identity for key in sorted(everyone[name])),
            assignments=structure.own[name],
            place=found.groups[name].place,
        )
        for name in structure.lineage
    }


def _fleet(
    entry: Entry[FleetSpec],
    sites: Mapping[str, Site],
    groups: Mapping[str, Group],
    stations: Mapping[str, Station],
    found: Mapping[str, str],
) -> Fleet:
    spec, safe = entry.spec, entry.spec.fail_safe
    return Fleet(
        name=entry.name,
        timezone=spec.timezone,
        id_from=spec.profile_ids.from_,
        id_to=spec.profile_ids.to,
        fail_safe=FailSafe(safe.lease, safe.renew_before, safe.max_offline),
        discharge_allowed=spec.discharge == "allowed",
        write_interval=spec.write_interval,
        nominal_voltage=spec.nominal_voltage,
        guardrails=resolve_guardrails(spec.guardrails, entry.place, lambda name: entry.at("guardrails", name)),
        sites=sites,
        groups=groups,
        stations=stations,
        templates=found,
        id_place=entry.at("profileIds"),
        strategy=strategy_of(spec.rollout, spec.timezone),
        drift=drift_of(spec.drift),
    )
