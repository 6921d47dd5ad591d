"""What a template yields is refused for each way in which it could let flow outlive its lease, or spoil another's."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from reconciler.errors import ManifestError
from reconciler.profiles.form import read_profile
from reconciler.profiles.profile import Mode, Period
from reconciler.render.lease import EPOCH, Lease
from reconciler.render.yielded import check_floor, check_ids, check_yield, flows, read_yield

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
LEASE = Lease(NOON, NOON + timedelta(hours=30), NOON + timedelta(hours=24))
FLOOR = """
evseId: 0
id: 1
stackLevel: 0
chargingProfilePurpose: TxDefaultProfile
chargingProfileKind: Absolute
chargingSchedule:
  - id: 1
    startSchedule: "2020-01-01T00:00:00Z"
    chargingRateUnit: W
    chargingSchedulePeriod: [{startPeriod: 0, limit: 0}]
"""


def profile(text=FLOOR, **changed):
    (found,) = read_yield("x.j2", text)
    data = orjson.loads(orjson.dumps(write(found)))
    data |= {key: value for key, value in changed.items() if key != "evseId" and value is not None}
    return read_profile(changed.get("evseId", found.evse_id), {k: v for k, v in data.items() if v != "absent"})


def write(found):
    from reconciler.profiles.form import write_profile

    return write_profile(found)


def schedule(*periods, start="2026-03-03T12:00:00Z", **more):
    each = [{"startPeriod": at, **({"limit": power} if isinstance(power, int) else power)} for at, power in periods]
    base = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": each, **more}
    return [base | ({"startSchedule": start} if start else {})]


def flowing(**changed):
    """Give a profile on EVSE 1, level 1 that charges for a day and then not."""
    usual = {"evseId": 1, "id": 5, "stackLevel": 1, "chargingSchedule": schedule((0, 7000), (86_400, 0))}
    return profile(**{**usual, **changed})


def refused(check, *arguments):
    with pytest.raises(ManifestError) as caught:
        check(*arguments, "x.j2")
    assert caught.value.place.file == "templates/x.j2"
    return caught.value.rule


def test_yaml_and_json_and_lists_are_read():
    (one,) = read_yield("x.j2", FLOOR)
    two = read_yield("x.j2", f"{FLOOR}---\n{FLOOR}")
    data = {"evseId": 0, **write(one)}
    assert read_yield("x.j2", orjson.dumps(data).decode()) == (one,)
    assert read_yield("x.j2", orjson.dumps([data, data]).decode()) == two == (one, one)
    assert read_yield("x.j2", "- " + FLOOR.strip().replace("\n", "\n  ")) == (one,)


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("", "template-yield", "yields no profile"),
        ("[]", "template-yield", "yields no profile"),
        ("a: [", "not-yaml", "its output can't be read"),
        ("just words", "template-yield", "must be an object"),
        ("- 5", "template-yield", "must be an object"),
        (FLOOR.replace("evseId: 0", ""), "template-yield", "evseId must be a number"),
        (FLOOR.replace("evseId: 0", "evseId: many"), "template-yield", "evseId must be a number"),
        (FLOOR.replace("chargingRateUnit: W", "chargingRateUnit: kW"), "template-yield", "must be one of W, A"),
        (FLOOR.replace("startPeriod: 0", "startPeriod: 5"), "period-order", "profile 1: periods begin at 0"),
        (FLOOR.replace("TxDefaultProfile", "ChargingStationExternalConstraints"), "external-purpose", "station's own"),
    ],
)
def test_what_is_no_profile_or_breaks_a_rule_is_refused(text, rule, message):
    with pytest.raises(ManifestError) as caught:
        read_yield("x.j2", text)
    assert caught.value.rule == rule
    assert message in caught.value.message


def test_the_shipped_shape_is_a_floor():
    check_floor((profile(),), "x.j2")
    idle = [{"startPeriod": 0, "operationMode": "Idle"}]
    check_floor(
        (
            profile(
                chargingSchedule=[{**schedule((0, 0), start="2019-05-01T00:00:00Z")[0], "chargingSchedulePeriod": idle}]
            ),
        ),
        "x.j2",
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"evseId": 1},
        {"stackLevel": 1},
        {"chargingProfilePurpose": "ChargingStationMaxProfile"},
        {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"},
    ],
)
def test_a_floor_has_one_place(changed):
    assert refused(check_floor, (profile(**changed),)) == "floor-place"


def test_there_is_one_floor():
    assert refused(check_floor, (profile(), profile(id=2))) == "floor-place"


@pytest.mark.parametrize(
    "changed",
    [
        {"chargingSchedule": schedule((0, 1), start="2020-01-01T00:00:00Z")},
        {"chargingSchedule": schedule((0, 0), (60, 1), start="2020-01-01T00:00:00Z")},
        {"chargingSchedule": schedule((0, 0), start="2026-03-03T12:00:00Z")},
        {"chargingSchedule": schedule((0, 0), start="2020-01-01T00:00:00Z", duration=86_400)},
        {"validTo": "2030-01-01T00:00:00Z"},
        {"validTo": "2019-01-01T00:00:00Z"},
        {"validFrom": "2026-01-01T00:00:00Z"},
        {"maxOfflineDuration": 900},
    ],
)
def test_a_floor_is_zero_and_permanent(changed):
    assert refused(check_floor, (profile(**changed),)) == "floor-flow"


def test_flow_that_ends_with_its_lease_is_let_through():
    check_yield((flowing(),), 1, LEASE, "x.j2")
    check_yield((flowing(chargingSchedule=schedule((0, 7000), duration=86_400)),), 1, LEASE, "x.j2")
    check_yield((flowing(chargingSchedule=schedule((0, 7000)), validTo="2026-03-04T12:00:00Z"),), 1, LEASE, "x.j2")
    weekly = {"chargingProfileKind": "Recurring", "recurrencyKind": "Weekly", "validTo": "2026-03-04T12:00:00Z"}
    check_yield((flowing(**weekly),), 1, LEASE, "x.j2")
    check_yield((flowing(chargingSchedule=schedule((0, 0))),), 1, LEASE, "x.j2")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"evseId": 2}, "template-evse"),
        ({"stackLevel": 0}, "floor-place"),
        ({"chargingProfilePurpose": "PriorityCharging"}, "template-purpose"),
        ({"chargingSchedule": schedule((0, 7000))}, "lease-missing"),
        ({"chargingSchedule": schedule((0, 7000), (30 * 3600 + 1, 0))}, "lease-missing"),
        ({"chargingSchedule": schedule((0, 0), (40 * 3600, 7000), (41 * 3600, 0))}, "lease-missing"),
        ({"chargingSchedule": schedule((0, 7000), duration=31 * 3600)}, "lease-missing"),
        ({"validTo": "2026-03-05T12:00:00Z", "chargingSchedule": schedule((0, 7000))}, "lease-missing"),
        ({"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}, "lease-missing"),
        (
            {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily", "validTo": "2026-03-05T12:00:00Z"},
            "lease-missing",
        ),
    ],
)
def test_what_outlives_its_lease_or_leaves_its_place_is_refused(changed, rule):
    assert refused(check_yield, (flowing(**changed),), 1, LEASE) == rule


def test_two_profiles_of_one_id_are_refused():
    check_ids((profile(), flowing()), "x.j2")
    assert refused(check_ids, (profile(), flowing(), flowing(evseId=2))) == "duplicate-id"


@pytest.mark.parametrize(
    ("period", "does"),
    [
        (Period(0, limit=0), False),
        (Period(0, limit=1), True),
        (Period(0), True),
        (Period(0, mode=Mode.IDLE), False),
        (Period(0, setpoint=0, mode=Mode.CENTRAL_SETPOINT), False),
        (Period(0, setpoint=-1, mode=Mode.CENTRAL_SETPOINT), True),
        (Period(0, limit=0, mode=Mode.EXTERNAL_LIMITS), True),
    ],
)
def test_what_flows_is_known_by_mode_and_number(period, does):
    assert flows(period) is does


def test_the_epoch_lies_before_every_lease():
    assert LEASE.start > EPOCH
