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
from reconciler.profiles.profile import ChargingSchedule, Mode, Period, Profile, Unit

ZERO = Decimal(0)
LEAST_AMPERES = Decimal(6)
"""IEC 61851-1 has no current between 0 and 6 A per phase."""
EXTERNAL_MODES = frozenset({Mode.CHARGING_ONLY, Mode.EXTERNAL_LIMITS, Mode.EXTERNAL_SETPOINT})
"""Modes that one-way stations know as well."""


def fit(profile: Profile, capability: Capability, rating: Rating) -> Profile:
    """Clip to the rating, convert to a unit and to decimals that the station takes, drop what it does not know.

    Never raises a limit: numbers round towards zero. The rating's discharge is a magnitude in W.

    Raises:
        Unsupported: stack level, periods, profile id, unit or operation mode can't be taken.
    """
    _refuse_shape(profile, capability)
    unit = _unit(profile, capability, rating)
    schedules = tuple(_fit_schedule(schedule, unit, rating) for schedule in profile.schedules)
    fitted = replace(profile, schedules=schedules, max_offline=profile.max_offline if capability.max_offline else None)
    _refuse_modes(fitted, capability)
    return fitted


def discharges(profile: Profile) -> bool:
    """Tell whether any period asks for a flow out of the vehicle."""
    return any(
        (period.setpoint is not None and period.setpoint < 0) or (period.limit is not None and period.limit < 0)
        for schedule in profile.schedules
        for period in schedule.periods
    )


def _refuse_shape(profile: Profile, capability: Capability) -> None:
    if not capability.smart_charging:
        raise Unsupported("smart charging", "the station answers that it has none")
    if profile.stack_level > capability.max_stack_level:
        raise Unsupported(f"stack level {profile.stack_level}", f"the highest is {capability.max_stack_level}")
    most = max(len(schedule.periods) for schedule in profile.schedules)
    if most > capability.max_periods:
        raise Unsupported(f"{most} periods", f"the station holds {capability.max_periods} a schedule")
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
    for mode in sorted(modes - capability.modes - {Mode.CHARGING_ONLY}):
        raise Unsupported(f"operation mode {mode}", "it is not among the station's SupportedOperationModes")


def _unit(profile: Profile, capability: Capability, rating: Rating) -> Unit:
    current = profile.schedule.unit
    if current in capability.units:
        return current
    if not rating.watts_per_ampere and not _is_zero(profile):
        raise Unsupported(f"unit {current}", "on DC a power can't be told in amperes per phase")
    if not capability.units:
        raise Unsupported(f"unit {current}", "the station names no unit that it takes")
    return capability.units[0]


def _is_zero(profile: Profile) -> bool:
    """Tell whether all its numbers are zero, which is the same in every unit."""
    periods = (period for schedule in profile.schedules for period in schedule.periods)
    return not any(number for period in periods for number in (period.limit, period.discharge_limit, period.setpoint))


def _fit_schedule(schedule: ChargingSchedule, unit: Unit, rating: Rating) -> ChargingSchedule:
    watts_per_unit = Decimal(1) if schedule.unit is Unit.WATT else rating.watts_per_ampere
    divisor = Decimal(1) if unit is Unit.WATT else rating.watts_per_ampere or Decimal(1)
    phases = rating.phases or None
    return replace(
        schedule,
        unit=unit,
        periods=tuple(
            replace(
                period,
                limit=_fit_limit(period, watts_per_unit, divisor, rating),
                discharge_limit=_fit_number(period.discharge_limit, watts_per_unit, divisor, rating),
                setpoint=_fit_number(period.setpoint, watts_per_unit, divisor, rating),
                number_phases=(period.number_phases or phases) if phases else None,
            )
            for period in schedule.periods
        ),
    )


def _fit_limit(period: Period, watts_per_unit: Decimal, divisor: Decimal, rating: Rating) -> Decimal | None:
    limit = _fit_number(period.limit, watts_per_unit, divisor, rating)
    amperes = divisor != 1
    return ZERO if limit is not None and amperes and ZERO < limit < LEAST_AMPERES else limit


def _fit_number(value: Decimal | None, watts_per_unit: Decimal, divisor: Decimal, rating: Rating) -> Decimal | None:
    if value is None:
        return None
    watts = min(max(value * watts_per_unit, -rating.discharge_w), rating.charge_w)
    return plain((watts / divisor).quantize(Decimal("0.1"), ROUND_DOWN))
