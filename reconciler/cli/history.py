"""`reconciler history`: what was done, by whom, why, and how it ended; from a running controller or its database."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import typer

from reconciler.cli.orders import SERVER

MOST = 1_000_000
_HELP = """Show what was done, the newest first: one line for each write, with its reason, the station's answer, and
what was read back. ABOUT is a station, a group, a site, or the beginning of a commit.

With --store it is read from the database itself, whether a controller runs or not.

Example: reconciler history night-buses --since 2d -o jsonl"""


class Form(StrEnum):
    """How lines are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history", help=_HELP)(history)


def history(
    about: str = typer.Argument("", help="A station, a group, a site, or the beginning of a commit."),
    since: str = typer.Option("", help="From then on: 2d ago, or an instant (RFC 3339)."),
    until: str = typer.Option("", help="Before then: 2h ago, or an instant (RFC 3339)."),
    limit: int = typer.Option(50, min=1, max=MOST, help="How many lines at most."),
    output: Form = typer.Option(Form.TABLE, "-o", "--output", help="table, json or jsonl."),
    server: str = SERVER,
    store: str = typer.Option("", metavar="URL", help="Read this database instead: a file, or postgresql://…"),
) -> None:
    """Show the history."""
    from reconciler.cli.orders import read_moment
    from reconciler.cli.past import ask_server, ask_store
    from reconciler.errors import UsageError
    from reconciler.rollout.question import Question

    if store and server:
        raise UsageError("--server and --store are two places: name one")
    begin, end = (
        read_moment(name, text, -1) if text else None for name, text in (("--since", since), ("--until", until))
    )
    question = Question(since=begin, until=end, limit=limit)
    _print(ask_store(store, about, question) if store else ask_server(server, about, question), output)


def _print(rows: list[dict[str, Any]], form: Form) -> None:
    from reconciler.cli.output import Format, emit_data, emit_table
    from reconciler.cli.terminal import emit, say

    match form:
        case Form.JSON:
            emit_data(rows, Format.JSON)
        case Form.JSONL:
            import orjson

            for row in rows:
                emit(orjson.dumps(row).decode())
        case Form.TABLE if rows:
            emit_table(_table(rows))
        case Form.TABLE:
            say("no line of history")


def _table(rows: list[dict[str, Any]]) -> Any:
    from reconciler.cli.output import cell, make_table

    table = make_table("TIME (UTC)", "STATION", "WHAT", "ENDED", "COMMIT")
    for row in rows:
        what = f"{row['action']} {row.get('profileId') or ''}".strip()
        reason = ": ".join(part for part in (what, row.get("reason", "")) if part)
        said = "\n".join((reason, *_places(row)))
        at = row["at"].replace("T", " ").removesuffix("Z")
        table.add_row(
            cell(at), cell(row.get("station", "")), cell(said), cell(ended(row)), cell(row.get("revision", "")[:8])
        )
    return table


def _places(row: dict[str, Any]) -> list[str]:
    """Give what a reason stands on, a line each: the lines in git, and the person."""
    lines = [each for each in row.get("source", "").split(", ") if each]
    return [*lines, f"by {row['who']}"] if row.get("who") else lines


def ended(row: dict[str, Any]) -> str:
    """Say how a line ended."""
    if row.get("open"):
        return "no answer yet"
    took = f" in {row['durationMs']} ms" if row.get("durationMs") is not None else ""
    answer = f"{row['answer']}{took}" if row.get("answer") else ""
    return "; ".join(part for part in (answer, row.get("readBack", "")) if part)
