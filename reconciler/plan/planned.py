"""What a plan says, as values: stations with their changes, what they cost, what the guardrails found.

Made by `fleet_plan` and read by every presentation, which add nothing to it. A plan that was saved is read back into
the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.manifests.guardrails import Waiver
from reconciler.plan.change import Change, Stuck, Verdict, changes, subject
from reconciler.plan.guardrails.finding import Finding
from reconciler.plan.outlook import Outlook
from reconciler.profiles.capability import Protocol
from reconciler.reported.belief import Held


@dataclass(frozen=True, slots=True)
class Version:
    """Which revision it is; a folder as it lies has no commit."""

    commit: str
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class StationPlan:
    """One station's part of the plan.

    `group` is the nearest of its groups, if it has one. `connected` is None where no reported state was given.
    `assumed` tells that its protocol was neither declared nor seen. `drifted` are the ids whose change comes from the
    station and not from the revision, `renewed` those that only get a new lease. `outlook` says what its schedules
    change over the week, and `later` names the EVSEs for which that lies beyond the present lease.
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
    group: str = ""
    site: str = ""

    @property
    def changes(self) -> tuple[Change, ...]:
        """Give what has to be written to it."""
        return changes(self.verdicts)

    @property
    def intended(self) -> tuple[Change, ...]:
        """Give the changes that the revision asks for: neither repairs of drift nor renewals."""
        return tuple(each for each in self.changes if subject(each).id not in self.drifted | self.renewed)

    @property
    def repairs(self) -> tuple[Change, ...]:
        """Give the changes that undo drift."""
        return tuple(each for each in self.changes if subject(each).id in self.drifted)

    @property
    def is_refused(self) -> bool:
        """Tell whether something can't be brought to it."""
        return bool(self.goal_refusal or self.stuck)

    @property
    def is_told(self) -> bool:
        """Tell whether a presentation has anything to say of it."""
        lost = self.is_refused or self.foreign or self.connected is False
        return bool(self.changes or self.later or lost)

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        """Give what it refuses, or stores otherwise than it is sent."""
        return tuple(each for each in self.verdicts if isinstance(each, Stuck))


@dataclass(frozen=True, slots=True)
class Churn:
    """What a plan costs: writes, and turns between charge and discharge a day, summed over the EVSEs of its stations.

    `turns_before` is None where it is not known what the stations did before; `duration` is how long it takes to carry
    the plan out once all of them are online.
    """

    writes: int
    turns_before: int | None
    turns_after: int
    duration: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Batch:
    """Stations that follow the revision together: how many, and how many of each group; empty where that is open."""

    stations: int
    groups: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Course:
    """How the revision goes out: `urgent` is what can't wait, for it makes stations safer; then wave by wave.

    After each wave comes the `soak`. The pace is in writes a minute, None is without a bound. With `windows` nothing
    begins outside of them.
    """

    urgent: Batch
    waves: tuple[Batch, ...]
    soak: timedelta
    writes_per_minute: int | None
    windows: bool = False


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """All stations of the head by identity, and those that left with it; see `plan_fleet`.

    `unlisted` counts stations that are left out of `stations` because nothing is said of them, as in a plan that was
    read from a file. `state_at` is when the reported state was true, where a plan is made against one. `findings` are
    what the guardrails say to the head and to its step from the base, `waivers` what the fleet eased. `course` is None
    where there is no base: nothing is in force then that would have to be changed step by step. A plan that is saved
    was `created` at an instant and `expires`.
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
    fleet: str = ""
    state_at: datetime | None = None
    course: Course | None = None
    unlisted: int = 0
    created: datetime | None = None
    expires: datetime | None = None

    @property
    def size(self) -> int:
        """Give the number of stations of the head."""
        return len(self.stations) + self.unlisted

    @property
    def changed(self) -> tuple[StationPlan, ...]:
        """Give the stations that something has to be written to."""
        return tuple(station for station in self.stations if station.changes)

    @property
    def waiting(self) -> tuple[StationPlan, ...]:
        """Give the stations that nothing is written to now, and whose schedules change beyond the present lease."""
        return tuple(station for station in self.stations if station.later and not station.changes)

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
        refused = any(station.is_refused for station in self.stations)
        return refused or any(finding.is_error for finding in self.findings)
