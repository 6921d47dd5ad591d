"""GetCompositeSchedule: what a station says it will do (K08), with the conventions of the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.profiles.capability import Protocol
from reconciler.profiles.composite import Flow, Situation, Span, compose, flow_at
from reconciler.profiles.form import JsonObject, write_instant, write_number
from reconciler.profiles.profile import Profile, Unit
from reconciler.simulator.nameplate import EvsePlate, Nameplate
from reconciler.simulator.steering import STATION_WIDE

DEFAULT_W = Decimal(33_120)
"""The composite can't say "without limit"; this number stands for it on many stations (48 A)."""
LONGEST_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the future is asked for, and in which unit."""

    start: datetime
    seconds: int
    unit: Unit

    @property
    def end(self) -> datetime:
        """Give its end."""
        return self.start + timedelta(seconds=self.seconds)


def evse_schedule(
    profiles: Sequence[Profile], evse: EvsePlate, window: Window, known: Situation, protocol: Protocol
) -> JsonObject:
    """Give the composite schedule of one EVSE; without a transaction as if one ran on defaults (K08.FR.06)."""
    factor = Decimal(1) if window.unit is Unit.WATT else Decimal(evse.watts_per_ampere)
    spans = compose(profiles, evse.id, window.start, window.end, known)
    return _schedule(evse.id, window, [_period(span, window, factor, protocol) for span in spans])


def station_schedule(
    profiles: Sequence[Profile], plate: Nameplate, window: Window, known: Sequence[Situation]
) -> JsonObject:
    """Give what the whole station is expected to draw: EVSEs added, cut by the station's own ceilings (K08.FR.03)."""
    factor = Decimal(1) if window.unit is Unit.WATT else Decimal(plate.evses[0].watts_per_ampere)
    shared = [profile for profile in profiles if profile.evse_id == 0 and profile.purpose in STATION_WIDE]
    instants = {window.start}
    for evse, situation in zip(plate.evses, known, strict=True):
        instants |= {span.start for span in compose(profiles, evse.id, window.start, window.end, situation)}
    periods = []
    for instant in sorted(instants):
        flows = (flow_at(profiles, evse.id, instant, here) for evse, here in zip(plate.evses, known, strict=True))
        total_w = sum((_drawn_w(flow) for flow in flows), Decimal(0))
        ceiling_w = flow_at(shared, 0, instant, known[0]).most_import_w
        limit_w = total_w if ceiling_w is None else min(total_w, ceiling_w)
        periods.append({"startPeriod": _second(instant, window), "limit": write_number(limit_w / factor)})
    return _schedule(0, window, periods)


def _schedule(evse_id: int, window: Window, periods: Sequence[JsonObject]) -> JsonObject:
    return {
        "evseId": evse_id,
        "duration": window.seconds,
        "scheduleStart": write_instant(window.start),
        "chargingRateUnit": window.unit.value,
        "chargingSchedulePeriod": list(periods),
    }


def _period(span: Span, window: Window, factor: Decimal, protocol: Protocol) -> JsonObject:
    flow = span.flow
    limit_w = DEFAULT_W if flow.limit_w is None else flow.limit_w
    period: dict[str, object] = {"startPeriod": _second(span.start, window), "limit": write_number(limit_w / factor)}
    if flow.setpoint_w is not None and protocol is Protocol.V21:
        period |= {"setpoint": write_number(flow.setpoint_w / factor), "operationMode": "CentralSetpoint"}
    return period


def _drawn_w(flow: Flow) -> Decimal:
    most = flow.most_import_w
    return DEFAULT_W if most is None else most - flow.most_export_w


def _second(instant: datetime, window: Window) -> int:
    return int((instant - window.start).total_seconds())
