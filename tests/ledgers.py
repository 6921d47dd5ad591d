"""A controller with a journal that can be made to fail, and stations that look whether what they get was announced."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.controller.loop import Controller
from reconciler.controller.world import Settings
from reconciler.errors import StoreLost
from reconciler.profiles.capability import Protocol
from reconciler.reported.events import (
    Connected,
    Ready,
)
from reconciler.rollout.commands import Clear, Push, SendRaw
from reconciler.rollout.ledger import Stage
from toys import NOON, ToyStation, shipped

SECOND = timedelta(seconds=1)


@dataclass
class Ledger:
    """A journal in memory; `lost` says why it can't be written to, `gate` holds a write up, `behind` is a real one."""

    batches: list = field(default_factory=list)
    documents: dict = field(default_factory=dict)
    lost: str = ""
    gate: asyncio.Event | None = None
    tries: int = 0
    breaks: bool = False
    behind: object = None

    async def write(self, batch):
        self.tries += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.breaks:
            raise ZeroDivisionError
        if self.lost:
            raise StoreLost(self.lost)
        assert batch, "an empty batch costs a transaction"
        if self.behind is not None:
            await self.behind.write(batch)
        self.batches.append(batch)
        self.documents.update({name: json.loads(json.dumps(body)) for name, body in batch.documents.items()})

    @property
    def entries(self):
        return [entry for batch in self.batches for entry in batch.entries]

    def intents(self):
        return [entry.write for entry in self.entries if entry.stage is Stage.INTENT]


@dataclass
class Yard:
    """Stations that keep what they accept and answer at once; each write is held against the ledger when it comes."""

    ledger: Ledger
    report: object = None
    held: dict = field(default_factory=dict)
    commands: list = field(default_factory=list)
    unannounced: list = field(default_factory=list)

    def execute(self, command):
        self.commands.append(command)
        if isinstance(command, Push | Clear | SendRaw):
            written = Counter(
                (each.station, each.profile_id) for each in self.commands if isinstance(each, Push | Clear)
            )
            kept = Counter(
                (entry.station, entry.profile_id) for entry in self.ledger.entries if entry.stage is Stage.INTENT
            )
            if not written <= kept:
                self.unannounced.append(command)
        asyncio.get_running_loop().call_later(0.05, lambda: self.report(self._answer(command)))

    def _answer(self, command):
        held = self.held.setdefault(command.station, {})
        return ToyStation(command.station, held=held).answer(command)[1]


class Bench:
    """A controller with a ledger and its yard."""

    def __init__(self, world=None, journal=None):
        self.begun = asyncio.get_running_loop().time()
        self.ledger = Ledger(behind=journal)
        self.yard = Yard(self.ledger)
        self.controller = Controller(self.yard, shipped(), self.clock, Settings(), self.ledger)
        self.yard.report = self.controller.report
        if world is not None:
            self.controller.begin(world)
        self.task = asyncio.create_task(self.controller.run())

    def clock(self):
        return NOON + (asyncio.get_running_loop().time() - self.begun) * SECOND

    def connect(self, identity="A-1", session=1):
        self.controller.report(Connected(identity, Protocol.V21, session))
        self.controller.report(Ready(identity, session))

    def writes(self):
        return [each for each in self.yard.commands if isinstance(each, Push | Clear)]

    async def settle(self, state="in-sync", number=1):
        await self.controller.until(lambda world: world.tally.get(state, 0) == number)

    async def idle(self):
        """Wait until all that has come about is kept."""
        recorder = self.controller._recorder
        async with asyncio.timeout(20):
            while recorder.waiting or recorder._failures or self.controller.world.dirty or recorder._work.is_set():
                await asyncio.sleep(0.02)

    async def stop(self):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.controller.finish()
        self.controller.close()
