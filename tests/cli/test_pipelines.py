"""The scripts of both pipelines, run on a real repository: what can't be taken is told, what was reviewed is tied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CI = ROOT / "fleets" / "ci"
MARKER = "<!-- reconciler plan yard -->"


def github():
    job = yaml.safe_load((CI / "github-workflow.yaml").read_text())["jobs"]["plan"]
    return next(step["run"] for step in job["steps"] if step.get("name") == "plan")


def gitlab():
    job = yaml.safe_load((CI / "gitlab-ci.yaml").read_text())["fleet:plan"]
    return next(line for line in job["script"] if "reconciler plan" in line)


SCRIPTS = {"github": github, "gitlab": gitlab}


@pytest.fixture
def pull_request(repository, git, edit):
    """Give the yard with a branch that changes its power, checked out as a pipeline does."""
    git(repository, "switch", "-qc", "more")
    edit(repository, "power: -7 kW", "power: -9 kW")
    git(repository, "commit", "-qam", "Export more")
    return repository


def execute(script, folder):
    """Run a script as the pipeline would; give its exit code."""
    told = {
        "FLEET": ".",
        "BASE": "main",
        "BRANCH": "fleet-pictures",
        "FOLDER": "7/abc",
        "GITHUB_SERVER_URL": "https://example.org",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize("forge", SCRIPTS)
def test_what_a_pipeline_plans_is_of_commits_and_has_the_digest_of_the_merge(forge, pull_request, git, run):
    assert execute(SCRIPTS[forge](), pull_request) == 0
    assert (pull_request / "plan.md").read_text().startswith(f"{MARKER}\n")
    reviewed = json.loads((pull_request / "plan.json").read_text())
    assert reviewed["head"]["commit"] == git(pull_request, "rev-parse", "more")
    assert reviewed["base"]["commit"] == git(pull_request, "rev-parse", "main")
    git(pull_request, "switch", "-q", "main")
    git(pull_request, "merge", "-q", "--no-ff", "-m", "Merge", "more")
    merged = json.loads(run("plan", pull_request, "--base", "HEAD~1", "--head", "HEAD", "-o", "json").stdout)
    assert merged["head"]["commit"] != reviewed["head"]["commit"]
    assert merged["digest"] == reviewed["digest"]


@pytest.mark.parametrize("forge", SCRIPTS)
def test_a_branch_is_planned_from_where_it_began_and_undoes_nothing_that_came_since(forge, pull_request, git, edit):
    git(pull_request, "switch", "-q", "main")
    edit(pull_request, "otherwise: 3 kW", "otherwise: 2 kW")
    git(pull_request, "commit", "-qam", "Rest less")
    git(pull_request, "switch", "-q", "more")
    execute(SCRIPTS[forge](), pull_request)
    page = (pull_request / "plan.md").read_text()
    assert "-9 kW" in page
    assert "<code>night</code>" in page
    assert "<code>day</code>" not in page


@pytest.mark.parametrize(("forge", "ends"), [("github", 0), ("gitlab", 1)])
def test_a_fleet_that_can_not_be_taken_leaves_a_page_to_tell_and_stays_red(forge, ends, pull_request, git, edit):
    edit(pull_request, "power: -9 kW", "power: -9 kWh")
    git(pull_request, "commit", "-qam", "Break it")
    assert execute(SCRIPTS[forge](), pull_request) == ends
    page = (pull_request / "plan.md").read_text()
    assert page.startswith(f"{MARKER}\n\n### Plan for <code>yard</code>: can't be taken: 1 error\n")
    assert not (pull_request / "plan.json").exists()
    if forge == "github":
        assert (pull_request / "exit-code").read_text() == "1\n"


@pytest.mark.parametrize("forge", SCRIPTS)
def test_a_call_that_fails_otherwise_ends_its_job(forge, pull_request):
    assert execute(SCRIPTS[forge]().replace("--exit-code", "--no-such-option"), pull_request) == 64
