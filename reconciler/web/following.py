"""Which revision a station follows, and what keeps it from the newest one, in words. Pure; called by `view`.

The reasons for one station's next write (its site, its pace) are the table's and the controller's own words; here is
only what people and rollouts have to do with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from reconciler.profiles.form import write_instant
from reconciler.profiles.wording import count
from reconciler.rollout.conditions import Reason
from reconciler.rollout.progress import Phase, Rollout
from reconciler.web.ports import SuspensionLike, WorldLike

View: TypeAlias = dict[str, object]
Numbers: TypeAlias = Mapping[str, int]


def wave_numbers(rollout: Rollout | None) -> Numbers:
    """Give the number of each member's wave, from 1; those that did not wait for one have 0."""
    if rollout is None:
        return {}
    numbers = {key: number for number, wave in enumerate(rollout.waves, start=1) for key in wave}
    return {**dict.fromkeys(rollout.urgent, 0), **numbers}


def following_view(world: WorldLike, key: str, numbers: Numbers) -> View:
    """Show what a station follows, its wave, and what people hold it back with."""
    turned, suspension = world.turned.get(key), world.suspended.get(key)
    head = world.revision.commit if world.revision else None
    return {
        "follows": world.placed.get(key, head),
        "wave": numbers.get(key) or None,
        "waits": waits(world, key, numbers.get(key)),
        "contested": turned is not None and turned.reason is Reason.CONTESTED,
        "suspended": suspension_view(suspension) if suspension else None,
    }


def suspension_view(suspension: SuspensionLike) -> View:
    """Show a suspension."""
    return {
        "reason": suspension.reason,
        "who": suspension.who,
        "since": write_instant(suspension.since),
        "until": write_instant(suspension.until),
    }


def waits(world: WorldLike, key: str, number: int | None) -> str:
    """Say what keeps a station from being written to, of all that people and rollouts decide; empty where nothing."""
    suspension, rollout = world.suspended.get(key), world.rollout
    if suspension is not None:
        end = f" until {write_instant(suspension.until)}" if suspension.until else ""
        return f"suspended by {suspension.who}{end}: {suspension.reason}"
    if world.storm is not None and key in world.storm.held:
        storm = count(world.storm.drifted, "drifted station")
        return f"a storm of {storm}: `reconciler resume --storm` lets repairs go on"
    if key not in world.placed or rollout is None:
        return ""
    if rollout.phase is Phase.ABORTED:
        return f"rollout {rollout.commit[:12]} was aborted: {rollout.reason}"
    return f"wave {number} of {len(rollout.waves)} {_stands(rollout, number or 0)}"


def _stands(rollout: Rollout, number: int) -> str:
    """Say why a wave is not out; one that was, and holds on to the old revision, was withdrawn."""
    out = "was held back" if number <= rollout.wave + 1 else "is not released yet"
    match rollout.phase:
        case Phase.PAUSED:
            return f"{out}: {rollout.who} paused the rollout: {rollout.reason}"
        case Phase.WAITING if rollout.reason:
            return f"{out}: {rollout.reason}"
        case Phase.SOAKING:
            return f"{out}: wave {rollout.wave + 1} soaks until {write_instant(rollout.soak_until)}"
        case Phase.RELEASING:
            return f"{out}: {count(len(rollout.open), 'station')} of wave {rollout.wave + 1} not verified yet"
        case _:
            return out
