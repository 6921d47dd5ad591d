"""Schedules and calendars as people write them, one pydantic model each.

Used by the catalogue through `models.KINDS`.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from reconciler.manifests.fields import Clock, Day, Days, Model, Power
from reconciler.manifests.quantity import Malformed
from reconciler.manifests.times import MINUTES_PER_DAY

MAX_WINDOWS = 1000


class WindowSpec(Model):
    """A power over local time; a window that ends when or before it starts runs over midnight."""

    days: Days
    from_: Annotated[Clock, Field(alias="from")]
    to: Clock
    power: Power

    @model_validator(mode="after")
    def _within_a_day(self) -> Self:
        if self.from_ == MINUTES_PER_DAY:
            raise Malformed('"24:00" ends a day and can\'t start one', "wrong-time", 'write "00:00"')
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


class ScheduleSpec(Model):
    """Signed power over local time."""

    windows: list[WindowSpec] = Field(default_factory=list, max_length=MAX_WINDOWS)
    otherwise: Power | None = None
    validity: ValiditySpec = ValiditySpec()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.windows and self.otherwise is None:
            raise Malformed("this schedule says nothing", "empty-schedule", "give `windows` or `otherwise`")
        return self
