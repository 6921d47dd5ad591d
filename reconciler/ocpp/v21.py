"""The dialect of OCPP 2.1: operation modes, setpoints and what holds while offline go out as they are.

Called by `stations`, `simulator` and the command line with profiles that were fitted before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import cast

from reconciler.errors import Unsupported
from reconciler.ocpp.requests import clear_profile, get_composite, get_profiles, lift_composite
from reconciler.profiles.capability import Capability
from reconciler.profiles.form import JsonObject, read_profile, write_profile
from reconciler.profiles.profile import ChargingSchedule, CurvePoint, Mode, Period, Profile, Purpose

__all__ = [
    "clear_profile",
    "get_composite",
    "get_profiles",
    "lift",
    "lift_composite",
    "lower",
    "set_profile",
]

_MILLIONTH = Decimal("0.000001")
"""At most six decimals go to a station."""


def set_profile(profile: Profile, capability: Capability) -> JsonObject:
    """Give SetChargingProfile; the operation mode is written out even where it is the default.

    Raises:
        Unsupported: the station alone makes such profiles (K01.FR.22), or does not know a mode (K01.FR.115).
    """
    data = dict(write_profile(lower(profile, capability)))
    schedules = cast("Sequence[JsonObject]", data["chargingSchedule"])
    data["chargingSchedule"] = [_with_modes(schedule) for schedule in schedules]
    return {"evseId": profile.evse_id, "chargingProfile": data}


def lower(profile: Profile, capability: Capability) -> Profile:
    """Give what 2.1 can carry of a profile, in the project's own form: what `lift` gives after a faithful read-back.

    Numbers lose what is beyond six decimals, towards zero; `dynUpdateTime` is the station's own.

    Raises:
        Unsupported: the station alone makes such profiles, or does not know a mode.
    """
    if profile.purpose is Purpose.EXTERNAL:
        raise Unsupported(profile.purpose, "only the station makes such profiles")
    modes = {period.mode for schedule in profile.schedules for period in schedule.periods}
    for mode in sorted(modes - capability.modes - {Mode.CHARGING_ONLY}):
        raise Unsupported(f"operation mode {mode}", "it is not among the station's SupportedOperationModes")
    return replace(
        profile,
        schedules=tuple(_lower_schedule(schedule) for schedule in profile.schedules),
        dyn_update_time=None,
    )


def lift(evse_id: int, data: JsonObject) -> Profile:
    """Read a reported profile, however the station normalised it.

    Raises:
        MalformedProfile: it lacks what makes a profile.
    """
    return read_profile(evse_id, data)


def _lower_schedule(schedule: ChargingSchedule) -> ChargingSchedule:
    return replace(
        schedule,
        min_charging_rate=_cut(schedule.min_charging_rate),
        periods=tuple(_lower_period(period) for period in schedule.periods),
    )


def _lower_period(period: Period) -> Period:
    limit, discharge, setpoint = (_cut(n) for n in (period.limit, period.discharge_limit, period.setpoint))
    if period.mode is Mode.LOCAL_FREQUENCY:
        curve = tuple(CurvePoint(_exact(hertz), _exact(power)) for hertz, power in period.freq_watt_curve)
        return replace(period, v2x_baseline=_cut(period.v2x_baseline), freq_watt_curve=curve)
    if (limit, discharge, setpoint) == (period.limit, period.discharge_limit, period.setpoint):
        return period
    return replace(period, limit=limit, discharge_limit=discharge, setpoint=setpoint)


def _with_modes(schedule: JsonObject) -> JsonObject:
    periods = cast("Sequence[JsonObject]", schedule["chargingSchedulePeriod"])
    named = [{"operationMode": Mode.CHARGING_ONLY.value, **period} for period in periods]
    return {**schedule, "chargingSchedulePeriod": named}


def _cut(value: Decimal | None) -> Decimal | None:
    return None if value is None else _exact(value)


def _exact(value: Decimal) -> Decimal:
    return value.quantize(_MILLIONTH, ROUND_DOWN)
