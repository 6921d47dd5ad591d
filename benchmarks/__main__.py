"""Run every measurement, or those whose name has a word in it that is given, and keep them in `results.json`.

A figure in seconds is of a machine that others may use as well: where that matters, seconds of processor time (`cpu_s`)
and the load average are told beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import converge, history, memory, plan_cold, quiet_year, reconcile, replan, restart, wire

RESULTS = Path(__file__).parent / "results.json"
SUITE: tuple[tuple[str, Mapping[str, str], Callable[[], Mapping[str, float]]], ...] = (
    ("push and verify one profile", {"times_less": "at least 10"}, wire.measure),
    ("reconcile 10,000 stations in memory", {"no_change_frames": "0"}, reconcile.measure),
    ("2,000 stations over sockets", {}, lambda: converge.measure(2000, 40)),
    ("10,000 stations over sockets", {"change_s": "at most 60"}, lambda: converge.measure(10_000, 200)),
    ("memory per connected station", {"kb_per_station": "at most 40"}, memory.measure),
    ("restart with 5,000 stations in sync", {"verified_s": "at most 60", "frames": "0"}, restart.measure),
    ("history of 100,000 writes", {}, history.measure),
    ("a quiet year of one station", {"most_writes_of_a_profile": "at most 366"}, quiet_year.measure),
    (
        "validate and plan 10,000 stations, cold",
        {"plan_s": "at most 2, validation included", "peak_mb": "at most 400"},
        plan_cold.measure,
    ),
    ("plan per 1,000 stations, cold", {"s_per_1000_of_100000": "no more than of 10,000"}, plan_cold.scale),
    ("replan a one-line edit, running", {"edit_s": "at most 0.2", "day_later_s": "at most 0.2"}, replan.measure),
)


def main() -> None:
    """Measure what is asked for, show it, and keep it beside what was measured before."""
    words = [word.casefold() for word in sys.argv[1:]]
    console, results = Console(), json.loads(RESULTS.read_text()) if words and RESULTS.exists() else {}
    table = Table("what", "figure", "value", "target", title="Measurements")
    for name, targets, run in SUITE:
        if words and not any(word in name.casefold() for word in words):
            continue
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
