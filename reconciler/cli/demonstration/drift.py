"""Act five: what we sent and is lost is repaired; what others sent is shown and left alone."""

from __future__ import annotations

from decimal import Decimal

from reconciler.cli.demonstration.scene import EVENING, Scene
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit

FORGETFUL, CAPPED = "Q3-003", "Q3-014"
CAP_W = Decimal(8_000)
FOREIGN = 42


async def drift(scene: Scene) -> None:
    """Let one station forget its profiles, and put another's own ceiling into a second one."""
    await scene.room(15)
    told, before = scene.told, scene.writes()
    held = scene.stations.profiles(FORGETFUL)
    scene.stations.reboot(FORGETFUL, keep_memory=False)
    told.line(f"{FORGETFUL} reboots and has lost its {len(held)} profiles")
    scene.stations.inject_foreign_profile(CAPPED, _ceiling())
    told.line(f"{CAPPED} gets profile {FOREIGN} from somebody else: at most {CAP_W / 1000:.0f} kW")
    await scene.until(f"{FORGETFUL} repaired", lambda: _repaired(scene, held), 25, 1)
    told.hold(True, f"{FORGETFUL} was read back, found empty and brought to the same {len(held)} profiles")
    await scene.until(f"{CAPPED} seen", lambda: _reported(scene), 15, 1)
    told.hold(True, f"profile {FOREIGN} on {CAPPED} is reported as foreign")
    kept = any(profile == _ceiling() for profile in scene.stations.profiles(CAPPED))
    told.hold(kept and scene.writes()[CAPPED] == before[CAPPED], "it is left alone: nothing was sent to its station")
    await scene.until(f"{CAPPED} at its own ceiling", lambda: _at_ceiling(scene), 10, 1)
    told.hold(True, f"by its meter {CAPPED} charges with {scene.power_w(CAPPED) / 1000:.0f} kW")
    others = [name for name in scene.stations.identities if name not in (FORGETFUL, CAPPED)]
    told.hold(all(scene.writes()[name] == before[name] for name in others), "nobody else got a frame")


async def _repaired(scene: Scene, held: tuple[Profile, ...]) -> int:
    row = await scene.ask(f"stations/{FORGETFUL}")
    ids = [profile.id for profile in scene.stations.profiles(FORGETFUL)]
    return int(row["state"] == "in-sync" and ids == [profile.id for profile in held])


async def _reported(scene: Scene) -> int:
    rows = {row["identity"]: row for row in await scene.ask("drift")}
    foreign = rows[CAPPED]["foreign"] if CAPPED in rows else []
    return int([each["id"] for each in foreign] == [FOREIGN])


async def _at_ceiling(scene: Scene) -> int:
    return int(abs(scene.power_w(CAPPED) - float(CAP_W)) < 1)


def _ceiling() -> Profile:
    period = Period(0, limit=CAP_W)
    schedule = ChargingSchedule(FOREIGN, Unit.WATT, (period,), start=EVENING.replace(hour=0, minute=0))
    return Profile(FOREIGN, 0, 1, Purpose.STATION_MAX, Kind.ABSOLUTE, (schedule,))
