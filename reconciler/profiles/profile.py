"""The OCPP ChargingProfile in the project's own form: a superset of 1.6, 2.0.1 and 2.1 with 2.1's names.

Templates yield it (through `form`), dialects lower it to one version and lift it back, everything else compares and
composes it. It refuses to know whether a combination is allowed (`rules`) or can be taken by a station (`fit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Purpose(StrEnum):
    """ChargingProfilePurposeEnumType, OCPP 2.1."""

    EXTERNAL = "ChargingStationExternalConstraints"
    STATION_MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    PRIORITY = "PriorityCharging"
    LOCAL_GENERATION = "LocalGeneration"


class Kind(StrEnum):
    """ChargingProfileKindEnumType, OCPP 2.1."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"


class Recurrency(StrEnum):
    """RecurrencyKindEnumType."""

    DAILY = "Daily"
    WEEKLY = "Weekly"

    @property
    def length(self) -> timedelta:
        """Give the time after which the schedule begins anew."""
        return timedelta(days=1 if self is Recurrency.DAILY else 7)


class Unit(StrEnum):
    """ChargingRateUnitEnumType: W over all phases, or A per phase (K01.FR.51)."""

    WATT = "W"
    AMPERE = "A"


class Mode(StrEnum):
    """OperationModeEnumType, OCPP 2.1."""

    IDLE = "Idle"
    CHARGING_ONLY = "ChargingOnly"
    CENTRAL_SETPOINT = "CentralSetpoint"
    EXTERNAL_SETPOINT = "ExternalSetpoint"
    EXTERNAL_LIMITS = "ExternalLimits"
    CENTRAL_FREQUENCY = "CentralFrequency"
    LOCAL_FREQUENCY = "LocalFrequency"
    LOCAL_LOAD_BALANCING = "LocalLoadBalancing"


class CurvePoint(NamedTuple):
    """One point of v2xFreqWattCurve: what is added to the baseline at a grid frequency; + charge, - discharge."""

    frequency_hz: Decimal
    power_w: Decimal


@dataclass(frozen=True, slots=True)
class Period:
    """ChargingSchedulePeriod: what holds from `start` seconds after the schedule's begin.

    `limit` caps charging (>= 0; negative only on a 2.0.1 wire that is known to discharge on it),
    `discharge_limit` (<= 0) caps discharging, `setpoint` is to be followed (+ charge, - discharge);
    all in the schedule's unit. LocalFrequency has none of them but `v2x_baseline` and `freq_watt_curve`, in W.
    """

    start: int
    limit: Decimal | None = None
    discharge_limit: Decimal | None = None
    setpoint: Decimal | None = None
    mode: Mode = Mode.CHARGING_ONLY
    number_phases: int | None = None
    phase_to_use: int | None = None
    v2x_baseline: Decimal | None = None
    freq_watt_curve: tuple[CurvePoint, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargingSchedule:
    """Periods from `start` on (UTC), at most `duration` seconds; without a duration the last one never ends."""

    id: int
    unit: Unit
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration: int | None = None
    min_charging_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A ChargingProfile together with the EVSE it is for (0 = the station, or each of its EVSEs for TxDefault)."""

    id: int
    evse_id: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    schedules: tuple[ChargingSchedule, ...]
    recurrency: Recurrency | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: str | None = None
    max_offline: int | None = None
    invalid_after_offline: bool = False
    dyn_update_interval: int | None = None
    dyn_update_time: datetime | None = None

    @property
    def schedule(self) -> ChargingSchedule:
        """Give the first schedule: the only one, except in TxProfiles after NotifyEVChargingNeeds (K01.FR.34)."""
        return self.schedules[0]

    @property
    def slot(self) -> tuple[Purpose, int, int, str | None]:
        """Give what no two valid profiles of a station may share (K01.FR.06, K01.FR.39)."""
        return (self.purpose, self.evse_id, self.stack_level, self.transaction_id)


@lru_cache(maxsize=16_384)
def shared(profile: Profile) -> Profile:
    """Give the one object for all profiles that are equal: stations of a fleet are sent the same, and hold the same.

    It saves their memory, and what is the same object need not be compared.
    """
    return profile


FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(microsecond=0, tzinfo=UTC)


def later(start: datetime, seconds: int) -> datetime:
    """Give the instant so many seconds after another, held within the calendar: stations may send any date."""
    try:
        return start + timedelta(seconds=seconds)
    except OverflowError:
        return LAST_INSTANT if seconds > 0 else FIRST_INSTANT
