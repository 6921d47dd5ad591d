"""What one profile commands from an instant on, as a line in its own unit.

Called by `fleet_plan` to tell a renewed lease from a change, and by `words` to say either.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from reconciler.plan.asked import SILENT, Asked, Line, Part, Steering, clip_line, line_of, steering_of
from reconciler.profiles.canonical import course, differences
from reconciler.profiles.profile import Kind, Mode, Period, Profile

ZERO = Decimal(0)
TIMES = frozenset({"chargingSchedulePeriod", "duration", "validFrom", "validTo"})
"""What a renewal may change: the tail, and with it where the periods lie."""


def power_line(profile: Profile, now: datetime) -> Line | None:
    """Give what an Absolute profile commands from now on, in its own unit; None for others, or where it can't be told.

    The line ends in silence where the profile itself ends.
    """
    if profile.kind is not Kind.ABSOLUTE or len(profile.schedules) != 1:
        return None
    held = course(profile, now)
    parts = [Part(at, asked) for at, period in held.steps if (asked := _asked(period)) is not None]
    if not parts or len(parts) < len(held.steps):
        return None
    return line_of([*parts, *([Part(held.end, SILENT)] if held.end else [])])


def lease_end(line: Line) -> datetime:
    """Give the instant at which a line takes its last value: the end of its lease."""
    return line.parts[-1].start


def renews(new: Profile, old: Profile, now: datetime) -> bool:
    """Tell whether a profile goes on with what another commands, beyond the end of its lease.

    One that goes on flowing has no lease, so whatever takes its place is no renewal.
    """
    if not set(differences(new, old, now)) <= TIMES:
        return False
    before, after = power_line(old, now), power_line(new, now)
    if before is None or after is None or len(after.parts) < 2 or before.parts[-1].asked.flows:
        return False
    end = lease_end(before)
    return end < lease_end(after) and clip_line(before, end) == clip_line(after, end)


def _asked(period: Period) -> Asked | None:
    """Give what a period asks for; None where its numbers are missing or mean something that is not known here."""
    match period.mode:
        case Mode.IDLE | Mode.EXTERNAL_LIMITS:
            return Asked(ZERO, Steering(period.mode))
        case Mode.LOCAL_FREQUENCY:
            return _by_frequency(period)
        case Mode.LOCAL_LOAD_BALANCING:
            band = (period.discharge_limit or ZERO, period.limit or ZERO)
            return Asked(ZERO, Steering(period.mode, *band))
        case _:
            pass
    power = period.limit if period.setpoint is None else period.setpoint
    return None if power is None else Asked(power, steering_of(period.mode, power, power, power))


def _by_frequency(period: Period) -> Asked | None:
    if period.v2x_baseline is None or not period.freq_watt_curve:
        return None
    ends = [period.v2x_baseline + point.power_w for point in period.freq_watt_curve]
    return Asked(period.v2x_baseline, Steering(period.mode, min(ends), max(ends), period.freq_watt_curve))
