"""What a station refuses to install, and with which reason code: the S-marked rules of K01, K28 and V2X.

`station` asks it before anything is stored. What every station refuses is `profiles.rules`; here is what depends on
this station: its EVSEs, its limits, its features, what it holds already and which transactions run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject
from reconciler.profiles.profile import Kind, Mode, Period, Profile, Purpose
from reconciler.profiles.rules import Violation, check, check_stack
from reconciler.profiles.wording import count
from reconciler.simulator.memory import LASTING, ProfileMemory
from reconciler.simulator.nameplate import EvsePlate, Nameplate, NegativeLimit

UNSUPPORTED_IN_SCHEDULE = ("useLocalTime", "randomizedDelay", "limitAtSoC")
"""Features of 2.1 that no simulated station has (K01.FR.123 to .125)."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What a station judges a profile by: `transactions` by EVSE; `waiting` are EVSEs whose needs are not known yet."""

    plate: Nameplate
    memory: ProfileMemory
    transactions: Mapping[int, str]
    waiting: frozenset[int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A profile that shall be installed, as read and as it came."""

    profile: Profile
    wire: JsonObject

    def schedules(self) -> Iterator[JsonObject]:
        """Give the schedules as they came."""
        yield from _objects(self.wire.get("chargingSchedule"))

    def periods(self) -> Iterator[JsonObject]:
        """Give the periods as they came, of all schedules."""
        for schedule in self.schedules():
            yield from _objects(schedule.get("chargingSchedulePeriod"))


def refusal(asked: Asked, premises: Premises) -> Violation | None:
    """Give the first reason for which a station won't install a profile, None where it will."""
    return next((found for rule in _RULES for found in rule(asked, premises)), None)


def too_soon(last: datetime | None, now: datetime, plate: Nameplate, purpose: Purpose) -> Violation | None:
    """Refuse a write of a lasting purpose that follows another within the rate limit (K01.FR.56, .57)."""
    if last is None or purpose not in LASTING:
        return None
    left = plate.update_rate_limit - (now - last)
    if left <= timedelta(0):
        return None
    return Violation("rate", "RateLimitExceeded", f"{count(ceil(left.total_seconds()), 'second')} before retry")


def _place(asked: Asked, premises: Premises) -> Iterator[Violation]:
    profile, plate = asked.profile, premises.plate
    if profile.evse_id and plate.evse(profile.evse_id) is None:
        yield Violation("evse", "UnknownEvse", f"there is no EVSE {profile.evse_id} (K01.FR.28)")
    if profile.id <= plate.max_external_id:
        yield Violation("id", "InvalidProfileId", f"ids up to {plate.max_external_id} are my own (K01.FR.81)")
    held = premises.memory.get(profile.id)
    if held is not None and held.profile.purpose is Purpose.EXTERNAL:
        yield Violation("id-external", "InvalidProfileId", f"{profile.id} is an external constraint (K01.FR.05)")


def _size(asked: Asked, premises: Premises) -> Iterator[Violation]:
    profile, plate = asked.profile, premises.plate
    for schedule in profile.schedules:
        if schedule.unit not in plate.units:
            yield Violation("unit", "UnsupportedRateUnit", f"{schedule.unit} is not in RateUnit (K01.FR.26)")
        if len(schedule.periods) > plate.max_periods:
            yield Violation(
                "periods", "TooManyElements", f"a schedule has at most {count(plate.max_periods, 'period')}"
            )
    if profile.stack_level > plate.max_stack_level:
        yield Violation("stack", "InvalidStackLevel", f"the highest level is {plate.max_stack_level}")
    if premises.memory.get(profile.id) is None and len(premises.memory) >= plate.max_profiles:
        yield Violation("profiles", "TooManyElements", f"I hold {count(plate.max_profiles, 'profile')}")


def _features(asked: Asked, premises: Premises) -> Iterator[Violation]:
    profile, plate = asked.profile, premises.plate
    additional = {Purpose.PRIORITY, Purpose.LOCAL_GENERATION} - plate.additional_purposes
    if profile.purpose in additional:
        yield Violation("purpose", "UnsupportedPurpose", f"{profile.purpose} is not supported (K01.FR.120)")
    if profile.kind is Kind.DYNAMIC and not plate.dynamic:
        yield Violation("kind", "UnsupportedKind", "Dynamic is not supported (K01.FR.121)")
    for name in UNSUPPORTED_IN_SCHEDULE:
        if any(schedule.get(name) for schedule in asked.schedules()):
            yield Violation("feature", "InvalidSchedule", f"{name} is not supported (K01.FR.123-125)")
    if any(period.get("evseSleep") for period in asked.periods()):
        yield Violation("feature", "InvalidSchedule", "evseSleep is not supported (K01.FR.126)")
    if any(name.endswith(("_L2", "_L3")) for period in asked.periods() for name in period):
        yield Violation("per-phase", "PhaseConflict", "the vehicle gave no limits per phase (K01.FR.144, V2X.10)")


def _modes(asked: Asked, premises: Premises) -> Iterator[Violation]:
    for period, wire in zip(_all_periods(asked.profile), asked.periods(), strict=True):
        if period.mode is Mode.LOCAL_LOAD_BALANCING and period.mode not in premises.plate.modes:
            yield Violation("mode", "UnsupportedParam", "LocalLoadBalancing is not supported (Q09.FR.01)")
        elif period.mode is not Mode.CHARGING_ONLY and period.mode not in premises.plate.modes:
            yield Violation("mode", "InvalidOperationMode", f"{period.mode} is not supported (K01.FR.115)")
        elif period.mode is Mode.LOCAL_FREQUENCY and not _has_curve(wire):
            yield Violation("curve", "NoFreqWattCurve", "LocalFrequency needs a curve of two points (Q08.FR.03)")
        if not _within(period):
            yield Violation("setpoint", "InvalidSchedule", "the setpoint is outside its limits (V2X.05)")


def _combinations(asked: Asked, premises: Premises) -> Iterator[Violation]:
    plate = premises.plate
    takes_negative = plate.protocol is Protocol.V201 and plate.negative_limit is not NegativeLimit.REJECT
    yield from (found for found in check(asked.profile) if not (takes_negative and found.rule == "sign"))


def _phases(asked: Asked, premises: Premises) -> Iterator[Violation]:
    periods = tuple(_all_periods(asked.profile))
    where = _evses(asked.profile, premises.plate)
    if all(evse.phases == 0 for evse in where) and any(period.number_phases is not None for period in periods):
        yield Violation("phases", "NoPhaseForDC", "there are no phases to choose on DC (K01.FR.44)")
    if not premises.plate.phase_switching and any(period.phase_to_use is not None for period in periods):
        yield Violation("phase-to-use", "InvalidSchedule", "I can't choose a phase (K01.FR.48)")


def _transaction(asked: Asked, premises: Premises) -> Iterator[Violation]:
    profile = asked.profile
    if profile.purpose is not Purpose.TX:
        return
    if premises.transactions.get(profile.evse_id) != profile.transaction_id:
        yield Violation("tx", "TxNotFound", f"no transaction {profile.transaction_id} there (K01.FR.09, .33)")
    if profile.evse_id in premises.waiting:
        yield Violation("sequence", "InvalidMessageSeq", "the vehicle's needs are not known yet (K15.FR.17)")


def _neighbours(asked: Asked, premises: Premises) -> Iterator[Violation]:
    for held in premises.memory.profiles:
        yield from check_stack((asked.profile, held))


Rule = Callable[[Asked, Premises], Iterator[Violation]]
_RULES: tuple[Rule, ...] = (
    _place,
    _size,
    _features,
    _modes,
    _combinations,
    _phases,
    _transaction,
    _neighbours,
)


def _all_periods(profile: Profile) -> Iterator[Period]:
    return (period for schedule in profile.schedules for period in schedule.periods)


def _evses(profile: Profile, plate: Nameplate) -> tuple[EvsePlate, ...]:
    one = plate.evse(profile.evse_id)
    return (one,) if one else plate.evses


def _within(period: Period) -> bool:
    setpoint = period.setpoint
    if setpoint is None:
        return True
    return (period.limit is None or setpoint <= period.limit) and (
        period.discharge_limit is None or setpoint >= period.discharge_limit
    )


def _has_curve(wire: JsonObject) -> bool:
    curve = wire.get("v2xFreqWattCurve")
    return isinstance(curve, list) and len(curve) >= 2


def _objects(value: object) -> Iterator[JsonObject]:
    for item in value if isinstance(value, list | tuple) else ():
        assert isinstance(item, Mapping)  # noqa: S101 - `form` has read it before
        yield item
