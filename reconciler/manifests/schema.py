"""The manifests' models as JSON Schema (draft 2020-12), so that editors complete and check what people write.

Called by `reconciler schema`. It knows the models only by asking pydantic, and what each key is for by `descriptions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from reconciler.manifests import descriptions
from reconciler.manifests.models import API_VERSION, KINDS, Metadata
from reconciler.manifests.quantity import Quantity

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILE_NAME = f"{API_VERSION.replace('/', '.')}.json"
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_ABOVE_DAYS = timedelta(days=2)


def schema(*kinds: str) -> dict[str, object]:
    """Give the schema of documents of these kinds, or of any; what holds for `spec` hangs on `kind`."""
    chosen = kinds or tuple(KINDS)
    wanted: tuple[type[BaseModel], ...] = (Metadata, *(KINDS[kind] for kind in chosen))
    written = models_json_schema([(model, "validation") for model in wanted], schema_generator=_Generator)[1]
    definitions: Mapping[str, Any] = written["$defs"]
    known = {model.__name__: model for model in models()}
    return {
        "$schema": DRAFT,
        "title": f"{API_VERSION} {chosen[0]}" if len(chosen) == 1 else API_VERSION,
        "description": _describe(chosen),
        "type": "object",
        "additionalProperties": False,
        "required": ["kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {
                "const": API_VERSION,
                "description": "The version of the language; it stands once in each file, in its first document.",
            },
            "kind": {"enum": list(chosen), "description": "What the document describes."},
            "metadata": {"$ref": f"#/$defs/{Metadata.__name__}"},
            "spec": {"type": "object", "description": "What is said of it; its keys hang on `kind`."},
        },
        "allOf": [_branch(kind) for kind in chosen],
        "$defs": {name: _describe_keys(known.get(name), definitions[name]) for name in sorted(definitions)},
    }


def _describe(kinds: Iterable[str]) -> str:
    known = [kind for kind in kinds if kind in descriptions.KINDS]
    return "\n".join(f"{kind}: {descriptions.KINDS[kind]}" for kind in known)


def _branch(kind: str) -> dict[str, object]:
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"properties": {"spec": {"$ref": f"#/$defs/{KINDS[kind].__name__}"}}},
    }


def _describe_keys(model: type[BaseModel] | None, definition: dict[str, Any]) -> dict[str, Any]:
    properties = definition.get("properties")
    if model is None or not properties:
        return definition
    said = sentences(model)
    described = {key: _describe_key(said.get(key, ""), value) for key, value in properties.items()}
    return {**definition, "properties": described}


def _describe_key(sentence: str, value: dict[str, Any]) -> dict[str, Any]:
    both = " ".join(part for part in (sentence, value.get("description", "")) if part)
    return {"description": both, **{name: part for name, part in value.items() if name != "description"}}


class _Generator(GenerateJsonSchema):
    """Writes defaults as people would, and no titles, which would only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (pydantic's own signature)
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        written = super().model_schema(schema)
        written.pop("title", None)
        return written

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        default = _written(schema.get("default"))
        return inner if default is None else {**inner, "default": default}


def _written(default: object) -> object:
    """Give a default as it would stand in a manifest; None for what is absent, or can't be told without its unit."""
    match default:
        case timedelta():
            return _duration(default)
        case Quantity():
            return str(default)
        case Enum():
            return default.value
        case bool() | int() | str() if default != "":
            return default
        case _:
            return None


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    units = _UNITS if value >= _ABOVE_DAYS else _UNITS[1:]
    return next(f"{seconds // size}{unit}" for size, unit in units if seconds % size == 0)


def sentences(model: type[BaseModel]) -> Mapping[str, str]:
    """Give what each key of a model is for; what a model inherits is said once, where it comes from."""
    rows = (descriptions.KEYS.get(each.__name__, {}) for each in reversed(model.__mro__))
    return {key: sentence for row in rows for key, sentence in row.items()}


def models() -> Iterator[type[BaseModel]]:
    """Give every model that a manifest is made of, each once."""
    waiting: list[type[BaseModel]] = [Metadata, *KINDS.values()]
    seen: set[type[BaseModel]] = set()
    while waiting:
        model = waiting.pop()
        if model not in seen:
            seen.add(model)
            waiting += (found for field in model.model_fields.values() for found in _inside(field.annotation))
            yield model


def _inside(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _inside(part)
