"""What a station can take: declared in manifests, read from its device model, learnt from its answers.

`ocpp` folds variables into it, `render` fits profiles to it. An unknown number is the smallest that stations of the
field are known to hold, so that nothing rests on hope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from reconciler.profiles.profile import Mode, Unit


class Protocol(StrEnum):
    """The negotiated WebSocket subprotocol."""

    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"

    @property
    def version(self) -> str:
        """Give the version as people write it: `2.0.1` or `2.1`."""
        return self.value.removeprefix("ocpp")


V2X_MODES = frozenset({Mode.CHARGING_ONLY, Mode.CENTRAL_SETPOINT, Mode.CENTRAL_FREQUENCY})
"""What every V2X station has to support (Q01.FR.31)."""


@dataclass(frozen=True, slots=True)
class Capability:
    """What one station can take.

    `max_stack_level` is inclusive; `max_periods` counts the periods of one schedule; `max_profiles` is None where
    the station does not say; `negative_limit` is true only where it was declared or proved that a negative limit
    discharges; profile ids must lie above `max_external_id`; `update_rate_limit` is the least time between two
    writes of one purpose.
    """

    protocol: Protocol
    units: tuple[Unit, ...] = (Unit.WATT, Unit.AMPERE)
    max_stack_level: int = 1
    max_periods: int = 16
    max_profiles: int | None = None
    negative_limit: bool = False
    modes: frozenset[Mode] = V2X_MODES
    max_offline: bool = False
    max_external_id: int = 0
    update_rate_limit: timedelta = timedelta(0)
    smart_charging: bool = True


@dataclass(frozen=True, slots=True)
class Rating:
    """What the hardware may carry: magnitudes in W over all phases; `phases` is 0 on DC."""

    charge_w: Decimal
    discharge_w: Decimal
    phases: int
    voltage: Decimal = Decimal(230)

    @property
    def watts_per_ampere(self) -> Decimal:
        """Give the power of one ampere per phase at nominal voltage (K01.FR.50); 0 on DC, where it is unknown."""
        return self.voltage * self.phases
