"""Run every measurement, print a table, write `benchmarks/results.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import converge, plan_cold, reconcile, replan, wire

RESULTS = Path(__file__).parent / "results.json"
SUITE: tuple[tuple[str, Mapping[str, str], Callable[[], Mapping[str, float]]], ...] = (
    ("push and verify one profile", {"times_less": "at least 10"}, wire.measure),
    ("reconcile 10,000 stations in memory", {"no_change_frames": "0"}, reconcile.measure),
    ("500 stations over sockets", {}, lambda: converge.measure(500)),
    ("2,000 stations over sockets", {}, lambda: converge.measure(2000)),
    (
        "validate and plan 10,000 stations, cold",
        {"plan_s": "at most 2, validation included", "peak_mb": "at most 400"},
        plan_cold.measure,
    ),
    ("plan per 1,000 stations, cold", {"s_per_1000_of_100000": "no more than of 10,000"}, plan_cold.scale),
    ("replan a one-line edit, running", {"edit_s": "at most 0.2", "day_later_s": "at most 0.2"}, replan.measure),
)


def main() -> None:
    """Measure all and show it."""
    console, results = Console(), {}
    table = Table("what", "figure", "value", "target", title="Measurements")
    for name, targets, run in SUITE:
        with console.status(name):
            results[name] = dict(run())
        for index, (figure, value) in enumerate(results[name].items()):
            written = f"{value:,.3f}".rstrip("0").rstrip(".")
            table.add_row(name if index == 0 else "", figure, written, targets.get(figure, ""))
        table.add_section()
    console.print(table)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
