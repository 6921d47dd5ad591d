from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.profiles.profile import (
    ChargingSchedule,
    CurvePoint,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Recurrency,
    Unit,
)
from reconciler.profiles.rules import MODES, Violation, check, check_stack

T = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = Period(0, limit=Decimal(5))
FOLLOW = Period(0, setpoint=Decimal(5), mode=Mode.CENTRAL_SETPOINT)
DISCHARGE = replace(FOLLOW, setpoint=Decimal(-5))
CURVE = (CurvePoint(Decimal("49.8"), Decimal(-5000)), CurvePoint(Decimal("50.2"), Decimal(5000)))
BY_FREQUENCY = Period(0, mode=Mode.LOCAL_FREQUENCY, v2x_baseline=Decimal(0), freq_watt_curve=CURVE)
LAWFUL = Profile(
    id=1,
    evse_id=1,
    stack_level=1,
    purpose=Purpose.TX_DEFAULT,
    kind=Kind.ABSOLUTE,
    schedules=(ChargingSchedule(1, Unit.WATT, (LIMIT,), T),),
)
MAX = replace(LAWFUL, purpose=Purpose.STATION_MAX, evse_id=0)
TX = replace(LAWFUL, purpose=Purpose.TX, transaction_id="tx-1")
PRIORITY = replace(LAWFUL, purpose=Purpose.PRIORITY)


def scheduled(profile=LAWFUL, **fields):
    return replace(profile, schedules=(replace(profile.schedule, **fields),))


def commanded(profile=LAWFUL, period=LIMIT, unit=Unit.WATT, **fields):
    return scheduled(profile, periods=(replace(period, **fields),), unit=unit)


DAILY = replace(LAWFUL, kind=Kind.RECURRING, recurrency=Recurrency.DAILY)
DYNAMIC = scheduled(replace(LAWFUL, kind=Kind.DYNAMIC), start=None, duration=60)
DYNAMIC_TX = replace(DYNAMIC, purpose=Purpose.TX, transaction_id="tx-1")
RELATIVE = scheduled(replace(LAWFUL, kind=Kind.RELATIVE), start=None)


@pytest.mark.parametrize(
    "profile",
    [
        LAWFUL,
        MAX,
        TX,
        PRIORITY,
        DAILY,
        DYNAMIC,
        RELATIVE,
        replace(DYNAMIC, dyn_update_interval=30, dyn_update_time=T),
        replace(TX, schedules=TX.schedules * 3),
        replace(LAWFUL, valid_from=T, valid_to=T + timedelta(seconds=1)),
        scheduled(DAILY, duration=86_400),
        scheduled(replace(DAILY, recurrency=Recurrency.WEEKLY), duration=604_800),
        scheduled(periods=(LIMIT, replace(FOLLOW, start=60)), duration=61),
        commanded(number_phases=1, phase_to_use=3),
        commanded(period=FOLLOW, limit=Decimal(5), discharge_limit=Decimal(0)),
        commanded(period=Period(0, mode=Mode.IDLE)),
        commanded(period=BY_FREQUENCY),
        commanded(DYNAMIC, FOLLOW, mode=Mode.CENTRAL_FREQUENCY),
    ],
)
def test_a_lawful_profile_breaks_no_rule(profile):
    assert check(profile) == ()


@pytest.mark.parametrize(
    ("rule", "reason", "profile"),
    [
        ("external-purpose", "InvalidProfile", replace(LAWFUL, purpose=Purpose.EXTERNAL)),
        ("max-on-evse", "InvalidProfile", replace(MAX, evse_id=1)),
        ("max-relative", "InvalidProfile", replace(RELATIVE, purpose=Purpose.STATION_MAX, evse_id=0)),
        ("tx-unbound", "TxNotFound", replace(TX, transaction_id=None)),
        ("tx-unbound", "TxNotFound", replace(TX, evse_id=0)),
        ("tx-stray", "InvalidProfile", replace(LAWFUL, transaction_id="tx-1")),
        ("priority-duration", "InvalidSchedule", scheduled(PRIORITY, duration=60)),
        ("start-missing", "InvalidSchedule", scheduled(start=None)),
        ("start-missing", "InvalidSchedule", scheduled(DAILY, start=None)),
        ("start-relative", "InvalidSchedule", scheduled(RELATIVE, start=T)),
        ("recurrency", "InvalidProfile", replace(DAILY, recurrency=None)),
        ("recurrency", "InvalidProfile", replace(LAWFUL, recurrency=Recurrency.DAILY)),
        ("dynamic-single", "InvalidSchedule", scheduled(DYNAMIC, periods=(LIMIT, replace(LIMIT, start=9)))),
        ("dynamic-single", "InvalidSchedule", replace(DYNAMIC_TX, schedules=DYNAMIC.schedules * 2)),
        ("dynamic-only", "InvalidProfile", replace(LAWFUL, dyn_update_interval=30)),
        ("dynamic-only", "InvalidProfile", replace(LAWFUL, dyn_update_time=T)),
        ("one-schedule", "InvalidSchedule", replace(LAWFUL, schedules=LAWFUL.schedules * 2)),
        ("one-unit", "InvalidSchedule", replace(TX, schedules=(TX.schedule, replace(TX.schedule, unit=Unit.AMPERE)))),
        ("validity", "InvalidProfile", replace(LAWFUL, valid_from=T, valid_to=T)),
        ("period-order", "InvalidSchedule", commanded(start=1)),
        ("period-order", "InvalidSchedule", scheduled(periods=(LIMIT, LIMIT))),
        ("period-order", "InvalidSchedule", scheduled(periods=())),
        ("period-beyond", "InvalidSchedule", scheduled(periods=(LIMIT, replace(LIMIT, start=60)), duration=60)),
        ("period-beyond", "InvalidSchedule", scheduled(duration=0)),
        ("duration-long", "InvalidSchedule", scheduled(DAILY, duration=86_401)),
        ("mode-purpose", "InvalidOperationMode", commanded(MAX, FOLLOW)),
        ("phase-to-use", "InvalidSchedule", commanded(phase_to_use=1)),
        ("phase-to-use", "InvalidSchedule", commanded(phase_to_use=1, number_phases=3)),
        ("phase-count", "InvalidSchedule", commanded(number_phases=0)),
        ("phase-count", "InvalidSchedule", commanded(number_phases=1, phase_to_use=4)),
        ("sign", "InvalidSchedule", commanded(limit=Decimal("-0.1"))),
        ("sign", "InvalidSchedule", commanded(period=FOLLOW, discharge_limit=Decimal("0.1"), setpoint=Decimal(1))),
        ("setpoint-range", "InvalidSchedule", commanded(period=FOLLOW, limit=Decimal("4.9"))),
        ("setpoint-range", "InvalidSchedule", commanded(period=DISCHARGE, discharge_limit=Decimal("-4.9"))),
        ("mode-field", "InvalidSchedule", commanded(limit=None)),
        ("mode-field", "InvalidSchedule", commanded(discharge_limit=Decimal(-5))),
        ("mode-field", "InvalidSchedule", commanded(setpoint=Decimal(5))),
        ("mode-field", "InvalidSchedule", commanded(period=FOLLOW, setpoint=None)),
        ("mode-field", "InvalidSchedule", commanded(mode=Mode.IDLE)),
        ("frequency-unit", "InvalidSchedule", commanded(period=BY_FREQUENCY, unit=Unit.AMPERE)),
        ("mode-field", "InvalidSchedule", commanded(v2x_baseline=Decimal(0))),
        ("mode-field", "InvalidSchedule", commanded(freq_watt_curve=CURVE)),
        ("mode-field", "InvalidSchedule", commanded(period=BY_FREQUENCY, v2x_baseline=None)),
        ("frequency-curve", "NoFreqWattCurve", commanded(period=BY_FREQUENCY, freq_watt_curve=CURVE[:1])),
        ("frequency-curve", "NoFreqWattCurve", commanded(period=BY_FREQUENCY, freq_watt_curve=CURVE * 11)),
        ("frequency-kind", "InvalidSchedule", commanded(period=FOLLOW, mode=Mode.CENTRAL_FREQUENCY)),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_the_reason_that_a_station_gives(rule, reason, profile):
    assert [(found.rule, found.reason_code) for found in check(profile)] == [(rule, reason)]


@pytest.mark.parametrize(
    ("purpose", "allowed"),
    [
        (Purpose.TX, set(Mode)),
        (Purpose.TX_DEFAULT, set(Mode)),
        (Purpose.PRIORITY, {Mode.CHARGING_ONLY}),
        (Purpose.STATION_MAX, {Mode.CHARGING_ONLY}),
        (Purpose.EXTERNAL, {Mode.CHARGING_ONLY, Mode.EXTERNAL_LIMITS, Mode.EXTERNAL_SETPOINT}),
        (Purpose.LOCAL_GENERATION, {Mode.CHARGING_ONLY, Mode.EXTERNAL_LIMITS}),
    ],
)
def test_each_purpose_has_its_modes(purpose, allowed):
    assert MODES[purpose] == allowed


@pytest.mark.parametrize(
    ("mode", "limit", "discharge", "setpoint"),
    [
        (Mode.CHARGING_ONLY, "needs", "forbids", "forbids"),
        (Mode.CENTRAL_SETPOINT, "takes", "takes", "needs"),
        (Mode.CENTRAL_FREQUENCY, "takes", "takes", "needs"),
        (Mode.LOCAL_FREQUENCY, "forbids", "forbids", "forbids"),
        (Mode.EXTERNAL_SETPOINT, "takes", "takes", "forbids"),
        (Mode.EXTERNAL_LIMITS, "forbids", "forbids", "forbids"),
        (Mode.LOCAL_LOAD_BALANCING, "takes", "takes", "forbids"),
        (Mode.IDLE, "forbids", "forbids", "forbids"),
    ],
)
def test_each_mode_has_its_fields(mode, limit, discharge, setpoint):
    words = {"limit": limit, "discharge_limit": discharge, "setpoint": setpoint}
    numbers = {"limit": Decimal(5), "discharge_limit": Decimal(-5), "setpoint": Decimal(0)}
    needed = {name: numbers[name] for name, word in words.items() if word == "needs"}
    for name, word in words.items():
        there, absent = {**needed, name: numbers[name]}, {key: n for key, n in needed.items() if key != name}
        assert _breaks_field(mode, there) is (word == "forbids")
        assert _breaks_field(mode, absent) is (word == "needs")


def _breaks_field(mode, numbers):
    extra = {"v2x_baseline": Decimal(0), "freq_watt_curve": CURVE} if mode is Mode.LOCAL_FREQUENCY else {}
    period = Period(0, mode=mode, **numbers, **extra)
    return "mode-field" in {found.rule for found in check(scheduled(DYNAMIC, periods=(period,)))}


def test_all_broken_rules_are_given_and_not_only_the_first():
    profile = commanded(replace(MAX, evse_id=1, valid_from=T, valid_to=T), limit=Decimal(-1))
    assert [found.rule for found in check(profile)] == ["max-on-evse", "validity", "sign"]


def test_a_violation_is_shown_with_its_rule():
    assert str(Violation("sign", "InvalidSchedule", "limit is negative")) == "limit is negative [sign]"


# Together

OTHER = replace(LAWFUL, id=2)
LATER = replace(OTHER, valid_from=T)


def rules_of(*profiles):
    return [found.rule for found in check_stack(profiles)]


def test_two_profiles_cannot_share_a_slot():
    assert check_stack((OTHER, LAWFUL)) == (
        Violation("duplicate-slot", "DuplicateProfile", "profiles 1 and 2 share one slot"),
    )


def test_a_profile_of_the_same_id_replaces_and_does_not_collide():
    assert rules_of(LAWFUL, replace(LAWFUL, stack_level=1)) == []


@pytest.mark.parametrize(
    "other",
    [
        replace(OTHER, evse_id=2),
        replace(OTHER, stack_level=2),
        replace(OTHER, purpose=Purpose.PRIORITY),
        replace(TX, id=2),
    ],
)
def test_profiles_in_different_slots_live_together(other):
    assert rules_of(LAWFUL, other) == []


def test_transaction_profiles_of_one_level_collide_within_their_transaction_only():
    assert rules_of(TX, replace(TX, id=2)) == ["duplicate-slot"]
    assert rules_of(TX, replace(TX, id=2, transaction_id="tx-2")) == []


def test_profiles_whose_validity_does_not_overlap_live_together():
    assert rules_of(replace(LAWFUL, valid_to=T), LATER) == []
    assert rules_of(LATER, replace(LAWFUL, valid_to=T)) == []
    assert rules_of(replace(LAWFUL, valid_to=T + timedelta(seconds=1)), LATER) == ["duplicate-slot"]


def test_a_default_for_the_station_collides_with_one_for_any_evse():
    assert rules_of(replace(LAWFUL, evse_id=0), OTHER) == ["duplicate-slot"]
    assert rules_of(LAWFUL, replace(OTHER, evse_id=0)) == ["duplicate-slot"]
    assert rules_of(replace(PRIORITY, evse_id=0), replace(PRIORITY, id=2)) == []
