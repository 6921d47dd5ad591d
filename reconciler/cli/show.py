"""`reconciler show`: a saved plan, printed again as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from reconciler.cli.presentation import By, Format, print_plan

if TYPE_CHECKING:
    from reconciler.plan.planned import FleetPlan

LARGEST_PLAN = 512 * 1024 * 1024
"""Bytes; the plan of ten thousand new stations has about a hundred million."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", help=_HELP)(show)


_HELP = """Print a plan that `reconciler plan --out FILE` has saved.

It needs neither the repository nor a controller, and prints what `plan` had printed.

Example:  reconciler show plan.json -o markdown"""


def show(
    file: str = typer.Argument(..., metavar="FILE", help="The saved plan (- is stdin)."),
    output: Format = typer.Option(Format.TEXT, "-o", "--output", help="How to print."),
    by: By = typer.Option(By.CHANGE, help="What the text is divided by: equal changes, groups or stations."),
) -> None:
    """Print a saved plan."""
    print_plan(read_plan(file), output, by)


def read_plan(name: str) -> FleetPlan:
    """Read a saved plan from a file, or from stdin by the name `-`.

    Raises:
        UsageError: the file can't be read.
        ReconcilerError: it is no saved plan.
    """
    from reconciler.cli.inputs import read_json_file
    from reconciler.plan.saved import read_json

    return read_json(read_json_file(name, LARGEST_PLAN, "plan"))
