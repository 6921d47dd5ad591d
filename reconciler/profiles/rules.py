"""The combination rules of ChargingProfiles that the JSON schemas do not say; a rule's name is stable.

`render` holds what templates yield against them before anything is sent; the simulated station refuses what breaks
them. Sources: OCPP 2.1 K01 (FR numbers beside each rule), table 95 (modes and purposes) and Q02-Q10 (modes, fields).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, pairwise

from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit

LEAST_POINTS, MOST_POINTS = 2, 20
SENT_BY_STATIONS = frozenset({Purpose.EXTERNAL})
CHARGING_ONLY = frozenset({Mode.CHARGING_ONLY})
MODES: dict[Purpose, frozenset[Mode]] = {
    Purpose.TX: frozenset(Mode),
    Purpose.TX_DEFAULT: frozenset(Mode),
    Purpose.PRIORITY: CHARGING_ONLY,
    Purpose.STATION_MAX: CHARGING_ONLY,
    Purpose.EXTERNAL: frozenset({Mode.CHARGING_ONLY, Mode.EXTERNAL_LIMITS, Mode.EXTERNAL_SETPOINT}),
    Purpose.LOCAL_GENERATION: frozenset({Mode.CHARGING_ONLY, Mode.EXTERNAL_LIMITS}),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: its id, the reason code a station would answer with, and what is wrong."""

    rule: str
    reason_code: str
    message: str

    def __str__(self) -> str:
        """Give the message with the rule's id."""
        return f"{self.message} [{self.rule}]"


def check(profile: Profile) -> tuple[Violation, ...]:
    """Give every rule that one profile breaks, in a stable order."""
    return tuple(found for rule in _RULES for found in rule(profile))


def check_stack(profiles: Iterable[Profile]) -> tuple[Violation, ...]:
    """Give every pair of profiles that can't be installed together (K01.FR.06, .39, .52, .53)."""
    return tuple(
        Violation("duplicate-slot", "DuplicateProfile", f"profiles {one.id} and {other.id} share one slot")
        for one, other in combinations(sorted(profiles, key=lambda profile: profile.id), 2)
        if one.id != other.id and _collide(one, other)
    )


def _collide(one: Profile, other: Profile) -> bool:
    same_place = one.evse_id == other.evse_id or (
        one.purpose is Purpose.TX_DEFAULT and 0 in (one.evse_id, other.evse_id)
    )
    same_level = (one.purpose, one.stack_level, one.transaction_id) == (
        other.purpose,
        other.stack_level,
        other.transaction_id,
    )
    return same_place and same_level and _overlap(one, other)


def _overlap(one: Profile, other: Profile) -> bool:
    def before(a: Profile, b: Profile) -> bool:
        return a.valid_to is not None and b.valid_from is not None and a.valid_to <= b.valid_from

    return not before(one, other) and not before(other, one)


def _purpose_rules(profile: Profile) -> Iterator[Violation]:
    purpose = profile.purpose
    if purpose in SENT_BY_STATIONS:
        yield Violation("external-purpose", "InvalidProfile", f"{purpose} is the station's own (K01.FR.22)")
    if purpose is Purpose.STATION_MAX and profile.evse_id != 0:
        yield Violation("max-on-evse", "InvalidProfile", f"{purpose} belongs on EVSE 0 (K04.FR.03)")
    if purpose is Purpose.STATION_MAX and profile.kind is Kind.RELATIVE:
        yield Violation("max-relative", "InvalidProfile", f"{purpose} can't be Relative (K01.FR.38)")
    if purpose is Purpose.TX and (profile.evse_id == 0 or profile.transaction_id is None):
        yield Violation("tx-unbound", "TxNotFound", f"{purpose} needs an EVSE and a transactionId (K01.FR.03, .16)")
    if purpose is not Purpose.TX and profile.transaction_id is not None:
        yield Violation("tx-stray", "InvalidProfile", f"{purpose} has no transactionId")
    if purpose is Purpose.PRIORITY and any(schedule.duration is not None for schedule in profile.schedules):
        yield Violation("priority-duration", "InvalidSchedule", f"{purpose} has no duration (K01.FR.70)")


def _kind_rules(profile: Profile) -> Iterator[Violation]:
    kind, schedules = profile.kind, profile.schedules
    if kind in (Kind.ABSOLUTE, Kind.RECURRING) and any(schedule.start is None for schedule in schedules):
        yield Violation("start-missing", "InvalidSchedule", f"{kind} needs startSchedule (K01.FR.40)")
    if kind is Kind.RELATIVE and any(schedule.start is not None for schedule in schedules):
        yield Violation("start-relative", "InvalidSchedule", "Relative has no startSchedule (K01.FR.41)")
    if (kind is Kind.RECURRING) != (profile.recurrency is not None):
        yield Violation("recurrency", "InvalidProfile", "recurrencyKind goes with Recurring and only with it")
    if kind is Kind.DYNAMIC and (len(schedules) != 1 or len(schedules[0].periods) != 1):
        yield Violation("dynamic-single", "InvalidSchedule", "Dynamic has one schedule with one period (K28.FR.01)")
    if kind is not Kind.DYNAMIC and (profile.dyn_update_interval or profile.dyn_update_time):
        yield Violation("dynamic-only", "InvalidProfile", "dynUpdate fields go with Dynamic only (K28.FR.04)")
    if any(schedule.unit is not profile.schedule.unit for schedule in schedules):
        yield Violation("one-unit", "InvalidSchedule", "all schedules of a profile are in one unit (K01.FR.26)")
    if len(schedules) > 1 and profile.purpose is not Purpose.TX:
        yield Violation("one-schedule", "InvalidSchedule", "only a TxProfile may have several schedules (K01.FR.34)")


def _validity_rules(profile: Profile) -> Iterator[Violation]:
    if profile.valid_from and profile.valid_to and profile.valid_to <= profile.valid_from:
        yield Violation("validity", "InvalidProfile", "validTo must come after validFrom")


def _schedule_rules(profile: Profile) -> Iterator[Violation]:
    for schedule in profile.schedules:
        starts = [period.start for period in schedule.periods]
        if starts[:1] != [0] or any(later <= earlier for earlier, later in pairwise(starts)):
            yield Violation(
                "period-order", "InvalidSchedule", "periods begin at 0 and strictly increase (K01.FR.31, .35)"
            )
        yield from _duration_rules(profile, schedule)


def _duration_rules(profile: Profile, schedule: ChargingSchedule) -> Iterator[Violation]:
    duration = schedule.duration
    if duration is None:
        return
    if any(period.start >= duration for period in schedule.periods):
        yield Violation("period-beyond", "InvalidSchedule", "every period begins before duration ends (K01.FR.11)")
    longest = profile.recurrency.length if profile.recurrency else timedelta.max
    if timedelta(seconds=duration) > longest:
        yield Violation("duration-long", "InvalidSchedule", "duration exceeds the recurrence (K01.FR.13)")


def _period_rules(profile: Profile) -> Iterator[Violation]:
    for schedule in profile.schedules:
        for period in schedule.periods:
            if period.mode not in MODES[profile.purpose]:
                yield Violation(
                    "mode-purpose",
                    "InvalidOperationMode",
                    f"{period.mode} does not go with {profile.purpose} (K01.FR.111)",
                )
            yield from _phase_rules(period)
            yield from _mode_rules(profile.kind, schedule.unit, period)
            yield from _value_rules(period)


def _phase_rules(period: Period) -> Iterator[Violation]:
    if period.phase_to_use is not None and period.number_phases != 1:
        yield Violation("phase-to-use", "InvalidSchedule", "phaseToUse needs numberPhases 1 (K01.FR.19)")
    if any(number not in (None, 1, 2, 3) for number in (period.number_phases, period.phase_to_use)):
        yield Violation("phase-count", "InvalidSchedule", "numberPhases and phaseToUse are 1, 2 or 3")


def _mode_rules(kind: Kind, unit: Unit, period: Period) -> Iterator[Violation]:
    for name, needed, value in _fields(period):
        if needed is True and value is None:
            yield Violation("mode-field", "InvalidSchedule", f"{period.mode} needs {name}")
        if needed is False and value is not None:
            yield Violation("mode-field", "InvalidSchedule", f"{period.mode} has no {name}")
    yield from _curve_rules(period)
    if unit is Unit.AMPERE and period.mode is Mode.LOCAL_FREQUENCY:
        yield Violation("frequency-unit", "InvalidSchedule", "LocalFrequency is in W (Q08.FR.05)")
    if kind is not Kind.DYNAMIC and period.mode is Mode.CENTRAL_FREQUENCY:
        yield Violation("frequency-kind", "InvalidSchedule", "CentralFrequency goes with Dynamic (Q07.FR.02)")


def _curve_rules(period: Period) -> Iterator[Violation]:
    """Q08.FR.01-.04: a baseline and a curve go with LocalFrequency, and only with it."""
    points = len(period.freq_watt_curve)
    if period.mode is not Mode.LOCAL_FREQUENCY:
        if points or period.v2x_baseline is not None:
            yield Violation(
                "mode-field", "InvalidSchedule", f"{period.mode} has no v2xBaseline and no v2xFreqWattCurve"
            )
        return
    if period.v2x_baseline is None:
        yield Violation("mode-field", "InvalidSchedule", f"{period.mode} needs v2xBaseline")
    if not LEAST_POINTS <= points <= MOST_POINTS:
        message = f"v2xFreqWattCurve has {LEAST_POINTS} to {MOST_POINTS} points, and not {points}"
        yield Violation("frequency-curve", "NoFreqWattCurve", message)


def _value_rules(period: Period) -> Iterator[Violation]:
    if (period.limit or 0) < 0 or (period.discharge_limit or 0) > 0:
        yield Violation("sign", "InvalidSchedule", "limit is not negative and dischargeLimit is not positive")
    if period.setpoint is None:
        return
    highest = period.setpoint if period.limit is None else period.limit
    lowest = period.setpoint if period.discharge_limit is None else period.discharge_limit
    if not lowest <= period.setpoint <= highest:
        yield Violation("setpoint-range", "InvalidSchedule", "setpoint lies from dischargeLimit to limit (V2X.05)")


_NEEDS: dict[Mode, tuple[bool | None, bool | None, bool | None]] = {
    Mode.CHARGING_ONLY: (True, False, False),
    Mode.CENTRAL_SETPOINT: (None, None, True),
    Mode.CENTRAL_FREQUENCY: (None, None, True),
    Mode.LOCAL_FREQUENCY: (False, False, False),
    Mode.EXTERNAL_SETPOINT: (None, None, False),
    Mode.EXTERNAL_LIMITS: (False, False, False),
    Mode.LOCAL_LOAD_BALANCING: (None, None, False),
    Mode.IDLE: (False, False, False),
}
"""Per mode: limit, dischargeLimit, setpoint; True = required, False = forbidden, None = optional."""


def _fields(period: Period) -> Iterator[tuple[str, bool | None, object]]:
    names = ("limit", "dischargeLimit", "setpoint")
    values = (period.limit, period.discharge_limit, period.setpoint)
    return zip(names, _NEEDS[period.mode], values, strict=True)


_RULES: tuple[Callable[[Profile], Iterator[Violation]], ...] = (
    _purpose_rules,
    _kind_rules,
    _validity_rules,
    _schedule_rules,
    _period_rules,
)
