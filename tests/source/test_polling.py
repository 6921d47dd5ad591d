from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ManifestError, Place, Transient
from reconciler.manifests.snapshot import Snapshot
from reconciler.source.polling import LONGEST_WAIT, Fetched, FetchFailed, back_off, watch

INTERVAL = timedelta(seconds=30)


def snapshot(commit):
    return Snapshot(commit, "Ann", None, "Change", {})


class Script:
    """A source that gives what a test has written down, then the last thing for ever."""

    def __init__(self, *results):
        self.results = list(results)
        self.times = []

    async def fetch(self):
        self.times.append(asyncio.get_running_loop().time())
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result


async def observe(source, count, uniform=lambda low, high: high):
    found = []
    async for observation in watch(source, INTERVAL, uniform):
        found.append(observation)
        if len(found) == count:
            return found
    raise AssertionError("it ended")


@pytest.mark.looptime
async def test_a_commit_is_told_once():
    one, two = snapshot("1"), snapshot("2")
    source = Script(one, one, one, two, two, one)
    assert await observe(source, 3) == [Fetched(one), Fetched(two), Fetched(one)]
    assert len(source.times) == 6


@pytest.mark.looptime
async def test_failures_are_told_with_a_growing_wait_and_recovery_is_told_too():
    good, error = snapshot("1"), Transient("no network")
    source = Script(good, error, error, good)
    first, second, third, fourth = await observe(source, 4, lambda low, high: 1.0)
    assert (first, fourth) == (Fetched(good), Fetched(good))
    assert (second.failures, second.wait) == (1, timedelta(seconds=60))
    assert (third.error, third.failures, third.wait) == (error, 2, timedelta(seconds=120))
    assert source.times == pytest.approx([0, 30, 90, 210], abs=0.1)


@pytest.mark.looptime
async def test_a_revision_that_can_not_be_read_is_a_failure_like_any_other():
    error = ManifestError("too large", Place("a.yaml"))
    (found,) = await observe(Script(error), 1)
    assert isinstance(found, FetchFailed)
    assert found.error is error


@pytest.mark.looptime
async def test_a_mistake_of_ours_is_not_swallowed():
    with pytest.raises(KeyError):
        await observe(Script(KeyError("x")), 1)


@given(st.integers(1, 10**6), st.floats(0.5, 1.0), st.integers(1, 10**6))
def test_the_wait_never_exceeds_its_limit_and_never_falls_below_half_an_interval(failures, chance, seconds):
    interval = timedelta(seconds=seconds)
    wait = back_off(interval, failures, lambda low, high: chance)
    assert interval / 2 <= wait <= max(LONGEST_WAIT, interval)
