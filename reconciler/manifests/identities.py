"""The identities of a StationSet: ranges and lists, expanded within a bound.

Used by the roster; tables have a module of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.manifests.fields import check_identity
from reconciler.manifests.quantity import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Place
    from reconciler.manifests.quantity import Current, Quantity

MAX_STATIONS = 100_000

_RANGE = re.compile(r"([^{}]*)\{([0-9]{1,9})\.\.([0-9]{1,9})\}([^{}]*)")


@dataclass(frozen=True, slots=True)
class Rated:
    """Hold what a line of a table says of an EVSE; None where it leaves that to the set."""

    place: Place
    evse: int | None = None
    charge: Quantity | None = None
    discharge: Quantity | None = None
    phases: int | None = None
    current: Current | None = None
    connector: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one station of a set; a table may add labels, a model and ratings to each."""

    identity: str
    place: Place
    field: str
    labels: tuple[tuple[str, str], ...] = ()
    model: str = ""
    ratings: tuple[Rated, ...] = ()


def expand(text: str, place: Place, field: str) -> Iterator[Row]:
    """Give the stations that a range or a plain identity names; raises Malformed."""
    for identity in expand_range(text):
        yield Row(check_identity(identity), place, field)


def expand_range(text: str) -> Iterator[str]:
    """Expand `Q3-{001..012}`, keeping the width of its numbers; raises Malformed."""
    found = _RANGE.fullmatch(text)
    if found is None:
        if "{" in text or ".." in text:
            raise Malformed(f"`{text[:80]}` is not a range", "wrong-range", "such as Q3-{001..012}")
        yield text
        return
    before, first, last, after = found.groups()
    _check_range(text, first, last)
    for number in range(int(first), int(last) + 1):
        yield f"{before}{number:0{len(first)}}{after}"


def _check_range(text: str, first: str, last: str) -> None:
    if int(last) < int(first):
        raise Malformed(f"`{text[:80]}` runs backwards", "wrong-range", f"write {{{last}..{first}}}")
    if len(first) != len(last) and (first.startswith("0") or last.startswith("0")):
        raise Malformed(
            f"`{text[:80]}` has numbers of different widths",
            "wrong-range",
            f"write {{{first.zfill(len(last))}..{last}}}",
        )
    if int(last) - int(first) >= MAX_STATIONS:
        raise Malformed(f"`{text[:80]}` names more than {MAX_STATIONS} stations", "too-many-stations")
