"""How strictly a fleet wants to be guarded: severities and limits per guardrail, and the reasons for easing any.

Used by the model of a Fleet, and resolved by `load`; what each guardrail proves is known to `plan.guardrails`. Tighter
than the default is free. Anything easier, be it a severity or a limit, takes a written reason that every plan repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from reconciler.manifests.fields import Cap, Duration, Model, Share
from reconciler.manifests.quantity import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.errors import Place

MINUTE = timedelta(minutes=1)


class Severity(StrEnum):
    """What a finding does: an error refuses, a warning is shown, and off is not even looked for."""

    OFF = "off"
    WARNING = "warning"
    ERROR = "error"


RANK = {severity: rank for rank, severity in enumerate(Severity)}


Grade = Annotated[Severity, Field(strict=False)]
Most = Annotated[int, Field(ge=0, le=1_000_000)]


class ErrorSpec(Model):
    """A guardrail that refuses; `severity: warning` or `off` takes a `reason`."""

    EASIER_ABOVE: ClassVar[tuple[str, ...]] = ()
    EASIER_BELOW: ClassVar[tuple[str, ...]] = ()

    severity: Grade = Severity.ERROR
    reason: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _gives_a_reason(self) -> Self:
        eased = tuple(self.eased())
        if eased and not self.reason.strip():
            hint = "write `reason`, which every plan will repeat"
            raise Malformed(f"{', '.join(eased)} is easier than the default", "guardrail-without-reason", hint)
        return self

    def eased(self) -> Iterator[str]:
        """Say what is easier than the default, in the words of the manifest."""
        default = type(self).model_fields["severity"].default
        if RANK[self.severity] < RANK[default]:
            yield f"`severity: {self.severity}`"
        for name in (*self.EASIER_ABOVE, *self.EASIER_BELOW):
            known, given = type(self).model_fields[name], getattr(self, name)
            if (given > known.default) if name in self.EASIER_ABOVE else (given < known.default):
                yield f"`{known.alias}`"


class WarningSpec(ErrorSpec):
    """A guardrail that warns; `severity: error` makes it refuse."""

    severity: Grade = Severity.WARNING


class DirectionChangesSpec(ErrorSpec):
    """How often an EVSE may turn between charge and discharge on one local day."""

    EASIER_ABOVE = ("per_day",)
    per_day: Most = 6


class StartsSpec(WarningSpec):
    """How often the flow of an EVSE may start from zero on one local day: each start closes a contactor."""

    EASIER_ABOVE = ("per_day",)
    per_day: Most = 10


class DwellSpec(WarningSpec):
    """How long an EVSE keeps one sign at least, once it charges or discharges."""

    EASIER_BELOW = ("least",)
    least: Duration = 15 * MINUTE


class PauseSpec(WarningSpec):
    """How long a zero between two flows lasts at least: a shorter one opens a contactor for nothing."""

    EASIER_BELOW = ("least",)
    least: Duration = 5 * MINUTE


class ReversalSpec(WarningSpec):
    """How long the flow rests at zero at least before it turns."""

    EASIER_BELOW = ("settle",)
    settle: Duration = MINUTE


class RampSpec(ErrorSpec):
    """By how much the power of an EVSE may change from one period to the next; without `step`, by anything."""

    step: Cap | None = None


class DeadBandSpec(WarningSpec):
    """Which share of its rating a DC EVSE's flow has at least, unless it is zero."""

    EASIER_BELOW = ("share",)
    share: Share = Decimal("0.05")


class ProfileWritesSpec(WarningSpec):
    """How often one profile is written for the renewal of its lease: flash memory wears."""

    EASIER_ABOVE = ("per_day", "per_year")
    per_day: Most = 24
    per_year: Most = 3000


class ClockSkewSpec(WarningSpec):
    """By how much the clock of a station may be wrong without harm."""

    EASIER_BELOW = ("tolerance",)
    tolerance: Duration = 5 * MINUTE


class LeaseLengthSpec(WarningSpec):
    """For how long flow may go on at most when nobody speaks."""

    EASIER_ABOVE = ("longest",)
    longest: Duration = timedelta(hours=48)


class BlastRadiusSpec(ErrorSpec):
    """Which share of the stations one revision may change or clear; fleets of up to `above` stations are free."""

    EASIER_ABOVE = ("share", "above")
    share: Share = Decimal("0.30")
    above: Most = 10


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class GuardrailsSpec(Model):
    """The guardrails by id; see docs/guardrails.md."""

    model_config = ConfigDict(alias_generator=_kebab)

    site_import: ErrorSpec = ErrorSpec()
    site_export: ErrorSpec = ErrorSpec()
    evse_rating: WarningSpec = WarningSpec()
    direction_changes: DirectionChangesSpec = DirectionChangesSpec()
    starts: StartsSpec = StartsSpec()
    dwell: DwellSpec = DwellSpec()
    pause: PauseSpec = PauseSpec()
    reversal: ReversalSpec = ReversalSpec()
    ramp: RampSpec = RampSpec()
    dead_band: DeadBandSpec = DeadBandSpec()
    least_current: ErrorSpec = ErrorSpec()
    least_power: WarningSpec = WarningSpec()
    profile_writes: ProfileWritesSpec = ProfileWritesSpec()
    clock_skew: ClockSkewSpec = ClockSkewSpec()
    lease_length: LeaseLengthSpec = LeaseLengthSpec()
    protocol_left: WarningSpec = WarningSpec()
    degraded: WarningSpec = WarningSpec()
    blast_radius: BlastRadiusSpec = BlastRadiusSpec()
    profile_ids: ErrorSpec = ErrorSpec()


@dataclass(frozen=True, slots=True)
class Waiver:
    """Hold what a fleet has eased, and the reason that stands beside it."""

    guardrail: str
    eased: tuple[str, ...]
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Guardrails:
    """Hold severities by guardrail and all limits; `place` is the Fleet's. `ramp_w` is None where nothing bounds it."""

    place: Place
    severities: Mapping[str, Severity]
    waivers: tuple[Waiver, ...]
    turns_per_day: int
    starts_per_day: int
    dwell: timedelta
    pause: timedelta
    settle: timedelta
    ramp_w: Decimal | None
    dead_band: Decimal
    writes_per_day: int
    writes_per_year: int
    clock_skew: timedelta
    longest_lease: timedelta
    radius: Decimal
    radius_above: int


def resolve_guardrails(spec: GuardrailsSpec, place: Place, place_of: Callable[[str], Place]) -> Guardrails:
    """Make a value of what a Fleet says; `place_of` finds a guardrail's id in its document."""
    rules = dict(_rules(spec))
    return Guardrails(
        place=place,
        severities={name: rule.severity for name, rule in rules.items()},
        waivers=tuple(
            Waiver(name, eased, rule.reason.strip(), place_of(name))
            for name, rule in rules.items()
            if (eased := tuple(rule.eased()))
        ),
        turns_per_day=spec.direction_changes.per_day,
        starts_per_day=spec.starts.per_day,
        dwell=spec.dwell.least,
        pause=spec.pause.least,
        settle=spec.reversal.settle,
        ramp_w=spec.ramp.step.value if spec.ramp.step else None,
        dead_band=spec.dead_band.share,
        writes_per_day=spec.profile_writes.per_day,
        writes_per_year=spec.profile_writes.per_year,
        clock_skew=spec.clock_skew.tolerance,
        longest_lease=spec.lease_length.longest,
        radius=spec.blast_radius.share,
        radius_above=spec.blast_radius.above,
    )


def _rules(spec: GuardrailsSpec) -> Iterator[tuple[str, ErrorSpec]]:
    for name in GuardrailsSpec.model_fields:
        yield _kebab(name), getattr(spec, name)


def severity_of(spec: GuardrailsSpec, name: str) -> Severity | None:
    """Give the severity of a guardrail by its id; None for those that no manifest touches."""
    rule: ErrorSpec | None = dict(_rules(spec)).get(name)
    return rule.severity if rule else None
