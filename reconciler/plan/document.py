"""The shape of a plan as JSON: what `json_form` writes, what `saved` reads, and what is published as a schema.

A program that reads plans can trust every field here; new fields may come within a format version, none goes away.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from reconciler.profiles.profile import Mode
from reconciler.profiles.rules import MOST_POINTS

FORMAT_VERSION = 1
MOST_STATIONS = 200_000
DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILE_NAME = "plan.v1.json"

Identity = Annotated[str, Field(min_length=1, max_length=48)]
Number = Annotated[int | float, Field(gt=-1e15, lt=1e15)]
Count = Annotated[int, Field(ge=0)]
Minute = Annotated[int, Field(ge=0, le=100_000)]
Weekday = Annotated[int, Field(ge=0, le=6, description="0 is Monday")]
ProtocolVersion = Literal["2.0.1", "2.1"]
ProfileObject = Annotated[
    Mapping[str, object],
    Field(description="A ChargingProfile with the field names of OCPP 2.1, whatever it is sent as"),
]


class Part(BaseModel):
    """Name fields as JSON does; unknown ones are let pass."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class VersionPart(Part):
    """A revision; a folder as it lies has no commit."""

    commit: str | None
    author: str
    subject: str


class SummaryPart(Part):
    """Numbers of changes and of stations; `stations` counts the whole fleet."""

    install: Count
    replace: Count
    clear: Count
    stations: Annotated[int, Field(ge=0, le=MOST_STATIONS)]
    changed: Count
    later: Count
    drifted: Count
    offline: Count
    refused: Count
    foreign: Count


class ChurnPart(Part):
    """What the plan costs; turns are those between charge and discharge on the busiest day, over all its EVSEs."""

    writes: Count
    turns_before: Count | None
    turns_after: Count
    duration_seconds: Annotated[int, Field(ge=0, le=10**9, description="An estimate, once all stations are online")]


class BatchPart(Part):
    """Stations that follow the revision together; without a commit nobody knows yet who, so no group is told."""

    stations: Count
    groups: Mapping[str, Count]


class CoursePart(Part):
    """How the revision goes out: at once what makes stations safer, then wave by wave, each with its soak after it."""

    urgent: BatchPart
    waves: tuple[BatchPart, ...]
    soak_seconds: Annotated[int, Field(ge=0, le=10**9)]
    writes_per_minute: Count | None
    windows: Annotated[bool, Field(description="Nothing begins outside of the fleet's windows")]


class PlacePart(Part):
    """A place in the head's files; 0 is unknown."""

    file: str
    line: Count
    column: Count


class FindingPart(Part):
    """What a guardrail says; an error refuses the plan."""

    guardrail: str
    severity: Literal["warning", "error"]
    message: str
    field: str
    place: PlacePart
    stations: tuple[str, ...]
    hint: str


class WaiverPart(Part):
    """What the fleet has eased, and its reason."""

    guardrail: str
    eased: tuple[str, ...]
    reason: str
    place: PlacePart


class CurvePart(Part):
    """A point of a curve: what is added at a frequency of the grid."""

    frequency_hz: Number
    power_w: Number


class ModePart(Part):
    """A mode in which others steer than the schedule, as OCPP spells it; what flows lies from lowest to highest."""

    mode: Mode
    lowest_w: Number
    highest_w: Number
    curve: Annotated[tuple[CurvePart, ...], Field(max_length=MOST_POINTS)] = ()


class StretchPart(Part):
    """From `startMinute` to `endMinute` of the local day on which it starts, `beforeW` becomes `afterW`.

    The end is null where nothing ends it within the week; a power is null where there is no profile. A mode is there
    where one steers.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    start_minute: Minute
    end_minute: Minute | None
    before_w: Number | None
    after_w: Number | None
    before_mode: ModePart | None = None
    after_mode: ModePart | None = None


class WeekPart(Part):
    """The first week in which an EVSE's schedules change, in local days."""

    evse_id: Count
    since: date
    stretches: tuple[StretchPart, ...]


class OutlookPart(Part):
    """What schedules change over a week for stations of one kind; with `isNew` there was nothing to compare with."""

    is_new: bool
    turns_before: Count
    turns_after: Count
    weeks: tuple[WeekPart, ...]


class StationPart(Part):
    """A station of which something is told; `outlook` counts into `outlooks`, `connected` is null in a plan of git."""

    station: Identity
    protocol: ProtocolVersion
    group: str
    site: str
    connected: bool | None
    assumed: Annotated[bool, Field(description="The protocol was neither declared nor seen")]
    outlook: Count | None


class ChangePart(Part):
    """One write. `before` is null for an install, `after` and `payload` for a clear."""

    station: Identity
    protocol: ProtocolVersion
    evse_id: Count
    profile_id: int
    purpose: str
    stack_level: int
    type: Literal["install", "replace", "clear"]
    cause: Literal["change", "drift", "renewal"]
    reason: str
    deferred: Annotated[bool, Field(description="The station is offline; it gets the change when it is back")]
    before: ProfileObject | None
    after: ProfileObject | None
    payload: Annotated[Mapping[str, object] | None, Field(description="The SetChargingProfile request that goes out")]


class LaterPart(WeekPart):
    """A change of schedules that lies beyond the present lease."""

    station: Identity


class RefusedPart(Part):
    """What can't be brought to its station: all flow (without a profile), or one profile."""

    station: Identity
    profile_id: int | None
    evse_id: int | None
    reason: str
    profile: ProfileObject | None


class ForeignPart(Part):
    """A profile that is not the fleet's own; it stays."""

    station: Identity
    evse_id: int
    source: str
    profile: ProfileObject


class PlanDocument(Part):
    """What one revision of a fleet changes in its stations, and why.

    `digest` ties an apply to this plan. `base` is null where there was none; `live` tells that the head was compared
    with what stations reported, which was true at `stateAt`. After `expires` nobody should apply it any more.
    """

    format_version: Annotated[Literal[1], Field(alias="format_version")]
    fleet: str
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    base: VersionPart | None
    head: VersionPart
    at: AwareDatetime
    created: AwareDatetime | None
    expires: AwareDatetime | None
    state_at: AwareDatetime | None
    timezone: str
    live: bool
    summary: SummaryPart
    churn: ChurnPart
    course: CoursePart | None = None
    findings: tuple[FindingPart, ...]
    waivers: tuple[WaiverPart, ...]
    outlooks: tuple[OutlookPart, ...]
    stations: Annotated[tuple[StationPart, ...], Field(max_length=MOST_STATIONS)]
    changes: tuple[ChangePart, ...]
    later: tuple[LaterPart, ...]
    refused: tuple[RefusedPart, ...]
    foreign: tuple[ForeignPart, ...]
    offline: tuple[str, ...]
    departed: tuple[str, ...]
    assumed_protocol: tuple[str, ...]


def schema() -> dict[str, object]:
    """Give the JSON Schema of a plan (draft 2020-12)."""
    written = PlanDocument.model_json_schema(by_alias=True)
    return {"$schema": DRAFT, **{name: written[name] for name in sorted(written, key=_first)}}


def _first(name: str) -> tuple[bool, str]:
    return (name not in ("title", "description"), name)
