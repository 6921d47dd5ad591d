"""`reconciler validate`: everything that is wrong with a tree, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import typer

from reconciler.cli.exits import ERROR, OK
from reconciler.cli.terminal import emit, printable
from reconciler.errors import ManifestError, RevisionError


class Format(StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate", help=_HELP)(validate)


_HELP = """Check the manifests and templates of a folder, as it lies: nothing needs to be committed.

The tree is loaded, rendered for every kind of station, held against OCPP's schemas and against the caps of its sites.
Every error is shown with file, line and column, field, rule and hint; any error ends with exit code 1.

Example:  reconciler validate fleets/harbour-buses"""


def validate(
    path: Path = typer.Argument(Path(), help="The folder of the fleet."),
    output: Format = typer.Option(Format.TABLE, "-o", "--output", help="How to show errors."),
    at: str = typer.Option("", help="Check as of this instant (RFC 3339); default: now."),
) -> int:
    """Check a folder and print what is wrong with it."""
    from reconciler.cli.inputs import count_parts, errors_of, prove, read_at, read_tree

    instant = read_at(at)
    parts: Mapping[str, int] = {}
    errors: Sequence[ManifestError] = ()
    try:
        parts = count_parts(prove(read_tree(path), instant))
    except (ManifestError, RevisionError) as error:
        errors = errors_of(error)
    if output is Format.JSON:
        _print_json(parts, errors)
    else:
        _print_lines(parts, errors)
    return ERROR if errors else OK


def _print_lines(parts: Mapping[str, int], errors: Sequence[ManifestError]) -> None:
    from reconciler.plan.words import count

    if errors:
        emit("\n".join(printable(str(error)) for error in errors))
        emit(count(len(errors), "error"))
    else:
        emit(f"ok: {', '.join(count(number, noun) for noun, number in parts.items())}")


def _print_json(parts: Mapping[str, int], errors: Sequence[ManifestError]) -> None:
    import orjson

    from reconciler.cli.complaints import as_json

    found = {"format_version": 1, "ok": not errors, "counts": parts, "errors": [as_json(error) for error in errors]}
    emit(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
