"""Canonical form, and whether two profiles mean the same: what makes the reconciler quiet.

`reported` and `plan` compare with it. Meaning is what a station would do from now on: the command at every instant, its
end, its place in the stack. Bytes, order, spelling, defaults and the past are not meaning (facts of read-back, K09).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile

At = TypeVar("At", int, datetime)

NEVER = datetime(2200, 1, 1, tzinfo=UTC)
"""Stations that fill in `validTo` use a date beyond this one for "for ever"."""
EVER = datetime(1971, 1, 1, tzinfo=UTC)
"""Stations that fill in `validFrom` use a date before this one for "always"."""
TOLERANCE = Decimal("0.05")
"""Half of the last digit that 2.0.1 carries: what rounding on the way may change."""


@dataclass(frozen=True, slots=True)
class Course:
    """What one profile does from an instant on: steps in absolute time, and the end after which it says nothing."""

    steps: tuple[tuple[datetime, Period], ...]
    end: datetime | None


def canonical(profile: Profile) -> Profile:
    """Fill defaults, drop what means nothing, round to a tenth and merge equal neighbours; idempotent."""
    return replace(
        profile,
        valid_from=profile.valid_from if profile.valid_from and profile.valid_from > EVER else None,
        valid_to=profile.valid_to if profile.valid_to and profile.valid_to < NEVER else None,
        dyn_update_time=None,
        schedules=tuple(_canonical_schedule(schedule) for schedule in profile.schedules),
    )


def course(profile: Profile, now: datetime) -> Course:
    """Unroll an Absolute profile from `now` on; the step that holds at `now` starts at `now`."""
    form = canonical(profile)
    schedule = form.schedule
    start = schedule.start or form.valid_from or now
    ends = [form.valid_to] if form.valid_to else []
    if schedule.duration is not None:
        ends.append(start + timedelta(seconds=schedule.duration))
    end = min(ends, default=None)
    first = max(now, start, form.valid_from or now)
    steps: list[tuple[datetime, Period]] = []
    for period in schedule.periods:
        at = max(start + timedelta(seconds=period.start), first)
        if end is not None and at >= end:
            break
        while steps and steps[-1][0] >= at:
            steps.pop()
        steps.append((at, replace(period, start=0)))
    return Course(tuple(_merge(steps)), end if steps else None)


def same_meaning(one: Profile, other: Profile, now: datetime) -> bool:
    """Tell whether a station does the same from `now` on, whichever of the two it holds."""
    return not differences(one, other, now)


def differences(wanted: Profile, held: Profile, now: datetime) -> tuple[str, ...]:
    """Name what differs in meaning from `now` on, in OCPP's words; empty where the two mean the same."""
    if wanted == held:
        return ()
    mine, theirs = canonical(wanted), canonical(held)
    found = [name for name, get in _IDENTITY if get(mine) != get(theirs)]
    if (
        mine.kind is Kind.ABSOLUTE
        and theirs.kind is Kind.ABSOLUTE
        and len(mine.schedules) == len(theirs.schedules) == 1
    ):
        return (*found, *_course_differences(course(mine, now), course(theirs, now)))
    same = len(mine.schedules) == len(theirs.schedules) and all(
        _same_schedule(a, b) for a, b in zip(mine.schedules, theirs.schedules, strict=True)
    )
    return tuple(found) if same else (*found, "chargingSchedule")


_IDENTITY: tuple[tuple[str, Callable[[Profile], object]], ...] = (
    ("id", lambda profile: profile.id),
    ("evseId", lambda profile: profile.evse_id),
    ("stackLevel", lambda profile: profile.stack_level),
    ("chargingProfilePurpose", lambda profile: profile.purpose),
    ("chargingProfileKind", lambda profile: profile.kind),
    ("recurrencyKind", lambda profile: profile.recurrency),
    ("transactionId", lambda profile: profile.transaction_id),
    ("chargingRateUnit", lambda profile: profile.schedule.unit),
    ("minChargingRate", lambda profile: profile.schedule.min_charging_rate),
    ("maxOfflineDuration", lambda profile: profile.max_offline),
    ("invalidAfterOfflineDuration", lambda profile: profile.invalid_after_offline),
    ("dynUpdateInterval", lambda profile: profile.dyn_update_interval),
)


def _course_differences(mine: Course, theirs: Course) -> tuple[str, ...]:
    found = []
    if mine.end != theirs.end:
        found.append("duration")
    same = len(mine.steps) == len(theirs.steps) and all(
        a[0] == b[0] and same_period(a[1], b[1]) for a, b in zip(mine.steps, theirs.steps, strict=True)
    )
    if not same:
        found.append("chargingSchedulePeriod")
    return tuple(found)


def _same_schedule(one: ChargingSchedule, other: ChargingSchedule) -> bool:
    return (
        (one.start, one.duration) == (other.start, other.duration)
        and len(one.periods) == len(other.periods)
        and all(a.start == b.start and same_period(a, b) for a, b in zip(one.periods, other.periods, strict=True))
    )


def same_period(one: Period, other: Period) -> bool:
    """Tell whether two periods command the same, within what rounding on the way may change."""
    return (one.mode, one.number_phases, one.phase_to_use) == (
        other.mode,
        other.number_phases,
        other.phase_to_use,
    ) and all(
        near(a, b)
        for a, b in (
            (one.limit, other.limit),
            (one.discharge_limit, other.discharge_limit),
            (one.setpoint, other.setpoint),
        )
    )


def near(one: Decimal | None, other: Decimal | None) -> bool:
    """Tell whether two numbers are the same after a trip through 32-bit floats and one decimal."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= max(TOLERANCE, abs(one) * Decimal("0.000001"))


def _canonical_schedule(schedule: ChargingSchedule) -> ChargingSchedule:
    steps = _merge((period.start, _canonical_period(period)) for period in schedule.periods)
    return replace(
        schedule,
        id=0,
        min_charging_rate=_tenth(schedule.min_charging_rate),
        periods=tuple(replace(period, start=start) for start, period in steps),
    )


def _canonical_period(period: Period) -> Period:
    return replace(
        period,
        start=0,
        limit=_tenth(period.limit),
        discharge_limit=_tenth(period.discharge_limit),
        setpoint=_tenth(period.setpoint),
        number_phases=None if period.number_phases == 3 else period.number_phases,
    )


def _tenth(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def _merge(steps: Iterable[tuple[At, Period]]) -> list[tuple[At, Period]]:
    kept: list[tuple[At, Period]] = []
    for start, period in steps:
        if not kept or kept[-1][1] != period:
            kept.append((start, period))
    return kept
