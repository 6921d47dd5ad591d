"""What a station inherits from its groups, its site and the fleet: of each setting, what the nearest says.

Used by `load`; worked out once per distinct set of sources, so that stations alike share the result. Where two groups
are equally near and say different things, nothing is guessed: it is an error that names both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TypeAlias, TypeVar, cast

from pydantic import BaseModel

from reconciler.errors import Place
from reconciler.manifests.catalogue import Catalogue, Entry
from reconciler.manifests.complaints import Complaints
from reconciler.manifests.fleet import Declared, FailSafe, OnUnsupported, Origin, ReadyBy, Settings, TemplateUse
from reconciler.manifests.hierarchy import ranks
from reconciler.manifests.models import CapabilitySpec, FailSafePart
from reconciler.manifests.programme import TemplateUseSpec
from reconciler.manifests.roster import Listed
from reconciler.manifests.standing import Standing, spell_settings
from reconciler.manifests.times import write_duration

H = TypeVar("H", bound=Hashable)
Resolver: TypeAlias = Callable[[Hashable, Entry[BaseModel]], Hashable]
"""Makes a value of what a setting refers to elsewhere; gives anything else as it is."""

PATHS: tuple[tuple[str, ...], ...] = (
    *(("failSafe", field.alias or name) for name, field in FailSafePart.model_fields.items()),
    ("writeInterval",),
    ("readBack",),
    ("onUnsupported",),
    ("readyBy",),
    ("template",),
    *(("capability", field.alias or name) for name, field in CapabilitySpec.model_fields.items()),
)
"""Every setting that is inherited, by its path in the manifests."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one document says of a setting, and where."""

    value: Hashable
    level: str
    place: Place


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a station gets from all its sources."""

    settings: Settings
    declared: Declared
    origins: tuple[Origin, ...]


class Inheritance:
    """Settles what stations inherit."""

    def __init__(
        self,
        catalogue: Catalogue,
        lineage: Mapping[str, tuple[str, ...]],
        resolve: Resolver,
        standing: Standing,
        complaints: Complaints,
    ) -> None:
        self._catalogue, self._lineage, self._complaints = catalogue, lineage, complaints
        self._resolve = resolve
        self._fleet = [said(entry, f"Fleet {name}", resolve) for name, entry in sorted(catalogue.fleets.items())[:1]]
        self._by_model = _by_model(catalogue, resolve)
        self._said: dict[tuple[str, str], Mapping[tuple[str, ...], Said]] = {}
        self._settled: dict[tuple[int, str, tuple[str, ...], str | None], Inherited] = {}
        self._shared: dict[Hashable, object] = {}
        for each in {id(station.settings): station for station in standing.stations}.values():
            self._share(each.settings, spell_settings(each.settings))
        for each in {id(station.declared): station for station in standing.stations}.values():
            self._share(each.declared)
        self._reported: set[tuple[Place, Place]] = set()

    def settle(self, station: Listed, direct: tuple[str, ...], site: str | None) -> Inherited:
        """Give what a station inherits; `direct` are the groups that select it."""
        key = (id(station.entry), station.model, direct, site)
        if key not in self._settled:
            self._settled[key] = self._work_out(station, direct, site)
        return self._settled[key]

    def _work_out(self, station: Listed, direct: tuple[str, ...], site: str | None) -> Inherited:
        levels = [[self._own(station)]]
        levels += [[self._of("Group", name) for name in names] for names in self._by_distance(direct)]
        levels += [[{("template",): each} for each in self._by_model.get(station.model, ())]]
        levels += [[self._of("Site", site)]] if site in self._catalogue.sites else []
        levels += [self._fleet]
        found: dict[tuple[str, ...], Said] = {}
        for path in PATHS:
            nearest = self._nearest(path, levels, station)
            if nearest is not None:
                found[path] = nearest
        facts = {("site",): self._site(station, direct), **_hardware(station)}
        return self._inherited({**{path: each for path, each in facts.items() if each}, **found}, station)

    def _site(self, station: Listed, direct: tuple[str, ...]) -> Said | None:
        entries = [(station.entry.spec.site, _level(station), station.entry)]
        groups = self._catalogue.groups
        lineage = [name for rank in self._by_distance(direct) for name in rank]
        named = [(groups[name].spec.site, f"Group {name}", groups[name]) for name in lineage]
        return next((Said(site, level, entry.at("site")) for site, level, entry in (*entries, *named) if site), None)

    def _own(self, station: Listed) -> Mapping[tuple[str, ...], Said]:
        key = (type(station.entry.spec).__name__, station.entry.name)
        if key not in self._said:
            self._said[key] = said(station.entry, _level(station), self._resolve)
        return self._said[key]

    def _of(self, kind: str, name: str | None) -> Mapping[tuple[str, ...], Said]:
        key = (kind, str(name))
        if key not in self._said:
            self._said[key] = said(self._catalogue.entries[kind][str(name)], f"{kind} {name}", self._resolve)
        return self._said[key]

    def _by_distance(self, direct: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        return ranks(self._lineage[name] for name in direct)

    def _nearest(
        self, path: tuple[str, ...], levels: Sequence[Sequence[Mapping[tuple[str, ...], Said]]], station: Listed
    ) -> Said | None:
        for level in levels:
            speakers = [each[path] for each in level if path in each]
            if speakers:
                for other in speakers[1:]:
                    if other.value != speakers[0].value:
                        self._complain_clash(".".join(path), speakers[0], other, station)
                return speakers[0]
        return None

    def _complain_clash(self, field: str, first: Said, second: Said, station: Listed) -> None:
        pair = (first.place, second.place)
        if pair not in self._reported:
            self._reported.add(pair)
            message = (
                f"{second.level} and {first.level}, at {first.place}, are equally near to `{station.identity}`"
                f" and say different things"
            )
            hint = "say it in the station, or put one group inside the other"
            self._complaints.add(second.place, "setting-clash", message, field=f"spec.{field}", hint=hint)

    def _inherited(self, found: Mapping[tuple[str, ...], Said], station: Listed) -> Inherited:
        settings = Settings(
            fail_safe=self._fail_safe(found, station),
            write_interval=_duration(found, "writeInterval"),
            read_back=_duration(found, "readBack") if ("readBack",) in found else None,
            ready_by=cast("ReadyBy | None", found[("readyBy",)].value) if ("readyBy",) in found else None,
            template=cast("TemplateUse | None", found[("template",)].value) if ("template",) in found else None,
            on_unsupported=cast("OnUnsupported", found[("onUnsupported",)].value)
            if ("onUnsupported",) in found
            else "refuse",
        )
        known = {name: found.get(("capability", field.alias or name)) for name, field in _CAPABILITY}
        declared = Declared(**{name: each.value for name, each in known.items() if each})  # type: ignore[arg-type]
        origins = tuple(
            Origin(".".join(path), write_setting(each.value), each.level, each.place) for path, each in found.items()
        )
        return Inherited(self._share(settings, spell_settings(settings)), self._share(declared), self._share(origins))

    def _fail_safe(self, found: Mapping[tuple[str, ...], Said], station: Listed) -> FailSafe:
        safe = FailSafe(*(_duration(found, "failSafe", name) for name in ("lease", "renewBefore", "maxOffline")))
        if self._fleet and not safe.lease > safe.renew_before > timedelta():
            place = found[("failSafe", "lease")].place
            message = (
                f"`lease` is {write_duration(safe.lease)} and `renewBefore` {write_duration(safe.renew_before)}"
                f" for `{station.identity}`: the lease must be longer"
            )
            if (place, place) not in self._reported:
                self._reported.add((place, place))
                self._complaints.add(place, "lease-too-short", message, field="spec.failSafe")
        return safe

    def _share(self, value: H, spelt: Hashable = None) -> H:
        return cast("H", self._shared.setdefault(value if spelt is None else spelt, value))


_CAPABILITY = tuple(CapabilitySpec.model_fields.items())


def said(entry: Entry[BaseModel], level: str, resolve: Resolver) -> Mapping[tuple[str, ...], Said]:
    """Give what a document says of each setting."""
    found: dict[tuple[str, ...], Said] = {}
    for path in PATHS:
        value, is_written = _read(entry.spec, path)
        value = resolve(value, entry)
        if value is not None:
            found[path] = Said(value, level if is_written else f"default of {level}", entry.at(*path))
    return found


def _read(spec: BaseModel, path: tuple[str, ...]) -> tuple[Hashable, bool]:
    """Give a value of a document, and whether the document says it itself; nobody wrote what it has by default."""
    value, is_written = cast("Hashable", spec), True
    for step in path:
        name, part = _attribute(step), cast("BaseModel", value)
        is_written = is_written and name in part.model_fields_set
        value = getattr(part, name)
    return value, is_written


def _by_model(catalogue: Catalogue, resolve: Resolver) -> Mapping[str, list[Said]]:
    """Give the templates that are made for a model of stations."""
    found: dict[str, list[Said]] = {}
    for name, entry in sorted(catalogue.templates.items()):
        use = resolve(TemplateUseSpec(name=name), entry) if entry.spec.models else None
        for number, model in enumerate(entry.spec.models if use is not None else ()):
            found.setdefault(model, []).append(Said(use, f"Template {name}", entry.at("models", number)))
    return found


def _hardware(station: Listed) -> Mapping[tuple[str, ...], Said]:
    entry, level = station.entry, _level(station)
    ratings = ", ".join(f"{spec.id}: +{spec.charge} -{spec.discharge}" for spec in entry.spec.evses)
    facts = {"model": entry.spec.model, "evses": ratings}
    return {(name,): Said(value, level, entry.at(name)) for name, value in facts.items() if value}


def _level(station: Listed) -> str:
    return f"{type(station.entry.spec).__name__.removesuffix('Spec')} {station.entry.name}"


def write_setting(value: object) -> str:
    """Write a setting as people would."""
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return write_duration(value)
        case TemplateUse():
            return value.name
        case ReadyBy():
            return f"{value.time // 60:02}:{value.time % 60:02} with {value.least_wh / 1000:f} kWh"
        case tuple():
            return ", ".join(str(each) for each in value)
        case _:
            return str(value)


@lru_cache(maxsize=256)
def _attribute(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _duration(found: Mapping[tuple[str, ...], Said], *path: str) -> timedelta:
    value = found[path].value if path in found else timedelta(1)
    assert isinstance(value, timedelta)  # noqa: S101 - the models have read it
    return value
