"""`reconciler demo`: one fleet's day in about a minute, every point of it checked."""

from __future__ import annotations

import typer

EXAMPLE = "Example: make demo"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=EXAMPLE)(demo)


def demo() -> int:
    """Play rollout, quiet, change, waves, drift, refusal and silence with a real controller and 24 simulated stations.

    Ends with 0 only if every point held, and leaves nothing running.
    """
    import logging

    from reconciler.cli.demonstration.play import play
    from reconciler.cli.logs import configure_logs
    from reconciler.cli.loop import run_loop

    configure_logs(logging.CRITICAL)
    return run_loop(play())
