"""A revision passes as a whole or not at all; what passed is held against templates, schemas and protocols."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.controller.revision import Revision, revise
from reconciler.errors import Place, RevisionError
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import Purpose
from reconciler.render.assume import assume
from reconciler.render.desired import Desired
from toys import FLEET, NOON, SCHEDULE, revision, shipped

SHIPPED = shipped()


def text(powers=((-7, 3), (5, 2)), caps=(100, 100), swap=()):
    made = FLEET.replace("IMPORT", str(caps[0])).replace("EXPORT", str(caps[1])).replace("WRITE", "60s")
    for name, (first, second) in zip("ab", powers, strict=True):
        made += SCHEDULE.replace("NAME", name).replace("FIRST", str(first)).replace("SECOND", str(second))
    for old, new in swap:
        assert old in made
        made = made.replace(old, new)
    return made


TEMPLATE = "kind: Template\nmetadata: {name: quiet}\nspec: {file: quiet.yaml.j2}\n"


def refused(templates=None, **more):
    files = {"fleet.yaml": text(**more)} | {
        f"templates/{name}.yaml.j2": each for name, each in (templates or {}).items()
    }
    with pytest.raises(RevisionError) as caught:
        revise(Snapshot("c1", "Ada", None, "toys", files), SHIPPED, NOON)
    return caught.value.errors


def test_a_template_that_fails_is_refused_with_template_and_line():
    (error,) = refused({"schedule": "\n{{ nothing }}"})
    assert (str(error.place), error.rule) == ("templates/schedule.yaml.j2:2", "template")


def test_what_breaks_the_official_schema_is_refused():
    errors = refused({"station-max": SHIPPED["station-max.yaml.j2"].replace("stackLevel: 0", "stackLevel: -1")})
    assert {error.rule for error in errors} == {"schema"}
    assert "profile 1001 breaks OCPP 2.1" in errors[0].message
    assert str(errors[0].place) == "templates/station-max.yaml.j2:4"
    assert "stackLevel: -1" in str(errors[0])


def test_a_station_that_can_not_take_its_schedule_over_any_protocol_is_named():
    errors = refused(swap=(('{protocol: "2.1", maxOffline: true}', "{periods: 1}"),))
    assert {error.rule for error in errors} == {"unsupported"}
    assert "station A-2 can't take its schedules over OCPP 2.0.1: 1 period" in errors[0].message
    assert len(errors) == 2


def test_schedules_beyond_a_sites_cap_are_refused():
    errors = refused(powers=((9, 3), (5, 2)), caps=(20, 20))
    assert [error.field for error in errors] == ["spec.import"]


def test_all_reasons_are_given_at_once_and_in_order():
    bad = SHIPPED["station-max.yaml.j2"].replace("stackLevel: 0", "stackLevel: -1")
    errors = refused({"station-max": bad}, powers=((9, 3), (5, 2)), caps=(20, 20))
    assert len({error.rule for error in errors}) >= 2
    assert list(errors) == sorted(errors, key=lambda error: error.order())


def test_equal_goals_are_one_and_their_number_is_bounded(monkeypatch):
    monkeypatch.setattr("reconciler.render.programmes.REMEMBERED", 3)
    made = Revision(revision().snapshot, revision().fleet, SHIPPED)
    station = made.fleet.station("A-1")
    capability = assume(station.declared, Protocol.V21)
    goals = [made.goal(station, capability, NOON + timedelta(days=day)) for day in range(10)]
    assert len({id(goal) for goal in goals}) == 10
    assert len(made._goals) <= 3
    assert made.goal(station, capability, NOON + timedelta(days=9)) is goals[-1]
    assert made.goal(station, capability, NOON) == goals[0]


def test_what_a_dialect_can_not_carry_is_left_out_and_said():
    other = SHIPPED["schedule.yaml.j2"].replace(
        '"limit": {{ step.power_w | watts }}}',
        '"limit": {{ step.power_w | watts }}{% if evse.id == 2 and step.power_w %}, '
        '"operationMode": "LocalLoadBalancing"{% endif %}}',
    )
    made = Revision(revision().snapshot, revision().fleet, SHIPPED | {"schedule.yaml.j2": other})
    station = made.fleet.station("B-1")
    goal = made.goal(station, assume(station.declared, Protocol.V201), NOON)
    assert [each.id for each in goal.profiles] == [1000, 1001, 1011]
    assert goal.refusal == "operation mode LocalLoadBalancing: OCPP 2.0.1 only has limits"
    assert goal.floor.id == 1000


def test_without_its_floor_nothing_goes():
    made = Revision(revision().snapshot, revision().fleet, SHIPPED)
    station = made.fleet.station("B-1")
    capability = assume(station.declared, Protocol.V201)
    desired = made.renderer.desired(station, capability, NOON)
    spoilt = replace(desired.profiles[0], purpose=Purpose.EXTERNAL)
    made.renderer.desired = lambda *_: Desired((spoilt, *desired.profiles[1:]), desired.until)
    goal = made.goal(station, capability, NOON)
    assert (goal.profiles, goal.floor) == ((), None)
    assert "ChargingStationExternalConstraints" in goal.refusal


def test_stations_are_found_in_every_spelling():
    made = revision()
    assert made.station("a-1") is made.station("A-1") is not None
    assert made.station("nobody") is None
    assert made.commit == "c1"


def test_a_template_does_not_discharge_without_the_fleets_consent():
    feeding = SHIPPED["schedule.yaml.j2"].replace(
        '"limit": {{ step.power_w | watts }}',
        '"operationMode": "CentralSetpoint", "setpoint": {{ 0 if loop.last else -1000 }}',
    )
    errors = refused(
        {"schedule": feeding},
        powers=((7, 3), (5, 2)),
        swap=(("discharge: allowed", "discharge: forbidden"),),
    )
    (error,) = errors
    line = feeding[: feeding.index("CentralSetpoint", feeding.index("{%- else %}"))].count("\n") + 1
    assert (error.rule, error.place) == ("discharge-not-allowed", Place("templates/schedule.yaml.j2", line))
    assert '"setpoint": -1000' in error.hint


def test_what_a_group_s_own_template_does_wrong_is_told_at_its_own_line():
    quiet = SHIPPED["schedule.yaml.j2"].replace(
        '"limit": {{ step.power_w | watts }}',
        '"operationMode": "CentralSetpoint", "setpoint": {{ 0 if loop.last else -1000 }}',
    )
    own = (
        "spec: {site: yard, select: {labels: {row: a}}",
        "spec: {template: {name: quiet}, site: yard, select: {labels: {row: a}}",
    )
    made = ("kind: Group\nmetadata: {name: a}", f"{TEMPLATE}---\nkind: Group\nmetadata: {{name: a}}")
    errors = refused(
        {"quiet": quiet},
        powers=((7, 3), (5, 2)),
        swap=(("discharge: allowed", "discharge: forbidden"), own, made),
    )
    assert {error.place.file for error in errors} == {"templates/quiet.yaml.j2"}
    assert all(error.place.line for error in errors)


def test_a_protocol_over_which_nothing_may_flow_is_warned_of_while_another_is_left():
    made = revision(swap=(('protocol: "2.1", maxOffline: true', "maxOffline: true"),))
    (warning,) = [each for each in made.warnings if each.guardrail == "protocol-left"]
    assert "no flow, should a station speak OCPP 2.0.1" in warning.text


def test_what_is_made_less_is_warned_of_with_the_protocol_and_the_stations():
    less = ('{protocol: "2.1", maxOffline: true}', '{protocol: "2.0.1"}\n  onUnsupported: charge-only')
    made = revision(swap=(less,))
    (warning,) = [each for each in made.warnings if each.guardrail == "degraded"]
    assert warning.text.startswith("over OCPP 2.0.1, discharge on OCPP 2.0.1")
    assert (warning.field, warning.stations) == ("spec.onUnsupported", ("A-1", "A-2"))
