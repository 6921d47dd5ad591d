"""`reconciler schema`: the language of the manifests as JSON Schema, for editors and other programs."""

from __future__ import annotations

from pathlib import Path

import typer

from reconciler.cli.completion import kinds


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema", help=_HELP)(schema)


_HELP = """Print the JSON Schema (draft 2020-12) of the manifests.

Without KIND it is one schema for every kind; what holds for `spec` hangs on `kind`. With --out it is written into a
folder, and an editor with the YAML language server completes and checks a file that begins with

\b
  # yaml-language-server: $schema=schemas/v2g.fleet.v1alpha1.json

Example:  reconciler schema --out schemas"""


def schema(
    kind: str = typer.Argument("", autocompletion=kinds, help="Fleet, Site, Group, Schedule, …; default: all kinds."),
    out: Path | None = typer.Option(None, help="Write it into this folder, which is made if need be."),
) -> None:
    """Print or write the schema."""
    from reconciler.cli.terminal import emit, say
    from reconciler.errors import UsageError
    from reconciler.manifests.schema import FILE_NAME

    text = write_schema(kind)
    if out is None:
        emit(text)
        return
    path = out / (FILE_NAME if not kind else FILE_NAME.replace(".json", f".{kind}.json"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error
    say(f"wrote {path}")


def write_schema(kind: str = "") -> str:
    """Give the schema of a kind, or of all, as the text of its file.

    Raises:
        UsageError: there is no such kind.
    """
    import json

    from reconciler.errors import UsageError
    from reconciler.manifests.models import KINDS
    from reconciler.manifests.schema import schema as schema_of
    from reconciler.profiles.wording import suggest

    if kind and kind not in KINDS:
        hint = suggest(kind, KINDS) or f"; the kinds are {', '.join(KINDS)}"
        raise UsageError(f"there is no kind {kind}{hint}")
    return json.dumps(schema_of(*([kind] if kind else [])), indent=2, ensure_ascii=False) + "\n"
