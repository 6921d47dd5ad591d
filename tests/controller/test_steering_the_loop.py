"""People's orders through the loop: each gets its reply, and an older revision comes back past waves and windows."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.controller.loop import Controller
from reconciler.controller.world import Order, RevisionLoaded, Settings, Verb
from reconciler.errors import RevisionError, Transient
from toys import NOON, revision, shipped


class Nobody:
    """No station at all."""

    def execute(self, command):
        raise AssertionError(command)


@pytest.fixture
async def controller():
    made = Controller(Nobody(), shipped(), lambda: NOON, Settings())
    task = asyncio.create_task(made.run())
    yield made
    made.close()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def newer():
    return replace(revision().snapshot, commit="newer")


async def test_an_order_ends_in_its_reply(controller):
    refused = await controller.order(Order(Verb.PAUSE, "ada", "wait", "1"))
    assert refused.error == "there is no rollout under way"
    taken = await controller.order(Order(Verb.SUSPEND, "ada", "works", "2", ("a-1",)))
    assert (taken.error, controller.world.suspended["a-1"].reason) == ("", "works")
    assert [each.action for each in controller.history] == ["suspend"]
    assert controller.recorded == 1


async def test_a_suspension_of_a_station_that_never_came_ends_by_the_loops_own_alarm():
    made = Controller(Nobody(), shipped(), lambda: datetime.now(UTC), Settings())
    task = asyncio.create_task(made.run())
    until = datetime.now(UTC) + timedelta(milliseconds=200)
    await made.order(Order(Verb.SUSPEND, "ada", "works", "1", ("nobody",), until))
    assert set(made.world.suspended) == {"nobody"}
    async with asyncio.timeout(10):
        await made.until(lambda world: not world.suspended)
    assert [each.action for each in made.history] == ["suspend", "resume"]
    assert made.history[-1].at >= until
    made.close()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_who_goes_back_gets_the_older_revision_and_leaves_the_newer_in_quarantine(controller):
    first = revision()
    controller.report(RevisionLoaded(first))
    await controller.take(newer())
    await controller.until(lambda world: world.revision.commit == "newer")
    back = await controller.go_back(first.snapshot, "ada", "noise at night")
    assert controller.world.revision is back
    assert (back.commit, dict(controller.world.quarantined)) == (
        first.commit,
        {"newer": "ada went back: noise at night"},
    )


async def test_who_goes_back_is_told_when_it_could_not_be_done(controller, monkeypatch):
    first = revision()
    controller.report(RevisionLoaded(first))
    await controller.until(lambda world: world.revision is not None)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("reconciler.controller.loop.step", broken)
    with pytest.raises(Transient, match="could not be put in force"):
        await controller.go_back(newer(), "ada", "why")
    assert controller.world.revision is first


async def test_a_revision_that_is_not_good_is_not_gone_back_to(controller):
    controller.report(RevisionLoaded(revision()))
    bad = replace(revision().snapshot, commit="bad", files={"a.yaml": "nonsense: 1"})
    assert isinstance(await controller.go_back(bad, "ada", "why not"), RevisionError)
    assert controller.world.revision.commit == revision().commit
    assert controller.world.refused is None
