"""`reconciler get stations|groups|sites|profiles`: what a running controller knows, as a list."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli.orders import SERVER

if TYPE_CHECKING:
    from reconciler.cli.client import Client
    from reconciler.cli.output import Format

EXAMPLE = "Example: reconciler get stations -l line=night -o json; reconciler get profiles -o json > state.json"


class Kind(StrEnum):
    """What can be listed."""

    STATIONS = "stations"
    GROUPS = "groups"
    SITES = "sites"
    PROFILES = "profiles"


OF_STATIONS = (Kind.STATIONS, Kind.PROFILES)
"""What can be chosen by labels and state."""


def _states(incomplete: str) -> list[str]:
    """Complete the option's value."""
    from reconciler.web.view import STATES

    return [state for state in STATES if state.startswith(incomplete)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("get", epilog=EXAMPLE)(get)


def get(
    kind: Kind = typer.Argument(..., help="stations, groups, sites, or the profiles that stations hold."),
    label: list[str] = typer.Option([], "-l", "--label", help="key=value; only stations that carry it."),
    state: str | None = typer.Option(
        None, autocompletion=_states, help="Only stations in this state, such as drifted."
    ),
    output: str = typer.Option("table", "-o", "--output", help="table, json, yaml or name."),
    server: str = SERVER,
) -> None:
    """List stations, groups, sites or held profiles of a running controller.

    Profiles as JSON are a saved state: `plan --state` and `import` read it.
    """
    from reconciler.cli.client import Client
    from reconciler.cli.options import read_labels
    from reconciler.cli.output import Format, emit_data, emit_table, read_format
    from reconciler.errors import UsageError

    form = read_format(output)
    if kind not in OF_STATIONS and (label or state):
        raise UsageError(f"-l and --state choose stations, not {kind.value}")
    if state is not None:
        _check_state(state)
    labels = [f"{key}={value}" for key, value in read_labels(label).items()]
    with Client(server) as client:
        asked = {"label": labels, "state": state} if kind in OF_STATIONS else {}
        rows = client.get("stations" if kind is Kind.PROFILES else kind.value, **asked)
        if labels and not rows:
            _say_nobody(client, labels, state)
        if kind is Kind.PROFILES:
            _emit_profiles(client.get("state"), {row["identity"].casefold() for row in rows}, form)
            return
    if form is not Format.TABLE:
        emit_data(rows, form)
    else:
        draw = {Kind.STATIONS: stations_table, Kind.GROUPS: _groups, Kind.SITES: _sites}[kind]
        emit_table(draw(rows))


def _say_nobody(client: Client, labels: list[str], state: str | None) -> None:
    """Say on stderr that labels choose no station, and which of them was probably meant otherwise."""
    from reconciler.cli.terminal import say
    from reconciler.profiles.wording import nearest

    known = {f"{key}={value}" for row in client.get("stations") for key, value in row["labels"].items()}
    strange = [each for each in labels if each not in known]
    hints = [f"; did you mean {near}?" for each in strange[:1] if (near := nearest(each, known))]
    also = f" in the state {state}" if state and not strange else ""
    say(f"note: no station{also} carries {', '.join(strange or labels)}{''.join(hints)}")


def _emit_profiles(state: dict[str, Any], chosen: set[str], form: Format) -> None:
    """Print the part of a saved state that is about the chosen stations."""
    from reconciler.cli.output import Format, emit_data, emit_table

    stations = [each for each in state["stations"] if each["identity"].casefold() in chosen]
    if form is Format.TABLE:
        emit_table(_profiles(stations))
    elif form is Format.NAME:
        emit_data(stations, form)
    else:
        emit_data({**state, "stations": stations}, form)


def stations_table(rows: list[dict[str, Any]]) -> Any:
    """Draw stations as the API shows them."""
    from reconciler.cli.output import cell, kilowatts, make_table, state_cell

    waved = ("WAVE",) if any(row.get("waits") for row in rows) else ()
    named = ("STATION", "OCPP", "STATE", "REVISION", *waved, "POWER", "FOREIGN", "REASON")
    table = make_table(*named, right=("POWER", "FOREIGN", "WAVE"))
    for row in rows:
        power = sum(row["powerW"].values()) if row["powerW"] else None
        table.add_row(
            cell(row["identity"]),
            cell(row["protocol"] if row["connected"] else "-"),
            state_cell(row["state"]),
            cell((row["revision"] or "-")[:8]),
            *(cell(row.get("wave") or "") for _ in waved),
            cell(kilowatts(power)),
            cell(row["foreign"] or ""),
            cell(row["reason"] or row.get("waits", "")),
        )
    return table


def _check_state(state: str) -> None:
    """Refuse a state that no station can be in, before anybody is asked."""
    from reconciler.errors import UsageError
    from reconciler.profiles.wording import suggest
    from reconciler.web.view import STATES

    if state not in STATES:
        raise UsageError(f"--state takes {', '.join(STATES)}, not {state!r}{suggest(state, STATES)}")


def _groups(rows: list[dict[str, Any]]) -> Any:
    from reconciler.cli.output import cell, make_table

    table = make_table("GROUP", "SITE", "STATIONS", "READY", "STATES", "SCHEDULES", right=("STATIONS",))
    for row in rows:
        schedules = ", ".join(f"{each['schedule']} ({each['priority']})" for each in row["schedules"])
        site = cell(row["site"] or "-")
        table.add_row(cell(row["name"]), site, cell(row["stations"]), _ready(row), _states_of(row), cell(schedules))
    return table


def _sites(rows: list[dict[str, Any]]) -> Any:
    from reconciler.cli.output import cell, kilowatts, make_table

    right = ("IMPORT", "EXPORT", "STATIONS")
    table = make_table("SITE", "IMPORT", "EXPORT", "STATIONS", "READY", "STATES", right=right)
    for row in rows:
        caps = (cell(kilowatts(row["importW"])), cell(kilowatts(-row["exportW"])))
        table.add_row(cell(row["name"]), *caps, cell(row["stations"]), _ready(row), _states_of(row))
    return table


def _profiles(stations: list[dict[str, Any]]) -> Any:
    from reconciler.cli.output import cell, make_table

    table = make_table("STATION", "PROFILE", "EVSE", "LEVEL", "PURPOSE", "SOURCE", "BELIEF", right=("EVSE", "LEVEL"))
    for station in stations:
        for held in station["profiles"]:
            profile = held["profile"]
            words = (profile["id"], held["evseId"], profile["stackLevel"], profile["chargingProfilePurpose"])
            table.add_row(cell(station["identity"]), *map(cell, (*words, held["source"], held["belief"])))
    return table


def _states_of(row: dict[str, Any]) -> Any:
    from reconciler.cli.output import cell

    return cell(", ".join(f"{count} {state}" for state, count in row["states"].items() if count))


def _ready(row: dict[str, Any]) -> Any:
    """Draw the condition Ready, with its reason where it is not True."""
    from reconciler.cli.output import cell

    ready = next((each for each in row.get("conditions", ()) if each["type"] == "Ready"), None)
    if ready is None:
        return cell("-")
    return cell(ready["status"] if ready["status"] == "True" else f"{ready['status']}: {ready['reason']}")
