"""The requests that 2.0.1 and 2.1 word alike, and the answer to the one that has a schedule in it.

Each dialect offers them as its own; a version that words one of them differently brings its own function instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from reconciler.profiles.form import JsonObject, read_instant, read_integer, read_number
from reconciler.profiles.profile import Unit
from reconciler.reported.events import CompositeStep

SOURCES = ("CSO", "EMS", "SO", "Other")
"""Who can set a limit: ourselves, the site's energy management, the grid operator, another."""


def clear_profile(profile_id: int) -> JsonObject:
    """Give ClearChargingProfile for one id: criteria are understood in too many ways."""
    return {"chargingProfileId": profile_id}


def get_profiles(request_id: int) -> JsonObject:
    """Give GetChargingProfiles for all there are: naming every source, for a criterion may not be empty (K09.FR.03)."""
    return {"requestId": request_id, "chargingProfile": {"chargingLimitSource": list(SOURCES)}}


def get_composite(evse_id: int, duration: int, unit: Unit) -> JsonObject:
    """Give GetCompositeSchedule for `duration` seconds from its receipt on (K08.FR.02)."""
    return {"evseId": evse_id, "duration": duration, "chargingRateUnit": unit.value}


def lift_composite(answer: JsonObject) -> tuple[datetime, tuple[CompositeStep, ...]] | None:
    """Read the schedule of a GetCompositeSchedule answer; None where it has none, though it may say Accepted.

    Raises:
        TypeError: a field is not what the schema says.
    """
    schedule = answer.get("schedule")
    if answer.get("status") != "Accepted" or not isinstance(schedule, Mapping):
        return None
    periods = cast("Sequence[JsonObject]", schedule.get("chargingSchedulePeriod") or ())
    return read_instant(schedule.get("scheduleStart")), tuple(_step(period) for period in periods)


def _step(period: JsonObject) -> CompositeStep:
    return CompositeStep(
        read_integer(period.get("startPeriod")), _number(period.get("limit")), _number(period.get("setpoint"))
    )


def _number(value: object) -> Decimal | None:
    return None if value is None else read_number(value)
