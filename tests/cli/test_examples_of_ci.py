"""The examples for copying name only what the command line has, and are whole: YAML, shell and Python that parse."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import threading
from contextlib import contextmanager
from enum import EnumType
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from reconciler.cli.main import app

ROOT = Path(__file__).parents[2]
WORKFLOW, PIPELINE, HOOKS = (
    ROOT / name for name in ("fleets/ci/github-workflow.yaml", "fleets/ci/gitlab-ci.yaml", ".pre-commit-hooks.yaml")
)
PAGE = ROOT / "docs/pull-requests.md"
ENDS = re.compile(r"\s(?:>|\|\||\|)\s.*")


def read(path):
    return yaml.safe_load(path.read_text())


def scripts():
    for job in read(WORKFLOW)["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)
    for name, job in read(PIPELINE).items():
        if name.startswith("fleet:"):
            yield from job["script"]


def commands():
    """Give every call of the program: in scripts, hooks and the page about them."""
    lines = [line for script in scripts() for line in script.replace("\\\n", "").splitlines()]
    lines += [hook["entry"] for hook in read(HOOKS)]
    lines += re.findall(r"^\$ (reconciler .*)$", PAGE.read_text(), re.MULTILINE)
    found = (ENDS.sub("", line).strip() for line in lines)
    return sorted({line for line in found if line.startswith("reconciler ")})


def choices(option, value):
    """Give what an option takes where that is one of a few words; anything else is taken."""
    kind = option.type_descriptor.annotation
    return [each.value for each in kind] if isinstance(kind, EnumType) else [value]


def test_every_example_calls_the_program():
    assert len(commands()) >= 8


@pytest.mark.parametrize("line", commands())
def test_every_call_names_a_command_options_and_values_that_there_are(line):
    _, name, *words = shlex.split(line)
    command = get_command(app)
    if name.startswith("-"):
        words = [name, *words]
    else:
        command = command.commands[name]
    options = {each: one for one in command.params if one.param_type_name == "option" for each in one.opts}
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    given = 0
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            given += 1
            continue
        assert word in options, f"{name} has no {word}"
        if not options[word].is_flag:
            value = words.pop(0)
            assert value in choices(options[word], value), f"{name} {word} does not take {value}"
    assert len([each for each in arguments if each.required]) <= given <= len(arguments)


@pytest.mark.parametrize("script", list(scripts()))
def test_every_script_is_shell_and_what_it_hands_to_python_is_python(script):
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    for part in re.findall(r"<<'SCRIPT'\n(.*?)\nSCRIPT", script, re.DOTALL):
        compile(part, "script", "exec")


def test_what_reads_the_pull_request_may_write_nothing():
    jobs = read(WORKFLOW)["jobs"]
    assert read(WORKFLOW)["permissions"] == {}
    assert jobs["plan"]["permissions"] == {"contents": "read", "security-events": "write"}
    assert not any("checkout" in step.get("uses", "") for step in jobs["comment"]["steps"])


def test_a_plan_that_is_refused_fails_the_check_of_forks_as_of_branches_and_is_told_all_the_same(tmp_path):
    jobs = read(WORKFLOW)["jobs"]
    verdict = jobs["plan"]["steps"][-1]
    assert (verdict["name"], "if" in verdict) == ("verdict", False)
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert jobs["comment"]["if"] == f"${{{{ !cancelled() && {own} }}}}"
    for code, end in (("0", 0), ("1", 1), ("2", 0), ("3", 0), ("4", 1)):
        (tmp_path / "exit-code").write_text(f"{code}\n")
        done = subprocess.run(["bash", "-ec", verdict["run"]], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == end


def test_the_note_of_a_merge_request_is_updated_in_place(tmp_path):
    (script,) = (each for each in scripts() if "<<'SCRIPT'" in each)
    others = [{"id": number, "body": "I wonder"} for number in range(150)]
    with notes_of(others) as (server, notes):
        for plan in ("one", "two"):
            (tmp_path / "plan.md").write_text(f"<!-- reconciler plan pier -->\n\n{plan}\n")
            subprocess.run(["bash", "-ec", script], cwd=tmp_path, check=True, env={**os.environ, **server})
    assert [note["body"] for note in notes[150:]] == ["<!-- reconciler plan pier -->\n\ntwo\n"]
    assert notes[:150] == others


@contextmanager
def notes_of(others):
    """Serve the notes of a merge request as GitLab does: in pages, to whoever brings the token."""
    notes = list(others)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            page = int(re.search(r"[?&]page=(\d+)", self.path)[1])
            following = str(page + 1) if page * 100 < len(notes) else ""
            self.answer(notes[page * 100 - 100 : page * 100], following)

        def do_POST(self):
            notes.append({"id": len(notes), **self.body()})
            self.answer(notes[-1])

        def do_PUT(self):
            notes[int(self.path.rsplit("/", 1)[1])].update(self.body())
            self.answer({})

        def body(self):
            assert self.headers["PRIVATE-TOKEN"] == "secret"
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, content, following=""):
            self.send_response(200)
            self.send_header("X-Next-Page", following)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    told = {"CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "2", "PLAN_TOKEN": "secret", "no_proxy": "*"}
    try:
        yield {**told, "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}/api/v4"}, notes
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("script", list(scripts()))
def test_no_script_takes_words_of_the_pull_request_into_itself(script):
    assert "${{" not in script


def test_the_hook_is_what_people_put_into_their_configuration():
    (hook,) = read(HOOKS)
    assert (hook["id"], hook["language"], hook["pass_filenames"]) == ("reconciler-validate", "python", False)
    pattern = re.compile(hook["files"])
    assert all(pattern.search(name) for name in ("fleet.yaml", "a/b.yml", "stations.csv", "templates/schedule.yaml.j2"))
    assert not pattern.search("README.md")


def test_the_folder_of_examples_is_no_fleet():
    assert not (ROOT / "fleets/ci/fleet.yaml").exists()
    assert not [path for path in (ROOT / "fleets/ci").iterdir() if "v2g.fleet" in path.read_text()]
