"""`plan --out` and `show`: a saved plan is printed as it was; pictures and Markdown belong together."""

import json

import pytest

from reconciler.reported.saved import write_state
from revisions import MONDAY, revision, state_of

AT = ("--at", "2026-11-23T17:00:00+01:00")


@pytest.fixture
def edited(edit, repository):
    edit(repository, "power: -7 kW", "power: -9 kW")
    return repository


@pytest.mark.parametrize("form", [(), ("-o", "json"), ("-o", "markdown"), ("--by", "group"), ("--by", "station")])
def test_a_saved_plan_is_shown_as_it_was_printed(run, edited, tmp_path, form):
    planned = run("plan", edited, *AT, "--out", tmp_path / "plan.json", *form)
    shown = run("show", tmp_path / "plan.json", *form)
    assert (planned.exit_code, shown.exit_code) == (0, 0)
    assert shown.stdout == planned.stdout
    assert "A-01" in shown.stdout


def test_a_saved_plan_says_until_when_it_may_be_applied(run, edited, tmp_path, monkeypatch):
    monkeypatch.setenv("RECONCILER_CLOCK", "2026-11-23T15:00:00Z")
    run("plan", edited, *AT, "--out", tmp_path / "plan.json", "--expires", "90m")
    saved = json.loads((tmp_path / "plan.json").read_text())
    assert saved["created"].startswith("2026-11-23T15:00:0")
    assert saved["expires"].startswith("2026-11-23T16:30:0")
    assert saved["at"] == "2026-11-23T16:00:00Z"


def test_a_plan_says_when_the_reported_state_was_true(run, edited, tmp_path):
    state = tmp_path / "state.json"
    state.write_text(json.dumps(write_state(state_of(revision()).values(), MONDAY, "")))
    result = run("plan", edited, *AT, "--state", state, "-o", "markdown")
    assert "against what stations reported at Mon 2026-11-23 17:00, 0 s before." in result.stdout


def test_markdown_refers_to_the_pictures_that_were_drawn(run, edited, tmp_path):
    drawn = tmp_path / "new" / "pictures"
    result = run("plan", edited, *AT, "-o", "markdown", "--pictures", drawn)
    assert f"![Site quay before and after]({drawn.as_posix()}/site-quay.png)" in result.stdout
    assert (drawn / "site-quay.png").read_bytes().startswith(b"\x89PNG")
    result = run("plan", edited, *AT, "-o", "markdown", "--pictures", drawn, "--pictures-url", "https://x.org/p/")
    assert "(https://x.org/p/site-quay.png)" in result.stdout


def test_nothing_is_drawn_where_nothing_changes(run, repository, tmp_path):
    run("plan", repository, *AT, "--pictures", tmp_path / "pictures")
    assert list((tmp_path / "pictures").iterdir()) == []


def test_a_plan_is_read_from_stdin(run, edited):
    document = run("plan", edited, *AT, "-o", "json").stdout
    assert run("show", "-", stdin=document).stdout == run("plan", edited, *AT).stdout


def test_what_can_not_be_written_is_a_usage_error(run, edited, tmp_path):
    (tmp_path / "file").write_text("")
    for option, target in (("--out", tmp_path / "no" / "plan.json"), ("--pictures", tmp_path / "file")):
        result = run("plan", edited, *AT, option, target)
        assert (result.exit_code, option in result.stderr) == (64, True)


def test_what_is_no_plan_is_refused(run, tmp_path):
    assert run("show", tmp_path / "nothing.json").exit_code == 64
    for content, message in (("{", "is not JSON"), ("{}", "saved plan: "), ("[1]", "saved plan: ")):
        (tmp_path / "plan.json").write_text(content)
        result = run("show", tmp_path / "plan.json")
        assert (result.exit_code, message in result.stderr) == (1, True)


def test_a_file_larger_than_a_plan_can_be_is_not_read(run, tmp_path, monkeypatch):
    monkeypatch.setattr("reconciler.cli.show.LARGEST_PLAN", 10)
    (tmp_path / "plan.json").write_text(" " * 11)
    result = run("show", tmp_path / "plan.json")
    assert (result.exit_code, "which no plan is" in result.stderr) == (1, True)
