"""A plan as JSON for programs: every change of every station, with the profiles before and after.

Called by the command line. It refuses to know the wire: how a profile goes out is told by the function it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from reconciler.plan.change import Change, Clear, Install, Replace
from reconciler.plan.fleet_plan import FleetPlan, StationPlan, Version, subject
from reconciler.plan.week import Stretch
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject, write_instant, write_number, write_profile
from reconciler.profiles.profile import Profile

FORMAT_VERSION = 1
Payload = Callable[[Profile, Protocol], JsonObject]
"""Gives the SetChargingProfile request that would be sent."""


def write_json(plan: FleetPlan, payload: Payload) -> dict[str, object]:
    """Write a plan; stations without anything to tell are only counted."""
    writer = _Writer(plan.at, payload)
    return {
        "format_version": FORMAT_VERSION,
        "digest": plan.digest,
        "base": _version(plan.base),
        "head": _version(plan.head),
        "at": write_instant(plan.at),
        "timezone": plan.timezone,
        "live": plan.live,
        "summary": _summary(plan),
        "churn": {
            "writes": plan.churn.writes,
            "turnsBefore": plan.churn.turns_before,
            "turnsAfter": plan.churn.turns_after,
        },
        "changes": [change for station in plan.stations for change in writer.changes(station)],
        "later": [later for station in plan.stations for later in _later(station)],
        "refused": [refused for station in plan.stations for refused in _refused(station)],
        "foreign": [stranger for station in plan.stations for stranger in writer.foreign(station)],
        "offline": [station.identity for station in plan.stations if station.connected is False],
        "departed": list(plan.departed),
        "assumedProtocol": [station.identity for station in plan.stations if station.assumed and station.changes],
    }


class _Writer:
    """Writes each profile once, however many stations share it."""

    def __init__(self, at: datetime, payload: Payload) -> None:
        self._at, self._payload = at, payload
        self._written: dict[int, tuple[Profile, JsonObject]] = {}
        self._sent: dict[tuple[int, Protocol], tuple[Profile, JsonObject]] = {}

    def changes(self, station: StationPlan) -> Iterator[JsonObject]:
        for change in station.changes:
            profile = subject(change)
            yield {
                "station": station.identity,
                "protocol": station.protocol.version,
                "evseId": profile.evse_id,
                "profileId": profile.id,
                "purpose": profile.purpose.value,
                "stackLevel": profile.stack_level,
                "type": type(change).__name__.lower(),
                "cause": _cause(station, profile.id),
                "reason": change.reason,
                "deferred": station.connected is False,
                "before": None if isinstance(change, Install) else self._profile(change.old),
                "after": None if isinstance(change, Clear) else self._profile(change.new),
                "payload": self._request(change, station.protocol),
            }

    def foreign(self, station: StationPlan) -> Iterator[JsonObject]:
        for held in station.foreign:
            yield {
                "station": station.identity,
                "evseId": held.profile.evse_id,
                "source": held.source,
                "profile": self._profile(held.profile),
            }

    def _profile(self, profile: Profile) -> JsonObject:
        if id(profile) not in self._written:
            self._written[id(profile)] = (profile, write_profile(profile))
        return self._written[id(profile)][1]

    def _request(self, change: Change, protocol: Protocol) -> JsonObject | None:
        if isinstance(change, Clear):
            return None
        key = (id(change.new), protocol)
        if key not in self._sent:
            self._sent[key] = (change.new, self._payload(change.new, protocol))
        return self._sent[key][1]


def _summary(plan: FleetPlan) -> JsonObject:
    return {
        "install": plan.tally.get(Install, 0),
        "replace": plan.tally.get(Replace, 0),
        "clear": plan.tally.get(Clear, 0),
        "stations": len(plan.stations),
        "changed": len(plan.changed),
        "later": sum(1 for station in plan.stations if station.later),
        "drifted": sum(1 for station in plan.stations if station.drifted),
        "offline": sum(1 for station in plan.stations if station.connected is False),
        "refused": sum(1 for station in plan.stations if station.goal_refusal or station.stuck),
        "foreign": sum(len(station.foreign) for station in plan.stations),
    }


def _version(version: Version | None) -> JsonObject | None:
    if version is None:
        return None
    return {"commit": version.commit or None, "author": version.author, "subject": version.subject}


def _cause(station: StationPlan, profile_id: int) -> str:
    if profile_id in station.drifted:
        return "drift"
    return "renewal" if profile_id in station.renewed else "change"


def _refused(station: StationPlan) -> Iterator[JsonObject]:
    if station.goal_refusal:
        yield {"station": station.identity, "profileId": None, "reason": station.goal_refusal}
    for stuck in station.stuck:
        yield {"station": station.identity, "profileId": stuck.new.id, "reason": stuck.reason}


def _later(station: StationPlan) -> Iterator[JsonObject]:
    weeks = station.outlook.weeks if station.outlook else {}
    for evse in station.later:
        yield {
            "station": station.identity,
            "evseId": evse,
            "since": weeks[evse].since.isoformat(),
            "stretches": [_stretch(stretch) for stretch in weeks[evse].stretches],
        }


def _stretch(stretch: Stretch) -> JsonObject:
    return {
        "days": sorted(stretch.days),
        "startMinute": stretch.start,
        "endMinute": stretch.end,
        "beforeW": write_number(stretch.before),
        "afterW": write_number(stretch.after),
    }
