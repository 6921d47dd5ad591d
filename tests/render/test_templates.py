"""Templates of the repository: declared with typed parameters, used by station, group or model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.errors import RevisionError
from reconciler.manifests.load import load
from reconciler.manifests.origins import origins
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Capability, Protocol
from reconciler.render.desired import Renderer
from reconciler.render.sandbox import Sandbox

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
SHIPPED = {path.name: path.read_text() for path in (ROOT / "templates").glob("*.j2")}
BODY = SHIPPED["schedule.yaml.j2"].replace('"stackLevel": 1', '"stackLevel": {{ parameters.level | number }}')
HEAD = """apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: pier}
spec: {timezone: UTC, profileIds: {from: 1000, to: 1999}}
---
kind: Station
metadata: {name: S}
spec: {model: m1, evses: [{id: 1, charge: 11 kW}], capability: {stackLevels: 9}STATION}
---
kind: Group
metadata: {name: g}
spec: {select: {names: [S]}, schedules: [{schedule: s, priority: 1}]GROUP}
---
kind: Schedule
metadata: {name: s}
spec: {otherwise: 2 kW}
---
kind: Template
metadata: {name: steep}
spec:
  parameters:
    level: {type: number, default: 1}
    least: {type: power, default: 1.4 kW}
    rest: {type: duration, default: 10m}
    tag: {type: string, default: x}
    fast: {type: boolean, default: false}
"""


def snapshot_of(station="", group="", more="", files=None):
    text = HEAD.replace("STATION", f", {station}" if station else "").replace("GROUP", f", {group}" if group else "")
    files = {"templates/steep.yaml.j2": BODY} if files is None else files
    return Snapshot("c", "a", None, "s", {"f.yaml": text + more, **files})


def station_of(*said, **more):
    return load(snapshot_of(*said, **more)).station("S")


def level_of(*said, **more):
    fleet = load(snapshot_of(*said, **more))
    desired = Renderer(fleet, SHIPPED).desired(fleet.station("S"), Capability(Protocol.V21, max_stack_level=9), NOON)
    return desired.profiles[-1].stack_level


def errors_of(*said, **more):
    with pytest.raises(RevisionError) as caught:
        load(snapshot_of(*said, **more))
    return [(error.rule, error.field, error.hint) for error in caught.value.errors]


def test_without_a_template_the_programs_own_is_used():
    assert station_of().settings.template is None
    assert level_of() == 1


def test_a_groups_template_gets_its_parameters_by_type():
    given = "template: {name: steep, parameters: {level: 4, least: 2 kW, rest: 90s, tag: y, fast: true}}"
    use = station_of("", given).settings.template
    assert use.file == "steep.yaml.j2"
    assert dict(use.parameters) == {
        "level": Decimal(4),
        "least": Decimal(2000),
        "rest": timedelta(seconds=90),
        "tag": "y",
        "fast": True,
    }
    assert level_of("", given) == 4


def test_a_parameter_left_out_has_its_default():
    assert level_of("", "template: {name: steep}") == 1


def test_the_station_wins_over_its_group_and_the_group_over_its_model():
    steep = "template: {{name: steep, parameters: {{level: {}}}}}"
    model = "  models: [m1]\n"
    assert level_of(steep.format(3), steep.format(5), more=model) == 3
    assert level_of("", steep.format(5), more=model) == 5
    assert level_of("", "", more=model.replace("models", "file: steep.yaml.j2\n  models")) == 1
    assert station_of("", "", more=model).settings.template.name == "steep"
    (origin,) = (each for each in origins(station_of("", "", more=model)) if each.field == "template")
    assert (origin.value, origin.level, origin.place.line) == ("steep", "Template steep", 27)


def test_a_template_of_another_model_is_not_used():
    assert station_of("", "", more="  models: [m2]\n").settings.template is None


def test_two_templates_for_one_model_clash():
    more = "  models: [m1]\n---\nkind: Template\nmetadata: {name: flat}\nspec: {file: steep.yaml.j2, models: [m1]}\n"
    assert [rule for rule, _, _ in errors_of("", "", more=more)] == ["setting-clash"]


@pytest.mark.parametrize(
    ("group", "rule", "hint"),
    [
        ("template: {name: sleep}", "unknown-reference", "did you mean `steep`?"),
        ("template: {name: steep, parameters: {lever: 3}}", "unknown-parameter", "did you mean `level`?"),
        (
            "template: {name: steep, parameters: {zzz: 3}}",
            "unknown-parameter",
            "it takes level, least, rest, tag, fast",
        ),
        ("template: {name: steep, parameters: {level: high}}", "wrong-type", ""),
        ("template: {name: steep, parameters: {level: true}}", "wrong-type", ""),
        ("template: {name: steep, parameters: {fast: 1}}", "wrong-type", ""),
        ("template: {name: steep, parameters: {least: 3}}", "missing-unit", "such as 3 kW or 3 A"),
        ("template: {name: steep, parameters: {least: 3 A}}", "wrong-unit", "write W, kW or MW"),
        ("template: {name: steep, parameters: {rest: soon}}", "wrong-duration", "such as 90s, 15m, 26h or 7d"),
        ("template: {name: steep, parameters: {rest: [1]}}", "wrong-type", "text, a number, true or false"),
    ],
)
def test_a_use_that_does_not_fit_its_declaration_is_refused(group, rule, hint):
    ((found, field, cure),) = errors_of("", group)
    assert (found, cure) == (rule, hint)
    assert field.startswith("spec.template")


def test_a_parameter_without_a_default_must_be_given():
    more = "    must: {type: string}\n"
    ((rule, field, _),) = errors_of("", "template: {name: steep}", more=more)
    assert (rule, field) == ("missing-parameter", "spec.template.parameters.must")
    assert station_of("", "", more=more).settings.template is None


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ("    wide: {type: power, default: 3}\n", "missing-unit"),
        ("    Wide: {type: string}\n", "wrong-name"),
        ("    wide: {type: colour}\n", "unknown-value"),
    ],
)
def test_a_declaration_is_held_against_its_types(more, rule):
    assert [found for found, _, _ in errors_of("", "", more=more)] == [rule]


def test_a_template_without_its_file_is_refused():
    ((rule, field, hint),) = errors_of("", "", files={"templates/steeep.yaml.j2": BODY})
    assert (rule, field, hint) == ("unknown-reference", "spec.file", "did you mean `steeep.yaml.j2`?")
    ((_, _, hint),) = errors_of("", "", files={})
    assert hint == "it lies in the folder `templates`"


def test_what_is_wrong_in_a_set_is_told_once_however_its_stations_are_grouped():
    more = "---\nkind: StationSet\nmetadata: {name: t}\nspec:\n  identities: T-{1..2}\n"
    more += "  evses: [{id: 1, charge: 1 kW}]\n  template: {name: sleep}\n"
    more += "---\nkind: Group\nmetadata: {name: h}\nspec: {select: {names: [T-1]}}\n"
    assert len(errors_of("", "", more=more)) == 1


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("{{ power | kilowatts }}", "7.36"),
        ("{{ power | watts }}", "7360"),
        ("{{ power | amperes(1, 230) }}", "32"),
        ("{{ power | amperes(3, 230) }}", "10.6"),
        ("{{ hertz | number }}", "49.98"),
    ],
)
def test_filters_write_numbers_as_json_has_them(text, given):
    sandbox = Sandbox({"t": text})
    assert sandbox.render("t", {"power": Decimal(7360), "hertz": Decimal("49.980")}) == given


def test_the_same_template_with_other_parameters_means_something_else():
    steep = "template: {{name: steep, parameters: {{level: {}}}}}"
    three, four, again = (station_of("", steep.format(level)).settings.meaning for level in (3, 4, 3))
    assert three == again != four
