"""Where words go: data to stdout, everything else to stderr, colour only where a person looks.

Every command prints through here. What manifests and stations say is untrusted, so control characters never reach a
terminal as such.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = 100
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_TURNS = {code: f"\\u{code:04x}" for code in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def printable(text: str) -> str:
    """Show control characters, and those that turn the direction of text, as what they are; not line ends and tabs."""
    return text.translate(_CONTROLS | _TURNS)


def say(text: str) -> None:
    """Print a line of progress or error to stderr."""
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()


def emit(text: str) -> None:
    """Print data to stdout as it is, with one line end."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """Make a Rich console for tables: 100 columns where no terminal says otherwise, and NO_COLOR is heeded."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else COLUMNS
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
