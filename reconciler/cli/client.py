"""Asks a running controller over its HTTP API; used by every command with `--server`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from reconciler.cli.options import SERVER, SERVER_VARIABLE
from reconciler.errors import ReconcilerError, Transient, UnsafePlan, UsageError

LONGEST_S = 90.0


class NotFound(ReconcilerError):
    """The controller knows nothing by that name."""


class Declined(ReconcilerError):
    """The controller will not do what was asked."""


class Client:
    """The API of one controller: `--server`, else the environment's RECONCILER_SERVER, else this machine's."""

    def __init__(self, server: str = "") -> None:
        """Take the address.

        Raises:
            UsageError: it is no http(s) URL.
        """
        self.server = (server or os.environ.get(SERVER_VARIABLE) or SERVER).rstrip("/")
        if not self.server.startswith(("http://", "https://")):
            raise UsageError(f"--server takes a URL such as {SERVER}, not {self.server!r}")
        self._http = httpx.Client(timeout=LONGEST_S, trust_env=False)

    def __enter__(self) -> Client:
        """Open."""
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Close."""
        self._http.close()

    def get(self, *path: str, **parameters: str | list[str] | None) -> Any:
        """Ask for `/api/v1/` and these segments.

        Raises:
            NotFound: the controller does not know it.
            Transient: the controller can't be reached, or is in trouble.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._ask("GET", path, params=given)

    def page(self, *path: str, **parameters: str | None) -> tuple[Any, str]:
        """Ask as `get` does; give also the `before` of the next page, empty at the last one."""
        given = {name: value for name, value in parameters.items() if value is not None}
        answer = self._send("GET", path, params=given)
        following = answer.links.get("next", {}).get("url", "")
        return _read(answer, self.server), httpx.URL(following).params.get("before", "")

    def post(self, *path: str, content: Mapping[str, object]) -> Any:
        """Send an object to `/api/v1/` and these segments; raises as `get` does, and Declined and UnsafePlan."""
        return self._ask("POST", path, json=content)

    def _ask(self, method: str, path: tuple[str, ...], **options: Any) -> Any:
        return _read(self._send(method, path, **options), self.server)

    def _send(self, method: str, path: tuple[str, ...], **options: Any) -> httpx.Response:
        url = "/".join((self.server, "api/v1", *(quote(part, safe="") for part in path)))
        try:
            return self._http.request(method, url, **options)
        except httpx.TimeoutException as error:
            raise Transient(f"no answer from {self.server} within {LONGEST_S:g} s") from error
        except httpx.HTTPError as error:
            raise Transient(
                f"no controller answers at {self.server} ({type(error).__name__}); is `reconciler run` there? "
                f"--server or {SERVER_VARIABLE} names another"
            ) from error


def _read(answer: httpx.Response, server: str) -> Any:
    try:
        content = answer.json()
    except ValueError as error:
        raise Transient(f"{server} does not answer as a controller does") from error
    if answer.is_success:
        return content
    raise _problem(answer.status_code, content)


def _problem(status: int, content: object) -> ReconcilerError:
    fields = content if isinstance(content, dict) else {}
    message = str(fields.get("error") or f"the controller answered {status}")
    words = f"{message} ({fields['hint']})" if fields.get("hint") else message
    match status:
        case 404:
            return NotFound(words)
        case 409 if fields.get("blocked"):
            return UnsafePlan((words,))
        case 409 | 413 | 422:
            return Declined(words)
        case _:
            return Transient(words)
