"""Acts one and two: everything is sent once and verified, and then nothing is sent at all."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from reconciler.cli.demonstration.scene import Scene
from reconciler.cli.output import make_bar
from reconciler.profiles.composite import compose
from reconciler.profiles.form import read_profile
from reconciler.profiles.profile import Profile

NIGHT_W, DAY_W = -7_000.0, 12_000.0
QUIET_S = 9.0


async def rollout(scene: Scene) -> None:
    """Let the stations connect and be brought to what git says."""
    told, commit, began = scene.told, scene.repository.commit, time.monotonic()
    told.line("24 stations connect without any profile: such a station charges as fast as its hardware can")
    await scene.until("stations verified", lambda: scene.in_sync(commit), 45)
    rows = await scene.ask("stations")
    spoken = Counter(row["protocol"] for row in rows)
    told.hold(spoken == {"2.0.1": 12, "2.1": 12}, "12 stations speak OCPP 2.0.1, 12 speak 2.1")
    history = await scene.ask("history?limit=5000")
    told.hold(_floor_first(history), "the floor (zero flow, for ever) was every station's first write")
    equal = [await _equal(scene, row["identity"]) for row in rows]
    seconds = time.monotonic() - began
    told.hold(all(equal), f"all {len(rows)} were read back and hold what is desired, {seconds:.1f} s after the first")
    await _frames(scene)
    await scene.until("night buses at -7 kW", lambda: scene.follow("night-buses", NIGHT_W), 10, 12)
    await scene.until("day buses at +12 kW", lambda: scene.follow("day-buses", DAY_W), 10, 12)
    draw_w, feed_w = scene.meters_w()
    told.hold(True, f"by their meters they draw {draw_w / 1000:.0f} kW and feed in {feed_w / 1000:.0f} kW")


async def quiet(scene: Scene) -> None:
    """Watch reconciles that have nothing to do."""
    await scene.room(QUIET_S + 2)
    sent, received, began = await scene.frames(), scene.writes(), scene.clock()
    with make_bar("seconds of quiet", QUIET_S) as show:
        end = time.monotonic() + QUIET_S
        while (left := end - time.monotonic()) > 0:
            show(QUIET_S - left)
            await asyncio.sleep(min(left, 0.5))
    after, rows = await scene.frames(), await scene.ask("stations")
    reads = after["GetChargingProfiles"] - sent["GetChargingProfiles"]
    read = [row["lastRead"] and datetime.fromisoformat(row["lastRead"]) > began for row in rows]
    scene.told.hold(all(read), f"in {QUIET_S:.0f} s every station was read back again, {reads} reads in all")
    writes = sum(
        after.get(action, 0) - sent.get(action, 0) for action in ("SetChargingProfile", "ClearChargingProfile")
    )
    told = "0 SetChargingProfile, 0 ClearChargingProfile: at the controller, and by the stations' own count"
    scene.told.hold(writes == 0 and scene.writes() == received, told)


async def _frames(scene: Scene) -> None:
    sent, received = await scene.frames(), scene.writes().values()
    told = ", ".join(f"{count} {action}" for action, count in sorted(sent.items()))
    counts = (sum(each.set_profile for each in received), sum(each.clear_profile for each in received))
    wanted = (sent.get("SetChargingProfile", 0), sent.get("ClearChargingProfile", 0))
    scene.told.hold(counts == wanted, f"frames sent: {told}")


def _floor_first(history: list[dict[str, Any]]) -> bool:
    """Tell whether each station's first profile was the first of the fleet's range; history is newest first."""
    first = {entry["station"]: entry["profileId"] for entry in history if entry["action"] == "SetChargingProfile"}
    return len(first) == 24 and set(first.values()) == {min(first.values())}


async def _equal(scene: Scene, identity: str) -> bool:
    """Compare what the controller desires with what the simulated station itself has stored, and would do."""
    explained = await scene.ask(f"stations/{identity}/explain")
    desired = [read_profile(each["evseId"], each["desired"]) for each in explained["profiles"]]
    held, now = scene.stations.profiles(identity), scene.clock()
    same = [profile.id for profile in held] == sorted(profile.id for profile in desired)
    return same and _commands(held, now) == _commands(desired, now)


def _commands(profiles: Iterable[Profile], now: datetime) -> list[tuple[datetime, Decimal | None, Decimal]]:
    """Give the most that may be drawn and fed over the next hour; 2.0.1 and 2.1 say the same in different words."""
    spans = compose(profiles, 1, now, now + timedelta(hours=1))
    return [(span.start, span.flow.most_import_w, span.flow.most_export_w) for span in spans]
