"""`render --explain`: where each step and each setting comes from."""

import json

import pytest
import yaml

from goldens import check_golden
from revisions import YARD

AT = ("--at", "2026-11-23T17:00:00+01:00")


def test_the_golden_explanation_fits_a_terminal(run, folder):
    text = run("render", folder, *AT, "--explain").stdout
    assert max(map(len, text.splitlines())) <= 100
    check_golden("render/explain.txt", text)


def test_stations_of_which_the_same_is_told_are_told_once(run, folder):
    text = run("render", folder, *AT, "--explain").stdout
    assert [line for line in text.splitlines() if not line.startswith(" ") and line] == [
        "A-01..A-04 (4 stations)",
        "B-01, B-02 (2 stations)",
    ]


def test_a_step_leads_to_the_line_that_says_it(run, folder):
    (told,) = json.loads(run("render", folder, *AT, "--explain", "--station", "a-01", "-o", "json").stdout)
    (evse,) = told["evses"]
    source = evse["steps"][0]["source"]
    assert (source["schedule"], source["window"], source["priority"], source["group"], source["power"]) == (
        "evening",
        "window 17:00-20:00",
        20,
        "night",
        "-7 kW",
    )
    _, line, column = source["place"].split(":")
    assert YARD.splitlines()[int(line) - 1][int(column) - 1 :].startswith("{days: weekdays")
    (lease,) = (each for each in told["settings"] if each["field"] == "failSafe.lease")
    assert (lease["value"], lease["level"], lease["place"].split(":")[0]) == ("30h", "Fleet yard", "yard.yaml")


def test_nobody_speaking_is_null(run, folder, edit):
    edit(folder, "  otherwise: 3 kW\n", "")
    (told,) = json.loads(run("render", folder, *AT, "--explain", "--station", "A-01", "-o", "json").stdout)
    assert [bool(each["source"]) for each in told["evses"][0]["steps"]] == [True, False, True, False, True, False]
    assert "no schedule speaks: zero" in run("render", folder, *AT, "--explain").stdout


def test_yaml_and_json_say_the_same(run, folder):
    one, other = (run("render", folder, *AT, "--explain", "-o", form).stdout for form in ("yaml", "json"))
    assert yaml.safe_load(one) == json.loads(other)


def test_a_refusal_is_told_and_ends_with_one(run, folder, edit):
    edit(folder, "{protocol: 2.0.1, negativeLimit: true}", "{protocol: 2.1}")
    ended = run("render", folder, *AT, "--explain", "--protocol", "2.0.1", "--station", "A-01")
    assert (ended.exit_code, "  ! refused: discharge" in ended.stdout) == (1, True)
    assert "can't take it over OCPP 2.0.1" in ended.stderr


def test_what_others_steer_is_told_with_how_far_it_may_lead(run, folder, edit):
    edit(folder, "power: -7 kW}", "mode: local-load-balancing}")
    edit(folder, "{protocol: 2.0.1, negativeLimit: true}", "{protocol: 2.1, modes: [local-load-balancing]}")
    text = " ".join(run("render", folder, *AT, "--explain", "--station", "A-01").stdout.split())
    assert "LocalLoadBalancing within -15 kW and 15 kW" in text


def test_what_is_given_beside_what_is_asked_for(run, folder, edit):
    edit(folder, "discharge: 15 kW", "discharge: 5 kW")
    text = " ".join(run("render", folder, *AT, "--explain", "--station", "A-01").stdout.split())
    assert "-5 kW evening, window 17:00-20:00, priority 20, group night, asks for -7 kW, at yard.yaml" in text


@pytest.mark.parametrize("words", [("-o", "text"), ("--explain", "-o", "table")])
def test_text_is_for_explanations_alone(run, folder, words):
    assert run("render", folder, *words).exit_code == 64
