"""`reconciler explain STATION`: what a station should hold, what it holds, who wins now, and the line that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli.completion import known_stations

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLE = "Example: reconciler explain Q3-001"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", epilog=EXAMPLE)(explain)


def explain(
    station: str = typer.Argument(..., autocompletion=known_stations, help="The station's identity."),
    output: str = typer.Option("table", "-o", "--output", help="table, json or yaml."),
    server: str = typer.Option("", help="The controller's API (default: RECONCILER_SERVER, or this machine's)."),
) -> None:
    """Explain one station of a running controller."""
    from reconciler.cli.client import Client
    from reconciler.cli.output import Format, emit_data, emit_table, read_format
    from reconciler.cli.terminal import emit, printable

    form = read_format(output, Format.TABLE, Format.JSON, Format.YAML)
    with Client(server) as client:
        view = client.get("stations", station, "explain")
    if form is not Format.TABLE:
        emit_data(view, form)
        return
    emit(printable("\n".join([*_head(view), *(line for evse in view["evses"] for line in _evse(evse))])))
    emit("")
    emit_table(_profiles(view))
    settings = _settings(view)
    if settings:
        emit(printable("\n".join(["", "Settings", *settings])))


def _settings(view: dict[str, Any]) -> list[str]:
    from reconciler.cli.accounts import write_origin

    rows = view["settings"]
    return [line for row in rows for line in write_origin(row["field"], row["value"], row["level"], row["place"])]


def _head(view: dict[str, Any]) -> list[str]:
    from reconciler.cli.accounts import wrap

    connected = f"OCPP {view['protocol']}" if view["connected"] else "not connected"
    reason = f": {view['reason']}" if view["reason"] else ""
    lines = [f"{view['identity']}  {connected}  {view['state']}{reason}"]
    verified, desired = ((view[name] or "none")[:12] for name in ("revision", "desiredRevision"))
    lines.append(f"  revision {verified} verified, {desired} desired; last read {view['lastRead'] or 'never'}")
    if view.get("wave"):
        lines.append(f"  wave {view['wave']} of the last rollout")
    if view.get("waits"):
        lines += wrap(f"follows {(view['follows'] or 'none')[:12]}; {view['waits']}", "  ", "    ")
    if view["refusal"]:
        lines.append(f"  refused: {view['refusal']}")
    lines += [line for note in view["notes"] for line in wrap(note, "  made less: ", "    ")]
    if view["renewal"]:
        lines.append(f"  next renewal {view['renewal']}")
    return lines


def _evse(evse: dict[str, Any]) -> list[str]:
    schedule = evse["schedule"]
    leader = "no profile leads: it charges without limit" if evse["leader"] is None else f"{evse['leader']} leads"
    lines = [f"EVSE {evse['evseId']}: {leader}{_command(evse)}"]
    if schedule is None:
        return [*lines, "  no schedule speaks now: the floor does"]
    source = f"{schedule['name']} (priority {schedule['priority']}, group {schedule['group']})"
    return [*lines, f"  {source} says {schedule['power']}, at {schedule['place']}"]


def _command(evse: dict[str, Any]) -> str:
    if evse["setpointW"] is not None:
        return f", setpoint {evse['setpointW']} W"
    return "" if evse["limitW"] is None else f", limit {evse['limitW']} W"


def _profiles(view: dict[str, Any]) -> Table:
    from reconciler.cli.output import cell, make_table

    table = make_table("PROFILE", "EVSE", "PURPOSE", "LEVEL", "VERDICT", "REPORTED", "WINS", "ANSWER", right=("LEVEL",))
    for row in view["profiles"]:
        verdict = f"{row['verdict']}: {row['reason']}" if row["reason"] else row["verdict"]
        table.add_row(*map(cell, _row(row, verdict)), cell(row["lastAnswer"]))
    for row in view["foreignProfiles"]:
        table.add_row(*(cell(each, "magenta") for each in _row(row, f"foreign ({row['source']})")), cell(""))
    return table


def _row(row: dict[str, Any], verdict: str) -> tuple[object, ...]:
    wins = ", ".join(str(evse) for evse in row["winsOn"])
    return (row["id"], row["evseId"], row["purpose"], row["stackLevel"], verdict, row["belief"] or "-", wins)
