"""Makes simulated stations by the number, or after the stations of a fleet's manifests; called by the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.errors import UsageError
from reconciler.manifests.fleet import Declared, Station
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import Unit
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import NONE, Faults
from reconciler.simulator.nameplate import EvsePlate, Nameplate, NegativeLimit
from reconciler.simulator.station import SimulatedStation

MOST_STATIONS = 100_000
EVERY_VERSION = (Protocol.V21, Protocol.V201)
_RANGE = re.compile(r"(?P<head>[^{}]*)\{(?P<first>\d{1,9})\.\.(?P<last>\d{1,9})?\}(?P<tail>[^{}]*)")


@dataclass(frozen=True, slots=True)
class Outfit:
    """What stations that are made together have in common.

    `plate` fixes what is not told otherwise; `vehicle` stands at each EVSE (None = all empty), its state of charge
    varied from station to station within `spread`; `tempo` is how much faster than life the clock runs.
    """

    plate: Nameplate = field(default_factory=Nameplate)
    vehicle: Vehicle | None = field(default_factory=Vehicle)
    faults: Faults = NONE
    tempo: float = 1.0
    spread: float = 0.2


STANDARD = Outfit()


def make_stations(
    count: int,
    now: datetime,
    protocols: Sequence[Protocol] = EVERY_VERSION,
    pattern: str = "SIM-{0001..}",
    outfit: Outfit = STANDARD,
) -> tuple[SimulatedStation, ...]:
    """Make stations of one kind; the protocols take turns.

    Raises:
        UsageError: the pattern is no identity or range, or holds fewer than `count`.
    """
    plates = tuple(replace(outfit.plate, protocol=protocol) for protocol in protocols)
    return tuple(
        _station(identity, plates[index % len(plates)], index, now, outfit)
        for index, identity in enumerate(identities(pattern, count))
    )


def stations_like(
    stations: Iterable[Station],
    now: datetime,
    protocols: Sequence[Protocol] = EVERY_VERSION,
    outfit: Outfit = STANDARD,
) -> tuple[SimulatedStation, ...]:
    """Make a simulated station for each of a fleet's; where no protocol is declared, they take turns.

    One that does not declare that a negative limit discharges charges without limit on it, as the worst of the field.
    """
    plates: dict[Nameplate, Nameplate] = {}
    made = []
    for index, like in enumerate(stations):
        plate = _plate(like, protocols[index % len(protocols)], outfit.plate)
        made.append(_station(like.identity, plates.setdefault(plate, plate), index, now, outfit))
    return tuple(made)


def identities(pattern: str, count: int) -> Iterator[str]:
    """Give `count` identities of `SIM-{0001..}` or `SIM-{0001..0500}`, in order.

    Raises:
        UsageError: the pattern has no range, or holds fewer than `count`.
    """
    found = _RANGE.fullmatch(pattern)
    if found is None:
        raise UsageError(f"identities are a range such as SIM-{{0001..}} or SIM-{{0001..0500}}, not {pattern!r}")
    first = int(found["first"])
    most = min(int(found["last"]) - first + 1, MOST_STATIONS) if found["last"] else MOST_STATIONS
    if not 0 < count <= most:
        raise UsageError(f"{pattern} gives 1 to {most} identities, not {count}")
    width = len(found["first"])
    return (f"{found['head']}{number:0{width}}{found['tail']}" for number in range(first, first + count))


def _station(identity: str, plate: Nameplate, index: int, now: datetime, outfit: Outfit) -> SimulatedStation:
    vehicles = {evse.id: vehicle for evse in plate.evses if (vehicle := _vehicle(outfit, evse, index)) is not None}
    born = now + outfit.faults.clock  # by its own clock
    return SimulatedStation(identity, plate, vehicles, born, outfit.faults, outfit.tempo)


def _vehicle(outfit: Outfit, evse: EvsePlate, index: int) -> Vehicle | None:
    """Give each station's vehicle a charge of its own: golden-ratio steps fill the spread evenly without chance."""
    if outfit.vehicle is None:
        return None
    share = (index * 7 + evse.id) * 0.618034 % 1.0 - 0.5
    soc = min(max(outfit.vehicle.soc + outfit.spread * share, 0.0), 1.0)
    return replace(outfit.vehicle, soc=soc)


def _plate(like: Station, protocol: Protocol, common: Nameplate) -> Nameplate:
    declared: Mapping[str, object] = _declared(like.declared)
    spoken = {each.version: each for each in Protocol}.get(like.declared.protocol or "", protocol)
    negative = NegativeLimit.DISCHARGE if like.declared.negative_limit else NegativeLimit.UNLIMITED
    evses = tuple(EvsePlate(evse.id, float(evse.charge_w), float(evse.discharge_w), evse.phases) for evse in like.evses)
    return replace(common, protocol=spoken, evses=evses, negative_limit=negative, **declared)  # type: ignore[arg-type] # names and types are the plate's


def _declared(declared: Declared) -> Mapping[str, object]:
    stated = {
        "max_stack_level": declared.stack_levels,
        "max_periods": declared.periods,
        "max_profiles": declared.entries,
        "units": tuple(Unit(unit) for unit in declared.units) if declared.units else None,
        "max_offline": declared.max_offline,
    }
    return {name: value for name, value in stated.items() if value is not None}
