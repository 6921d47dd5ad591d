"""The vehicle at an EVSE: a battery with bounds. What it is asked to do is the station's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle that stays from `arrives` to `departs` (None = always there); `soc` is its state of charge on arrival.

    It does not discharge at or below `min_soc` and does not charge at or above `max_soc`; all three from 0 to 1.
    Powers are magnitudes in W, the battery loses nothing.
    """

    battery_wh: float = 60_000
    soc: float = 0.5
    charge_w: float = 22_000
    discharge_w: float = 22_000
    min_soc: float = 0.2
    max_soc: float = 1.0
    arrives: datetime | None = None
    departs: datetime | None = None

    def present(self, at: datetime) -> bool:
        """Tell whether it is plugged in."""
        return (self.arrives is None or self.arrives <= at) and (self.departs is None or at < self.departs)

    def visits(self) -> tuple[datetime, ...]:
        """Give the instants at which it is plugged in or out."""
        return tuple(at for at in (self.arrives, self.departs) if at is not None)


@dataclass(frozen=True, slots=True)
class Battery:
    """What is in a vehicle's battery now."""

    vehicle: Vehicle
    stored_wh: float

    @property
    def soc(self) -> float:
        """Give the state of charge from 0 to 1."""
        return self.stored_wh / self.vehicle.battery_wh

    @property
    def room_wh(self) -> float:
        """Give what may still be charged."""
        return max(self.vehicle.max_soc * self.vehicle.battery_wh - self.stored_wh, 0.0)

    @property
    def reserve_wh(self) -> float:
        """Give what may still be discharged."""
        return max(self.stored_wh - self.vehicle.min_soc * self.vehicle.battery_wh, 0.0)

    def moved(self, net_wh: float) -> Battery:
        """Give the battery after an energy went in (+) or out (-); a rest too small to matter counts as none."""
        stored = self.stored_wh + net_wh
        for bound_wh in (
            self.vehicle.max_soc * self.vehicle.battery_wh,
            self.vehicle.min_soc * self.vehicle.battery_wh,
        ):
            if abs(stored - bound_wh) < LEAST_WH:
                stored = bound_wh
        return Battery(self.vehicle, stored)


LEAST_WH = 0.001


def arrived(vehicle: Vehicle) -> Battery:
    """Give the battery that a vehicle brings."""
    return Battery(vehicle, vehicle.soc * vehicle.battery_wh)
