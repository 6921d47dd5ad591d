"""The identities of a StationSet: ranges, lists and tables, expanded within a bound.

Used by the roster.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, Place
from reconciler.manifests.fields import check_identity
from reconciler.manifests.quantity import Malformed
from reconciler.manifests.snapshot import TABLE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_STATIONS = 100_000
MAX_CELL = 1000

_RANGE = re.compile(r"([^{}]*)\{([0-9]{1,9})\.\.([0-9]{1,9})\}([^{}]*)")
_LABEL = "label:"


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one station of a set; a table may add labels and a model to each."""

    identity: str
    place: Place
    field: str
    labels: tuple[tuple[str, str], ...] = ()
    model: str = ""


def expand(text: str, place: Place, field: str, files: Mapping[str, str]) -> Iterator[Row]:
    """Give the stations that a range, a table's path or a plain identity names; raises Malformed or ManifestError."""
    if text.endswith(TABLE_SUFFIX):
        yield from _table(text, files)
        return
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


def _table(path: str, files: Mapping[str, str]) -> Iterator[Row]:
    if path not in files:
        known = sorted(name for name in files if name.endswith(TABLE_SUFFIX))[:5]
        hint = f"tables here are {', '.join(known)}" if known else "its path counts from the fleet's folder"
        raise Malformed(f"there is no table `{path[:80]}`", "unknown-reference", hint)
    lines = files[path].removeprefix("\ufeff").splitlines()
    reader = csv.reader(lines, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(path, header)
        for cells in reader:
            if cells:
                yield _row(Place(path, reader.line_num, 1), header, [cell.strip() for cell in cells])
    except csv.Error as error:
        raise ManifestError(f"not CSV: {error}", Place(path, reader.line_num, 1), rule="not-csv") from None


def _check_header(path: str, header: list[str]) -> None:
    wrong = [name for name in header if name not in {"identity", "model"} and not _is_label(name)]
    if "identity" not in header or wrong or len(set(header)) < len(header):
        message = (
            f"the first line must name the columns, and `{wrong[0][:80]}` is none"
            if wrong
            else "the first line must name the columns once each"
        )
        hint = "identity, then model and label:KEY as needed"
        raise ManifestError(message, Place(path, 1, 1), rule="wrong-table", hint=hint)


def _is_label(name: str) -> bool:
    return name.startswith(_LABEL) and len(name) > len(_LABEL)


def _row(place: Place, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        message = f"{len(cells)} cells, and the first line names {len(header)} columns"
        raise ManifestError(message, place, rule="wrong-table")
    record = dict(zip(header, cells, strict=True))
    labels = tuple((key.removeprefix(_LABEL), value) for key, value in record.items() if _is_label(key) and value)
    try:
        return Row(check_identity(record["identity"]), place, "identity", labels, record.get("model", ""))
    except Malformed as error:
        raise ManifestError(error.message, place, "identity", error.rule, error.hint) from None
