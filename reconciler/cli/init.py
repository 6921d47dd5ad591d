"""`reconciler init`: a new fleet that is right from its first commit on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

DEFAULT_NAME = "my-fleet"
DEFAULT_ZONE = "UTC"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", help=_HELP)(init)


_HELP = """Make a new fleet: one site, one group, one schedule and a set of stations, with comments that teach.

The folder must be empty, but for git's own. Nothing is committed.

Example:  reconciler init harbour-buses --timezone Europe/Amsterdam"""


def init(
    folder: Path = typer.Argument(Path(), metavar="[DIR]", help="The folder, made if need be; default: this one."),
    name: str = typer.Option("", help="The fleet's name; default: the folder's."),
    timezone: str = typer.Option("", help="The IANA time zone of its schedules; default: this machine's."),
) -> None:
    """Prove the files, then write them."""
    from reconciler.cli.schema import write_schema
    from reconciler.cli.starter import make_starter
    from reconciler.cli.terminal import say

    _refuse_full(folder)
    files = make_starter(_name(name, folder), timezone or _local_zone(), write_schema())
    parts = _prove(files)
    _write(folder, files)
    for path in sorted(files):
        say(f"wrote {folder / path}")
    begin = "git add" if _in_repository(folder) else "git init, git add,"
    say(f"ok: {parts}; next: {begin} and `reconciler validate {folder}` after each edit")


def _in_repository(folder: Path) -> bool:
    """Tell whether a folder lies in a repository already."""
    place = folder.resolve()
    return any((each / ".git").exists() for each in (place, *place.parents))


def _refuse_full(folder: Path) -> None:
    from reconciler.errors import UsageError

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file")
    found = sorted(path.name for path in folder.iterdir() if path.name != ".git") if folder.is_dir() else []
    if found:
        raise UsageError(f"{folder} is not empty (it has {found[0]}): name a new folder")


def _prove(files: Mapping[str, str]) -> str:
    """Validate before anything is written; only what was given on the command line can be wrong here."""
    from reconciler.cli.clock import machine_clock
    from reconciler.cli.inputs import count_parts, prove
    from reconciler.errors import RevisionError, UsageError
    from reconciler.manifests.snapshot import Snapshot
    from reconciler.profiles.wording import count

    manifests = {path: text for path, text in files.items() if path.endswith(".yaml")}
    try:
        revision = prove(Snapshot("", "", None, "", manifests), machine_clock())
    except RevisionError as error:
        first = error.errors[0]
        option = {"metadata.name": "--name", "spec.timezone": "--timezone"}.get(first.field, "--name or --timezone")
        raise UsageError(f"{option}: {first.message}; {first.hint or 'see --help'}") from error
    return ", ".join(count(number, noun) for noun, number in count_parts(revision).items())


def _write(folder: Path, files: Mapping[str, str]) -> None:
    from reconciler.errors import UsageError

    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {error.strerror}") from error


def _name(given: str, folder: Path) -> str:
    """Take the name that is given, else the folder's where that can be one."""
    import re

    if given:
        return given
    own = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._")
    return own if own and not own.isdigit() else DEFAULT_NAME


def _local_zone(localtime: Path = Path("/etc/localtime")) -> str:
    """Give the machine's time zone where it says one by name."""
    import os
    from zoneinfo import ZoneInfo

    linked = localtime.resolve().as_posix().partition("zoneinfo/")[2]
    for name in (os.environ.get("TZ", ""), linked):
        try:
            return ZoneInfo(name.removeprefix(":")).key
        except (KeyError, ValueError, OSError):
            continue
    return DEFAULT_ZONE
