"""`reconciler plan`: what a revision changes in stations, and why, before anything is sent."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli.exits import BLOCKED, CHANGES, DRIFT, OK
from reconciler.cli.terminal import emit, printable, say
from reconciler.errors import ManifestError, RevisionError, UsageError

if TYPE_CHECKING:
    from reconciler.controller.revision import Revision
    from reconciler.plan.fleet_plan import FleetPlan
    from reconciler.plan.text import Line
    from reconciler.profiles.capability import Protocol
    from reconciler.profiles.form import JsonObject
    from reconciler.profiles.profile import Profile
    from reconciler.reported.saved import SavedState

HEAD = "HEAD"
STYLES = {"heading": "bold", "add": "green", "change": "yellow", "remove": "red", "warn": "magenta", "quiet": "dim"}


class Format(StrEnum):
    """What `-o` takes."""

    TEXT = "text"
    JSON = "json"


class By(StrEnum):
    """What `--by` takes."""

    CHANGE = "change"
    GROUP = "group"
    STATION = "station"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", help=_HELP)(plan)


_HELP = """Show what a revision changes in stations, and why; nothing is sent.

Revisions are named as for `git diff`: without any, the working tree is compared with HEAD; --base REF compares it with
REF; --head REF compares REF with --base, or with HEAD. The base counts as held by every station. Without a base to be
found (no commit yet, no repository), everything is new.

With --state or --server the head is compared with what stations report; then --base (default: the commit that the
controller had in force, if this repository has it) tells intended changes from drift.

With --exit-code: 0 = nothing to do, 2 = changes are pending, 3 = drift only, 4 = something is refused.

\b
Examples:
  reconciler plan fleets/harbour-buses
  reconciler plan --base origin/main --exit-code
  reconciler plan --head v12 --server http://127.0.0.1:8081 -o json"""


def plan(
    path: Path = typer.Argument(Path(), help="The folder of the fleet, in its repository."),
    base: str = typer.Option("", help="What stations are taken to hold: a branch, tag or commit."),
    head: str = typer.Option("", help="What they should hold; default: the working tree."),
    state: str = typer.Option("", metavar="FILE", help="Compare with this saved state (- is stdin)."),
    server: str = typer.Option("", metavar="URL", help="Compare with what this controller knows."),
    at: str = typer.Option("", help="Plan as of this instant (RFC 3339); default: now."),
    output: Format = typer.Option(Format.TEXT, "-o", "--output", help="How to print."),
    by: By = typer.Option(By.CHANGE, help="What the text is divided by: equal changes, groups or stations."),
    exit_code: bool = typer.Option(False, "--exit-code", help="Tell the result by the exit code."),
) -> int:
    """Plan and print."""
    from reconciler.cli.inputs import prove, read_at, read_tree
    from reconciler.plan.fleet_plan import plan_fleet

    instant = read_at(at)
    held = read_held(state, server)
    revision = prove(read_tree(path, head), instant)
    planned = plan_fleet(revision, instant, find_base(path, base, held), held.stations if held else None)
    _print(planned, output, by)
    return _verdict(planned) if exit_code else OK


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


def find_base(path: Path, ref: str, held: SavedState | None) -> Revision | None:
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
        return trust(snapshot)
    except RevisionError:
        say(f"error: the base {(ref or likely)[:12]} does not load; --base names another to compare with")
        raise


def _print(planned: FleetPlan, output: Format, by: By) -> None:
    if output is Format.JSON:
        import orjson

        from reconciler.plan.json_form import write_json

        emit(orjson.dumps(write_json(planned, _request), option=orjson.OPT_INDENT_2).decode())
        return
    from reconciler.plan.sections import Division
    from reconciler.plan.text import write_text

    print_lines(write_text(planned, Division(by)))


def print_lines(lines: tuple[Line, ...]) -> None:
    """Print a plan's lines to stdout, in colour where a person looks."""
    if not sys.stdout.isatty():
        emit("\n".join(printable(line.text) for line in lines))
        return
    from reconciler.cli.terminal import console

    screen = console()
    for line in lines:
        screen.print(printable(line.text), style=STYLES.get(line.tone, ""), soft_wrap=True)


def _request(profile: Profile, protocol: Protocol) -> JsonObject:
    """Give what goes out; the profile was fitted and lowered for its station before."""
    from reconciler.ocpp.dialects import dialect
    from reconciler.profiles.capability import Capability
    from reconciler.profiles.profile import Mode

    return dialect(protocol).set_profile(profile, Capability(protocol, negative_limit=True, modes=frozenset(Mode)))


def _verdict(planned: FleetPlan) -> int:
    if planned.is_blocked:
        return BLOCKED
    if not planned.is_empty:
        return CHANGES
    return DRIFT if planned.is_drifted else OK
