"""Schedules and calendars as people write them, one pydantic model each.

Used by the catalogue through `models.KINDS`. Names of calendars and schedules are followed elsewhere.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from reconciler.manifests.days import Holidays, categories, countries, holidays_of
from reconciler.manifests.fields import (
    Clock,
    DateItem,
    Dates,
    Day,
    Days,
    DayWords,
    Energy,
    Frequency,
    Model,
    MonthDay,
    Parameter,
    Percent,
    Power,
    Scalar,
    Watts,
    read_parameter,
)
from reconciler.manifests.quantity import Malformed
from reconciler.manifests.times import MINUTES_PER_DAY
from reconciler.profiles.rules import LEAST_POINTS, MOST_POINTS

MAX_WINDOWS = 1000
ModeWord: TypeAlias = Literal[
    "central-setpoint", "local-frequency", "local-load-balancing", "idle", "charge-only", "external-limits"
]
POWERED = frozenset({None, "central-setpoint", "charge-only"})
MODE_HINTS = {
    "idle": "nothing flows in it",
    "local-frequency": "give `baseline` and `curve`",
    "local-load-balancing": "the station follows its own meter",
    "external-limits": "someone else sets them",
}
MAX_DATES = 5000


class HolidaysSpec(Model):
    """The holidays of a country, of one of its parts, or of some categories only."""

    country: str
    subdivision: str = ""
    categories: tuple[str, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.country not in countries():
            raise Malformed(f"no holidays are known of `{self.country[:80]}`", "unknown-holidays", "such as NL or DE")
        try:
            holidays_of(Holidays(self.country, self.subdivision, self.categories), 2026)
        except NotImplementedError:
            parts = ", ".join(countries()[self.country]) or "it has none"
            message = f"`{self.subdivision[:80]}` is no subdivision of {self.country}"
            raise Malformed(message, "unknown-holidays", parts) from None
        except ValueError:
            message = f"holidays of {self.country} have other categories"
            raise Malformed(message, "unknown-holidays", ", ".join(categories(self.country))) from None
        return self


class CalendarSpec(Model):
    """A named set of days."""

    dates: list[DateItem] = Field(default_factory=list, max_length=MAX_DATES)
    holidays: HolidaysSpec | None = None
    weekdays: Days = frozenset()
    except_: Annotated[list[DateItem], Field(alias="except", default_factory=list, max_length=MAX_DATES)]

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.dates and not self.weekdays and self.holidays is None:
            raise Malformed("this calendar has no days", "empty-calendar", "give `dates`, `holidays` or `weekdays`")
        return self


class ValiditySpec(Model):
    """The dates on which a schedule holds: `from` is the first, `to` the first on which it no longer does."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.from_ and self.to and self.from_ >= self.to:
            raise Malformed("`to` is not after `from`, so the schedule never holds", "empty-validity")
        return self


class SeasonSpec(Model):
    """A part of every year, both ends in it; one that ends before it begins runs over New Year."""

    from_: Annotated[MonthDay, Field(alias="from")]
    to: MonthDay


class CurvePointSpec(Model):
    """A point of a curve: what is added to the baseline at a frequency of the grid; in between it is a line."""

    frequency: Frequency
    power: Watts


class WindowSpec(Model):
    """A power over local time; a window that ends when or before it starts runs over midnight."""

    days: Dates
    except_: Annotated[Dates, Field(alias="except")] = DayWords()
    also: Dates = DayWords()
    season: SeasonSpec | None = None
    validity: ValiditySpec = ValiditySpec()
    from_: Annotated[Clock, Field(alias="from")]
    to: Clock
    power: Power | None = None
    mode: ModeWord | None = None
    baseline: Watts | None = None
    curve: list[CurvePointSpec] = Field(default_factory=list, max_length=MOST_POINTS)

    @model_validator(mode="after")
    def _as_its_mode_needs(self) -> Self:
        powered = self.mode in POWERED
        if powered and self.power is None:
            raise Malformed("`power` is missing", "missing-key")
        if not powered and self.power is not None:
            raise Malformed(f"`mode: {self.mode}` has no `power`", "mode-field", MODE_HINTS[str(self.mode)])
        if self.mode == "charge-only" and self.power is not None and self.power.value < 0:
            raise Malformed(f"{self.power} discharges, and `mode: charge-only` does not", "mode-field")
        return self

    @model_validator(mode="after")
    def _curve_of_its_mode(self) -> Self:
        if self.mode != "local-frequency":
            if self.curve or self.baseline is not None:
                raise Malformed("`curve` and `baseline` go with `mode: local-frequency`", "mode-field")
            return self
        if len(self.curve) < LEAST_POINTS:
            hint = "[{frequency: 49.8 Hz, power: -5 kW}, {frequency: 50.2 Hz, power: 5 kW}]"
            raise Malformed(f"a `curve` has at least {LEAST_POINTS} points", "mode-field", hint)
        if any(one.frequency >= other.frequency for one, other in pairwise(self.curve)):
            raise Malformed("the frequencies of a `curve` rise from point to point", "mode-field")
        return self

    @model_validator(mode="after")
    def _within_a_day(self) -> Self:
        if self.from_ == MINUTES_PER_DAY:
            raise Malformed('"24:00" ends a day and can\'t start one', "wrong-time", 'write "00:00"')
        return self


class ScheduleSpec(Model):
    """Signed power over local time, perhaps on top of another schedule."""

    extends: str | None = None
    windows: list[WindowSpec] = Field(default_factory=list, max_length=MAX_WINDOWS)
    otherwise: Power | None = None
    validity: ValiditySpec = ValiditySpec()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.windows and self.otherwise is None:
            raise Malformed("this schedule says nothing", "empty-schedule", "give `windows` or `otherwise`")
        return self


class ParameterSpec(Model):
    """A parameter of a template; without a default it must be given."""

    type: Literal["power", "duration", "number", "string", "boolean"]
    default: Scalar | None = None

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if self.default is not None:
            read_parameter(self.type, self.default)
        return self


class TemplateSpec(Model):
    """A template of the repository, the parameters that it takes, and the models of stations that it is for."""

    file: str = ""
    parameters: dict[Parameter, ParameterSpec] = Field(default_factory=dict)
    models: tuple[str, ...] = Field(default=(), strict=False)


class TemplateUseSpec(Model):
    """Which template makes the schedule profiles, with what parameters."""

    name: str
    parameters: dict[str, Scalar] = Field(default_factory=dict)


class ReadyBySpec(Model):
    """What a vehicle must hold when it leaves; what is not known of it is taken as bad as declared."""

    time: Clock
    days: Dates = DayWords(frozenset(range(7)))
    since: Clock | None = None
    min_energy: Energy | None = None
    min_soc: Percent | None = None
    capacity: Energy | None = None
    assume_soc: Percent = Decimal(0)
    policy: Literal["refuse", "trim"] = "refuse"

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.min_energy is None) == (self.min_soc is None):
            message = "a departure asks for either `minEnergy` or `minSoc`"
            raise Malformed(message, "wrong-departure", "minEnergy: 40 kWh, or minSoc: 80 % with capacity: 60 kWh")
        if (self.min_soc is None) != (self.capacity is None):
            message = "`minSoc` and `capacity` go together: a share of what?"
            raise Malformed(message, "wrong-departure", "capacity: 60 kWh is what the smallest battery holds")
        if MINUTES_PER_DAY in (self.time, self.since):
            raise Malformed('"24:00" is the next day\'s "00:00"', "wrong-time", 'write "00:00"')
        return self
