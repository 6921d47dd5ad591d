"""How the errors of a revision are shown: one line each, with the place first, so that editors and people find it."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.terminal import say
from reconciler.errors import ManifestError

SHOWN = 200
"""Beyond these a terminal helps nobody; `validate -o json` gives all."""


def print_errors(errors: Sequence[ManifestError]) -> None:
    """Print errors to stderr, in the order given."""
    for error in errors[:SHOWN]:
        say(str(error))
    if len(errors) > SHOWN:
        say(f"and {len(errors) - SHOWN} more; `reconciler validate -o json` gives all of them")
    say(f"{len(errors)} error{'s' if len(errors) != 1 else ''}")


def as_json(error: ManifestError) -> dict[str, object]:
    """Give an error as a JSON object."""
    return {
        "file": error.place.file,
        "line": error.place.line,
        "column": error.place.column,
        "field": error.field,
        "rule": error.rule,
        "message": error.message,
        "hint": error.hint,
    }
