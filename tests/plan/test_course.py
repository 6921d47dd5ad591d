"""How a plan says its rollout will go: the same waves, soaks and pace as the controller will keep."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.ocpp.dialects import dialect
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.json_form import write_json
from reconciler.plan.markdown import write_markdown
from reconciler.plan.planned import Batch, Course
from reconciler.plan.saved import read_json
from reconciler.plan.text import write_text
from reconciler.plan.words import describe_waves
from reconciler.profiles.capability import Capability
from revisions import MONDAY, revision, state_of

MORE = ("otherwise: 3 kW", "otherwise: 2 kW")
"""Changes all six stations of the yard."""


def spec(text):
    return ("discharge: allowed", f"discharge: allowed\n  rollout: {text}")


WAVES = 'waves: [1, "50%", "100%"]'
SLOW = spec(f"{{{WAVES}, soak: 10m, pace: {{writes: 30}}}}")


def planned(*edits, commit="c0ffee", state=None, base=()):
    return plan_fleet(revision(MORE, *edits, commit=commit), MONDAY, revision(*base, commit="before"), state)


def text_of(plan):
    return [line.text for line in write_text(plan)]


def test_the_waves_of_a_plan_are_those_that_the_rollout_will_have():
    head, base = revision(MORE, SLOW), revision(commit="before")
    plan = plan_fleet(head, MONDAY, base)
    urgent, *waves = head.divide(base, [station.identity.casefold() for station in plan.changed], MONDAY)
    assert urgent == ()
    assert [wave.stations for wave in plan.course.waves] == [len(wave) for wave in waves] == [1, 2, 3]
    groups = [sorted(head.fleet.stations[key].groups[0] for key in wave) for wave in waves]
    told = [sorted(name for name, number in wave.groups.items() for _ in range(number)) for wave in plan.course.waves]
    assert told == groups


def test_every_soak_counts_and_is_told_with_the_waves_and_the_pace():
    plan = planned(SLOW)
    assert plan.churn.duration > timedelta(minutes=30)
    cost = " ".join(text_of(plan)[-3:])
    assert "about 31 min once all are online: 3 waves, soak 10 min each, 30 writes a minute" in " ".join(cost.split())
    assert any(line.startswith("Wave 1: 1 station (1 of ") for line in text_of(plan))


def test_a_fleet_that_names_no_waves_is_told_of_none():
    plan = planned()
    assert [wave.stations for wave in plan.course.waves] == [6]
    assert not any(line.startswith("Wave") for line in text_of(plan))
    assert list(describe_waves(plan)) == []
    assert plan.churn.duration < timedelta(minutes=1)


def test_what_makes_stations_safer_goes_before_all_waves():
    lower = (("import: 200 kW", "import: 190 kW"), ("otherwise: 3 kW", "otherwise: 0 kW"))
    head = revision(*lower, SLOW)
    plan = plan_fleet(head, MONDAY, revision(commit="before"))
    assert plan.course.urgent == Batch(6, {"day": 2, "night": 4})
    assert plan.course.waves == ()
    withdrawn = revision(MORE, SLOW, ("discharge: 15 kW, current", "current"), ("power: -7 kW", "power: 0 kW"))
    plan = plan_fleet(withdrawn, MONDAY, revision(commit="before"))
    assert plan.course.urgent == Batch(4, {"night": 4})
    assert sum(wave.stations for wave in plan.course.waves) == 2
    assert "Before all waves: 4 stations (4 of night): what makes them safer does not wait" in text_of(plan)


def test_a_working_tree_has_no_draw_yet_so_no_group_is_told():
    plan = planned(SLOW, commit="")
    assert [wave.stations for wave in plan.course.waves] == [1, 2, 3]
    assert not any(wave.groups for wave in plan.course.waves)
    assert "Wave 3: 3 stations" in text_of(plan)


def test_one_wave_is_known_without_a_draw_and_soaks_as_well():
    plan = planned(spec("{soak: 5m}"), commit="")
    assert plan.course.waves == (Batch(6, {"day": 2, "night": 4}),)
    assert any("1 wave, soak 5 min, 600 writes a minute" in line for line in text_of(plan))


def test_without_a_base_nothing_goes_step_by_step():
    assert plan_fleet(revision(SLOW), MONDAY).course is None
    assert plan_fleet(revision(SLOW), MONDAY, state=state_of(revision())).course is None


def test_what_undoes_drift_goes_with_the_first_wave():
    state = state_of(revision())
    state["b-01"] = replace(state["b-01"], reported=replace(state["b-01"].reported, held={}))
    plan = plan_fleet(revision(SLOW, commit="c0ffee"), MONDAY, revision(SLOW, commit="before"), state)
    assert plan.course.waves == ()
    assert timedelta(0) < plan.churn.duration < timedelta(minutes=10)


def test_windows_are_told_of_and_not_guessed():
    plan = planned(spec(f'{{{WAVES}, soak: 10m, windows: [{{allow: "0 9 * * mon-fri", for: 4h}}]}}'))
    assert plan.course.windows
    assert "inside the windows of its rollouts" in " ".join(" ".join(text_of(plan)).split())


@pytest.mark.parametrize("plan", [planned(), planned(SLOW)], ids=["one wave", "three waves"])
def test_every_presentation_has_the_waves_and_a_saved_plan_keeps_them(plan):
    written = json.loads(
        json.dumps(
            write_json(
                plan,
                lambda profile, protocol: dialect(protocol).set_profile(
                    profile, Capability(protocol, negative_limit=True)
                ),
            )
        )
    )
    assert [wave["stations"] for wave in written["course"]["waves"]] == [each.stations for each in plan.course.waves]
    again = read_json(written)
    assert again.course == plan.course
    assert write_text(again) == write_text(plan)
    page = write_markdown(plan)
    assert all(f"- {heading}: " in page for heading, _ in describe_waves(plan))


def test_a_fleet_of_many_groups_has_its_waves_told_in_short():
    groups = {f"group-{number}": 2 for number in range(9)} | {"": 1}
    course = Course(Batch(0), (Batch(19, groups), Batch(1)), timedelta(minutes=1), None)
    told = dict(describe_waves(replace(planned(), course=course)))
    assert told["Wave 1"].endswith("2 of group-5, the others of 4 more groups)")
    course = replace(course, waves=(Batch(1, {"": 1}), Batch(1)))
    assert dict(describe_waves(replace(planned(), course=course)))["Wave 1"] == "1 station (1 of no group)"
