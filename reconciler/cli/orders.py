"""What the commands by which people steer have in common: who asks, until when, and the options they share."""

from __future__ import annotations

from datetime import datetime

import typer

from reconciler.cli.clock import VARIABLE, read_clock

REASON = typer.Option("", "--reason", "-r", help="Why; kept in the history.")
WHO = typer.Option("", help="Who asks, for the history (default: this account's user).")
SERVER = typer.Option("", help="The controller's API (default: RECONCILER_SERVER, or this machine's).")


def who_asks(given: str) -> str:
    """Give who asks: the name that was given, else the user of this machine's account."""
    import getpass

    if given:
        return given[:100]
    try:
        return f"{getpass.getuser()[:90]} (cli)"
    except (KeyError, OSError):
        return "cli"


def need_reason(reason: str, example: str) -> str:
    """Give the reason.

    Raises:
        UsageError: there is none.
    """
    from reconciler.errors import UsageError

    if not reason.strip():
        raise UsageError(f'this takes --reason, such as --reason "{example}": it is kept in the history')
    return reason.strip()


def read_moment(option: str, text: str, sign: int) -> datetime:
    """Read an instant (RFC 3339), or a duration from now: ahead with a sign of 1, ago with -1.

    Raises:
        UsageError: it is neither, or an instant without a zone.
    """
    import os

    from reconciler.cli.options import read_duration, read_instant

    if "T" not in text and "-" not in text:
        return read_clock(os.environ.get(VARIABLE, ""))() + sign * read_duration(option, text)
    return read_instant(option, text, "2h, or ")
