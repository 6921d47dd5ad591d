"""Where a fleet's repository is: a local path, or a URL that is safe to hand to git and to show in a message.

Used by the git source. A URL can name a program to run (`ext::`), so only known schemes pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import UsageError

SCHEMES = ("https", "ssh", "file")
_TAKEN = "the source must be a path or a URL over https, ssh or file"

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^/@]*)@)?(?P<rest>.*)", re.DOTALL)
_SCP = re.compile(r"(?:[A-Za-z0-9_.+-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^:].*")
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Address:
    """Hold where to read; `url` has no credentials, and `credentials` is git's configuration that adds them."""

    path: Path | None = None
    url: str = ""
    credentials: tuple[str, str] | None = None

    def __str__(self) -> str:
        """Give what may be shown."""
        return self.url or str(self.path)

    def __repr__(self) -> str:
        """Give what may be shown: a log of this value holds no secret."""
        return f"Address({self})"


def parse_address(text: str) -> Address:
    """Read a path or a URL over https, ssh or file; raises UsageError for what git might run or send in clear."""
    if not text or text.startswith("-") or "\0" in text or "\n" in text:
        raise UsageError(_TAKEN)
    found = _URL.fullmatch(text)
    if found is not None:
        return _url(found)
    if Path(text).exists():
        return Address(path=Path(text))
    if "::" in text:
        raise UsageError(f"`{text.partition('::')[0]}::` is not taken: {_TAKEN}")
    return Address(url=text) if _SCP.fullmatch(text) else Address(path=Path(text))


def _url(found: re.Match[str]) -> Address:
    scheme, user, rest = found["scheme"].lower(), found["user"], found["rest"]
    if scheme not in SCHEMES or rest.startswith("-"):
        raise UsageError(f"`{scheme}://` is not taken: {_TAKEN}")
    if scheme == "https" and user:
        clean = f"{scheme}://{rest}"
        return Address(url=clean, credentials=(f"url.{scheme}://{user}@{rest}.insteadOf", clean))
    if scheme == "ssh" and user:
        return Address(url=f"{scheme}://{user.split(':')[0]}@{rest}")
    return Address(url=f"{scheme}://{rest}")


def redact(text: str) -> str:
    """Take credentials out of what git says."""
    return _CREDENTIALS.sub("//***@", text)
