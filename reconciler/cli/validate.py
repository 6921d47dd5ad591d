"""`reconciler validate`: everything that is wrong with a tree, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli.exits import ERROR, OK
from reconciler.cli.terminal import emit, printable, say
from reconciler.errors import ManifestError, RevisionError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.cli.annotations import Notice


class Format(StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found: the size of a fleet that is right, its warnings, or errors; and the files for showing them."""

    parts: Mapping[str, int] = field(default_factory=dict)
    errors: Sequence[ManifestError] = ()
    warnings: Sequence[ManifestError] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def notices(self) -> list[Notice]:
        """Give errors, then warnings."""
        from reconciler.cli.annotations import Level, Notice

        return [Notice(each) for each in self.errors] + [Notice(each, Level.WARNING) for each in self.warnings]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate", help=_HELP)(validate)


_HELP = """Check the manifests and templates of a folder, as it lies: nothing needs to be committed.

The tree is loaded, rendered for every kind of station, held against OCPP's schemas and against the guardrails.
Every error is shown with file, line and column, field, rule and hint; any error ends with exit code 1. For reviews,
`-o github` prints annotations of a GitHub workflow, and `-o sarif` a log in SARIF 2.1.0.

\b
Examples:
  reconciler validate fleets/harbour-buses
  reconciler validate -o sarif > findings.sarif"""


def validate(
    path: Path = typer.Argument(Path(), help="The folder of the fleet."),
    output: Format = typer.Option(Format.TABLE, "-o", "--output", help="How to show errors."),
    at: str = typer.Option("", help="Check as of this instant (RFC 3339); default: now."),
) -> int:
    """Check a folder and print what is wrong with it."""
    from reconciler.cli.inputs import folder_in_repository, read_at

    found = _find(path, read_at(at))
    match output:
        case Format.TABLE:
            _print_lines(found)
        case Format.JSON:
            _print_json(_to_json(found))
        case Format.GITHUB:
            _print_github(found, folder_in_repository(path))
        case Format.SARIF:
            _print_json(_to_sarif(found, folder_in_repository(path)))
    return ERROR if found.errors else OK


def _find(path: Path, at: datetime) -> Findings:
    from reconciler.cli.inputs import count_parts, errors_of, prove, read_tree

    files: Mapping[str, str] = {}
    try:
        snapshot = read_tree(path)
        files = snapshot.files
        revision = prove(snapshot, at)
    except (ManifestError, RevisionError) as error:
        return Findings(errors=errors_of(error), files=files)
    return Findings(count_parts(revision), warnings=[each.as_error() for each in revision.warnings], files=files)


def _print_lines(found: Findings) -> None:
    from reconciler.cli.complaints import print_notices

    if found.notices:
        print_notices(found.notices, found.files, stderr=False)
    if not found.errors:
        emit(_summary(found))


def _summary(found: Findings) -> str:
    from reconciler.profiles.wording import count

    return f"ok: {', '.join(count(number, noun) for noun, number in found.parts.items())}"


def _print_github(found: Findings, folder: str) -> None:
    from reconciler.cli.annotations import write_github
    from reconciler.cli.complaints import count_notices

    for line in write_github(found.notices, folder):
        emit(printable(line))
    say(count_notices(found.notices) if found.errors else _summary(found))


def _print_json(content: object) -> None:
    import orjson

    emit(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def _to_json(found: Findings) -> dict[str, Any]:
    from reconciler.cli.complaints import as_json

    return {
        "format_version": 1,
        "ok": not found.errors,
        "counts": found.parts,
        "errors": [as_json(each) for each in found.errors],
        "warnings": [as_json(each) for each in found.warnings],
    }


def _to_sarif(found: Findings, folder: str) -> dict[str, object]:
    from importlib.metadata import version

    from reconciler.cli.annotations import write_sarif

    return write_sarif(found.notices, folder, version("fleet-profile-reconciler"))
