"""The colours of pictures: told apart by those who see few colours, and readable on what they lie on.

Hues are those of Okabe and Ito. Colour never stands alone: lines also differ in their stroke, and directions in which
side of zero they lie on.
"""

from __future__ import annotations

from dataclasses import dataclass

PAPER = "#ffffff"
NIGHT = "#0d1117"


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours; without a background a picture takes that of the page it stands on."""

    name: str
    background: str | None
    text: str
    quiet: str
    grid: str
    before: str
    charge: str
    discharge: str
    reported: str
    composite: str
    cap: str

    @property
    def pages(self) -> tuple[str, ...]:
        """Give the colours of the pages that it has to be readable on."""
        return (self.background,) if self.background else (PAPER, NIGHT)


BOTH = Theme(
    name="both",
    background=None,
    text="#767c85",
    quiet="#767c85",
    grid="#80858c40",
    before="#84898f",
    charge="#2a80bd",
    discharge="#d55e00",
    reported="#00936b",
    composite="#b9659a",
    cap="#c2473d",
)
LIGHT = Theme(
    name="light",
    background=PAPER,
    text="#1f2328",
    quiet="#59636e",
    grid="#e4e7eb",
    before="#8a9099",
    charge="#0072b2",
    discharge="#d55e00",
    reported="#008a64",
    composite="#b0578f",
    cap="#a3262a",
)
DARK = Theme(
    name="dark",
    background=NIGHT,
    text="#e6edf3",
    quiet="#9aa4af",
    grid="#262c34",
    before="#8b949e",
    charge="#56b4e9",
    discharge="#e69f00",
    reported="#2fbf95",
    composite="#d98fba",
    cap="#ff8f85",
)
THEMES = {theme.name: theme for theme in (BOTH, LIGHT, DARK)}
