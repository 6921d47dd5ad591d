"""The device model of a station, as far as a reconciler asks for it.

`desk` answers GetVariables and SetVariables by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject, write_instant
from reconciler.profiles.profile import Mode
from reconciler.simulator.nameplate import EvsePlate, Nameplate

HEARTBEAT = ("OCPPCommCtrlr", "HeartbeatInterval")
METERING = ("SampledDataCtrlr", "TxUpdatedInterval")


@dataclass(frozen=True, slots=True)
class Name:
    """The place of a variable: names in the standard's spelling, compared without case."""

    component: str
    variable: str
    instance: str = ""
    evse_id: int = 0

    def folded(self) -> Name:
        """Give the form that is compared."""
        return Name(self.component.casefold(), self.variable.casefold(), self.instance.casefold(), self.evse_id)


@dataclass(frozen=True, slots=True)
class Readings:
    """What changes while a station runs and can be asked for."""

    now: datetime
    held: int
    heartbeat_s: int
    metering_s: int


Model = Mapping[Name, str]


def device_model(plate: Nameplate, readings: Readings) -> Model:
    """Give every variable that a station has; those that its plate calls missing are left out."""
    missing = {name.casefold() for name in plate.missing}
    return {
        name.folded(): value
        for name, value in _variables(plate, readings)
        if f"{name.component}.{name.variable}".casefold() not in missing
    }


def get_variables(payload: JsonObject, model: Model) -> JsonObject:
    """Answer GetVariables (B06)."""
    return {"getVariableResult": [_get(item, model) for item in _items(payload, "getVariableData")]}


def set_variables(payload: JsonObject, model: Model) -> tuple[JsonObject, Mapping[Name, int]]:
    """Answer SetVariables (B05), and give the intervals in seconds that were set."""
    results, changes = [], {}
    for item in _items(payload, "setVariableData"):
        name, status = name_of(item), _writable(item, model)
        if status == "Accepted":
            changes[name] = int(str(item["attributeValue"]))
        results.append(_result(item, status))
    return {"setVariableResult": results}, changes


def name_of(item: JsonObject) -> Name:
    """Read which variable is meant."""
    component, variable = _object(item, "component"), _object(item, "variable")
    evse_id = _object(component, "evse").get("id")
    return Name(
        str(component.get("name", "")),
        str(variable.get("name", "")),
        str(variable.get("instance") or ""),
        evse_id if isinstance(evse_id, int) else 0,
    ).folded()


def _get(item: JsonObject, model: Model) -> JsonObject:
    name = name_of(item)
    value = model.get(name)
    if item.get("attributeType", "Actual") != "Actual":
        return _result(item, "NotSupportedAttributeType" if value is not None else _unknown(name, model))
    if value is None:
        return _result(item, _unknown(name, model))
    return {**_result(item, "Accepted"), "attributeValue": value}


def _writable(item: JsonObject, model: Model) -> str:
    name = name_of(item)
    if name not in model:
        return _unknown(name, model)
    value = str(item.get("attributeValue", ""))
    fits = name in (Name(*HEARTBEAT).folded(), Name(*METERING).folded()) and value.isascii() and value.isdigit()
    return "Accepted" if fits and len(value) < 7 else "Rejected"


def _unknown(name: Name, model: Model) -> str:
    return "UnknownVariable" if any(name.component == known.component for known in model) else "UnknownComponent"


def _result(item: JsonObject, status: str) -> dict[str, object]:
    named = {key: item[key] for key in ("component", "variable", "attributeType") if key in item}
    return {**named, "attributeStatus": status}


def _variables(plate: Nameplate, readings: Readings) -> Iterator[tuple[Name, str]]:
    smart = "SmartChargingCtrlr"
    yield Name("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"), str(plate.items_per_message)
    yield Name("ClockCtrlr", "DateTime"), write_instant(readings.now) or ""
    yield Name(*HEARTBEAT), str(readings.heartbeat_s)
    yield Name(*METERING), str(readings.metering_s)
    yield Name(smart, "Available"), _word(plate.smart_charging)
    yield Name(smart, "Enabled"), _word(plate.smart_charging)
    yield Name(smart, "ProfileStackLevel"), str(plate.max_stack_level)
    yield Name(smart, "RateUnit"), ",".join(plate.units)
    yield Name(smart, "PeriodsPerSchedule"), str(plate.max_periods)
    yield Name(smart, "Entries", "ChargingProfiles"), str(readings.held)
    yield Name(smart, "ACPhaseSwitchingSupported"), _word(plate.phase_switching)
    for evse in plate.evses:
        yield Name("EVSE", "Power", "", evse.id), "0"
        yield Name("EVSE", "SupplyPhases", "", evse.id), str(evse.phases)
    if plate.protocol is Protocol.V21:
        yield from _of_21(plate, smart)


def _of_21(plate: Nameplate, smart: str) -> Iterator[tuple[Name, str]]:
    yield Name(smart, "MaxExternalConstraintsId"), str(plate.max_external_id)
    yield Name(smart, "UpdateRateLimit"), str(int(plate.update_rate_limit.total_seconds()))
    yield Name(smart, "SupportedAdditionalPurposes"), ",".join(sorted(plate.additional_purposes))
    yield Name(smart, "SupportsFeature", "DynamicProfiles"), _word(plate.dynamic)
    yield Name(smart, "SupportsFeature", "MaxOfflineDuration"), _word(plate.max_offline)
    yield Name(smart, "SupportsMaxOfflineDuration"), _word(plate.max_offline)
    for evse in plate.evses:
        yield Name("V2XChargingCtrlr", "Enabled", "", evse.id), _word(_bidirectional(evse))
        yield Name("V2XChargingCtrlr", "SupportedOperationModes", "", evse.id), ",".join(_ordered(plate.modes))


def _bidirectional(evse: EvsePlate) -> bool:
    return evse.discharge_w > 0


def _ordered(modes: frozenset[Mode]) -> tuple[str, ...]:
    return tuple(mode.value for mode in Mode if mode in modes)


def _word(truth: bool) -> str:  # noqa: FBT001 - a truth is what it writes
    return "true" if truth else "false"


def _items(payload: JsonObject, name: str) -> Iterator[JsonObject]:
    items = payload.get(name)
    return (item for item in items if isinstance(item, Mapping)) if isinstance(items, list | tuple) else iter(())


def _object(value: JsonObject, name: str) -> JsonObject:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}
