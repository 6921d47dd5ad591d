"""The documents of a snapshot, each checked alone and sorted by kind; what refers to what is judged after.

Used by `load`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ValidationError

from reconciler.manifests.complaints import Complaints, clip
from reconciler.manifests.diagnosis import MOST, explain
from reconciler.manifests.documents import Document, Value, parse
from reconciler.manifests.models import (
    API_VERSION,
    KINDS,
    FleetSpec,
    GroupSpec,
    Metadata,
    SiteSpec,
    StationSetSpec,
    StationSpec,
)
from reconciler.manifests.programme import CalendarSpec, ScheduleSpec, TemplateSpec
from reconciler.manifests.snapshot import MANIFEST_SUFFIXES, TEMPLATES, is_read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.errors import Place
    from reconciler.manifests.snapshot import Snapshot

S_co = TypeVar("S_co", bound=BaseModel, covariant=True)
_TOP = ("apiVersion", "kind", "metadata", "spec")


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Generic[S_co]):
    """Hold a document that is right in itself."""

    name: str
    labels: Mapping[str, str]
    spec: S_co
    document: Document

    def at(self, *path: str | int) -> Place:
        """Give the place of a value below `spec`."""
        return self.document.at("spec", *path)

    @property
    def place(self) -> Place:
        """Give the place of the name."""
        return self.document.at("metadata", "name")


Reading: TypeAlias = tuple[tuple[str, Entry[BaseModel]], ...]
"""The documents of a file that has no fault in itself, by kind."""
Readings: TypeAlias = dict[tuple[str, str], Reading]
"""Such files by path and text; nothing in them is ever changed."""


@dataclass(slots=True)
class Catalogue:
    """Hold the entries by kind and name.

    `mentioned` also has the names of documents with errors, so that a broken one is not reported again as missing;
    `whole` tells that every file was read to its end, and only then can something be called missing.
    """

    entries: dict[str, dict[str, Entry[BaseModel]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    mentioned: dict[str, dict[str, None]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    whole: bool = True

    @property
    def fleets(self) -> Mapping[str, Entry[FleetSpec]]:
        """Give the Fleet documents."""
        return cast("Mapping[str, Entry[FleetSpec]]", self.entries["Fleet"])

    @property
    def sites(self) -> Mapping[str, Entry[SiteSpec]]:
        """Give the Site documents."""
        return cast("Mapping[str, Entry[SiteSpec]]", self.entries["Site"])

    @property
    def groups(self) -> Mapping[str, Entry[GroupSpec]]:
        """Give the Group documents."""
        return cast("Mapping[str, Entry[GroupSpec]]", self.entries["Group"])

    @property
    def stations(self) -> Mapping[str, Entry[StationSpec]]:
        """Give the Station documents."""
        return cast("Mapping[str, Entry[StationSpec]]", self.entries["Station"])

    @property
    def station_sets(self) -> Mapping[str, Entry[StationSetSpec]]:
        """Give the StationSet documents."""
        return cast("Mapping[str, Entry[StationSetSpec]]", self.entries["StationSet"])

    @property
    def schedules(self) -> Mapping[str, Entry[ScheduleSpec]]:
        """Give the Schedule documents."""
        return cast("Mapping[str, Entry[ScheduleSpec]]", self.entries["Schedule"])

    @property
    def calendars(self) -> Mapping[str, Entry[CalendarSpec]]:
        """Give the Calendar documents."""
        return cast("Mapping[str, Entry[CalendarSpec]]", self.entries["Calendar"])

    @property
    def templates(self) -> Mapping[str, Entry[TemplateSpec]]:
        """Give the Template documents."""
        return cast("Mapping[str, Entry[TemplateSpec]]", self.entries["Template"])

    def broken(self, kind: str) -> bool:
        """Tell whether documents of a kind are missing because something else is wrong with them."""
        return not self.whole or bool(self.mentioned[kind].keys() - self.entries[kind].keys())

    def check_reference(self, kind: str, name: str, place: Place, field: str, complaints: Complaints) -> bool:
        """Tell whether a name can be followed; note it when nothing of that kind has it."""
        if name in self.entries[kind]:
            return True
        if self.whole and name not in self.mentioned[kind]:
            hint = complaints.suggest(name, self.mentioned[kind])
            message = f"there is no {kind} `{clip(name)}`"
            complaints.add(place, "unknown-reference", message, field=field, hint=hint)
        return False


def catalogue(snapshot: Snapshot, complaints: Complaints, readings: Readings | None = None) -> Catalogue:
    """Read every manifest of a snapshot; noting what is wrong in each.

    A file that `readings` has, by path and text, is not read again; afterwards they have this snapshot's sound files.
    """
    result, kept, readings = Catalogue(), Readings(), Readings() if readings is None else readings
    for path in sorted(snapshot.files):
        if is_manifest(path):
            text = snapshot.files[path]
            known = readings.get((path, text))
            read = _read_alone(path, text) if known is None else known
            if read is None:
                _read_file(path, text, result, complaints)
            else:
                kept[path, text] = read
                _take(read, result, complaints)
    readings.clear()
    readings.update(kept)
    return result


def _take(read: Reading, result: Catalogue, complaints: Complaints) -> None:
    for kind, entry in read:
        result.mentioned[kind][entry.name] = None
        _file_away(kind, entry, result, complaints)


def is_manifest(path: str) -> bool:
    """Tell whether a file holds manifests: YAML that is neither hidden nor among the templates."""
    return is_read(path) and path.endswith(MANIFEST_SUFFIXES) and not path.startswith(TEMPLATES)


def _read_alone(path: str, text: str) -> Reading | None:
    """Read a file as if it were the only one; give nothing where it has a fault, which must be told in its company."""
    alone, complaints = Catalogue(), Complaints()
    _read_file(path, text, alone, complaints)
    if len(complaints):
        return None
    return tuple((kind, entry) for kind, found in alone.entries.items() for entry in found.values())


def _read_file(path: str, text: str, result: Catalogue, complaints: Complaints) -> None:
    parsed = parse(path, text)
    complaints.extend(parsed.errors)
    result.whole &= parsed.whole
    version: Value = None
    for document in parsed.documents:
        if not isinstance(document.value, dict):
            complaints.add(document.at(), "wrong-type", "a manifest must be a mapping of keys to values")
            continue
        version = document.value.get("apiVersion", version)
        _read_document(document, document.value, version, result, complaints)


def _read_document(
    document: Document, value: dict[str, Value], version: Value, result: Catalogue, complaints: Complaints
) -> None:
    kind = value.get("kind")
    if not (_check_version(document, version, complaints) and _check_kind(document, kind, complaints)):
        result.whole = False
        return
    before = len(complaints)
    for key in [key for key in value if key not in _TOP][:MOST]:
        hint = complaints.suggest(key, _TOP) or "the keys here are " + ", ".join(_TOP)
        complaints.add(
            document.at_key(key), "unknown-key", f"`{clip(key)}` is not a key here", field=clip(key), hint=hint
        )
    _mention(str(kind), value, result)
    metadata = _validate(document, Metadata, "metadata", complaints)
    spec = _validate(document, KINDS[str(kind)], "spec", complaints)
    result.whole &= metadata is not None
    if metadata is not None and spec is not None and len(complaints) == before:
        _file_away(str(kind), Entry(metadata.name, metadata.labels, spec, document), result, complaints)


def _check_version(document: Document, version: Value, complaints: Complaints) -> bool:
    if version is None:
        message, hint = "`apiVersion` is missing", f"start the file with `apiVersion: {API_VERSION}`"
        complaints.add(document.at(), "missing-key", message, field="apiVersion", hint=hint)
    elif version != API_VERSION:
        message, place = f"`{clip(str(version))}` is not a version known here", document.at("apiVersion")
        complaints.add(place, "unknown-api-version", message, field="apiVersion", hint=f"write {API_VERSION}")
    return version == API_VERSION


def _check_kind(document: Document, kind: Value, complaints: Complaints) -> bool:
    if kind is None:
        hint = "one of " + ", ".join(KINDS)
        complaints.add(document.at(), "missing-key", "`kind` is missing", field="kind", hint=hint)
    elif not isinstance(kind, str) or kind not in KINDS:
        hint = complaints.suggest(str(kind), KINDS) or "one of " + ", ".join(KINDS)
        message = f"`{clip(str(kind))}` is not a kind"
        complaints.add(document.at("kind"), "unknown-kind", message, field="kind", hint=hint)
    return isinstance(kind, str) and kind in KINDS


M = TypeVar("M", bound=BaseModel)


def _validate(document: Document, model: type[M], key: str, complaints: Complaints) -> M | None:
    assert isinstance(document.value, dict)  # noqa: S101 - the caller has looked
    if document.value.get(key) is None:
        complaints.add(document.at(key), "missing-key", f"`{key}` is missing", field=key)
        return None
    try:
        return model.model_validate(document.value[key])
    except ValidationError as error:
        explain(document, model, error, key, complaints)
        return None


def _mention(kind: str, value: dict[str, Value], result: Catalogue) -> None:
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and isinstance(name := metadata.get("name"), str):
        result.mentioned[kind][name] = None


def _file_away(kind: str, entry: Entry[BaseModel], result: Catalogue, complaints: Complaints) -> None:
    first = result.entries[kind].setdefault(entry.name, entry)
    if first is not entry:
        message = f"there is another {kind} `{entry.name}`, at {first.place}"
        complaints.add(entry.place, "duplicate-name", message, field="metadata.name")
