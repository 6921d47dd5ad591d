"""The loop with a journal: nothing leaves that was not announced, nothing is lost, and it comes back by itself."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from ledgers import Bench
from reconciler.controller import recorder as recorder_module
from reconciler.controller.durable import restore
from reconciler.controller.loop import Controller
from reconciler.controller.recorder import LONGEST_WRITE_S
from reconciler.controller.world import Order, Reply, RevisionLoaded, Settings, Verb, World
from reconciler.errors import RevisionError
from reconciler.reported.events import (
    Disconnected,
    NotSent,
    Written,
)
from reconciler.rollout.commands import Clear, ReadProfiles, SendRaw
from reconciler.rollout.ledger import Entry, KeptRevision, Kind, Stage
from toys import NOON, revision, shipped

SECOND = timedelta(seconds=1)
looptime = pytest.mark.looptime
A1 = (Kind.STATION, "a-1")


@pytest.fixture
async def bench():
    made = Bench()
    yield made
    await made.stop()


async def synced(bench):
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await bench.settle()
    await asyncio.sleep(1)


@looptime
async def test_every_write_is_announced_before_it_leaves_and_has_an_end(bench):
    await synced(bench)
    assert len(bench.writes()) == 3
    assert not bench.yard.unannounced
    stages = [(entry.stage, entry.write) for entry in bench.ledger.entries if entry.write]
    announced = bench.ledger.intents()
    assert len(set(announced)) == 3
    assert [write for stage, write in stages if stage is Stage.ANSWER] == announced
    assert bench.ledger.entries == list(bench.controller.history)


@looptime
async def test_what_is_kept_is_what_another_process_begins_with(bench):
    await synced(bench)
    known = bench.controller.world.stations["a-1"]
    restored = restore(World(), {A1: bench.ledger.documents[A1]}, NOON).world.stations["a-1"]
    assert {each.profile for each in restored.reported.held.values()} == {
        each.profile for each in known.reported.held.values()
    }
    assert restored.tries == known.tries
    assert restored.verified.revision == "c1"


@looptime
async def test_a_reconcile_without_change_writes_nothing(bench):
    bench.controller.report(RevisionLoaded(revision()))
    for number in range(2):
        bench.connect(f"A-{number + 1}", number)
    await bench.settle(number=2)
    await asyncio.sleep(1)
    tries = bench.ledger.tries
    reads = sum(isinstance(each, ReadProfiles) for each in bench.yard.commands)
    await asyncio.sleep(3600)
    assert sum(isinstance(each, ReadProfiles) for each in bench.yard.commands) > reads + 6
    assert bench.ledger.tries == tries


@looptime
async def test_a_write_waits_for_its_line_and_reads_do_not(bench):
    bench.ledger.gate = asyncio.Event()
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await asyncio.sleep(5)
    assert not bench.writes()
    assert any(isinstance(each, ReadProfiles) for each in bench.yard.commands)
    bench.ledger.gate.set()
    await bench.settle()
    assert not bench.yard.unannounced


@looptime
async def test_a_write_whose_connection_went_while_it_waited_does_not_leave(bench):
    bench.ledger.gate = asyncio.Event()
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await asyncio.sleep(5)
    bench.controller.report(Disconnected("A-1", 1))
    await asyncio.sleep(1)
    bench.ledger.gate.set()
    await asyncio.sleep(5)
    assert not bench.writes()
    bench.connect(session=2)
    await bench.settle()


@looptime
async def test_while_nothing_can_be_recorded_nothing_is_written_and_stations_are_read(bench):
    await synced(bench)
    before, sent = len(bench.ledger.entries), len(bench.writes())
    bench.ledger.lost = "the disk is full"
    with structlog.testing.capture_logs() as logged:
        bench.yard.held["A-1"].clear()
        await asyncio.sleep(1800)
    assert not bench.controller.world.recording.ok
    assert "the disk is full" in bench.controller.world.recording.why
    assert len(bench.writes()) == sent
    assert len([each for each in logged if each["log_level"] == "error"]) == 1
    assert bench.ledger.tries < before + 1800
    bench.ledger.lost = ""
    await bench.settle()
    await asyncio.sleep(1)
    assert bench.controller.world.recording.ok
    assert set(bench.yard.held["A-1"]) == {1000, 1001, 1011}
    # Everything is there, in order and once, the writes that were held back among it.
    assert bench.ledger.entries == list(bench.controller.history)
    assert any(entry.answer.startswith("not sent: could not be recorded") for entry in bench.ledger.entries)


@looptime
async def test_documents_that_could_not_be_kept_are_kept_later_as_they_are_then(bench):
    bench.ledger.lost = "it is away"
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await asyncio.sleep(5)
    assert A1 in bench.controller.world.dirty
    bench.ledger.lost = ""
    await bench.settle()
    await asyncio.sleep(1)
    assert A1 not in bench.controller.world.dirty
    assert len(bench.ledger.documents[A1]["profiles"]) == 3


@looptime
async def test_a_request_by_hand_that_can_not_be_recorded_is_not_sent(bench):
    await synced(bench)
    bench.ledger.lost = "it is away"
    answer = await bench.controller.ask(SendRaw("A-1", "Reset", {}, "t1"), "ada")
    assert not answer.ok
    assert answer.answer == {"error": "could not be recorded: it is away"}
    assert not any(isinstance(each, SendRaw) for each in bench.yard.commands)


@looptime
async def test_a_clear_that_can_not_be_recorded_ends_as_not_sent(bench):
    bench.ledger.lost, heard = "it is away", []
    bench.controller._recorder.hold(Clear("A-1", 7))
    bench.controller.report = heard.append
    await asyncio.sleep(1)
    bench.controller._recorder.note(Entry(NOON, "A-1", "x", "y"))
    await asyncio.sleep(1)
    bench.controller._recorder.hold(Clear("A-1", 8))
    bench.ledger.lost = ""
    ends = [event for event in heard if isinstance(event, Written)]
    assert ends == [Written("A-1", 8, None, NotSent("could not be recorded: it is away"))]


def suspend(ticket="t1"):
    return Order(Verb.SUSPEND, "ada", "rewiring", ticket, keys=("a-1",))


@looptime
async def test_an_order_is_answered_when_what_it_did_is_kept(bench):
    await synced(bench)
    bench.ledger.gate = asyncio.Event()
    ordering = asyncio.create_task(bench.controller.order(suspend()))
    await asyncio.sleep(5)
    assert not ordering.done()
    bench.ledger.gate.set()
    assert await ordering == Reply("t1", "")
    assert (Kind.SUSPENSION, "a-1") in bench.ledger.documents


@looptime
async def test_an_order_that_can_not_be_recorded_holds_and_says_so(bench):
    await synced(bench)
    bench.ledger.lost = "it is away"
    reply = await bench.controller.order(suspend())
    assert reply.error == "obeyed, but it would not survive a restart: could not be recorded: it is away"
    assert "a-1" in bench.controller.world.suspended
    bench.ledger.lost = ""
    await asyncio.sleep(30)
    assert (Kind.SUSPENSION, "a-1") in bench.ledger.documents


@looptime
async def test_a_database_that_does_not_answer_counts_as_away(bench):
    bench.ledger.gate = asyncio.Event()
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await asyncio.sleep(LONGEST_WRITE_S + 1)
    assert "has not answered for 30 s" in bench.controller.world.recording.why
    bench.ledger.gate.set()
    await bench.settle()


@looptime
async def test_a_journal_that_breaks_counts_as_away_and_is_logged(bench):
    bench.ledger.breaks = True
    with structlog.testing.capture_logs() as logged:
        bench.controller.report(RevisionLoaded(revision()))
        bench.connect()
        await asyncio.sleep(1)
    assert "ZeroDivisionError" in bench.controller.world.recording.why
    assert "journal broke" in [each["event"] for each in logged]
    bench.ledger.breaks = False
    await bench.settle()


@looptime
async def test_lines_without_room_are_counted_and_told(bench, monkeypatch):
    monkeypatch.setattr(recorder_module, "MOST_LINES", 3)
    bench.ledger.lost = "it is away"
    for number in range(10):
        bench.controller._recorder.note(Entry(NOON, f"A-{number}", "x", "y"))
        await asyncio.sleep(1)
    bench.ledger.lost = ""
    await asyncio.sleep(30)
    assert [entry.station for entry in bench.ledger.entries] == ["", "A-7", "A-8", "A-9"]
    assert bench.ledger.entries[0].reason.startswith("7 lines")


@looptime
async def test_of_many_revisions_that_wait_the_last_are_kept(bench, monkeypatch):
    monkeypatch.setattr(recorder_module, "MOST_REVISIONS", 2)
    bench.ledger.lost = "it is away"
    for number in range(5):
        bench.controller._recorder.keep(KeptRevision(f"c{number}", "toys", "", "", "", None, NOON, "refused"))
        await asyncio.sleep(1)
    bench.ledger.lost = ""
    await asyncio.sleep(30)
    assert [each.commit for batch in bench.ledger.batches for each in batch.revisions] == ["c3", "c4"]


@looptime
async def test_the_try_again_is_never_hot(bench):
    bench.ledger.lost = "it is away"
    bench.controller._recorder.note(Entry(NOON, "A-1", "x", "y"))
    await asyncio.sleep(600)
    assert bench.ledger.tries < 60


@looptime
async def test_a_recorder_that_breaks_ends_the_loop(monkeypatch):
    def broken(self, names):
        raise ZeroDivisionError

    bench = Bench()
    monkeypatch.setattr(Controller, "drain", broken)
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    with pytest.raises(ZeroDivisionError):
        await bench.task
    bench.controller.close()


@looptime
async def test_what_is_left_is_kept_at_the_end():
    bench = Bench()
    await synced(bench)
    bench.controller.report(Disconnected("A-1", 1))
    bench.controller._recorder.note(Entry(NOON, "A-1", "last", "y"))
    await bench.stop()
    assert bench.ledger.entries[-1].action == "last"
    assert bench.controller.world.stations["a-1"].session is None


@looptime
async def test_what_could_not_be_kept_at_the_end_is_told():
    bench = Bench()
    bench.ledger.lost = "it is away"
    bench.controller._recorder.note(Entry(NOON, "A-1", "last", "y"))
    with structlog.testing.capture_logs() as logged:
        await bench.stop()
    assert [(each["event"], each["lines"]) for each in logged if "lines" in each] == [("not recorded", 1)]


@looptime
async def test_a_batch_that_is_cut_off_is_kept_at_the_end():
    bench = Bench()
    bench.ledger.gate = asyncio.Event()
    bench.controller._recorder.note(Entry(NOON, "A-1", "first", "y"))
    await asyncio.sleep(1)
    asyncio.get_running_loop().call_later(1, bench.ledger.gate.set)
    await bench.stop()
    assert [entry.action for entry in bench.ledger.entries] == ["first"]


async def test_revisions_are_kept_with_their_verdict(bench):
    taken = await bench.controller.take(replace(revision().snapshot, signature="good: Ada"))
    await bench.controller.until(lambda world: world.revision is taken)
    assert await bench.controller.take(revision().snapshot) is taken  # the very same commit is nothing new
    bad = replace(revision().snapshot, commit="bad", files={"a.yaml": "nonsense: 1"})
    assert isinstance(await bench.controller.take(bad), RevisionError)
    await bench.controller.until(lambda world: world.refused is not None)
    again = await bench.controller.take(revision().snapshot)  # but it ends a refusal
    await bench.controller.until(lambda world: world.refused is None)
    assert not isinstance(again, RevisionError)
    await bench.stop()
    kept = [each for batch in bench.ledger.batches for each in batch.revisions]
    assert [(each.commit, each.verdict, bool(each.files)) for each in kept] == [
        ("c1", "taken", True),
        ("bad", "refused", False),
        ("c1", "taken", True),
    ]
    assert (kept[0].fleet, kept[0].signature, len(kept[0].plan)) == ("toys", "good: Ada", 64)
    assert "apiVersion" in kept[1].why


async def test_a_person_goes_back_to_an_older_commit_and_that_is_kept(bench):
    first = revision().snapshot
    await bench.controller.take(first)
    await bench.controller.take(revision(powers=((-6, 3), (5, 2)), commit="c2").snapshot)
    broken = replace(first, commit="c0", files={"a.yaml": "nonsense: 1"})
    assert isinstance(await bench.controller.go_back(broken, "ada", "c2 is wrong"), RevisionError)
    back = await bench.controller.go_back(first, "ada", "c2 is wrong")
    assert bench.controller.world.revision is back
    assert "c2" in bench.controller.world.quarantined
    await bench.stop()
    kept = [each for batch in bench.ledger.batches for each in batch.revisions]
    assert [(each.commit, each.why) for each in kept] == [("c1", ""), ("c2", ""), ("c1", "c2 is wrong")]


async def test_without_a_journal_an_older_commit_is_gone_back_to_as_well():
    controller = Controller(None, shipped(), lambda: NOON, Settings())
    running = asyncio.create_task(controller.run())
    await controller.take(revision(commit="c2").snapshot)
    assert (await controller.go_back(revision().snapshot, "ada", "better")).commit == "c1"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await controller.finish()
    controller.close()


@looptime
async def test_lines_that_end_what_was_under_way_are_the_first_of_a_new_process(bench):
    line = Entry(NOON, "A-1", "SetChargingProfile", "started again", stage=Stage.ANSWER)
    bench.controller.begin(bench.controller.world, (line,))
    assert bench.controller.queued == 1
    await asyncio.sleep(1)
    assert bench.ledger.entries == [line]
    assert bench.controller._recorder.waiting == 0


async def test_only_signed_commits_are_taken_where_that_is_asked_for(bench):
    bench.controller.world = replace(bench.controller.world, settings=Settings(signed_only=True))
    for signature in ("", "bad: Ada", "good, of unknown validity: Ada"):
        error = await bench.controller.take(replace(revision().snapshot, signature=signature))
        assert [each.rule for each in error.errors] == ["unsigned"]
    taken = await bench.controller.take(replace(revision().snapshot, signature="good: Ada"))
    assert taken.commit == "c1"


@looptime
async def test_a_restored_world_is_read_before_it_is_written(bench):
    await synced(bench)
    restored = restore(World(revision=revision()), {A1: bench.ledger.documents[A1]}, NOON)
    again = Bench(restored.world)
    again.yard.held = bench.yard.held
    again.connect()
    await again.settle()
    await asyncio.sleep(1)
    kinds = [type(each) for each in again.yard.commands]
    assert ReadProfiles in kinds
    assert not again.writes()
    await again.stop()


@looptime
async def test_many_documents_leave_the_loop_its_turn(bench, monkeypatch):
    monkeypatch.setattr(recorder_module, "AT_ONCE", 1)
    bench.controller.report(RevisionLoaded(revision()))
    for number in range(2):
        bench.connect(f"A-{number + 1}", number)
    await bench.settle(number=2)
    await asyncio.sleep(1)
    assert {key for _, key in bench.ledger.documents} >= {"a-1", "a-2"}
