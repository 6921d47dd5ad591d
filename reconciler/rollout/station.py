"""One station as the controller knows it, and the questions that the table of decisions asks of it.

Values only: the controller's step replaces them as events come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zlib import crc32

from reconciler.manifests.strategy import ForeignRule
from reconciler.plan.change import Keep, Owned, Stuck, Verdict, changes, diff, foreign, policy, subject
from reconciler.plan.conversion import NOMINAL
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Profile
from reconciler.profiles.values import replace
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.rollout.commands import SendRaw, StationCommand
from reconciler.rollout.opinion import allows_no_more
from reconciler.rollout.rounds import Rounds
from reconciler.rollout.wear import Counts

FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=15)
BLIND_AFTER = 2
"""How many inventories in a row must fail until the composite schedule is asked instead."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often stations may be written to (per EVSE) and are read back as a matter of routine.

    `rounds` is how often within a day one profile is put back that somebody else changes.
    """

    write_interval: timedelta = timedelta(seconds=60)
    read_back: timedelta = timedelta(minutes=15)
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Goal:
    """What a station should hold now, by which revision; `until` is when that has to be rendered anew.

    `profiles` begins with the floor, and is empty where not even that could be expressed; `evses` are the EVSEs that
    the manifest gives the station, `voltage` the grid's nominal volts per phase. `notes` say what the station gets less
    of, because it can't be told it (`onUnsupported`). `foreign_rules` say what becomes of others' profiles.
    """

    profiles: tuple[Profile, ...]
    revision: str
    until: datetime
    owned: Owned
    evses: tuple[int, ...] = ()
    refusal: str = ""
    voltage: Decimal = NOMINAL
    notes: tuple[str, ...] = ()
    foreign_rules: tuple[ForeignRule, ...] = ()

    @property
    def floor(self) -> Profile | None:
        """Give the zero-flow profile that lies under all others."""
        return self.profiles[0] if self.profiles else None


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a profile was written without being seen in the station's reports since, and when last."""

    times: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Station:
    """Everything the controller knows of one station.

    `session` is None while it is offline; `base` is the capability assumed for its protocol until `capability` is
    read. `in_flight` is the one command under way, `overtaken` tells that the station booted meanwhile. `failures`
    counts what went wrong in a row, and `retry_at` holds off the next try; `tries` does so for one profile id.
    `written_at` is the last write by EVSE, `changed_at` the last that overwrote or cleared a profile. `verified` is the
    goal that was last read back whole, `read_at` the time of the last whole report, `wrote` the commit whose
    goal something was last written for, `looked_at` that of the last try to
    get one that is not to be repeated at once, `answers` the last answer by profile id. `faulted` has (EVSE, part) of
    what says that it is broken. `confirmed` are the profile ids that the last report showed as they should be, held or
    gone, and that were not written since; `rounds` tells by profile id how often somebody else changed that.
    `awaiting` names by profile id the write that is still to be read back, `counts` says by EVSE what it went through.
    """

    identity: str
    session: int | None = None
    protocol: Protocol | None = None
    ready: bool = False
    base: Capability | None = None
    capability: Capability | None = None
    reported: Reported = field(default_factory=Reported)
    goal: Goal | None = None
    verdicts: tuple[Verdict, ...] = ()
    in_flight: StationCommand | None = None
    overtaken: bool = False
    asked: tuple[SendRaw, ...] = ()
    failures: int = 0
    failed_reads: int = 0
    retry_at: datetime | None = None
    read_at: datetime | None = None
    looked_at: datetime | None = None
    written_at: Mapping[int, datetime] = field(default_factory=dict)
    changed_at: Mapping[int, datetime] = field(default_factory=dict)
    tries: Mapping[int, Tries] = field(default_factory=dict)
    verified: Goal | None = None
    wrote: str = ""
    trouble: str = ""
    answers: Mapping[int, str] = field(default_factory=dict)
    skew: timedelta | None = None
    power_w: Mapping[int, tuple[Decimal, datetime]] = field(default_factory=dict)
    external: frozenset[int] = frozenset()
    faulted: frozenset[tuple[int, str]] = frozenset()
    confirmed: frozenset[int] = frozenset()
    rounds: Mapping[int, Rounds] = field(default_factory=dict)
    awaiting: Mapping[int, str] = field(default_factory=dict)
    counts: Mapping[int, Counts] = field(default_factory=dict)

    @property
    def faults(self) -> frozenset[int]:
        """Give the EVSEs with a part that says it is broken; 0 is the station itself."""
        return frozenset(evse for evse, _ in self.faulted)

    @property
    def blind(self) -> bool:
        """Tell whether its inventory can't be read, so that only the composite schedule can speak for it."""
        return self.failed_reads >= BLIND_AFTER


def backoff(identity: str, failures: int) -> timedelta:
    """Give the wait after a number of failures in a row: doubling to 15 minutes, with jitter by station and try."""
    longest: timedelta = min(FIRST_RETRY * 2 ** min(failures - 1, 16), LONGEST_RETRY)
    return longest * (0.5 + share(f"{identity}/{failures}") / 2)


def read_back_at(station: Station, pace: Pace) -> datetime | None:
    """Give the instant of the next routine read-back: the interval, shortened by up to a fifth, by station."""
    if station.looked_at is None:
        return None
    return station.looked_at + pace.read_back * (1 - 0.2 * share(station.identity))


def floor_is_in_force(station: Station) -> bool:
    """Tell whether the goal's floor was read back, or shown by the composite schedule where nothing can be read."""
    floor = station.goal.floor if station.goal else None
    held = station.reported.held.get(floor.id) if floor else None
    if floor is None or held is None:
        return False
    if not any(isinstance(verdict, Keep) and verdict.held.id == floor.id for verdict in station.verdicts):
        return False
    return held.belief is Belief.OBSERVED or (station.blind and opinion(station) is True)


def unasked(station: Station) -> tuple[int, ...]:
    """Give the EVSEs whose composite schedule is not known."""
    evses = station.goal.evses if station.goal else ()
    return tuple(evse for evse in evses if evse not in station.reported.composites)


def opinion(station: Station) -> bool | None:
    """Say whether the composite schedules allow no more than the profiles accepted; None before all EVSEs answered."""
    if station.goal is None or unasked(station):
        return None
    accepted = tuple(held.profile for held in station.reported.held.values())
    return all(allows_no_more(station.reported.composites[evse], accepted) for evse in station.goal.evses)


def second_opinion(station: Station) -> bool | None:
    """Say whether composite schedules show what was accepted, where they alone can; None while anything is open."""
    if not station.blind or station.goal is None or changes(station.verdicts) or stuck(station):
        return None
    return opinion(station)


def compare(goal: Goal, reported: Reported, now: datetime) -> tuple[Verdict, ...]:
    """Compare a goal with what its station is believed to hold."""
    return diff(goal.profiles, reported, goal.owned, now, goal.voltage, goal.foreign_rules)


def strangers(station: Station) -> tuple[Held, ...]:
    """Give the profiles that others have put into the station, without those that the fleet's rules ignore."""
    goal = station.goal
    if goal is None:
        return ()
    found = foreign(station.reported, goal.owned)
    return tuple(held for held in found if policy(held, goal.foreign_rules) != "ignore")


def stuck(station: Station) -> tuple[Stuck, ...]:
    """Give what the station refuses, or stores otherwise than it was sent."""
    return tuple(verdict for verdict in station.verdicts if isinstance(verdict, Stuck))


def forget_tries(station: Station) -> Station:
    """Forget how often profiles were written, once a whole report shows that they need no more writing."""
    if not station.tries or not station.reported.known or station.reported.unread:
        return station
    pending = {subject(each).id for each in changes(station.verdicts)}
    left = {number: tries for number, tries in station.tries.items() if number in pending}
    return replace(station, tries=left)


def share(text: str) -> float:
    """Give a number in [0, 1) that is the same for the same text everywhere: jitter without randomness."""
    return crc32(text.encode()) / 2**32
