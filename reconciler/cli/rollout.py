"""`reconciler rollout`: how a change goes out, and a person's word on it."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli.exits import BLOCKED, CHANGES, OK
from reconciler.cli.orders import REASON, SERVER, WHO

if TYPE_CHECKING:
    from reconciler.cli.client import Client

LOOK_S = 1.0
_HELP = """Show the rollout of the newest revision (status), or stop it (pause), let it go on (resume), let the next
wave out without waiting for the gate (promote), or stop it for good and bring its stations back (abort).

status --exit-code: 0 = over or none, 2 = under way, 4 = aborted, or held back by a person, a window or a storm.
promote ends with 4 while the rollout's windows are closed; --override passes them by.

Example: reconciler rollout pause --reason 'noise complaint at quay 3'"""


class Word(StrEnum):
    """What can be said of a rollout."""

    STATUS = "status"
    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ABORT = "abort"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rollout", help=_HELP)(rollout)


def rollout(
    word: Word = typer.Argument(Word.STATUS, help="status, pause, resume, promote or abort."),
    reason: str = REASON,
    override: bool = typer.Option(False, "--override", help="promote: pass the rollout's windows by."),
    watch: bool = typer.Option(False, "--watch", help="status: wait until the rollout is over."),
    exit_code: bool = typer.Option(False, "--exit-code", help="status: tell the result by the exit code."),
    who: str = WHO,
    output: str = typer.Option("table", "-o", "--output", help="table, json or yaml."),
    server: str = SERVER,
) -> int:
    """Show or steer a rollout."""
    from reconciler.cli.client import Client
    from reconciler.cli.output import Format, emit_data, read_format
    from reconciler.cli.progress import write_rollout
    from reconciler.cli.terminal import emit, printable

    form = read_format(output, Format.TABLE, Format.JSON, Format.YAML)
    _check(word, override=override, watch=watch, exit_code=exit_code)
    content = {} if word is Word.STATUS else _content(word, reason, who, override=override)
    with Client(server) as client:
        view = client.post("rollout", word.value, content=content) if content else _look(client, watch=watch)
    if form is Format.TABLE:
        emit(printable("\n".join(write_rollout(view))))
    else:
        emit_data(view, form)
    return verdict(view) if exit_code else OK


def verdict(view: dict[str, Any]) -> int:
    """Give the exit code that tells how a rollout stands."""
    if view["phase"] in (None, "complete", "superseded"):
        return OK
    window = view["window"]
    shut = window is not None and not window["open"] and not window["overridden"]
    return BLOCKED if view["phase"] in ("aborted", "paused") or view["heldBy"] or shut else CHANGES


def _look(client: Client, *, watch: bool) -> Any:
    """Ask for the rollout; with `watch` again and again until it is over, each turn of it told on stderr."""
    from reconciler.cli.progress import write_turn
    from reconciler.cli.terminal import say

    told = ""
    while True:
        view = client.get("rollout")
        if not watch or view["phase"] in (None, "complete", "superseded", "aborted"):
            return view
        turn = write_turn(view)
        if turn != told:
            say(turn)
        told = turn
        time.sleep(LOOK_S)


def _content(word: Word, reason: str, who: str, *, override: bool) -> dict[str, object]:
    from reconciler.cli.orders import need_reason, who_asks

    said = need_reason(reason, f"why to {word.value} it")
    return {"reason": said, "who": who_asks(who), "override": override}


def _check(word: Word, *, override: bool, watch: bool, exit_code: bool) -> None:
    """Refuse options that mean nothing with this word."""
    from reconciler.errors import UsageError

    if override and word is not Word.PROMOTE:
        raise UsageError("--override goes with `rollout promote`")
    if (watch or exit_code) and word is not Word.STATUS:
        raise UsageError("--watch and --exit-code go with `rollout status`")
