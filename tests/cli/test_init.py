"""A new fleet is right from its first commit on, and nothing that exists is written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator
from typer.testing import CliRunner

from reconciler.cli import init as command
from reconciler.cli.main import app
from reconciler.manifests.documents import parse
from reconciler.manifests.load import load
from reconciler.manifests.schema import schema
from reconciler.source.folder import read_folder


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture
def made(tmp_path):
    result = run("init", tmp_path / "north-depot", "--timezone", "Europe/Amsterdam")
    assert result.exit_code == 0, result.output
    return tmp_path / "north-depot"


def test_inside_a_repository_nobody_is_told_to_make_another(tmp_path):
    assert "; next: git init, git add, and " in run("init", tmp_path / "alone").stderr
    (tmp_path / ".git").mkdir()
    assert "; next: git add and " in run("init", tmp_path / "deep" / "fleet").stderr


def test_a_new_fleet_has_one_of_each_and_validates_without_a_warning(made):
    fleet = load(read_folder(made))
    assert (fleet.name, fleet.timezone) == ("north-depot", "Europe/Amsterdam")
    assert (list(fleet.sites), list(fleet.groups), len(fleet.stations)) == (["depot"], ["night-line"], 4)
    found = json.loads(run("validate", made, "-o", "json").stdout)
    assert (found["ok"], found["errors"], found["warnings"]) == (True, [], [])
    assert found["counts"] == {"station": 4, "group": 1, "schedule": 1}


def test_every_document_teaches_and_is_checked_by_the_schema_beside_it(made):
    paths = sorted(made.rglob("*.yaml"))
    assert len(paths) == 5
    for path in paths:
        first, second = path.read_text().splitlines()[:2]
        written = json.loads((path.parent / first.split("$schema=")[1]).read_text())
        assert written == schema()
        assert second.startswith("# ")
        for document in parse(path.name, path.read_text()).documents:
            Draft202012Validator(written).validate(document.value)
        assert max(map(len, path.read_text().splitlines())) <= 120


def test_the_name_and_the_zone_may_be_given(tmp_path):
    assert run("init", tmp_path, "--name", "buses", "--timezone", "America/New_York").exit_code == 0
    fleet = load(read_folder(tmp_path))
    assert (fleet.name, fleet.timezone) == ("buses", "America/New_York")


@pytest.mark.parametrize("name", ["true", "12", "0x1f"])
def test_a_name_that_yaml_would_misread_is_quoted(tmp_path, name):
    assert run("init", tmp_path, "--name", name).exit_code == 0
    assert load(read_folder(tmp_path)).name == name


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--name", "a: [b", "--name: `a: [b` is not a name"),
        ("--name", "x\nspec: {}", "--name: "),
        ("--timezone", "Mars/Olympus", "--timezone: `Mars/Olympus` is not a time zone"),
        ("--timezone", "{a: b}", "--timezone: "),
    ],
)
def test_what_can_not_be_taken_is_a_usage_error_and_nothing_is_written(tmp_path, option, value, told):
    result = run("init", tmp_path / "new", option, value)
    assert result.exit_code == 64
    assert told in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    result = run("init", tmp_path)
    assert result.exit_code == 64
    assert "is not empty (it has notes.txt)" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert "is a file" in run("init", tmp_path / "notes.txt").stderr


def test_a_repository_without_files_is_empty(tmp_path):
    (tmp_path / ".git").mkdir()
    assert run("init", tmp_path).exit_code == 0


def test_a_folder_that_can_not_be_made_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("init", tmp_path / "file/new")
    assert result.exit_code == 64
    assert "can't be written" in result.stderr


@pytest.mark.parametrize(
    ("folder", "name"), [("North depot!", "North-depot"), ("___", "my-fleet"), ("2026", "my-fleet")]
)
def test_the_folder_gives_the_name_where_it_can(folder, name):
    assert command._name("", Path(folder)) == name


def test_the_zone_is_the_machines_where_it_names_one(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    assert command._local_zone() == "Asia/Tokyo"
    monkeypatch.setenv("TZ", "CET-1CEST")
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    assert command._local_zone(link) == "Europe/Berlin"
    monkeypatch.delenv("TZ")
    assert command._local_zone(tmp_path / "none") == "UTC"
