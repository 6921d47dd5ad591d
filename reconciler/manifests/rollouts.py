"""How people write the way of a revision to the stations, and what counts as drift that needs a person.

Used by the model of a Fleet, and resolved by `load`. None of it is part of what a station is to hold: a change of pace
or of a window writes nothing to any station.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Self, TypeAlias

from pydantic import AfterValidator, Field, PlainValidator, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from reconciler.manifests import shapes
from reconciler.manifests.crontab import check_cron
from reconciler.manifests.fields import INT32, Count, Duration, Model, Share, check_timezone, read_share
from reconciler.manifests.openings import ever_open
from reconciler.manifests.quantity import Malformed
from reconciler.manifests.strategy import (
    DEFERRAL,
    SOAK,
    WRITES_PER_MINUTE,
    DriftPolicy,
    ForeignPolicy,
    ForeignRule,
    Gate,
    OnAbort,
    Strategy,
    Wave,
    Window,
)
from reconciler.manifests.times import write_duration

if TYPE_CHECKING:
    from reconciler.manifests.catalogue import Catalogue, Entry
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.models import FleetSpec

MOST_WAVES = 20
MOST_WINDOWS = 10
MOST_RULES = 100
UNLIMITED = "unlimited"
HIGHEST_PACE = 1_000_000
ALL = Decimal(1)


def between(least: timedelta, most: timedelta) -> AfterValidator:
    """Bound a duration, both ends allowed."""

    def check(value: timedelta) -> timedelta:
        if not least <= value <= most:
            message = f"this lies between {write_duration(least)} and {write_duration(most)}"
            raise Malformed(message, "out-of-range")
        return value

    return AfterValidator(check)


def _read_bound(value: object) -> int | None:
    if value == UNLIMITED:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(f"`{str(value)[:80]}` is not a whole number", "wrong-type", f"such as 60, or `{UNLIMITED}`")
    if not 1 <= value <= HIGHEST_PACE:
        raise Malformed(f"this lies between 1 and {HIGHEST_PACE}", "out-of-range", f"or `{UNLIMITED}`")
    return value


def _read_positive(value: object) -> Decimal:
    share = read_share(value)
    if not share:
        raise Malformed("a share of nothing is none", "out-of-range", "such as 10%")
    return share


Bound = Annotated[int | None, PlainValidator(_read_bound), shapes.bound(HIGHEST_PACE, UNLIMITED)]
PositiveShare = Annotated[Decimal, PlainValidator(_read_positive), shapes.SHARE]
Cron = Annotated[str, AfterValidator(check_cron), shapes.CRON]
ReadBack = Annotated[Duration, between(timedelta(minutes=1), timedelta(days=1))]


class CanarySpec(Model):
    """The stations of a wave by their labels, which all must be equal."""

    labels: dict[str, str] = Field(min_length=1)


class WaveSpec(Model):
    """A wave; one written as a count or a share is a SizedSpec."""

    canary: CanarySpec

    def wave(self) -> Wave:
        """Give the value."""
        return Wave(labels=self.canary.labels)


class SizedSpec(WaveSpec):
    """A wave that was written as a count or as a share, and not as a mapping."""

    size: int | Decimal

    def wave(self) -> Wave:
        """Give the value."""
        return Wave(count=self.size) if isinstance(self.size, int) else Wave(share=self.size)


def _read_wave(value: object, read: ValidatorFunctionWrapHandler) -> WaveSpec:
    if isinstance(value, str):
        return SizedSpec.model_construct(size=_read_positive(value))
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= INT32:
            raise Malformed("a wave has one station at least", "out-of-range")
        return SizedSpec.model_construct(size=value)
    if isinstance(value, dict):
        spec: WaveSpec = read(value)
        return spec
    raise Malformed("this is not a wave", "wrong-wave", 'such as 1, "10%" or {canary: {labels: {ring: first}}}')


WaveItem = Annotated[WaveSpec, WrapValidator(_read_wave), shapes.Or(shapes.COUNT, shapes.SHARE_PARTS)]


def _check_waves(specs: list[WaveSpec]) -> list[WaveSpec]:
    waves = [spec.wave() for spec in specs]
    for before, wave in combinations(waves, 2):
        if not _grows(before, wave):
            message = f"after the wave `{write_wave(before)}`, the wave `{write_wave(wave)}` adds nothing"
            raise Malformed(message, "shrinking-waves", "a count or a share has the waves before in it, and grows")
    if waves and waves[-1].share != ALL:
        message = f"the last wave, `{write_wave(waves[-1])}`, may leave stations out"
        raise Malformed(message, "unfinished-waves", 'end with "100%"')
    return specs


def _grows(before: Wave, after: Wave) -> bool:
    if before.share == ALL or (before.labels and before.labels == after.labels):
        return False
    if before.count is not None and after.count is not None:
        return after.count > before.count
    return before.share is None or after.share is None or after.share > before.share


def write_wave(wave: Wave) -> str:
    """Write a wave as people would."""
    if wave.labels:
        return ", ".join(f"{key}={value}" for key, value in wave.labels.items())
    return f"{wave.count}" if wave.share is None else f"{(wave.share * 100).normalize():f}%"


Waves = Annotated[list[WaveItem], AfterValidator(_check_waves)]


class PaceSpec(Model):
    """How many writes a minute there may be."""

    writes: Bound = WRITES_PER_MINUTE
    per_site: Bound = None


class ConcurrencySpec(Model):
    """How many stations may be written to at a time."""

    stations: Bound = None
    per_site: Bound = None


class GateSpec(Model):
    """When a wave has failed."""

    failures: Share = Gate().failures
    sample: Count = Gate().sample
    power: Share = Gate().power


class OpeningSpec(Model):
    """A window; its clock is the fleet's unless another time zone is given."""

    allow: Cron | None = None
    deny: Cron | None = None
    for_: Annotated[Duration, between(timedelta(minutes=1), timedelta(days=31)), Field(alias="for")]
    timezone: Annotated[str | None, AfterValidator(lambda text: text and check_timezone(text)), shapes.TIMEZONE] = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.allow is None) == (self.deny is None):
            raise Malformed("a window has either `allow` or `deny`", "wrong-window", "make two windows of it")
        return self


class RolloutSpec(Model):
    """How a revision goes out; a fleet that says nothing gets one wave of everything."""

    waves: Waves = Field(default_factory=list, max_length=MOST_WAVES)
    soak: Annotated[Duration, between(timedelta(0), timedelta(days=31))] | None = None
    pace: PaceSpec = PaceSpec()
    concurrency: ConcurrencySpec = ConcurrencySpec()
    gate: GateSpec = GateSpec()
    on_abort: OnAbort = "rollback"
    deferral: Annotated[Duration, between(timedelta(hours=1), timedelta(days=366))] = DEFERRAL
    windows: list[OpeningSpec] = Field(default_factory=list, max_length=MOST_WINDOWS)


class StormSpec(Model):
    """From when on drift is a storm: a share of the connected stations, and how many at least."""

    share: PositiveShare = DriftPolicy().storm
    least: Count = DriftPolicy().storm_minimum


def _read_storm(value: object, read: ValidatorFunctionWrapHandler) -> StormSpec:
    if isinstance(value, dict):
        spec: StormSpec = read(value)
        return spec
    return StormSpec.model_construct(share=_read_positive(value))


Levels: TypeAlias = tuple[int, int]


def _read_levels(value: object) -> Levels:
    """Read one stack level or a range of them with both ends in it."""
    first, _, last = str(value).partition("-") if not isinstance(value, bool) else ("", "", "")
    ends = [text for text in (first, last or first) if text.isascii() and text.isdigit() and len(text) < len("999999")]
    found = [int(text) for text in ends]
    if len(found) != len(("first", "last")) or found[1] < found[0]:
        raise Malformed(f"`{str(value)[:80]}` are not stack levels", "wrong-levels", "such as 8 or 0-4")
    return (found[0], found[1])


class ForeignSpec(Model):
    """What becomes of others' profiles at some stack levels."""

    levels: Annotated[Levels, PlainValidator(_read_levels), shapes.LEVELS]
    policy: ForeignPolicy


def _check_rules(specs: list[ForeignSpec]) -> list[ForeignSpec]:
    covered = set[int]()
    for first, last in (spec.levels for spec in specs):
        levels = set(range(first, last + 1))
        if levels <= covered:
            message = f"the rule for the levels from {first} to {last} never counts"
            raise Malformed(message, "idle-rule", "the first rule for a level does; put the narrower one before")
        covered |= levels
    return specs


class DriftSpec(Model):
    """When repairing stops, and what becomes of others' profiles."""

    storm: Annotated[StormSpec, WrapValidator(_read_storm), shapes.Or(shapes.SHARE_PARTS)] = StormSpec()
    rounds: Annotated[int, Field(ge=1, le=100)] = DriftPolicy().rounds
    foreign: Annotated[list[ForeignSpec], AfterValidator(_check_rules)] = Field(
        default_factory=list, max_length=MOST_RULES
    )


def strategy_of(spec: RolloutSpec, timezone: str) -> Strategy:
    """Make a value of what a Fleet in a time zone says of its rollouts."""
    given = tuple(each.wave() for each in spec.waves) or Strategy().waves
    return Strategy(
        waves=given,
        soak=spec.soak if spec.soak is not None else SOAK if len(given) > 1 else timedelta(0),
        gate=Gate(spec.gate.failures, spec.gate.sample, spec.gate.power),
        on_abort=spec.on_abort,
        deferral=spec.deferral,
        writes_per_minute=spec.pace.writes,
        site_writes_per_minute=spec.pace.per_site,
        in_flight=spec.concurrency.stations,
        site_in_flight=spec.concurrency.per_site,
        windows=tuple(_windows(spec.windows, timezone)),
    )


def _windows(specs: Sequence[OpeningSpec], timezone: str) -> Iterator[Window]:
    for spec in specs:
        yield Window(spec.allow is not None, spec.allow or spec.deny or "", spec.for_, spec.timezone or timezone)


def drift_of(spec: DriftSpec) -> DriftPolicy:
    """Make a value of what a Fleet says of drift."""
    rules = tuple(ForeignRule(*each.levels, each.policy) for each in spec.foreign)
    return DriftPolicy(spec.storm.share, spec.storm.least, spec.rounds, rules)


def check_rollout(found: Catalogue, labelled: Iterable[Mapping[str, str]], complaints: Complaints) -> None:
    """Note windows that never open, and waves of labels that no station has; `labelled` are those of all stations."""
    alike = {id(labels): labels for labels in labelled}.values()
    complete = not (found.broken("Station") or found.broken("StationSet"))
    for entry in found.fleets.values():
        spec = entry.spec.rollout
        if not ever_open(tuple(_windows(spec.windows, entry.spec.timezone))):
            message, field = "together, these windows never open", "spec.rollout.windows"
            hint = "deny wins: leave some of what is allowed to no window that denies"
            complaints.add(entry.at("rollout", "windows"), "never-open", message, field=field, hint=hint)
        if complete:
            _check_labels(entry, alike, complaints)


def _check_labels(entry: Entry[FleetSpec], alike: Collection[Mapping[str, str]], complaints: Complaints) -> None:
    waves = [each.wave() for each in entry.spec.rollout.waves]
    for number, labels in ((number, wave.labels) for number, wave in enumerate(waves) if wave.labels):
        if not any(labels.items() <= each.items() for each in alike):
            path = ("rollout", "waves", number, "canary", "labels")
            field, hint = f"spec.rollout.waves[{number}].canary.labels", _nearest(labels, alike, complaints)
            complaints.add(entry.at(*path), "empty-selection", "no station has these labels", field=field, hint=hint)


def _nearest(labels: Mapping[str, str], alike: Collection[Mapping[str, str]], complaints: Complaints) -> str:
    """Suggest what was meant by the first label that no station has."""
    known = dict.fromkeys(pair for each in alike for pair in each.items())
    missing = next((f"{key}={value}" for key, value in labels.items() if (key, value) not in known), "")
    return complaints.suggest(missing, (f"{key}={value}" for key, value in known)) if missing else ""
