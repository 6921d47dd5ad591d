"""What captured profiles tell of a station's hardware: its ratings, and whether it is on AC or on DC. Pure.

Used by `imported`. Profiles say what is commanded, not what a station is able to. Those of a fleet like ours say more:
a floor, the cap of the whole station beside it, and on how many phases both are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.cli.captured import CapturedStation
from reconciler.manifests.quantity import Quantity
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import plain
from reconciler.profiles.profile import Profile, Purpose
from reconciler.render.capture import is_floor

VOLTS, ONE = Decimal(230), Decimal(1)
PHASES = 3
"""Of an AC station that does not say."""


def floor_of(station: CapturedStation) -> Profile | None:
    """Give the floor of a station that a fleet like ours has written to; its cap has the id that follows."""
    caps = {each.id for each in station.profiles if each.purpose is Purpose.STATION_MAX}
    floors = (each for each in station.profiles if each.evse_id == 0 and is_floor(each))
    return next((each for each in floors if each.id + 1 in caps), None)


def phases_of(station: CapturedStation) -> int:
    """Give on how many phases a station is by what its profiles in watts say; 0 where they do not."""
    schedules = (schedule for profile in station.profiles for schedule in profile.schedules)
    return max((period.number_phases or 0 for each in schedules for period in each.periods), default=0)


def is_cap(station: CapturedStation, profile: Profile) -> bool:
    """Tell whether a profile is what a fleet like ours caps the whole station with."""
    floor = floor_of(station)
    return floor is not None and profile.purpose is Purpose.STATION_MAX and profile.id == floor.id + 1


@dataclass(frozen=True, slots=True)
class Plate:
    """What is put down as one EVSE's ratings; `is_guess` tells that nothing says whether it is on AC or on DC."""

    charge: Quantity
    discharge: Quantity
    current: str
    phases: int
    is_guess: bool = False

    def as_manifest(self) -> dict[str, object]:
        """Give the fields of an EVSE; what is not able to discharge says nothing of it."""
        written: dict[str, object] = {"charge": str(self.charge)}
        written |= {"discharge": str(self.discharge)} if self.discharge.value else {}
        return written | ({"phases": self.phases} if self.current == "AC" else {}) | {"current": self.current}


def read_plate(station: CapturedStation, powers: Sequence[Quantity], phases: int, evses: int) -> Plate:
    """Take the largest powers that were captured for ratings, or an equal part of the cap where that is more."""

    def watts(power: Quantity) -> Decimal:
        return power.value * (VOLTS * phases if power.unit == "A" else ONE)

    most, least = max(powers, key=watts), min(powers, key=watts)
    charge = most if most.value > 0 else Quantity(abs(least.value), least.unit)
    part = _part(station, evses)
    if part is not None and part.value >= watts(charge):
        charge = part
    discharge = Quantity(plain(-least.value), least.unit) if least.value < 0 else Quantity(Decimal(0), "W")
    in_amperes = any(power.unit == "A" for power in powers)
    is_known = bool(in_amperes or phases_of(station) or discharge.value or floor_of(station))
    on_dc = not in_amperes and not phases_of(station) and (bool(discharge.value) or floor_of(station) is not None)
    return Plate(charge, discharge, "DC" if on_dc else "AC", phases, is_guess=not is_known)


def _part(station: CapturedStation, evses: int) -> Quantity | None:
    caps = (each.schedule.periods for each in station.profiles if is_cap(station, each))
    limits = [period.limit for periods in caps for period in periods if period.limit is not None]
    return Quantity(plain(min(limits) / evses), "W") if limits else None


def capability_of(station: CapturedStation, powers: Iterable[Quantity]) -> dict[str, object]:
    """Give what is known of a station's protocol, and that it discharges on negative limits where it must."""
    if station.protocol is None:
        return {}
    discharges = any(power.value < 0 for power in powers)
    negative = {"negativeLimit": True} if discharges and station.protocol is Protocol.V201 else {}
    return {"protocol": station.protocol.version, **negative}
