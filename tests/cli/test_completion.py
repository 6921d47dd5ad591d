"""The shell completes commands, options and their values, without the program being told of any twice."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.main import get_command

from reconciler.cli.main import app

COMMAND = [sys.executable, "-c", "from reconciler.cli.main import main; main()"]


def run(*words, **env):
    ran = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env={**os.environ, **env}, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def complete(line):
    words = line.split(" ")
    return run(_RECONCILER_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)).split()


def test_every_command_is_completed():
    assert complete("reconciler ") == list(get_command(app).commands)
    assert complete("reconciler va") == ["validate"]


def test_options_and_their_values_are_completed():
    assert "--exit-code" in complete("reconciler plan --")
    assert complete("reconciler validate -o ") == ["table", "json", "github", "sarif"]
    assert complete("reconciler get stations --state d") == ["drifted", "deferred"]


@pytest.fixture
def here(folder, monkeypatch):
    """Be in the folder of a fleet."""
    monkeypatch.chdir(folder)
    return folder


def test_names_of_the_fleet_here_are_completed(here):
    assert complete("reconciler plot site ") == ["quay"]
    assert complete("reconciler plot group n") == ["night"]
    assert complete("reconciler plot station A-0") == ["A-01", "A-02", "A-03", "A-04"]
    assert complete("reconciler render --station B") == ["B-01", "B-02"]
    assert complete("reconciler schema Sta") == ["Station", "StationSet"]


def test_names_of_another_folder_are_completed_once_it_is_named(here, monkeypatch):
    (here.parent / "elsewhere").mkdir()
    monkeypatch.chdir(here.parent / "elsewhere")
    assert complete("reconciler render --station B") == []
    assert complete(f"reconciler render ../{here.name} --station B") == ["B-01", "B-02"]


def test_a_fleet_that_does_not_load_completes_nothing_and_says_nothing(here):
    (here / "yard.yaml").write_text("kind: [")
    assert complete("reconciler plot group n") == []
    assert complete("reconciler plot station A") == []


def test_stations_of_the_running_controller_are_completed(answering, monkeypatch):
    url = answering({"/api/v1/stations": [{"identity": "A-01"}, {"identity": "B-01"}]})
    monkeypatch.setenv("RECONCILER_SERVER", url)
    assert complete("reconciler explain A") == ["A-01"]
    assert complete("reconciler suspend A-01 B") == ["B-01"]
    monkeypatch.setenv("RECONCILER_SERVER", "http://127.0.0.1:9")
    assert complete("reconciler explain A") == []


@pytest.mark.parametrize(("shell", "told"), [("zsh", '"validate":"Check'), ("fish", "validate\tCheck")])
def test_other_shells_are_told_what_a_command_is_for(shell, told):
    line = {"_TYPER_COMPLETE_ARGS": "reconciler va", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert told in run(_RECONCILER_COMPLETE=f"complete_{shell}", **line)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_for_the_shell_that_is_named(shell, tmp_path):
    run("--install-completion", shell, HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("_RECONCILER_COMPLETE" in path.read_text() for path in written)


def test_the_script_is_shown_for_those_who_install_it_themselves():
    script = run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "complete -o default -F _reconciler_completion reconciler" in script
