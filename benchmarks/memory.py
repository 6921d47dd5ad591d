"""What a connected station costs the program in memory: stations connect, get their profiles, and rest.

The base is the program in service with the fleet's revision in force and nobody connected.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.crowd import crowd
from benchmarks.program import Started, running


def measure(stations: int = 5_000, groups: int = 100) -> dict[str, float]:
    """Give the base in MB, and the KB of resident memory above it per connected station that is idle and in sync."""
    with ExitStack() as ends:
        folder = ends.enter_context(TemporaryDirectory())
        program = ends.enter_context(running(Started(str(Path(folder, "state.db")), stations, groups)))
        base = program.load("3.5")
        ends.enter_context(crowd(stations, groups, ("127.0.0.1", program.port)))
        program.settle("3.5")
        rested = program.rest()
    assert rested["connected"] == rested["in_sync"] == stations
    return {
        "stations": stations,
        "base_mb": base["rss_kb"] / 1024,
        "connected_mb": rested["rss_kb"] / 1024,
        "kb_per_station": (rested["rss_kb"] - base["rss_kb"]) / stations,
    }
