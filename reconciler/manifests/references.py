"""Settings that refer to other documents or files: departures to calendars, the use of a template to its declaration.

Used by `load`, which hands it to `inheritance`. Every parameter of a template is held against its declared type here.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from decimal import Decimal

from pydantic import BaseModel

from reconciler.manifests.calendars import Almanac
from reconciler.manifests.catalogue import Catalogue, Entry
from reconciler.manifests.complaints import Complaints, clip
from reconciler.manifests.days import Pattern
from reconciler.manifests.fields import ParameterValue, read_parameter
from reconciler.manifests.fleet import ReadyBy, TemplateUse
from reconciler.manifests.programme import ReadyBySpec, TemplateSpec, TemplateUseSpec
from reconciler.manifests.quantity import Malformed
from reconciler.manifests.snapshot import TEMPLATE_SUFFIX

SUFFIX = f".yaml{TEMPLATE_SUFFIX}"


class References:
    """Makes values of settings; `files` are the names of the revision's templates."""

    def __init__(self, catalogue: Catalogue, almanac: Almanac, files: Collection[str], complaints: Complaints) -> None:
        self._catalogue, self._almanac, self._files, self._complaints = catalogue, almanac, files, complaints
        for entry in catalogue.templates.values():
            self._check_file(entry)

    def resolve(self, value: Hashable, entry: Entry[BaseModel]) -> Hashable:
        """Give the value of a setting; None where it is wrong, which is noted."""
        match value:
            case ReadyBySpec():
                return self._ready_by(value, entry)
            case TemplateUseSpec():
                return self._template(value, entry)
            case _:
                return value

    def _ready_by(self, spec: ReadyBySpec, entry: Entry[BaseModel]) -> ReadyBy:
        days = self._almanac.resolve(spec.days, entry, ("readyBy", "days"), "spec.readyBy.days")
        capacity = spec.capacity
        least = spec.min_energy if capacity is None else (spec.min_soc or Decimal(0)) * capacity
        return ReadyBy(
            time=spec.time,
            days=Pattern(days),
            since=spec.since,
            least_wh=least or Decimal(0),
            capacity_wh=capacity,
            assumed_wh=spec.assume_soc * capacity if capacity is not None else Decimal(0),
            trims=spec.policy == "trim",
            place=entry.at("readyBy"),
        )

    def _template(self, spec: TemplateUseSpec, entry: Entry[BaseModel]) -> TemplateUse | None:
        place, field = entry.at("template", "name"), "spec.template.name"
        if not self._catalogue.check_reference("Template", spec.name, place, field, self._complaints):
            return None
        declared = self._catalogue.templates[spec.name].spec
        for name in spec.parameters:
            if name not in declared.parameters:
                path = ("template", "parameters", name)
                hint = self._complaints.suggest(name, declared.parameters)
                hint = hint or "it takes " + (", ".join(declared.parameters) or "none")
                message = f"template `{spec.name}` has no parameter `{clip(name)}`"
                field = f"spec.template.parameters.{clip(name)}"
                self._complaints.add(entry.at(*path), "unknown-parameter", message, field=field, hint=hint)
        return TemplateUse(spec.name, file_of(spec.name, declared), tuple(self._values(spec, declared, entry)))

    def _values(
        self, spec: TemplateUseSpec, declared: TemplateSpec, entry: Entry[BaseModel]
    ) -> Iterator[tuple[str, ParameterValue]]:
        for name, parameter in sorted(declared.parameters.items()):
            given = spec.parameters.get(name, parameter.default)
            path, field = ("template", "parameters", name), f"spec.template.parameters.{name}"
            if given is None:
                message = f"template `{spec.name}` needs the parameter `{name}`, a {parameter.type}"
                self._complaints.add(entry.at(*path), "missing-parameter", message, field=field)
                continue
            try:
                yield name, read_parameter(parameter.type, given)
            except Malformed as error:
                self._complaints.add(entry.at(*path), error.rule, error.message, field=field, hint=error.hint)

    def _check_file(self, entry: Entry[TemplateSpec]) -> None:
        file = file_of(entry.name, entry.spec)
        if file not in self._files:
            hint = self._complaints.suggest(file, self._files) or "it lies in the folder `templates`"
            message = f"there is no file `templates/{clip(file)}`"
            self._complaints.add(entry.at("file"), "unknown-reference", message, field="spec.file", hint=hint)


def file_of(name: str, spec: TemplateSpec) -> str:
    """Give the file of a template in the folder `templates`: by its name where none is given."""
    return spec.file or f"{name}{SUFFIX}"
