"""`validate` and `render` on real folders, and what all commands share: streams, formats, exit codes, bad input."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from reconciler.ocpp.judge import judge
from reconciler.profiles.capability import Protocol
from revisions import ROOT, YARD

AT = ("--at", "2026-11-23T17:00:00+01:00")
FLEET = ROOT / "fleets" / "harbour-buses"
COMMAND = Path(sys.executable).with_name("reconciler")
TEMPLATE = "templates/schedule.yaml.j2"


# validate


@pytest.mark.parametrize(
    ("name", "words"),
    [("harbour-buses", "24 stations, 2 groups, 3 schedules"), ("city-500", "500 stations, 2 groups, 2 schedules")],
)
def test_the_example_fleets_are_valid(run, name, words):
    result = run("validate", ROOT / "fleets" / name)
    assert (result.exit_code, words in result.stdout) == (0, True)


def test_every_error_is_told_at_once_with_its_place_and_rule(run, edit, folder):
    edit(folder, "power: -7 kW", "power: -7")
    edit(folder, "site: quay, select", "site: quai, select")
    result = run("validate", folder)
    assert result.exit_code == 1
    assert "missing-unit" in result.output
    assert "did you mean" in result.output
    assert "2 errors" in result.output


def test_errors_as_json_have_place_field_rule_and_hint(run, edit, folder):
    edit(folder, "power: -7 kW", "power: -7")
    result = run("validate", folder, "-o", "json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"], len(found["errors"])) == (1, False, 1)
    error = found["errors"][0]
    assert (error["rule"], error["file"]) == ("missing-unit", "yard.yaml")
    assert error["line"] == 1 + YARD[: YARD.index("power: -7 kW")].count("\n")
    assert error["field"] == "spec.windows[0].power"
    assert "-7 kW" in error["hint"]


def test_a_valid_fleet_as_json_counts_its_parts(run, folder):
    found = json.loads(run("validate", folder, "-o", "json").stdout)
    assert (found["ok"], found["counts"]["station"]) == (True, 6)


def test_site_caps_are_part_of_what_is_checked(run, edit, folder):
    edit(folder, "export: 200 kW", "export: 20 kW")
    result = run("validate", folder)
    assert (result.exit_code, "site-export" in result.output) == (1, True)


# Bad input: an error with its place, soon

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
LOOPS = "{% for one in range(19999) %}{% for two in range(19999) %}{{ two }}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("bomb.yaml", BOMB, "bomb.yaml"),
        ("large.yaml", "# " + "x" * 50_000_000, "file-too-large"),
        ("not.yaml", "kind: [", "not.yaml:2"),
        ("binary.yaml", "\x00", "binary.yaml"),
        (TEMPLATE, LOOPS, TEMPLATE),
        (TEMPLATE, "{{ ''.__class__ }}", TEMPLATE),
        (TEMPLATE, "{% if %}", f"{TEMPLATE}:1"),
    ],
)
def test_hostile_input_is_refused_soon_and_with_its_place(run, folder, name, text, words):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    begun = time.process_time()
    result = run("validate", folder)
    assert result.exit_code == 1
    assert words in result.output
    # A second is the limit; a slow machine may take longer, but nothing here may explode.
    assert time.process_time() - begun < 5


# render


def test_json_is_an_array_of_station_evse_and_profile(run):
    entries = json.loads(run("render", FLEET, *AT, "-o", "json").stdout)
    assert len(entries) == 24 * 3
    assert {frozenset(entry) for entry in entries} == {frozenset(("station", "evseId", "profile"))}
    keys = [(entry["station"], entry["evseId"], entry["profile"]["id"]) for entry in entries]
    assert keys == sorted(keys)


def test_yaml_and_json_say_the_same(run):
    one, other = (run("render", FLEET, *AT, "-o", form).stdout for form in ("yaml", "json"))
    assert yaml.safe_load(one) == json.loads(other)


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_same_instant_gives_the_same_bytes(run, form):
    commands = [[COMMAND, "render", str(FLEET), *AT, "-o", form]] * 2
    texts = {subprocess.run(each, capture_output=True, check=True).stdout for each in commands}
    assert len(texts) == 1
    assert run("render", FLEET, *AT, "-o", form).stdout.encode() in texts


def test_one_station_is_found_in_any_spelling(run):
    entries = json.loads(run("render", FLEET, *AT, "-o", "json", "--station", "q3-002").stdout)
    assert {entry["station"] for entry in entries} == {"Q3-002"}


def test_an_unknown_station_is_answered_with_the_nearest(run):
    result = run("render", FLEET, "--station", "Q3-0012")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no station Q3-0012; did you mean Q3-0" in result.stderr
    assert "did you mean" not in run("render", FLEET, "--station", "zebra").stderr


@pytest.mark.parametrize(("version", "protocol"), [("2.0.1", Protocol.V201), ("2.1", Protocol.V21)])
def test_with_a_protocol_it_is_what_goes_out_on_the_wire(run, version, protocol):
    result = run("render", FLEET, *AT, "-o", "json", "--protocol", version, "--station", "Q3-001")
    assert result.exit_code == 0
    for entry in json.loads(result.stdout):
        judge(
            protocol, "SetChargingProfile", "Request", {"evseId": entry["evseId"], "chargingProfile": entry["profile"]}
        )


def test_discharge_is_a_negative_limit_where_it_is_declared_and_a_setpoint_in_two_one(run):
    old, new = (
        run("render", FLEET, *AT, "--protocol", each, "--station", "Q3-001").stdout for each in ("2.0.1", "2.1")
    )
    assert "limit: -7000" in old
    assert "operationMode" not in old
    assert "setpoint: -7000" in new


def test_who_can_not_take_it_is_refused_by_name_and_the_others_are_printed(run):
    result = run("render", FLEET, *AT, "--protocol", "2.0.1", "-o", "json")
    assert result.exit_code == 1
    assert "Q3-013 can't take it over OCPP 2.0.1: discharge" in result.stderr
    assert "Q3-001" not in result.stderr
    assert len(json.loads(result.stdout)) == 12 * 3 + 12 * 2


def test_a_broken_tree_is_not_rendered(run, edit, folder):
    edit(folder, "power: -7 kW", "power: -7")
    result = run("render", folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "missing-unit" in result.stderr


# What all commands share


@pytest.mark.parametrize("words", ["noon", "2026-11-23T17:00:00", "99999-01-01T00:00:00Z"])
@pytest.mark.parametrize("command", ["validate", "render", "plan"])
def test_an_instant_without_its_zone_is_a_usage_error(run, command, words):
    result = run(command, FLEET, "--at", words)
    assert (result.exit_code, "--at takes an instant with its zone" in result.stderr) == (64, True)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("validat",),
        ("plan", "--nothing"),
        ("plan", "-o", "picture"),
        ("render", "--protocol", "1.6"),
        ("validate", "/no/such/folder"),
        ("render", "one", "two"),
    ],
)
def test_a_wrong_command_line_ends_with_64_and_nothing_on_stdout(run, arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (64, "")
    assert result.stderr


@pytest.mark.parametrize("command", ["validate", "render", "plan"])
def test_every_help_has_an_example_and_fits_a_terminal(run, command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"reconciler {command}" in result.stdout
    assert "Example" in result.stdout


def test_the_version_is_told(run):
    assert run("--version").stdout.strip()[0].isdigit()


def test_no_output_is_coloured_where_nobody_looks(edit, repository):
    edit(repository, "power: -7 kW", "power: -9 kW")
    done = subprocess.run([COMMAND, "plan", ".", *AT], cwd=repository, capture_output=True, check=True)
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("no_colour", [True, False])
def test_a_terminal_gets_colour_unless_it_does_not_want_any(edit, repository, no_colour):
    edit(repository, "power: -7 kW", "power: -9 kW")
    environment = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    environment |= {"TERM": "xterm", "COLUMNS": "100"} | ({"NO_COLOR": "1"} if no_colour else {})
    ours, theirs = os.openpty()
    done = subprocess.run([COMMAND, "plan", ".", *AT], cwd=repository, stdout=theirs, env=environment, check=True)
    os.close(theirs)
    output = os.read(ours, 100_000)
    os.close(ours)
    assert done.returncode == 0
    assert b"Plan: 0 to install, 4 to replace" in output
    assert (b"\x1b[33m" in output) == (not no_colour)


def test_a_reader_that_goes_away_is_no_trouble():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([COMMAND, "render", str(FLEET), *AT], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode in {0, 1}


def test_what_authors_write_can_not_steer_a_terminal(run, git, repository):
    git(repository, "commit", "-q", "--allow-empty", "-m", "Wipe \x1b[2J the screen")
    result = run("plan", repository, "--head", "HEAD", *AT)
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J" in result.stdout
