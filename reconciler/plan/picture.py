"""What a picture of one day shows, as values: lines of power, caps, turns of direction, and the clock's own time.

Made by `portray`, drawn by the room `pictures`. It refuses to know colours and pixels. Powers are in W, charge above
zero and discharge below.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from reconciler.plan.local_day import LocalDay
from reconciler.profiles.timeline import Timeline


class Role(StrEnum):
    """What a line tells; the drawing gives each its colour."""

    BEFORE = "before"
    AFTER = "after"
    REPORTED = "reported"
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class Series:
    """A line of power in steps; outside the day it says nothing, and where it is silent nothing is drawn."""

    role: Role
    name: str
    line: Timeline


@dataclass(frozen=True, slots=True)
class Band:
    """How far the power of an EVSE may lead where a mode steers it; silent where the line itself says it all."""

    name: str
    lowest: Timeline
    highest: Timeline


@dataclass(frozen=True, slots=True)
class Cap:
    """What may not be exceeded, signed: an import cap lies above zero, an export cap below."""

    name: str
    power_w: Decimal


@dataclass(frozen=True, slots=True)
class Turn:
    """At one instant `count` EVSEs turn: to charge where `sign` is 1, to discharge where it is -1."""

    at: datetime
    sign: int
    count: int


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes; the title is empty where a picture has a single one."""

    series: tuple[Series, ...]
    caps: tuple[Cap, ...] = ()
    turns: tuple[Turn, ...] = ()
    title: str = ""
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of one day, its panels one below the other; `notes` are short facts that stand below the title."""

    title: str
    notes: tuple[str, ...]
    day: LocalDay
    panels: tuple[Panel, ...]
