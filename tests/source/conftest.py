"""Real repositories in temporary folders."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

FLEET = "apiVersion: v2g.fleet/v1alpha1\nkind: Fleet\n"


class Repository:
    """A repository with a working copy, driven by the git command."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *arguments, stdin=None) -> str:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always")
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        command = ["git", "-C", str(self.path), *who, *arguments]
        done = subprocess.run(command, check=True, capture_output=True, input=stdin, env=environment)
        return done.stdout.decode().strip()

    def write(self, files) -> None:
        for name, text in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, files, message="Change") -> str:
        self.write(files)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "fleet")
    made.commit({"fleet.yaml": FLEET, "templates/floor.yaml.j2": "floor"}, "Begin")
    return made


@pytest.fixture
def another(tmp_path):
    return lambda name: Repository(tmp_path / name)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"
