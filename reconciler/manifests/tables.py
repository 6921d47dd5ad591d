"""Tables of stations: a CSV file of the repository, one line a station, or one an EVSE where there is an `evse` column.

Used by the roster. Every line that is wrong is told, up to a bound, with the file and its line.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import ManifestError, Place
from reconciler.manifests.fields import check_identity, read_magnitude
from reconciler.manifests.identities import Rated, Row
from reconciler.manifests.quantity import Current, Malformed
from reconciler.manifests.snapshot import TABLE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

MOST_ERRORS = 100
_LABEL = "label:"
_RATING = ("evse", "charge", "discharge", "phases", "current", "connector")
_COLUMNS = ("identity", "model", *_RATING)


class Table:
    """A table as it is read: `rows` are the stations in the order of their first lines, `errors` what is wrong."""

    def __init__(self, path: str, files: Mapping[str, str]) -> None:
        """Read a table.

        Raises:
            Malformed: there is no such file.
        """
        self.path = path
        self.errors: list[ManifestError] = []
        self._rows: dict[str | int, Row] = {}
        self._read(_find(path, files))

    @property
    def rows(self) -> tuple[Row, ...]:
        """Give the stations."""
        return tuple(self._rows.values())

    def _read(self, text: str) -> None:
        reader = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
        try:
            header = [cell.strip() for cell in next(reader, [])]
            self._check_header(header)
            for cells in reader:
                if cells and len(self.errors) < MOST_ERRORS:
                    self._take(Place(self.path, reader.line_num, 1), header, [cell.strip() for cell in cells])
        except csv.Error as error:
            self._refuse(Place(self.path, reader.line_num, 1), f"not CSV: {error}", "not-csv")
        except ManifestError as error:
            self.errors.append(error)

    def _check_header(self, header: list[str]) -> None:
        wrong = [name for name in header if name not in _COLUMNS and not _is_label(name)]
        if "identity" not in header or wrong or len(set(header)) < len(header):
            message = (
                f"the first line must name the columns, and `{wrong[0][:80]}` is none"
                if wrong
                else "the first line must name the columns once each"
            )
            near = _nearest(wrong[0][:80]) if wrong else ""
            hint = near or f"identity, then {', '.join(_COLUMNS[1:])} and label:KEY as needed"
            raise ManifestError(message, Place(self.path, 1, 1), rule="wrong-table", hint=hint)

    def _take(self, place: Place, header: list[str], cells: list[str]) -> None:
        if len(cells) != len(header):
            message = f"{len(cells)} cells, and the first line names {len(header)} columns"
            self._refuse(place, message, "wrong-table")
            return
        try:
            row = _row(place, dict(zip(header, cells, strict=True)))
        except ManifestError as error:
            self.errors.append(error)
            return
        # Without an `evse` column each line is a station, and the roster tells of those that come twice.
        key = row.identity.casefold() if "evse" in header else place.line
        first = self._rows.get(key)
        self._rows[key] = row if first is None else self._join(first, row)

    def _join(self, first: Row, row: Row) -> Row:
        """Add a line's EVSE to the station whose first line came before."""
        (rated,) = row.ratings
        known = [each.evse for each in first.ratings]
        if rated.evse is None or None in known:
            self._refuse(rated.place, "a station of several lines names an EVSE in each", "wrong-table", "evse")
        elif rated.evse in known:
            at = first.ratings[known.index(rated.evse)].place
            self._refuse(rated.place, f"EVSE {rated.evse} is there already, at {at}", "duplicate-evse", "evse")
        elif (row.labels and row.labels != first.labels) or (row.model and row.model != first.model):
            message = f"labels and model differ from those at {first.place}"
            self._refuse(rated.place, message, "wrong-table", "identity", "write them in the station's first line")
        return replace(first, ratings=(*first.ratings, rated))

    def _refuse(self, place: Place, message: str, rule: str, field: str = "", hint: str = "") -> None:
        self.errors.append(ManifestError(message, place, field, rule, hint))


def _find(path: str, files: Mapping[str, str]) -> str:
    if path not in files:
        known = sorted(name for name in files if name.endswith(TABLE_SUFFIX))[:5]
        hint = f"tables here are {', '.join(known)}" if known else "its path counts from the fleet's folder"
        raise Malformed(f"there is no table `{path[:80]}`", "unknown-reference", hint)
    return files[path]


def _nearest(name: str) -> str:
    """Say which column a misspelt one was meant to be; a label's key is the author's own."""
    key = name.partition(":")[2]
    near = get_close_matches(name.casefold(), [*_COLUMNS, *([f"{_LABEL}{key}"] if key else [])], n=1)
    return f"did you mean `{near[0]}`?" if near else ""


def _is_label(name: str) -> bool:
    return name.startswith(_LABEL) and len(name) > len(_LABEL)


def _row(place: Place, record: Mapping[str, str]) -> Row:
    labels = tuple((key.removeprefix(_LABEL), value) for key, value in record.items() if _is_label(key) and value)
    identity = _cell(record, "identity", place, check_identity)
    ratings = (_rated(place, record),) if any(record.get(name) for name in _RATING) else ()
    if not ratings and "evse" in record:
        ratings = (Rated(place),)
    return Row(identity or check_identity(""), place, "identity", labels, record.get("model", ""), ratings)


def _rated(place: Place, record: Mapping[str, str]) -> Rated:
    return Rated(
        place,
        evse=_cell(record, "evse", place, _read_count),
        charge=_cell(record, "charge", place, read_magnitude),
        discharge=_cell(record, "discharge", place, read_magnitude),
        phases=_cell(record, "phases", place, _read_phases),
        current=_cell(record, "current", place, _read_current),
        connector=record.get("connector") or None,
    )


def _cell(record: Mapping[str, str], name: str, place: Place, read: Callable[[str], T]) -> T | None:
    text = record.get(name, "")
    if not text and name != "identity":
        return None
    try:
        return read(text)
    except Malformed as error:
        raise ManifestError(error.message, place, name, error.rule, error.hint) from None


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:10]) < 2**31):
        raise Malformed(f"`{text[:80]}` is not the number of an EVSE", "out-of-range", "1, 2, ...")
    return int(text)


def _read_phases(text: str) -> int:
    if text not in {"1", "2", "3"}:
        raise Malformed(f"`{text[:80]}` is not a number of phases", "out-of-range", "1, 2 or 3")
    return int(text)


def _read_current(text: str) -> Current:
    if text not in {"AC", "DC"}:
        raise Malformed(f"`{text[:80]}` is not one of AC, DC", "unknown-value")
    return Current(text)
