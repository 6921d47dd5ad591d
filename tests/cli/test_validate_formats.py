"""`validate` speaks to people at a terminal, to scripts, and to what reviews changes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from goldens import check_golden
from reconciler.cli.main import app

FLEET = Path(__file__).parents[2] / "fleets/harbour-buses"
COMMAND = [sys.executable, "-c", "from reconciler.cli.main import main; main()"]


@pytest.fixture
def broken(tmp_path):
    """Give a copy of an example, in a repository of its own, with a misspelt key and a reference to nothing."""
    folder = tmp_path / "fleets/pier"
    for path in FLEET.rglob("*.yaml"):
        target = folder / path.relative_to(FLEET)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text().replace("evening-export, priority", "evening-exprot, priority")
        target.write_text(text.replace("  model: acme-dc22-v2", "  modle: acme-dc22-v2"))
    (tmp_path / ".git").mkdir()
    return folder


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def at_terminal(*words, env=None):
    """Give what a command writes when its output and errors are a terminal."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)], stdout=inner, stderr=inner, env={**os.environ, **(env or {})}
    )
    os.close(inner)
    parts = []
    try:
        while part := os.read(outer, 65_536):
            parts.append(part)
    except OSError:
        pass  # a terminal ends so when nobody holds its other side any more
    finally:
        os.close(outer)
    return process.wait(), b"".join(parts).decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("form", "suffix"), [("table", "txt"), ("json", "json"), ("github", "github"), ("sarif", "sarif")]
)
def test_errors_golden(broken, form, suffix):
    check_golden(f"errors/broken.{suffix}", run("validate", broken, "-o", form).stdout)


def test_errors_at_a_terminal_golden(broken):
    _, told = at_terminal("validate", broken, env={"NO_COLOR": "1", "COLUMNS": "100", "TERM": "xterm"})
    check_golden("errors/broken.terminal", told)


def test_without_a_terminal_each_error_is_one_line_that_begins_with_its_place(broken):
    result = run("validate", broken)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[-1] == "2 errors"
    assert [line.split(": ")[0] for line in lines[:-1]] == ["groups.yaml:11:18", "quay-3.yaml:23:3"]


def test_at_a_terminal_the_offending_line_is_shown_with_a_caret_that_names_the_fix(broken):
    code, told = at_terminal("validate", broken, env={"NO_COLOR": "1", "TERM": "xterm"})
    assert code == 1
    assert (
        "  11 |     - {schedule: evening-exprot, priority: 20}\n"
        "     |                  ^^^^^^^^^^^^^^ did you mean `evening-export`?\n"
    ) in re.sub("\x1b\\[[0-9;]*m", "", told)
    assert "\x1b[31m" not in told


@pytest.mark.parametrize("command", ["render", "plan"])
def test_other_commands_that_read_manifests_show_the_same(broken, command):
    code, told = at_terminal(command, broken, env={"NO_COLOR": "1", "TERM": "xterm"})
    assert code == 1
    assert "^^^^^^^^^^^^^^ did you mean `evening-export`?" in told


def test_at_a_terminal_a_caret_is_red(broken):
    _, told = at_terminal("validate", broken, env={"TERM": "xterm-256color", "COLORTERM": ""})
    assert re.search("\x1b\\[1;31m +\\^\\^", told)


def test_json_has_errors_and_warnings(broken):
    found = json.loads(run("validate", broken, "-o", "json").stdout)
    assert not found["ok"]
    assert [error["rule"] for error in found["errors"]] == ["unknown-reference", "unknown-key"]
    assert found["warnings"] == []


def test_annotations_name_files_by_their_path_in_the_repository(broken):
    result = run("validate", broken, "-o", "github")
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first.startswith("::error file=fleets/pier/groups.yaml,line=11,col=18,title=unknown-reference::")
    assert second.startswith("::error file=fleets/pier/quay-3.yaml,line=23,col=3,title=unknown-key::")
    assert result.stderr == "2 errors\n"


def test_annotations_of_a_folder_without_repository_begin_here(broken, monkeypatch):
    (broken.parents[1] / ".git").rmdir()
    monkeypatch.chdir(broken)
    assert run("validate", "-o", "github").stdout.startswith("::error file=groups.yaml,")
    monkeypatch.chdir(broken / "schedules")
    assert run("validate", "..", "-o", "github").stdout.startswith(f"::error file={broken.as_posix()}/groups.yaml,")


def test_sarif_is_a_log_of_one_run_whether_or_not_there_is_anything_wrong(broken):
    bad, good = (json.loads(run("validate", each, "-o", "sarif").stdout) for each in (broken, FLEET))
    assert [result["ruleId"] for result in bad["runs"][0]["results"]] == ["unknown-reference", "unknown-key"]
    assert [result for result in good["runs"][0]["results"] if result["level"] == "error"] == []


def test_a_good_fleet_is_summed_up_and_nothing_is_annotated():
    result = run("validate", FLEET, "-o", "github")
    assert result.exit_code == 0
    assert "::error" not in result.stdout
    assert result.stderr == "ok: 24 stations, 2 groups, 3 schedules\n"
    assert run("validate", FLEET).stdout.endswith("ok: 24 stations, 2 groups, 3 schedules\n")


def test_more_errors_than_a_terminal_can_show_are_counted(tmp_path):
    (tmp_path / "many.yaml").write_text(
        "apiVersion: v2g.fleet/v1alpha1\n" + "---\n".join(f"kind: Nothing{number}\n" for number in range(300))
    )
    lines = run("validate", tmp_path).stdout.splitlines()
    assert lines[-2].startswith("and ")
    assert lines[-2].endswith("more; `reconciler validate -o json` gives all of them")
    assert int(lines[-1].split()[0]) >= 300


def test_a_file_too_large_to_read_is_told_without_its_lines(tmp_path):
    (tmp_path / "large.yaml").write_text("#" * (6 * 1024 * 1024))
    assert "[file-too-large]" in run("validate", tmp_path).stdout
