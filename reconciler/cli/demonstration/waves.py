"""Act four: a commit that passes every check goes out in waves, fails at its first stations, and is taken back."""

from __future__ import annotations

from typing import Any

from reconciler.cli.demonstration.scene import Scene
from reconciler.cli.progress import write_rollout

EVENING_FILE, NIGHT_W = "schedules/evening-export.yaml", -9_000.0
STRATEGY = ("  discharge: allowed", "  rollout: {waves: [2, 100%], soak: 8s}\n  discharge: allowed")
FIRST = 2
"""How many stations the first wave has."""


async def waves(scene: Scene) -> None:
    """Let a commit out in waves; break a station of the first; see the rest left alone, and the first brought back."""
    await scene.room(14)
    told, before = scene.told, scene.writes()
    good = scene.repository.edit("fleet.yaml", *STRATEGY, "Two stations first, and eight seconds to watch them")
    await scene.until("commit in force", lambda: _in_force(scene, good), 15, 1)
    told.hold(scene.writes() == before, "a commit that only says how commits go out writes nothing")
    bad = scene.repository.edit(EVENING_FILE, "-9 kW", "-10 kW", "Night buses: 10 kW in the evening peak")
    await scene.until("first wave verified", lambda: _phase(scene, bad, "soaking"), 20, 1)
    first = await _first(scene)
    _draw(scene, await scene.ask("rollout"))
    told.hold(len(first) == FIRST, f"{' and '.join(first)} have it and are watched; the others hold what they held")
    broken = first[0]
    scene.stations.break_down(broken, 1)
    told.line(f"{broken} faults")
    await scene.until("rollout aborted", lambda: _phase(scene, bad, "aborted"), 15, 1)
    view = await scene.ask("rollout")
    _draw(scene, view)
    told.hold("fault on EVSE 1" in view["reason"], "the rollout has stopped by itself, and names station and reason")
    await scene.until("stations back", lambda: scene.in_sync(good), 20)
    sent = {name: now.set_profile - before[name].set_profile for name, now in scene.writes().items()}
    told.hold(all(sent[name] == 2 for name in first), "both were brought back: one frame there, one frame back")
    others = [name for name in scene.stations.identities if name not in first]
    left = all(scene.writes()[name] == before[name] for name in others)
    told.hold(left, f"the other {len(others)} stations got none")
    quarantined = [each["commit"] for each in view["quarantined"]]
    told.hold(quarantined == [bad], f"commit {bad[:8]} is in quarantine; {good[:8]} is in force again")
    scene.repository.commit = good
    scene.stations.break_down(broken, 1, broken=False)
    await scene.until("night buses at -9 kW", lambda: scene.follow("night-buses", NIGHT_W), 10, 12)


async def _in_force(scene: Scene, commit: str) -> int:
    revision = (await scene.ask("status"))["revision"]
    return int(revision["commit"] == commit)


async def _phase(scene: Scene, commit: str, phase: str) -> int:
    view = await scene.ask("rollout")
    return int(view["commit"] == commit and view["phase"] == phase)


async def _first(scene: Scene) -> list[str]:
    return [row["identity"] for row in await scene.ask("stations") if row["wave"] == 1]


def _draw(scene: Scene, view: dict[str, Any]) -> None:
    """Show what a person would be shown."""
    scene.told.line("$ reconciler rollout status", style="dim")
    scene.told.line("\n".join(write_rollout(view)))
