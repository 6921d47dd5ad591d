"""Running git: never asking a person, never longer than allowed, never leaving a process behind.

Used by the git source, in a thread.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from git import Git

from reconciler.errors import Transient
from reconciler.source.address import redact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

GRACE_SECONDS = 5
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=15"
# What would write to the repository later, behind our back, is done at once or not at all.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
)


class GitFailed(Exception):
    """git ended with an error; the text is its last words, without credentials."""


class Commands:
    """Run git on one repository; `stop` ends what is running and refuses what comes after."""

    def __init__(self, git_dir: Path, timeout: timedelta, configuration: Mapping[str, str] | None = None) -> None:
        self._git_dir = git_dir
        self._timeout_s = timeout.total_seconds()
        self._environment = _ENVIRONMENT | _configure(configuration or {})
        self._environment |= {"GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", _SSH)}
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Give what git prints; raises GitFailed when it fails and Transient when it takes too long or is stopped."""
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        process = self._start(["git", f"--git-dir={self._git_dir}", *settings, *arguments])
        try:
            output, words = process.communicate(stdin, timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            raise Transient(f"git {arguments[0]} took longer than {self._timeout_s:g} s") from None
        finally:
            _end(process)
            self._running = None
        if self._stopped:
            raise Transient(f"git {arguments[0]} was stopped")
        if process.returncode != 0:
            raise GitFailed(_last_words(words) or f"git {arguments[0]} ended with {process.returncode}")
        return output

    def stop(self) -> None:
        """End the running command, from any thread."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                _signal(self._running, signal.SIGTERM)

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise Transient("the source is closed")
            started = Git(os.curdir).execute(
                command, istream=subprocess.PIPE, as_process=True, env=self._environment, start_new_session=True
            )
            process = started.proc
            assert process is not None  # noqa: S101 - it has just been started
            started.proc = None  # ours to end, with all of its children
            self._running = process
            return process


def _configure(settings: Mapping[str, str]) -> dict[str, str]:
    """Hand settings over by the environment: the command line is there for every user to see."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))} if settings else {}
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with its children; git takes its lock files away when it is asked politely."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _last_words(words: bytes) -> str:
    lines = [line for line in redact(words.decode(errors="replace")).splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return "; ".join(fatal[-2:])[:500]
