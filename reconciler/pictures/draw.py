"""Draw a picture's values as PNG or SVG: the same values give the same bytes.

Called by the command line. Names come from manifests, so no text is ever read as a formula. It decides where ink goes
and nothing else: what a line says was computed before.
"""

from __future__ import annotations

from io import BytesIO
from typing import Literal, cast

import matplotlib
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple
from matplotlib.text import Text

from reconciler.pictures.panel import draw_panel, legend_of
from reconciler.pictures.theme import BOTH, Theme
from reconciler.plan.picture import Picture

_Setting = Literal["font.family", "font.size", "svg.fonttype", "svg.hashsalt"]
WIDTH_IN = 10.0
HEIGHTS_IN = (3.6, 2.3)
"""Of a single panel, and of each where there are several; above them is the head."""
HEADS_IN = (0.8, 1.05)
ROW_IN = 0.26
"""What a legend takes that has no room beside the title."""
FOOT_IN = 0.38
DPI = 160
SETTINGS: tuple[tuple[_Setting, object], ...] = (
    ("font.family", "DejaVu Sans"),
    ("font.size", 9.5),
    ("svg.fonttype", "path"),
    ("svg.hashsalt", "fleet-profile-reconciler"),
)
"""Matplotlib's defaults and these hold, whatever the machine's own settings are."""


def draw(picture: Picture, form: str, theme: Theme = BOTH) -> bytes:
    """Draw a picture; `form` is `png` or `svg`."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for name, value in SETTINGS:
            matplotlib.rcParams[name] = value
        figure = _lay_out(picture, theme)
        content = BytesIO()
        page = theme.background or "none"
        figure.savefig(content, format=form, dpi=DPI, metadata=_metadata(picture, form), facecolor=page)
    return content.getvalue()


def _lay_out(picture: Picture, theme: Theme) -> Figure:
    figure, title, legend = _compose(picture, theme, 0)
    meets = title.get_window_extent().x1 >= legend.get_window_extent().x0
    return _compose(picture, theme, ROW_IN)[0] if meets else figure


def _compose(picture: Picture, theme: Theme, row: float) -> tuple[Figure, Text, Legend]:
    """Give the whole figure; its legend stands beside the title, or on a row of its own."""
    several = len(picture.panels) > 1
    head = HEADS_IN[several] + row
    height = head + HEIGHTS_IN[several] * len(picture.panels) + FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height))
    grid = figure.add_gridspec(
        len(picture.panels), 1, left=0.07, right=0.975, top=1 - head / height, bottom=FOOT_IN / height, hspace=0.3
    )
    axes = [figure.add_subplot(grid[number]) for number in range(len(picture.panels))]
    for panel, one in zip(picture.panels, axes, strict=True):
        draw_panel(one, panel, picture.day, theme, is_last=one is axes[-1])
    legend = _legend(figure, picture, theme, 1 - (0.58 if row else 0.08) / height)
    return figure, _head(figure, picture, theme, height), legend


def _head(figure: Figure, picture: Picture, theme: Theme, height: float) -> Text:
    top = 1 - 0.14 / height
    left = 0.018
    title = figure.text(left, top, picture.title, size=14, weight="bold", color=theme.text, va="top", parse_math=False)
    figure.text(left, top - 0.3 / height, "  ·  ".join(picture.notes), color=theme.quiet, va="top", parse_math=False)
    return title


def _legend(figure: Figure, picture: Picture, theme: Theme, top: float) -> Legend:
    entries = {label: handle for panel in picture.panels for label, handle in legend_of(panel, theme)}
    return figure.legend(
        cast("list[Artist]", list(entries.values())),
        list(entries),
        loc="upper right",
        bbox_to_anchor=(0.984, top),
        ncols=len(entries),
        frameon=False,
        labelcolor=theme.text,
        handlelength=1.9,
        columnspacing=1.5,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.4)},
    )


def _metadata(picture: Picture, form: str) -> dict[str, str | None]:
    told = {"Title": picture.title, "Description": ", ".join(picture.notes)}
    # What else would stand there is the date and the library's version: bytes that say nothing of the picture.
    return {**told, "Software": None} if form == "png" else {**told, "Date": None, "Creator": None}
