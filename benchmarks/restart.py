"""The program is started again while thousands of stations hold what they should: they are read, and none is written.

The stations live on in their own process and come back by themselves, as after any loss of connection.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.crowd import crowd
from benchmarks.program import Started, load_average, running


def measure(stations: int = 5_000, groups: int = 100) -> dict[str, float]:
    """Give the seconds from the new process's first line to every station read back, and the writes it sent."""
    with ExitStack() as ends:
        folder = ends.enter_context(TemporaryDirectory())
        started = Started(str(Path(folder, "state.db")), stations, groups)
        with running(started) as before:
            port = before.port
            ends.enter_context(crowd(stations, groups, ("127.0.0.1", port)))
            before.take("3.5")
        again = ends.enter_context(running(Started(started.store, stations, groups, port)))
        found = again.settle("3.5")
    return {
        "stations": stations,
        "verified_s": found["seconds"],
        "controller_cpu_s": found["cpu_s"],
        "frames": found["writes"],
        "load_average": load_average(),
    }
