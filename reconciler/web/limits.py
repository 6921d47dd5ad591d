"""Bounds on what a request may bring, held before any of it is read into memory; wraps the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class BodyLimit:
    """Answers 413 to a body of more than `most` bytes, whether it says so beforehand or not."""

    def __init__(self, app: App, most: int) -> None:
        """Wrap an ASGI application."""
        self._app, self._most = app, most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Read the body within its bound, then let the application have it as one message."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await self._read(scope, receive)
        if body is None:
            await _refuse(send, self._most)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Message, receive: Receive) -> bytes | None:
        stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not stated.isdigit() or int(stated[:20]) > self._most:
            return None
        parts: list[bytes] = []
        more = True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
            if sum(map(len, parts)) > self._most:
                return None
        return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def once() -> Message:
        return whole.pop() if whole else await receive()

    return once


async def _refuse(send: Send, most: int) -> None:
    body = orjson.dumps({"error": "the request's body is too large", "hint": f"at most {most} bytes"})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
