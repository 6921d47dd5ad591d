"""People's hand on a controller: older revisions are found where they are kept, and nothing is gone back to in vain."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from reconciler.cli.steering import Steering
from reconciler.controller.loop import Controller
from reconciler.controller.world import RevisionLoaded, Settings
from reconciler.errors import RevisionError, UsageError
from reconciler.rollout.ledger import Batch, KeptRevision
from reconciler.rollout.question import Question
from reconciler.store.store import Store
from reconciler.web.ports import Wish
from toys import NOON, revision, shipped

FIRST = revision(commit="c0ffee01")


class Nobody:
    """No station at all."""

    def execute(self, command):
        raise AssertionError(command)


@pytest.fixture
async def controller():
    made = Controller(Nobody(), shipped(), lambda: NOON, Settings())
    made.report(RevisionLoaded(FIRST))
    task = asyncio.create_task(made.run())
    yield made
    made.close()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(str(tmp_path / "kept.db"), fleet="toys")
    yield opened
    await opened.close()


class Git:
    """Commits by their beginning, and what was asked of it."""

    def __init__(self, *snapshots):
        self.snapshots, self.asked = snapshots, []

    def __call__(self, commit):
        self.asked.append(commit)
        found = [each for each in self.snapshots if each.commit.startswith(commit)]
        if not found:
            raise UsageError(f"there is no commit {commit}")
        return found[0]


def snapshot(commit, **changed):
    return replace(FIRST.snapshot, commit=commit, **changed)


async def test_a_commit_is_found_in_git_where_nothing_is_kept(controller):
    git = Git(snapshot("0ld00000"))
    assert await Steering(controller, git).go_back("0ld0", "ada", "why") == "0ld00000"
    assert controller.world.revision.commit == "0ld00000"
    assert git.asked == ["0ld0"]


async def test_a_commit_is_found_where_it_was_kept_without_git(controller, store):
    files = FIRST.snapshot.files
    kept = KeptRevision("0ld00000", "toys", "Old", "Ann", "", None, NOON, "taken", files=files)
    refused = replace(kept, commit="bad00000", verdict="refused", files={})
    await store.write(Batch((), {}, (kept, refused)))
    git = Git()
    steering = Steering(controller, git, store)
    assert await steering.go_back("0ld0", "ada", "why") == "0ld00000"
    assert (controller.world.revision.snapshot.author, git.asked) == ("Ann", [])
    with pytest.raises(UsageError, match="there is no commit bad0"):
        await steering.go_back("bad0", "ada", "why")


async def test_what_is_in_force_is_not_gone_back_to(controller):
    await controller.until(lambda world: world.revision is not None)
    with pytest.raises(UsageError, match="in force already"):
        await Steering(controller, Git()).go_back("c0ffee", "ada", "why")


async def test_a_commit_that_is_not_good_any_more_is_told_with_its_errors(controller):
    with pytest.raises(RevisionError):
        await Steering(controller, Git(snapshot("bad00000", files={"a.yaml": "x: 1"}))).go_back("bad0", "ada", "why")


async def test_an_order_gives_what_the_controller_says(controller):
    steering = Steering(controller, Git())
    assert await steering.order(Wish("pause", "ada", "why")) == "there is no rollout under way"
    assert await steering.order(Wish("suspend", "ada", "works", ("a-1",))) == ""
    assert "a-1" in controller.world.suspended


async def test_the_history_comes_from_the_store_or_from_what_is_at_hand(controller, store):
    at_hand = Steering(controller, Git())
    await at_hand.order(Wish("suspend", "ada", "works", ("a-1",)))
    assert [each.action for each in (await at_hand.lines(Question())).entries] == ["suspend"]
    kept = Steering(controller, Git(), store)
    assert (await kept.lines(Question())).entries == ()
    await store.write(Batch(tuple(controller.history)))
    assert [each.action for each in (await kept.lines(Question())).entries] == ["suspend"]


async def test_commits_are_known_by_their_beginning_where_they_are_kept(controller, store):
    old = KeptRevision("0ld00000", "toys", "Old", "Ann", "", None, NOON, "refused")
    await store.write(Batch((), {}, (old,)))
    assert await Steering(controller, Git(), store).knows("0ld0")
    assert not await Steering(controller, Git(), store).knows("bad0")
    assert not await Steering(controller, Git()).knows("0ld0")
