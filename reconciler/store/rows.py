"""Values as rows and back. Called by `store` and `selections`; does no I/O.

What stations say ends up here, so that every text is made such that both engines take it: one odd character must not
keep a whole batch from being recorded.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

import orjson
from sqlalchemy import Row

from reconciler.profiles.form import JsonObject
from reconciler.rollout.ledger import Entry, KeptRevision, Stage
from reconciler.store.tables import CAUSES

Values = dict[str, object]
_ENTRY = tuple(each.name for each in fields(Entry))
_CAUSE = tuple(name for name in _ENTRY if name in CAUSES.c)
_LINE = tuple(name for name in _ENTRY if name not in CAUSES.c)
_REVISION = tuple(each.name for each in fields(KeptRevision) if each.name != "files")
_LARGEST = 2**63 - 1


def cause_values(entry: Entry) -> Values:
    """Give the columns that many lines share, under a number that follows from them.

    It has 64 bits of a SHA-256: among a million causes, the odds that any two meet are below one in ten million.
    """
    values = tuple(clean(getattr(entry, name)) for name in _CAUSE)
    return {**dict(zip(_CAUSE, values, strict=True)), "id": _number(values)}


def entry_values(entry: Entry) -> Values:
    """Give the columns of a line of history itself; a number that no database takes is left out."""
    values = {name: _storable(getattr(entry, name)) for name in _LINE}
    return {**values, "key": clean(entry.station.casefold()), "cause": cause_values(entry)["id"]}


def read_entry(row: Row[Any]) -> Entry:
    """Give the line of history that a row holds."""
    values = {name: getattr(row, name) for name in _ENTRY}
    return Entry(**{**values, "stage": Stage(row.stage)})


def revision_values(revision: KeptRevision) -> Values:
    """Give the columns of a revision, its files packed; None where it has none."""
    values = {name: _storable(getattr(revision, name)) for name in _REVISION}
    return {**values, "files": zlib.compress(_encode(dict(revision.files))) if revision.files else None}


def read_revision(row: Row[Any]) -> KeptRevision:
    """Give the revision that a row holds, without its files."""
    return KeptRevision(**{name: getattr(row, name) for name in _REVISION})


def with_files(revision: KeptRevision, packed: bytes | None) -> KeptRevision:
    """Give the revision with its files."""
    return replace(revision, files=cast("Mapping[str, str]", _decode(zlib.decompress(packed)) if packed else {}))


def write_body(body: JsonObject) -> str:
    """Give a document as text."""
    return _encode(body).decode()


def read_body(text: str) -> JsonObject:
    """Give the document that a text holds."""
    return _decode(text.encode())


def clean(text: str) -> str:
    """Put question marks where a text has what is no character, and take NUL, which PostgreSQL refuses, for one."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


@lru_cache(maxsize=4096)
def _number(values: tuple[str, ...]) -> int:
    return int.from_bytes(sha256(orjson.dumps(values)).digest()[:8], "big", signed=True)


def _storable(value: object) -> object:
    match value:
        case str():
            return clean(str(value))
        case int() if abs(value) > _LARGEST:
            return None
        case _:
            return value


def _encode(body: JsonObject) -> bytes:
    # The quick encoder refuses half characters and numbers above 64 bits, both of which a station can send.
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body, separators=(",", ":")).encode()


def _decode(text: bytes) -> JsonObject:
    try:
        return cast("JsonObject", orjson.loads(text))
    except orjson.JSONDecodeError:
        return cast("JsonObject", json.loads(text))
