"""`reconciler plan`: what a revision changes in stations, and why, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli.exits import BLOCKED, CHANGES, DRIFT, OK
from reconciler.cli.presentation import By, Format
from reconciler.cli.terminal import say
from reconciler.errors import ManifestError, RevisionError, UsageError

if TYPE_CHECKING:
    from reconciler.controller.revision import Revision
    from reconciler.plan.markdown import Link
    from reconciler.plan.planned import FleetPlan
    from reconciler.reported.saved import SavedState

HEAD = "HEAD"
MOST_PICTURES = 12
"""Of sites; a fleet with more has them drawn by `reconciler plot`."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", help=_HELP)(plan)


_HELP = """Show what a revision changes in stations, and why; nothing is sent.

Revisions are named as for `git diff`: without any, the working tree is compared with HEAD; --base REF compares it with
REF; --head REF compares REF with --base, or with HEAD. The base counts as held by every station. Without a base to be
found (no commit yet, no repository), everything is new.

With --state or --server the head is compared with what stations report; then --base (default: the commit that the
controller had in force, if this repository has it) tells intended changes from drift.

With -o markdown it is a comment for a pull request, with a hidden marker by which it is updated in place; --pictures
draws what it refers to. --out saves the plan: `reconciler show` prints it again, `reconciler apply` applies it. Where
a revision can't be taken, the comment says why with every error, and so does -o json (`"ok": false`); it ends with 1.

With --exit-code: 0 = nothing to do, 2 = changes are pending, 3 = drift only, 4 = something is refused.

\b
Examples:
  reconciler plan fleets/harbour-buses
  reconciler plan --base origin/main --exit-code
  reconciler plan --head v12 --server http://127.0.0.1:8081 -o json
  reconciler plan --base origin/main --head HEAD --out plan.json -o markdown --pictures pictures"""


def plan(
    path: Path = typer.Argument(Path(), help="The folder of the fleet, in its repository."),
    base: str = typer.Option("", help="What stations are taken to hold: a branch, tag or commit."),
    head: str = typer.Option("", help="What they should hold; default: the working tree."),
    state: str = typer.Option("", metavar="FILE", help="Compare with this saved state (- is stdin)."),
    server: str = typer.Option("", metavar="URL", help="Compare with what this controller knows."),
    at: str = typer.Option("", help="Plan as of this instant (RFC 3339); default: now."),
    output: Format = typer.Option(Format.TEXT, "-o", "--output", help="How to print."),
    by: By = typer.Option(By.CHANGE, help="What the text is divided by: equal changes, groups or stations."),
    out: str = typer.Option("", metavar="FILE", help="Save the plan as well, for `show` and `apply`."),
    expires: str = typer.Option("24h", metavar="DURATION", help="How long a saved plan may be applied."),
    pictures: Path | None = typer.Option(None, metavar="FOLDER", help="Draw the sites that change there."),
    pictures_url: str = typer.Option("", metavar="URL", help="Where Markdown finds them; default: that folder."),
    exit_code: bool = typer.Option(False, "--exit-code", help="Tell the result by the exit code."),
) -> int:
    """Plan and print."""
    from dataclasses import replace

    from reconciler.cli.inputs import prove, read_at, read_tree
    from reconciler.cli.options import read_duration
    from reconciler.cli.presentation import print_plan
    from reconciler.plan.fleet_plan import plan_fleet

    now, until = read_at(""), read_duration("--expires", expires)
    instant = (read_at(at) if at else now).replace(microsecond=0)
    held = read_held(state, server)
    refs = (base or (HEAD if held is None else held.revision), head)
    with _telling(path, refs, output, is_base=False):
        revision = prove(read_tree(path, head), instant)
    with _telling(path, refs, output, is_base=True):
        before = find_base(path, base, held, revision)
    with _telling(path, refs, output, is_base=False):
        planned = plan_fleet(revision, instant, before, held.stations if held else None)
    planned = replace(planned, created=now, expires=now + until, state_at=held.at if held else None)
    links = _draw(pictures, pictures_url, planned, (before, revision)) if pictures else ()
    if out:
        _save(out, planned)
    print_plan(planned, output, by, links)
    return _verdict(planned) if exit_code else OK


@contextmanager
def _telling(path: Path, refs: tuple[str, str], output: Format, *, is_base: bool) -> Iterator[None]:
    """Print the reasons in the form that was asked for where one side of the plan can't be taken."""
    try:
        yield
    except (ManifestError, RevisionError) as error:
        from reconciler.cli.untaken import print_refusal

        print_refusal(error, path, refs, output, is_base=is_base)
        raise


def read_held(state: str, server: str) -> SavedState | None:
    """Read what stations report, from a file or a controller; None where neither is named.

    Raises:
        UsageError: both are named, or the file can't be read.
    """
    if state and server:
        raise UsageError("--state and --server exclude each other: both say what stations hold")
    if state:
        from reconciler.cli.inputs import read_state_file

        return read_state_file(state)
    if not server:
        return None
    from reconciler.cli.client import Client
    from reconciler.reported.saved import read_state

    with Client(server) as client:
        return read_state(client.get("state"))


def find_base(path: Path, ref: str, held: SavedState | None, head: Revision | None = None) -> Revision | None:
    """Find the base: the one that is named, else the one in force, else HEAD; None where there is none."""
    from reconciler.cli.inputs import read_tree, trust

    likely = HEAD if held is None else held.revision
    if not ref and not likely:
        return None
    try:
        snapshot = read_tree(path, ref or likely)
    except (UsageError, ManifestError) as error:
        if ref:
            raise
        say(f"note: {error}; {'everything counts as new' if held is None else 'drift is not told from changes'}")
        return None
    try:
        return trust(snapshot, head)
    except RevisionError:
        say(f"error: the base {(ref or likely)[:12]} does not load; --base names another to compare with")
        raise


def _save(file: str, planned: FleetPlan) -> None:
    """Write the plan for `show` and `apply`."""
    from reconciler.cli.presentation import plan_as_json

    try:
        Path(file).write_bytes(plan_as_json(planned) + b"\n")
    except OSError as error:
        raise UsageError(f"--out: {file} can't be written: {error.strerror or error}") from error


def _draw(folder: Path, url: str, planned: FleetPlan, revisions: tuple[Revision | None, Revision]) -> list[Link]:
    """Draw every site that something changes at, and give the references to the pictures."""
    from zoneinfo import ZoneInfo

    from reconciler.cli.plot import Subject, file_name, portray, write_picture
    from reconciler.pictures.draw import draw
    from reconciler.plan.markdown import Link

    day = planned.at.astimezone(ZoneInfo(planned.timezone)).date()
    sites = sorted({each.site for each in planned.stations if each.site and (each.changes or each.later)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--pictures: {folder} can't be made: {error.strerror or error}") from error
    links: list[Link] = []
    for site in sites[:MOST_PICTURES]:
        name = f"site-{file_name(site)}.png"
        write_picture(folder / name, draw(portray(Subject.SITE, site, day, *revisions), "png"))
        links.append(Link(f"Site {site} before and after", f"{(url or folder.as_posix()).rstrip('/')}/{name}"))
    return links


def _verdict(planned: FleetPlan) -> int:
    if planned.is_blocked:
        return BLOCKED
    if not planned.is_empty:
        return CHANGES
    return DRIFT if planned.is_drifted else OK
