"""`reconciler get stations|groups`: what a running controller knows, as a list."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import typer

EXAMPLE = "Example: reconciler get stations -l line=night -o json"


class Kind(StrEnum):
    """What can be listed."""

    STATIONS = "stations"
    GROUPS = "groups"


def _states(incomplete: str) -> list[str]:
    """Complete the option's value."""
    from reconciler.web.view import STATES

    return [state for state in STATES if state.startswith(incomplete)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("get", epilog=EXAMPLE)(get)


def get(
    kind: Kind = typer.Argument(..., help="stations or groups."),
    label: list[str] = typer.Option([], "-l", "--label", help="key=value; only stations that carry it."),
    state: str | None = typer.Option(
        None, autocompletion=_states, help="Only stations in this state, such as drifted."
    ),
    output: str = typer.Option("table", "-o", "--output", help="table, json, yaml or name."),
    server: str = typer.Option("", help="The controller's API (default: RECONCILER_SERVER, or this machine's)."),
) -> None:
    """List stations or groups of a running controller."""
    from reconciler.cli.client import Client
    from reconciler.cli.options import read_labels
    from reconciler.cli.output import Format, emit_data, emit_table, read_format
    from reconciler.errors import UsageError

    form = read_format(output)
    if kind is Kind.GROUPS and (label or state):
        raise UsageError("-l and --state choose stations, not groups")
    if state is not None:
        _check_state(state)
    labels = [f"{key}={value}" for key, value in read_labels(label).items()]
    with Client(server) as client:
        rows = client.get("groups") if kind is Kind.GROUPS else client.get("stations", label=labels, state=state)
    if form is not Format.TABLE:
        emit_data(rows, form)
    elif kind is Kind.GROUPS:
        emit_table(_groups(rows))
    else:
        emit_table(stations_table(rows))


def stations_table(rows: list[dict[str, Any]]) -> Any:
    """Draw stations as the API shows them."""
    from reconciler.cli.output import cell, kilowatts, make_table, state_cell

    table = make_table("STATION", "OCPP", "STATE", "REVISION", "POWER", "FOREIGN", "REASON", right=("POWER", "FOREIGN"))
    for row in rows:
        power = sum(row["powerW"].values()) if row["powerW"] else None
        table.add_row(
            cell(row["identity"]),
            cell(row["protocol"] if row["connected"] else "-"),
            state_cell(row["state"]),
            cell((row["revision"] or "-")[:8]),
            cell(kilowatts(power)),
            cell(row["foreign"] or ""),
            cell(row["reason"]),
        )
    return table


def _check_state(state: str) -> None:
    """Refuse a state that no station can be in, before anybody is asked."""
    from reconciler.cli.inputs import nearest
    from reconciler.errors import UsageError
    from reconciler.web.view import STATES

    if state not in STATES:
        near = nearest(state, STATES)
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"--state takes {', '.join(STATES)}, not {state!r}{hint}")


def _groups(rows: list[dict[str, Any]]) -> Any:
    from reconciler.cli.output import cell, make_table

    table = make_table("GROUP", "SITE", "STATIONS", "STATES", "SCHEDULES", right=("STATIONS",))
    for row in rows:
        states = ", ".join(f"{count} {state}" for state, count in row["states"].items() if count)
        schedules = ", ".join(f"{each['schedule']} ({each['priority']})" for each in row["schedules"])
        table.add_row(cell(row["name"]), cell(row["site"] or "-"), cell(row["stations"]), cell(states), cell(schedules))
    return table
