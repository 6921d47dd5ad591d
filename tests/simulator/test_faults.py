"""Faults are ordered by name, and a normalised echo means the same as what was sent."""

from dataclasses import fields
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.judge import judge
from reconciler.profiles.canonical import same_meaning
from reconciler.simulator.faults import NAMES, NONE, Faults, describe, parse_fault, parse_faults, treat
from reconciler.simulator.nameplate import EvsePlate


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("delay=2s", Faults(delay=timedelta(seconds=2))),
        ("delay=500ms", Faults(delay=timedelta(milliseconds=500))),
        ("lose=0.1", Faults(lose=0.1)),
        ("lose=1", Faults(lose=1.0)),
        ("cut=5m", Faults(cut=timedelta(minutes=5))),
        ("ignore=SetChargingProfile", Faults(ignore="SetChargingProfile")),
        ("reject=InvalidSchedule", Faults(reject="InvalidSchedule")),
        ("echo", Faults(echo=True)),
        ("early-reports", Faults(early_reports=True)),
        (" mute-reports ", Faults(mute_reports=True)),
        ("clock=-90s", Faults(clock=timedelta(seconds=-90))),
        ("clock=1h", Faults(clock=timedelta(hours=1))),
        ("amnesia", Faults(amnesia=True)),
    ],
)
def test_a_fault_is_read_from_its_name(text, faults):
    assert parse_fault(text).join(NONE) == faults


def test_faults_are_joined_and_the_later_wins():
    assert parse_faults(["echo", "lose=0.1", "lose=0.2"]) == Faults(echo=True, lose=0.2)


def test_every_fault_has_a_name():
    assert {name.replace("-", "_") for name in NAMES} == {field.name for field in fields(Faults)}


@pytest.mark.parametrize(
    "text",
    [
        "delay",
        "delay=soon",
        "delay=-1s",
        "lose=2",
        "lose=",
        "ignore",
        "reject=ThisReasonIsFarTooLongForIt",
        "echo=1",
        "clock=x",
    ],
)
def test_a_value_that_can_not_be_read_says_how_to_write_it(text):
    with pytest.raises(UsageError, match="--fault "):
        parse_fault(text)


def test_an_unknown_fault_lists_those_there_are():
    with pytest.raises(UsageError) as raised:
        parse_fault("gremlins")
    assert all(name in str(raised.value) for name in NAMES)
    assert len(describe().splitlines()) == len(NAMES)


def test_chance_decides_which_answers_are_lost():
    faults = Faults(lose=0.5, delay=timedelta(seconds=1))
    kept, lost = treat(faults, "Reset", 0.5), treat(faults, "Reset", 0.49)
    assert (kept.heard, kept.answered, kept.delay) == (True, True, timedelta(seconds=1))
    assert (lost.heard, lost.answered) == (True, False)


@pytest.mark.parametrize(("ignored", "heard"), [("Reset", False), ("all", False), ("SetVariables", True)])
def test_an_ignored_action_is_neither_heard_nor_answered(ignored, heard):
    treatment = treat(Faults(ignore=ignored), "Reset", 0.9)
    assert (treatment.heard, treatment.answered) == (heard, heard)


numbers = st.integers(-22_000, 22_000) | st.integers(-220_000, 220_000).map(lambda tenths: tenths / 10)
law = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@law
@given(st.lists(numbers, min_size=1, max_size=4), st.sampled_from([0, 3]))
def test_a_normalised_echo_has_other_bytes_and_the_same_meaning(bench, profile, setpoint, watts, phases):
    station = bench(None, faults=Faults(echo=True), evses=(EvsePlate(1, 22_000, 22_000, phases),))
    mine = profile(*((index * 60, setpoint(number)) for index, number in enumerate(watts)))
    assert station.set(mine) == "Accepted"
    station.ask("GetChargingProfiles", {"requestId": 1, "chargingProfile": {"chargingLimitSource": ["CSO"]}})
    ((_, report),) = station.listen()
    (told,) = report["chargingProfile"]
    judge(station.station.plate.protocol, "ReportChargingProfiles", "Request", report)
    assert told != mine
    (held,) = station.station.profiles
    lifted = dialect(station.station.plate.protocol).lift(1, told)
    assert same_meaning(held, lifted, station.now)


def test_an_echo_shows_what_the_field_shows(bench, profile):
    station = bench(None, faults=Faults(echo=True), evses=(EvsePlate(1, 22_000, 0, 3),))
    station.set(profile((0, 7400), (60, 16.1), (120, -0.0), validTo="2026-07-01T00:00:00Z"))
    station.ask("GetChargingProfiles", {"requestId": 1, "chargingProfile": {"chargingLimitSource": ["CSO"]}})
    ((_, report),) = station.listen()
    (told,) = report["chargingProfile"]
    assert told["validFrom"] == "1970-01-01T00:00:00.000Z"
    assert told["validTo"] == "2026-07-01T00:00:00.000Z"
    periods = told["chargingSchedule"][0]["chargingSchedulePeriod"]
    assert [(period["limit"], period["numberPhases"]) for period in periods] == [
        (7399.999, 3),
        (16.100000381469727, 3),
        (0, 3),
    ]
