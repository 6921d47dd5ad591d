"""`reconciler drift`: stations that hold something else than they should, though nothing was changed in git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli.exits import BLOCKED, DRIFT, OK
from reconciler.cli.orders import SERVER

if TYPE_CHECKING:
    from rich.table import Table

_HELP = """List the stations that drifted, refuse what they should hold, or hold profiles of others.

With --exit-code: 0 = none, 3 = drift or foreign profiles, 4 = nothing but refusals.

Example: reconciler drift --exit-code -o json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drift", help=_HELP)(drift)


def drift(
    output: str = typer.Option("table", "-o", "--output", help="table, json, yaml or name."),
    exit_code: bool = typer.Option(False, "--exit-code", help="Tell the result by the exit code."),
    server: str = SERVER,
) -> int:
    """List drift."""
    from reconciler.cli.client import Client
    from reconciler.cli.output import Format, emit_data, emit_table, read_format
    from reconciler.cli.terminal import say

    form = read_format(output)
    with Client(server) as client:
        rows = client.get("drift")
    if form is not Format.TABLE:
        emit_data(rows, form)
    elif rows:
        emit_table(_table(rows))
    else:
        say("no drift")
    return _verdict(rows) if exit_code else OK


def _verdict(rows: list[dict[str, Any]]) -> int:
    if any(row["foreign"] or row["state"] == "drifted" for row in rows):
        return DRIFT
    return BLOCKED if rows else OK


def _table(rows: list[dict[str, Any]]) -> Table:
    from reconciler.cli.output import cell, make_table, state_cell

    table = make_table("STATION", "STATE", "PROFILE", "EVSE", "WHAT")
    for row in rows:
        for profile in row["profiles"]:
            what = f"{profile['verdict']}: {profile['reason']}"
            table.add_row(*_cells(row, profile), cell(what))
        for profile in row["foreign"]:
            table.add_row(*_cells(row, profile), cell(f"foreign {profile['purpose']} ({profile['source']})"))
        if not row["profiles"] and not row["foreign"]:
            table.add_row(cell(row["identity"]), state_cell(row["state"]), "", "", cell(row["reason"]))
    return table


def _cells(row: dict[str, Any], profile: dict[str, Any]) -> tuple[Any, ...]:
    from reconciler.cli.output import cell, state_cell

    return cell(row["identity"]), state_cell(row["state"]), cell(profile["id"]), cell(profile["evseId"])
