"""Values in YAML's flow style, as the manifests that this program writes have them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLAIN = re.compile(r"-?[A-Za-z0-9](?:[-A-Za-z0-9 ._/+]*[A-Za-z0-9])?")
_MISREAD = re.compile(r"[-+.0-9eExXoObBaAfF_]+|(?i:true|false|yes|no|on|off|null|y|n)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def write_flow(value: object) -> str:
    """Write a value, with quotes where a reader would take a text for something else."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{key}: {write_flow(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(write_flow(inner) for inner in value) + "]"
        case bool():
            return "true" if value else "false"
        case str():
            is_plain = _PLAIN.fullmatch(value) and (_DATE.fullmatch(value) or not _MISREAD.fullmatch(value))
            return value if is_plain else f'"{"".join(map(_escape, value))}"'
        case _:
            return str(value)


def _escape(character: str) -> str:
    if character.isascii() and character.isprintable() and character not in '"\\':
        return character
    return f"\\U{ord(character):08x}"
