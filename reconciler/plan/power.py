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
    """Give the signed number that an Absolute profile commands from now on, in its own unit; else None.

    The line ends in silence where the profile itself ends.
    """
    if profile.kind is not Kind.ABSOLUTE or len(profile.schedules) != 1:
        return None
    held = course(profile, now)
    numbers = [(at, _signed(period)) for at, period in held.steps]
    if not numbers or any(number is None for _, number in numbers):
        return None
    return timeline([*numbers, *([(held.end, None)] if held.end else [])])


def lease_end(line: Timeline) -> datetime:
    """Give the instant at which a line takes its last value: the end of its lease."""
    return line.steps[-1].start


def renews(new: Profile, old: Profile, now: datetime) -> bool:
    """Tell whether a profile goes on with what another commands, beyond the end of its lease.

    One that goes on flowing has no lease, so whatever takes its place is no renewal.
    """
    if not set(differences(new, old, now)) <= TIMES:
        return False
    before, after = power_line(old, now), power_line(new, now)
    if before is None or after is None or len(after.steps) < 2 or before.steps[-1].power_w:
        return False
    end = lease_end(before)
    return end < lease_end(after) and clip_to(before, end) == clip_to(after, end)


def _signed(period: Period) -> Power:
    if period.mode is Mode.IDLE:
        return Decimal(0)
    return period.limit if period.setpoint is None else period.setpoint
