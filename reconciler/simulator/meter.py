"""The meter of an EVSE: what flows and what has flowed, as OCPP's meterValue."""

from __future__ import annotations

from datetime import datetime

from reconciler.profiles.form import JsonObject, write_instant
from reconciler.simulator.bay import Bay


def meter_value(bay: Bay, at: datetime, context: str) -> JsonObject:
    """Give one MeterValueType: active power and energy registers by direction, and the state of charge if known."""
    power_w = bay.power_w
    samples = [
        _sample("Power.Active.Import", max(power_w, 0.0), "W", context),
        _sample("Power.Active.Export", max(-power_w, 0.0), "W", context),
        _sample("Energy.Active.Import.Register", bay.imported_wh, "Wh", context),
        _sample("Energy.Active.Export.Register", bay.exported_wh, "Wh", context),
    ]
    if bay.battery is not None:
        samples.append({**_sample("SoC", bay.battery.soc * 100, "Percent", context), "location": "EV"})
    return {"timestamp": write_instant(at), "sampledValue": samples}


def _sample(measurand: str, value: float, unit: str, context: str) -> dict[str, object]:
    return {"value": round(value, 1), "measurand": measurand, "context": context, "unitOfMeasure": {"unit": unit}}
