"""How stations stand in the words of Kubernetes, kept with the time at which that last changed. Pure.

Used by `step` alone, after every event of a station.
"""

from __future__ import annotations

from datetime import datetime

from immutables import Map

from reconciler.controller.world import World
from reconciler.rollout.conditions import Reason, Turned, transition
from reconciler.rollout.station import Station
from reconciler.rollout.table import Next


def turn(world: World, key: str, station: Station, answer: Next, now: datetime) -> Map[str, Turned]:
    """Give how all stations stand, once this one stands like that; the same object where nothing turned."""
    before = world.turned.get(key)
    after = transition(before, station, answer, now, stopped(world, key))
    return world.turned if after is before else world.turned.set(key, after)


def stopped(world: World, key: str) -> Reason | None:
    """Give what keeps a station from being written, above all its own reasons."""
    if not world.recording.ok:
        return Reason.NOT_RECORDING
    if key in world.suspended:
        return Reason.SUSPENDED
    return Reason.DRIFT_STORM if world.storm is not None and key in world.storm.held else None
