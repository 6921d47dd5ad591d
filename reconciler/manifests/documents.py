"""YAML as plain values in which every key and value has its place.

Used by the catalogue. The parser's events are read one by one, so that nothing is built beyond the limits: an alias
costs what it would expand to, and no constructor ever runs. Where YAML 1.1 and 1.2 read a plain scalar differently, it
is an error rather than a guess.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, Union

from yaml import YAMLError
from yaml.cyaml import CBaseLoader
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.errors import ManifestError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_NODES = 500_000
MAX_DEPTH = 50
_COLUMNS = 1 << 24

Value: TypeAlias = Union[bool, int, Decimal, str, list["Value"], dict[str, "Value"], None]  # noqa: UP007
Path: TypeAlias = tuple[str | int, ...]

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_AMBIGUOUS = re.compile(
    r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"
    r"|[-+]?0[0-9_]+|[-+]?0[xob][0-9A-Fa-f_]+|[-+]?[0-9]+_[0-9_]*|[-+]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)[eE][-+]?[0-9]+"
    r"|\+[0-9]+|[-+]?\.[0-9]+|[-+]?[0-9]+\.|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_SUSPECT = frozenset("0123456789+-.ynoYNO")


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """Hold one YAML document: its value and where each part of it stands.

    `spots` has, by the identity of a list, where its items stand; by that of a mapping, where each key and its value
    stand, in turn. A spot is one number and an array holds them, because there are millions in a large fleet and the
    garbage collector would visit each object.
    """

    file: str
    value: Value
    start: int
    spots: Mapping[int, array[int]] = field(repr=False)

    def at(self, *path: str | int) -> Place:
        """Give the place of the value at a path, or of the nearest thing above it that exists."""
        spot, value = self.start, self.value
        for step in path:
            index = _position(value, step)
            if index is None:
                break
            spots = self.spots[id(value)]
            spot, value = spots[2 * index + 1 if isinstance(value, dict) else index], _children(value)[index]
        return self._place(spot)

    def at_key(self, *path: str | int) -> Place:
        """Give the place of the key at the end of a path, which must exist."""
        value = self.value
        for step in path[:-1]:
            value = _children(value)[_position(value, step) or 0]
        return self._place(self.spots[id(value)][2 * (_position(value, path[-1]) or 0)])

    def _place(self, spot: int) -> Place:
        return Place(self.file, *divmod(spot, _COLUMNS))


def _position(value: Value, step: str | int) -> int | None:
    """Tell at which position of a mapping or list something stands."""
    match value, step:
        case dict(), str() if step in value:
            return list(value).index(step)
        case list(), int() if step < len(value):
            return step
        case _:
            return None


def _children(value: Value) -> list[Value]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Parsed:
    """Hold a file's documents up to its first break; `errors` tells of breaks and of scalars that may mislead."""

    documents: tuple[Document, ...]
    errors: tuple[ManifestError, ...]
    whole: bool


def parse(file: str, text: str) -> Parsed:
    """Read the documents of a file, empty ones left out; whatever is wrong is in `errors`, never raised."""
    reader = _Reader(file)
    documents: list[Document] = []
    whole = False
    try:
        documents.extend(reader.documents(CBaseLoader(text.encode())))
        whole = True
    except ManifestError as error:
        reader.errors.append(error)
    except UnicodeEncodeError:
        reader.errors.append(ManifestError("this is not text", Place(file), rule="not-utf-8"))
    except YAMLError as error:
        reader.errors.append(_translate(file, error))
    return Parsed(tuple(documents), tuple(reader.errors), whole)


def _translate(file: str, error: YAMLError) -> ManifestError:
    if not isinstance(error, MarkedYAMLError):
        return ManifestError("holds a character that YAML does not allow", Place(file), rule="not-yaml")
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    message = ", ".join(str(part) for part in (error.context, error.problem) if part)
    hint = "a tab may not indent; use spaces" if "cannot start any token" in message else ""
    return ManifestError(f"not YAML: {message}", place, rule="not-yaml", hint=hint)


@dataclass(slots=True)
class _Anchor:
    value: Value
    nodes: int
    height: int


class _Reader:
    """Build values from events, counting what they would cost."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[ManifestError] = []
        self._spots: dict[int, array[int]] = {}
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0
        self._deepest = 0

    def documents(self, parser: CBaseLoader) -> Iterator[Document]:
        while not isinstance(event := _next(parser), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                yield from self._document(parser)

    def _document(self, parser: CBaseLoader) -> Iterator[Document]:
        self._anchors.clear()
        first = _next(parser)
        value = self._value(parser, first, 1)
        if value is not None:
            yield Document(self.file, value, _spot(first), self._spots)

    def _value(self, parser: CBaseLoader, event: Event, depth: int) -> Value:
        if type(event) is ScalarEvent and event.anchor is None and event.tag is None and depth <= MAX_DEPTH:
            # Nearly every node is one of these, so they are spared the accounts that an anchor needs.
            self._nodes += 1
            if self._nodes > MAX_NODES:
                self._count(event, 0, depth)
            self._deepest = max(self._deepest, depth)
            return self._scalar(event)
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        before, deepest = self._nodes, self._deepest
        self._deepest = depth
        self._count(event, 1, depth)
        value = self._build(parser, event, depth)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = _Anchor(value, self._nodes - before, self._deepest - depth)
        self._deepest = max(self._deepest, deepest)
        return value

    def _build(self, parser: CBaseLoader, event: Event, depth: int) -> Value:
        if getattr(event, "tag", None) not in (None, "!"):
            raise self._refuse(event, "tags are not taken", "yaml-tag", "write the plain value")
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(parser, depth)
        return self._sequence(parser, depth)

    def _alias(self, event: AliasEvent, depth: int) -> Value:
        known = self._anchors.get(str(event.anchor))
        if known is None:
            raise self._refuse(event, f"alias `*{event.anchor}` has no anchor before it", "unknown-alias")
        self._count(event, known.nodes, depth + known.height)
        self._deepest = max(self._deepest, depth + known.height)
        return known.value

    def _count(self, event: Event, nodes: int, depth: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"expands to more than {MAX_NODES} values"
            raise self._refuse(event, message, "yaml-too-large", "split the file, or use fewer aliases")
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels", "yaml-too-deep")

    def _sequence(self, parser: CBaseLoader, depth: int) -> list[Value]:
        result: list[Value] = []
        spots = array("Q")
        while not isinstance(event := _next(parser), SequenceEndEvent):
            spots.append(_spot(event))
            result.append(self._value(parser, event, depth + 1))
        self._spots[id(result)] = spots
        return result

    def _mapping(self, parser: CBaseLoader, depth: int) -> dict[str, Value]:
        result: dict[str, Value] = {}
        spots = array("Q")
        while not isinstance(event := _next(parser), MappingEndEvent):
            key = self._key(event, result, spots)
            spots.append(_spot(event))
            inner = _next(parser)
            spots.append(_spot(inner))
            result[key] = self._value(parser, inner, depth + 1)
        self._spots[id(result)] = spots
        return result

    def _key(self, event: Event, before: dict[str, Value], spots: array[int]) -> str:
        if not isinstance(event, ScalarEvent):
            raise self._refuse(event, "a key must be plain text", "yaml-key")
        self._scalar(event)
        key: str = event.value
        if key == "<<":
            raise self._refuse(event, "merge keys are not taken", "yaml-key", "give the whole value as an alias")
        if key in before:
            line = spots[2 * list(before).index(key)] // _COLUMNS
            raise self._refuse(event, f"`{key[:80]}` stands here twice, first on line {line}", "duplicate-key")
        return key

    def _scalar(self, event: ScalarEvent) -> Value:
        text: str = event.value
        if event.style or (text and text not in _WORDS and text[0] not in _SUSPECT):
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
        self._suspect(event, text)
        return text

    def _suspect(self, event: ScalarEvent, text: str) -> None:
        """Report a plain scalar that other YAML readers take for something else than its text."""
        if _SEXAGESIMAL.fullmatch(text):
            message = f"{text} without quotes is a number to some YAML readers"
            self.errors.append(self._refuse(event, message, "unquoted-time", f'write "{text}"'))
        elif _AMBIGUOUS.fullmatch(text):
            message = f"{text} without quotes means different things to YAML readers"
            self.errors.append(
                self._refuse(event, message, "ambiguous-value", f'write "{text}", or true, false, a plain number')
            )

    def _refuse(self, event: Event, message: str, rule: str, hint: str = "") -> ManifestError:
        return ManifestError(message, Place(self.file, *divmod(_spot(event), _COLUMNS)), rule=rule, hint=hint)


def _next(parser: CBaseLoader) -> Event:
    event = parser.get_event()
    return event if event is not None else StreamEndEvent()


def _spot(event: Event) -> int:
    mark = event.start_mark
    assert mark is not None  # noqa: S101 - every event of a parser has one
    return (mark.line + 1) * _COLUMNS + mark.column + 1
