"""The plan of a whole fleet: what changes in every station, why, and a digest that ties an apply to it.

Called by the command line with two revisions (the base taken as held by every station), with a revision and reported
state, or with all three: then what the base had asked for already counts as drift. Stations of one kind share one
comparison; nothing is rendered per station.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol as Shape
from typing import Self

from reconciler.manifests.fleet import Fleet, Station
from reconciler.manifests.snapshot import Snapshot
from reconciler.manifests.strategy import ForeignRule
from reconciler.plan.change import (
    Clear,
    Install,
    Owned,
    Replace,
    Verdict,
    changes,
    diff,
    foreign,
    is_evicted,
    policy,
    subject,
)
from reconciler.plan.course import chart, time_taken
from reconciler.plan.fingerprint import Entry, Fingerprints, digest
from reconciler.plan.guardrails.finding import Finding
from reconciler.plan.guardrails.ids import Step, check_ids
from reconciler.plan.guardrails.supersession import Reach, check_reach, holds_flow
from reconciler.plan.guardrails.tracks import has_flow
from reconciler.plan.outlook import Outlook, look_ahead
from reconciler.plan.planned import Churn, FleetPlan, StationPlan, Version
from reconciler.plan.power import renews
from reconciler.plan.shortfall import fall_short
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Profile
from reconciler.render.assume import assume
from reconciler.render.desired import Renderer
from reconciler.reported.belief import OURS, Belief, Held, Reported
from reconciler.reported.saved import SavedStation

__all__ = ["Churn", "FleetPlan", "RevisionLike", "StationPlan", "Version", "plan_fleet", "supersede"]

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

    def divide(self, before: Self, members: Collection[str], day: datetime) -> tuple[tuple[str, ...], ...]:
        """Divide stations that it changes: first those that can't wait, then wave by wave."""


def plan_fleet(
    head: RevisionLike,
    at: datetime,
    base: RevisionLike | None = None,
    state: Mapping[str, SavedStation] | None = None,
    unread: Collection[str] = (),
) -> FleetPlan:
    """Plan a revision against a base, against reported state (by casefolded identity), or against both.

    For stations that are `unread`, as of now, nothing is planned: what they hold can't be compared.

    With a base, the digest covers what the revisions differ in, whatever the stations hold; without one, every write.

    Raises:
        ManifestError: a template failed for what a station says it can take.
    """
    desk = _Desk(head, base, at)
    keys = sorted(head.fleet.stations)
    intents = {key: desk.compare(key) for key in keys} if base or state is None else {}
    plans = intents
    if state is not None:
        asked = {key: intents.get(key) for key in keys}
        plans = {key: desk.defer(key) if key in unread else desk.inspect(key, asked[key], state) for key in keys}
    known = (base.fleet.stations if base else {}) if state is None else state
    steps = desk.step() if base else _step(head, plans, state or {}, at)
    batches = desk.divide() if base else ()
    return FleetPlan(
        base=_version(base) if base else None,
        head=_version(head),
        at=at,
        timezone=head.fleet.timezone,
        stations=tuple(plans.values()),
        departed=tuple(known[key].identity for key in sorted(known.keys() - head.fleet.stations.keys())),
        digest=digest(entry for key, plan in (intents or plans).items() for entry in desk.entries(key, plan)),
        live=state is not None,
        churn=_churn(plans.values(), time_taken(batches, plans, head.fleet), known=base is not None or state is None),
        tally=Counter(type(verdict) for plan in plans.values() for verdict in plan.verdicts),
        findings=(*steps, *_warnings(head, state, at)),
        waivers=head.fleet.guardrails.waivers,
        fleet=head.fleet.name,
        course=chart(batches, plans, head.fleet, head.snapshot.commit) if base else None,
    )


def _warnings(head: RevisionLike, state: Mapping[str, SavedStation] | None, at: datetime) -> tuple[Finding, ...]:
    """Give what the head is warned of, by what its stations have told of themselves where that is known."""
    if state is None:
        return head.warnings
    known = ((key, saved.capability) for key, saved in state.items() if key in head.fleet.stations)
    told = ((head.fleet.stations[key], capability) for key, capability in known if capability)
    return fall_short(head.renderer, head.warnings, told, at)


def supersede(head: RevisionLike, base: RevisionLike, at: datetime) -> tuple[Finding, ...]:
    """Give what the guardrails say to a revision that follows another; each kind of station is compared once.

    Raises:
        ManifestError: a template failed.
    """
    return _Desk(head, base, at).step()


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
            return self._blank(station, protocol, assumed=assumed)
        goal = self._head.goal(station, assume(station.declared, protocol), self._at)
        verdicts, strangers = self._against(goal, self._base_goal(old))
        outlook = self._outlook(station, old)
        later = () if outlook.is_new or goal.refusal else _later(outlook, verdicts)
        return replace(
            self._blank(station, protocol, assumed=assumed),
            verdicts=verdicts,
            goal_refusal=goal.refusal,
            foreign=strangers,
            outlook=outlook,
            later=later,
        )

    def step(self) -> tuple[Finding, ...]:
        """Hold the step from the base to the head against the guardrails; there must be a base."""
        assert self._base is not None  # noqa: S101 - the callers have looked
        assert self._base_marks is not None  # noqa: S101 - made with the base
        before, after = self._base.fleet.stations, self._head.fleet.stations
        alike: dict[tuple[str, str], list[str]] = {}
        steady = self._base_marks.common == self._marks.common
        for key in before.keys() & after.keys():
            if steady and before[key] is after[key]:
                continue  # the very same object means the same
            marks = (self._base_marks.of(before[key]), self._marks.of(after[key]))
            if marks[0] != marks[1]:
                alike.setdefault(marks, []).append(key)
        touched = [before[key].identity for key in before.keys() - after.keys()]
        steps: list[Step] = []
        for keys in alike.values():
            plan = self.compare(min(keys))
            touched += [before[key].identity for key in keys] if plan.intended or plan.later else []
            steps.append((plan, [before[key].identity for key in keys]))
        renderer = self._base.renderer
        left = _left(self._head, self._at, lambda: has_flow(renderer, self._at))
        reach = check_reach(Reach(touched, len(before), left), self._head.fleet.guardrails)
        return (*check_ids(steps, self._head.fleet), *reach)

    def divide(self) -> tuple[tuple[str, ...], ...]:
        """Divide the stations that the head changes as its rollout will; there must be a base."""
        assert self._base is not None  # noqa: S101 - the caller has looked
        assert self._base_marks is not None  # noqa: S101 - made with the base
        before, after, old, new = self._base.fleet.stations, self._head.fleet.stations, self._base_marks, self._marks
        common = before.keys() & after.keys()
        return self._head.divide(
            self._base, [key for key in common if old.of(before[key]) != new.of(after[key])], self._at
        )

    def inspect(self, key: str, intent: StationPlan | None, state: Mapping[str, SavedStation]) -> StationPlan:
        """Compare a station's goal with what is reported of it; what its intent does not explain is drift."""
        station, saved = self._head.fleet.stations[key], state.get(key)
        protocol, assumed = _protocol(station, saved)
        capability = (saved.capability if saved else None) or assume(station.declared, protocol)
        goal = self._head.goal(station, capability, self._at)
        reported = saved.reported if saved else UNMET
        voltage, rules = self._head.fleet.nominal_voltage, self._head.fleet.drift.foreign
        verdicts = diff(goal.profiles, reported, self._head.owned, self._at, voltage, rules)
        drifted, renewed = self._unintended(verdicts, intent, reported)
        if saved and self._is_on_its_way(saved):
            drifted = frozenset()
        return replace(
            self._blank(station, protocol, assumed=assumed),
            verdicts=verdicts,
            goal_refusal=goal.refusal,
            foreign=_staying(reported, self._head.owned, rules),
            connected=bool(saved and saved.connected),
            drifted=drifted,
            renewed=renewed,
            outlook=intent.outlook if intent else self._outlook(station, None),
            later=intent.later if intent else (),
        )

    def defer(self, key: str) -> StationPlan:
        """Plan nothing for a station that is there, and of which is not known what it holds."""
        station = self._head.fleet.stations[key]
        protocol, assumed = _protocol(station)
        return replace(self._blank(station, protocol, assumed=assumed), connected=True)

    def _blank(self, station: Station, protocol: Protocol, *, assumed: bool) -> StationPlan:
        group = station.groups[0] if station.groups else ""
        return StationPlan(station.identity, protocol, assumed=assumed, group=group, site=station.site or "")

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

    def _is_on_its_way(self, saved: SavedStation) -> bool:
        """Tell whether a station is known not to have had the base yet: what it lacks is pending then, and no drift."""
        commit = self._base.snapshot.commit if self._base else ""
        return bool(saved.verified and commit) and saved.verified != commit

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
        parts = ((each.assignments, each.evses, each.settings, each.declared) for each in (station, old) if each)
        key = tuple(id(part) for each in parts for part in each)
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


def _staying(reported: Reported, owned: Owned, rules: Sequence[ForeignRule]) -> tuple[Held, ...]:
    """Give the foreign profiles that a plan tells of: not those that it clears, nor those that the fleet ignores."""
    found = foreign(reported, owned)
    return tuple(each for each in found if not is_evicted(each, rules) and policy(each, rules) != "ignore")


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


def _churn(plans: Collection[StationPlan], duration: timedelta, *, known: bool) -> Churn:
    outlooks = [plan.outlook for plan in plans if plan.outlook and (plan.changes or plan.later)]
    before = sum(outlook.turns_before for outlook in outlooks)
    after = sum(outlook.turns_after for outlook in outlooks)
    return Churn(sum(len(plan.changes) for plan in plans), before if known else None, after, duration)
