import asyncio
import gc
from datetime import UTC, datetime

import pytest

from reconciler.cli.composition import Program, Relay, Setup
from reconciler.cli.loop import RARELY, run_loop, until_any
from reconciler.cli.options import Address
from reconciler.controller.world import Settings
from reconciler.errors import Transient, UsageError
from reconciler.manifests.snapshot import Snapshot
from reconciler.reported.events import OutcomeUnknown, ReadFailed, Written
from reconciler.rollout.commands import Clear, ReadProfiles

READ, CLEAR = ReadProfiles("A1"), Clear("A2", 7)


class Taken:
    """Stations that note what reaches them."""

    def __init__(self):
        self.commands = []

    def execute(self, command):
        self.commands.append(command)


@pytest.fixture
def relay():
    relay = Relay()
    relay.stations = Taken()
    return relay


async def test_the_end_waits_for_commands_in_flight_and_lets_no_new_one_out(relay):
    relay.execute(READ)
    relay.execute(CLEAR)
    draining = asyncio.create_task(relay.drain(30))
    await asyncio.sleep(0)
    relay.execute(ReadProfiles("A5"))
    relay.note(ReadFailed("a1", "gone"))
    await asyncio.sleep(0)
    assert not draining.done()
    relay.note(Written("A2", 7, None, OutcomeUnknown("gone")))
    await asyncio.wait_for(draining, 5)
    assert relay.stations.commands == [READ, CLEAR]


async def test_the_end_does_not_wait_for_ever(relay):
    relay.execute(READ)
    await asyncio.wait_for(relay.drain(0.01), 5)


async def test_the_end_is_at_once_where_nothing_is_in_flight(relay):
    relay.execute(READ)
    relay.note(ReadFailed("A1", "gone"))
    await asyncio.wait_for(relay.drain(30), 5)


def setup(host="127.0.0.1", **changes):
    return Setup(Address(host, 0), lambda: datetime.now(UTC), Settings(), {}, **changes)


def test_stations_of_other_machines_are_not_taken_without_passwords():
    with pytest.raises(UsageError, match="--auth FILE"):
        Program(setup("0.0.0.0"))


class Source:
    """Gives what it is told to give, one after the other."""

    def __init__(self, *given):
        self.given = list(given)

    async def fetch(self):
        if len(self.given) == 0:
            await asyncio.Event().wait()
        found = self.given.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
async def program():
    program = Program(setup())
    await program.start()
    yield program
    await program.stop()


async def test_a_revision_that_never_was_ends_the_program_at_its_first_try(program):
    with pytest.raises(UsageError, match="no branch"):
        await program.follow(Source(UsageError("there is no branch x")), Settings().read_back)


async def test_a_source_that_fails_later_changes_nothing(program):
    from datetime import timedelta

    source = Source(Snapshot("c1", "", None, "", {}), Transient("no route"), UsageError("gone"))
    following = asyncio.create_task(program.follow(source, timedelta(milliseconds=1)))
    await program.controller.until(lambda world: world.refused is not None)
    while source.given:
        await asyncio.sleep(0.001)
    assert not following.done()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert program.controller.world.refused.commit == "c1"


async def test_the_first_that_ends_ends_the_rest_and_its_error_is_told():
    async def fail():
        raise Transient("it broke")

    ended = []

    async def last():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(Transient, match="it broke"):
        await until_any(asyncio.Event(), last(), fail())
    assert ended == [True]
    stop = asyncio.Event()
    stop.set()
    await until_any(stop, last())


def test_a_coroutine_runs_to_its_end():
    async def main():
        return type(asyncio.get_running_loop()).__module__

    assert run_loop(main()).startswith("uvloop")


def test_cycles_are_looked_for_seldom_while_a_loop_runs_and_as_usual_after_it():
    async def main():
        return gc.get_threshold()

    usual = gc.get_threshold()
    assert run_loop(main()) == RARELY
    assert gc.get_threshold() == usual
