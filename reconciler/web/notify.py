"""SHELL: tells other systems by HTTP what has happened; nothing ever waits for them.

Run by the command line beside everything else. It looks at the world every few seconds (`notices`), writes a request
for each receiver (`receivers`) and delivers it: each receiver has a bounded queue and a task of its own, so that a slow
one holds up no other. Tokens and paths of webhooks are never logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import structlog

from reconciler.errors import ManifestError
from reconciler.web.notices import Notice, Scene, tell
from reconciler.web.receivers import Letter, Receiver, address

logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes whole URLs at lower levels, and some are secrets
LOOK_S = 5.0
TRIES = 6
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
LONGEST_REQUEST_S = 10.0
MOST_WAITING = 100
AGAIN = frozenset({408, 425, 429, *range(500, 600)})
"""The statuses after which another try may help."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long it waits: between two looks, and before the first repetition, which every further one doubles.

    `jitter` draws a number between two bounds, so that many controllers do not knock all at once.
    """

    jitter: Callable[[float, float], float]
    look_s: float = LOOK_S
    first_s: float = FIRST_WAIT_S

    def before(self, repetition: int, asked_s: float = 0.0) -> float:
        """Give the seconds before a repetition, counted from 0; at least what the receiver asked for, within reason."""
        longest = min(self.first_s * 2**repetition, LONGEST_WAIT_S)
        return max(self.jitter(longest / 2, longest), min(asked_s, LONGEST_WAIT_S))


class Notifier:
    """Tells receivers of what happens; `run` is its life, `counted` hears of each notice sent, failed or dropped."""

    def __init__(
        self, receivers: tuple[Receiver, ...], look: Callable[[], Scene], counted: Callable[[str], None], pauses: Pauses
    ) -> None:
        """Take whom to tell, how to look, and how long to wait."""
        self._look, self._counted, self._pauses = look, counted, pauses
        self._queues = tuple((each, asyncio.Queue[Notice](MOST_WAITING)) for each in receivers)
        self._log = structlog.get_logger("notify")

    async def run(self) -> None:
        """Look and tell until cancelled."""
        async with httpx.AsyncClient(timeout=LONGEST_REQUEST_S) as client, asyncio.TaskGroup() as group:
            for receiver, queue in self._queues:
                group.create_task(self._serve(client, receiver, queue))
            await self._watch()

    async def _watch(self) -> None:
        before: Scene | None = None
        while True:
            before = self._compare(before)
            await asyncio.sleep(self._pauses.look_s)

    def _compare(self, before: Scene | None) -> Scene | None:
        """Look and tell; whatever goes wrong with telling must not end the program that is told of."""
        try:
            after = self._look()
            for notice in tell(before, after):
                self._post(notice)
        except Exception:  # noqa: BLE001 - see above
            self._log.exception("nothing can be told")
            return before
        return after

    def _post(self, notice: Notice) -> None:
        for receiver, queue in self._queues:
            if not receiver.wants(notice):
                continue
            if queue.full():
                self._fail(receiver, notice, "dropped", "too many notices are waiting")
            else:
                queue.put_nowait(notice)

    async def _serve(self, client: httpx.AsyncClient, receiver: Receiver, queue: asyncio.Queue[Notice]) -> None:
        while True:
            notice = await queue.get()
            why = await self._tell(client, receiver, notice)
            if why:
                self._fail(receiver, notice, "failed", why)
            else:
                self._counted("sent")

    async def _tell(self, client: httpx.AsyncClient, receiver: Receiver, notice: Notice) -> str:
        """Tell a receiver; say why it did not hear of it, empty where it did. Others are told whatever happens."""
        try:
            return await self._deliver(client, address(receiver, notice))
        except ManifestError as error:
            return error.message
        except Exception as error:  # noqa: BLE001 - see above; its words may hold an address, and so a secret
            return type(error).__name__

    async def _deliver(self, client: httpx.AsyncClient, letter: Letter) -> str:
        """Send a letter, again and again where that may help; say why it did not arrive, empty where it did."""
        why = ""
        for repetition in range(TRIES):
            why, again, asked_s = await _send(client, letter)
            if not why or not again:
                return why
            if repetition + 1 < TRIES:
                await asyncio.sleep(self._pauses.before(repetition, asked_s))
        return why

    def _fail(self, receiver: Receiver, notice: Notice, result: str, why: str) -> None:
        self._counted(result)
        self._log.warning("notice not delivered", receiver=receiver.shown, notice=notice.event.value, error=why)


async def _send(client: httpx.AsyncClient, letter: Letter) -> tuple[str, bool, float]:
    """Try once; give what went wrong (empty: nothing), whether to try again, and the seconds that it asks to wait."""
    text = letter.content if isinstance(letter.content, str) else None
    body = None if text is not None else letter.content
    try:
        answer = await client.post(letter.url, headers=dict(letter.headers), content=text, json=body)
    except httpx.HTTPError as error:
        return type(error).__name__, True, 0.0
    if answer.is_success:
        return "", False, 0.0
    asked = answer.headers.get("Retry-After", "")
    return (
        f"answered {answer.status_code}",
        answer.status_code in AGAIN,
        float(asked) if asked.isascii() and asked.isdigit() else 0.0,
    )
