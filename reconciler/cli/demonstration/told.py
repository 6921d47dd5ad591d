"""What the demonstration tells: acts, lines, and points that hold or do not; data on stdout, progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.terminal import console, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Missed(Exception):
    """Something that later acts stand on did not happen in time."""


class Bar:
    """A progress bar that is there while something is waited for."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        """Take a bar of Rich."""
        self._progress, self._task = progress, task

    def show(self, done: float) -> None:
        """Show how much is done."""
        self._progress.update(self._task, completed=done)


class Told:
    """The story so far; `missed` holds every point that did not hold."""

    def __init__(self) -> None:
        """Begin."""
        self.missed: list[str] = []
        self._out = console()
        self._act = ""

    def act(self, number: int, title: str) -> None:
        """Begin an act."""
        self._act = f"{number}. {title}"
        self._out.print(f"\n{self._act}", style="bold")

    def line(self, text: str, style: str = "", mark: str = " ") -> None:
        """Tell one thing, or several lines of it."""
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 1))
        row.add_row(f" {mark}", Text(printable(text)), style=style or None)
        self._out.print(row)

    def hold(self, held: bool, text: str) -> None:
        """Tell a point, and whether it holds."""
        self.line(text, "green" if held else "bold red", mark="✓" if held else "✗")
        if not held:
            self.missed.append(f"{self._act}: {text}")

    def end(self, seconds: float) -> None:
        """Sum up."""
        if self.missed:
            self._out.print(f"\n{len(self.missed)} of the points did not hold:", style="bold red")
            for point in self.missed:
                self.line(point)
        else:
            self._out.print(f"\nEvery point held; {seconds:.0f} s.", style="bold green")

    @contextmanager
    def bar(self, what: str, total: float) -> Iterator[Bar]:
        """Show a bar on stderr until the block ends; where nobody looks, none."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn())
        shown = sys.stderr.isatty()
        with Progress(*columns, console=console(stderr=True), transient=True, disable=not shown) as progress:
            yield Bar(progress, progress.add_task(what, total=total))
