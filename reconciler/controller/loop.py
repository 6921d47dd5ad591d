"""The shell round the pure step: takes events from a queue, steps, and carries the effects out.

The only scheduler of the program. It knows the time through a clock it is given, stations through the one method that
executes a command, and nothing of git, sockets, databases or HTTP. Composed by the command line.

With a journal, what may change a station leaves only after the line that announces it was kept (`recorder`).
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

import structlog

from reconciler.controller.course import ALL
from reconciler.controller.durable import drain, mark
from reconciler.controller.recorder import Journal, Leaving, Recorder
from reconciler.controller.revision import Revision, follow
from reconciler.controller.step import step
from reconciler.controller.verdict import taken, turned_down
from reconciler.controller.world import (
    Ask,
    Effect,
    Event,
    Order,
    Reply,
    RevisionLoaded,
    RevisionRefused,
    Settings,
    World,
)
from reconciler.errors import ManifestError, Place, RevisionError, Transient
from reconciler.manifests.snapshot import Snapshot
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.profiles.form import JsonObject
from reconciler.reported.events import RawAnswered, Woken
from reconciler.rollout.commands import Clear, Push, SendRaw, StationCommand, Wake
from reconciler.rollout.ledger import Entry, Name

HISTORY = 10_000
"""How many lines of history are at hand; a journal has all of them."""
GOOD = "good:"
"""How the words on a signature begin that git found good, by a key that is trusted."""
TURN = 25
"""How many events are stepped before the loop lets sockets and requests have their turn."""
LOOK_UP = 60.0
"""How many seconds the loop trusts its own clock: the system's may be set meanwhile."""

Clock = Callable[[], datetime]


class Stations(Protocol):
    """What the controller asks of the stations shell."""

    def execute(self, command: StationCommand) -> None:
        """Begin to carry a command out; its end comes back as exactly one event."""


class Controller:
    """Runs one fleet. All state is the world; the last of the `recorded` lines of history are at hand, newest last."""

    def __init__(
        self,
        stations: Stations,
        shipped: Mapping[str, str],
        clock: Clock,
        settings: Settings,
        journal: Journal | None = None,
    ) -> None:
        """Take the stations to command, the default templates, the clock, the settings, and where things are kept."""
        self.world = World(settings=settings)
        self.history: deque[Entry] = deque(maxlen=HISTORY)
        self.recorded = 0
        self._stations, self._shipped, self._clock = stations, shipped, clock
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._alarms: list[tuple[datetime, str]] = []
        self._due: dict[str, datetime] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._replies: dict[str, asyncio.Future[RawAnswered | Reply]] = {}
        self._watchers: list[tuple[Callable[[World], bool], asyncio.Future[None]]] = []
        self._taking = asyncio.Lock()
        self._loading: Revision | None = None
        self._refused = False
        self._recorder = Recorder(journal, self) if journal else None
        self._log = structlog.get_logger("controller")

    def begin(self, world: World, entries: Sequence[Entry] = ()) -> None:
        """Begin with a restored world, and with the lines that end what was under way; called before `run`."""
        self.world = world
        for entry in entries:
            self._record(entry)
        for station in world.stations.values():
            self.report(Woken(station.identity))
        self.report(Woken(ALL))

    def report(self, event: Event) -> None:
        """Put an event into the queue; called by the shells, from the loop's own thread."""
        self._events.put_nowait(event)

    @property
    def queued(self) -> int:
        """Count the events that wait to be stepped through."""
        return self._events.qsize()

    async def run(self) -> None:
        """Step through events until cancelled; what breaks the recorder ends the loop as well."""
        if self._recorder is None:
            await self._turns()
            return
        work = [asyncio.ensure_future(each) for each in (self._recorder.run(), self._turns())]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def finish(self) -> None:
        """Step through what has come, and keep what that leaves; called when `run` has ended."""
        with suppress(asyncio.QueueEmpty):
            while True:
                self._step(self._events.get_nowait())
        if self._recorder is not None:
            await self._recorder.finish()

    async def _turns(self) -> None:
        while True:
            self._step(await self._events.get())
            for _ in range(TURN):
                if self._events.empty():
                    break
                self._step(self._events.get_nowait())
            if self._recorder is not None:
                self._recorder.turn()
            await asyncio.sleep(0)

    async def take(self, snapshot: Snapshot, *, force: str = "") -> Revision | RevisionError:
        """Make a snapshot the desired revision, or refuse it as a whole; stations hear of it afterwards.

        One at a time and in the order of the calls, so that an older one can't end later and win. `force` is a person's
        reason to let it follow the one before it, whatever share of the stations it touches and whatever it leaves.
        """
        async with self._taking:
            return await self._take(snapshot, force.strip())

    async def _take(self, snapshot: Snapshot, force: str) -> Revision | RevisionError:
        before, now = self._loading or self.world.revision, self._clock()
        if before is not None and snapshot.commit and snapshot.commit == before.commit and not self._refused:
            return before
        if snapshot.commit in self.world.quarantined and not force:
            return self._leave(snapshot, now)
        try:
            revision, plan = await self._prove(snapshot, before, force, now)
        except RevisionError as error:
            self._refuse(snapshot, error, now)
            return error
        self._log.info("revision loaded", revision=snapshot.commit, stations=len(revision.fleet.stations))
        for warning in revision.warnings:
            self._log.warning("guardrail", revision=snapshot.commit, rule=warning.guardrail, finding=warning.text)
        self._loading, self._refused = revision, False
        if self._recorder is not None:
            self._recorder.keep(taken(revision, force, plan, now))
        self.report(RevisionLoaded(revision, force, plan))
        return revision

    async def _prove(
        self, snapshot: Snapshot, before: Revision | None, force: str, now: datetime
    ) -> tuple[Revision, str]:
        """Prove a snapshot, and give the digest of the plan from the revision before it."""
        if self.world.settings.signed_only and not snapshot.signature.startswith(GOOD):
            message = f"only signed commits are taken, and this one is {snapshot.signature or 'not signed'}"
            raise RevisionError((ManifestError(message, Place("."), rule="unsigned"),))
        return await asyncio.to_thread(_prove, snapshot, self._shipped, now, before, force)

    def _refuse(self, snapshot: Snapshot, error: RevisionError, now: datetime) -> None:
        self._refused = True
        if self._recorder is not None:
            self._recorder.keep(turned_down(snapshot, error, now))
        self.report(RevisionRefused(snapshot.commit, snapshot.subject, error.errors))
        self._log.error("revision refused", revision=snapshot.commit, errors=[str(each) for each in error.errors])

    def _leave(self, snapshot: Snapshot, now: datetime) -> RevisionError:
        """Leave a commit in quarantine, and what is kept of it: a start meets it where git still has it as its head."""
        why = f"not taken, for it is in quarantine: {self.world.quarantined[snapshot.commit]}"
        self._record(Entry(now, "", "rollout", why, revision=snapshot.commit))
        return RevisionError((ManifestError(why, Place("."), rule="quarantined"),))

    async def go_back(self, snapshot: Snapshot, who: str, reason: str) -> Revision | RevisionError:
        """Return to an older revision that a person names, past waves and windows; what was in force is quarantined.

        It has to be good by itself; whatever share of the stations it touches, it may follow the one in force.

        Raises:
            Transient: it could not be put in force.
        """
        async with self._taking:
            before, now = self._loading or self.world.revision, self._clock()
            try:
                revision, plan = await self._prove(snapshot, before, reason, now)
            except RevisionError as error:
                return error
            self._loading, self._refused = revision, False
            if self._recorder is not None:
                self._recorder.keep(taken(revision, reason, plan, now))
            self.report(RevisionLoaded(revision, reason, plan, who, back=True))
            await self.until(lambda _: self._loading is not revision)
            if self.world.revision is not revision:
                raise Transient(f"{snapshot.commit[:12]} could not be put in force; the controller's log says why")
            return revision

    async def ask(self, request: SendRaw, who: str, *, force: bool = False) -> RawAnswered | Reply:
        """Send one request by hand and wait for its end."""
        return await self._reply_to(request.ticket, Ask(request, who, force))

    async def order(self, order: Order) -> Reply:
        """Give a person's order and wait for what comes of it; an empty error is success."""
        reply = await self._reply_to(order.ticket, order)
        assert isinstance(reply, Reply)  # noqa: S101 (no station answers an order)
        return reply

    async def _reply_to(self, ticket: str, event: Ask | Order) -> RawAnswered | Reply:
        future: asyncio.Future[RawAnswered | Reply] = asyncio.get_running_loop().create_future()
        self._replies[ticket] = future
        try:
            self.report(event)
            return await future
        finally:
            self._replies.pop(ticket, None)

    async def until(self, condition: Callable[[World], bool]) -> None:
        """Wait until the world meets a condition; it is asked after every step, so it should be cheap."""
        if condition(self.world):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append((condition, future))
        await future

    def _step(self, event: Event) -> None:
        if isinstance(event, RawAnswered):
            self._answer(event.ticket, event)
        for effect in self._decide(event):
            self._carry_out(effect)
        if isinstance(event, RevisionLoaded) and event.revision is self._loading:
            self._loading = None
        if self._watchers:
            self._notify()

    def _decide(self, event: Event) -> tuple[Effect, ...]:
        """Step; an event that breaks the step is logged and dropped whole, for no station may stop the others."""
        try:
            self.world, effects = step(self.world, event, self._clock())
        except Exception:  # noqa: BLE001 - the world is as it was before the event, and the next one is computed from that
            self._log.exception("event dropped", event_type=type(event).__name__, station=getattr(event, "station", ""))
            return ()
        return effects

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Wake():
                self._wake(effect)
            case Entry():
                self._record(effect)
            case Push() | Clear() | SendRaw() | Reply(error="") if self._recorder is not None:
                self._recorder.hold(effect)
            case Reply():
                self._answer(effect.ticket, effect)
            case _:
                self._stations.execute(effect)

    def _record(self, entry: Entry) -> None:
        self.history.append(entry)
        self.recorded += 1
        if self._recorder is not None:
            self._recorder.note(entry)
        details: dict[str, Any] = {
            "station": entry.station,
            "profile": entry.profile_id,
            "reason": entry.reason,
            "answer": entry.answer,
            "revision": entry.revision,
            "digest": entry.digest[:12],
        }
        self._log.info(entry.action, **{key: value for key, value in details.items() if value})

    def _answer(self, ticket: str, answer: RawAnswered | Reply) -> None:
        future = self._replies.get(ticket)
        if future is not None and not future.done():
            future.set_result(answer)

    def _notify(self) -> None:
        waiting = [(condition, future) for condition, future in self._watchers if not future.done()]
        self._watchers = []
        for condition, future in waiting:
            if condition(self.world):
                future.set_result(None)
            else:
                self._watchers.append((condition, future))

    def _wake(self, wake: Wake) -> None:
        """Remember the alarm; of several for one station only the last one set rings."""
        if self._due.get(wake.station) == wake.at:
            return
        self._due[wake.station] = wake.at
        heapq.heappush(self._alarms, (wake.at, wake.station))
        if self._alarms[0] == (wake.at, wake.station):
            self._arm()

    def _arm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._alarms:
            delay = (self._alarms[0][0] - self._clock()).total_seconds()
            self._alarm = asyncio.get_running_loop().call_later(min(max(delay, 0.0), LOOK_UP), self._ring)

    def _ring(self) -> None:
        now = self._clock()
        while self._alarms and self._alarms[0][0] <= now:
            at, station = heapq.heappop(self._alarms)
            if self._due.get(station) == at:
                del self._due[station]
                self.report(Woken(station))
        self._arm()

    def marked(self) -> tuple[Name, ...]:
        """Give what has changed and is not kept yet, for the recorder."""
        return tuple(self.world.dirty)

    def drain(self, names: Sequence[Name]) -> Mapping[Name, JsonObject | None]:
        """Give documents to the recorder."""
        self.world, documents = drain(self.world, names)
        return documents

    def mark(self, names: Sequence[Name]) -> None:
        """Take back from the recorder what could not be kept."""
        self.world = mark(self.world, names)

    def release(self, command: Leaving) -> None:
        """Let a command leave whose line was kept, unless its connection has gone meanwhile, and answer who ordered."""
        if isinstance(command, Reply):
            self._answer(command.ticket, command)
            return
        station = self.world.stations.get(command.station.casefold())
        if station is not None and station.in_flight is command:
            self._stations.execute(command)

    def now(self) -> datetime:
        """Give the time."""
        return self._clock()

    def close(self) -> None:
        """Let go of timers and of everyone who waits."""
        if self._alarm is not None:
            self._alarm.cancel()
        for _, future in self._watchers:
            future.cancel()
        for reply in self._replies.values():
            reply.cancel()


def _prove(
    snapshot: Snapshot, shipped: Mapping[str, str], now: datetime, before: Revision | None, force: str
) -> tuple[Revision, str]:
    """Prove a snapshot, and give the digest of the plan from the revision before it."""
    revision = follow(snapshot, shipped, now, None if force else before)
    return revision, plan_fleet(revision, now, before).digest
