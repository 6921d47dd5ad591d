from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from reconciler.profiles.form import (
    MalformedProfile,
    plain,
    read_instant,
    read_integer,
    read_number,
    read_profile,
    write_instant,
    write_number,
    write_profile,
)
from reconciler.profiles.profile import (
    FIRST_INSTANT,
    LAST_INSTANT,
    ChargingSchedule,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Recurrency,
    Unit,
    later,
)

T = datetime(2026, 1, 1, tzinfo=UTC)
FLOOR = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [
        {
            "id": 1,
            "startSchedule": "2020-01-01T00:00:00Z",
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
        }
    ],
}
FULL = Profile(
    id=7,
    evse_id=2,
    stack_level=3,
    purpose=Purpose.TX,
    kind=Kind.RECURRING,
    schedules=(
        ChargingSchedule(
            id=4,
            unit=Unit.AMPERE,
            periods=(
                Period(0, limit=Decimal("6.5"), number_phases=1, phase_to_use=2),
                Period(60, Decimal(9), Decimal(-3), Decimal("-2.5"), Mode.CENTRAL_SETPOINT),
            ),
            start=T,
            duration=3600,
            min_charging_rate=Decimal(6),
        ),
    ),
    recurrency=Recurrency.DAILY,
    valid_from=T,
    valid_to=T + timedelta(days=9),
    transaction_id="tx-1",
    max_offline=0,
    invalid_after_offline=True,
    dyn_update_interval=30,
    dyn_update_time=T,
)


def changed(path, value):
    """Give the floor with one field replaced; `...` takes it away."""
    profile = {**FLOOR, "chargingSchedule": [{**FLOOR["chargingSchedule"][0]}]}
    schedule = profile["chargingSchedule"][0]
    schedule["chargingSchedulePeriod"] = [{**schedule["chargingSchedulePeriod"][0]}]
    *way, last = path
    place = profile
    for key in way:
        place = place[key]
    place[last] = value
    if value is ...:
        del place[last]
    return profile


PERIOD = ("chargingSchedule", 0, "chargingSchedulePeriod", 0)


def test_every_field_is_written_and_read():
    assert read_profile(2, write_profile(FULL)) == FULL


def test_what_is_absent_or_default_is_not_written():
    assert write_profile(read_profile(0, FLOOR)) == FLOOR


def test_the_evse_stands_beside_the_profile_and_not_in_it():
    assert "evseId" not in write_profile(FULL)
    assert read_profile(5, FLOOR).evse_id == 5


def test_nulls_and_unknown_fields_of_stations_mean_nothing():
    echo = {**FLOOR, "customData": {"vendorId": "x"}, "validTo": None}
    assert read_profile(0, echo) == read_profile(0, FLOOR)


def test_a_schedule_without_id_is_taken():
    assert read_profile(0, changed(("chargingSchedule", 0, "id"), ...)).schedule.id == 0


@pytest.mark.parametrize(
    ("path", "value", "where", "why"),
    [
        (("id",), ..., "id", "is missing"),
        (("id",), None, "id", "is missing"),
        (("id",), "1", "id", "must be a number"),
        (("id",), True, "id", "must be a number"),
        (("id",), 1.5, "id", "whole number of 32 bits"),
        (("id",), 2**31, "id", "whole number of 32 bits"),
        (("id",), -(2**31) - 1, "id", "whole number of 32 bits"),
        (("chargingProfilePurpose",), "Tx", "chargingProfilePurpose", "must be one of"),
        (("chargingProfilePurpose",), ["TxProfile"], "chargingProfilePurpose", "must be a string"),
        (("chargingSchedule",), [], "chargingSchedule", "not empty"),
        (("chargingSchedule",), {}, "chargingSchedule", "must be a list"),
        (("chargingSchedule", 0), "W", "chargingSchedule[0]", "must be an object"),
        (("chargingSchedule", 0, "chargingRateUnit"), "kW", "chargingSchedule[0].chargingRateUnit", "must be one of"),
        (("chargingSchedule", 0, "startSchedule"), "soon", "chargingSchedule[0].startSchedule", "RFC 3339"),
        (("transactionId",), 7, "transactionId", "must be a string"),
        (("invalidAfterOfflineDuration",), 1, "invalidAfterOfflineDuration", "true or false"),
        ((*PERIOD, "limit"), 1e300, "chargingSchedule[0].chargingSchedulePeriod[0].limit", "finite number"),
        ((*PERIOD, "limit"), float("nan"), "chargingSchedule[0].chargingSchedulePeriod[0].limit", "finite number"),
        ((*PERIOD, "limit"), float("inf"), "chargingSchedule[0].chargingSchedulePeriod[0].limit", "finite number"),
        ((*PERIOD, "limit"), 10**40, "chargingSchedule[0].chargingSchedulePeriod[0].limit", "finite number"),
        ((*PERIOD, "limit"), Decimal("sNaN"), "chargingSchedule[0].chargingSchedulePeriod[0].limit", "finite number"),
        ((*PERIOD, "startPeriod"), 10**12, "chargingSchedule[0].chargingSchedulePeriod[0].startPeriod", "32 bits"),
    ],
)
def test_what_is_no_profile_is_refused_with_its_place(path, value, where, why):
    with pytest.raises(MalformedProfile, match=why) as caught:
        read_profile(0, changed(path, value))
    assert caught.value.path == where
    assert str(caught.value).startswith(f"{where}: ")


def test_what_is_no_object_at_all_is_refused():
    with pytest.raises(MalformedProfile) as caught:
        read_profile(0, [])
    assert str(caught.value) == "must be an object"


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00.999999999Z",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01T00:00:00",
        T,
        datetime(2026, 1, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_every_spelling_of_an_instant_is_read_as_whole_utc_seconds(spelling):
    assert read_instant(spelling) == T
    assert read_instant(spelling).tzinfo is UTC


@pytest.mark.parametrize("value", ["", "noon", 0, date(2026, 1, 1), "0001-01-01T00:00:00+14:00"])
def test_what_is_no_instant_is_refused(value):
    with pytest.raises(TypeError):
        read_instant(value)


def test_an_instant_of_the_first_year_is_written_so_that_it_can_be_read():
    assert write_instant(FIRST_INSTANT) == "0001-01-01T00:00:00Z"
    assert read_instant(write_instant(FIRST_INSTANT)) == FIRST_INSTANT


@pytest.mark.parametrize(
    ("number", "read"),
    [
        (16.1, "16.1"),
        (16.100000381469727, "16.1"),
        (7399.999, "7399.999"),
        (-5000.0, "-5000"),
        (Decimal("6.250"), "6.25"),
        (100, "100"),
        (1e6, "1000000"),
        (-0.0, "0"),
        (-1e-9, "0"),
    ],
)
def test_a_number_is_read_without_binary_noise_and_without_exponent(number, read):
    assert str(read_number(number)) == read


def test_whole_numbers_are_written_as_such():
    assert [write_number(Decimal(text)) for text in ("7.0", "7.5", "-0.0")] == [7, 7.5, 0]
    assert isinstance(write_number(Decimal("7.0")), int)
    assert write_number(None) is None


def test_three_point_zero_is_three():
    assert read_integer(3.0) == 3


def test_zero_has_no_sign():
    assert str(plain(Decimal("-0.00"))) == "0"


@pytest.mark.parametrize(
    ("start", "seconds", "end"),
    [
        (T, 60, T + timedelta(minutes=1)),
        (LAST_INSTANT - timedelta(seconds=1), 2**31 - 1, LAST_INSTANT),
        (FIRST_INSTANT + timedelta(seconds=1), -(2**31), FIRST_INSTANT),
    ],
)
def test_no_sum_of_untrusted_dates_leaves_the_calendar(start, seconds, end):
    assert later(start, seconds) == end


def test_profiles_that_share_a_slot_are_told_by_purpose_evse_level_and_transaction():
    assert FULL.slot == (Purpose.TX, 2, 3, "tx-1")


def test_what_is_written_is_the_callers_own():
    schedule = ChargingSchedule(7, Unit.WATT, (Period(0, limit=Decimal(5)),))
    profile = Profile(7, 1, 3, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))
    first = write_profile(profile)
    first["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] = 99
    first["validFrom"] = "1970-01-01T00:00:00Z"
    assert write_profile(profile) == write_profile(replace(profile))
    assert write_profile(profile)["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] == 5
    assert "validFrom" not in write_profile(profile)
