"""A one-line edit replanned by a running controller: from the files to a revision that may follow the one in force."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from time import perf_counter

from benchmarks.fleets import NOON, shipped, snapshot
from reconciler.controller.revision import follow
from reconciler.manifests.snapshot import Snapshot

EDITED = "groups/0.yaml"


def measure(stations: int = 10_000, groups: int = 200, runs: int = 5) -> dict[str, float]:
    """Give the seconds of taking the first commit, and the median and the longest of edits of one line of one file."""
    templates, first = shipped(), snapshot(stations, groups)
    started = perf_counter()
    before = follow(first, templates, NOON, None)
    whole = perf_counter() - started
    times: list[float] = []
    for number in range(runs):
        head = _edit(first, f"-{number + 1}")
        started = perf_counter()
        before = follow(head, templates, NOON, before)
        times.append(perf_counter() - started)
    return {"stations": stations, "groups": groups, "first_s": whole, "edit_s": median(times), "longest_s": max(times)}


def _edit(first: Snapshot, power: str) -> Snapshot:
    text = first.files[EDITED].replace("power: -7 kW", f"power: {power} kW")
    return replace(first, commit=f"edit{power}", files={**first.files, EDITED: text})
