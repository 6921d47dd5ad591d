"""Canonical form, and whether two profiles mean the same: what makes the reconciler quiet.

`reported` and `plan` compare with it. Meaning is what a station would do from now on: the command at every instant, its
end, its place in the stack. Bytes, order, spelling, defaults and the past are not meaning (K09).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import TypeVar

from reconciler.profiles.profile import LAST_INSTANT, ChargingSchedule, CurvePoint, Kind, Period, Profile, later

At = TypeVar("At", int, datetime)

Unrolled = tuple[tuple[tuple[datetime, Period], ...], datetime | None]

NEVER = datetime(2200, 1, 1, tzinfo=UTC)
"""Stations that fill in `validTo` use a date beyond this one for "for ever"."""
EVER = datetime(1971, 1, 1, tzinfo=UTC)
"""Stations that fill in `validFrom` use a date before this one for "always"."""
MILLIHERTZ = Decimal("0.001")
"""The last digit of a frequency that counts."""
TOLERANCE = Decimal("0.05")
"""Half of the last digit that 2.0.1 carries: what rounding on the way may change."""


@dataclass(frozen=True, slots=True)
class Course:
    """What one profile does from an instant on: steps in absolute time, and the end after which it says nothing."""

    steps: tuple[tuple[datetime, Period], ...]
    end: datetime | None


def canonical(profile: Profile) -> Profile:
    """Fill defaults, drop what means nothing, round to a tenth, order periods and merge equal neighbours; idempotent.

    An Absolute profile without a start begins when its validity does, so that is where it begins here.
    """
    return _canonical(profile)


@lru_cache(maxsize=8192)  # a fleet's stations share their profiles, and a quiet reconcile compares each of them again
def _canonical(profile: Profile) -> Profile:
    start = profile.valid_from if profile.kind is Kind.ABSOLUTE else None
    longest = int(profile.recurrency.length.total_seconds()) if profile.recurrency else None
    return replace(
        profile,
        valid_from=profile.valid_from if profile.valid_from and profile.valid_from > EVER else None,
        valid_to=profile.valid_to if profile.valid_to and profile.valid_to < NEVER else None,
        invalid_after_offline=profile.invalid_after_offline and profile.max_offline is not None,
        dyn_update_interval=profile.dyn_update_interval or None,
        dyn_update_time=None,
        schedules=tuple(_canonical_schedule(schedule, start, longest) for schedule in profile.schedules),
    )


def course(profile: Profile, now: datetime) -> Course:
    """Unroll an Absolute profile from `now` on; the step that holds at `now` starts at `now`."""
    steps, end = _unroll(canonical(profile), now)
    return Course(tuple((at, replace(period, start=0)) for at, period in steps), end)


def same_meaning(one: Profile, other: Profile, now: datetime) -> bool:
    """Tell whether a station does the same from `now` on, whichever of the two it holds."""
    return not differences(one, other, now)


def differences(wanted: Profile, held: Profile, now: datetime) -> tuple[str, ...]:
    """Name what differs in meaning from `now` on, in OCPP's words; empty where the two mean the same."""
    if wanted is held:
        return ()
    mine, theirs = canonical(wanted), canonical(held)
    if mine == theirs:
        return ()
    found = tuple(name for name, get in _IDENTITY if get(mine) != get(theirs))
    if all(form.kind is Kind.ABSOLUTE and len(form.schedules) == 1 for form in (mine, theirs)):
        return found + _course_differences(_unroll(mine, now), _unroll(theirs, now))
    return found + _standing_differences(mine, theirs, now)


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


def _unroll(form: Profile, now: datetime) -> Unrolled:
    """Give the steps from `now` on, each with the period as it stands in the profile, and the end."""
    schedule = form.schedule
    start = schedule.start or now
    ends = [form.valid_to] if form.valid_to else []
    if schedule.duration is not None:
        ends.append(later(start, schedule.duration))
    end = min(ends, default=LAST_INSTANT)
    first = max(now, form.valid_from or now)
    steps: list[tuple[datetime, Period]] = []
    for period in schedule.periods:
        at = max(later(start, period.start), first)
        if at >= end:
            break
        if steps and steps[-1][0] == at:
            steps.pop()
        steps.append((at, period))
    return tuple(steps), end if steps and ends else None


def _course_differences(mine: Unrolled, theirs: Unrolled) -> tuple[str, ...]:
    end = ("duration",) if mine[1] != theirs[1] else ()
    return end if _same_steps(mine[0], theirs[0]) else (*end, "chargingSchedulePeriod")


def _standing_differences(mine: Profile, theirs: Profile, now: datetime) -> tuple[str, ...]:
    """Compare what has no single course: recurring, relative and dynamic profiles, and those with several schedules."""
    if all(form.valid_to is not None and form.valid_to <= now for form in (mine, theirs)):
        return ()
    checks = (
        ("validFrom", max(mine.valid_from or now, now) == max(theirs.valid_from or now, now)),
        ("validTo", mine.valid_to == theirs.valid_to),
        ("chargingSchedule", _same_schedules(_settle(mine, now), _settle(theirs, now))),
    )
    return tuple(name for name, same in checks if not same)


def _settle(form: Profile, now: datetime) -> tuple[ChargingSchedule, ...]:
    """Let recurring schedules start with the recurrence that runs at `now`: those before it are past."""
    if form.recurrency is None:
        return form.schedules
    length = form.recurrency.length
    return tuple(
        replace(schedule, start=schedule.start + (now - schedule.start) // length * length)
        if schedule.start and schedule.start <= now
        else schedule
        for schedule in form.schedules
    )


def _same_schedules(mine: tuple[ChargingSchedule, ...], theirs: tuple[ChargingSchedule, ...]) -> bool:
    return len(mine) == len(theirs) and all(
        (a.start, a.duration, a.unit, a.min_charging_rate) == (b.start, b.duration, b.unit, b.min_charging_rate)
        and _same_steps(_steps(a), _steps(b))
        for a, b in zip(mine, theirs, strict=True)
    )


def _steps(schedule: ChargingSchedule) -> tuple[tuple[int, Period], ...]:
    return tuple((period.start, period) for period in schedule.periods)


def _same_steps(mine: tuple[tuple[At, Period], ...], theirs: tuple[tuple[At, Period], ...]) -> bool:
    return len(mine) == len(theirs) and all(
        at == other_at and same_period(period, other)
        for (at, period), (other_at, other) in zip(mine, theirs, strict=True)
    )


def same_period(one: Period, other: Period) -> bool:
    """Tell whether two periods command the same, within what rounding on the way may change."""
    return (
        (one.mode, one.number_phases, one.phase_to_use)
        == (
            other.mode,
            other.number_phases,
            other.phase_to_use,
        )
        and all(
            near(a, b)
            for a, b in (
                (one.limit, other.limit),
                (one.discharge_limit, other.discharge_limit),
                (one.setpoint, other.setpoint),
                (one.v2x_baseline, other.v2x_baseline),
            )
        )
        and _same_curve(one, other)
    )


def _same_curve(one: Period, other: Period) -> bool:
    mine, theirs = one.freq_watt_curve, other.freq_watt_curve
    return len(mine) == len(theirs) and all(
        abs(a.frequency_hz - b.frequency_hz) <= MILLIHERTZ and near(a.power_w, b.power_w)
        for a, b in zip(mine, theirs, strict=True)
    )


def near(one: Decimal | None, other: Decimal | None) -> bool:
    """Tell whether two numbers are the same after a trip through 32-bit floats and one decimal."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= max(TOLERANCE, max(abs(one), abs(other)) * Decimal("0.000001"))


def _canonical_schedule(schedule: ChargingSchedule, start: datetime | None, longest: int | None) -> ChargingSchedule:
    ordered = sorted(schedule.periods, key=lambda period: period.start)
    steps = _merge((period.start, _canonical_period(period)) for period in ordered)
    endless = schedule.duration is None or (longest is not None and schedule.duration >= longest)
    return replace(
        schedule,
        id=0,
        start=schedule.start or start,
        duration=None if endless else schedule.duration,
        min_charging_rate=_tenth(schedule.min_charging_rate),
        periods=tuple(replace(period, start=at) for at, period in steps),
    )


def _canonical_period(period: Period) -> Period:
    """Fill in a period's defaults; a limit of zero is zero on however many phases."""
    is_zero = period.limit == 0 and not period.discharge_limit and not period.setpoint
    return replace(
        period,
        start=0,
        limit=_tenth(period.limit),
        discharge_limit=_tenth(period.discharge_limit),
        setpoint=_tenth(period.setpoint),
        number_phases=None if is_zero or period.number_phases == 3 else period.number_phases,
        phase_to_use=None if is_zero else period.phase_to_use,
        v2x_baseline=_tenth(period.v2x_baseline),
        freq_watt_curve=tuple(_canonical_point(point) for point in period.freq_watt_curve),
    )


def _canonical_point(point: CurvePoint) -> CurvePoint:
    return CurvePoint(point.frequency_hz.quantize(MILLIHERTZ, ROUND_HALF_EVEN), _tenth(point.power_w) or Decimal(0))


def _tenth(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def _merge(steps: Iterable[tuple[At, Period]]) -> list[tuple[At, Period]]:
    kept: list[tuple[At, Period]] = []
    for start, period in steps:
        if not kept or kept[-1][1] != period:
            kept.append((start, period))
    return kept
