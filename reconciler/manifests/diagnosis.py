"""What pydantic found, in the words of an author, with the place of each.

Used by the catalogue; knows the models only by walking their fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, get_args

from pydantic import BaseModel

from reconciler.manifests.complaints import clip, field_path
from reconciler.manifests.quantity import Malformed
from reconciler.profiles.wording import count

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.documents import Document, Path

ModelType: TypeAlias = type[BaseModel]

MOST = 100

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}
_HINTS = {"string_type": "quote it"}


def explain(document: Document, model: ModelType, error: ValidationError, root: str, complaints: Complaints) -> None:
    """Note each of a validation's errors with its place, its field path below `root`, and what would be right."""
    details = error.errors(include_url=False)
    for detail in details[:MOST]:
        path = (root, *(step for step in detail["loc"] if step != "[key]"))
        if detail["type"] == "extra_forbidden":
            _unknown_key(document, model, path, complaints)
            continue
        rule, message, hint = _words(detail, path, complaints)
        complaints.add(document.at(*path), rule, message, field=field_path(path), hint=hint)
    if len(details) > MOST:
        message = f"{count(len(details) - MOST, 'more error')} in this document"
        complaints.add(document.at(root), "more-errors", message, field=root)


def _unknown_key(document: Document, model: ModelType, path: Path, complaints: Complaints) -> None:
    key, known = str(path[-1]), keys_of(model, path[1:-1])
    hint = complaints.suggest(key, known) or "the keys here are " + ", ".join(known)
    message = f"`{clip(key)}` is not a key here"
    complaints.add(document.at_key(*path), "unknown-key", message, field=field_path(path), hint=hint)


def _words(detail: ErrorDetails, path: Path, complaints: Complaints) -> tuple[str, str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    malformed = context.get("error")
    if isinstance(malformed, Malformed):
        return (malformed.rule, malformed.message, malformed.hint)
    if kind == "missing":
        return ("missing-key", f"`{path[-1]}` is missing", "")
    if kind in {"literal_error", "enum"}:
        return _choice(detail["input"], str(context["expected"]), complaints)
    if kind in _EXPECTED:
        return ("wrong-type", f"this must be {_EXPECTED[kind]}", _HINTS.get(kind, ""))
    return ("out-of-range", detail["msg"].replace("Input", "this").replace(" after validation", ""), "")


def _choice(given: object, expected: str, complaints: Complaints) -> tuple[str, str, str]:
    known = expected.split("'")[1::2]
    hint = complaints.suggest(str(given), known) if isinstance(given, str) else ""
    return ("unknown-value", f"`{clip(str(given))}` is not one of {', '.join(known)}", hint)


def keys_of(model: ModelType, path: Path) -> list[str]:
    """List the keys that the model takes at a path below it, sorted."""
    current = model
    for step in path:
        if isinstance(step, str):
            current = _inner(_annotation(current, step)) or current
    return sorted(field.alias or name for name, field in current.model_fields.items())


def _annotation(model: ModelType, key: str) -> object:
    return next((field.annotation for name, field in model.model_fields.items() if key == (field.alias or name)), None)


def _inner(annotation: object) -> ModelType | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part))), None)
