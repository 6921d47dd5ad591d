from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Unsupported
from reconciler.ocpp import v21, v201
from reconciler.ocpp.dialects import dialect
from reconciler.profiles.canonical import same_meaning
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.form import MalformedProfile
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.reported.events import CompositeStep

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD = Capability(Protocol.V201)
OLD_V2G = Capability(Protocol.V201, negative_limit=True)
NEW = Capability(Protocol.V21)


def profile(*periods, **fields):
    schedule = ChargingSchedule(1, Unit.WATT, periods, start=NOW)
    return replace(Profile(7, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,)), **fields)


def charge(limit, start=0):
    return Period(start, limit=Decimal(limit))


def follow(setpoint, start=0):
    return Period(start, setpoint=Decimal(setpoint), mode=Mode.CENTRAL_SETPOINT)


def periods(payload):
    return payload["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"]


def test_discharge_is_a_negative_limit_on_2_0_1_where_that_is_known_to_discharge():
    payload = v201.set_profile(profile(follow(-7000), charge(0, 3600)), OLD_V2G)
    assert periods(payload) == [{"startPeriod": 0, "limit": -7000}, {"startPeriod": 3600, "limit": 0}]


def test_discharge_is_refused_by_name_on_2_0_1_where_a_negative_limit_may_mean_no_limit():
    for period in (follow(-7000), charge(-7000)):
        with pytest.raises(Unsupported, match="negativeLimit"):
            v201.set_profile(profile(period), OLD)


@pytest.mark.parametrize("setpoint", ["0", "11000"])
def test_a_setpoint_that_does_not_discharge_is_a_limit_on_2_0_1(setpoint):
    assert periods(v201.set_profile(profile(follow(setpoint)), OLD)) == [{"startPeriod": 0, "limit": int(setpoint)}]


def test_idle_is_no_flow_on_2_0_1():
    assert periods(v201.set_profile(profile(Period(0, mode=Mode.IDLE)), OLD)) == [{"startPeriod": 0, "limit": 0}]


@pytest.mark.parametrize(
    "period",
    [
        Period(0),
        Period(0, mode=Mode.CENTRAL_SETPOINT),
        Period(0, mode=Mode.LOCAL_FREQUENCY),
        Period(0, mode=Mode.EXTERNAL_LIMITS),
    ],
)
def test_what_is_no_limit_can_not_be_said_on_2_0_1(period):
    with pytest.raises(Unsupported, match="operation mode"):
        v201.set_profile(profile(period), OLD_V2G)


@pytest.mark.parametrize(
    "fields", [{"kind": Kind.DYNAMIC}, {"purpose": Purpose.PRIORITY}, {"purpose": Purpose.EXTERNAL}]
)
def test_kinds_and_purposes_of_2_1_can_not_be_said_on_2_0_1(fields):
    with pytest.raises(Unsupported, match=r"2\.0\.1 does not have it"):
        v201.set_profile(profile(charge(1), **fields), OLD)


def test_what_only_2_1_knows_is_left_out_on_2_0_1():
    full = profile(charge(1), max_offline=900, invalid_after_offline=True, dyn_update_interval=5, dyn_update_time=NOW)
    assert v201.set_profile(full, OLD) == v201.set_profile(profile(charge(1)), OLD)


@pytest.mark.parametrize(("given_", "sent"), [("16.19", 16.1), ("-7000.99", -7000.9), ("0.05", 0), ("16.10", 16.1)])
def test_numbers_of_2_0_1_have_one_decimal_and_never_more_flow(given_, sent):
    assert periods(v201.set_profile(profile(follow(given_)), OLD_V2G))[0]["limit"] == sent


def test_the_least_rate_has_one_decimal_too():
    one = profile(charge(1))
    schedule = replace(one.schedule, min_charging_rate=Decimal("6.06"))
    payload = v201.set_profile(replace(one, schedules=(schedule,)), OLD)
    assert payload["chargingProfile"]["chargingSchedule"][0]["minChargingRate"] == 6


def test_2_1_sends_modes_setpoints_and_what_holds_offline():
    payload = v21.set_profile(profile(follow("-7000.5"), charge(0, 3600), max_offline=900, dyn_update_time=NOW), NEW)
    assert payload["chargingProfile"]["maxOfflineDuration"] == 900
    assert "dynUpdateTime" not in payload["chargingProfile"]
    assert periods(payload) == [
        {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -7000.5},
        {"startPeriod": 3600, "operationMode": "ChargingOnly", "limit": 0},
    ]


def test_numbers_of_2_1_have_six_decimals():
    assert periods(v21.set_profile(profile(follow("-0.12345678")), NEW))[0]["setpoint"] == -0.123456


def test_a_mode_that_the_station_lacks_is_refused_by_name():
    with pytest.raises(Unsupported, match="LocalFrequency"):
        v21.set_profile(profile(Period(0, mode=Mode.LOCAL_FREQUENCY)), NEW)


def test_external_constraints_are_never_sent():
    with pytest.raises(Unsupported, match="only the station"):
        v21.set_profile(profile(charge(1), purpose=Purpose.EXTERNAL), NEW)


numbers = st.decimals(-22000, 22000, places=3)
any_period = st.one_of(
    st.builds(lambda n: charge(abs(n)), numbers), st.builds(follow, numbers), st.just(Period(0, mode=Mode.IDLE))
)


@given(st.lists(any_period, min_size=1, max_size=5), st.sampled_from([OLD_V2G, NEW]))
def test_what_is_sent_is_lifted_back_as_what_the_dialect_can_carry(parts, capability):
    spoken = dialect(capability.protocol)
    known = replace(capability, modes=frozenset(Mode))
    wanted = profile(*(replace(part, start=index * 900) for index, part in enumerate(parts)))
    payload = spoken.set_profile(wanted, known)
    lifted = spoken.lift(payload["evseId"], payload["chargingProfile"])
    assert lifted == spoken.lower(wanted, known)
    assert spoken.lower(lifted, known) == lifted


@given(st.lists(any_period, min_size=1, max_size=5))
def test_no_dialect_ever_raises_a_flow(parts):
    wanted = profile(*(replace(part, start=index * 900) for index, part in enumerate(parts)))
    for spoken, capability in ((v201, OLD_V2G), (v21, replace(NEW, modes=frozenset(Mode)))):
        for before, after in zip(
            wanted.schedule.periods, spoken.lower(wanted, capability).schedule.periods, strict=True
        ):
            assert abs(flow(after)) <= abs(flow(before))
            assert flow(after) * flow(before) >= 0


def flow(period):
    return next((number for number in (period.setpoint, period.limit) if number is not None), Decimal(0))


def test_a_normalised_echo_means_what_was_sent():
    sent = profile(charge("7399.9"), charge("0", 3600))
    echo = v201.set_profile(sent, OLD)["chargingProfile"] | {
        "validFrom": "1970-01-01T00:00:00.000Z",
        "validTo": "2262-04-11T23:46:49.854Z",
        "vendorSays": None,
        "more": {"a": 1},
    }
    echo["chargingSchedule"] = [
        {
            **echo["chargingSchedule"][0],
            "startSchedule": "2026-03-01T01:00:00.000+01:00",
            "chargingSchedulePeriod": [
                {"limit": 7399.89990234375, "numberPhases": 3, "startPeriod": 0},
                {"limit": 0.0, "numberPhases": 3, "startPeriod": 3600},
            ],
        }
    ]
    assert same_meaning(sent, v201.lift(1, echo), NOW)


def test_what_is_no_profile_is_said_to_be_none():
    for spoken in (v201, v21):
        with pytest.raises(MalformedProfile, match="stackLevel"):
            spoken.lift(1, {"id": 1})


@pytest.mark.parametrize("protocol", Protocol)
def test_requests_name_one_profile_or_all_sources(protocol):
    spoken = dialect(protocol)
    assert spoken.clear_profile(7) == {"chargingProfileId": 7}
    assert spoken.get_profiles(3) == {
        "requestId": 3,
        "chargingProfile": {"chargingLimitSource": ["CSO", "EMS", "SO", "Other"]},
    }
    assert spoken.get_composite(1, 60, Unit.AMPERE) == {"evseId": 1, "duration": 60, "chargingRateUnit": "A"}


def test_a_composite_is_read_with_its_setpoints():
    schedule = {
        "evseId": 1,
        "duration": 60,
        "scheduleStart": "2026-03-01T00:00:00.000Z",
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 22000.0, "setpoint": -7000},
            {"startPeriod": 30, "limit": 0},
        ],
    }
    assert v21.lift_composite({"status": "Accepted", "schedule": schedule}) == (
        NOW,
        (CompositeStep(0, Decimal(22000), Decimal(-7000)), CompositeStep(30, Decimal(0), None)),
    )


@pytest.mark.parametrize(
    "answer", [{"status": "Rejected"}, {"status": "Accepted"}, {"status": "Accepted", "schedule": 1}]
)
def test_an_answer_without_schedule_tells_nothing(answer):
    assert v201.lift_composite(answer) is None
