"""The loop round the step: events in, commands out, alarms at their time, and nobody left waiting."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import structlog

from reconciler.controller import loop as loop_module
from reconciler.controller.loop import LOOK_UP, Controller
from reconciler.controller.world import Reply, RevisionLoaded, Settings
from reconciler.errors import RevisionError
from reconciler.profiles.capability import Protocol
from reconciler.reported.events import (
    Connected,
    Disconnected,
    RawAnswered,
    Ready,
    Woken,
)
from reconciler.rollout.commands import Push, SendRaw, Wake
from reconciler.rollout.ledger import Stage
from toys import NOON, ToyStation, revision, shipped, stranger

SECOND = timedelta(seconds=1)
looptime = pytest.mark.looptime


@dataclass
class Stations:
    """Stations that keep what they accept and answer in the loop's next turn; `silent` ones never do."""

    report: object = None
    held: dict = field(default_factory=dict)
    commands: list = field(default_factory=list)
    silent: bool = False

    def execute(self, command):
        self.commands.append(command)
        if not self.silent:
            asyncio.get_running_loop().call_soon(self.report, self._answer(command))

    def _answer(self, command):
        held = self.held.setdefault(command.station, {})
        return ToyStation(command.station, held=held).answer(command)[1]


class Bench:
    """A controller with its stations; the clock is the loop's own time, unless `ahead` is set."""

    def __init__(self, **settings):
        self.ahead = timedelta(0)
        self.stations = Stations()
        self.begun = asyncio.get_running_loop().time()
        self.controller = Controller(self.stations, shipped(), self.clock, Settings(**settings))
        self.stations.report = self.controller.report
        self.task = asyncio.create_task(self.controller.run())

    def clock(self):
        return NOON + self.ahead + (asyncio.get_running_loop().time() - self.begun) * SECOND

    def connect(self, identity="A-1", session=1):
        self.controller.report(Connected(identity, Protocol.V21, session))
        self.controller.report(Ready(identity, session))

    def pushes(self):
        return [each for each in self.stations.commands if isinstance(each, Push)]

    async def settle(self, state="in-sync", number=1):
        await self.controller.until(lambda world: world.tally.get(state, 0) == number)


@pytest.fixture
async def bench():
    made = Bench()
    yield made
    made.controller.close()
    made.task.cancel()
    with suppress(asyncio.CancelledError):
        await made.task


@looptime
async def test_a_station_that_connects_ends_in_sync_and_its_history_is_kept(bench):
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await bench.settle()
    assert [each.profile.id for each in bench.pushes()] == [1000, 1001, 1011]
    told = [each.action for each in bench.controller.history if each.stage in (Stage.ANSWER, Stage.NOTE)]
    assert told == ["SetChargingProfile"] * 3 + ["verified"]


async def test_a_snapshot_is_proved_and_then_heard_of(bench):
    bench.connect()
    taken = await bench.controller.take(revision().snapshot)
    await bench.settle()
    assert bench.controller.world.revision is taken
    error = await bench.controller.take(replace(revision().snapshot, commit="bad", files={"a.yaml": "nonsense: 1"}))
    assert isinstance(error, RevisionError)
    await bench.controller.until(lambda world: world.refused is not None)
    assert bench.controller.world.revision is taken
    assert bench.controller.world.refused.commit == "bad"


async def test_snapshots_are_taken_one_after_the_other(bench, monkeypatch):
    taken, order = bench.controller._take, []

    async def slowly(snapshot, force):
        order.append(f"{snapshot.commit} begins")
        await asyncio.sleep(0)
        made = await taken(snapshot, force)
        order.append(f"{snapshot.commit} ends")
        return made

    monkeypatch.setattr(bench.controller, "_take", slowly)
    snapshots = [replace(revision().snapshot, commit=name) for name in ("first", "second")]
    await asyncio.gather(*map(bench.controller.take, snapshots))
    assert order == ["first begins", "first ends", "second begins", "second ends"]


@looptime
async def test_alarms_ring_at_their_time_and_only_the_last_one_set(bench):
    heard, now = [], bench.clock()
    bench.controller.report = lambda event: heard.append((event.station, round((bench.clock() - now).total_seconds())))
    for seconds in (50, 20, 20, 30):
        bench.controller._carry_out(Wake("A-1", now + seconds * SECOND))
    bench.controller._carry_out(Wake("A-2", now + 10 * SECOND))
    await asyncio.sleep(100)
    assert heard == [("A-2", 10), ("A-1", 30)]


@looptime
async def test_read_back_is_routine_and_drift_is_repaired(bench):
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await bench.settle()
    bench.stations.held["A-1"].clear()
    await asyncio.sleep(16 * 60)
    await bench.settle()
    assert set(bench.stations.held["A-1"]) == {1000, 1001, 1011}


@looptime
async def test_a_clock_that_is_set_does_not_put_alarms_to_sleep(bench):
    bench.controller._carry_out(Wake("A-1", bench.clock() + 3600 * SECOND))
    await asyncio.sleep(1)
    bench.ahead = timedelta(hours=2)
    heard = []
    bench.controller.report = heard.append
    await asyncio.sleep(LOOK_UP)
    assert heard == [Woken("A-1")]


@looptime
async def test_a_request_by_hand_is_answered_by_its_station(bench):
    bench.connect()
    answer = await bench.controller.ask(SendRaw("A-1", "Reset", {}, "t1"), "ada")
    assert answer == RawAnswered("A-1", "t1", ok=True, answer={"status": "Accepted"})
    refused = await bench.controller.ask(SendRaw("nobody", "Reset", {}, "t2"), "ada")
    assert refused == Reply("t2", "nobody is not connected")


@looptime
async def test_a_request_by_hand_ends_when_its_station_goes(bench):
    bench.connect()
    bench.stations.silent = True
    asking = asyncio.create_task(bench.controller.ask(SendRaw("A-1", "Reset", {}, "t1"), "ada"))
    await asyncio.sleep(1)
    bench.controller.report(Disconnected("A-1", 1))
    assert await asking == Reply("t1", "the connection was lost")
    bench.controller.report(RawAnswered("A-1", "t1", ok=True, answer={}))  # too late for anyone
    await asyncio.sleep(1)


@looptime
async def test_an_event_that_breaks_the_step_stops_nobody_else(bench, monkeypatch):
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await bench.settle()
    before, real = bench.controller.world, loop_module.step

    def breaking(world, event, now):
        if event == Woken("A-2"):
            raise ZeroDivisionError
        return real(world, event, now)

    monkeypatch.setattr(loop_module, "step", breaking)
    with structlog.testing.capture_logs() as logged:
        bench.controller.report(Woken("A-2"))
        await asyncio.sleep(1)
    assert [(each["event"], each["event_type"], each["station"]) for each in logged] == [
        ("event dropped", "Woken", "A-2")
    ]
    assert bench.controller.world == before
    bench.connect("A-2", 2)
    await bench.settle(number=2)


@looptime
async def test_many_events_leave_the_sockets_their_turn(bench):
    bench.connect()
    turns = []

    async def count():
        while True:
            turns.append(len(turns))
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    for _ in range(10 * loop_module.TURN):
        bench.controller.report(Woken("A-1"))
    await bench.controller.until(lambda _: bench.controller._events.empty())
    counting.cancel()
    assert len(turns) >= 9


@looptime
async def test_who_waits_for_what_holds_already_is_not_kept(bench):
    await bench.controller.until(lambda world: world.revision is None)
    waiting = asyncio.create_task(bench.controller.until(lambda world: world.revision is not None))
    gone = asyncio.create_task(bench.controller.until(lambda _: False))
    await asyncio.sleep(1)
    gone.cancel()
    await asyncio.sleep(1)
    bench.connect()
    bench.controller.report(RevisionLoaded(revision()))
    await waiting
    assert not bench.controller._watchers


@looptime
async def test_closing_lets_go_of_everyone_who_waits(bench):
    bench.connect()
    bench.stations.silent = True
    waiting = asyncio.create_task(bench.controller.until(lambda _: False))
    asking = asyncio.create_task(bench.controller.ask(SendRaw("A-1", "Reset", {}, "t1"), "ada"))
    await asyncio.sleep(1)
    bench.controller._carry_out(Wake("A-1", NOON + 3600 * SECOND))
    bench.controller.close()
    done = await asyncio.gather(waiting, asking, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in done)


@looptime
async def test_foreign_profiles_survive_a_controllers_life(bench):
    bench.stations.held["A-1"] = {7: stranger()}
    bench.controller.report(RevisionLoaded(revision()))
    bench.connect()
    await bench.settle()
    assert bench.stations.held["A-1"][7] == stranger()
