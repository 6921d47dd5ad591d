"""Whether what is scheduled can be said to the stations that it is for.

Used by `load`. It judges by declarations alone; `plan` judges again with what a station has told of itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from reconciler.manifests.quantity import Current
from reconciler.manifests.schedules import MODES, powers, word_of
from reconciler.profiles.capability import V2X_MODES
from reconciler.profiles.profile import Mode
from reconciler.profiles.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.errors import Place
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.fleet import Declared, Schedule, Station

STEERED = frozenset({Mode.LOCAL_FREQUENCY, Mode.LOCAL_LOAD_BALANCING, Mode.EXTERNAL_LIMITS})
"""Modes that no other can stand in for."""

Verdict: TypeAlias = tuple["Place", str, str]

_REASONS = {
    "ampere-on-dc": ("is given in amperes, which say nothing on the DC EVSEs of {}", "write W or kW"),
    "discharge-not-expressible": (
        "discharges {}, which speak 2.0.1 and do not declare that a negative limit discharges them",
        "`capability: {negativeLimit: true}` declares it; elsewhere it can mean charging without limit",
    ),
    "mode-not-expressible": (
        "can't be told to {}: it takes OCPP 2.1, and a mode that they declare",
        "`capability: {modes: [...]}` declares it; `onUnsupported: charge-only` or `zero` lets less flow instead",
    ),
    "limits-unbounded": (
        "leaves it to others how much {} feed, and nothing bounds that here",
        "it is for EVSEs without `discharge`",
    ),
}


@dataclass(slots=True)
class _Affected:
    subject: str
    identities: list[str] = field(default_factory=list)


def check_expressible(stations: Iterable[Station], complaints: Complaints) -> None:
    """Note powers that can't be said to a station, once per power, naming stations."""
    alike: dict[tuple[int, ...], list[Station]] = {}
    for station in stations:
        parts = (station.assignments, station.evses, station.declared, station.settings)
        alike.setdefault(tuple(map(id, parts)), []).append(station)
    found: dict[Verdict, _Affected] = {}
    for group in alike.values():
        for verdict, subject in _verdicts(group[0]):
            found.setdefault(verdict, _Affected(subject)).identities.extend(station.identity for station in group)
    for (place, path, rule), affected in found.items():
        message, hint = _REASONS[rule]
        text = message.format(_some(affected.identities))
        complaints.add(place, rule, f"{affected.subject} {text}", field=path, hint=hint)


def _verdicts(station: Station) -> Iterator[tuple[Verdict, str]]:
    on_dc = any(evse.current is Current.DC for evse in station.evses)
    strict = station.settings.on_unsupported == "refuse"
    mute = strict and _can_not_discharge(station)
    schedules = [schedule for assignment in station.assignments for schedule in assignment.schedule.lineage()]
    for power, place, path in (each for schedule in schedules for each in powers(schedule)):
        if on_dc and power.unit == "A":
            yield (place, path, "ampere-on-dc"), str(power)
        if mute and power.value < 0:
            yield (place, path, "discharge-not-expressible"), str(power)
    for schedule in schedules:
        yield from _mode_verdicts(schedule, station, strict=strict)


def _mode_verdicts(schedule: Schedule, station: Station, *, strict: bool) -> Iterator[tuple[Verdict, str]]:
    feeds = any(evse.discharge_w for evse in station.evses)
    for number, window in enumerate(schedule.windows):
        path, subject = f"spec.windows[{number}].mode", f"`mode: {word_of(window.mode)}`"
        if strict and window.mode in STEERED and not _knows(station.declared, window.mode):
            yield (window.place, path, "mode-not-expressible"), subject
        if window.mode is Mode.EXTERNAL_LIMITS and feeds:
            yield (window.place, path, "limits-unbounded"), subject


def _knows(declared: Declared, mode: Mode) -> bool:
    modes = V2X_MODES if declared.modes is None else {MODES[word] for word in declared.modes}
    return declared.protocol != "2.0.1" and mode in modes


def _can_not_discharge(station: Station) -> bool:
    """Facts 12: on 2.0.1 a negative limit can mean unlimited charging, so it must be declared."""
    declared = station.declared
    able = any(evse.discharge_w for evse in station.evses)
    return able and declared.protocol == "2.0.1" and declared.negative_limit is not True


def _some(identities: list[str]) -> str:
    first, *others = sorted(identities)
    match len(others):
        case 0:
            return first
        case 1:
            return f"{first} and {others[0]}"
        case number:
            return f"{first} and {count(number, 'other')}"
