"""Acts three and six: a good commit that touches one group, and a bad one that touches nobody."""

from __future__ import annotations

import asyncio
import os
import time
from asyncio.subprocess import PIPE

from reconciler.cli.demonstration.process import COMMAND
from reconciler.cli.demonstration.scene import Scene
from reconciler.cli.demonstration.told import Missed
from reconciler.simulator.station import Writes

EVENING_FILE, NIGHT_W = "schedules/evening-export.yaml", -9_000.0


async def change(scene: Scene) -> None:
    """Commit a new evening for the night buses; show the plan; count what is sent."""
    await scene.room(15)
    told, base, before = scene.told, scene.repository.commit, scene.writes()
    commit = scene.repository.edit(EVENING_FILE, "-7 kW", "-9 kW", "Night buses: 9 kW in the evening peak")
    began = time.monotonic()
    told.line(f"$ reconciler plan --base {base[:8]} --head {commit[:8]}", style="dim")
    plan, _ = await asyncio.gather(
        _plan(scene, base, commit), scene.until("stations verified", lambda: scene.in_sync(commit), 30)
    )
    told.line(plan)
    sent = {name: _since(before[name], now) for name, now in scene.writes().items()}
    night = scene.members("night-buses")
    others = [count for name, count in sent.items() if name not in night]
    one = all(sent[name] == Writes(set_profile=1) for name in night)
    told.hold(
        one, f"each of the {len(night)} night buses got exactly one frame, {time.monotonic() - began:.1f} s after"
    )
    told.hold(all(count == Writes() for count in others), f"the {len(others)} day buses got none")
    await scene.until("night buses at -9 kW", lambda: scene.follow("night-buses", NIGHT_W), 10, len(night))
    told.hold(True, f"by their meters the night buses feed in {-NIGHT_W / 1000:.0f} kW each")


async def refuse(scene: Scene) -> None:
    """Commit a schedule that is not there; nothing may come of it but words."""
    await scene.room(6)
    told, good, before = scene.told, scene.repository.commit, scene.writes()
    broken = scene.repository.edit("groups.yaml", "schedule: evening-export", "schedule: evening-exprot", "Oops")

    async def refused() -> int:
        status = await scene.ask("status")
        return int(status["refused"] is not None and status["refused"]["commit"] == broken)

    await scene.until("commit judged", refused, 15, 1)
    status = await scene.ask("status")
    (error,) = status["refused"]["errors"]
    place = f"{error['file']}:{error['line']}:{error['column']}"
    told.line(f"{place}: {error['field']}: {error['message']} ({error['hint']}) [{error['rule']}]", style="red")
    said = error["file"] == "groups.yaml" and error["line"] > 0 and error["message"]
    told.hold(bool(said), f"commit {broken[:8]} is refused as a whole, with file, line and reason")
    kept = status["revision"]["commit"] == good and await scene.in_sync(good) == len(scene.stations.identities)
    told.hold(kept, f"every station keeps the last good revision {good[:8]}")
    told.hold(scene.writes() == before, "nothing was sent")


async def _plan(scene: Scene, base: str, head: str) -> str:
    """Run the command that a person would."""
    words = ("plan", str(scene.repository.folder), "--base", base, "--head", head, "--at", scene.clock().isoformat())
    process = await asyncio.create_subprocess_exec(*COMMAND, *words, stdout=PIPE, stderr=PIPE, env=dict(os.environ))
    try:
        out, problem = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Missed(f"the plan failed: {problem.decode(errors='replace')}")
    return out.decode().rstrip()


def _since(before: Writes, now: Writes) -> Writes:
    return Writes(
        now.set_profile - before.set_profile, now.clear_profile - before.clear_profile, now.update - before.update
    )
