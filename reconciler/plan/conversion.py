"""Whether a station has only turned watts into amperes: the same power in another unit (K01.FR.50).

Called by `change` for what a station reports. It refuses to guess on what the station based its sum: nominal volts,
times the phases of each period.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from reconciler.profiles.canonical import differences
from reconciler.profiles.profile import Period, Profile, Unit

NOMINAL = Decimal(230)
"""Volts per phase where nothing else is said."""
STEPS = (Decimal("0.001"), Decimal("0.1"), Decimal(1))
"""The digits of an ampere that stations keep, the finest first; what is beyond is cut off."""


def is_converted(wanted: Profile, held: Profile, voltage: Decimal, now: datetime) -> bool:
    """Tell whether `held` is `wanted` in amperes, from `now` on; a station that rounds never rounds up."""
    if (wanted.schedule.unit, held.schedule.unit) != (Unit.WATT, Unit.AMPERE):
        return False
    return any(not differences(_in_amperes(wanted, voltage, step), held, now) for step in STEPS)


def _in_amperes(profile: Profile, voltage: Decimal, step: Decimal) -> Profile:
    def convert(period: Period) -> Period:
        cut = _cut(voltage * (period.number_phases or 3), step)
        limit, discharge, setpoint = cut(period.limit), cut(period.discharge_limit), cut(period.setpoint)
        return replace(period, limit=limit, discharge_limit=discharge, setpoint=setpoint)

    schedules = tuple(
        replace(schedule, unit=Unit.AMPERE, periods=tuple(map(convert, schedule.periods)))
        for schedule in profile.schedules
    )
    return replace(profile, schedules=schedules)


def _cut(watts_per_ampere: Decimal, step: Decimal) -> Callable[[Decimal | None], Decimal | None]:
    def cut(watts: Decimal | None) -> Decimal | None:
        return None if watts is None else (watts / watts_per_ampere).quantize(step, ROUND_DOWN)

    return cut
