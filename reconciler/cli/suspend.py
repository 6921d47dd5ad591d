"""`reconciler suspend` and `resume`: stations that are read and not written to, and the end of a drift storm."""

from __future__ import annotations

from typing import Any

import typer

from reconciler.cli.completion import known_stations
from reconciler.cli.orders import REASON, SERVER, WHO

_SUSPEND = """Read these stations and write nothing to them, but to withdraw discharge. What was sent to them stays, and
its lease runs out as it would. Without stations, lists those that are suspended.

Example: reconciler suspend Q3-001 Q3-002 --reason 'works on the cable' --until 4h"""
_RESUME = """Write to stations again that were suspended; or, with --storm, let repairs go on after a drift storm.

Example: reconciler resume -l line=night --reason 'works are done'"""
STATIONS = typer.Argument(None, metavar="[STATION]...", autocompletion=known_stations, help="Identities.")
LABEL = typer.Option([], "-l", "--label", help="key=value; the stations that carry it.")
EVERY = typer.Option(False, "--all", help="All stations of the fleet.")
OUTPUT = typer.Option("table", "-o", "--output", help="table, json, yaml or name.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("suspend", help=_SUSPEND)(suspend)
    app.command("resume", help=_RESUME)(resume)


def suspend(
    stations: list[str] = STATIONS,
    label: list[str] = LABEL,
    every: bool = EVERY,
    reason: str = REASON,
    until: str = typer.Option("", help="When it ends by itself: 2h from now, or an instant (RFC 3339)."),
    who: str = WHO,
    output: str = OUTPUT,
    server: str = SERVER,
) -> None:
    """Suspend stations, or list those that are."""
    from reconciler.cli.client import Client
    from reconciler.cli.orders import read_moment
    from reconciler.cli.output import read_format

    form = read_format(output)
    asked: dict[str, object] = {}
    if stations or label or every or reason or until:
        end = {"until": read_moment("--until", until, 1).isoformat()} if until else {}
        asked = {**_chosen(stations, label, every=every), **_why(reason, who, "works on the cable"), **end}
    with Client(server) as client:
        rows = client.post("suspensions", content=asked) if asked else client.get("suspensions")
    _print(rows, form)


def resume(
    stations: list[str] = STATIONS,
    label: list[str] = LABEL,
    every: bool = EVERY,
    storm: bool = typer.Option(False, "--storm", help="Let repairs go on after a drift storm."),
    reason: str = REASON,
    who: str = WHO,
    server: str = SERVER,
) -> None:
    """Resume stations, or repairs."""
    from reconciler.cli.client import Client
    from reconciler.cli.terminal import emit, say
    from reconciler.errors import UsageError

    if storm and (stations or label or every):
        raise UsageError("--storm is about the whole fleet: name no stations with it")
    why = _why(reason, who, "works are done")
    chosen = {} if storm else _chosen(stations, label, every=every)
    with Client(server) as client:
        if storm:
            client.post("storm", "clear", content=why)
            say("repairs go on")
            return
        rows = client.post("suspensions", "lift", content={**chosen, **why})
    emit("\n".join(str(row["station"]) for row in rows))


def _chosen(stations: list[str] | None, label: list[str], *, every: bool) -> dict[str, object]:
    """Give the stations that are meant, as the API takes them.

    Raises:
        UsageError: they are named in no way, or in several.
    """
    from reconciler.cli.options import read_labels
    from reconciler.errors import UsageError

    given: dict[str, object] = {"stations": list(stations or ()), "labels": read_labels(label), "all": every}
    chosen = {name: value for name, value in given.items() if value}
    if len(chosen) != 1:
        raise UsageError("name stations, or choose them with -l key=value, or say --all: one of these")
    return chosen


def _why(reason: str, who: str, example: str) -> dict[str, object]:
    from reconciler.cli.orders import need_reason, who_asks

    return {"reason": need_reason(reason, example), "who": who_asks(who)}


def _print(rows: list[dict[str, Any]], form: Any) -> None:
    from reconciler.cli.output import Format, cell, emit_data, emit_table, make_table
    from reconciler.cli.terminal import emit, say

    if form is Format.NAME:
        emit("\n".join(str(row["station"]) for row in rows))
    elif form is not Format.TABLE:
        emit_data(rows, form)
    elif not rows:
        say("no station is suspended")
    else:
        table = make_table("STATION", "SINCE", "UNTIL", "WHO", "REASON")
        for row in rows:
            table.add_row(*(cell(row[name] or "-") for name in ("station", "since", "until", "who", "reason")))
        emit_table(table)
