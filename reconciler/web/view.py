"""From the controller's knowledge to what people are shown: stations, groups, status. Pure.

Called by `api`; keys are camelCase, powers in W, times RFC 3339 in UTC. It decides nothing: states and reasons are the
table's own words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from reconciler.errors import ManifestError
from reconciler.manifests.fleet import Group, Site
from reconciler.manifests.fleet import Station as Manifest
from reconciler.profiles.form import write_instant
from reconciler.reported.saved import SavedStation
from reconciler.rollout.progress import Rollout
from reconciler.rollout.station import Station, strangers
from reconciler.web.conditions import axes, count_axes, fleet_conditions, gather, stance, station_conditions, tell
from reconciler.web.following import Numbers, following_view, wave_numbers
from reconciler.web.ports import RefusedLike, RevisionLike, WorldLike
from reconciler.web.standstill import at_cap

View = dict[str, object]
STATES = ("in-sync", "pending", "drifted", "deferred", "refused", "unknown")
UNSEEN = ("deferred", "offline: not seen yet")
UNLISTED = ("unknown", "the revision in force does not list it")


def keys(world: WorldLike) -> list[str]:
    """Give every station of the fleet, and those that are connected without being of it, sorted."""
    fleet = world.revision.fleet.stations if world.revision else {}
    strays = (key for key, station in world.stations.items() if station.session is not None or world.revision is None)
    return sorted({*fleet, *strays})


def standing(world: WorldLike, key: str) -> tuple[str, str]:
    """Give a station's state and the reason for it."""
    if world.revision is not None and key not in world.revision.fleet.stations:
        return UNLISTED
    answer = world.standing.get(key)
    return (answer.state, answer.why) if answer else UNSEEN


def identity(world: WorldLike, key: str) -> str:
    """Give a station's identity as its manifest spells it, or else as the station itself does."""
    manifest = world.revision.fleet.stations.get(key) if world.revision else None
    station = world.stations.get(key)
    if manifest is not None:
        return manifest.identity
    return station.identity if station is not None else key


def station_view(world: WorldLike, key: str, numbers: Numbers | None = None) -> View:
    """Show one station of the fleet, seen or not; `numbers` are those of all waves, if they are known already."""
    station = world.stations.get(key)
    manifest = world.revision.fleet.stations.get(key) if world.revision else None
    state, reason = standing(world, key)
    return {
        "identity": identity(world, key),
        "connected": station is not None and station.session is not None,
        "protocol": station.protocol.version if station and station.protocol else None,
        "state": state,
        "reason": reason,
        "revision": station.verified.revision if station and station.verified else None,
        "desiredRevision": world.placed.get(key) or (world.revision.commit if world.revision else None),
        **following_view(world, key, wave_numbers(world.rollout) if numbers is None else numbers),
        **axes(world, key),
        "conditions": tell(station_conditions(world, key, reason)),
        **_membership(manifest),
        **(_live(station) if station else _NOT_LIVE),
    }


def stations_view(world: WorldLike, labels: Mapping[str, str], state: str | None = None) -> list[View]:
    """Show the stations that carry all of these labels and stand in this state."""
    chosen = (key for key in keys(world) if carries(world, key, labels))
    numbers = wave_numbers(world.rollout)
    return [station_view(world, key, numbers) for key in chosen if state in (None, standing(world, key)[0])]


def carries(world: WorldLike, key: str, labels: Mapping[str, str]) -> bool:
    """Tell whether a station of the fleet has all of these labels."""
    manifest = world.revision.fleet.stations.get(key) if world.revision else None
    return not labels or (manifest is not None and labels.items() <= manifest.labels.items())


def groups_view(world: WorldLike) -> list[View]:
    """Show the groups by name, with their stations counted by state."""
    groups = world.revision.fleet.groups if world.revision else {}
    return [_group(world, groups[name]) for name in sorted(groups)]


def sites_view(world: WorldLike) -> list[View]:
    """Show the sites by name, with their caps and their stations counted by state."""
    if world.revision is None:
        return []
    members: dict[str, list[str]] = {name: [] for name in sorted(world.revision.fleet.sites)}
    for key, station in world.revision.fleet.stations.items():
        if station.site is not None:
            members[station.site].append(key)
    return [_site(world, world.revision.fleet.sites[name], keys) for name, keys in members.items()]


def status_view(world: WorldLike, frames: Mapping[str, int], now: datetime) -> View:
    """Show the whole: the revision in force, the one refused, stations by state, requests sent by action."""
    chosen = keys(world)
    states = _count(world, chosen)
    return {
        "at": write_instant(now),
        "revision": _revision(world.revision) if world.revision else None,
        "refused": _refused(world.refused) if world.refused else None,
        "stations": sum(states.values()),
        "connected": sum(station.session is not None for station in world.stations.values()),
        "states": states,
        **count_axes(world, chosen),
        "conditions": tell(fleet_conditions(world, [stance(world, key) for key in chosen])),
        "rollout": _rollout(world.rollout, at_cap(world)) if world.rollout else None,
        "suspended": len(world.suspended),
        "inFlight": world.in_flight,
        "frames": dict(sorted(frames.items())),
    }


def saved(station: Station) -> SavedStation:
    """Give what a saved state keeps of a station, which is what a plan is made against."""
    connected = station.session is not None
    verified = station.verified.revision if station.verified else ""
    return SavedStation(station.identity, station.protocol, connected, station.capability, station.reported, verified)


def error_view(error: ManifestError) -> View:
    """Show why a revision was refused: place, field, rule and hint."""
    place = error.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "field": error.field,
        "rule": error.rule,
        "message": error.message,
        "hint": error.hint,
    }


def _membership(manifest: Manifest | None) -> View:
    if manifest is None:
        return {"groups": [], "site": None, "labels": {}, "model": ""}
    return {
        "groups": list(manifest.groups),
        "site": manifest.site,
        "labels": dict(manifest.labels),
        "model": manifest.model,
    }


_NOT_LIVE: View = {"foreign": 0, "skewSeconds": None, "powerW": {}, "lastRead": None}


def _live(station: Station) -> View:
    return {
        "foreign": len(strangers(station)),
        "skewSeconds": None if station.skew is None else round(station.skew.total_seconds(), 1),
        "powerW": {str(evse): float(power) for evse, (power, _) in sorted(station.power_w.items())},
        "lastRead": write_instant(station.read_at),
    }


def _site(world: WorldLike, site: Site, members: list[str]) -> View:
    return {
        "name": site.name,
        "importW": float(site.import_w),
        "exportW": float(site.export_w),
        **_members(world, members),
    }


def _members(world: WorldLike, members: list[str]) -> View:
    """Show stations together: counted by state and on both axes, and their conditions summed up."""
    observed = world.revision.commit if world.revision else None
    return {
        "stations": len(members),
        "states": _count(world, members),
        **count_axes(world, members),
        "conditions": tell(gather([stance(world, key) for key in members], observed)),
    }


def _rollout(rollout: Rollout, capped: str) -> View:
    return {
        "commit": rollout.commit,
        "base": rollout.base,
        "phase": rollout.phase.value,
        "reason": capped or rollout.reason,
        "wave": rollout.wave + 1,
        "waves": len(rollout.waves),
        "members": sum(map(len, rollout.waves)),
        "verified": len(rollout.verified),
        "open": len(rollout.open),
        "deferred": len(rollout.deferred) - len(rollout.not_awaited),
        "notAwaited": len(rollout.not_awaited),
        "failed": dict(sorted(rollout.failed.items())),
        "beganAt": write_instant(rollout.began_at),
        "changedAt": write_instant(rollout.changed_at),
    }


def _group(world: WorldLike, group: Group) -> View:
    return {
        "name": group.name,
        "parent": group.parent,
        "site": group.site,
        **_members(world, [member.casefold() for member in group.members]),
        "schedules": [
            {"schedule": each.schedule.name, "priority": each.priority, "place": str(each.place)}
            for each in group.assignments
        ],
    }


def _count(world: WorldLike, chosen: Iterable[str]) -> dict[str, int]:
    counted = Counter(standing(world, key)[0] for key in chosen)
    return {state: counted[state] for state in STATES}


def _revision(revision: RevisionLike) -> View:
    snapshot = revision.snapshot
    return {
        "commit": revision.commit,
        "author": snapshot.author,
        "committedAt": write_instant(snapshot.committed_at),
        "subject": snapshot.subject,
        "fleet": revision.fleet.name,
        "profileIds": {"from": revision.owned.first, "to": revision.owned.last},
    }


def _refused(refused: RefusedLike) -> View:
    errors = [error_view(error) for error in refused.errors]
    since = write_instant(refused.since)
    return {"commit": refused.commit, "subject": refused.subject, "since": since, "errors": errors}
