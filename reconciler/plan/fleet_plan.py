"""The plan of a whole fleet: what changes in every station, why, and a digest that ties an apply to it.

Called by the command line with two revisions (the base taken as held by every station), with a revision and reported
state, or with all three: then what the base had asked for already counts as drift. Stations of one kind share one
comparison; nothing is rendered per station.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol as Shape

from reconciler.manifests.fleet import Fleet, Station
from reconciler.manifests.guardrails import Waiver
from reconciler.manifests.snapshot import Snapshot
from reconciler.plan.change import Change, Clear, Install, Keep, Owned, Replace, Stuck, Verdict, changes, diff, foreign
from reconciler.plan.fingerprint import Entry, Fingerprints, digest
from reconciler.plan.guardrails.finding import Finding
from reconciler.plan.guardrails.supersession import Reach, check_reach, holds_flow
from reconciler.plan.guardrails.tracks import has_flow
from reconciler.plan.outlook import Outlook, look_ahead
from reconciler.plan.power import renews
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Profile
from reconciler.render.assume import assume
from reconciler.render.desired import Renderer
from reconciler.reported.belief import OURS, Belief, Held, Reported
from reconciler.reported.saved import SavedStation

UNMET = Reported()
EMPTY = Reported(known=True, ever_known=True)
"""What stations hold where no base says otherwise: everything is new."""


class GoalLike(Shape):
    """What a station should hold, in its protocol's own words."""

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Give the profiles, the floor first."""

    @property
    def refusal(self) -> str:
        """Give why flow can't be given, or nothing."""


class RevisionLike(Shape):
    """A revision that was loaded, with all that is computed from it."""

    snapshot: Snapshot
    fleet: Fleet
    renderer: Renderer
    owned: Owned
    warnings: tuple[Finding, ...]

    def goal(self, station: Station, capability: Capability, now: datetime) -> GoalLike:
        """Give what a station should hold; equal inputs share one goal."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which revision it is; a folder as it lies has no commit."""

    commit: str
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class StationPlan:
    """One station's part of the plan.

    `connected` is None where no reported state was given. `assumed` tells that its protocol was neither declared nor
    seen. `drifted` are the ids whose change comes from the station and not from the revision, `renewed` those that only
    get a new lease. `outlook` says what its schedules change over the week, and `later` names the EVSEs for which that
    lies beyond the present lease.
    """

    identity: str
    protocol: Protocol
    verdicts: tuple[Verdict, ...] = ()
    goal_refusal: str = ""
    foreign: tuple[Held, ...] = ()
    connected: bool | None = None
    assumed: bool = False
    drifted: frozenset[int] = frozenset()
    renewed: frozenset[int] = frozenset()
    outlook: Outlook | None = None
    later: tuple[int, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Give what has to be written to it."""
        return changes(self.verdicts)

    @property
    def intended(self) -> tuple[Change, ...]:
        """Give the changes that the revision asks for: neither repairs of drift nor renewals."""
        return tuple(each for each in self.changes if subject(each).id not in self.drifted | self.renewed)

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        """Give what it refuses, or stores otherwise than it is sent."""
        return tuple(each for each in self.verdicts if isinstance(each, Stuck))


@dataclass(frozen=True, slots=True)
class Churn:
    """What a plan costs: writes, and turns between charge and discharge a day, summed over the EVSEs of its stations.

    `turns_before` is None where it is not known what the stations did before.
    """

    writes: int
    turns_before: int | None
    turns_after: int


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """All stations of the head by identity, and those that left with it; see `plan_fleet`.

    `findings` are what the guardrails say to the head and to its step from the base, `waivers` what the fleet eased.
    """

    base: Version | None
    head: Version
    at: datetime
    timezone: str
    stations: tuple[StationPlan, ...]
    departed: tuple[str, ...]
    digest: str
    live: bool
    churn: Churn
    tally: Mapping[type[Verdict], int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def changed(self) -> tuple[StationPlan, ...]:
        """Give the stations that something has to be written to."""
        return tuple(station for station in self.stations if station.changes)

    @property
    def is_empty(self) -> bool:
        """Tell whether the revision asks for nothing that is not there, now or later."""
        return not any(station.intended or station.later for station in self.stations)

    @property
    def is_drifted(self) -> bool:
        """Tell whether a station holds something else than what was asked of it before."""
        return any(station.drifted for station in self.stations)

    @property
    def is_blocked(self) -> bool:
        """Tell whether something can't be brought to its station, or a guardrail refuses the whole."""
        refused = any(station.goal_refusal or station.stuck for station in self.stations)
        return refused or any(finding.is_error for finding in self.findings)


def plan_fleet(
    head: RevisionLike,
    at: datetime,
    base: RevisionLike | None = None,
    state: Mapping[str, SavedStation] | None = None,
) -> FleetPlan:
    """Plan a revision against a base, against reported state (by casefolded identity), or against both.

    With a base, the digest covers what the revisions differ in, whatever the stations hold; without one, every write.

    Raises:
        ManifestError: a template failed for what a station says it can take.
    """
    desk = _Desk(head, base, at)
    keys = sorted(head.fleet.stations)
    intents = {key: desk.compare(key) for key in keys} if base or state is None else {}
    plans = intents if state is None else {key: desk.inspect(key, intents.get(key), state) for key in keys}
    known = (base.fleet.stations if base else {}) if state is None else state
    steps = desk.step() if base else _step(head, plans, state or {}, at)
    return FleetPlan(
        base=_version(base) if base else None,
        head=_version(head),
        at=at,
        timezone=head.fleet.timezone,
        stations=tuple(plans.values()),
        departed=tuple(known[key].identity for key in sorted(known.keys() - head.fleet.stations.keys())),
        digest=digest(entry for key, plan in (intents or plans).items() for entry in desk.entries(key, plan)),
        live=state is not None,
        churn=_churn(plans.values(), known=base is not None or state is None),
        tally=Counter(type(verdict) for plan in plans.values() for verdict in plan.verdicts),
        findings=(*steps, *head.warnings),
        waivers=head.fleet.guardrails.waivers,
    )


def supersede(head: RevisionLike, base: RevisionLike, at: datetime) -> tuple[Finding, ...]:
    """Give what the guardrails say to a revision that follows another; each kind of station is compared once.

    Raises:
        ManifestError: a template failed.
    """
    return _Desk(head, base, at).step()


def subject(verdict: Verdict) -> Profile:
    """Give the profile that a verdict is about: the new one, if there is one."""
    match verdict:
        case Install() | Replace() | Stuck():
            return verdict.new
        case Clear():
            return verdict.old
        case Keep():
            return verdict.held


class _Desk:
    """Compares one station after the other and remembers what was compared before."""

    def __init__(self, head: RevisionLike, base: RevisionLike | None, at: datetime) -> None:
        self._head, self._base, self._at = head, base, at
        self._marks = Fingerprints(head.fleet, head.renderer.templates)
        self._base_marks = Fingerprints(base.fleet, base.renderer.templates) if base else None
        self._compared: dict[tuple[int, int], tuple[object, tuple[Verdict, ...], tuple[Held, ...]]] = {}
        self._outlooks: dict[tuple[object, ...], Outlook] = {}

    def compare(self, key: str) -> StationPlan:
        """Compare a station's goals of the two revisions; nothing is rendered where both mean the same as source."""
        station = self._head.fleet.stations[key]
        old = self._base.fleet.stations.get(key) if self._base else None
        protocol, assumed = _protocol(station)
        if old is not None and self._base_marks and self._base_marks.of(old) == self._marks.of(station):
            return StationPlan(station.identity, protocol, assumed=assumed)
        goal = self._head.goal(station, assume(station.declared, protocol), self._at)
        verdicts, strangers = self._against(goal, self._base_goal(old))
        outlook = self._outlook(station, old)
        later = () if outlook.is_new or goal.refusal else _later(outlook, verdicts)
        return StationPlan(
            identity=station.identity,
            protocol=protocol,
            verdicts=verdicts,
            goal_refusal=goal.refusal,
            foreign=strangers,
            assumed=assumed,
            outlook=outlook,
            later=later,
        )

    def step(self) -> tuple[Finding, ...]:
        """Hold the step from the base to the head against the guardrails."""
        if self._base is None or self._base_marks is None:
            return ()
        before, after = self._base.fleet.stations, self._head.fleet.stations
        alike: dict[tuple[str, str], list[str]] = {}
        for key in before.keys() & after.keys():
            marks = (self._base_marks.of(before[key]), self._marks.of(after[key]))
            if marks[0] != marks[1]:
                alike.setdefault(marks, []).append(key)
        touched = [before[key].identity for key in before.keys() - after.keys()]
        for keys in alike.values():
            plan = self.compare(min(keys))
            touched += [before[key].identity for key in keys] if plan.intended or plan.later else []
        renderer = self._base.renderer
        left = _left(self._head, self._at, lambda: has_flow(renderer, self._at))
        return check_reach(Reach(touched, len(before), left), self._head.fleet.guardrails)

    def inspect(self, key: str, intent: StationPlan | None, state: Mapping[str, SavedStation]) -> StationPlan:
        """Compare a station's goal with what is reported of it; what its intent does not explain is drift."""
        station, saved = self._head.fleet.stations[key], state.get(key)
        protocol, assumed = _protocol(station, saved)
        capability = (saved.capability if saved else None) or assume(station.declared, protocol)
        goal = self._head.goal(station, capability, self._at)
        reported = saved.reported if saved else UNMET
        verdicts = diff(goal.profiles, reported, self._head.owned, self._at, self._head.fleet.nominal_voltage)
        drifted, renewed = self._unintended(verdicts, intent, reported)
        return StationPlan(
            identity=station.identity,
            protocol=protocol,
            verdicts=verdicts,
            goal_refusal=goal.refusal,
            foreign=foreign(reported, self._head.owned),
            connected=bool(saved and saved.connected),
            assumed=assumed,
            drifted=drifted,
            renewed=renewed,
            outlook=intent.outlook if intent else self._outlook(station, None),
            later=intent.later if intent else (),
        )

    def entries(self, key: str, plan: StationPlan) -> Iterator[Entry]:
        """Give what the digest is taken of: this station's writes, and those that a later day brings."""
        source = self._marks.of(self._head.fleet.stations[key])
        later = set(plan.later)
        for verdict in plan.verdicts:
            profile = subject(verdict)
            if profile.id in plan.drifted | plan.renewed:
                continue
            if isinstance(verdict, Install | Replace | Clear):
                yield _entry(key, type(verdict), profile, "" if isinstance(verdict, Clear) else source)
            elif profile.evse_id in later:
                yield _entry(key, Replace, profile, source)

    def _unintended(
        self, verdicts: tuple[Verdict, ...], intent: StationPlan | None, reported: Reported
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Give the ids of what repairs drift, and of what only gets a new lease; without an intent all is intended."""
        meant = {subject(each).id for each in intent.changes} if intent else set()
        open_ids = {subject(each).id for each in changes(verdicts)} - meant
        replaced = [each for each in verdicts if isinstance(each, Replace) and each.new.id in open_ids]
        renewed = frozenset(each.new.id for each in replaced if renews(each.new, each.old, self._at))
        drifted = open_ids - renewed if intent and reported.ever_known else ()
        return frozenset(drifted), renewed

    def _base_goal(self, old: Station | None) -> GoalLike | None:
        if old is None or self._base is None:
            return None
        return self._base.goal(old, assume(old.declared, _protocol(old)[0]), self._at)

    def _against(self, goal: GoalLike, base: GoalLike | None) -> tuple[tuple[Verdict, ...], tuple[Held, ...]]:
        """Take the base's goal as held and observed; stations with equal goals share the comparison."""
        known = self._compared.get((id(goal), id(base)))
        if known is None:
            held = {profile.id: Held(profile, Belief.OBSERVED) for profile in base.profiles} if base else {}
            reported = Reported(held=held, known=True, ever_known=True) if held else EMPTY
            verdicts = diff(goal.profiles, reported, self._head.owned, self._at, self._head.fleet.nominal_voltage)
            known = ((goal, base), verdicts, foreign(reported, self._head.owned))
            self._compared[id(goal), id(base)] = known
        return known[1], known[2]

    def _outlook(self, station: Station, old: Station | None) -> Outlook:
        key = tuple(id(part) for each in (station, old) if each for part in (each.assignments, each.evses))
        if key not in self._outlooks:
            before = (self._base.renderer, old) if self._base and old else None
            self._outlooks[key] = look_ahead(before, (self._head.renderer, station), self._at)
        return self._outlooks[key]


def _step(
    head: RevisionLike, plans: Mapping[str, StationPlan], state: Mapping[str, SavedStation], at: datetime
) -> tuple[Finding, ...]:
    """Hold the step from what stations report to the head against the guardrails."""
    held = {key: _ours(saved.reported, head.owned) for key, saved in state.items()}
    holding = [key for key, profiles in held.items() if profiles]
    touched = [state[key].identity for key in holding if key not in plans or plans[key].intended]
    left = _left(head, at, lambda: any(holds_flow(each, at) for each in held.values()))
    return check_reach(Reach(touched, len(holding), left), head.fleet.guardrails)


def _left(head: RevisionLike, at: datetime, flowing: Callable[[], bool]) -> str:
    """Say what a revision takes from all stations: nothing, the stations, or the flow that there was."""
    if not head.fleet.stations:
        return "stations"
    return "flow" if not has_flow(head.renderer, at) and flowing() else ""


def _ours(reported: Reported, owned: Owned) -> tuple[Profile, ...]:
    return tuple(each.profile for number, each in reported.held.items() if number in owned and each.source == OURS)


def _protocol(station: Station, saved: SavedStation | None = None) -> tuple[Protocol, bool]:
    """Give the protocol a station speaks: seen, else declared, else assumed to be the latest."""
    seen = saved.protocol or (saved.capability.protocol if saved.capability else None) if saved else None
    declared = next((each for each in Protocol if each.version == station.declared.protocol), None)
    return seen or declared or Protocol.V21, seen is None and declared is None


def _later(outlook: Outlook, verdicts: tuple[Verdict, ...]) -> tuple[int, ...]:
    written = {subject(each).evse_id for each in changes(verdicts)}
    return tuple(evse for evse in outlook.weeks if evse not in written)


def _entry(key: str, verdict: type[Verdict], profile: Profile, source: str) -> Entry:
    place = (str(profile.id), str(profile.evse_id), profile.purpose.value, str(profile.stack_level))
    return (key, verdict.__name__.lower(), *place, source)


def _version(revision: RevisionLike) -> Version:
    snapshot = revision.snapshot
    return Version(snapshot.commit, snapshot.author, snapshot.subject)


def _churn(plans: Collection[StationPlan], *, known: bool) -> Churn:
    outlooks = [plan.outlook for plan in plans if plan.outlook and (plan.changes or plan.later)]
    before = sum(outlook.turns_before for outlook in outlooks)
    writes = sum(len(plan.changes) for plan in plans)
    return Churn(writes, before if known else None, sum(outlook.turns_after for outlook in outlooks))
