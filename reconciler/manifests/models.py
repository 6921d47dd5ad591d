"""The kinds that people write, one pydantic model each: shapes, units and ranges of a single document.

Used by `load` only. What needs a second document (references, clashes, consent) is judged elsewhere.
A new kind is a new model, an entry in KINDS, and its resolution.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from reconciler.manifests import shapes
from reconciler.manifests.fields import (
    INT32,
    Cap,
    Count,
    Duration,
    Identities,
    Identity,
    Magnitude,
    Model,
    Name,
    Volts,
    check_timezone,
    read_protocol,
)
from reconciler.manifests.guardrails import GuardrailsSpec
from reconciler.manifests.programme import (
    CalendarSpec,
    ModeWord,
    ReadyBySpec,
    ScheduleSpec,
    TemplateSpec,
    TemplateUseSpec,
)
from reconciler.manifests.quantity import Current, Malformed, Quantity
from reconciler.manifests.rollouts import DriftSpec, ReadBack, RolloutSpec
from reconciler.manifests.snapshot import TABLE_SUFFIX

API_VERSION = "v2g.fleet/v1alpha1"
LEAST_IDS = 100
HIGHEST_PRIORITY = 10_000


class Metadata(Model):
    """Name a document, as in Kubernetes."""

    name: Name
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class ProfileIds(Model):
    """The range of profile ids that the fleet owns on every station, both ends in it."""

    from_: Annotated[int, Field(alias="from", ge=1, le=INT32)]
    to: Annotated[int, Field(ge=1, le=INT32)]

    @model_validator(mode="after")
    def _large_enough(self) -> Self:
        if self.to - self.from_ + 1 < LEAST_IDS:
            hint = f"`to` at least {self.from_ + LEAST_IDS - 1}"
            raise Malformed(f"fewer than {LEAST_IDS} profile ids", "too-few-profile-ids", hint)
        return self


class FailSafeSpec(Model):
    """How flow ends when nobody speaks."""

    lease: Duration = timedelta(hours=30)
    renew_before: Duration = timedelta(hours=6)
    max_offline: Duration = timedelta(minutes=15)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.lease > self.renew_before > timedelta():
            raise Malformed(
                "`lease` must be longer than `renewBefore`, and that longer than nothing", "lease-too-short"
            )
        if self.max_offline <= timedelta():
            raise Malformed("`maxOffline` must be longer than nothing", "out-of-range")
        return self


class CapabilitySpec(Model):
    """What the author knows of a station; absent means: ask the station."""

    negative_limit: bool | None = None
    protocol: Annotated[Literal["2.0.1", "2.1"] | None, BeforeValidator(read_protocol), shapes.PROTOCOL] = None
    stack_levels: Count | None = None
    periods: Count | None = None
    units: tuple[Literal["W", "A"], ...] | None = Field(default=None, strict=False, min_length=1)
    max_offline: bool | None = None
    entries: Count | None = None
    modes: tuple[ModeWord, ...] | None = Field(default=None, strict=False)


class FailSafePart(Model):
    """Parts of the fail-safe that are to differ below; absent means as above."""

    lease: Duration | None = None
    renew_before: Duration | None = None
    max_offline: Duration | None = None

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if timedelta() in (self.lease, self.renew_before, self.max_offline):
            raise Malformed("the times of a fail-safe are longer than nothing", "out-of-range")
        return self


class Settings(Model):
    """What is inherited from fleet to site to group to station: the nearest that says it wins."""

    fail_safe: FailSafePart = FailSafePart()
    write_interval: Duration | None = None
    read_back: ReadBack | None = None
    on_unsupported: Literal["refuse", "charge-only", "zero"] | None = None
    ready_by: ReadyBySpec | None = None
    template: TemplateUseSpec | None = None
    capability: CapabilitySpec = CapabilitySpec()


class FleetSpec(Model):
    """What holds for the fleet as a whole."""

    timezone: Annotated[str, AfterValidator(check_timezone), shapes.TIMEZONE]
    profile_ids: ProfileIds
    fail_safe: FailSafeSpec = FailSafeSpec()
    discharge: Literal["allowed", "forbidden"] = "forbidden"
    write_interval: Duration = timedelta(seconds=60)
    read_back: ReadBack | None = None
    on_unsupported: Literal["refuse", "charge-only", "zero"] = "refuse"
    ready_by: ReadyBySpec | None = None
    template: TemplateUseSpec | None = None
    capability: CapabilitySpec = CapabilitySpec()
    nominal_voltage: Volts = Decimal(230)
    guardrails: GuardrailsSpec = GuardrailsSpec()
    rollout: RolloutSpec = RolloutSpec()
    drift: DriftSpec = DriftSpec()


class SiteSpec(Settings):
    """A grid connection's caps."""

    import_: Annotated[Cap, Field(alias="import")]
    export: Cap = Quantity(Decimal(0), "W")


class Select(Model):
    """Which stations a group has: by labels that all must be equal, or by identity."""

    labels: dict[str, str] = Field(default_factory=dict)
    names: tuple[str, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.labels) == bool(self.names):
            raise Malformed("a selection has either `labels` or `names`", "wrong-selection", "make two groups of it")
        return self


class AssignmentSpec(Model):
    """A schedule for a group."""

    schedule: str
    priority: Annotated[int, Field(ge=1, le=HIGHEST_PRIORITY)]


class GroupSpec(Settings):
    """A group of stations, of a site or inside another group."""

    site: str | None = None
    parent: str | None = None
    select: Select | None = None
    schedules: list[AssignmentSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_parent(self) -> Self:
        if self.site is not None and self.parent is not None:
            raise Malformed(
                "a group has a `site` or a `parent`, not both", "site-and-parent", "the parent gives its site"
            )
        return self


class EvseSpec(Model):
    """One EVSE's rating; on DC, `phases` may tell of the grid side and has no meaning here."""

    id: Count
    charge: Magnitude
    discharge: Magnitude = Quantity(Decimal(0), "W")
    phases: Annotated[int, Field(ge=1, le=3)] = 3
    current: Annotated[Current, Field(strict=False)] = Current.AC
    connector: str = ""


class Hardware(Settings):
    """What a station and a set of stations have in common."""

    model: str = ""
    site: str | None = None
    evses: Annotated[list[EvseSpec], Field(min_length=1)]


class StationSpec(Hardware):
    """One station; its identity is its name where none is given."""

    identity: Identity | None = None


class StationSetSpec(Hardware):
    """Stations alike: a range such as `Q3-{001..012}`, a CSV file of the repository, or a list."""

    identities: Identities
    evses: list[EvseSpec] = Field(default_factory=list, min_length=1)

    @model_validator(mode="after")
    def _rated(self) -> Self:
        if not self.evses and not all(text.endswith(TABLE_SUFFIX) for text in self.identities):
            raise Malformed("`evses` is missing", "missing-key", "only a table can give the ratings instead")
        return self


KINDS: dict[str, type[Model]] = {
    "Fleet": FleetSpec,
    "Site": SiteSpec,
    "Group": GroupSpec,
    "Station": StationSpec,
    "StationSet": StationSetSpec,
    "Schedule": ScheduleSpec,
    "Calendar": CalendarSpec,
    "Template": TemplateSpec,
}
