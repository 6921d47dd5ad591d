"""What a rollout's gate sees of a station: is it there, is the new revision read back, has anything broken. Pure.

Used by `course` alone. Faults and refusals from before the release are not held against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.controller.world import World
from reconciler.profiles.composite import Flow, Situation, flow_at
from reconciler.rollout.progress import Rollout, Sight
from reconciler.rollout.station import Goal, Station, second_opinion

FRESH = timedelta(minutes=5)
"""For how long a metered power says something."""
SLOW = timedelta(minutes=1)
"""How long a vehicle may take to follow a change."""
NOT_SHOWN = "its composite schedules do not show what it accepted"
LEAST_TOLERANCE_W = Decimal(500)


def sight(world: World, rollout: Rollout, key: str, station: Station) -> Sight:
    """Give what a member of a rollout shows; one that a person has suspended is not waited for.

    Where a station does not report its profiles, its composite schedules are the read-back (invariant 9).
    """
    aimed = station.goal is not None and station.goal.revision == rollout.commit
    opinion = second_opinion(station) if aimed else None
    verified = opinion or (station.verified is not None and station.verified.revision == rollout.commit)
    online = station.session is not None and key not in world.suspended
    troubles = (
        _fault(rollout, key, station),
        _refusal(world, key) if aimed else "",
        NOT_SHOWN if opinion is False else "",
    )
    return Sight(online, verified, next(filter(None, troubles), ""))


def _fault(rollout: Rollout, key: str, station: Station) -> str:
    faults = station.faults - rollout.faults.get(key, frozenset())
    return f"fault on EVSE {min(faults)}" if faults else ""


def _refusal(world: World, key: str) -> str:
    standing = world.standing.get(key)
    return standing.why if standing is not None and standing.state == "refused" else ""


def off_power(world: World, rollout: Rollout, now: datetime) -> Mapping[str, str]:
    """Give the verified members whose meters show more than their profiles allow, either way, and by how much."""
    found = ((key, _off_power(world, rollout, key, now)) for key in rollout.verified)
    return {key: why for key, why in found if why}


def _off_power(world: World, rollout: Rollout, key: str, now: datetime) -> str:
    station, target = world.stations[key], world.target(key)
    if station.goal is None or target is None or key not in target.fleet.stations:
        return ""
    settled = max(station.written_at.values(), default=rollout.began_at) + SLOW
    for evse_id, charge_w, watts_per_ampere in target.evses(key):
        power_w, at = station.power_w.get(evse_id, (Decimal(0), rollout.began_at))
        tolerance_w = max(LEAST_TOLERANCE_W, charge_w * rollout.strategy.gate.power)
        flows = _flows(station.goal, evse_id, at, watts_per_ampere)
        says_something = at >= settled and now - at <= FRESH
        if says_something and not any(_is_within(power_w, flow, tolerance_w) for flow in flows):
            return f"EVSE {evse_id} measures {power_w / 1000:.1f} kW, which its profiles do not allow"
    return ""


def _flows(goal: Goal, evse_id: int, at: datetime, watts_per_ampere: Decimal) -> tuple[Flow, ...]:
    """Give what profiles allow when it was measured, and a moment before."""
    situation = Situation(watts_per_ampere=watts_per_ampere)
    return tuple(flow_at(goal.profiles, evse_id, instant, situation) for instant in (at, at - SLOW))


def _is_within(power_w: Decimal, flow: Flow, tolerance_w: Decimal) -> bool:
    most = flow.most_import_w
    return (most is None or power_w <= most + tolerance_w) and power_w >= -flow.most_export_w - tolerance_w
