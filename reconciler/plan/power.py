"""What one profile commands from an instant on, as a line of signed numbers in its own unit.

Called by `fleet_plan` to tell a renewed lease from a change, and by `words` to say either.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from reconciler.plan.week import clip_to
from reconciler.profiles.canonical import course, differences
from reconciler.profiles.profile import Kind, Mode, Period, Profile
from reconciler.profiles.timeline import Power, Timeline, timeline

TIMES = frozenset({"chargingSchedulePeriod", "duration", "validFrom", "validTo"})
"""What a renewal may change: the tail, and with it where the periods lie."""


def power_line(profile: Profile, now: datetime) -> Timeline | None:
    """Give the signed number that an Absolute profile commands from now on, in its own unit; else None."""
    if profile.kind is not Kind.ABSOLUTE or len(profile.schedules) != 1:
        return None
    steps = course(profile, now).steps
    numbers = [(at, _signed(period)) for at, period in steps]
    return None if not steps or any(number is None for _, number in numbers) else timeline(numbers)


def lease_end(line: Timeline) -> datetime:
    """Give the instant at which a line takes its last value: the end of its lease."""
    return line.steps[-1].start


def renews(new: Profile, old: Profile, now: datetime) -> bool:
    """Tell whether a profile goes on with what another commands, beyond the end of its lease."""
    if not set(differences(new, old, now)) <= TIMES:
        return False
    before, after = power_line(old, now), power_line(new, now)
    if before is None or after is None or len(after.steps) < 2:
        return False
    end = lease_end(before)
    return end < lease_end(after) and clip_to(before, end) == clip_to(after, end)


def _signed(period: Period) -> Power:
    if period.mode is Mode.IDLE:
        return Decimal(0)
    return period.limit if period.setpoint is None else period.setpoint
