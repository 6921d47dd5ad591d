"""The resolved fleet: references followed, ranges expanded, watts computed. Everything downstream reads these values.

Equal parts are shared objects, so that ten thousand stations of a few kinds stay light and can be compared by identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from reconciler.manifests.quantity import Current, Quantity
from reconciler.manifests.strategy import DriftPolicy, Strategy
from reconciler.profiles.profile import Mode

OnUnsupported: TypeAlias = Literal["refuse", "charge-only", "zero"]

__all__ = [
    "Assignment",
    "Current",
    "Declared",
    "Evse",
    "FailSafe",
    "Fleet",
    "Group",
    "OnUnsupported",
    "Origin",
    "Quantity",
    "ReadyBy",
    "Schedule",
    "Settings",
    "Site",
    "Station",
    "TemplateUse",
    "Window",
]

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, timedelta

    from reconciler.errors import Place
    from reconciler.manifests.days import Meaning, Pattern
    from reconciler.manifests.fields import ParameterValue
    from reconciler.manifests.guardrails import Guardrails
    from reconciler.profiles.profile import CurvePoint


@dataclass(frozen=True, slots=True)
class FailSafe:
    """Hold how flow ends when nobody speaks: the lease, when it is renewed, and 2.1's `maxOfflineDuration`."""

    lease: timedelta
    renew_before: timedelta
    max_offline: timedelta


@dataclass(frozen=True, slots=True)
class ReadyBy:
    """Hold what each vehicle of a station must hold when it leaves, in Wh, and as how empty it is taken to arrive.

    `time` and `since` are minutes of a day; what flows before `since` does not count (None: a day before). Without a
    `capacity_wh`, `least_wh` is what has to be put in, and what is taken out in between counts against it.
    """

    time: int
    days: Pattern
    since: int | None
    least_wh: Decimal
    capacity_wh: Decimal | None
    assumed_wh: Decimal
    trims: bool
    place: Place

    @property
    def meaning(self) -> Meaning:
        """Give what counts of it."""
        energies = tuple(None if each is None else f"{each:f}" for each in (self.least_wh, self.capacity_wh))
        return (self.time, self.days.meaning, self.since, *energies, f"{self.assumed_wh:f}", self.trims)


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """Name the template file that makes the schedule profiles, and its parameters, sorted by name, powers in W."""

    name: str
    file: str
    parameters: tuple[tuple[str, ParameterValue], ...]

    @property
    def meaning(self) -> Meaning:
        """Give what counts of it."""
        return (self.file, *((name, str(value)) for name, value in self.parameters))


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold what a station inherits; `on_unsupported` says what becomes of a window that it can't be told."""

    fail_safe: FailSafe
    write_interval: timedelta
    on_unsupported: OnUnsupported
    ready_by: ReadyBy | None = None
    template: TemplateUse | None = None
    read_back: timedelta | None = None

    @property
    def meaning(self) -> Meaning:
        """Give what counts of them for what is rendered."""
        safe = self.fail_safe
        ready = self.ready_by.meaning if self.ready_by else None
        template = self.template.meaning if self.template else None
        return (safe.lease, safe.renew_before, safe.max_offline, self.on_unsupported, ready, template)


@dataclass(frozen=True, slots=True)
class Origin:
    """Tell where an effective field of a station was set: `level` names the document, such as `Group night-buses`."""

    field: str
    value: str
    level: str
    place: Place


@dataclass(frozen=True, slots=True)
class Evse:
    """Hold one EVSE's rating: watts as magnitudes over all phases; `phases` is 0 on DC."""

    id: int
    charge_w: Decimal
    discharge_w: Decimal
    phases: int
    current: Current
    connector: str


@dataclass(frozen=True, slots=True)
class Declared:
    """Hold what a manifest says a station can take; None where it says nothing."""

    negative_limit: bool | None = None
    protocol: str | None = None
    stack_levels: int | None = None
    periods: int | None = None
    units: tuple[str, ...] | None = None
    max_offline: bool | None = None
    entries: int | None = None
    modes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Hold a power over local time, from `start` to before `end` in minutes of the day that it starts on.

    `days` counts from 0 for Monday; `pattern` is there where more than weekdays decides. `end` goes beyond 1440 where
    the window runs over midnight. `mode` is there where one was written; where others steer, `power` is the baseline or
    nothing, and `curve` has what is added to it by the grid's frequency.
    """

    days: frozenset[int]
    start: int
    end: int
    power: Quantity
    place: Place
    pattern: Pattern | None = None
    mode: Mode | None = None
    curve: tuple[CurvePoint, ...] = ()

    @property
    def may_discharge(self) -> bool:
        """Tell whether it lets anything flow out of a vehicle that can be discharged."""
        if self.mode in (Mode.LOCAL_LOAD_BALANCING, Mode.EXTERNAL_LIMITS):
            return True
        return self.power.value + min((point.power_w for point in self.curve), default=Decimal(0)) < 0

    def holds_on(self, day: date) -> bool:
        """Tell whether the window starts on a day."""
        return day.weekday() in self.days if self.pattern is None else day in self.pattern

    @property
    def meaning(self) -> Meaning:
        """Give what counts of it."""
        days: Meaning = tuple(sorted(self.days)) if self.pattern is None else self.pattern.meaning
        command = (_power(self.power), *([self.mode.value] if self.mode else []))
        curve = tuple((f"{hertz:f}", f"{power:f}") for hertz, power in self.curve)
        return (days, self.start, self.end, *command, *curve)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hold a schedule: outside its windows it says `otherwise`, or nothing; valid on `valid_from <= day < valid_to`.

    Where it says nothing, the schedule that it extends may: first that one's windows, then its own `otherwise`.
    """

    name: str
    windows: tuple[Window, ...]
    otherwise: Quantity | None
    otherwise_place: Place | None
    valid_from: date | None
    valid_to: date | None
    place: Place
    extends: Schedule | None = None

    def is_valid(self, day: date) -> bool:
        """Tell whether the schedule itself, not the one that it extends, holds on a day."""
        after = self.valid_from is None or day >= self.valid_from
        return after and (self.valid_to is None or day < self.valid_to)

    def lineage(self) -> Iterator[Schedule]:
        """Give the schedule and those that it extends, the nearest first."""
        schedule: Schedule | None = self
        while schedule is not None:
            yield schedule
            schedule = schedule.extends

    @property
    def meaning(self) -> Meaning:
        """Give what counts of it: equal where two schedules ask for the same, whatever their names and places."""
        windows = sorted(repr(window.meaning) for window in self.windows)
        base = self.extends.meaning if self.extends else None
        return (windows, _power(self.otherwise), str(self.valid_from), str(self.valid_to), base)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Give a schedule to the members of a group; the higher priority wins."""

    schedule: Schedule
    priority: int
    group: str
    place: Place


@dataclass(frozen=True, slots=True)
class Site:
    """Hold a grid connection and its caps in watts as magnitudes."""

    name: str
    import_w: Decimal
    export_w: Decimal
    place: Place


@dataclass(frozen=True, slots=True)
class Group:
    """Hold a group with its own or inherited site; `members` are identities as written, its descendants' too."""

    name: str
    parent: str | None
    site: str | None
    members: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    place: Place


LABEL = "label "
"""What stands before the key of a label among what a line of a table says."""


@dataclass(frozen=True, slots=True)
class Station:
    """Hold a station; `groups` are nearest first, `assignments` highest priority first, its ancestors' among them.

    `origins` tells where its settings come from, and is shared by stations that have them alike; `told` names what its
    own line of a table says instead, its labels one by one. `manifests.origins` puts both together.
    """

    identity: str
    name: str
    labels: Mapping[str, str]
    model: str
    site: str | None
    groups: tuple[str, ...]
    evses: tuple[Evse, ...]
    declared: Declared
    assignments: tuple[Assignment, ...]
    settings: Settings
    place: Place
    origins: tuple[Origin, ...] = field(default=(), repr=False, compare=False)
    told: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Hold everything one revision desires; the keys of `stations` are casefolded identities, sorted.

    `id_place` is where the range of profile ids is written.
    """

    name: str
    timezone: str
    id_from: int
    id_to: int
    fail_safe: FailSafe
    discharge_allowed: bool
    write_interval: timedelta
    nominal_voltage: Decimal
    guardrails: Guardrails
    sites: Mapping[str, Site] = field(repr=False)
    groups: Mapping[str, Group] = field(repr=False)
    stations: Mapping[str, Station] = field(repr=False)
    templates: Mapping[str, str] = field(repr=False)
    id_place: Place = field(repr=False)
    strategy: Strategy = field(default_factory=Strategy, repr=False)
    drift: DriftPolicy = field(default_factory=DriftPolicy, repr=False)

    def station(self, identity: str) -> Station | None:
        """Find a station by its identity in any spelling."""
        return self.stations.get(identity.casefold())


def _power(power: Quantity | None) -> str:
    return "" if power is None else f"{power.value:f} {power.unit}"
