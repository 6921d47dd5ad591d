"""What is held back until its line is kept: clears as well as pushes, and whatever comes while the journal fails."""

import asyncio

import pytest

from ledgers import Bench
from reconciler.controller.world import RevisionLoaded
from reconciler.rollout.commands import Clear
from toys import revision, stranger

looptime = pytest.mark.looptime


@pytest.fixture
async def bench():
    made = Bench()
    yield made
    await made.stop()


@looptime
async def test_a_clear_waits_for_its_line_as_well(bench):
    left = stranger(1500)
    bench.yard.held["A-1"] = {left.id: left}
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await bench.settle()
    assert [each.profile_id for each in bench.writes() if isinstance(each, Clear)] == [left.id]
    assert not bench.yard.unannounced


@looptime
async def test_what_comes_while_a_write_of_the_journal_fails_ends_as_not_sent_too(bench):
    bench.ledger.gate = asyncio.Event()
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await asyncio.sleep(5)
    bench.connect("A-2", 2)
    await asyncio.sleep(5)
    assert bench.controller.world.in_flight == 2
    bench.ledger.lost = "it is away"
    bench.ledger.gate.set()
    await asyncio.sleep(5)
    assert bench.controller.world.in_flight == 0
    assert not bench.writes()
