"""Between two lives of the controller: what was kept is served again, and what can't be kept is said clearly."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from immutables import Map

from reconciler.cli import keeping
from reconciler.cli.composition import Program, Setup
from reconciler.cli.keeping import open_store, prune, recall
from reconciler.cli.options import Address
from reconciler.controller.durable import drain
from reconciler.controller.loop import Controller
from reconciler.controller.world import Settings, Suspension, World
from reconciler.errors import StoreLost, Transient, UsageError
from reconciler.rollout.ledger import Batch, Entry, KeptRevision, Kind
from reconciler.rollout.question import Question
from toys import NOON, ToyFleet, revision, shipped


def kept(made, *, commit="c1", files=None):
    files = made.snapshot.files if files is None else files
    return KeptRevision(commit, "toys", "toys", "Ada", "", None, NOON, "taken", files=files)


@pytest.fixture
async def store(tmp_path):
    opened = await open_store(str(tmp_path / "state" / "toys.db"), "toys")
    yield opened
    await opened.close()


async def fill(store, world, *revisions):
    """Keep all of a world."""
    names = {(Kind.STATION, key): None for key in world.stations}
    names |= {(Kind.SUSPENSION, key): None for key in world.suspended} | {(Kind.FLEET, ""): None}
    _, documents = drain(replace(world, dirty=Map(names)))
    await store.write(Batch(documents=documents, revisions=revisions))


def settled():
    return ToyFleet().load(revision()).connect().run().world


async def test_what_was_kept_is_served_again(store):
    suspended = Suspension("rewiring", "ada", NOON)
    await fill(store, replace(settled(), suspended=Map({"a-2": suspended})), kept(revision()))
    recalled = await recall(store, World(), shipped(), NOON)
    assert recalled.head is None
    assert recalled.world.revision.commit == "c1"
    assert set(recalled.world.stations) == {"a-1", "a-2", "b-1"}
    assert recalled.world.suspended == Map({"a-2": suspended})
    assert not recalled.entries


async def test_a_new_database_gives_an_empty_world_and_says_what_that_means(store, tmp_path):
    with structlog.testing.capture_logs() as logged:
        recalled = await recall(store, World(), shipped(), NOON)
    assert recalled == keeping.Recalled(World())
    assert [(each["event"], each["store"]) for each in logged] == [
        ("nothing was kept", str(tmp_path / "state" / "toys.db"))
    ]
    assert "quarantine" in logged[0]["means"]


async def test_a_revision_whose_following_was_not_kept_is_still_to_be_put_in_force(store):
    await store.write(Batch(revisions=(kept(revision()),)))
    recalled = await recall(store, World(), shipped(), NOON)
    assert recalled.world.revision is None
    assert recalled.head.commit == "c1"


async def test_a_kept_revision_that_is_not_good_any_more_is_told_and_not_served(store):
    await fill(store, settled(), kept(revision(), files={"a.yaml": "nonsense: 1"}))
    with structlog.testing.capture_logs() as logged:
        recalled = await recall(store, World(), shipped(), NOON)
    assert recalled.world.revision is None
    assert recalled.head is None
    assert "kept revision not good any more" in {each["event"] for each in logged}
    assert set(recalled.world.stations) == {"a-1", "a-2", "b-1"}


async def test_a_station_whose_document_is_damaged_is_told_and_left_out(store):
    await fill(store, settled(), kept(revision()))
    await store.write(Batch(documents={(Kind.STATION, "a-1"): {"identity": 7}}))
    with structlog.testing.capture_logs() as logged:
        recalled = await recall(store, World(), shipped(), NOON)
    assert set(recalled.world.stations) == {"a-2", "b-1"}
    assert [each["complaint"] for each in logged if "complaint" in each] == ["station a-1: known: is missing"]


async def test_without_knowing_what_the_fleet_followed_nothing_begins(store):
    await fill(store, settled(), kept(revision()))
    await store.write(Batch(documents={(Kind.FLEET, ""): {"head": 7}}))
    with pytest.raises(StoreLost, match="put a copy of it back"):
        await recall(store, World(), shipped(), NOON)


async def test_stations_are_served_while_git_is_away(store):
    await fill(store, settled(), kept(revision()))

    class Away:
        async def fetch(self):
            raise UsageError("there is no folder x")

    setup = Setup(Address("127.0.0.1", 0), lambda: NOON, Settings(), shipped())
    program = Program(setup, store, await recall(store, World(), shipped(), NOON))
    await program.start()
    with structlog.testing.capture_logs() as logged:
        following = asyncio.create_task(program.follow(Away(), timedelta(milliseconds=1)))
        async with asyncio.timeout(10):
            while not [each for each in logged if each["event"] == "fetch failed"]:
                await asyncio.sleep(0.01)
    assert not following.done()
    assert logged[0]["serving"] == "c1"
    assert program._knows("a-1")
    await program.controller.until(lambda world: world.tally.get("deferred") == 3)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await program.stop()


async def test_the_same_commit_is_not_taken_again_after_a_start(store):
    await fill(store, settled(), kept(revision()))
    recalled = await recall(store, World(), shipped(), NOON)
    controller = Controller(None, shipped(), lambda: NOON, Settings(), store)
    controller.begin(recalled.world, recalled.entries)
    assert await controller.take(revision().snapshot) is recalled.world.revision
    controller.close()


@contextlib.asynccontextmanager
async def running(store, recalled):
    """A controller of nobody's stations that begins with what was recalled."""
    controller = Controller(None, shipped(), lambda: NOON, Settings(), store)
    controller.begin(recalled.world, recalled.entries)
    turns = asyncio.create_task(controller.run())
    yield controller
    turns.cancel()
    await asyncio.gather(turns, return_exceptions=True)
    await controller.finish()
    controller.close()


async def test_a_commit_in_quarantine_is_neither_proved_nor_kept_anew_after_a_start(store):
    bad = revision(powers=((-6, 3), (5, 2)), commit="c2").snapshot
    async with running(store, await recall(store, World(), shipped(), NOON)) as controller:
        await controller.take(revision().snapshot)
        await controller.take(bad)
        await controller.go_back(revision().snapshot, "ada", "c2 is wrong")
    kept = await store.revisions()
    async with running(store, await recall(store, World(), shipped(), NOON)) as controller:
        left = await controller.take(replace(bad, files={"a.yaml": "would not pass a proof"}))
        assert [error.rule for error in left.errors] == ["quarantined"]
        assert "c2 is wrong" in str(left.errors[0])
        assert controller.world.revision.commit == "c1"
        assert controller.world.refused is None
    assert await store.revisions() == kept
    assert (await store.revision("c2")).files == bad.files
    last = (await store.history(Question(limit=1)))[0]
    assert (last.revision, last.reason) == ("c2", str(left.errors[0].message))


async def test_a_persons_reason_takes_a_commit_out_of_quarantine_after_a_start(store):
    bad = revision(powers=((-6, 3), (5, 2)), commit="c2").snapshot
    world = replace(settled(), quarantined={"c2": "it was wrong"})
    await fill(store, world, kept(revision()))
    async with running(store, await recall(store, World(), shipped(), NOON)) as controller:
        made = await controller.take(bad, force="it was not wrong after all")
        await controller.until(lambda world: world.revision is made)
        assert not controller.world.quarantined
    assert (await store.revision("c2")).why == "it was not wrong after all"


async def test_no_store_is_opened_where_none_is_wanted():
    assert await open_store("none", "toys") is None


async def test_a_second_controller_is_told_of_the_first(store, tmp_path):
    with pytest.raises(StoreLost, match="another controller"):
        await open_store(str(tmp_path / "state" / "toys.db"), "toys")


async def test_a_damaged_database_is_told_before_anything_listens(tmp_path):
    path = tmp_path / "toys.db"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StoreLost, match=str(path)):
        await open_store(str(path), "toys")


async def test_a_folder_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreLost, match="can't be made"):
        await open_store(str(tmp_path / "file" / "toys.db"), "toys")


async def test_old_history_is_taken_away(store, monkeypatch):
    old, new = Entry(NOON - timedelta(days=9), "A-1", "x", "old"), Entry(NOON, "A-1", "x", "new")
    before = [replace(kept(revision(), commit=name), taken_at=NOON - timedelta(days=9)) for name in ("gone", "named")]
    new = replace(new, revision="named")
    await store.write(Batch((old, new), revisions=(*before, kept(revision()))))
    monkeypatch.setattr(keeping, "PRUNE_FIRST_S", 0.0)
    pruning = asyncio.create_task(prune(store, timedelta(days=2), lambda: NOON))
    async with asyncio.timeout(10):
        while (await store.revision("gone")).files:
            await asyncio.sleep(0.01)
    pruning.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pruning
    assert await store.history(Question()) == (new,)
    assert (await store.revision("named")).files


async def test_a_database_that_is_away_when_history_is_pruned_is_told_and_tried_again(monkeypatch):
    class Away:
        tries = 0

        async def prune(self, before):
            self.tries += 1
            raise StoreLost("it is away")

    away = Away()
    monkeypatch.setattr(keeping, "PRUNE_FIRST_S", 0.0)
    monkeypatch.setattr(keeping, "PRUNE_EVERY_S", 0.0)
    pruning = asyncio.create_task(prune(away, timedelta(days=2), lambda: datetime.now(UTC)))
    with structlog.testing.capture_logs() as logged:
        async with asyncio.timeout(10):
            while away.tries < 3:
                await asyncio.sleep(0)
    pruning.cancel()
    await asyncio.gather(pruning, return_exceptions=True)
    assert isinstance(StoreLost("x"), Transient)
    assert {each["event"] for each in logged} == {"history not pruned"}
