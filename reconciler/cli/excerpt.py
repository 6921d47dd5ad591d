"""The lines that an error is about, with a caret under the words, for a person at a terminal. Pure.

Used by `complaints`. What stands in the files is untrusted: whatever could move, hide or reorder text on a terminal is
shown by its number.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconciler.cli.terminal import COLUMNS
from reconciler.errors import ManifestError

WIDTH = 92
"""Columns of a line that are shown; of a longer one, those around the place."""
LEAST_BESIDE = 30
"""Columns for a hint beside its caret; with less it begins on a line of its own."""
_BEFORE = 30
"""Columns kept to the left of the place where a line is cut."""
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_CLOSING = {"{": "}", "[": "]"}
_PLAIN_END = re.compile(r":(?=\s|$)|\s+#|\s*$")
_FLOW_END = re.compile(r":(?=\s|$)|\s+#|\s*[,}\]]|\s*$")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|' + "'(?:''|[^'])*'")


class Row(NamedTuple):
    """A line for the terminal: what stands left of the text, the text, and whether it is the caret's."""

    margin: str
    text: str
    is_caret: bool = False


class Excerpts:
    """Quotes the files of a revision; each is cut into lines once."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Take the files by path."""
        self._files = files
        self._lines: dict[str, Sequence[str]] = {}

    def quote(self, error: ManifestError) -> tuple[Row, ...]:
        """Give the line of an error and the one before it, with a caret that names the fix; nothing without a line."""
        place = error.place
        lines = self._lines_of(place.file)
        if not 0 < place.line <= len(lines):
            return ()
        line = lines[place.line - 1]
        start, end = span(line, place.column)
        cut = max(0, start - _BEFORE) if _width(line) > WIDTH else 0
        number, before = str(place.line), lines[place.line - 2] if place.line > 1 else ""
        margin = " " * len(number)
        caret = f"{' ' * (_width(line[cut:start]) + bool(cut))}{'^' * _carets(line, cut, start, end)}"
        told = _beside(caret, error.hint, COLUMNS - len(f"  {margin} | "))
        rows = (Row(f"{number} | ", _clip(line, cut)), *(Row(f"{margin} | ", each, is_caret=True) for each in told))
        shown = Row(f"{str(place.line - 1).rjust(len(number))} | ", _clip(before, cut)) if before.strip() else None
        return (shown, *rows) if shown else rows

    def _lines_of(self, file: str) -> Sequence[str]:
        if file not in self._lines:
            text = self._files.get(file)
            self._lines[file] = () if text is None else _BREAK.split(text)
        return self._lines[file]


def _beside(caret: str, hint: str, room: int) -> list[str]:
    """Put a hint beside its caret, or below it where there is too little room; no line is longer than the room."""
    if not hint:
        return [caret]
    if len(caret) + 1 + len(hint) <= room:
        return [f"{caret} {hint}"]
    indent = " " * min(len(caret) - len(caret.lstrip()), room // 2)
    if len(caret) + LEAST_BESIDE <= room:
        return textwrap.wrap(hint, room, initial_indent=f"{caret} ", subsequent_indent=indent, break_on_hyphens=False)
    below = textwrap.wrap(hint, room, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return [caret, *below]


def span(line: str, column: int) -> tuple[int, int]:
    """Give where the word at a column (from 1; 0 = unknown) begins and ends in its line; never empty."""
    if not 0 < column <= len(line):
        start = len(line) - len(line.lstrip())
        return start, max(len(line.rstrip()), start + 1)
    start = column - 1
    return start, max(_end(line, start), start + 1)


def _end(line: str, start: int) -> int:
    quoted = _QUOTED.match(line, start)
    if quoted:
        return quoted.end()
    if line[start] in _CLOSING:
        return _closed(line, start)
    ending = _FLOW_END if "{" in line[:start] or "[" in line[:start] else _PLAIN_END
    found = ending.search(line, start)
    return found.start() if found else len(line)


def _closed(line: str, start: int) -> int:
    """Find the bracket that closes the one at `start`; the line's end where it is closed on a later one."""
    depth = 0
    for index in range(start, len(line)):
        depth += (line[index] in _CLOSING) - (line[index] in _CLOSING.values())
        if not depth:
            return index + 1
    return len(line.rstrip())


def _carets(line: str, cut: int, start: int, end: int) -> int:
    room = WIDTH - _width(line[cut:start])
    return max(1, min(_width(line[start:end]), room))


def _clip(line: str, cut: int) -> str:
    """Give the part of a line that is shown, cut on both sides if need be."""
    shown, width = ["…"] if cut else [], 0
    for character in line[cut:]:
        piece = _show(character)
        width += _columns(piece)
        if width > WIDTH:
            return "".join((*shown, "…"))
        shown.append(piece)
    return "".join(shown).rstrip()


def _width(text: str) -> int:
    return sum(_columns(_show(character)) for character in text)


def _columns(piece: str) -> int:
    """Count a terminal's columns: wide characters take two, and those that combine take none."""
    return sum(0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF") for each in piece)


def _show(character: str) -> str:
    if character == "\t":
        return " "
    return f"\\u{ord(character):04x}" if unicodedata.category(character) in _HIDDEN else character
