"""`render --explain`: which schedule, window, line and priority each step comes from, and who set what a station has.

Called by `render`, and by `explain` for settings. Stations of which the same is to be told are told once, under all
their names.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reconciler.cli.terminal import COLUMNS

if TYPE_CHECKING:
    from reconciler.manifests.fleet import Station
    from reconciler.profiles.form import JsonObject
    from reconciler.render.account import Stretch

MARGIN = 34
"""Where the sources begin."""


@dataclass(frozen=True, slots=True)
class Account:
    """Hold what is told of one station; `evses` has the stretches by EVSE, over one lease from the instant on."""

    station: Station
    span: tuple[datetime, datetime]
    zone: ZoneInfo
    evses: Mapping[int, tuple[Stretch, ...]]
    refusal: str = ""
    notes: tuple[str, ...] = ()


def write_accounts(accounts: Iterable[Account]) -> str:
    """Write accounts for people, in 100 columns; the times are those of the fleet's time zone."""
    from reconciler.plan.words import describe_names
    from reconciler.profiles.wording import count

    alike: dict[tuple[str, ...], list[str]] = {}
    for each in accounts:
        alike.setdefault(tuple(_lines(each)), []).append(each.station.identity)
    parts = []
    for lines, identities in alike.items():
        heading = f"{describe_names(identities, len(identities))} ({count(len(identities), 'station')})"
        parts.append("\n".join([*wrap(heading, "", "  "), *lines]))
    return "\n\n".join(parts)


def account_object(account: Account) -> JsonObject:
    """Give an account for machines: instants in UTC, powers in W."""
    from reconciler.manifests.origins import origins

    return {
        "station": account.station.identity,
        "refusal": account.refusal,
        "notes": list(account.notes),
        "evses": [
            {"evseId": number, "steps": [write_stretch(each) for each in stretches]}
            for number, stretches in account.evses.items()
        ],
        "settings": [
            {"field": each.field, "value": each.value, "level": each.level, "place": str(each.place)}
            for each in origins(account.station)
        ],
    }


def write_stretch(stretch: Stretch) -> JsonObject:
    """Give a stretch for machines: instants in UTC, powers in W, and the line of git that asks for it."""
    from reconciler.profiles.form import write_instant, write_number

    order = stretch.order
    return {
        "from": write_instant(stretch.start),
        "to": write_instant(stretch.end),
        "powerW": write_number(order.power_w),
        "lowestW": write_number(order.lowest_w),
        "highestW": write_number(order.highest_w),
        "mode": order.mode.value if order.mode else None,
        "source": _source(stretch),
    }


def _source(stretch: Stretch) -> JsonObject | None:
    if stretch.speaker is None:
        return None
    assignment, spoken = stretch.speaker
    return {
        "schedule": assignment.schedule.name,
        "window": _window(stretch),
        "power": str(spoken.power),
        "priority": assignment.priority,
        "group": assignment.group,
        "place": str(spoken.place),
    }


def _lines(account: Account) -> Iterator[str]:
    from reconciler.manifests.origins import origins
    from reconciler.plan.words import describe_instant

    begin, end = (describe_instant(at, account.zone) for at in account.span)
    yield from wrap(f"from {begin} to {end}, {account.zone.key}", "  ", "    ")
    for number, stretches in account.evses.items():
        yield f"  EVSE {number}"
        for stretch in stretches:
            yield from _told(stretch, account.zone)
    for words in (f"refused: {account.refusal}" if account.refusal else "", *account.notes):
        yield from wrap(words, "  ! ", "    ")
    yield "  settings"
    for origin in origins(account.station):
        if origin.field != "identity":
            yield from write_origin(origin.field, origin.value, origin.level, str(origin.place))


def write_origin(field: str, value: str, level: str, place: str) -> list[str]:
    """Write one effective field, with the document that set it and its line."""
    return wrap(f"{field}: {value}  <- {level}, {place}", "    ", "      ")


def _told(stretch: Stretch, zone: ZoneInfo) -> list[str]:
    from reconciler.plan.words import describe_power

    first = f"    {_when(stretch, zone):<19} {describe_power(stretch.order.power_w):>8}  "
    return wrap(_words(stretch), first, " " * MARGIN)


def _words(stretch: Stretch) -> str:
    from reconciler.plan.words import describe_power

    if stretch.speaker is None:
        return "no schedule speaks: zero"
    assignment, spoken = stretch.speaker
    order = stretch.order
    told = [f"{assignment.schedule.name}, {_window(stretch)}", f"priority {assignment.priority}"]
    told.append(f"group {assignment.group}")
    if (spoken.power.value, spoken.power.unit) != (order.power_w, "W"):
        told.append(f"asks for {spoken.power}")
    if order.mode:
        told.append(f"{order.mode} within {describe_power(order.lowest_w)} and {describe_power(order.highest_w)}")
    return f"{', '.join(told)}, at {spoken.place}"


def _window(stretch: Stretch) -> str:
    from reconciler.plan.words import describe_clock

    window = stretch.speaker[1].window if stretch.speaker else None
    return f"window {describe_clock(window.start)}-{describe_clock(window.end)}" if window else "otherwise"


def _when(stretch: Stretch, zone: ZoneInfo) -> str:
    from reconciler.plan.words import WEEKDAYS

    begin, end = stretch.start.astimezone(zone), stretch.end.astimezone(zone)
    until = "" if begin.date() == end.date() else f"{WEEKDAYS[end.weekday()]} "
    return f"{WEEKDAYS[begin.weekday()]} {begin:%H:%M}-{until}{end:%H:%M}"


def wrap(text: str, first: str, other: str) -> list[str]:
    """Break text into lines of 100 columns, with what stands before the first and before the others."""
    return textwrap.wrap(text, COLUMNS, initial_indent=first, subsequent_indent=other, break_on_hyphens=False)
