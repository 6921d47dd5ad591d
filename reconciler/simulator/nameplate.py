"""What a simulated station is: the values that its maker fixed. Shared by all stations of one kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from reconciler.profiles.capability import V2X_MODES, Protocol
from reconciler.profiles.profile import Mode, Purpose, Unit

NOMINAL_VOLTS = 230
LEAST_AMPERES = 6
"""IEC 61851-1 has no current between 0 and 6 A per phase: a limit in that gap pauses an AC EVSE."""
DC_WATTS_PER_AMPERE = 690
"""What one ampere is taken for where there are no phases to count: as if there were three at nominal voltage."""


class NegativeLimit(StrEnum):
    """What a 2.0.1 station makes of a negative `limit`: each of these was seen in the field."""

    DISCHARGE = "discharge"
    UNLIMITED = "unlimited"
    CLAMP = "clamp"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class EvsePlate:
    """What one EVSE may carry: magnitudes in W over all phases; `phases` is 0 on DC."""

    id: int = 1
    charge_w: float = 22_000
    discharge_w: float = 22_000
    phases: int = 0

    @property
    def watts_per_ampere(self) -> int:
        """Give the power of one ampere per phase (K01.FR.50)."""
        return self.phases * NOMINAL_VOLTS or DC_WATTS_PER_AMPERE

    @property
    def least_charge_w(self) -> float:
        """Give the least power it can charge with; 0 on DC."""
        return LEAST_AMPERES * NOMINAL_VOLTS * self.phases


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What one kind of station is and can take.

    `missing` names variables that it does not have (`SmartChargingCtrlr.Available`); `ramp_w_per_s` is how fast its
    converters move; `metering` is the time between two periodic meter values, zero for none; `iso15118` makes a
    TxProfile wait for NotifyEVChargingNeeds (K15.FR.17).
    """

    protocol: Protocol = Protocol.V21
    evses: tuple[EvsePlate, ...] = (EvsePlate(),)
    vendor: str = "Simulated"
    model: str = "V2G"
    firmware: str = "1.0"
    units: tuple[Unit, ...] = (Unit.WATT, Unit.AMPERE)
    modes: frozenset[Mode] = V2X_MODES
    additional_purposes: frozenset[Purpose] = frozenset({Purpose.PRIORITY})
    max_stack_level: int = 9
    max_periods: int = 24
    max_profiles: int = 10
    max_external_id: int = 0
    negative_limit: NegativeLimit = NegativeLimit.DISCHARGE
    max_offline: bool = True
    dynamic: bool = True
    phase_switching: bool = False
    smart_charging: bool = True
    iso15118: bool = False
    keeps_memory: bool = True
    update_rate_limit: timedelta = timedelta(0)
    ramp_w_per_s: float = 5_000
    metering: timedelta = timedelta(seconds=60)
    items_per_message: int = 20
    missing: frozenset[str] = frozenset()

    def evse(self, evse_id: int) -> EvsePlate | None:
        """Find an EVSE by its id."""
        return next((evse for evse in self.evses if evse.id == evse_id), None)
