"""`plan` on real repositories: what is compared with what, drift apart from change, exit codes."""

import json
import shutil

import pytest

from reconciler.ocpp.judge import judge
from reconciler.profiles.capability import Protocol
from reconciler.reported.saved import write_state
from revisions import MONDAY, held_by, revision, state_of

AT = ("--at", "2026-11-23T17:00:00+01:00")


def test_the_working_tree_is_planned_against_head(run, edit, repository):
    assert "Nothing to change." in run("plan", repository, *AT).stdout
    edit(repository, "power: -7 kW", "power: -9 kW")
    result = run("plan", repository, *AT)
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "~ 4 stations (A-01..A-04): EVSE 1: Mon-Fri 17:00-20:00 -7 kW -> -9 kW, -8 kW at the peak" in lines
    assert lines[-1].startswith("Plan: 0 to install, 4 to replace, 0 to clear; 4 of 6 stations; digest ")


def test_two_revisions_are_planned_whatever_lies_in_the_folder(run, git, edit, repository):
    edit(repository, "power: -7 kW", "power: -9 kW")
    git(repository, "commit", "-qam", "Export more")
    edit(repository, "power: -9 kW", "power: -9")
    result = run("plan", repository, "--base", "HEAD~1", "--head", "HEAD", *AT)
    assert "-7 kW -> -9 kW" in result.stdout
    assert '"Export more" against' in result.stdout
    assert run("plan", repository, "--head", "HEAD~1", *AT).stdout.count("-9 kW -> -7 kW") == 1
    assert run("plan", repository, *AT).exit_code == 1


def test_without_a_commit_everything_is_new(run, git, folder):
    for note in ("is not in a git repository", "has no commits yet"):
        result = run("plan", folder, *AT)
        assert (result.exit_code, note in result.stderr) == (0, True)
        assert "Plan: 20 to install" in result.stdout
        if not (folder / ".git").exists():
            git(folder, "init", "-q")


def test_a_base_that_is_not_there_is_a_usage_error(run, repository):
    result = run("plan", repository, "--base", "nowhere")
    assert (result.exit_code, "nowhere" in result.stderr) == (64, True)


def test_a_base_that_does_not_load_is_named(run, git, edit, repository):
    edit(repository, "power: -7 kW", "power: -7")
    git(repository, "commit", "-qam", "Break it")
    edit(repository, "power: -7}", "power: -7 kW}")
    result = run("plan", repository, *AT)
    assert result.exit_code == 1
    assert "the base HEAD does not load; --base names another" in result.stderr
    assert run("plan", repository, "--base", "HEAD~1", *AT).exit_code == 0


def test_a_head_that_can_not_be_taken_is_a_page_for_reviews_and_json_for_programs(run, edit, repository):
    edit(repository, "power: -7 kW", "power: -7 kWh")
    page = run("plan", repository, *AT, "-o", "markdown", "--exit-code")
    assert (page.exit_code, "[wrong-unit]" in page.stderr) == (1, True)
    assert page.stdout.startswith("<!-- reconciler plan yard -->\n\n### Plan for <code>yard</code>: can't be taken: ")
    assert "<code>Begin</code>" in page.stdout
    told = json.loads(run("plan", repository, *AT, "-o", "json").stdout)
    assert (told["ok"], [each["rule"] for each in told["errors"]]) == (False, ["wrong-unit"])
    assert run("plan", repository, *AT).stdout == ""


def test_what_a_guardrail_refuses_in_the_head_is_on_the_page(run, edit, repository):
    edit(repository, "import: 200 kW", "import: 2 kW")
    page = run("plan", repository, *AT, "-o", "markdown")
    assert (page.exit_code, "<code>site-import</code>" in page.stdout) == (1, True)


def test_a_page_is_named_by_the_base_where_the_head_tells_no_fleet(run, edit, repository, folder):
    edit(repository, "kind: Fleet", "kind Fleet")
    assert run("plan", repository, *AT, "-o", "markdown").stdout.startswith("<!-- reconciler plan yard -->\n")
    unknown = run("plan", repository, *AT, "-o", "markdown", "--state", "-", stdin=json.dumps(write_state([], MONDAY)))
    assert unknown.stdout.startswith("<!-- reconciler plan  -->\n\n### Plan: can't be taken: ")
    (folder / "yard.yaml").write_bytes(b"\xff")
    assert "not-utf-8" in run("plan", repository, *AT, "-o", "json").stdout


def test_a_base_that_does_not_load_is_a_page_as_well(run, git, edit, repository):
    edit(repository, "power: -7 kW", "power: -7")
    git(repository, "commit", "-qam", "Break it")
    edit(repository, "power: -7}", "power: -7 kW}")
    assert ": the base can't be compared with: 1 error\n" in run("plan", repository, *AT, "-o", "markdown").stdout


@pytest.mark.parametrize(("power", "code"), [("-7 kW", 0), ("-9 kW", 2)])
def test_pending_changes_are_told_by_the_exit_code_where_it_is_asked_for(run, edit, repository, power, code):
    edit(repository, "power: -7 kW", f"power: {power}")
    assert run("plan", repository, *AT, "--exit-code").exit_code == code
    assert run("plan", repository, *AT).exit_code == 0


def test_json_has_format_version_and_digest(run, git, edit, repository):
    edit(repository, "power: -7 kW", "power: -9 kW")
    text, plan = run("plan", repository, *AT).stdout, json.loads(run("plan", repository, *AT, "-o", "json").stdout)
    assert plan["format_version"] == 1
    assert plan["digest"][:12] in text
    assert plan["summary"]["replace"] == len(plan["changes"]) == 4
    assert plan["base"]["commit"] == git(repository, "rev-parse", "HEAD")
    for change in plan["changes"]:
        judge(Protocol.V201, "SetChargingProfile", "Request", change["payload"])


def test_saved_state_that_is_as_desired_needs_nothing(run, repository, state_file):
    result = run("plan", repository, "--state", state_file(state_of(revision())), *AT, "--exit-code")
    assert (result.exit_code, "Nothing to change." in result.stdout) == (0, True)


def test_what_stations_lost_is_drift_where_the_commit_in_force_is_known(run, git, repository, state_file):
    state = state_of(revision()) | {"a-01": held_by(revision(), "A-01", reported=held_by(revision(), "B-01").reported)}
    commit = git(repository, "rev-parse", "HEAD")
    known = run("plan", repository, "--state", state_file(state, commit), *AT, "--exit-code")
    assert (known.exit_code, "Drift: " in known.stdout) == (3, True)
    unknown = run("plan", repository, "--state", state_file(state, "0" * 40), *AT, "--exit-code")
    assert (unknown.exit_code, "Drift: " in unknown.stdout) == (2, False)
    assert "drift is not told from changes" in unknown.stderr
    assert run("plan", repository, "--state", state_file(state), *AT, "--exit-code").exit_code == 2
    named = run("plan", repository, "--state", state_file(state), "--base", "main", *AT, "--exit-code")
    assert named.exit_code == 3


def test_what_stations_refuse_blocks(run, repository, state_file):
    state = state_of(revision())
    document = write_state(state.values(), MONDAY)
    first = document["stations"][0]
    schedule = first["profiles"].pop()
    first["refusals"] = [{"evseId": 1, "profile": schedule["profile"], "reasonCode": "InvalidSchedule"}]
    path = state_file({})
    path.write_text(json.dumps(document))
    result = run("plan", repository, "--state", path, *AT, "--exit-code")
    assert (result.exit_code, "refused: InvalidSchedule" in result.stdout) == (4, True)


def test_state_comes_from_stdin_by_a_dash(run, repository):
    document = json.dumps(write_state(state_of(revision()).values(), MONDAY))
    result = run("plan", repository, "--state", "-", *AT, stdin=document)
    assert "Nothing to change." in result.stdout


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [("{", "is not JSON", 1), ("{}", "format_version: is missing", 1), (None, "can't be read", 64)],
)
def test_a_file_that_is_no_state_is_refused(run, repository, tmp_path, content, words, code):
    path = tmp_path / "state.json"
    if content is not None:
        path.write_text(content)
    result = run("plan", repository, "--state", path, *AT)
    assert (result.exit_code, words in result.stderr, result.stdout) == (code, True, "")


def test_state_and_server_exclude_each_other(run, repository):
    assert run("plan", repository, "--state", "x", "--server", "http://127.0.0.1:1").exit_code == 64


def test_a_server_that_does_not_answer_is_an_error(run, repository):
    result = run("plan", repository, "--server", "http://127.0.0.1:1", *AT)
    assert (result.exit_code, "no controller answers" in result.stderr) == (1, True)


def test_a_controller_is_asked_for_what_stations_hold(run, repository, answering):
    server = answering({"/api/v1/state": write_state(state_of(revision()).values(), MONDAY)})
    result = run("plan", repository, "--server", server, *AT, "--exit-code")
    assert (result.exit_code, "against what 6 stations report" in result.stdout) == (0, True)


def test_a_folder_below_the_root_of_its_repository_is_planned_by_itself(run, git, tmp_path, repository):
    shutil.move(repository / "yard.yaml", tmp_path / "moved.yaml")
    (repository / "deep").mkdir()
    shutil.move(tmp_path / "moved.yaml", repository / "deep" / "yard.yaml")
    uncommitted = run("plan", repository / "deep", *AT)
    assert "everything counts as new" in uncommitted.stderr
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Move")
    assert "Nothing to change." in run("plan", repository / "deep", *AT).stdout
