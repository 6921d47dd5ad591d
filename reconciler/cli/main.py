"""The command `reconciler`: finds its commands, and turns every end into an exit code.

Each command is a module of this package with `register(app)`, named in `COMMANDS`. Modules import at their top only
what is cheap, and the rest when their command runs: a cold start is measured. A command returns its exit code (None is
0) and raises errors of `reconciler.errors`, which are printed here and nowhere else.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from reconciler.cli.exits import BLOCKED, ERROR, OK, USAGE
from reconciler.errors import ManifestError, ReconcilerError, RevisionError, UnsafePlan, UsageError

COMMANDS = (
    "validate",
    "render",
    "plan",
    "show",
    "plot",
    "apply",
    "run",
    "get",
    "explain",
    "drift",
    "rollout",
    "rollback",
    "suspend",
    "history",
    "send",
    "passwords",
    "schema",
    "init",
    "importing",
    "simulate",
    "demo",
)
"""The modules of commands, in the order in which `--help` lists them."""


class Commands(TyperGroup):
    """The group of all commands; every way in ends in its `main`, tests' as well as the shell's."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **__: Any) -> Any:
        """Run one command line and leave with its exit code."""
        sys.exit(self._run(args, prog_name or "reconciler"))

    def _run(self, args: Sequence[str] | None, name: str) -> int:
        try:
            ended = super().main(args, name, standalone_mode=False)
        except typer.Abort:
            return ERROR
        except BrokenPipeError:
            return _hang_up()
        except TyperException as error:
            _complain(error.format_message().replace(": Value error, ", ": "), _usage(error))
            return USAGE
        except ReconcilerError as error:
            return report(error)
        return ended if isinstance(ended, int) else OK


app = typer.Typer(
    cls=Commands,
    name="reconciler",
    help="From a schedule in git to a verified charging profile in every station.",
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version and end.")
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("fleet-profile-reconciler"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        _complain("", context.get_help())
        raise typer.Exit(USAGE)


def report(error: ReconcilerError) -> int:
    """Print an error to stderr and give the exit code that goes with it."""
    if isinstance(error, ManifestError | RevisionError):
        from reconciler.cli.complaints import Quoted, print_errors

        files = error.files if isinstance(error, Quoted) else None
        print_errors(error.errors if isinstance(error, RevisionError) else (error,), files)
        return ERROR
    _complain(str(error))
    if isinstance(error, UnsafePlan):
        return BLOCKED
    return USAGE if isinstance(error, UsageError) else ERROR


YOUNG = 100_000
"""Objects between two looks for garbage in cycles: a fleet is many objects that live on, and hardly a cycle."""


def main() -> None:
    """Run the command line of this process."""
    gc.set_threshold(YOUNG)
    app()


def _complain(message: str, hint: str = "") -> None:
    from reconciler.cli.terminal import say

    if message:
        say(f"error: {message}")
    if hint:
        say(hint)


def _usage(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    return f"try: {context.command_path} --help" if context else ""


def _hang_up() -> int:
    """End quietly when whoever reads our output is gone; the interpreter's own last flush must not complain either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ERROR


for _name in COMMANDS:
    import_module(f"reconciler.cli.{_name}").register(app)
