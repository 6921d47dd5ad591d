"""Notes on many stations, each kind of them told once. Pure.

Used by `imported`.
"""

from __future__ import annotations

from reconciler.plan.words import describe_names


class Notes:
    """Keeps what is noted of whom, in the order in which it first came up."""

    def __init__(self) -> None:
        """Begin with none."""
        self._names: dict[str, list[str]] = {}

    def add(self, identity: str, text: str) -> None:
        """Note something of a station; without an identity, of nobody alone."""
        self._names.setdefault(text, []).extend([identity] if identity else [])

    def lines(self) -> tuple[str, ...]:
        """Give a line for each kind of note, with those that it is about."""
        return tuple(f"{_whose(names)}{text}" for text, names in self._names.items())


def _whose(names: list[str]) -> str:
    if len(set(names)) < 2:
        return "".join(f"{name}: " for name in names[:1])
    return f"{len(set(names))} stations ({describe_names(names)}): "
