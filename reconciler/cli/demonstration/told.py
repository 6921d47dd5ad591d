"""What the demonstration tells: acts, lines, and points that hold or do not, on stdout."""

from __future__ import annotations

from reconciler.cli.terminal import console, printable


class Missed(Exception):
    """Something that later acts stand on did not happen in time."""


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
