"""Modes are told as what they are: by their word, with what may come of them, in words, numbers and pictures."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.plan.asked import SILENT, Asked, Line, Steering, asked_by_orders, line_of
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.json_form import write_json
from reconciler.plan.markdown import write_markdown
from reconciler.plan.picture import Role
from reconciler.plan.portray import Crowd, portray_station, portray_sum
from reconciler.plan.power import power_line, renews
from reconciler.plan.saved import read_json
from reconciler.plan.text import write_text
from reconciler.plan.words import describe_asked, describe_profile
from reconciler.profiles.profile import ChargingSchedule, CurvePoint, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.render.orders import Order
from revisions import MONDAY, held_by, revision, state_of

WORDS = "central-setpoint, local-frequency, local-load-balancing, idle"
ABLE = ("capability: {protocol: 2.0.1, negativeLimit: true}", f'capability: {{protocol: "2.1", modes: [{WORDS}]}}')
EVENING = '"20:00", power: -7 kW}'
CURVE = "curve: [{frequency: 49.8 Hz, power: -11 kW}, {frequency: 50.2 Hz, power: 11 kW}]"
STEEPER = CURVE.replace("49.8", "49.9")


def steered(window):
    return revision(ABLE, (EVENING, f'"20:00", {window}}}'))


BEFORE = revision(ABLE)
AFTER = steered(f"mode: local-frequency, {CURVE}")


def text_of(plan):
    return " ".join("\n".join(line.text for line in write_text(plan)).split())


def said(window, before=BEFORE):
    return text_of(plan_fleet(steered(window), MONDAY, before))


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (f"mode: local-frequency, {CURVE}", "-7 kW -> local-frequency ±11 kW, -16 kW and +72 kW at the peak"),
        (f"mode: local-frequency, baseline: 2 kW, {CURVE}", "-7 kW -> local-frequency -9 kW to 13 kW"),
        ("mode: local-load-balancing", "-7 kW -> local-load-balancing ±15 kW, -32 kW and +88 kW at the peak"),
        ("mode: central-setpoint, power: 4 kW", "-7 kW -> central-setpoint 4 kW, +44 kW at the peak"),
        ("mode: charge-only, power: 4 kW", "-7 kW -> 4 kW, +44 kW at the peak"),
        ("mode: idle", "-7 kW -> idle, +28 kW at the peak"),
    ],
)
def test_a_plan_says_the_mode_of_a_window_and_what_may_come_of_it(window, words):
    plan = plan_fleet(steered(window), MONDAY, BEFORE)
    assert words in text_of(plan)
    assert words.split(", ")[0].replace("->", "→") in write_markdown(plan)


def test_a_curve_that_changes_within_the_same_bounds_is_told():
    words = "local-frequency ±11 kW -> local-frequency ±11 kW by another curve"
    assert words in said(f"mode: local-frequency, {STEEPER}", AFTER)


def test_what_goes_out_as_the_same_words_is_no_change():
    plan = plan_fleet(steered("mode: central-setpoint, power: -7 kW"), MONDAY, BEFORE)
    assert plan.is_empty
    assert not any(station.later for station in plan.stations)


def test_a_station_without_modes_is_told_a_limit_or_zero():
    orders = [
        Order(MONDAY, Decimal(4000), Mode.CENTRAL_SETPOINT, Decimal(4000), Decimal(4000)),
        Order(MONDAY + timedelta(hours=1), Decimal(0), Mode.IDLE),
    ]
    told = asked_by_orders(orders, speaks_modes=False)
    assert [part.asked for part in told.parts] == [Asked(Decimal(4000)), Asked(Decimal(0))]
    told = asked_by_orders(orders, speaks_modes=True)
    assert [part.asked.steering.mode for part in told.parts] == [Mode.CENTRAL_SETPOINT, Mode.IDLE]


def test_a_new_fleet_is_told_with_its_modes():
    words = text_of(plan_fleet(AFTER, MONDAY))
    assert "Mon-Fri 17:00-20:00 local-frequency ±11 kW" in words


def test_modes_and_curves_are_saved_with_a_plan():
    plan = plan_fleet(steered(f"mode: local-frequency, {STEEPER}"), MONDAY, AFTER)
    document = json.loads(json.dumps(write_json(plan, lambda *_: {})))
    (stretch,) = document["outlooks"][0]["weeks"][0]["stretches"]
    assert stretch["beforeMode"] == {
        "mode": "LocalFrequency",
        "lowestW": -11000,
        "highestW": 11000,
        "curve": [{"frequencyHz": 49.8, "powerW": -11000}, {"frequencyHz": 50.2, "powerW": 11000}],
    }
    assert stretch["afterMode"]["curve"][0]["frequencyHz"] == 49.9
    again = read_json(document)
    assert text_of(again) == text_of(plan)
    assert "beforeMode" not in json.dumps(write_json(plan_fleet(revision(), MONDAY), lambda *_: {}))


def test_a_site_is_pictured_with_the_most_that_modes_may_draw_and_feed():
    crowd = Crowd(AFTER.renderer, tuple(AFTER.fleet.stations.values()))
    picture = portray_sum("Site quay", date(2026, 11, 23), None, crowd, AFTER.fleet.sites["quay"])
    draw, feed = [series.line for series in picture.panels[0].series if series.role is Role.AFTER]
    six = datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert (draw.at(six), feed.at(six)) == (4 * 11000 + 4 * 3000, 4 * -11000)
    assert picture.notes[-1] == "modes at their most"


def test_a_station_is_pictured_with_how_far_a_mode_may_lead_and_only_then():
    picture = portray_station(date(2026, 11, 23), None, (AFTER.renderer, AFTER.fleet.stations["a-01"]))
    (band,) = picture.panels[0].bands
    six, nine = datetime(2026, 11, 23, 17, tzinfo=UTC), datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert (band.lowest.at(six), band.highest.at(six)) == (-11000, 11000)
    assert (band.lowest.at(nine), band.highest.at(nine)) == (None, None)
    plain = portray_station(date(2026, 11, 23), None, (BEFORE.renderer, BEFORE.fleet.stations["a-01"]))
    assert plain.panels[0].bands == ()


BENT = (CurvePoint(Decimal("49.8"), Decimal(-4000)), CurvePoint(Decimal("50.2"), Decimal(5000)))


def profile(*periods):
    schedule = ChargingSchedule(1, Unit.WATT, periods, MONDAY)
    return Profile(1, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (
            Period(0, mode=Mode.LOCAL_FREQUENCY, v2x_baseline=Decimal(1000), freq_watt_curve=BENT),
            "local-frequency -3 kW to 6 kW at all times",
        ),
        (Period(0, mode=Mode.EXTERNAL_LIMITS), "external-limits at all times"),
        (
            Period(0, mode=Mode.LOCAL_LOAD_BALANCING, limit=Decimal(9000), discharge_limit=Decimal(-5000)),
            "local-load-balancing -5 kW to 9 kW at all times",
        ),
        (Period(0, mode=Mode.EXTERNAL_SETPOINT, setpoint=Decimal(900)), "ExternalSetpoint 900 W at all times"),
        (Period(0, mode=Mode.LOCAL_FREQUENCY, v2x_baseline=Decimal(0)), "Absolute TxDefaultProfile"),
    ],
)
def test_a_profile_is_said_with_its_mode(period, words):
    assert describe_profile(profile(period), MONDAY, AFTER.renderer.programmes.zone) == words


def test_what_others_limit_counts_as_flow():
    assert Asked(Decimal(0), Steering(Mode.EXTERNAL_LIMITS)).flows
    assert not Asked(Decimal(0), Steering(Mode.IDLE)).flows
    assert describe_asked(Asked(Decimal(0), Steering(Mode.IDLE))) == "idle"


def test_a_longer_lease_of_a_mode_is_a_renewal_and_no_drift():
    held, newer = (held_by(AFTER, "a-01", at) for at in (MONDAY, MONDAY + timedelta(days=1)))
    old, new = (each.reported.held[810011].profile for each in (held, newer))
    later = MONDAY + timedelta(hours=20)
    assert power_line(old, later) is not None
    assert renews(new, old, later)
    plan = plan_fleet(AFTER, MONDAY + timedelta(days=1), AFTER, state_of(AFTER))
    assert not plan.is_drifted
    assert {station.identity for station in plan.stations if station.renewed} >= {"A-01"}


def test_neighbours_that_ask_the_same_are_one():
    asked = Asked(Decimal(1))
    line = line_of([(MONDAY, SILENT), (MONDAY, asked), (MONDAY + timedelta(hours=1), asked)])
    assert line.starts() == (MONDAY,)
    assert line.at(MONDAY - timedelta(hours=1)) == SILENT == Line().at(MONDAY)
