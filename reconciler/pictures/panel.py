"""One pair of axes: lines in steps over a local day, caps, turns of direction, and the switch of the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import blended_transform_factory

from reconciler.pictures.theme import Theme
from reconciler.plan.local_day import LocalDay, Switch
from reconciler.plan.picture import Band, Cap, Panel, Role, Series, Turn
from reconciler.profiles.timeline import Step, Timeline

KILO, MEGA = 1e3, 1e6
MEGA_FROM = 5e6
HEADROOM = 0.16
"""Of the height of the axes, above and below what is drawn: labels stand there."""
FILLED = 0.24
MISSING = float("nan")
"""A line is not drawn to or from here."""
Key = Line2D | Patch | tuple[Line2D, Line2D]
STROKES: dict[Role, dict[str, object]] = {
    Role.BEFORE: {"linewidth": 1.8, "zorder": 2.8},
    Role.AFTER: {"linewidth": 2.2, "zorder": 3},
    Role.REPORTED: {"linewidth": 1.6, "zorder": 4, "dashes": (5, 2)},
    Role.COMPOSITE: {"linewidth": 2.0, "zorder": 5, "dashes": (1, 1.6)},
}


def draw_panel(axes: Axes, panel: Panel, day: LocalDay, theme: Theme, *, is_last: bool) -> None:
    """Draw a panel; only the last one of a picture has the hours written below it."""
    scale, unit = unit_of(panel)
    _frame(axes, day, theme, is_last=is_last)
    axes.annotate(
        unit,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        color=theme.quiet,
    )
    if panel.title:
        axes.set_title(panel.title, color=theme.text, loc="left", size=10, pad=4, parse_math=False)
    for band in panel.bands:
        _draw_band(axes, band, day, theme, scale)
    for series in panel.series:
        _draw_series(axes, series, day, theme, scale)
    for cap in panel.caps:
        _draw_cap(axes, cap, theme, scale)
    _set_height(axes, panel, scale)
    for turn in panel.turns:
        _draw_turn(axes, turn, day, theme)
    if day.switch:
        _draw_switch(axes, day.switch, day, theme)


def unit_of(panel: Panel) -> tuple[float, str]:
    """Give the watts of the unit that a panel is told in, and its name."""
    highest = max((abs(power) for power in _powers(panel)), default=Decimal(0))
    return (MEGA, "MW") if highest >= MEGA_FROM else (KILO, "kW")


def legend_of(panel: Panel, theme: Theme) -> Iterator[tuple[str, Key]]:
    """Give a key for everything in a panel that has a colour or a sign of its own."""
    for series in panel.series:
        if series.role is Role.AFTER:
            for word, sign, colour in (("charge", 1, theme.charge), ("discharge", -1, theme.discharge)):
                if any((step.power_w or 0) * sign > 0 for step in series.line.steps):
                    yield f"{word} {series.name}", Patch(facecolor=f"{colour}50", edgecolor=colour, linewidth=1.8)
        else:
            yield series.name, Line2D([], [], color=_colour(series.role, theme), **STROKES[series.role])  # type: ignore[arg-type]
    for band in panel.bands:
        yield band.name, Patch(**_weave(theme))  # type: ignore[arg-type]
    if panel.turns:
        yield "direction change", (_sign(theme, 1), _sign(theme, -1))


def _powers(panel: Panel) -> Iterator[Decimal]:
    yield from (cap.power_w for cap in panel.caps)
    lines = [series.line for series in panel.series]
    lines += [line for band in panel.bands for line in (band.lowest, band.highest)]
    yield from (step.power_w for line in lines for step in line.steps if step.power_w is not None)


def _frame(axes: Axes, day: LocalDay, theme: Theme, *, is_last: bool) -> None:
    """Draw what lies under the lines: hours as the wall clock has them, a grid, and zero."""
    axes.set_facecolor("none")
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.set_xlim(0, day.hours)
    labelled = [tick for tick in day.ticks if tick.label]
    axes.set_xticks([day.elapsed(tick.at) for tick in labelled], [tick.label if is_last else "" for tick in labelled])
    axes.set_xticks([day.elapsed(tick.at) for tick in day.ticks if not tick.label], minor=True)
    axes.tick_params(which="both", colors=theme.quiet, labelcolor=theme.text, length=0)
    axes.tick_params(axis="x", which="major", length=4, color=theme.quiet)
    axes.tick_params(axis="x", which="minor", length=2, color=theme.quiet)
    axes.grid(axis="both", color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.axhline(0, color=theme.quiet, linewidth=1.1, zorder=2)


def _draw_series(axes: Axes, series: Series, day: LocalDay, theme: Theme, scale: float) -> None:
    hours, powers = _points(series.line, day, scale)
    stroke = STROKES[series.role]
    if series.role in (Role.REPORTED, Role.COMPOSITE):
        axes.plot(hours, powers, color=_colour(series.role, theme), **stroke)  # type: ignore[arg-type]
        return
    for sign, tint in ((1, theme.charge), (-1, theme.discharge)):
        part = [0.0 if power * sign <= 0 else power for power in powers]
        colour = tint if series.role is Role.AFTER else theme.before
        axes.plot(*_edge(hours, part), color=colour, solid_joinstyle="miter", **stroke)  # type: ignore[arg-type]
        if series.role is Role.AFTER:
            axes.fill_between(hours, part, color=colour, alpha=FILLED, linewidth=0, zorder=2.5)


def _draw_band(axes: Axes, band: Band, day: LocalDay, theme: Theme, scale: float) -> None:
    """Hatch what may come of a mode: the texture tells it from the power that is asked for, in whatever colours."""
    starts = sorted({*band.lowest.starts(), *band.highest.starts()})
    low, high = (
        _points(Timeline(tuple(Step(at, each.at(at)) for at in starts)), day, scale)
        for each in (band.lowest, band.highest)
    )
    axes.fill_between(low[0], low[1], high[1], zorder=2.4, **_weave(theme))  # type: ignore[arg-type]


def _weave(theme: Theme) -> dict[str, object]:
    return {"facecolor": "none", "edgecolor": theme.quiet, "hatch": "////", "linewidth": 0.8}


def _edge(hours: list[float], powers: list[float]) -> tuple[list[float], list[float]]:
    """Break a line in steps wherever it only lies on the axis: there it would hide the axis and say nothing."""
    kept_hours: list[float] = []
    kept_powers: list[float] = []
    for index in range(0, len(hours), 2):
        start, end, power = hours[index], hours[index + 1], powers[index]
        kept_hours += [start, end] if power else [start, start, end]
        kept_powers += [power, power] if power else [0.0, MISSING, 0.0]
    return kept_hours, kept_powers


def _points(line: Timeline, day: LocalDay, scale: float) -> tuple[list[float], list[float]]:
    """Give the corners of a line in steps, broken where it is silent."""
    hours: list[float] = []
    powers: list[float] = []
    ends = [*(step.start for step in line.steps[1:]), day.end]
    for step, end in zip(line.steps, ends, strict=True):
        height = MISSING if step.power_w is None else float(step.power_w) / scale
        hours += [day.elapsed(step.start), day.elapsed(end)]
        powers += [height, height]
    return hours, powers


def _draw_cap(axes: Axes, cap: Cap, theme: Theme, scale: float) -> None:
    height = float(cap.power_w) / scale
    axes.axhline(height, color=theme.cap, linewidth=1.4, dashes=(6, 3), zorder=3)
    place = blended_transform_factory(axes.transAxes, axes.transData)
    above = height >= 0
    axes.annotate(
        cap.name,
        (0.997, height),
        xycoords=place,
        xytext=(0, 3 if above else -3),
        textcoords="offset points",
        ha="right",
        va="bottom" if above else "top",
        color=theme.cap,
        size=8.5,
        parse_math=False,
    )


def _set_height(axes: Axes, panel: Panel, scale: float) -> None:
    powers = [float(power) / scale for power in _powers(panel)]
    low, high = min([0.0, *powers]), max([0.0, *powers])
    room = (high - low or 1.0) * HEADROOM
    axes.set_ylim(low - room if low else -room / 2, high + room)


def _sign(theme: Theme, sign: int, hour: float | None = None) -> Line2D:
    """Give the mark of a turn: it points to where power goes from here."""
    return Line2D(
        [] if hour is None else [hour],
        [] if hour is None else [0],
        marker="^" if sign > 0 else "v",
        color=theme.charge if sign > 0 else theme.discharge,
        markersize=8,
        markeredgecolor=theme.text,
        linestyle="none",
        zorder=6,
        clip_on=False,
    )


def _draw_turn(axes: Axes, turn: Turn, day: LocalDay, theme: Theme) -> None:
    hour = day.elapsed(turn.at)
    axes.add_line(_sign(theme, turn.sign, hour))
    if turn.count > 1:
        axes.annotate(
            f"{turn.count}",
            (hour, 0),
            xytext=(7, -4 * turn.sign),
            textcoords="offset points",
            ha="left",
            va="top" if turn.sign > 0 else "bottom",
            color=theme.text,
            size=8.5,
            zorder=6,
        )


def _draw_switch(axes: Axes, switch: Switch, day: LocalDay, theme: Theme) -> None:
    hour = day.elapsed(switch.at)
    way = "forward" if switch.is_forward else "back"
    axes.axvline(hour, color=theme.text, linewidth=1.2, dashes=(2, 2), zorder=3)
    axes.annotate(
        f"clocks go {way}: {switch.shown} → {switch.set_to}",
        (hour, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(5, -2),
        textcoords="offset points",
        va="top",
        color=theme.text,
        size=8.5,
    )


def _colour(role: Role, theme: Theme) -> str:
    return {Role.REPORTED: theme.reported, Role.COMPOSITE: theme.composite}.get(role, theme.before)
