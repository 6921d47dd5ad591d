"""`reconciler validate` and `reconciler plan` of large fleets as cold processes, Python's start included.

A plan validates its head before it compares it with its base, so the figure for validation and plan in one cold process
is the plan's.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.fleets import fleet_files


def measure(stations: int = 10_000, groups: int = 200, runs: int = 5) -> dict[str, float]:
    """Give the median seconds, the plan's processor time too, and the peak memory in MB, of a one-line edit."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _prepare(root, stations, groups)
        # A process begins with the peak of the one that starts it: so it is a small one, and not this.
        with multiprocessing.get_context("spawn").Pool(1) as small:
            checked = sorted(small.apply(_time, (root, "validate")) for _ in range(runs))
            planned = sorted(small.apply(_time, (root, "plan")) for _ in range(runs))
    return {
        "stations": stations,
        "groups": groups,
        "schedules": 2 * groups,
        "validate_s": checked[runs // 2][0],
        "plan_s": planned[runs // 2][0],
        "plan_cpu_s": median(spent for _, spent, _ in planned),
        "peak_mb": max(peak for *_, peak in (*checked, *planned)),
    }


def scale(sizes: tuple[int, ...] = (1_000, 10_000, 100_000)) -> dict[str, float]:
    """Give the seconds of a cold plan of a one-line edit per 1,000 stations, 50 to a group, for fleets of each size."""
    return {f"s_per_1000_of_{size}": _planned_in(size) * 1000 / size for size in sizes}


def _planned_in(stations: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _prepare(root, stations, stations // 50)
        return _time(root, "plan")[0]


def _prepare(root: Path, stations: int, groups: int) -> None:
    _write(root, fleet_files(stations, groups))
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *_AUTHOR, *command], cwd=root, check=True)
    edited = root / "groups" / "0.yaml"
    edited.write_text(edited.read_text().replace("power: -7 kW", "power: -8 kW"))


_AUTHOR = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _time(root: Path, name: str) -> tuple[float, float, float]:
    """Give a command's seconds, its processor time and its peak memory in MB."""
    command = [str(Path(sys.executable).with_name("reconciler")), name, str(root)]
    started = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):
        raise SystemExit(f"reconciler {name} ended with {process.returncode}")
    return perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
