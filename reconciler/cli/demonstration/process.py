"""The controller as a process of its own, so that it can be killed without a word."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from pathlib import Path

import orjson

from reconciler.cli.clock import VARIABLE
from reconciler.cli.demonstration.told import Missed

START_S = 30.0
COMMAND = (sys.executable, "-c", "from reconciler.cli.main import main; main()")
"""This very program, whether it is installed or a checkout."""


class ControllerProcess:
    """A running `reconciler run` with the addresses that it took."""

    def __init__(self, process: Process) -> None:
        """Take a process that was just started; `started` reads its addresses."""
        self._process = process
        self._heard: dict[str, str] = {}
        self._news = asyncio.Event()
        self.last_words: deque[str] = deque(maxlen=12)
        self._reader = asyncio.create_task(self._read(), name="controller's log")

    @classmethod
    async def start(cls, folder: Path, clock: str) -> ControllerProcess:
        """Start a controller for a repository on free ports, and wait until it listens.

        Raises:
            Missed: it ended, or did not listen in time.
        """
        words = ("run", "--source", str(folder), "--interval", "1s", "--read-back", "3s", "--store", "none")
        ports = ("--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
        environment = os.environ | {VARIABLE: clock}
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *words, *ports, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
        )
        controller = cls(process)
        try:
            await asyncio.wait_for(controller._started(), START_S)
        except (TimeoutError, asyncio.CancelledError, Missed):
            await controller.kill()
            raise
        return controller

    @property
    def stations_url(self) -> str:
        """Give where stations connect."""
        return self._heard["stations"]

    @property
    def api_url(self) -> str:
        """Give where the API is."""
        return self._heard["api"]

    @property
    def runs(self) -> bool:
        """Tell whether it still runs."""
        return self._process.returncode is None

    async def kill(self) -> None:
        """End it with SIGKILL: it gets no chance to say or send anything."""
        if self.runs:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def _started(self) -> None:
        while not {"stations", "api"} <= self._heard.keys():
            if self._reader.done():
                raise Missed("the controller did not start:\n" + "\n".join(self.last_words))
            self._news.clear()
            await self._news.wait()

    async def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was started with a pipe
        async for line in self._process.stderr:
            self.last_words.append(line.decode(errors="replace").rstrip())
            self._note(line)
        self._news.set()

    def _note(self, line: bytes) -> None:
        try:
            said = orjson.loads(line)
        except ValueError:
            return
        if isinstance(said, dict) and said.get("event") in ("listening", "serving"):
            self._heard |= {name: str(said[name]) for name in ("stations", "api") if name in said}
            self._news.set()
