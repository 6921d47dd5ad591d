"""Windows with a mode: what they order, what the station is sent, and what becomes of what it can't be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import RevisionError
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot
from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.judge import judge
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.composite import flow_at
from reconciler.profiles.profile import Mode, Unit
from reconciler.render.desired import Renderer
from reconciler.render.orders import Order, cut_orders, merge

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday; 13:00 in Amsterdam
SHIPPED = {path.name: path.read_text() for path in (Path(__file__).parents[2] / "templates").glob("*.j2")}
EVERY = Capability(Protocol.V21, modes=frozenset(Mode))
OLD = Capability(Protocol.V201)
CURVE = "curve: [{frequency: 49.8 Hz, power: -5 kW}, {frequency: 50.2 Hz, power: 30 kW}]"
HEAD = """apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: pier}
spec: {timezone: Europe/Amsterdam, profileIds: {from: 1000, to: 1999}, discharge: CONSENT}
---
kind: Station
metadata: {name: S}
spec: {evses: [{id: 1, charge: 11 kW, discharge: RATED kW, current: DC}], capability: {CAPABILITY}}
---
kind: Group
metadata: {name: g}
spec: {select: {names: [S]}, schedules: [{schedule: s, priority: 1}], onUnsupported: POLICY, SETTINGS}
---
kind: Schedule
metadata: {name: s}
spec:
  otherwise: 2 kW
  windows:
    - {days: daily, from: "13:00", to: "15:00", WINDOW}
"""
ALL = "modes: [central-setpoint, local-frequency, local-load-balancing, idle, external-limits]"


def text_of(window, policy="refuse", declared=ALL, rated="11", consent="allowed", settings="writeInterval: 1m"):
    words = {"WINDOW": window, "POLICY": policy, "CAPABILITY": declared, "RATED": rated, "CONSENT": consent}
    text = HEAD
    for word, value in {**words, "SETTINGS": settings}.items():
        text = text.replace(word, value)
    return text


def renderer_of(window, **more):
    return Renderer(load(Snapshot("c", "a", None, "s", {"f.yaml": text_of(window, **more)})), SHIPPED)


def periods_of(window, capability=EVERY, **more):
    """Give the periods of the schedule from 13:00 on, as they go out."""
    renderer = renderer_of(window, **more)
    desired = renderer.desired(renderer.fleet.station("S"), capability, NOON)
    payload = dialect(capability.protocol).set_profile(desired.profiles[-1], capability)
    judge(capability.protocol, "SetChargingProfile", "Request", payload)
    schedule = payload["chargingProfile"]["chargingSchedule"][0]
    return schedule["chargingSchedulePeriod"], desired


def period_of(window, capability=EVERY, **more):
    """Give what is sent for the window itself."""
    periods, _ = periods_of(window, capability, **more)
    first = next(number for number, each in enumerate(periods) if each.get("limit") == 2000)
    return {name: value for name, value in periods[first + 1].items() if name != "startPeriod"}


@pytest.mark.parametrize(
    ("window", "sent"),
    [
        ("mode: charge-only, power: 5 kW", {"operationMode": "ChargingOnly", "limit": 5000}),
        ("power: 5 kW", {"operationMode": "ChargingOnly", "limit": 5000}),
        ("power: -5 kW", {"operationMode": "CentralSetpoint", "setpoint": -5000}),
        ("mode: central-setpoint, power: 5 kW", {"operationMode": "CentralSetpoint", "setpoint": 5000}),
        ("mode: central-setpoint, power: -50 kW", {"operationMode": "CentralSetpoint", "setpoint": -11000}),
        ("mode: idle", {"operationMode": "Idle"}),
        (
            "mode: local-load-balancing",
            {"operationMode": "LocalLoadBalancing", "limit": 11000, "dischargeLimit": -11000},
        ),
        (
            f"mode: local-frequency, baseline: -1 kW, {CURVE}",
            {
                "operationMode": "LocalFrequency",
                "v2xBaseline": -1000,
                "v2xFreqWattCurve": [{"frequency": 49.8, "power": -5000}, {"frequency": 50.2, "power": 12000}],
            },
        ),
    ],
)
def test_a_mode_goes_out_with_its_fields_and_within_the_rating(window, sent):
    assert period_of(window) == sent


def test_external_limits_have_no_fields_and_are_for_evses_that_can_not_feed():
    assert period_of("mode: external-limits", rated="0") == {"operationMode": "ExternalLimits"}
    assert errors_of("mode: external-limits") == ["limits-unbounded"]


def test_a_window_with_a_mode_ends_with_its_lease_like_any_other():
    periods, _ = periods_of(f"mode: local-frequency, {CURVE}")
    assert {"operationMode": periods[-1]["operationMode"], "limit": periods[-1]["limit"]} == {
        "operationMode": "ChargingOnly",
        "limit": 0,
    }


def errors_of(window, **more):
    with pytest.raises(RevisionError) as caught:
        renderer_of(window, **more)
    assert all(error.place.line == 19 for error in caught.value.errors)
    return [error.rule for error in caught.value.errors]


@pytest.mark.parametrize(
    ("window", "rule"),
    [
        ("mode: idle, power: 0 kW", "mode-field"),
        ("mode: idle, baseline: 1 kW", "mode-field"),
        (f"mode: idle, {CURVE}", "mode-field"),
        ("mode: charge-only, power: -1 kW", "mode-field"),
        ("mode: central-setpoint", "missing-key"),
        ("mode: charge-only", "missing-key"),
        ("mode: local-frequency", "mode-field"),
        ("mode: local-frequency, curve: [{frequency: 50 Hz, power: 1 kW}]", "mode-field"),
        (f"mode: local-frequency, power: 1 kW, {CURVE}", "mode-field"),
        (f"mode: local-frequency, {CURVE.replace('50.2', '49.8')}", "mode-field"),
        (f"mode: local-frequency, {CURVE.replace('5 kW', '5 A')}", "wrong-unit"),
        (f"mode: local-frequency, {CURVE.replace('50.2 Hz', '80.2 Hz')}", "out-of-range"),
        (f"mode: local-frequency, {CURVE.replace('50.2 Hz', '50.2')}", "missing-unit"),
        (f"mode: local-frequency, {CURVE.replace('50.2 Hz', 'high')}", "wrong-unit"),
        ("mode: vehicle-to-moon", "unknown-value"),
    ],
)
def test_fields_that_do_not_go_with_a_mode_are_one_error_at_the_window(window, rule):
    assert errors_of(window) == [rule]


@pytest.mark.parametrize(
    ("window", "refused"),
    [
        ("mode: local-load-balancing", True),
        (f"mode: local-frequency, {CURVE}", True),
        (f"mode: local-frequency, baseline: 5 kW, {CURVE}", False),
        ("mode: central-setpoint, power: -1 kW", True),
        ("mode: idle", False),
    ],
)
def test_a_mode_that_may_discharge_needs_the_owners_consent(window, refused):
    if refused:
        assert errors_of(window, consent="forbidden") == ["discharge-not-allowed"]
    else:
        assert period_of(window, consent="forbidden")


@pytest.mark.parametrize("capability", ["protocol: 2.0.1, negativeLimit: true", "protocol: 2.1", "modes: [idle]"])
def test_a_mode_that_the_stations_do_not_have_is_refused_with_its_line(capability):
    assert errors_of(f"mode: local-frequency, {CURVE}", declared=capability) == ["mode-not-expressible"]


@pytest.mark.parametrize(
    ("window", "policy", "limit"),
    [
        (f"mode: local-frequency, baseline: 3 kW, {CURVE}", "charge-only", 3000),
        (f"mode: local-frequency, baseline: -3 kW, {CURVE}", "charge-only", 0),
        (f"mode: local-frequency, baseline: 3 kW, {CURVE}", "zero", 0),
        ("mode: local-load-balancing", "charge-only", 0),
        ("mode: central-setpoint, power: -3 kW", "charge-only", 0),
        ("power: -3 kW", "zero", 0),
    ],
)
def test_what_a_station_can_not_be_told_is_made_less_and_noted(window, policy, limit):
    periods, desired = periods_of(window, OLD, policy=policy, declared="protocol: 2.0.1")
    assert [each["limit"] for each in periods] == [2000, limit, 2000, 0]
    (note,) = desired.notes
    assert "OCPP 2.0.1" in note
    assert ("charging only, with 3 kW at most" in note) == (limit == 3000)
    assert note.endswith("instead, at f.yaml:19:7") or "mode" not in window
    renderer = renderer_of(window, policy=policy, declared="protocol: 2.0.1")
    span = (NOON + timedelta(days=3), NOON + timedelta(days=4))
    assert renderer.degradations(renderer.fleet.station("S"), OLD, span) == desired.notes


def test_what_can_be_told_is_not_noted():
    _, desired = periods_of(f"mode: local-frequency, {CURVE}", policy="zero")
    assert desired.notes == ()


def test_idle_is_a_zero_where_the_mode_is_not_known():
    periods, desired = periods_of("mode: idle", OLD, declared="protocol: 2.0.1")
    assert [each["limit"] for each in periods] == [2000, 0, 2000, 0]
    plain = Capability(Protocol.V21)
    periods, desired = periods_of("mode: idle", plain)
    assert [each["limit"] for each in periods] == [2000, 0, 2000, 0]
    assert desired.notes == ()


def test_a_refusal_names_the_mode_where_the_policy_is_to_refuse():
    renderer = renderer_of("mode: local-load-balancing")
    desired = renderer.desired(renderer.fleet.station("S"), Capability(Protocol.V21), NOON)
    assert desired.refusal == (
        "operation mode LocalLoadBalancing: it is not among the station's SupportedOperationModes"
    )


def test_a_station_of_amperes_can_not_follow_the_frequency():
    amperes = Capability(Protocol.V21, units=(Unit.AMPERE,), modes=frozenset(Mode))
    text = text_of(f"mode: local-frequency, {CURVE}").replace("current: DC", "phases: 3")
    renderer = Renderer(load(Snapshot("c", "a", None, "s", {"f.yaml": text})), SHIPPED)
    desired = renderer.desired(renderer.fleet.station("S"), amperes, NOON)
    assert desired.refusal == "operation mode LocalFrequency: it is in W, and the station takes amperes only"


@pytest.mark.parametrize(
    ("window", "lowest", "asked", "highest"),
    [
        (f"mode: local-frequency, baseline: 1 kW, {CURVE}", -4000, 1000, 11000),
        ("mode: local-load-balancing", -11000, 0, 11000),
        ("mode: central-setpoint, power: 5 kW", 5000, 5000, 5000),
        ("mode: idle", 0, 0, 0),
        ("power: -5 kW", -5000, -5000, -5000),
    ],
)
def test_a_mode_has_a_least_and_a_most_and_the_station_counts_with_them(window, lowest, asked, highest):
    renderer = renderer_of(window)
    station, span = renderer.fleet.station("S"), (NOON, NOON + timedelta(hours=1))
    low, high = renderer.envelope(station, station.evses[0], span)
    line = renderer.timeline(station, station.evses[0], span)
    assert (low.at(NOON), line.at(NOON), high.at(NOON)) == (lowest, asked, highest)
    flow = flow_at(renderer.desired(station, EVERY, NOON).profiles, 1, NOON)
    assert (flow.most_import_w, flow.most_export_w) == (max(highest, 0), max(-lowest, 0))


def test_departures_count_the_worst_of_a_mode_and_trim_what_may_discharge():
    ready = 'readyBy: {time: "16:00", since: "12:00", minEnergy: 2 kWh, policy: trim}'
    renderer = renderer_of(f"mode: local-frequency, baseline: 1 kW, {CURVE}", settings=ready)
    station, span = renderer.fleet.station("S"), (NOON, NOON + timedelta(hours=3))
    orders = renderer.programmes.orders(station, station.evses[0], span)
    assert [(order.mode, order.power_w) for order in orders] == [
        (Mode.LOCAL_FREQUENCY, 1000),
        (None, 0),
        (None, 2000),
    ]
    ((_, outcome),) = renderer.programmes.departures(station, station.evses[0], (NOON, NOON + timedelta(minutes=1)))
    assert 2000 <= outcome.held_wh < 2070


powers = st.integers(-20, 20).map(lambda number: Decimal(number * 1000))


@settings(max_examples=60, deadline=None)
@given(powers, st.lists(powers, min_size=2, max_size=6), st.sampled_from((0, 4, 11)))
def test_no_curve_leads_beyond_the_rating_or_beyond_its_envelope(baseline, extras, rated):
    points = ", ".join(f"{{frequency: 49.{n} Hz, power: {power} W}}" for n, power in enumerate(extras, 1))
    renderer = renderer_of(f"mode: local-frequency, baseline: {baseline} W, curve: [{points}]", rated=str(rated))
    station = renderer.fleet.station("S")
    desired = renderer.desired(station, EVERY, NOON)
    flow = flow_at(desired.profiles, 1, NOON)
    low, high = renderer.envelope(station, station.evses[0], (NOON, NOON + timedelta(hours=1)))
    assert flow.most_import_w <= min(Decimal(11000), max(high.at(NOON), Decimal(0)))
    assert flow.most_export_w <= min(Decimal(rated * 1000), max(-low.at(NOON), Decimal(0)))


def test_cuts_leave_orders_that_can_not_discharge():
    hours = [NOON + timedelta(hours=hour) for hour in range(6)]
    charge = Order(hours[0], Decimal(5), None, Decimal(5), Decimal(5))
    feed = Order(hours[1], Decimal(0), Mode.LOCAL_LOAD_BALANCING, Decimal(-9), Decimal(9))
    done = cut_orders((charge, feed), ((hours[0], hours[2]), (hours[4], hours[5])))
    assert [(order.start, order.mode) for order in done] == [
        (hours[0], None),
        (hours[1], None),
        (hours[2], Mode.LOCAL_LOAD_BALANCING),
        (hours[4], None),
        (hours[5], Mode.LOCAL_LOAD_BALANCING),
    ]
    assert merge(done) == done


def test_where_nothing_speaks_a_mode_leaves_zero():
    text = text_of("mode: idle").replace("  otherwise: 2 kW\n", "")
    renderer = Renderer(load(Snapshot("c", "a", None, "s", {"f.yaml": text})), SHIPPED)
    station = renderer.fleet.station("S")
    orders = renderer.programmes.orders(
        station, station.evses[0], (NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    )
    assert [(order.mode, order.power_w) for order in orders] == [(None, 0), (Mode.IDLE, 0)]
