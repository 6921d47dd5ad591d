"""Find the line of a template that wrote what is wrong with its yield.

Called by `desired` once a yield is refused: the template is rendered again with marks in it, which say where each piece
of its text stands. Where that can't be told, an error keeps the line of the yield alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import nodes

from reconciler.errors import ManifestError, Place
from reconciler.manifests.documents import Document, parse

SHOWN = 80
"""Characters of a line that an error repeats."""
_MARK = re.compile("\0([0-9]+):([^\0]*)\0")
_STEP = re.compile(r"[^.\[\]]+")


class Origin(NamedTuple):
    """From which character of a yield on it comes from which line of a template."""

    offset: int
    template: str
    line: int


@dataclass(frozen=True, slots=True)
class Traced:
    """A yield and where its pieces come from, in its own order."""

    text: str
    origins: tuple[Origin, ...]

    def origin(self, offset: int) -> Origin | None:
        """Give where a character comes from."""
        index = bisect_right(self.origins, offset, key=lambda origin: origin.offset)
        return self.origins[index - 1] if index else None


@dataclass(eq=False)
class Misyielded(ManifestError):
    """A template yields what can't be taken; `item` and `path` say where in it, or `spot` as line and column."""

    template: str = ""
    item: int = 0
    path: str = ""
    spot: tuple[int, int] | None = None


def mark(tree: nodes.Template, name: str) -> nodes.Template:
    """Let a template say before each piece of its text where that stands; texts that it only works with are let be."""
    _mark(tree, name)
    return tree


def unmark(text: str) -> Traced:
    """Take the marks out of a yield."""
    kept: list[str] = []
    origins: list[Origin] = []
    length = end = 0
    for found in _MARK.finditer(text):
        kept.append(text[end : found.start()])
        length += len(kept[-1])
        origins.append(Origin(length, found[2], int(found[1])))
        end = found.end()
    return Traced("".join((*kept, text[end:])), tuple(origins))


def place(error: Misyielded, text: str, traced: Traced | None) -> ManifestError:
    """Give an error its line in the template, and the line of the yield that it is about."""
    spot = error.spot or _spot(text, error.item, error.path)
    lines = text.splitlines()
    if not 0 < spot[0] <= len(lines):
        return error
    offset = sum(len(line) for line in text.splitlines(keepends=True)[: spot[0] - 1]) + max(spot[1] - 1, 0)
    origin = traced.origin(offset) if traced and traced.text == text else None
    at = Place(f"templates/{origin.template}", origin.line) if origin else error.place
    shown = lines[spot[0] - 1].strip()
    # As a hint it makes no two errors of what stations with other powers have in common.
    hint = f"line {spot[0]} of what it yields: {shown[:SHOWN]}{'…' if len(shown) > SHOWN else ''}"
    return ManifestError(error.message, at, error.field, error.rule, hint)


def _mark(node: nodes.Node, name: str) -> None:
    for child in node.iter_child_nodes():
        if not isinstance(child, nodes.AssignBlock | nodes.FilterBlock):
            _mark(child, name)
    if isinstance(node, nodes.Output):
        node.nodes = [marked for child in node.nodes for marked in _marked(child, name)]


def _marked(child: nodes.Expr, name: str) -> list[nodes.Expr]:
    if not isinstance(child, nodes.TemplateData):
        return [_data(_label(child.lineno, name), child.lineno), child]
    lines = child.data.splitlines(keepends=True)
    told = (f"{_label(child.lineno + number, name)}{line}" for number, line in enumerate(lines))
    return [_data("".join(told), child.lineno)]


def _data(text: str, line: int) -> nodes.TemplateData:
    return nodes.TemplateData(text, lineno=line)


def _label(line: int, name: str) -> str:
    return f"\0{line}:{name}\0"


def _spot(text: str, item: int, path: str) -> tuple[int, int]:
    """Give line and column of a value in a yield, or of what is nearest above it; zeros where there is no such item."""
    items: list[tuple[Document, tuple[int, ...]]] = []
    for document in parse("", text).documents:
        value = document.value
        items += [(document, (index,)) for index in range(len(value))] if isinstance(value, list) else [(document, ())]
    if item >= len(items):
        return 0, 0
    steps = (int(step) if step.isdecimal() else step for step in _STEP.findall(path))
    found = items[item][0].at(*items[item][1], *steps)
    return found.line, found.column
