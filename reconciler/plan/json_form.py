"""A plan as JSON for programs: every change of every station, with the profiles before and after.

Called by the command line. It refuses to know the wire: how a profile goes out is told by the function it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from reconciler.errors import Place
from reconciler.manifests.guardrails import Waiver
from reconciler.plan.asked import Steering
from reconciler.plan.change import Change, Clear, Install, Replace, subject
from reconciler.plan.document import FORMAT_VERSION
from reconciler.plan.guardrails.finding import Finding
from reconciler.plan.outlook import Outlook, Week
from reconciler.plan.planned import Batch, Course, FleetPlan, StationPlan, Version
from reconciler.plan.week import Stretch
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject, write_instant, write_number, write_profile
from reconciler.profiles.profile import Profile

Payload = Callable[[Profile, Protocol], JsonObject]
"""Gives the SetChargingProfile request that would be sent."""


def write_json(plan: FleetPlan, payload: Payload) -> dict[str, object]:
    """Write a plan; stations without anything to tell are only counted."""
    writer = _Writer(payload)
    told = [station for station in plan.stations if station.is_told]
    return {
        "format_version": FORMAT_VERSION,
        "fleet": plan.fleet,
        "digest": plan.digest,
        "base": _version(plan.base),
        "head": _version(plan.head),
        "at": write_instant(plan.at),
        "created": write_instant(plan.created),
        "expires": write_instant(plan.expires),
        "stateAt": write_instant(plan.state_at),
        "timezone": plan.timezone,
        "live": plan.live,
        "summary": _summary(plan),
        "churn": _churn(plan),
        "course": _course(plan.course) if plan.course else None,
        "findings": [_finding(finding) for finding in plan.findings],
        "waivers": [_waiver(waiver) for waiver in plan.waivers],
        "stations": [writer.station(station) for station in told],
        "outlooks": writer.outlooks,
        "changes": [change for station in told for change in writer.changes(station)],
        "later": [later for station in told for later in _later(station)],
        "refused": [refused for station in told for refused in writer.refused(station)],
        "foreign": [stranger for station in told for stranger in writer.foreign(station)],
        "offline": [station.identity for station in told if station.connected is False],
        "departed": list(plan.departed),
        "assumedProtocol": [station.identity for station in told if station.assumed and station.changes],
    }


class _Writer:
    """Writes each profile and each outlook once, however many stations share it."""

    def __init__(self, payload: Payload) -> None:
        self._payload = payload
        self.outlooks: list[JsonObject] = []
        self._numbers: dict[int, tuple[Outlook, int]] = {}
        self._written: dict[int, tuple[Profile, JsonObject]] = {}
        self._sent: dict[tuple[int, Protocol], tuple[Profile, JsonObject]] = {}

    def station(self, station: StationPlan) -> JsonObject:
        return {
            "station": station.identity,
            "protocol": station.protocol.version,
            "group": station.group,
            "site": station.site,
            "connected": station.connected,
            "assumed": station.assumed,
            "outlook": None if station.outlook is None else self._number(station.outlook),
        }

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

    def refused(self, station: StationPlan) -> Iterator[JsonObject]:
        blank = {"station": station.identity, "profileId": None, "evseId": None, "profile": None}
        if station.goal_refusal:
            yield {**blank, "reason": station.goal_refusal}
        for stuck in station.stuck:
            yield {
                **blank,
                "profileId": stuck.new.id,
                "evseId": stuck.new.evse_id,
                "reason": stuck.reason,
                "profile": self._profile(stuck.new),
            }

    def _number(self, outlook: Outlook) -> int:
        """Give an outlook's place in the list of all."""
        if id(outlook) not in self._numbers:
            self._numbers[id(outlook)] = (outlook, len(self.outlooks))
            self.outlooks.append(_outlook(outlook))
        return self._numbers[id(outlook)][1]

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
        "stations": plan.size,
        "changed": len(plan.changed),
        "later": sum(1 for station in plan.stations if station.later),
        "drifted": sum(1 for station in plan.stations if station.drifted),
        "offline": sum(1 for station in plan.stations if station.connected is False),
        "refused": sum(1 for station in plan.stations if station.is_refused),
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


def _churn(plan: FleetPlan) -> JsonObject:
    churn = plan.churn
    return {
        "writes": churn.writes,
        "turnsBefore": churn.turns_before,
        "turnsAfter": churn.turns_after,
        "durationSeconds": -(-churn.duration // timedelta(seconds=1)),
    }


def _course(course: Course) -> JsonObject:
    return {
        "urgent": _batch(course.urgent),
        "waves": [_batch(wave) for wave in course.waves],
        "soakSeconds": -(-course.soak // timedelta(seconds=1)),
        "writesPerMinute": course.writes_per_minute,
        "windows": course.windows,
    }


def _batch(batch: Batch) -> JsonObject:
    return {"stations": batch.stations, "groups": dict(batch.groups)}


def _finding(finding: Finding) -> JsonObject:
    return {
        "guardrail": finding.guardrail,
        "severity": finding.severity.value,
        "message": finding.message,
        "field": finding.field,
        "place": _place(finding.place),
        "stations": list(finding.stations),
        "hint": finding.hint,
    }


def _waiver(waiver: Waiver) -> JsonObject:
    return {
        "guardrail": waiver.guardrail,
        "eased": list(waiver.eased),
        "reason": waiver.reason,
        "place": _place(waiver.place),
    }


def _place(place: Place) -> JsonObject:
    return {"file": place.file, "line": place.line, "column": place.column}


def _outlook(outlook: Outlook) -> JsonObject:
    return {
        "isNew": outlook.is_new,
        "turnsBefore": outlook.turns_before,
        "turnsAfter": outlook.turns_after,
        "weeks": [_week(evse, week) for evse, week in outlook.weeks.items()],
    }


def _week(evse: int, week: Week) -> dict[str, object]:
    return {
        "evseId": evse,
        "since": week.since.isoformat(),
        "stretches": [_stretch(stretch) for stretch in week.stretches],
    }


def _later(station: StationPlan) -> Iterator[JsonObject]:
    weeks = station.outlook.weeks if station.outlook else {}
    return ({"station": station.identity, **_week(evse, weeks[evse])} for evse in station.later)


def _stretch(stretch: Stretch) -> JsonObject:
    return {
        "days": sorted(stretch.days),
        "startMinute": stretch.start,
        "endMinute": stretch.end,
        "beforeW": write_number(stretch.before),
        "afterW": write_number(stretch.after),
        **({"beforeMode": _mode(stretch.before_mode)} if stretch.before_mode else {}),
        **({"afterMode": _mode(stretch.after_mode)} if stretch.after_mode else {}),
    }


def _mode(steering: Steering) -> JsonObject:
    curve = [
        {"frequencyHz": write_number(each.frequency_hz), "powerW": write_number(each.power_w)}
        for each in steering.curve
    ]
    return {
        "mode": steering.mode.value,
        "lowestW": write_number(steering.lowest),
        "highestW": write_number(steering.highest),
        "curve": curve,
    }
