"""`reconciler plan` of a large fleet as a cold process, Python's start included."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.fleets import fleet_files


def measure(stations: int = 10_000, groups: int = 200, runs: int = 3) -> dict[str, float]:
    """Give the median seconds and the peak memory in MB of planning a one-line edit against HEAD."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, fleet_files(stations, groups))
        for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
            subprocess.run(["git", *_AUTHOR, *command], cwd=root, check=True)
        edited = root / "groups" / "0.yaml"
        edited.write_text(edited.read_text().replace("power: -7 kW", "power: -8 kW"))
        times = sorted(_time(root) for _ in range(runs))
    return {"stations": stations, "groups": groups, "plan_s": times[runs // 2][0], "peak_mb": times[runs // 2][1]}


_AUTHOR = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _time(root: Path) -> tuple[float, float]:
    command = [str(Path(sys.executable).with_name("reconciler")), "plan", str(root)]
    started = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):
        raise SystemExit(f"reconciler plan ended with {process.returncode}")
    return perf_counter() - started, usage.ru_maxrss / 1024
