"""What every test stands on."""

import asyncio
import os

import pytest
from hypothesis import settings

import databases

# A busy machine is not a failing law: examples are bounded by number, not by time.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

# looptime asks for the current loop before each test: without one ever set, asyncio would make one that nobody closes.
asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def _cluster():
    binaries = databases.server_binaries()
    if binaries is None and os.environ.get("CI") == "true":
        pytest.fail("no PostgreSQL server is installed, and in CI its tests are not skipped")
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed: its programs are looked for in /usr/lib/postgresql")
    cluster = databases.Cluster(binaries)
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(_cluster):
    """A running server, whatever the test before did to it."""
    return _cluster


def pytest_terminal_summary(terminalreporter):
    """Say how many simulated days were lived, in which process soever."""
    from days.report import summarise

    summarise(terminalreporter)


SLOW = ("e2e", "kill", "laws", "days", "store")
"""Folders whose tests take seconds each; begun first, so that no worker is left alone with them at the end."""


def pytest_collection_modifyitems(items):
    """Begin with the slow."""
    items.sort(key=lambda item: SLOW.index(item.path.parent.name) if item.path.parent.name in SLOW else len(SLOW))
