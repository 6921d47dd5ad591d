"""Runs a command's coroutine on uvloop where there is one, until it ends or the process is told to."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")
RARELY = (50_000, 20, 100)
"""How seldom cycles are looked for: the world is made of values, which hold none, and has a million objects."""


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    with _collecting_rarely(), asyncio.Runner(loop_factory=_factory()) as runner:
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


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Look for cycles so seldom that it takes no share of the time worth naming."""
    usual = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
