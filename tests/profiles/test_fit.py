from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconciler.errors import Unsupported
from reconciler.profiles.capability import Capability, Protocol, Rating
from reconciler.profiles.fit import discharges, fit
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit

T = datetime(2026, 1, 1, tzinfo=UTC)
V21 = Capability(Protocol.V21)
V201 = Capability(Protocol.V201)
AC = Rating(Decimal(22080), Decimal(11000), 3)
SINGLE = Rating(Decimal(7360), Decimal(0), 1)
DC = Rating(Decimal(15000), Decimal(15000), 0)


def limit(watts, **fields):
    return Period(0, limit=Decimal(watts), **fields)


def setpoint(watts, mode=Mode.CENTRAL_SETPOINT, **fields):
    return Period(0, setpoint=Decimal(watts), mode=mode, **fields)


def profile(*periods, unit=Unit.WATT, **fields):
    given = {"id": 1, "evse_id": 1, "stack_level": 1, "purpose": Purpose.TX_DEFAULT, "kind": Kind.ABSOLUTE, **fields}
    return Profile(schedules=(ChargingSchedule(1, unit, periods, T),), **given)


def fitted(period, capability=V21, rating=AC, unit=Unit.WATT):
    return fit(profile(period, unit=unit), capability, rating).schedule.periods[0]


# The rating


@pytest.mark.parametrize(
    ("given", "kept"),
    [(30000, 22080), (22080, 22080), ("7400.09", "7400"), (0, 0), ("0.04", 0)],
)
def test_a_limit_never_exceeds_the_rating_and_rounds_down(given, kept):
    assert fitted(limit(given)).limit == Decimal(kept)


@pytest.mark.parametrize(
    ("given", "kept"),
    [(30000, 22080), (-30000, -11000), ("-7400.09", "-7400"), ("-0.04", 0)],
)
def test_a_setpoint_is_cut_in_both_directions_and_rounds_towards_zero(given, kept):
    assert fitted(setpoint(given)).setpoint == Decimal(kept)


def test_a_discharge_limit_is_cut_to_what_the_hardware_feeds_back():
    period = Period(0, Decimal(5), Decimal(-30000), mode=Mode.EXTERNAL_SETPOINT)
    capability = replace(V21, modes=frozenset({Mode.EXTERNAL_SETPOINT}))
    assert fitted(period, capability).discharge_limit == -11000


def test_hardware_that_cannot_feed_back_is_never_asked_to():
    assert fitted(setpoint(-5000), rating=SINGLE).setpoint == 0


def test_one_phase_carries_its_share_of_the_rating():
    assert fitted(limit(22080, number_phases=1)).limit == 7360
    assert fitted(setpoint(-11000, number_phases=1)).setpoint == Decimal("-3666.6")


# Units

AMPERES = replace(V21, units=(Unit.AMPERE,))
WATTS = replace(V21, units=(Unit.WATT,))


def test_a_unit_that_the_station_takes_is_kept():
    assert fit(profile(limit(16), unit=Unit.AMPERE), V21, AC).schedule.unit is Unit.AMPERE


def test_watts_become_amperes_on_each_phase_in_use():
    assert fitted(limit(11040), AMPERES).limit == 16
    assert fitted(limit(3680, number_phases=1), AMPERES).limit == 16
    assert fitted(limit(7360), AMPERES, SINGLE).limit == 32


def test_amperes_become_watts_over_the_phases_in_use():
    assert fitted(limit(16), WATTS, unit=Unit.AMPERE).limit == 11040
    assert fitted(limit(16, number_phases=1), WATTS, unit=Unit.AMPERE).limit == 3680


def test_a_current_too_small_to_charge_with_becomes_zero():
    assert fitted(limit("5.9"), unit=Unit.AMPERE).limit == 0
    assert fitted(setpoint("5.9"), unit=Unit.AMPERE).setpoint == 0
    assert fitted(limit(6), unit=Unit.AMPERE).limit == 6
    assert fitted(setpoint("-5.9"), unit=Unit.AMPERE).setpoint == Decimal("-5.9")
    assert fitted(limit("5.9")).limit == Decimal("5.9")


def test_the_least_rate_is_in_the_unit_of_its_schedule():
    given = profile(limit(11040))
    given = replace(given, schedules=(replace(given.schedule, min_charging_rate=Decimal(4140)),))
    assert fit(given, AMPERES, AC).schedule.min_charging_rate == 6


def test_on_dc_no_flow_can_be_told_in_amperes():
    for unit, capability in ((Unit.WATT, AMPERES), (Unit.AMPERE, V21), (Unit.AMPERE, WATTS)):
        with pytest.raises(Unsupported, match="on DC"):
            fit(profile(limit(5000), unit=unit), capability, DC)


def test_on_dc_zero_is_zero_in_every_unit():
    fitted_zero = fit(profile(limit(0)), AMPERES, DC).schedule
    assert (fitted_zero.unit, fitted_zero.periods[0].limit) == (Unit.AMPERE, 0)
    assert fitted(limit(0), V21, DC, Unit.AMPERE).limit == 0


def test_a_station_that_takes_no_unit_is_refused():
    with pytest.raises(Unsupported, match="names no unit"):
        fit(profile(limit(5)), replace(V21, units=()), AC)


# Phases


@pytest.mark.parametrize(
    ("rating", "given", "kept"),
    [(AC, None, 3), (AC, 1, 1), (SINGLE, None, 1), (SINGLE, 3, 1), (DC, None, None), (DC, 3, None)],
)
def test_the_phases_in_use_are_named_on_ac_and_left_out_on_dc(rating, given, kept):
    assert fitted(limit(0, number_phases=given), rating=rating).number_phases == kept


def test_on_dc_no_phase_is_chosen():
    assert fitted(limit(0, number_phases=1, phase_to_use=2)).phase_to_use == 2
    assert fitted(limit(0, number_phases=1, phase_to_use=2), rating=DC).phase_to_use is None


# What the station does not know


def test_the_limit_of_being_offline_is_dropped_where_it_is_not_known():
    given = profile(limit(0), max_offline=900, invalid_after_offline=True)
    kept = fit(given, replace(V21, max_offline=True), AC)
    dropped = fit(given, V21, AC)
    assert (kept.max_offline, kept.invalid_after_offline) == (900, True)
    assert (dropped.max_offline, dropped.invalid_after_offline) == (None, False)


@pytest.mark.parametrize(
    ("given", "capability", "what"),
    [
        (profile(limit(0)), replace(V21, smart_charging=False), "smart charging"),
        (profile(limit(0), stack_level=2), V21, "stack level 2"),
        (profile(limit(0), replace(limit(1), start=9)), replace(V21, max_periods=1), "2 periods"),
        (profile(limit(0), id=5), replace(V21, max_external_id=5), "profile id 5"),
        (profile(setpoint(5, Mode.CENTRAL_FREQUENCY)), replace(V21, modes=frozenset()), "operation mode Central"),
        (profile(setpoint(-5)), V201, "discharge on OCPP 2.0.1"),
        (profile(limit(-5)), V201, "discharge on OCPP 2.0.1"),
    ],
)
def test_what_a_station_cannot_take_is_refused_by_name(given, capability, what):
    with pytest.raises(Unsupported) as caught:
        fit(given, capability, AC)
    assert caught.value.what.startswith(what)


@pytest.mark.parametrize(
    ("given", "capability"),
    [
        (profile(limit(0), stack_level=1), V21),
        (profile(limit(0)), replace(V21, max_periods=1)),
        (profile(limit(0), id=6), replace(V21, max_external_id=5)),
        (profile(limit(0)), replace(V21, modes=frozenset())),
        (profile(setpoint(-5)), replace(V201, negative_limit=True)),
        (profile(setpoint(5)), V201),
    ],
)
def test_what_a_station_can_just_take_is_taken(given, capability):
    assert fit(given, capability, AC).id == given.id


def test_a_discharge_that_the_hardware_cuts_to_zero_is_none_and_may_go_out():
    assert fit(profile(setpoint(-5000)), V201, SINGLE).schedule.periods[0].setpoint == 0


def test_only_a_flow_out_of_the_vehicle_is_a_discharge():
    assert discharges(profile(limit(0), setpoint(-1)))
    assert discharges(profile(limit(-1)))
    assert not discharges(profile(limit(0), setpoint(0), Period(0, mode=Mode.IDLE)))


def test_a_rating_tells_what_an_ampere_carries():
    assert (AC.watts_per_ampere, SINGLE.watts_per_ampere, DC.watts_per_ampere) == (690, 230, 0)


def test_a_protocol_gives_its_version_as_people_write_it():
    assert [protocol.version for protocol in Protocol] == ["2.0.1", "2.1"]
