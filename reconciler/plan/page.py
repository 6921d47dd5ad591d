"""A page of GitHub's and GitLab's Markdown that has a size and lets nothing foreign become markup.

Called by `markdown`. What manifests and stations say is untrusted: it is shown as code, in which no link, no mention,
no picture and no tag can begin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 300
"""Characters of foreign text that are shown; nobody reads more in a table."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -,;=%")
_MARKS = re.compile(r"[&<>|`*_\[\]~@#\\$!]|:(?=/)|(?<=[wW])\.")
_URL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#@&+,;=%")


def code(text: str) -> str:
    """Show foreign text as it is: one line of it, and nothing in it is read as Markdown or HTML."""
    return f"<code>{_encode(text)}</code>"


def escape(words: str) -> str:
    """Let words of our own stand in running text or in a table."""
    return _MARKS.sub(lambda found: _reference(found[0]), words.replace("->", "→"))


def picture(title: str, url: str) -> str:
    """Refer to a picture; whatever does not belong in a URL is percent-encoded."""
    target = "".join(letter if letter in _URL else _percent(letter) for letter in url)
    return f"![{_encode(title)}]({target})"


def marker(name: str) -> str:
    """Give the comment that nobody sees, by which the next plan of a fleet finds this one's place."""
    return f"<!-- reconciler plan {re.sub(r'[^A-Za-z0-9._-]', '', name)} -->"


class Page:
    """Blocks of Markdown, as many as there is room for."""

    def __init__(self, limit: int) -> None:
        """Begin with an empty page of so many characters."""
        self._blocks: list[str] = []
        self.left = limit

    def add(self, block: str) -> bool:
        """Add a block if it fits, and tell whether it did."""
        if len(block) + 2 > self.left:
            return False
        self._blocks.append(block)
        self.left -= len(block) + 2
        return True

    def add_lines(
        self, head: str, lines: Sequence[str], foot: str = "", share: float = 1.0, *, more: str = "which `-o json` has"
    ) -> None:
        """Add as many lines as fit between head and foot within a share of the room left; the others are counted.

        What is left out is said to be found where `more` tells.
        """
        room = int(self.left * share) - len(head) - len(foot) - 2 * LONGEST
        kept: list[str] = []
        for line in lines:
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        left = len(lines) - len(kept)
        rest = [f"\n{'and ' if kept else ''}{left} more, {more}."] if left else []
        if lines:
            self.add("\n".join([*([head] if head else []), *kept, *rest, *([foot] if foot else [])]))

    def fold(self, title: str, lines: Sequence[str], share: float = 0.5) -> None:
        """Add lines that are shown when a reader asks for them."""
        self.add_lines(f"<details><summary>{title}</summary>\n", lines, "\n</details>", share)

    def __str__(self) -> str:
        """Give the page."""
        return "\n\n".join(self._blocks) + "\n"


def _encode(text: str) -> str:
    shown = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return "".join(character if character in _PLAIN else _reference(character) for character in shown)


def _reference(character: str) -> str:
    """Give a character as HTML's number for it; one that prints nothing, or turns text around, is shown as such."""
    if character.isspace():
        return " "
    return f"&#{ord(character)};" if character.isprintable() else "&#65533;"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
