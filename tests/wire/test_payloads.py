"""Every payload that a dialect can emit, judged by the standard's own schemas."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import Unsupported
from reconciler.ocpp import variables
from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.frames import Call, encode
from reconciler.ocpp.judge import judge
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import (
    ChargingSchedule,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Recurrency,
    Unit,
)

powers = st.none() | st.decimals(-(10**6), 10**6, places=4)
instants = st.integers(0, 4_000_000_000).map(lambda stamp: datetime.fromtimestamp(stamp, UTC))
seconds = st.integers(0, 2**31 - 1)
periods = st.builds(
    Period,
    start=seconds,
    limit=powers,
    discharge_limit=st.none() | st.decimals(-(10**6), 0, places=4),
    setpoint=powers,
    mode=st.sampled_from(Mode),
    number_phases=st.none() | st.integers(1, 3),
    phase_to_use=st.none() | st.integers(1, 3),
)
schedules = st.builds(
    ChargingSchedule,
    id=seconds,
    unit=st.sampled_from(Unit),
    periods=st.lists(periods, min_size=1, max_size=4).map(tuple),
    start=st.none() | instants,
    duration=st.none() | seconds,
    min_charging_rate=st.none() | st.decimals(0, 100, places=3),
)
profiles = st.builds(
    Profile,
    id=seconds,
    evse_id=st.integers(0, 9),
    stack_level=st.integers(0, 9),
    purpose=st.sampled_from(Purpose),
    kind=st.sampled_from(Kind),
    schedules=st.lists(schedules, min_size=1, max_size=3).map(tuple),
    recurrency=st.none() | st.sampled_from(Recurrency),
    valid_from=st.none() | instants,
    valid_to=st.none() | instants,
    transaction_id=st.none() | st.text(max_size=36),
    max_offline=st.none() | seconds,
    invalid_after_offline=st.booleans(),
    dyn_update_interval=st.none() | seconds,
    dyn_update_time=st.none() | instants,
)


def judged(protocol, action, payload):
    on_the_wire = orjson.loads(encode(Call("1", action, payload)))[3]
    judge(protocol, action, "Request", on_the_wire)


@pytest.mark.parametrize("protocol", Protocol)
@given(profile=profiles)
def test_every_profile_is_refused_by_name_or_valid_on_the_wire(protocol, profile):
    able = Capability(protocol, negative_limit=True, modes=frozenset(Mode))
    try:
        payload = dialect(protocol).set_profile(profile, able)
    except Unsupported:
        event("refused")
    else:
        judged(protocol, "SetChargingProfile", payload)


@pytest.mark.parametrize("protocol", Protocol)
@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 99), seconds, st.sampled_from(Unit))
def test_every_other_request_is_valid_on_the_wire(protocol, number, evse_id, duration, unit):
    spoken = dialect(protocol)
    judged(protocol, "ClearChargingProfile", spoken.clear_profile(number))
    judged(protocol, "GetChargingProfiles", spoken.get_profiles(number))
    judged(protocol, "GetCompositeSchedule", spoken.get_composite(evse_id, duration, unit))


@pytest.mark.parametrize("protocol", Protocol)
def test_questions_for_the_device_model_are_valid_on_the_wire(protocol):
    for payload in variables.requests(variables.questions(protocol, (1, 2)), 4):
        judged(protocol, "GetVariables", payload)


@pytest.mark.parametrize("protocol", Protocol)
def test_the_floor_and_a_lease_of_24_periods_are_valid_on_the_wire(protocol):
    able = Capability(protocol, negative_limit=True)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    floor = Period(0, limit=Decimal(0))
    export = Period(0, setpoint=Decimal("-7000.5"), mode=Mode.CENTRAL_SETPOINT)
    lease = [replace(export if index % 2 else floor, start=index * 3600) for index in range(24)]
    for evse_id, level, parts in ((0, 0, (floor,)), (1, 1, tuple(lease))):
        schedule = ChargingSchedule(1, Unit.WATT, parts, start - timedelta(days=1))
        profile = Profile(810000, evse_id, level, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))
        judged(protocol, "SetChargingProfile", dialect(protocol).set_profile(profile, able))
