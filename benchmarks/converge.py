"""From a commit to every station read back, over real WebSockets: program and stations in a process each.

The first figures are those of a first rollout while the stations connect, the others those of a second commit, once
all of them are connected and in sync.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.crowd import crowd
from benchmarks.program import Started, load_average, running


def measure(stations: int, groups: int = 20) -> dict[str, float]:
    """Give seconds, processor time of both processes and frames of a first rollout, and of a second commit."""
    with ExitStack() as ends:
        folder = ends.enter_context(TemporaryDirectory())
        program = ends.enter_context(running(Started(str(Path(folder, "state.db")), stations, groups)))
        outside = ends.enter_context(crowd(stations, groups, ("127.0.0.1", program.port)))
        started = perf_counter()
        first = program.take("3.5")
        rollout_s = perf_counter() - started
        cpu_s = asyncio.run(outside.cpu_s())
        change = program.take("4")
        simulator_cpu_s = asyncio.run(outside.cpu_s()) - cpu_s
    return {
        "stations": stations,
        "rollout_s": rollout_s,
        "rollout_controller_cpu_s": first["cpu_s"],
        "rollout_simulator_cpu_s": cpu_s,
        "rollout_frames": first["writes"],
        "change_s": change["seconds"],
        "change_controller_cpu_s": change["cpu_s"],
        "change_simulator_cpu_s": simulator_cpu_s,
        "change_frames": change["writes"],
        "load_average": load_average(),
    }
