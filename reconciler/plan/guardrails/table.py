"""Every guardrail: its id, what it means, what to do about it. The documentation is held against this table.

Severities are the defaults; a fleet raises them freely and lowers them with a reason, except those that are fixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.manifests.guardrails import GuardrailsSpec, Severity, severity_of


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One row; `limits` are the keys that a manifest may give with their defaults, `fixed` that nothing eases it."""

    id: str
    title: str
    meaning: str
    cure: str
    severity: Severity
    limits: str = ""
    fixed: bool = False


_ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "site-import",
        "Import cap of a site",
        "At no instant of the coming eight days do the EVSEs of a site draw more than its cap, "
        "whichever of its stations are offline and have fallen to zero.",
        "lower a schedule of its groups, or raise the cap if the grid connection allows it",
        "",
    ),
    (
        "site-export",
        "Export cap of a site",
        "The same for what they feed back.",
        "lower a schedule of its groups, or raise the cap if the grid connection allows it",
        "",
    ),
    (
        "evse-rating",
        "Rating of an EVSE",
        "A schedule asks for more than the EVSE carries; what is sent is clipped to its rating.",
        "write what the hardware carries, or correct `charge` and `discharge` of the EVSE",
        "",
    ),
    (
        "direction-changes",
        "Turns a day",
        "An EVSE turns between charge and discharge so often on one local day; each turn may cost a contactor cycle.",
        "let fewer windows change sign",
        "perDay: 6",
    ),
    (
        "starts",
        "Starts a day",
        "The flow of an EVSE starts from zero so often on one local day; each start closes a contactor.",
        "join windows, or leave a small flow between them",
        "perDay: 10",
    ),
    (
        "dwell",
        "Time with one sign",
        "Once an EVSE charges or discharges, it does so for this long at least.",
        "make the window longer, or drop it",
        "least: 15m",
    ),
    (
        "pause",
        "Short zero",
        "A zero between two flows in the same direction that is too short opens a contactor for nothing.",
        "let the windows meet, or make the gap longer",
        "least: 5m",
    ),
    (
        "reversal",
        "Turn without a rest",
        "Between charge and discharge the flow rests at zero for this long; not every converter turns on the spot.",
        "put a window of 0 kW between the two",
        "settle: 1m",
    ),
    (
        "ramp",
        "Step of power",
        "The power of an EVSE changes by no more than this from one period to the next; held once `step` is given.",
        "climb in smaller steps",
        "step: none",
    ),
    (
        "dead-band",
        "Flow next to zero",
        "A DC EVSE's flow is zero or at least this share of its rating; below it, converters mostly waste it.",
        "write 0 kW or a larger power",
        "share: 5 %",
    ),
    (
        "least-current",
        "Between 0 and 6 A",
        "IEC 61851-1 knows no current between 0 and 6 A; what goes out in amperes below it is sent as zero.",
        "write 0 A or at least 6 A",
        "",
    ),
    (
        "least-power",
        "Watts below 6 A",
        "On an AC EVSE the power is less than 6 A on all of its phases; vehicles that use them all pause instead.",
        "write 0 kW or at least 6 A on the phases of the EVSE",
        "",
    ),
    (
        "profile-writes",
        "Wear of flash memory",
        "Renewing its lease writes a profile so often; schedules of more periods than the station holds count as well.",
        "make the lease longer, or the schedule simpler",
        "perDay: 24, perYear: 3000",
    ),
    (
        "clock-skew",
        "Clock of a station",
        "The lease is renewed before a clock that is wrong by this much ends it, and has begun for one that is behind.",
        "make `renewBefore` longer than the clocks of the stations may be wrong",
        "tolerance: 5m",
    ),
    (
        "lease-length",
        "Length of the lease",
        "When nobody speaks any more, flow goes on for this long at most.",
        "make `lease` shorter",
        "longest: 48h",
    ),
    (
        "protocol-left",
        "Protocol that can't say it",
        "A station that declares no protocol could speak one over which its schedules can't be told; "
        "should it connect with that one, it gets no flow.",
        "declare `capability: {protocol: ...}`, or what the station can take",
        "",
    ),
    (
        "degraded",
        "Less than was asked",
        "A station can't be told a mode or a discharge of its schedules, and gets less flow instead, as its "
        "`onUnsupported` says.",
        "give the station another schedule, or correct `capability`",
        "",
    ),
    (
        "blast-radius",
        "Share of stations touched",
        "One revision changes or clears no more than this share of the stations that the one before it has, "
        "in fleets of more than `above`. Stations that hold nothing yet do not count.",
        "release it in parts, allow more in the Fleet with a `reason`, or say `--force REASON`",
        "share: 30 %, above: 10",
    ),
    (
        "profile-ids",
        "Profiles left behind",
        "No profile that the revision before has written falls out of the range of this one, or has its place taken by "
        "one with another id: it would keep that place, and the station would get no flow.",
        "keep `profileIds`; or clear those profiles by hand, and write so in "
        "`guardrails: {profile-ids: {severity: warning, reason: ...}}`",
        "",
    ),
    (
        "empty-render",
        "Nothing left",
        "A revision that takes all flow from all stations, or all stations from the fleet, "
        "is more often a mistake than meant.",
        "if it is meant, say `--force REASON`",
        "",
    ),
    (
        "discharge-not-allowed",
        "Consent to discharge",
        "Nothing discharges unless the Fleet says `discharge: allowed`, be it asked by a schedule or by a template; "
        "and no EVSE beyond the `discharge` of its rating.",
        "`discharge: allowed` in the Fleet is the consent",
        "",
    ),
    (
        "unsupported",
        "Capability of a station",
        "Periods, stack level, entries, unit and operation modes of what is sent are among those that the station "
        "takes, over one of its protocols at least.",
        "simplify the schedule, or correct `capability`",
        "",
    ),
)


def _row(name: str, title: str, meaning: str, cure: str, limits: str) -> Guardrail:
    severity = severity_of(GuardrailsSpec(), name)
    return Guardrail(name, title, meaning, cure, severity or Severity.ERROR, limits, fixed=severity is None)


TABLE: Mapping[str, Guardrail] = {row[0]: _row(*row) for row in _ROWS}
