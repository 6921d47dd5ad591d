"""The output formats that commands share: `json`, `yaml` and `name` here, tables as each command draws its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reconciler.cli.terminal import console, emit, printable

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {
    "in-sync": "green",
    "pending": "yellow",
    "drifted": "magenta",
    "deferred": "dim",
    "refused": "red",
    "unknown": "red",
}


class Format(StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


def emit_data(content: Any, form: Format) -> None:
    """Print an object or a list as JSON, YAML or names."""
    match form:
        case Format.YAML:
            import yaml

            emit(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        case Format.NAME:
            names = [str(each.get("identity") or each.get("name")) for each in content]
            if names:
                emit("\n".join(names))
        case _:
            import orjson

            emit(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


@contextmanager
def make_bar(what: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show a progress bar on stderr until the block ends, moved by what this yields; where nobody looks, none."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn())
    hidden = not sys.stderr.isatty()
    with Progress(*columns, console=console(stderr=True), transient=True, disable=hidden) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def emit_table(table: Table) -> None:
    """Print a table."""
    console().print(table)


def make_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Make a plain table; columns in `right` hold numbers."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def cell(value: object, style: str = "") -> Any:
    """Give a table's cell; what stations say never reaches the terminal as control characters."""
    from rich.text import Text

    return Text(printable("" if value is None else str(value)), style=style)


def state_cell(state: str) -> Any:
    """Give a state in its colour."""
    return cell(state, COLOURS.get(state, ""))


def kilowatts(power_w: float | None) -> str:
    """Write a power for people, signed."""
    return "" if power_w is None else f"{power_w / 1000:+.1f} kW"


def read_format(text: str, *allowed: Format) -> Format:
    """Read `-o`.

    Raises:
        UsageError: it is none of those allowed.
    """
    from reconciler.errors import UsageError

    among = allowed or tuple(Format)
    if text not in among:
        raise UsageError(f"-o takes {', '.join(among)}, not {text!r}")
    return Format(text)
