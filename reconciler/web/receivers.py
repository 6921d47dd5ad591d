"""Who is told, and in which words: a notice becomes one HTTP request for each receiver. Pure.

Called by `notify`; the command line makes the receivers from a file that people write. Commit statuses go to the commit
that a notice is about, so that its author sees them beside the pipeline's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, assert_never
from urllib.parse import quote, urlsplit

from reconciler.profiles.form import write_instant
from reconciler.render.sandbox import Sandbox
from reconciler.web.notices import Event, Notice

Template: TypeAlias = "str | Mapping[str, object]"
Kind: TypeAlias = Literal["webhook", "github", "gitlab"]
CONTEXT = "fleet-profile-reconciler"
LONGEST_DESCRIPTION = 140
"""What GitHub takes; GitLab takes more."""
GITHUB = {Event.ABORTED: "failure", Event.REFUSED: "failure", Event.COMPLETE: "success"}
GITLAB = {Event.ABORTED: "failed", Event.REFUSED: "failed", Event.COMPLETE: "success"}
NAME = "template"


@dataclass(frozen=True, slots=True)
class Receiver:
    """One system to tell; `token` is a secret and is shown nowhere, and so is what stands behind the URL's host.

    `events` empty means all. `template` is a text, or an object whose texts are templates; None sends all fields.
    """

    kind: Kind
    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    events: frozenset[Event] = frozenset()
    template: Template | None = None

    @property
    def shown(self) -> str:
        """Give what may be shown of it: many webhooks carry their secret in the path."""
        return f"{self.kind} at {urlsplit(self.url).hostname}"

    def wants(self, notice: Notice) -> bool:
        """Tell whether it is to hear of a notice; a commit status needs a commit."""
        return (not self.events or notice.event in self.events) and (self.kind == "webhook" or bool(notice.commit))


@dataclass(frozen=True, slots=True)
class Letter:
    """One POST: `content` is an object to be sent as JSON, or a text."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: str | Mapping[str, object]


def address(receiver: Receiver, notice: Notice) -> Letter:
    """Write the request that tells a receiver of a notice.

    Raises:
        ManifestError: the receiver's template can't be rendered.
    """
    status = f"{receiver.url.rstrip('/')}/statuses/{quote(notice.commit, safe='')}"
    match receiver.kind:
        case "webhook":
            return Letter(receiver.url, _bearer(receiver), _content(receiver.template, notice))
        case "github":
            headers = {**_bearer(receiver), "Accept": "application/vnd.github+json"}
            state = GITHUB.get(notice.event, "pending")
            return Letter(
                status, headers, {"state": state, "context": CONTEXT, "description": _words(receiver, notice)}
            )
        case "gitlab":
            token = {"PRIVATE-TOKEN": receiver.token} if receiver.token else {}
            state = GITLAB.get(notice.event, "running")
            return Letter(status, token, {"state": state, "name": CONTEXT, "description": _words(receiver, notice)})
        case _:  # pragma: no cover
            assert_never(receiver.kind)


def _bearer(receiver: Receiver) -> dict[str, str]:
    return {"Authorization": f"Bearer {receiver.token}"} if receiver.token else {}


def _content(template: Template | None, notice: Notice) -> str | Mapping[str, object]:
    if template is None:
        return _fields(notice)
    content = _fill(template, _fields(notice))
    return content if isinstance(content, str | Mapping) else ""


def _words(receiver: Receiver, notice: Notice) -> str:
    """Give a status's description: the receiver's text, or the event with its message."""
    text = receiver.template if isinstance(receiver.template, str) else "{{ event }}: {{ message }}"
    words = " ".join(_render(text, _fields(notice)).split())
    return words if len(words) <= LONGEST_DESCRIPTION else f"{words[: LONGEST_DESCRIPTION - 1]}…"


def _fill(part: object, fields: Mapping[str, object]) -> object:
    match part:
        case str():
            return _render(part, fields)
        case Mapping():
            return {str(name): _fill(value, fields) for name, value in part.items()}
        case list():
            return [_fill(value, fields) for value in part]
        case _:
            return part


def _render(text: str, fields: Mapping[str, object]) -> str:
    return Sandbox({NAME: text}, "notify").render(NAME, fields)


def _fields(notice: Notice) -> dict[str, object]:
    return {
        "event": notice.event.value,
        "at": write_instant(notice.at),
        "fleet": notice.fleet,
        "message": notice.message,
        "commit": notice.commit,
        "wave": notice.wave,
        "waves": notice.waves,
    }
