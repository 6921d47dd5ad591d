"""How a revision goes out, as the Fleet resource says it: waves, gate, pace, windows, and what counts as a storm.

Values with the project's defaults; `rollout` and the controller read them. A Fleet that says nothing gets one wave of
everything, at the default pace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

OnAbort: TypeAlias = Literal["rollback", "hold"]
ForeignPolicy: TypeAlias = Literal["ignore", "warn", "clear"]

WRITES_PER_MINUTE = 600
DEFERRAL = timedelta(days=7)
SOAK = timedelta(minutes=10)
"""The soak of a fleet that has several waves and names none."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One step of a rollout: stations with these labels, or a count, or a share of all that change; one is given.

    Count and share are of all stations that change, with those of the waves before: 10 % after 1 % adds 9 %.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    count: int | None = None
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """When a wave has failed: more than `failures` of at least `sample` stations, or powers off by more than `power`.

    `failures` and `power` are shares of one; a meter is compared with `power` of the EVSE's rating on top.
    """

    failures: Decimal = Decimal("0.05")
    sample: int = 5
    power: Decimal = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which rollouts may (`allow`) or may not begin writes: from each match of `cron`, for a `duration`."""

    allow: bool
    cron: str
    duration: timedelta
    timezone: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a rollout proceeds; paces are writes a minute, None means without a bound of its own."""

    waves: tuple[Wave, ...] = (Wave(share=Decimal(1)),)
    soak: timedelta = timedelta(0)
    gate: Gate = Gate()
    on_abort: OnAbort = "rollback"
    deferral: timedelta = DEFERRAL
    writes_per_minute: int | None = WRITES_PER_MINUTE
    site_writes_per_minute: int | None = None
    in_flight: int | None = None
    site_in_flight: int | None = None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignRule:
    """What to do about others' profiles at stack levels from `first` to `last`."""

    first: int
    last: int
    policy: ForeignPolicy


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """When repairing stops: a share of the connected stations (at least `storm_minimum`), or `rounds` for one profile.

    The first rule of `foreign` that covers a stack level counts; where none does, others' profiles are warned of.
    """

    storm: Decimal = Decimal("0.2")
    storm_minimum: int = 10
    rounds: int = 3
    foreign: tuple[ForeignRule, ...] = ()
