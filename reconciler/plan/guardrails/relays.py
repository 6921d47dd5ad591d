"""Proof that relays and converters live long: how often and how fast a line changes its mind (invariant 7).

What a line does before it begins and after it ends is not known, so nothing is held against its first and last stretch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconciler.manifests.guardrails import Guardrails
from reconciler.profiles.timeline import Timeline
from reconciler.profiles.wording import count

ZERO = Decimal(0)
NOTHING = timedelta(0)


class Trouble(NamedTuple):
    """Which guardrail, what to say, and the instant that it begins with."""

    guardrail: str
    message: str
    at: datetime


class Run(NamedTuple):
    """A stretch of one sign: 1 charges, -1 discharges, 0 rests; the last one has no end."""

    start: datetime
    end: datetime | None
    sign: int

    @property
    def length(self) -> timedelta:
        """Give how long it lasts; for ever where nothing ends it."""
        return timedelta.max if self.end is None else self.end - self.start


def check_line(line: Timeline, rails: Guardrails, zone: ZoneInfo) -> Iterator[Trouble]:
    """Give the first trouble of each kind that one EVSE's line has."""
    found = runs(line)
    local = _Clock(zone)
    for troubles in (
        _too_often("direction-changes", "turns between charge and discharge", turns(found), rails.turns_per_day, local),
        _too_often("starts", "starts from zero", starts(found), rails.starts_per_day, local),
        _dwell(found, rails.dwell, local),
        _pauses(found, rails.pause, local),
        _reversals(found, rails.settle, local),
        _ramps(line, rails.ramp_w, local),
    ):
        first = next(troubles, None)
        if first is not None:
            yield first


def runs(line: Timeline) -> tuple[Run, ...]:
    """Cut a line into stretches of one sign; silence rests."""
    kept: list[tuple[datetime, int]] = []
    for start, power in line.steps:
        sign = _sign(power or ZERO)
        if not kept or kept[-1][1] != sign:
            kept.append((start, sign))
    ends = [*(start for start, _ in kept[1:]), None]
    return tuple(Run(start, end, sign) for (start, sign), end in zip(kept, ends, strict=False))


def turns(found: tuple[Run, ...]) -> tuple[datetime, ...]:
    """Give the instants at which a flow begins against the direction of the one before, with or without a rest."""
    flowing = [run for run in found if run.sign]
    return tuple(after.start for before, after in pairwise(flowing) if before.sign != after.sign)


def starts(found: tuple[Run, ...]) -> tuple[datetime, ...]:
    """Give the instants at which a flow begins after a rest."""
    return tuple(after.start for before, after in pairwise(found) if not before.sign)


def busiest(instants: tuple[datetime, ...], zone: ZoneInfo) -> tuple[int, tuple[datetime, ...]]:
    """Give the largest number of instants on one local day, and those instants."""
    days: dict[date, list[datetime]] = {}
    for at in instants:
        days.setdefault(at.astimezone(zone).date(), []).append(at)
    most = max(days.values(), key=len, default=[])
    return len(most), tuple(most)


class _Clock:
    """Says instants and durations as people do."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def day(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%a %Y-%m-%d}"

    def moment(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%a %Y-%m-%d %H:%M}"


def _too_often(name: str, words: str, instants: tuple[datetime, ...], most: int, local: _Clock) -> Iterator[Trouble]:
    times, found = busiest(instants, local.zone)
    if times > most:
        said = f"{words} {count(times, 'time')} on {local.day(found[0])}, and the most is {most} a day"
        yield Trouble(name, said, found[most])


def _dwell(found: tuple[Run, ...], least: timedelta, local: _Clock) -> Iterator[Trouble]:
    for run in found[1:]:
        if run.sign and run.length < least:
            word = "charges" if run.sign > 0 else "discharges"
            message = f"{word} for {_told(run.length)} at {local.moment(run.start)}, and {_told(least)} is the least"
            yield Trouble("dwell", message, run.start)


def _pauses(found: tuple[Run, ...], least: timedelta, local: _Clock) -> Iterator[Trouble]:
    for before, rest, after in zip(found, found[1:], found[2:], strict=False):
        if not rest.sign and before.sign == after.sign and rest.length < least:
            message = (
                f"rests for {_told(rest.length)} only at {local.moment(rest.start)}, and {_told(least)} is the least"
            )
            yield Trouble("pause", message, after.start)


def _reversals(found: tuple[Run, ...], settle: timedelta, local: _Clock) -> Iterator[Trouble]:
    for index, run in enumerate(found[1:], 1):
        before = found[index - 1]
        rest = NOTHING if before.sign else before.length
        last = before if before.sign else (found[index - 2] if index > 1 else run)
        if run.sign and last.sign == -run.sign and rest < settle:
            way = "charge to discharge" if run.sign < 0 else "discharge to charge"
            rested = f"after a rest of {_told(rest)}" if rest else "without a rest"
            message = f"turns from {way} {rested} at {local.moment(run.start)}, and {_told(settle)} is the least"
            yield Trouble("reversal", message, run.start)


def _ramps(line: Timeline, most: Decimal | None, local: _Clock) -> Iterator[Trouble]:
    for before, after in pairwise(line.steps):
        change = abs((after.power_w or ZERO) - (before.power_w or ZERO))
        if most is not None and change > most:
            message = (
                f"changes by {change / 1000:f} kW at {local.moment(after.start)}, and {most / 1000:f} kW is the most"
            )
            yield Trouble("ramp", message, after.start)


def _sign(power: Decimal) -> int:
    return (power > 0) - (power < 0)


def _told(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
