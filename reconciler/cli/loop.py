"""Runs a command's coroutine on uvloop where there is one, until it ends or the process is told to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


def stop_signal() -> asyncio.Event:
    """Give the event that SIGTERM and SIGINT set from now on, in place of ending the process."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def until_any(stop: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Wait until the event is set or a piece of work ends, then cancel the rest; an error of it is raised here."""
    tasks = [asyncio.ensure_future(each) for each in (stop.wait(), *work)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
