"""One EVSE of a simulated station with the vehicle at it: its flow, its registers, its wear and its transaction.

`station` tells it what to follow and lets time pass; it refuses to know profiles and OCPP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.profiles.profile import Mode
from reconciler.simulator.ev import Battery, Vehicle, arrived
from reconciler.simulator.nameplate import EvsePlate
from reconciler.simulator.physics import Motion


@dataclass(frozen=True, slots=True)
class Wear:
    """What an EVSE went through: times its relay closed, and times its flow turned round."""

    relay_cycles: int = 0
    direction_changes: int = 0


@dataclass(slots=True)
class Transaction:
    """A transaction: it starts when a vehicle is plugged in and ends when it leaves or the station restarts."""

    id: str
    start: datetime
    sequence: int = 0
    state: str = "EVConnected"
    mode: Mode | None = None
    awaits_needs: bool = False

    def next_sequence(self) -> int:
        """Count one message of this transaction and give its number."""
        self.sequence += 1
        return self.sequence - 1


class Bay:
    """The running state of one EVSE; `at` is the instant up to which it was computed."""

    __slots__ = (
        "_direction",
        "at",
        "battery",
        "broken",
        "exported_wh",
        "imported_wh",
        "motion",
        "plate",
        "settling",
        "transaction",
        "vehicle",
        "wear",
    )

    def __init__(self, plate: EvsePlate, vehicle: Vehicle | None, now: datetime) -> None:
        self.plate, self.vehicle, self.at = plate, vehicle, now
        self.battery: Battery | None = None
        self.transaction: Transaction | None = None
        self.motion = Motion(now)
        self.imported_wh = self.exported_wh = 0.0
        self.wear = Wear()
        self._direction = 0
        self.settling = self.broken = False

    @property
    def power_w(self) -> float:
        """Give the flow at `at`, + into the vehicle."""
        return self.motion.power_w(self.at)

    @property
    def most_charge_w(self) -> float:
        """Give the most that EVSE and vehicle can charge with now."""
        if self.broken or self.battery is None or self.battery.room_wh <= 0:
            return 0.0
        return min(self.plate.charge_w, self.battery.vehicle.charge_w)

    @property
    def most_discharge_w(self) -> float:
        """Give the most that EVSE and vehicle can discharge with now, as a magnitude."""
        if self.broken or self.battery is None or self.battery.reserve_wh <= 0:
            return 0.0
        return min(self.plate.discharge_w, self.battery.vehicle.discharge_w)

    def plug(self, vehicle: Vehicle) -> None:
        """Take a vehicle in."""
        self.vehicle, self.battery = vehicle, arrived(vehicle)

    def unplug(self) -> None:
        """Let the vehicle go; what flowed stops at once."""
        self.battery = None
        self.rest()

    def rest(self) -> None:
        """Stop at once."""
        self.motion, self.settling = Motion(self.at), False

    def follow(self, target_w: float, ramp_w_per_s: float) -> bool:
        """Steer for a flow; say whether that changed anything."""
        if target_w == self.motion.to_w:
            return False
        self._wear(target_w)
        self.motion, self.settling = Motion(self.at, self.power_w, target_w, ramp_w_per_s), True
        return True

    def next_settled(self) -> datetime | None:
        """Give the instant at which the flow reaches what was asked, None once that was noted."""
        return self.motion.settled if self.settling else None

    def advance(self, to: datetime) -> None:
        """Compute up to an instant that does not lie beyond `next_bound`."""
        if to < self.at:
            return
        if self.battery is not None:
            self._count(to)
        self.at = to
        if self.battery is not None and self._exhausted(self.battery):
            self.rest()

    def next_bound(self) -> datetime | None:
        """Give the instant at which the vehicle's battery will be full or empty, None where that is not in sight."""
        if self.battery is None:
            return None
        bound = self._motion_now().bound(self.battery.room_wh, self.battery.reserve_wh)
        return None if bound is None else max(bound, self.at)

    def _exhausted(self, battery: Battery) -> bool:
        power_w = self.power_w
        return (power_w > 0 and battery.room_wh <= 0) or (power_w < 0 and battery.reserve_wh <= 0)

    def _motion_now(self) -> Motion:
        return Motion(self.at, self.power_w, self.motion.to_w, self.motion.ramp_w_per_s)

    def _count(self, to: datetime) -> None:
        assert self.battery is not None  # noqa: S101 - the one caller has just looked
        imported_wh, exported_wh = self._motion_now().energy_wh(to)
        self.imported_wh += imported_wh
        self.exported_wh += exported_wh
        self.battery = self.battery.moved(imported_wh - exported_wh)

    def _wear(self, target_w: float) -> None:
        closes = target_w != 0 and self.motion.to_w == 0 and self.power_w == 0
        direction = (target_w > 0) - (target_w < 0)
        turns = bool(direction and self._direction and direction != self._direction)
        self._direction = direction or self._direction
        self.wear = Wear(self.wear.relay_cycles + closes, self.wear.direction_changes + turns)
