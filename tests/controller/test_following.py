"""A revision follows the one in force only if it may, or if a person says why; the reason is kept."""

import asyncio
from datetime import UTC, datetime

import pytest

from reconciler.controller.loop import Controller
from reconciler.controller.revision import Revision
from reconciler.controller.world import Settings
from reconciler.errors import RevisionError
from reconciler.manifests.snapshot import Snapshot
from revisions import SHIPPED, YARD

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
STILL = YARD.replace("-7 kW", "0 kW").replace("11 kW}\n  otherwise: 3 kW", "0 kW}\n  otherwise: 0 kW")


class Nobody:
    """Stations of which none is there."""

    def execute(self, command):
        raise AssertionError(command)


@pytest.fixture
async def controller():
    made = Controller(Nobody(), SHIPPED, lambda: NOW, Settings())
    yield made
    made.close()


def commit(text, name):
    return Snapshot(name, "Ann <ann@example.org>", None, f"Change {name}", {"yard.yaml": text})


async def step_all(controller):
    """Let the controller take in what was reported."""
    running = asyncio.create_task(controller.run())
    while not controller._events.empty():
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_revision_that_leaves_nothing_is_refused_and_the_last_good_one_stays(controller):
    await controller.take(commit(YARD, "good"))
    refused = await controller.take(commit(STILL, "still"))
    assert isinstance(refused, RevisionError)
    assert [error.rule for error in refused.errors] == ["empty-render"]
    await step_all(controller)
    assert controller.world.revision.commit == "good"
    assert controller.world.refused.commit == "still"


async def test_a_person_with_a_reason_lets_it_pass_and_history_keeps_it(controller):
    await controller.take(commit(YARD, "good"))
    taken = await controller.take(commit(STILL, "still"), force=" the quay is closed ")
    assert isinstance(taken, Revision)
    await step_all(controller)
    assert controller.world.revision.commit == "still"
    (entry,) = (each for each in controller.history if each.action == "forced")
    assert (entry.action, entry.reason, entry.revision) == ("forced", "the quay is closed", "still")


async def test_a_blank_reason_is_none(controller):
    await controller.take(commit(YARD, "good"))
    assert isinstance(await controller.take(commit(STILL, "still"), force="  "), RevisionError)


async def test_the_first_revision_follows_nothing(controller):
    assert isinstance(await controller.take(commit(STILL, "still")), Revision)
    await step_all(controller)
    assert not controller.history


async def test_no_reason_lets_a_revision_pass_that_is_wrong_in_itself(controller):
    await controller.take(commit(YARD, "good"))
    over = YARD.replace("{import: 200 kW", "{import: 20 kW")
    refused = await controller.take(commit(over, "over"), force="we are in a hurry")
    assert [error.rule for error in refused.errors] == ["site-import"]


async def test_a_revision_is_held_against_the_last_that_was_taken_not_the_last_that_was_refused(controller):
    await controller.take(commit(STILL, "still"))
    await controller.take(commit(YARD.replace("{import: 200 kW", "{import: 20 kW"), "over"))
    assert isinstance(await controller.take(commit(STILL + "# the same\n", "same")), Revision)
