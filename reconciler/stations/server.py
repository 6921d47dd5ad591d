"""Accepts stations: identity, password and protocol at the door, then one link per station."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from itertools import count

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import MultipleValuesError
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from reconciler.errors import UsageError
from reconciler.profiles.capability import Protocol
from reconciler.rollout.commands import StationCommand
from reconciler.stations import handshake
from reconciler.stations.conduct import undone
from reconciler.stations.credentials import Credentials
from reconciler.stations.link import Link
from reconciler.stations.terms import House

_QUIET = logging.getLogger("reconciler.stations.websockets")
_QUIET.setLevel(logging.CRITICAL)  # the library writes request headers, and so passwords, at lower levels
_NO_PROTOCOL = 1002
_REPLACED = 1008
_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    server_max_window_bits=12,
    client_max_window_bits=12,
    compress_settings={"memLevel": 5},
)
"""Each message is packed by itself: to remember those before it would cost 32 KB per station, for days on end."""
_LARGER = 4
"""How many times larger than the session's limit a message may be to be answered with an error rather than a close."""


@dataclass(frozen=True, slots=True)
class StationView:
    """One connected station as others may see it."""

    identity: str
    protocol: Protocol
    session: int
    since: datetime
    heard: datetime


@dataclass(slots=True)
class StationServer:
    """The door and the register of connected stations.

    `known` says whether an identity (casefolded) is declared; without `credentials` only loopback addresses are served.
    Until `is_open` says so, whoever comes is told to come back later.
    """

    house: House
    known: Callable[[str], bool]
    host: str = "127.0.0.1"
    port: int = 8080
    credentials: Credentials | None = None
    is_open: Callable[[], bool] = lambda: True
    _links: dict[str, Link] = field(default_factory=dict)
    _frames: dict[str, dict[str, int]] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=dict)
    _sessions: count[int] = field(default_factory=lambda: count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            UsageError: the address can't be had, or is open to others while no passwords are asked.
        """
        if self.credentials is None and not _is_loopback(self.host):
            raise UsageError(f"without passwords only a loopback address is served, not {self.host}")
        interval = self.house.terms.ping_interval
        try:
            self._server = await serve(
                self._serve,
                self.host,
                self.port,
                process_request=self._admit,
                select_subprotocol=_select,
                compression=None,
                extensions=[_DEFLATE],
                max_size=_LARGER * self.house.terms.max_bytes,
                ping_interval=interval.total_seconds() if interval else None,
                ping_timeout=None,
                open_timeout=30,
                close_timeout=2,
                server_header=None,
                logger=_QUIET,
            )
        except OSError as error:
            raise UsageError(f"{self.host}:{self.port} can't be listened on: {error.strerror}") from error

    async def stop(self) -> None:
        """Stop listening, close every socket and wait until all of it is reported."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self.credentials is not None:
            self.credentials.close()

    @property
    def address(self) -> tuple[str, int]:
        """Give host and port as they are: port 0 asks the system for a free one."""
        if self._server is None:
            return (self.host, self.port)
        host, port, *_ = next(iter(self._server.sockets)).getsockname()
        return (host, port)

    def execute(self, command: StationCommand) -> None:
        """Take a command; it ends in exactly one event, which is never reported before this returns."""
        link = self._links.get(command.station.casefold())
        if link is None:
            event = undone(command, "the station is not connected")
            asyncio.get_running_loop().call_soon(self.house.report, event)
        else:
            link.submit(command)

    def stations(self) -> tuple[StationView, ...]:
        """Give the connected stations, sorted by identity."""
        views = (
            StationView(link.identity, link.protocol, link.number, link.since, link.heard)
            for link in self._links.values()
        )
        return tuple(sorted(views, key=lambda view: view.identity))

    def frames(self, station: str) -> Mapping[str, int]:
        """Give how many requests of each action were sent to a station since the start."""
        return dict(self._frames.get(station.casefold(), {}))

    def all_frames(self) -> Mapping[str, int]:
        """Give how many requests of each action were sent to all stations since the start."""
        total = Counter[str]()
        for frames in self._frames.values():
            total.update(frames)
        return dict(total)

    async def disconnect(self, station: str) -> None:
        """Close a station's socket; a station that is not connected is no error."""
        link = self._links.get(station.casefold())
        if link is not None:
            await link.hang_up(1001, "closed by the operator")

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse before the WebSocket opens: 503 while closed, 404 for who is not known, 401 for who can't prove it."""
        if not self.is_open():
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "come back later\n")
        name = handshake.identity(request.path)
        if name is None or not self.known(name.casefold()):
            return connection.respond(HTTPStatus.NOT_FOUND, "unknown station\n")
        if await self._authenticates(name, request):
            return None
        response = connection.respond(HTTPStatus.UNAUTHORIZED, "wrong user or password\n")
        response.headers["WWW-Authenticate"] = 'Basic realm="stations", charset="UTF-8"'
        return response

    async def _authenticates(self, name: str, request: Request) -> bool:
        if self.credentials is None:
            return True
        try:
            given = handshake.basic(request.headers.get("Authorization"))
        except MultipleValuesError:
            return False
        if given is None or given[0].casefold() != name.casefold():
            return False
        return await self.credentials.verify(name, given[1])

    async def _serve(self, socket: ServerConnection) -> None:
        name = handshake.identity(socket.request.path) if socket.request else None
        _forget_the_door(socket)
        if name is None or socket.subprotocol is None:
            await socket.close(_NO_PROTOCOL, "no common subprotocol")
            return
        key = name.casefold()
        frames = self._frames.setdefault(key, {})
        number = self._newest[key] = next(self._sessions)
        # The old link's last events come before the new one's first; until then the station is not connected.
        while self._newest[key] == number and (old := self._links.pop(key, None)):
            self._spawn(_replace(old))
            await old.end()
        if self._newest[key] != number:
            return  # a still newer connection came meanwhile
        link = self._links[key] = Link(socket, name, number, self.house, partial(_count, frames))
        try:
            await link.run()
        finally:
            if self._links.get(key) is link:
                del self._links[key]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _forget_the_door(socket: ServerConnection) -> None:
    """Let go of what was said when a socket was opened: stations stay for days, and there are thousands of them."""
    if socket.request is not None:
        socket.request.headers.clear()
    socket.response = None


def _count(frames: dict[str, int], action: str) -> None:
    frames[action] = frames.get(action, 0) + 1


async def _replace(old: Link) -> None:
    """Close a socket whose station has come back on another; it may be dead, so nobody waits for it."""
    await old.hang_up(_REPLACED, "replaced by a new connection")


def _select(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    protocol = handshake.choose(offered)
    return None if protocol is None else Subprotocol(protocol.value)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
