"""The demonstration is a promise of the README: it has to hold on every change."""

import asyncio
import os
from pathlib import Path


async def test_every_point_of_the_demonstration_holds_and_nothing_is_left(yard, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    yard.environment = lambda: os.environ | {"TMPDIR": str(scratch)}
    process = await yard.spawn("demo")
    out, problem = await asyncio.wait_for(process.communicate(), 170)
    told = out.decode()
    assert process.returncode == 0, told + problem.decode()
    assert "✗" not in told
    assert told.count("✓") >= 20
    assert list(scratch.iterdir()) == []
    assert _left_running(scratch) == []


def _left_running(folder):
    """Give the processes whose command line names the demonstration's repository."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] if str(folder).encode() in path.read_bytes() else []
        except OSError:  # it ended while we looked
            continue
    return found
