"""`reconciler hash-password`: the line of the `--auth` file for one station."""

from __future__ import annotations

import sys

import typer

SHORTEST = 16
"""What a station's BasicAuthPassword has at least; beyond the most, some stations can't store it."""
LONGEST = 64
_HELP = """Read a station's password from stdin and print the line that the --auth file takes.

The line holds a salted hash; the password itself is kept nowhere.

Example: openssl rand -hex 16 | reconciler hash-password Q3-001 >> stations.auth"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("hash-password", help=_HELP)(hash_password)


def hash_password(identity: str = typer.Argument(..., help="The station's identity.")) -> None:
    """Hash a password."""
    from reconciler.cli.terminal import emit
    from reconciler.errors import UsageError
    from reconciler.stations import credentials

    if ":" in identity or identity != identity.strip() or not identity.isprintable():
        raise UsageError(f"{identity!r} can't be an identity")
    password = _ask()
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters (OCPP, BasicAuthPassword)")
    emit(f"{identity}:{credentials.hash_password(password)}")


def _ask() -> str:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("Password: ", sys.stderr)
    return sys.stdin.readline().rstrip("\r\n")
