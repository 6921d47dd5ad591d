"""`reconciler plot` draws what revisions and stations say."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from goldens import check_golden
from reconciler.cli.main import app
from reconciler.cli.plot import file_name
from reconciler.reported.saved import write_state
from revisions import MONDAY, YARD, held_by, revision

AT = ("--at", MONDAY.isoformat())


@pytest.fixture
def yard(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yard.yaml").write_text(YARD)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["plot", *map(str, words), *AT])


@pytest.mark.parametrize(("subject", "name"), [("site", "quay"), ("group", "night"), ("station", "A-01")])
def test_anything_is_drawn_under_its_own_name(yard, subject, name):
    result = run(subject, name)
    assert (result.exit_code, result.stdout) == (0, f"{subject}-{name}.png\n")
    assert (yard / f"{subject}-{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_files_suffix_says_what_it_is(yard):
    assert run("site", "quay", "--out", "quay.SVG").exit_code == 0
    ElementTree.parse(yard / "quay.SVG")
    refused = run("site", "quay", "--out", "quay.gif")
    assert refused.exit_code == 64
    assert "ends in .png or .svg" in refused.stderr


def test_a_station_shows_what_it_is_reported_to_hold(yard):
    (yard / "state.json").write_text(json.dumps(write_state([held_by(revision(), "a-01")], MONDAY)))
    run("station", "a-01", "--out", "known.svg", "--state", "state.json")
    run("station", "a-01", "--out", "plain.svg")
    assert (yard / "known.svg").read_bytes() != (yard / "plain.svg").read_bytes()
    assert run("station", "b-01", "--out", "unmet.svg", "--state", "state.json").exit_code == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("site-of-23-hours", ("site", "quay", "--day", "2026-03-29", "--theme", "light")),
        ("group-of-25-hours", ("group", "night", "--day", "2026-10-25", "--theme", "dark")),
        ("station", ("station", "a-01", "--state", "state.json")),
    ],
)
def test_pictures_golden(yard, name, words):
    (yard / "state.json").write_text(json.dumps(write_state([held_by(revision(), "a-01")], MONDAY)))
    assert run(*words, "--out", "drawn.svg").exit_code == 0
    check_golden(f"pictures/{name}.svg", (yard / "drawn.svg").read_text())


def test_a_day_of_any_kind_can_be_asked_for(yard):
    days = [("2026-03-29", "a"), ("2026-10-25", "b"), ("2026-11-23", "c")]
    for day, name in days:
        assert run("site", "quay", "--day", day, "--out", f"{name}.svg").exit_code == 0
    assert len({(yard / f"{name}.svg").read_bytes() for _, name in days}) == 3


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "tomorrow", "2026-02-30"])
def test_a_day_that_is_none_is_a_usage_error(yard, day):
    result = run("site", "quay", "--day", day)
    assert result.exit_code == 64
    assert "--day takes a date" in result.stderr


@pytest.mark.parametrize(("subject", "name", "near"), [("site", "quai", "quay"), ("group", "nihgt", "night")])
def test_an_unknown_name_says_what_may_have_been_meant(yard, subject, name, near):
    result = run(subject, name)
    assert result.exit_code == 1
    assert f"did you mean {near}?" in result.stderr
    assert "did you mean" not in run(subject, "zzzzzz").stderr
    assert "no station A-99" in run("station", "A-99").stderr


def test_what_can_not_be_written_is_a_usage_error(yard):
    result = run("site", "quay", "--out", "no/such/folder.png")
    assert result.exit_code == 64
    assert "can't be written" in result.stderr


def test_an_identity_becomes_a_harmless_file_name():
    assert file_name("Q3*1|a=b@c") == "Q3_1_a_b_c"
