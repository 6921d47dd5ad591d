"""Fit a profile to what a station can take and to what its hardware may carry.

`render` calls it on everything that a template yields, so that no template can command more than the rating. Whatever
can't be fitted without a change of meaning raises `Unsupported` by name; nothing is sent in hope.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from reconciler.errors import Unsupported
from reconciler.profiles.capability import Capability, Protocol, Rating
from reconciler.profiles.form import plain
from reconciler.profiles.profile import ChargingSchedule, CurvePoint, Mode, Period, Profile, Unit
from reconciler.profiles.wording import count

ZERO = Decimal(0)
LEAST_AMPERES = Decimal(6)
"""IEC 61851-1 has no current between 0 and 6 A per phase."""

STEERED = frozenset(Mode) - {Mode.IDLE, Mode.CHARGING_ONLY, Mode.CENTRAL_SETPOINT}
"""Modes in which someone else decides on the power, within the limits that a period gives."""


def fit(profile: Profile, capability: Capability, rating: Rating) -> Profile:
    """Clip to the rating, convert to a unit and to decimals that the station takes, drop what it does not know.

    Never raises a limit: numbers round towards zero, and a period on fewer phases may carry only their share of the
    rating. The rating's discharge is a magnitude in W.

    Raises:
        Unsupported: stack level, periods, profile id, unit or operation mode can't be taken.
    """
    _refuse_shape(profile, capability)
    unit = _unit(profile, capability, rating)
    schedules = tuple(_fit_schedule(schedule, unit, rating) for schedule in profile.schedules)
    fitted = replace(profile, schedules=schedules)
    if not capability.max_offline:
        fitted = replace(fitted, max_offline=None, invalid_after_offline=False)
    _refuse_modes(fitted, capability)
    return fitted


def discharges(profile: Profile) -> bool:
    """Tell whether any period asks for a flow out of the vehicle."""
    return any(
        (period.setpoint is not None and period.setpoint < 0) or (period.limit is not None and period.limit < 0)
        for schedule in profile.schedules
        for period in schedule.periods
    )


def may_discharge(profile: Profile) -> bool:
    """Tell whether it lets anything flow out of the vehicle, be it steered from here or by someone else."""
    return any(_may_discharge(period) for schedule in profile.schedules for period in schedule.periods)


def _may_discharge(period: Period) -> bool:
    numbers = (period.limit, period.discharge_limit, period.setpoint)
    steered = period.mode in STEERED and period.discharge_limit != 0
    return steered or any(number is not None and number < 0 for number in numbers)


def _refuse_shape(profile: Profile, capability: Capability) -> None:
    if not capability.smart_charging:
        raise Unsupported("smart charging", "the station answers that it has none")
    if profile.stack_level > capability.max_stack_level:
        raise Unsupported(f"stack level {profile.stack_level}", f"the highest is {capability.max_stack_level}")
    most = max(len(schedule.periods) for schedule in profile.schedules)
    if most > capability.max_periods:
        raise Unsupported(count(most, "period"), f"the station holds {capability.max_periods} a schedule")
    if profile.id <= capability.max_external_id:
        raise Unsupported(f"profile id {profile.id}", f"ids up to {capability.max_external_id} are the station's own")


def _refuse_modes(profile: Profile, capability: Capability) -> None:
    if capability.protocol is Protocol.V201:
        if discharges(profile) and not capability.negative_limit:
            raise Unsupported(
                "discharge on OCPP 2.0.1",
                "a negative limit can mean unlimited charging there, and it is neither declared "
                "(capability: {negativeLimit: true}) nor proved for this station",
            )
        return
    modes = {period.mode for schedule in profile.schedules for period in schedule.periods}
    for mode in sorted(modes):
        refusal = refuses_mode(mode, capability)
        if refusal is not None:
            raise refusal


def refuses_mode(mode: Mode, capability: Capability) -> Unsupported | None:
    """Say why a station can't be told a mode of operation; None where it can (K01.FR.115, Q08.FR.05)."""
    if mode is Mode.CHARGING_ONLY:
        return None
    if capability.protocol is Protocol.V201:
        spoken = mode in (Mode.IDLE, Mode.CENTRAL_SETPOINT)
        return None if spoken else Unsupported(f"operation mode {mode}", "OCPP 2.0.1 only has limits")
    if mode not in capability.modes:
        return Unsupported(f"operation mode {mode}", "it is not among the station's SupportedOperationModes")
    if mode is Mode.LOCAL_FREQUENCY and Unit.WATT not in capability.units:
        return Unsupported(f"operation mode {mode}", "it is in W, and the station takes amperes only")
    return None


def _unit(profile: Profile, capability: Capability, rating: Rating) -> Unit:
    current = profile.schedule.unit
    if not capability.units:
        raise Unsupported(f"unit {current}", "the station names no unit that it takes")
    unit = current if current in capability.units else capability.units[0]
    amperes = unit is Unit.AMPERE or any(schedule.unit is Unit.AMPERE for schedule in profile.schedules)
    if amperes and not rating.watts_per_ampere and not _is_zero(profile):
        raise Unsupported(f"unit {current}", "on DC a power can't be told in amperes per phase")
    return unit


def _is_zero(profile: Profile) -> bool:
    """Tell whether all its numbers are zero, which is the same in every unit."""
    periods = (period for schedule in profile.schedules for period in schedule.periods)
    return not any(number for period in periods for number in (period.limit, period.discharge_limit, period.setpoint))


def _fit_schedule(schedule: ChargingSchedule, unit: Unit, rating: Rating) -> ChargingSchedule:
    return replace(
        schedule,
        unit=unit,
        min_charging_rate=_fit_number(schedule.min_charging_rate, schedule.unit, unit, rating),
        periods=tuple(_fit_period(period, schedule.unit, unit, rating) for period in schedule.periods),
    )


def _fit_period(period: Period, given: Unit, unit: Unit, rating: Rating) -> Period:
    phases = min(period.number_phases or rating.phases, rating.phases)
    share = rating if phases == rating.phases else _share(rating, phases)
    return replace(
        period,
        limit=_startable(_fit_number(period.limit, given, unit, share), unit),
        discharge_limit=_fit_number(period.discharge_limit, given, unit, share),
        setpoint=_startable(_fit_number(period.setpoint, given, unit, share), unit),
        number_phases=phases or None,
        phase_to_use=period.phase_to_use if phases else None,
        v2x_baseline=_fit_number(period.v2x_baseline, Unit.WATT, Unit.WATT, rating),
        freq_watt_curve=tuple(
            _fit_point(point, period.v2x_baseline or ZERO, rating) for point in period.freq_watt_curve
        ),
    )


def _fit_point(point: CurvePoint, baseline: Decimal, rating: Rating) -> CurvePoint:
    """Clip what comes of baseline and curve together; between two points it is a line, so it stays within as well."""
    base = min(max(baseline, -rating.discharge_w), rating.charge_w)
    total = min(max(base + point.power_w, -rating.discharge_w), rating.charge_w)
    return CurvePoint(point.frequency_hz, plain((total - base).quantize(Decimal("0.1"), ROUND_DOWN)))


def _share(rating: Rating, phases: int) -> Rating:
    """Give what some of the phases may carry."""
    return replace(
        rating,
        phases=phases,
        charge_w=rating.charge_w * phases / rating.phases,
        discharge_w=rating.discharge_w * phases / rating.phases,
    )


def _startable(value: Decimal | None, unit: Unit) -> Decimal | None:
    """Give zero for a current that no vehicle can charge with: some stations would make it the least one instead."""
    too_small = unit is Unit.AMPERE and value is not None and ZERO < value < LEAST_AMPERES
    return ZERO if too_small else value


def _fit_number(value: Decimal | None, given: Unit, unit: Unit, rating: Rating) -> Decimal | None:
    if value is None:
        return None
    watts = min(max(value * _watts_per(given, rating), -rating.discharge_w), rating.charge_w)
    return plain((watts / _watts_per(unit, rating)).quantize(Decimal("0.1"), ROUND_DOWN))


def _watts_per(unit: Unit, rating: Rating) -> Decimal:
    """Give the power of one unit; on DC only zeros get here in amperes, and those are the same in every unit."""
    return Decimal(1) if unit is Unit.WATT else rating.watts_per_ampere or Decimal(1)
