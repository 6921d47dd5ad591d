"""Why a station does what it does: each profile desired and reported, who wins now, which line of git says so. Pure.

Called by `api` for `explain` and `drift`. Its answers are the plan's verdicts and the composite's leaders, put beside
the schedules that are in force at this instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from reconciler.errors import Place
from reconciler.manifests.fleet import Assignment, Origin
from reconciler.manifests.fleet import Station as Manifest
from reconciler.manifests.origins import origins
from reconciler.manifests.quantity import Quantity
from reconciler.plan.change import Clear, Stuck, Verdict, changes, subject
from reconciler.profiles.composite import Flow, Situation, flow_at
from reconciler.profiles.form import plain, write_instant, write_number, write_profile
from reconciler.profiles.profile import Profile
from reconciler.render.compile import spoken_at
from reconciler.reported.belief import Held
from reconciler.rollout.station import Station, strangers
from reconciler.web.ports import WorldLike
from reconciler.web.view import View, identity, keys, standing, station_view

Flows = Mapping[int, Flow]
NOBODY = Station("")


def explain_view(world: WorldLike, key: str, now: datetime) -> View:
    """Show one station in full; `evses` says who wins now, `profiles` what is desired and reported of each."""
    station = world.stations.get(key, NOBODY)
    target = world.target(key)
    manifest = target.fleet.stations.get(key) if target else None
    zone = ZoneInfo(target.fleet.timezone if target else "UTC")
    flows = _flows(world, key, now)
    return {
        **station_view(world, key),
        "at": write_instant(now),
        "renewal": write_instant(station.goal.until) if station.goal else None,
        "refusal": station.goal.refusal if station.goal else "",
        "notes": list(station.goal.notes) if station.goal else [],
        "settings": [_origin(origin) for origin in origins(manifest)] if manifest else [],
        "evses": [_evse(evse, flow, manifest, now.astimezone(zone)) for evse, flow in flows.items()],
        "profiles": [_profile(station, verdict, flows) for verdict in station.verdicts],
        "foreignProfiles": [_stranger(held, flows) for held in strangers(station)],
    }


def drift_view(world: WorldLike) -> list[View]:
    """Show the stations that hold something else than they should though nothing was changed, and why."""
    shown = (_drift(world, key) for key in keys(world))
    return [view for view in shown if view is not None]


def speaking(assignment: Assignment, wall: datetime) -> tuple[Quantity, Place] | None:
    """Give what an assigned schedule says when the wall clock shows `wall`, and the line that says it."""
    spoken = spoken_at(assignment.schedule, wall)
    return None if spoken is None else (spoken.power, spoken.place)


def _flows(world: WorldLike, key: str, now: datetime) -> Flows:
    """Give what the profiles that the station is believed to hold command each of its EVSEs."""
    target = world.target(key)
    if target is None or key not in target.fleet.stations:
        return {}
    station = world.stations.get(key, NOBODY)
    held = [each.profile for each in station.reported.held.values()]
    return {
        evse: flow_at(held, evse, now, Situation(watts_per_ampere=per_ampere))
        for evse, _, per_ampere in target.evses(key)
    }


def _evse(evse_id: int, flow: Flow, manifest: Manifest | None, wall: datetime) -> View:
    return {
        "evseId": evse_id,
        "leader": flow.leader,
        "limitW": write_number(flow.limit_w),
        "setpointW": write_number(flow.setpoint_w),
        "schedule": _schedule(manifest, wall),
    }


def _schedule(manifest: Manifest | None, wall: datetime) -> View | None:
    """Give the schedule that speaks now: the first, by priority, that says anything; None where the floor does."""
    for assignment in manifest.assignments if manifest else ():
        said = speaking(assignment, wall)
        if said is not None:
            value, place = said
            return {
                "name": assignment.schedule.name,
                "group": assignment.group,
                "priority": assignment.priority,
                "power": f"{plain(value.value):f} {value.unit}",
                "place": str(place),
            }
    return None


def _origin(origin: Origin) -> View:
    return {"field": origin.field, "value": origin.value, "level": origin.level, "place": str(origin.place)}


def _profile(station: Station, verdict: Verdict, flows: Flows) -> View:
    desired = _desired(station, verdict)
    about = subject(verdict)
    held = station.reported.held.get(about.id)
    return {
        "id": about.id,
        "evseId": about.evse_id,
        "purpose": about.purpose.value,
        "stackLevel": about.stack_level,
        "verdict": type(verdict).__name__.lower(),
        "reason": verdict.reason,
        "desired": write_profile(desired) if desired else None,
        "reported": write_profile(held.profile) if held else None,
        "belief": held.belief.value if held else None,
        "source": held.source if held else None,
        "winsOn": _wins(about.id, flows),
        "lastAnswer": station.answers.get(about.id),
    }


def _desired(station: Station, verdict: Verdict) -> Profile | None:
    if isinstance(verdict, Clear) or station.goal is None:
        return None
    number = subject(verdict).id
    return next((profile for profile in station.goal.profiles if profile.id == number), None)


def _stranger(held: Held, flows: Flows) -> View:
    return {
        "id": held.profile.id,
        "evseId": held.profile.evse_id,
        "purpose": held.profile.purpose.value,
        "stackLevel": held.profile.stack_level,
        "reported": write_profile(held.profile),
        "belief": held.belief.value,
        "source": held.source,
        "winsOn": _wins(held.profile.id, flows),
    }


def _wins(profile_id: int, flows: Flows) -> list[int]:
    return [evse for evse, flow in flows.items() if flow.leader == profile_id]


def _drift(world: WorldLike, key: str) -> View | None:
    station = world.stations.get(key)
    if station is None or standing(world, key)[0] == "deferred":
        return None
    state, reason = standing(world, key)
    drifted = changes(station.verdicts) if state == "drifted" else ()
    pinned = tuple(each for each in station.verdicts if isinstance(each, Stuck))
    others = strangers(station)
    if not (drifted or pinned or others or state in ("drifted", "refused")):
        return None
    return {
        "identity": identity(world, key),
        "state": state,
        "reason": reason,
        "profiles": [_difference(verdict) for verdict in (*drifted, *pinned)],
        "foreign": [_foreign(held) for held in others],
    }


def _difference(verdict: Verdict) -> View:
    about = subject(verdict)
    return {
        "id": about.id,
        "evseId": about.evse_id,
        "verdict": type(verdict).__name__.lower(),
        "reason": verdict.reason,
    }


def _foreign(held: Held) -> View:
    return {
        "id": held.profile.id,
        "evseId": held.profile.evse_id,
        "purpose": held.profile.purpose.value,
        "source": held.source,
    }
