"""What every test stands on."""

import asyncio

from hypothesis import settings

# A busy machine is not a failing law: examples are bounded by number, not by time.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

# looptime asks for the current loop before each test: without one ever set, asyncio would make one that nobody closes.
asyncio.set_event_loop(None)


def pytest_terminal_summary(terminalreporter):
    """Say how many simulated days were lived, in which process soever."""
    from days.report import summarise

    summarise(terminalreporter)
