"""The dialect of OCPP 2.0.1: limits of one decimal, no operation modes, nothing that knows of being offline.

Called by `stations`, `simulator` and the command line with profiles that were fitted before. It never guesses: what
2.0.1 can't say raises `Unsupported`, and nothing is sent.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from reconciler.errors import Unsupported
from reconciler.ocpp.requests import clear_profile, get_composite, get_profiles, lift_composite
from reconciler.profiles.capability import Capability
from reconciler.profiles.form import JsonObject, read_profile, write_profile
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose

__all__ = [
    "clear_profile",
    "get_composite",
    "get_profiles",
    "lift",
    "lift_composite",
    "lower",
    "set_profile",
]

_TENTH = Decimal("0.1")
_ZERO = Decimal(0)
_PURPOSES = frozenset({Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX})
"""What a CSMS may set in 2.0.1 (K01.FR.22 leaves external constraints to the station)."""
_KINDS = frozenset({Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE})


def set_profile(profile: Profile, capability: Capability) -> JsonObject:
    """Give SetChargingProfile; a discharge goes out as a negative limit.

    Raises:
        Unsupported: 2.0.1 has no words for it, or a negative limit is not known to discharge this station.
    """
    lowered = lower(profile, capability)
    schedules = tuple(
        replace(schedule, periods=tuple(_on_the_wire(period) for period in schedule.periods))
        for schedule in lowered.schedules
    )
    return {"evseId": profile.evse_id, "chargingProfile": write_profile(replace(lowered, schedules=schedules))}


def lower(profile: Profile, capability: Capability) -> Profile:
    """Give what 2.0.1 can carry of a profile, in the project's own form: what `lift` gives after a faithful read-back.

    A setpoint that does not discharge becomes a limit, numbers lose what is beyond a tenth (towards zero, so never more
    flow), and what only 2.1 knows is left out.

    Raises:
        Unsupported: purpose, kind, mode or discharge can't be carried.
    """
    if profile.purpose not in _PURPOSES or profile.kind not in _KINDS:
        raise Unsupported(f"{profile.kind} {profile.purpose}", "OCPP 2.0.1 does not have it")
    return replace(
        profile,
        schedules=tuple(_lower_schedule(schedule, capability) for schedule in profile.schedules),
        max_offline=None,
        invalid_after_offline=False,
        dyn_update_interval=None,
        dyn_update_time=None,
    )


def lift(evse_id: int, data: JsonObject) -> Profile:
    """Read a reported profile, however the station normalised it; a negative limit is a discharge.

    Raises:
        MalformedProfile: it lacks what makes a profile.
    """
    profile = read_profile(evse_id, data)
    return replace(
        profile,
        schedules=tuple(
            replace(schedule, periods=tuple(_from_the_wire(period) for period in schedule.periods))
            for schedule in profile.schedules
        ),
    )


def _lower_schedule(schedule: ChargingSchedule, capability: Capability) -> ChargingSchedule:
    rate = schedule.min_charging_rate
    return replace(
        schedule,
        min_charging_rate=None if rate is None else _tenth(rate),
        periods=tuple(_lower_period(period, capability) for period in schedule.periods),
    )


def _lower_period(period: Period, capability: Capability) -> Period:
    flow = _tenth(_flow(period))
    as_is = period.mode is Mode.CHARGING_ONLY and period.setpoint is None and period.discharge_limit is None
    if as_is and period.limit == flow >= 0:
        return period
    bare = replace(period, limit=None, setpoint=None, discharge_limit=None, mode=Mode.CHARGING_ONLY)
    if flow >= 0:
        return replace(bare, limit=flow)
    if not capability.negative_limit:
        raise Unsupported("negativeLimit", "on OCPP 2.0.1 a negative limit is not declared or proved to discharge here")
    return replace(bare, mode=Mode.CENTRAL_SETPOINT, setpoint=flow)


def _flow(period: Period) -> Decimal:
    """Give the one number that 2.0.1 has for a period: what caps, or what is to be followed."""
    match period.mode:
        case Mode.IDLE:
            return _ZERO
        case Mode.CHARGING_ONLY if period.limit is not None:
            return period.limit
        case Mode.CENTRAL_SETPOINT if period.setpoint is not None:
            return period.setpoint
        case _:
            raise Unsupported(f"operation mode {period.mode}", "OCPP 2.0.1 only has limits")


def _on_the_wire(period: Period) -> Period:
    if period.setpoint is None:
        return period
    return replace(period, limit=period.setpoint, setpoint=None, mode=Mode.CHARGING_ONLY)


def _from_the_wire(period: Period) -> Period:
    if period.limit is None or period.limit >= 0:
        return period
    return replace(period, limit=None, setpoint=period.limit, mode=Mode.CENTRAL_SETPOINT)


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(_TENTH, ROUND_DOWN)
