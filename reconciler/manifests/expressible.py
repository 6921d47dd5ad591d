"""Whether what is scheduled can be said to the stations that it is for.

Used by `load`. It judges by declarations alone; `plan` judges again with what a station has told of itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from reconciler.manifests.quantity import Current
from reconciler.manifests.schedules import powers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.errors import Place
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.fleet import Station
    from reconciler.manifests.quantity import Quantity

Verdict: TypeAlias = tuple["Place", str, str]

_REASONS = {
    "ampere-on-dc": ("is given in amperes, which say nothing on the DC EVSEs of {}", "write W or kW"),
    "discharge-not-expressible": (
        "discharges {}, which speak 2.0.1 and do not declare that a negative limit discharges them",
        "`capability: {negativeLimit: true}` declares it; elsewhere it can mean charging without limit",
    ),
}


@dataclass(slots=True)
class _Affected:
    power: Quantity
    identities: list[str] = field(default_factory=list)


def check_expressible(stations: Iterable[Station], complaints: Complaints) -> None:
    """Note powers that can't be said to a station, once per power, naming stations."""
    alike: dict[tuple[int, int, int], list[Station]] = {}
    for station in stations:
        alike.setdefault((id(station.assignments), id(station.evses), id(station.declared)), []).append(station)
    found: dict[Verdict, _Affected] = {}
    for group in alike.values():
        for verdict, power in _verdicts(group[0]):
            found.setdefault(verdict, _Affected(power)).identities.extend(station.identity for station in group)
    for (place, path, rule), affected in found.items():
        message, hint = _REASONS[rule]
        text = message.format(_some(affected.identities))
        complaints.add(place, rule, f"{affected.power} {text}", field=path, hint=hint)


def _verdicts(station: Station) -> Iterator[tuple[Verdict, Quantity]]:
    on_dc = any(evse.current is Current.DC for evse in station.evses)
    mute = _can_not_discharge(station)
    for assignment in station.assignments:
        for power, place, path in (each for schedule in assignment.schedule.lineage() for each in powers(schedule)):
            if on_dc and power.unit == "A":
                yield (place, path, "ampere-on-dc"), power
            if mute and power.value < 0:
                yield (place, path, "discharge-not-expressible"), power


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
            return f"{first} and {number} others"
