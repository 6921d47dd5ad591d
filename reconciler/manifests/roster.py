"""The stations of a fleet before they are grouped: one line per identity, equal hardware shared.

Used by `load`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

from reconciler.manifests.complaints import field_path
from reconciler.manifests.fields import check_identity
from reconciler.manifests.fleet import LABEL, Current, Evse
from reconciler.manifests.identities import MAX_STATIONS, Rated, Row, expand
from reconciler.manifests.models import EvseSpec
from reconciler.manifests.quantity import Malformed
from reconciler.manifests.snapshot import TABLE_SUFFIX
from reconciler.manifests.standing import spell_evses
from reconciler.manifests.tables import Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from decimal import Decimal

    from reconciler.errors import Place
    from reconciler.manifests.catalogue import Catalogue, Entry
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.models import Hardware, StationSetSpec, StationSpec
    from reconciler.manifests.quantity import Quantity
    from reconciler.manifests.standing import Standing


@dataclass(frozen=True, slots=True)
class Listed:
    """Hold a station as its document has it; `key` is the casefolded identity."""

    key: str
    identity: str
    name: str
    labels: Mapping[str, str]
    model: str
    site: str | None
    evses: tuple[Evse, ...]
    entry: Entry[Hardware]
    place: Place
    field: str
    told: tuple[str, ...] = ()


class Roster:
    """List stations from their documents, and note what is wrong with them."""

    def __init__(self, files: Mapping[str, str], voltage: Decimal, standing: Standing, complaints: Complaints) -> None:
        self._files = files
        self._voltage = voltage
        self._complaints = complaints
        self._standing = standing
        known = {id(each.evses): each.evses for each in standing.stations}
        self._hardware: dict[Hashable, tuple[Evse, ...]] = {spell_evses(each): each for each in known.values()}
        self._labelled: dict[Hashable, Mapping[str, str]] = {}
        self._entered = 0
        self.listed: dict[str, Listed] = {}
        self.rows: dict[int, tuple[Listed, ...]] = {}

    def fill(self, catalogue: Catalogue) -> None:
        """List every station of the catalogue."""
        fillings = [(entry.place, partial(self._one, catalogue, entry)) for entry in catalogue.stations.values()]
        fillings += [(entry.place, partial(self._set, catalogue, entry)) for entry in catalogue.station_sets.values()]
        # In the order of their places, so that of two equal identities the later is the one to blame.
        for _, filling in sorted(fillings, key=itemgetter(0)):
            filling()

    def _one(self, catalogue: Catalogue, entry: Entry[StationSpec]) -> None:
        place = entry.at("identity") if entry.spec.identity else entry.place
        field = "spec.identity" if entry.spec.identity else "metadata.name"
        try:
            rows = [Row(entry.spec.identity or check_identity(entry.name), place, field)]
        except Malformed as error:
            self._complaints.add(place, error.rule, error.message, field=field, hint=error.hint)
            rows = []
        self._list(catalogue, entry, iter(rows), entry.name)

    def _set(self, catalogue: Catalogue, entry: Entry[StationSetSpec]) -> None:
        self._list(catalogue, entry, self._rows(entry, entry.spec.identities))

    def _rows(self, entry: Entry[Hardware], identities: tuple[str, ...]) -> Iterator[Row]:
        for number, text in enumerate(identities):
            path = ("identities", number)
            field = field_path(("spec", *path) if len(identities) > 1 else ("spec", "identities"))
            try:
                if text.endswith(TABLE_SUFFIX):
                    table = Table(text, self._files)
                    self._complaints.extend(table.errors)
                    yield from table.rows
                else:
                    yield from expand(text, entry.at(*path), field)
            except Malformed as error:
                self._complaints.add(entry.at(*path), error.rule, error.message, field=field, hint=error.hint)

    def _list(self, catalogue: Catalogue, entry: Entry[Hardware], rows: Iterator[Row], name: str = "") -> None:
        site = entry.spec.site
        if site is not None and not catalogue.check_reference(
            "Site", site, entry.at("site"), "spec.site", self._complaints
        ):
            site = None
        known, kept = self._standing.rows(entry), list[Listed]()
        for station in self._make(entry, rows, site, name) if known is None else known:
            kept.append(station)
            if not self._enter(station):
                return
        self.rows[id(entry)] = tuple(kept)

    def _make(self, entry: Entry[Hardware], rows: Iterable[Row], site: str | None, name: str) -> Iterator[Listed]:
        spec, evses = entry.spec, self._evses(entry)
        for row in rows:
            labels, model = self._labels(entry, row), row.model or spec.model
            own = evses if evses and not row.ratings else self._rated(entry, row)
            key = row.identity.casefold()
            yield Listed(
                key,
                row.identity,
                name or row.identity,
                labels,
                model,
                site,
                own,
                entry,
                row.place,
                row.field,
                _told(row),
            )

    def _enter(self, station: Listed) -> bool:
        self._entered += 1
        first = self.listed.setdefault(station.key, station)
        if first is not station:
            message = f"`{station.identity}` is listed already, at {first.place}"
            hint = "case does not tell identities apart" if first.identity != station.identity else ""
            self._complaints.add(station.place, "duplicate-identity", message, field=station.field, hint=hint)
        if self._entered <= MAX_STATIONS:
            return True
        message = f"more than {MAX_STATIONS} stations"
        hint = "make several fleets of them"
        self._complaints.add(station.place, "too-many-stations", message, field=station.field, hint=hint)
        return False

    def _labels(self, entry: Entry[Hardware], row: Row) -> Mapping[str, str]:
        if not row.labels:
            return entry.labels
        pairs = tuple(sorted({**entry.labels, **dict(row.labels)}.items()))
        return self._labelled.setdefault(pairs, dict(pairs))

    def _evses(self, entry: Entry[Hardware]) -> tuple[Evse, ...]:
        seen: dict[int, int] = {}
        evses: list[Evse] = []
        for number, spec in enumerate(entry.spec.evses):
            first = seen.setdefault(spec.id, number)
            if first != number:
                message = f"EVSE {spec.id} is there already, at {entry.at('evses', first, 'id')}"
                field = f"spec.evses[{number}].id"
                self._complaints.add(entry.at("evses", number, "id"), "duplicate-evse", message, field=field)
            evses.append(self._evse(entry, number, spec))
        return self._share(tuple(sorted(evses, key=lambda evse: evse.id)))

    def _evse(self, entry: Entry[Hardware], number: int, spec: EvseSpec) -> Evse:
        charge = self._watts(entry, number, "charge", spec.charge)
        discharge = self._watts(entry, number, "discharge", spec.discharge)
        phases = spec.phases if spec.current is Current.AC else 0
        return Evse(spec.id, charge, discharge, phases, spec.current, spec.connector)

    def _rated(self, entry: Entry[Hardware], row: Row) -> tuple[Evse, ...]:
        """Give the EVSEs that a table's lines name; what they leave out is as in the set."""
        plain = {spec.id: spec for spec in entry.spec.evses}
        ratings = row.ratings or (Rated(row.place),)
        found = [evse for rated in ratings for evse in self._rate(plain, rated)]
        return self._share(tuple(sorted(found, key=lambda evse: evse.id)))

    def _rate(self, plain: Mapping[int, EvseSpec], rated: Rated) -> Iterator[Evse]:
        single = next(iter(plain.values())) if len(plain) == 1 else None
        if plain and rated == Rated(rated.place):
            yield from (self._evse_of(spec, rated) for spec in plain.values())
            return
        if rated.evse is None and len(plain) > 1:
            message = "the set has several EVSEs, so the table must say which one is meant"
            self._complaints.add(rated.place, "wrong-table", message, field="charge", hint="add a column `evse`")
            return
        number = rated.evse or (single.id if single else 1)
        spec = plain.get(number, single)
        charge = rated.charge or (spec.charge if spec else None)
        if charge is None:
            message = f"EVSE {number} has no `charge`, neither here nor in the set"
            self._complaints.add(rated.place, "missing-key", message, field="charge")
            return
        template = spec or EvseSpec.model_construct(id=number, charge=charge)
        yield self._evse_of(template, replace(rated, evse=number, charge=charge))

    def _evse_of(self, spec: EvseSpec, rated: Rated) -> Evse:
        current = rated.current or spec.current
        phases = rated.phases or spec.phases
        powers = {"charge": rated.charge or spec.charge, "discharge": rated.discharge or spec.discharge}
        watts: dict[str, Decimal] = {}
        for key, power in powers.items():
            try:
                watts[key] = power.to_watts(phases, self._voltage, current)
            except Malformed as error:
                self._complaints.add(rated.place, error.rule, error.message, field=key, hint=error.hint)
                watts[key] = power.value
        connector = spec.connector if rated.connector is None else rated.connector
        held = phases if current is Current.AC else 0
        return Evse(rated.evse or spec.id, watts["charge"], watts["discharge"], held, current, connector)

    def _watts(self, entry: Entry[Hardware], number: int, key: str, power: Quantity) -> Decimal:
        spec = entry.spec.evses[number]
        try:
            return power.to_watts(spec.phases, self._voltage, spec.current)
        except Malformed as error:
            place, field = entry.at("evses", number, key), f"spec.evses[{number}].{key}"
            self._complaints.add(place, error.rule, error.message, field=field, hint=error.hint)
            return power.value

    def _share(self, evses: tuple[Evse, ...]) -> tuple[Evse, ...]:
        return self._hardware.setdefault(spell_evses(evses), evses)


def _told(row: Row) -> tuple[str, ...]:
    """Name what a table's line says of its station."""
    labels = (f"{LABEL}{key}" for key, _ in sorted(row.labels))
    return (*(("model",) if row.model else ()), *labels, *(("evses",) if row.ratings else ()))
