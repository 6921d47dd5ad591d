"""`reconciler explain STATION`: what a station should hold, what it holds, who wins now, and the line that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli.completion import known_stations
from reconciler.cli.orders import SERVER, read_moment

if TYPE_CHECKING:
    from rich.table import Table

_HELP = """Explain one station: what it should hold, what it holds, who wins now, and the line that says so.

With --at, an instant gone by: what each EVSE had been told then, by which write, commit and line, and what happened
between; from the history of a running controller, or with --store from its database itself.

\b
Examples:
  reconciler explain Q3-001
  reconciler explain Q3-001 --at 2026-11-20T18:10:00+01:00"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", help=_HELP)(explain)


def explain(
    station: str = typer.Argument(..., autocompletion=known_stations, help="The station's identity."),
    at: str = typer.Option("", help="An instant gone by (RFC 3339), or how long ago: 2h."),
    output: str = typer.Option("table", "-o", "--output", help="table, json or yaml."),
    server: str = SERVER,
    store: str = typer.Option("", metavar="URL", help="With --at, ask this database: a file, or postgresql://…"),
) -> None:
    """Explain one station, now or in the past."""
    from reconciler.cli.output import Format, emit_data, read_format
    from reconciler.cli.terminal import emit, printable

    form = read_format(output, Format.TABLE, Format.JSON, Format.YAML)
    view = _past(station, at, server, store) if at or store else _now(station, server)
    if form is not Format.TABLE:
        emit_data(view, form)
    elif at:
        from reconciler.cli.retrospect import write_past

        emit(printable("\n".join(write_past(view))))
    else:
        _show(view)


def _now(station: str, server: str) -> dict[str, Any]:
    from reconciler.cli.client import Client

    with Client(server) as client:
        view: dict[str, Any] = client.get("stations", station, "explain")
        return view


def _past(station: str, at: str, server: str, store: str) -> dict[str, Any]:
    from reconciler.cli.client import Client
    from reconciler.cli.past import look_back_in_store
    from reconciler.errors import UsageError
    from reconciler.profiles.form import write_instant

    if not at:
        raise UsageError("--store tells of the past: name the instant with --at")
    if store and server:
        raise UsageError("--server and --store are two places: name one")
    instant = read_moment("--at", at, -1)
    if store:
        return look_back_in_store(store, station, instant)
    with Client(server) as client:
        view: dict[str, Any] = client.get("stations", station, "explain", at=write_instant(instant))
        return view


def _show(view: dict[str, Any]) -> None:
    from reconciler.cli.output import emit_table
    from reconciler.cli.terminal import emit, printable

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
