"""The kinds that people write, one pydantic model each: shapes, units and ranges of a single document.

Used by `load` only. What needs a second document (references, clashes, consent) is judged elsewhere.
A new kind is a new model here, an entry in KINDS, and its resolution.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from reconciler.manifests.quantity import Current, Malformed, Quantity, parse_power, parse_volts
from reconciler.manifests.times import MINUTES_PER_DAY, parse_clock, parse_date, parse_days, parse_duration

API_VERSION = "v2g.fleet/v1alpha1"
INT32 = 2_147_483_647
LEAST_IDS = 100
HIGHEST_PRIORITY = 10_000
MAX_WINDOWS = 1000

_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._]{0,126}[A-Za-z0-9])?")
# Facts 1.1: identifierString without the colon, at which HTTP Basic splits.
_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,48}")


def _text(value: object, example: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise Malformed(f"`{value}` is a bare number", "missing-unit", f"such as {example}")
    raise Malformed("this must be text", "wrong-type", f"such as {example}")


def _read_power(value: object) -> Quantity:
    return parse_power(_text(value, f"{value} kW or {value} A" if isinstance(value, int | Decimal) else "7 kW or 16 A"))


def _read_magnitude(value: object) -> Quantity:
    power = _read_power(value)
    if power.value < 0:
        raise Malformed("this is a magnitude and has no sign", "out-of-range", f"write {str(power).removeprefix('-')}")
    return power


def _read_cap(value: object) -> Quantity:
    power = _read_magnitude(value)
    if power.unit != "W":
        raise Malformed("a grid connection's cap is a power", "wrong-unit", "write W, kW or MW")
    return power


def _read_duration(value: object) -> timedelta:
    return parse_duration(_text(value, "90s, 15m, 26h or 7d"))


def _read_volts(value: object) -> Decimal:
    return parse_volts(_text(value, "230 V"))


def _read_clock(value: object) -> int:
    return parse_clock(_text(value, '"07:30" in quotes'))


def _read_days(value: object) -> frozenset[int]:
    if isinstance(value, list):
        return parse_days([_text(item, "[mon, tue]") for item in value])
    return parse_days(_text(value, "daily or [mon, tue]"))


def _read_date(value: object) -> date:
    return parse_date(_text(value, "2027-03-01"))


def _read_identities(value: object) -> tuple[str, ...]:
    listed = tuple(value) if isinstance(value, list) else (value,)
    texts = tuple(item for item in listed if isinstance(item, str))
    if not texts or len(texts) < len(listed):
        hint = "such as Q3-{001..012}, [Q3-001, Q3-007] or stations.csv; numbers need quotes"
        raise Malformed("this must be text or a list of text", "wrong-type", hint)
    return texts


def check_identity(text: str) -> str:
    """Refuse what OCPP does not take as a station's identity (facts 1.1); raises Malformed."""
    if _IDENTITY.fullmatch(text) is None:
        hint = "1 to 48 of the characters A-Z a-z 0-9 * - _ = + | @ ."
        raise Malformed(f"`{text[:80]}` is not a station identity", "wrong-identity", hint)
    return text


def _check_name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        hint = "letters, digits, `-`, `.` and `_`, at most 128, a letter or digit at both ends"
        raise Malformed(f"`{text[:80]}` is not a name", "wrong-name", hint)
    return text


def _check_timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        hint = "an IANA name such as Europe/Amsterdam"
        raise Malformed(f"`{text[:80]}` is not a time zone", "unknown-timezone", hint) from None
    return text


def _read_protocol(value: object) -> object:
    # 2.1 without quotes is a number to YAML, and can't mean anything else here.
    return str(value) if isinstance(value, Decimal) else value


Power = Annotated[Quantity, PlainValidator(_read_power)]
Magnitude = Annotated[Quantity, PlainValidator(_read_magnitude)]
Cap = Annotated[Quantity, PlainValidator(_read_cap)]
Duration = Annotated[timedelta, PlainValidator(_read_duration)]
Volts = Annotated[Decimal, PlainValidator(_read_volts)]
Clock = Annotated[int, PlainValidator(_read_clock)]
Days = Annotated[frozenset[int], PlainValidator(_read_days)]
Day = Annotated[date, PlainValidator(_read_date)]
Name = Annotated[str, AfterValidator(_check_name)]
Identity = Annotated[str, AfterValidator(check_identity)]
Identities = Annotated[tuple[str, ...], PlainValidator(_read_identities)]
Count = Annotated[int, Field(ge=1, le=INT32)]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class Model(BaseModel):
    """Refuse unknown keys and silent conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=_camel, hide_input_in_errors=True
    )


class Metadata(Model):
    """Name a document, as in Kubernetes."""

    name: Name
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


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


class FleetSpec(Model):
    """What holds for the fleet as a whole."""

    timezone: Annotated[str, AfterValidator(_check_timezone)]
    profile_ids: ProfileIds
    fail_safe: FailSafeSpec = FailSafeSpec()
    discharge: Literal["allowed", "forbidden"] = "forbidden"
    write_interval: Duration = timedelta(seconds=60)
    nominal_voltage: Volts = Decimal(230)


class SiteSpec(Model):
    """A grid connection's caps."""

    import_: Annotated[Cap, Field(alias="import")]
    export: Cap = Quantity(Decimal(0), "W")


class Select(Model):
    """Which stations a group has: by labels that all must be equal, or by identity."""

    labels: dict[str, str] = {}
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


class GroupSpec(Model):
    """A group of stations, of a site or inside another group."""

    site: str | None = None
    parent: str | None = None
    select: Select | None = None
    schedules: list[AssignmentSpec] = []

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


class CapabilitySpec(Model):
    """What the author knows of a station; absent means: ask the station."""

    negative_limit: bool | None = None
    protocol: Annotated[Literal["2.0.1", "2.1"] | None, BeforeValidator(_read_protocol)] = None
    stack_levels: Count | None = None
    periods: Count | None = None
    units: tuple[Literal["W", "A"], ...] | None = Field(default=None, strict=False, min_length=1)
    max_offline: bool | None = None
    entries: Count | None = None


class Hardware(Model):
    """What a station and a set of stations have in common."""

    model: str = ""
    site: str | None = None
    evses: Annotated[list[EvseSpec], Field(min_length=1)]
    capability: CapabilitySpec = CapabilitySpec()


class StationSpec(Hardware):
    """One station; its identity is its name where none is given."""

    identity: Identity | None = None


class StationSetSpec(Hardware):
    """Stations alike: a range such as `Q3-{001..012}`, a CSV file of the repository, or a list."""

    identities: Identities


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

    windows: Annotated[list[WindowSpec], Field(max_length=MAX_WINDOWS)] = []
    otherwise: Power | None = None
    validity: ValiditySpec = ValiditySpec()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.windows and self.otherwise is None:
            raise Malformed("this schedule says nothing", "empty-schedule", "give `windows` or `otherwise`")
        return self


KINDS: dict[str, type[Model]] = {
    "Fleet": FleetSpec,
    "Site": SiteSpec,
    "Group": GroupSpec,
    "Station": StationSpec,
    "StationSet": StationSetSpec,
    "Schedule": ScheduleSpec,
}
