"""Changes as values that hold old and new, each with its reason, and the comparison that makes them.

`diff` is called by the controller's step for one station and by `fleet_plan` for all. It compares meaning, never bytes
(invariant 2), never names a profile that the fleet does not own unless a rule says `clear` (invariant 3), and puts the
floor before everything and clears last, so that no gap opens (invariant 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from reconciler.manifests.strategy import ForeignPolicy, ForeignRule
from reconciler.plan.conversion import NOMINAL, is_converted
from reconciler.profiles.canonical import differences
from reconciler.profiles.profile import ChargingSchedule, Profile, Purpose
from reconciler.reported.belief import OURS, Belief, Echo, Held, Reported

UNVERIFIABLE = frozenset({"maxOfflineDuration", "invalidAfterOfflineDuration", "minChargingRate", "numberPhases"})
"""Fields that stations are known to take and then not report: they raise no power while the station is online."""

PASSING = frozenset(
    {
        "csnotaccepted",
        "fwupdateinprogress",
        "internalerror",
        "outofmemory",
        "outofstorage",
        "ratelimitexceeded",
        "securityerror",
    }
)
"""Reason codes that time cures, in lower case; any other refusal stands for this content."""

NEVER_CLEARED = frozenset({Purpose.EXTERNAL, Purpose.LOCAL_GENERATION})
"""Purposes that no CSMS may name when it clears (K10.FR.04, .06)."""
EVICTED = "foreign, cleared by policy"
"""The reason of a clear that a fleet's rule asks for, and nothing else."""


@dataclass(frozen=True, slots=True)
class Install:
    """The profile is missing."""

    new: Profile
    reason: str


@dataclass(frozen=True, slots=True)
class Replace:
    """The profile is held with another meaning; it is overwritten in place, under the same id."""

    new: Profile
    old: Profile
    reason: str


@dataclass(frozen=True, slots=True)
class Clear:
    """An owned profile that is no longer desired, or a foreign one that the fleet's rules want away."""

    old: Profile
    reason: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Held already; `reason` tells of fields that the station does not report, and is empty otherwise."""

    held: Profile
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stuck:
    """The station took it and holds something else, or refused this very content: sending it again would not help."""

    new: Profile
    reason: str


Change: TypeAlias = Install | Replace | Clear
Verdict: TypeAlias = Install | Replace | Clear | Keep | Stuck


@dataclass(frozen=True, slots=True)
class Owned:
    """The range of profile ids that belongs to the fleet on every station."""

    first: int
    last: int

    def __contains__(self, profile_id: int) -> bool:
        """Tell whether an id is the fleet's own."""
        return self.first <= profile_id <= self.last


def diff(
    desired: Sequence[Profile],
    reported: Reported,
    owned: Owned,
    now: datetime,
    voltage: Decimal = NOMINAL,
    rules: Sequence[ForeignRule] = (),
) -> tuple[Verdict, ...]:
    """Compare one station's desired profiles (floor first) with what it is believed to hold.

    The order is the order of sending: installs and replacements as desired lists them, then clears by id, those of
    foreign profiles last. `voltage` in volts tells a station that turned watts into amperes from one that changed the
    power; `rules` say which foreign profiles are cleared, and without any none is.
    """
    wanted = {profile.id for profile in desired}
    verdicts: list[Verdict] = [judge(profile, reported, now, voltage) for profile in desired]
    for number, held in sorted(reported.held.items()):
        if number in owned and number not in wanted and held.source == OURS:
            verdicts.append(Clear(held.profile, "no longer desired"))
    verdicts += [Clear(held.profile, EVICTED) for held in foreign(reported, owned) if is_evicted(held, rules)]
    return tuple(verdicts)


def policy(held: Held, rules: Sequence[ForeignRule]) -> ForeignPolicy:
    """Say what becomes of a foreign profile: the first rule that covers its stack level counts, and `warn` is usual."""
    level = held.profile.stack_level
    return next((rule.policy for rule in rules if rule.first <= level <= rule.last), "warn")


def is_evicted(held: Held, rules: Sequence[ForeignRule]) -> bool:
    """Tell whether a foreign profile is to be cleared: one of a CSMS, by a rule; others' are beyond our reach."""
    clearable = held.source == OURS and held.profile.purpose not in NEVER_CLEARED
    return clearable and policy(held, rules) == "clear"


def subject(verdict: Verdict) -> Profile:
    """Give the profile that a verdict is about: the new one, if there is one."""
    match verdict:
        case Install() | Replace() | Stuck():
            return verdict.new
        case Clear():
            return verdict.old
        case _:
            return verdict.held


def changes(verdicts: Sequence[Verdict]) -> tuple[Change, ...]:
    """Give the verdicts that need a write."""
    return tuple(each for each in verdicts if isinstance(each, Install | Replace | Clear))


def judge(wanted: Profile, reported: Reported, now: datetime, voltage: Decimal = NOMINAL) -> Verdict:
    """Say what one desired profile needs."""
    held = reported.held.get(wanted.id)
    refusal = _refusal(wanted, reported, now)
    if held is None or held.source != OURS:
        return refusal or Install(wanted, "missing")
    if held.belief is Belief.UNKNOWN:
        return refusal or Replace(wanted, held.profile, "its state is not known")
    found = differences(wanted, held.profile, now)
    if not found:
        return Keep(held.profile)
    if "chargingRateUnit" in found and is_converted(wanted, held.profile, voltage, now):
        return Keep(held.profile, f"kept in {held.profile.schedule.unit}: the same power at {voltage} V")
    echo = reported.echoes.get(wanted.id)
    if echo is not None and _is_echo_of(wanted, echo, held, now):
        return _judge_echo(wanted, echo, now)
    return refusal or Replace(wanted, held.profile, f"differs in {', '.join(found)}")


def foreign(reported: Reported, owned: Owned) -> tuple[Held, ...]:
    """Give what others have put into the station, by id: reported, and shown."""
    return tuple(held for number, held in sorted(reported.held.items()) if number not in owned or held.source != OURS)


def _is_echo_of(wanted: Profile, echo: Echo, held: Held, now: datetime) -> bool:
    return not differences(wanted, echo.request, now) and not differences(echo.stored, held.profile, now)


def _judge_echo(wanted: Profile, echo: Echo, now: datetime) -> Verdict:
    lost = differences(wanted, echo.stored, now)
    if "chargingSchedulePeriod" in lost and not differences(_without_phases(wanted), echo.stored, now):
        lost = ("numberPhases",)
    if set(lost) <= UNVERIFIABLE:
        return Keep(echo.stored, f"not verifiable: the station does not report {', '.join(lost)}")
    return Stuck(wanted, f"accepted, but stored with another {', '.join(lost)}")


def _without_phases(profile: Profile) -> Profile:
    """Give a profile as a station stores it that takes each power for one of all its phases."""

    def strip(schedule: ChargingSchedule) -> ChargingSchedule:
        periods = tuple(replace(period, number_phases=None, phase_to_use=None) for period in schedule.periods)
        return replace(schedule, periods=periods)

    return replace(profile, schedules=tuple(map(strip, profile.schedules)))


def _refusal(wanted: Profile, reported: Reported, now: datetime) -> Stuck | None:
    profile, refused = reported.refusals.get(wanted.id, (None, None))
    if profile is None or refused is None or differences(wanted, profile, now):
        return None
    if refused.retry_after is not None or refused.reason_code.lower() in PASSING:
        return None
    return Stuck(wanted, f"refused: {refused.reason_code} {refused.detail}".rstrip())
