"""How the errors of a revision are shown: one line each with the place first, so that editors and people find it.

At a terminal the offending line follows, with a caret that names the fix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.cli.terminal import console, printable
from reconciler.errors import ManifestError, RevisionError

if TYPE_CHECKING:
    from rich.text import Text

    from reconciler.cli.annotations import Notice

SHOWN = 200
"""Beyond these a terminal helps nobody; `validate -o json` gives all."""
STYLES = {"error": "bold red", "warning": "bold yellow"}


@dataclass(eq=False)
class Quoted(RevisionError):
    """A refused revision together with its files, so that the offending lines can be shown."""

    files: Mapping[str, str] = field(default_factory=dict)


def print_errors(errors: Sequence[ManifestError], files: Mapping[str, str] | None = None) -> None:
    """Print errors to stderr, in the order given; `files` are those of their revision, where they are known."""
    from reconciler.cli.annotations import Notice

    print_notices([Notice(error) for error in errors], files or {}, stderr=True)


def print_notices(notices: Sequence[Notice], files: Mapping[str, str], *, stderr: bool) -> None:
    """Print errors and warnings, and count them; with the offending lines where a person looks."""
    screen = console(stderr=stderr)
    shown = notices[:SHOWN]
    if screen.is_terminal:
        for line in _quoted(shown, files):
            screen.print(line, soft_wrap=True)
    else:
        screen.file.writelines(f"{printable(_line(notice))}\n" for notice in shown)
    if len(notices) > SHOWN:
        screen.file.write(f"and {len(notices) - SHOWN} more; `reconciler validate -o json` gives all of them\n")
    screen.file.write(f"{count_notices(notices)}\n")
    screen.file.flush()


def count_notices(notices: Iterable[Notice]) -> str:
    """Say how many there are of each level, the graver first."""
    from reconciler.cli.annotations import Level
    from reconciler.profiles.wording import count

    levels = [notice.level for notice in notices]
    return ", ".join(count(levels.count(level), level.value) for level in Level if level in levels)


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


def _line(notice: Notice) -> str:
    from reconciler.cli.annotations import Level

    return str(notice.error) if notice.level is Level.ERROR else f"{notice.level}: {notice.error}"


def _quoted(notices: Iterable[Notice], files: Mapping[str, str]) -> Iterable[Text]:
    """Give each notice's head, its line and its caret; where the line is not known, the head has the hint as well."""
    from rich.text import Text

    from reconciler.cli.excerpt import Excerpts

    excerpts = Excerpts(files)
    for notice in notices:
        error, style = notice.error, STYLES[notice.level]
        rows = excerpts.quote(error)
        at, hint = f" {error.field}:" if error.field else "", f" ({error.hint})" if error.hint and not rows else ""
        yield Text.assemble(
            (f"{notice.level}", style),
            (f" {printable(str(error.place))}:", "bold"),
            printable(f"{at} {error.message}{hint}"),
            (f" [{error.rule}]", "dim"),
        )
        for row in rows:
            yield Text.assemble((f"  {row.margin}", "dim"), (row.text, style if row.is_caret else ""))
        if rows:
            yield Text()
