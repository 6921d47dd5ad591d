"""Make a snapshot into a revision that may reach stations, or refuse it as a whole (invariant 6). Pure.

Called by the controller's shell for each new commit, and by `validate`, `render` and `plan`. A revision that passes was
loaded, rendered for every kind of station, held against the official schemas and against its guardrails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from reconciler.errors import ManifestError, ProtocolError, RevisionError, Unsupported
from reconciler.manifests.fleet import Fleet, Station
from reconciler.manifests.guardrails import Severity
from reconciler.manifests.load import reload
from reconciler.manifests.snapshot import Snapshot
from reconciler.manifests.standing import Loading
from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.judge import judge
from reconciler.plan.change import Owned
from reconciler.plan.fleet_plan import supersede
from reconciler.plan.guardrails.finding import Fact, Finding
from reconciler.plan.guardrails.prove import prove
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.fit import may_discharge
from reconciler.profiles.profile import Profile, Purpose, shared
from reconciler.render.assume import assume, protocols
from reconciler.render.desired import Desired, Renderer, parts_of
from reconciler.render.programmes import remember
from reconciler.render.readiness import check_departures
from reconciler.render.yielded import Fault
from reconciler.rollout.site import HORIZON, Caps, Load, heavier, load_of_lines
from reconciler.rollout.station import Goal
from reconciler.rollout.waves import waves

Noted = tuple[Fact, tuple[str, ...]]
"""What a guardrail is to judge, and the stations that it is about."""


PROFILE = "$.chargingProfile."
"""Where the schemas see the fields of a profile."""
REVIEWED = frozenset({"blast-radius"})
"""Guardrails that hold where people decide, in `plan` and `apply`; see docs/decisions/0006."""


class Revision:
    """A verified commit with everything that is computed from it; what it gives depends on its arguments alone."""

    def __init__(self, snapshot: Snapshot, fleet: Fleet, shipped: Mapping[str, str]) -> None:
        """Take the loaded fleet; `revise` makes one that has also been proved, with what its guardrails warn of."""
        self.snapshot, self.fleet = snapshot, fleet
        self.renderer = Renderer(fleet, shipped)
        self.owned = Owned(fleet.id_from, fleet.id_to)
        self.caps = {name: Caps(site.import_w, site.export_w) for name, site in fleet.sites.items()}
        self.members = _members(fleet)
        self.warnings: tuple[Finding, ...] = ()
        self.loading: Loading | None = None
        self._sound: dict[int, tuple[Profile, ...]] = {}
        self._goals: dict[int, tuple[Desired, Goal]] = {}
        self._withheld: dict[object, tuple[Goal, Goal]] = {}
        self._planned: dict[object, Load] = {}

    @property
    def commit(self) -> str:
        """Give the commit's id."""
        return self.snapshot.commit

    def station(self, identity: str) -> Station | None:
        """Give a station by identity, in whatever case."""
        return self.fleet.stations.get(identity.casefold())

    def goal(self, station: Station, capability: Capability, now: datetime) -> Goal:
        """Give what a station should hold now, as its protocol can carry it; equal inputs share one goal.

        Raises:
            ManifestError: a template failed for this very capability.
        """
        desired = self.renderer.desired(station, capability, now)
        known = self._goals.get(id(desired))
        if known is not None and known[1].revision == self.commit:
            return known[1]
        goal = replace(known[1], revision=self.commit) if known else self._make_goal(desired, station, capability)
        remember(self._goals, id(desired), (desired, goal))
        return goal

    def take_over(self, before: Revision, now: datetime) -> None:
        """Keep what another revision has rendered, lowered and judged for stations made of the very same objects."""
        kept = {id(desired) for desired in self.renderer.take_over(before.renderer, now)}
        self._goals = {key: known for key, known in before._goals.copy().items() if key in kept}
        if self.fleet.discharge_allowed == before.fleet.discharge_allowed:
            alive = {id(goal.profiles) for _, goal in self._goals.values()}
            self._sound = {key: profiles for key, profiles in before._sound.items() if key in alive}

    def judge(self, goal: Goal, station: Station, capability: Capability, now: datetime) -> tuple[ManifestError, ...]:
        """Give what keeps a station's goal from being sent: discharge without consent, and what breaks the schemas."""
        if id(goal.profiles) in self._sound:
            return ()
        faults = _faults(goal, capability, self.fleet)
        errors = tuple(self.renderer.blame(each, station, capability, now, fault) for each, fault in faults)
        if not errors:
            self._sound[id(goal.profiles)] = goal.profiles
        return errors

    def withhold(self, goal: Goal, why: str, *, note: str = "") -> Goal:
        """Give a goal without anything that lets flow: the floor and the ceiling; equal inputs share one goal.

        `why` makes it a refusal, which `note` alone does not.
        """
        known = self._withheld.get((id(goal), why + note))
        if known is not None and known[0] is goal:
            return known[1]
        kept = tuple(each for each in goal.profiles if each is goal.floor or each.purpose is Purpose.STATION_MAX)
        notes = (*goal.notes, note) if note else goal.notes
        withheld = replace(goal, profiles=kept, refusal=goal.refusal or why, notes=notes)
        remember(self._withheld, (id(goal), why + note), (goal, withheld))
        return withheld

    def planned(self, key: str, day: datetime) -> Load:
        """Give the load of a station that has not been met: all that its schedules ask for, from a day's begin on."""
        station = self.fleet.stations[key]
        kind = (id(station.assignments), id(station.settings), station.evses, day)
        known = self._planned.get(kind)
        if known is None:
            span = (day, day + HORIZON)
            lines = [self.renderer.envelope(station, evse, span) for evse in station.evses]
            known = load_of_lines([highest for _, highest in lines], [lowest for lowest, _ in lines])
            remember(self._planned, kind, known)
        return known

    def is_safer(self, before: Revision, key: str, day: datetime) -> bool:
        """Tell whether it only makes a station safer and must not wait: a cap was lowered, or discharge withdrawn."""
        if not self.withdraws(before, key) and not self._lowers_caps(before, key):
            return False
        held = before.planned(key, day)
        return heavier(held, self.planned(key, day)) == held

    def withdraws(self, before: Revision, key: str) -> bool:
        """Tell whether a station may discharge no more that might before."""
        return _may_discharge(before.fleet, key) and not _may_discharge(self.fleet, key)

    def _lowers_caps(self, before: Revision, key: str) -> bool:
        old, new = before.fleet.stations[key], self.fleet.stations[key]
        caps, lower = before.caps.get(old.site or ""), self.caps.get(new.site or "")
        return caps is not None and lower is not None and old.site == new.site and _is_lower(lower, caps)

    def divide(self, before: Revision, members: Collection[str], day: datetime) -> tuple[tuple[str, ...], ...]:
        """Divide stations that it changes: first those that can't wait, then wave by wave."""
        urgent = tuple(sorted(key for key in members if self.is_safer(before, key, day)))
        others, stations = set(members).difference(urgent), self.fleet.stations
        return urgent, *waves(self.fleet.strategy, others, lambda key: stations[key].labels, self.commit)

    def evses(self, key: str) -> tuple[tuple[int, Decimal, Decimal], ...]:
        """Give a station's EVSEs as (id, charge rating in W, watts per ampere)."""
        voltage = self.fleet.nominal_voltage
        return tuple((evse.id, evse.charge_w, voltage * (evse.phases or 3)) for evse in self.fleet.stations[key].evses)

    def _make_goal(self, desired: Desired, station: Station, capability: Capability) -> Goal:
        lower = dialect(capability.protocol).lower
        lowered: list[Profile] = []
        refusal = desired.refusal
        for profile in desired.profiles:
            try:
                lowered.append(shared(lower(profile, capability)))
            except Unsupported as error:
                refusal = refusal or str(error)
                if not lowered:
                    break  # without its floor nothing else may go
        evses = tuple(evse.id for evse in station.evses)
        voltage = self.fleet.nominal_voltage
        return Goal(
            tuple(lowered),
            self.commit,
            desired.until,
            self.owned,
            evses,
            refusal,
            voltage,
            desired.notes,
            self.fleet.drift.foreign,
        )


def revise(snapshot: Snapshot, shipped: Mapping[str, str], now: datetime, before: Revision | None = None) -> Revision:
    """Load, render and prove a snapshot; what the revision `before` has alike is neither read nor rendered again.

    Raises:
        RevisionError: with every reason, sorted by place.
    """
    loading = reload(snapshot, before.loading if before else None)
    revision = Revision(snapshot, loading.fleet, shipped)
    revision.loading = loading
    if before:
        revision.take_over(before, now)
    tried = tuple(_trial(revision, now))
    findings = prove(revision.renderer, now, (each for each in tried if not isinstance(each, ManifestError)))
    errors = [each for each in tried if isinstance(each, ManifestError)]
    errors += check_departures(revision.renderer, now)
    errors += [each.as_error() for each in findings if each.is_error]
    if errors:
        unique = {error.order(): error for error in errors}
        raise RevisionError(tuple(unique[key] for key in sorted(unique)))
    revision.warnings = findings
    return revision


def follow(snapshot: Snapshot, shipped: Mapping[str, str], now: datetime, before: Revision | None) -> Revision:
    """Revise a snapshot, and prove that it may follow the revision before it, if there is one.

    What a plan has put before a person already, when the commit was reviewed, is repeated here as a warning.

    Raises:
        RevisionError: with every reason, sorted by place.
    """
    revision = revise(snapshot, shipped, now, before)
    found = supersede(revision, before, now) if before else ()
    findings = tuple(replace(each, severity=Severity.WARNING) if each.guardrail in REVIEWED else each for each in found)
    errors = tuple(each.as_error() for each in findings if each.is_error)
    if errors:
        raise RevisionError(errors)
    revision.warnings = (*findings, *revision.warnings)
    return revision


def _alike(fleet: Fleet) -> Iterable[list[Station]]:
    """Give the stations of each kind: whatever is rendered for one is rendered alike for all of its kind."""
    found: dict[tuple[object, ...], list[Station]] = {}
    for each in fleet.stations.values():
        found.setdefault((*parts_of(each), id(each.declared), each.model), []).append(each)
    return found.values()


def _members(fleet: Fleet) -> Mapping[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {}
    for key, station in fleet.stations.items():
        if station.site is not None:
            members.setdefault(station.site, []).append(key)
    return {site: tuple(keys) for site, keys in members.items()}


def _is_lower(one: Caps, other: Caps) -> bool:
    return one.import_w < other.import_w or one.export_w < other.export_w


def _may_discharge(fleet: Fleet, key: str) -> bool:
    return fleet.discharge_allowed and any(evse.discharge_w for evse in fleet.stations[key].evses)


def _trial(revision: Revision, now: datetime) -> Iterator[ManifestError | Noted]:
    """Render every kind of station in every protocol it may speak; refusals are errors where no protocol is left."""
    for alike in _alike(revision.fleet):
        station, refusals = alike[-1], list[tuple[Protocol, str]]()
        spoken = protocols(station.declared)
        for protocol in spoken:
            try:
                goal = revision.goal(station, assume(station.declared, protocol), now)
            except ManifestError as error:
                yield error
                break
            yield from revision.judge(goal, station, assume(station.declared, protocol), now)
            if goal.refusal:
                refusals.append((protocol, goal.refusal))
            span, capability = (now, now + HORIZON), assume(station.declared, protocol)
            notes = revision.renderer.degradations(station, capability, span)
            yield from (_degraded(alike, protocol, note) for note in notes)
        for protocol, refusal in refusals:
            left = len(refusals) < len(spoken)
            yield _silent(alike, protocol, refusal) if left else _unsupported(station, protocol, refusal)


def _faults(goal: Goal, capability: Capability, fleet: Fleet) -> Iterator[tuple[Profile, Fault]]:
    protocol = capability.protocol
    for profile in goal.profiles:
        if may_discharge(profile) and not fleet.discharge_allowed:
            message = f"profile {profile.id} discharges, and the Fleet does not allow it"
            yield profile, Fault(message, "discharge-not-allowed", None)
        try:
            payload = dialect(protocol).set_profile(profile, capability)
            judge(protocol, "SetChargingProfile", "Request", payload)
        except ProtocolError as error:
            message = f"profile {profile.id} breaks OCPP {protocol.version}: {error}"
            yield profile, Fault(message, "schema", error.description.partition(":")[0].removeprefix(PROFILE))


def _degraded(alike: list[Station], protocol: Protocol, note: str) -> Noted:
    fact = Fact("degraded", f"over OCPP {protocol.version}, {note}", alike[-1].place, "spec.onUnsupported")
    return fact, tuple(station.identity for station in alike)


def _silent(alike: list[Station], protocol: Protocol, refusal: str) -> Noted:
    message = f"no flow, should a station speak OCPP {protocol.version}: {refusal}"
    fact = Fact("protocol-left", message, alike[-1].place, "spec.capability.protocol")
    return fact, tuple(station.identity for station in alike)


def _unsupported(station: Station, protocol: Protocol, refusal: str) -> ManifestError:
    return ManifestError(
        f"station {station.identity} can't take its schedules over OCPP {protocol.version}: {refusal}",
        station.place,
        field="spec.capability",
        rule="unsupported",
    )
