"""A one-line edit replanned by a running controller: from the files to a revision that may follow the one in force.

Minutes pass from edit to edit, as they do; the last comes a day later, when every lease is a new one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from statistics import median
from time import perf_counter, process_time

from benchmarks.fleets import NOON, shipped, snapshot
from reconciler.controller.revision import follow
from reconciler.manifests.snapshot import Snapshot

EDITED = "groups/0.yaml"


def measure(stations: int = 10_000, groups: int = 200, runs: int = 5) -> dict[str, float]:
    """Give the seconds of taking the first commit, of edits of one line of one file, and of one a day later."""
    templates, first = shipped(), snapshot(stations, groups)
    started = perf_counter()
    before = follow(first, templates, NOON, None)
    whole = perf_counter() - started
    times, processor = list[float](), list[float]()
    for number in range(runs + 1):
        head, days = _edit(first, f"-{number + 1}"), 1 if number == runs else 0
        started, spent = perf_counter(), process_time()
        before = follow(head, templates, NOON + timedelta(days=days, minutes=7 * number), before)
        times.append(perf_counter() - started)
        processor.append(process_time() - spent)
    return {
        "stations": stations,
        "groups": groups,
        "first_s": whole,
        "edit_s": median(times[:runs]),
        "edit_cpu_s": median(processor[:runs]),
        "longest_s": max(times[:runs]),
        "day_later_s": times[runs],
        "day_later_cpu_s": processor[runs],
    }


def _edit(first: Snapshot, power: str) -> Snapshot:
    text = first.files[EDITED].replace("power: -7 kW", f"power: {power} kW")
    return replace(first, commit=f"edit{power}", files={**first.files, EDITED: text})
