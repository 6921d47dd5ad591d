"""What is wrong with a yield is told at the line of the template that has written it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ManifestError, Place
from reconciler.profiles.capability import Capability, Protocol
from reconciler.render.desired import Renderer
from reconciler.render.origins import Misyielded, place, unmark
from reconciler.render.sandbox import Sandbox
from reconciler.render.yielded import Fault
from revisions import MONDAY, SHIPPED, revision

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
FLEET = revision(("protocol: 2.0.1, negativeLimit: true", 'protocol: "2.1"')).fleet
LINES = """\
{# What one EVSE is to do. #}
evseId: {{ evse.id }}
id: {{ profile_id }}
stackLevel: 1
chargingProfilePurpose: TxDefaultProfile
chargingProfileKind: Absolute
chargingSchedule:
  - id: {{ profile_id }}
    startSchedule: {{ steps[0].start | rfc3339 }}
    chargingRateUnit: W
    chargingSchedulePeriod:
{% for step in steps %}
{% if step.power_w < 0 %}
      - {startPeriod: {{ step.offset }}, operationMode: CentralSetpoint, setpoint: {{ step.power_w | watts }}}
{% else %}
      - startPeriod: {{ step.offset }}
        limit: {{ step.power_w | watts }}
{% endif %}
{% endfor %}
"""


def refusal(old, new, text=LINES):
    assert old in text
    fleet = replace(FLEET, templates={"schedule.yaml.j2": text.replace(old, new)})
    with pytest.raises(ManifestError) as caught:
        Renderer(fleet, SHIPPED).desired(fleet.stations["a-01"], Capability(Protocol.V21), MONDAY)
    return caught.value


def test_the_template_of_these_tests_is_right():
    fleet = replace(FLEET, templates={"schedule.yaml.j2": LINES})
    assert len(Renderer(fleet, SHIPPED).desired(fleet.stations["a-01"], Capability(Protocol.V21), MONDAY).profiles) == 3


@pytest.mark.parametrize(
    ("old", "new", "line", "rule", "says"),
    [
        ("id: {{ profile_id }}\nstack", "id: 7\nstack", 3, "foreign-id", "line 2 of what it yields: id: 7"),
        ("evseId: {{ evse.id }}", "evseId: two", 2, "template-yield", "evseId must be a number (line 1"),
        ("evseId: {{ evse.id }}", "evseId: {{ evse.id + 1 }}", 2, "template-evse", "instead of 1 (line 1"),
        ("stackLevel: 1", "stackLevel: 0", 4, "floor-place", "stackLevel: 0"),
        ("TxDefaultProfile", "TxProfile", 5, "tx-unbound", "chargingProfilePurpose: TxProfile"),
        ("startPeriod: {{ step.offset }},", "startPeriod: 0,", 16, "period-order", "- startPeriod: 0"),
        ("chargingRateUnit: W", "chargingRateUnit: W\n    duration: 100", 17, "period-beyond", "- startPeriod: 0"),
        ("Absolute", "Recurring", 2, "recurrency", "line 1 of what it yields"),
        ("TxDefaultProfile", "PriorityCharging", 14, "mode-purpose", "CentralSetpoint, setpoint: -7000}"),
        ("chargingRateUnit: W", "chargingRateUnit: kW", 10, "template-yield", "chargingRateUnit: kW"),
        ("limit: {{ step.power_w | watts }}", "limit: -5", 17, "sign", "limit: -5"),
        ("setpoint: {{ step.power_w | watts }}", "limit: 5", 14, "mode-field", "CentralSetpoint, limit: 5}"),
        ("stackLevel: 1", "stackLevel: [", 6, "not-yaml", "its output can't be read"),
        ("limit: {{ step.power_w | watts }}", "limit: 5", 16, "lease-missing", "still flows when its lease ends"),
    ],
)
def test_a_refused_yield_is_told_at_its_line_with_what_was_yielded(old, new, line, rule, says):
    error = refusal(old, new)
    assert error.place == Place("templates/schedule.yaml.j2", line), str(error)
    assert error.rule == rule
    assert says in str(error)


def test_a_profile_of_another_purpose_is_told_at_its_purpose():
    text = LINES.replace("TxDefaultProfile", "LocalGeneration")
    fleet = replace(FLEET, templates={"schedule.yaml.j2": text})
    with pytest.raises(ManifestError) as caught:
        Renderer(fleet, SHIPPED).desired(fleet.stations["b-01"], Capability(Protocol.V21), MONDAY)
    assert (caught.value.rule, caught.value.place.line) == ("template-purpose", 5)


@pytest.mark.parametrize("identity", ["a-01", "b-01"])
def test_whoever_finds_a_fault_in_a_profile_later_is_told_the_line_that_wrote_it(identity):
    fleet = replace(FLEET, templates={"schedule.yaml.j2": LINES})
    renderer, station, capability = Renderer(fleet, SHIPPED), fleet.stations[identity], Capability(Protocol.V21)
    profiles = renderer.desired(station, capability, MONDAY).profiles
    assert len(profiles) >= 3
    for profile in profiles:
        error = renderer.blame(profile, station, capability, MONDAY, Fault("too high", "x", "stackLevel"))
        file, line = error.place.file.removeprefix("templates/"), error.place.line
        assert file == {0: "floor.yaml.j2", 1: "station-max.yaml.j2"}.get(profile.id - 810000, "schedule.yaml.j2")
        assert renderer.templates[file].splitlines()[line - 1].startswith("stackLevel: ")


def test_a_discharge_is_told_at_the_first_line_that_lets_it_flow():
    fleet = replace(FLEET, templates={"schedule.yaml.j2": LINES})
    renderer, station, capability = Renderer(fleet, SHIPPED), fleet.stations["a-01"], Capability(Protocol.V21)
    floor, _, evening = renderer.desired(station, capability, MONDAY).profiles
    lines = [
        renderer.blame(each, station, capability, MONDAY, Fault("discharges", "x", None)).place.line
        for each in (evening, floor)
    ]
    assert lines == [LINES.splitlines().index(next(each for each in LINES.splitlines() if "setpoint" in each)) + 1, 2]


def test_a_line_in_a_macro_or_an_include_is_the_one_that_is_named():
    macro = "{% macro unit() %}\nchargingRateUnit: {{ 'kW' }}\n{% endmacro %}\n" + LINES
    error = refusal("chargingRateUnit: W\n", "{{ unit() }}", macro)
    assert error.place.line == 2
    fleet = replace(
        FLEET,
        templates={
            "schedule.yaml.j2": LINES.replace("stackLevel: 1\n", "{% include 'level.j2' %}\n"),
            "level.j2": "{# which #}\nstackLevel: low\n",
        },
    )
    with pytest.raises(ManifestError) as caught:
        Renderer(fleet, SHIPPED).desired(fleet.stations["a-01"], Capability(Protocol.V21), MONDAY)
    assert caught.value.place == Place("templates/level.j2", 2)


def test_a_template_that_works_with_its_own_text_is_told_at_the_line_of_the_yield():
    texts = "{% macro one() %}1{% endmacro %}\n" + LINES
    error = refusal("stackLevel: 1", "stackLevel: {{ one() | int - 1 }}", texts)
    assert error.place == Place("templates/schedule.yaml.j2")
    assert error.hint == "line 3 of what it yields: stackLevel: 0"


def test_a_text_that_is_only_kept_has_no_marks():
    error = refusal("stackLevel: 1", "{% set level %}0{% endset %}\nstackLevel: {{ level | int }}")
    assert (error.place.line, error.rule) == (5, "floor-place")


def test_profiles_of_several_templates_are_told_without_a_line():
    same = SHIPPED["station-max.yaml.j2"].replace("{{ profile_id }}", "{{ profile_id - 1 }}")
    fleet = replace(FLEET, templates={"station-max.yaml.j2": same})
    idle = replace(fleet.stations["a-01"], assignments=())
    with pytest.raises(ManifestError) as caught:
        Renderer(fleet, SHIPPED).desired(idle, Capability(Protocol.V21), MONDAY)
    assert (caught.value.rule, caught.value.place) == ("duplicate-id", Place("templates/schedule.yaml.j2"))


def test_an_error_that_is_about_no_line_stays_as_it_was():
    error = Misyielded("yields no profile", Place("templates/x"), template="x", item=3)
    assert place(error, "", None) is error
    assert place(error, "id: 1", None) is error


def test_the_program_s_own_templates_yield_the_same_with_and_without_marks():
    variables = {"profile_id": 1, "start": NOON, "charge_w": 5, "model": "", "evse_count": 1}
    sandbox = Sandbox(SHIPPED)
    for name in ("floor.yaml.j2", "station-max.yaml.j2"):
        traced = sandbox.trace(name, variables)
        assert traced.text == sandbox.render(name, variables)
        assert {origin.template for origin in traced.origins} == {name}


@given(st.lists(st.sampled_from(["a: 1\n", "b: {{ x }}\n", "{% if x %}\n", "{# c #}\n", "c: [{{ x }},\n 2]\n"])))
def test_each_line_of_a_template_is_found_again(parts):
    ends = "{% endif %}\n" * sum(part.startswith("{% if") for part in parts)
    text = "".join(f"l{number}: {part}" if part[0] in "abc" else part for number, part in enumerate(parts)) + ends
    sandbox = Sandbox({"x": text})
    traced = sandbox.trace("x", {"x": 7})
    assert traced.text == sandbox.render("x", {"x": 7})
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("l"):
            assert traced.origin(traced.text.index(line.split(":")[0] + ":")).line == number


def test_marks_are_taken_out_wherever_they_stand():
    traced = unmark("\0001:x\0a\n\0002:y\0b")
    assert (traced.text, [origin.line for origin in traced.origins]) == ("a\nb", [1, 2])
    assert traced.origin(0).template == "x"
    assert unmark("a").origin(0) is None
