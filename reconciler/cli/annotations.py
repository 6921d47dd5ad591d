"""Errors and warnings for the programs that review changes: workflow annotations of GitHub, and SARIF 2.1.0. Pure.

Used by `validate`. Paths are given relative to the repository, because that is how both find the line to mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from urllib.parse import quote

from reconciler.errors import ManifestError

SARIF_VERSION = "2.1.0"
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


class Level(StrEnum):
    """How grave it is; both formats spell it so."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a line, and how grave it is."""

    error: ManifestError
    level: Level = Level.ERROR


def write_github(notices: Iterable[Notice], folder: str) -> tuple[str, ...]:
    """Give one workflow command for each notice; `folder` is the fleet's, relative to the repository, or empty."""
    return tuple(_command(notice, folder) for notice in notices)


def write_sarif(notices: Sequence[Notice], folder: str, version: str) -> dict[str, object]:
    """Give the log of one run, with each rule once; `version` is the program's own."""
    rules = sorted({notice.error.rule for notice in notices})
    positions = {rule: number for number, rule in enumerate(rules)}
    driver = {"name": "reconciler", "semanticVersion": version, "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(notice, folder, positions[notice.error.rule]) for notice in notices],
    }
    return {"$schema": SARIF_SCHEMA, "version": SARIF_VERSION, "runs": [run]}


def _command(notice: Notice, folder: str) -> str:
    error, place = notice.error, notice.error.place
    properties = {"file": _path(folder, place.file)}
    if place.line:
        properties["line"] = str(place.line)
    if place.column:
        properties["col"] = str(place.column)
    properties["title"] = error.rule
    written = ",".join(f"{name}={_escape(value, _PROPERTY)}" for name, value in properties.items())
    return f"::{notice.level} {written}::{_escape(_sentence(error), _DATA)}"


def _escape(text: str, marks: dict[str, str]) -> str:
    return "".join(marks.get(character, character) for character in text)


def _sentence(error: ManifestError) -> str:
    at = f"{error.field}: " if error.field else ""
    hint = f" ({error.hint})" if error.hint else ""
    return f"{at}{error.message}{hint}"


def _path(folder: str, file: str) -> str:
    """Join; the folder itself where an error is about no file in particular."""
    parts = [part for part in (folder, file) if part not in ("", ".")]
    return "/".join(parts) or "."


def _rule(rule: str) -> dict[str, object]:
    return {"id": rule, "shortDescription": {"text": rule.replace("-", " ")}}


def _result(notice: Notice, folder: str, position: int) -> dict[str, object]:
    error, place = notice.error, notice.error.place
    physical: dict[str, object] = {
        "artifactLocation": {"uri": quote(_path(folder, place.file)), "uriBaseId": "%SRCROOT%"}
    }
    if place.line:
        column = {"startColumn": place.column} if place.column else {}
        physical["region"] = {"startLine": place.line, **column}
    return {
        "ruleId": error.rule,
        "ruleIndex": position,
        "level": notice.level.value,
        "message": {"text": _sentence(error)},
        "locations": [{"physicalLocation": physical}],
        "partialFingerprints": {"reconciler/v1": _fingerprint(error)},
    }


def _fingerprint(error: ManifestError) -> str:
    """Give what stays the same when lines above are added, so that a finding is known again."""
    parts = (error.rule, error.place.file, error.field, error.message)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
