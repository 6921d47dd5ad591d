"""Reads a station's capability out of its device model: which variables to ask, and what the answers say.

`stations` asks in chunks and hands the results over. A variable that is missing says nothing, for stations leave out
what they have: what was declared stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.form import JsonObject, read_instant
from reconciler.profiles.profile import Mode, Unit

T = TypeVar("T")
FIRST_CHUNK = 4
"""What every station is known to take in one GetVariables."""
MAX_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a component, by the names of the standard; names are compared without case."""

    component: str
    name: str
    instance: str = ""
    evse_id: int = 0


_ITEMS = Variable("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables")
_CLOCK = Variable("ClockCtrlr", "DateTime")
_AVAILABLE = Variable("SmartChargingCtrlr", "Available")
_ENABLED = Variable("SmartChargingCtrlr", "Enabled")
_STACK = Variable("SmartChargingCtrlr", "ProfileStackLevel")
_UNITS = Variable("SmartChargingCtrlr", "RateUnit")
_PERIODS = Variable("SmartChargingCtrlr", "PeriodsPerSchedule")
_EXTERNAL = Variable("SmartChargingCtrlr", "MaxExternalConstraintsId")
_RATE_LIMIT = Variable("SmartChargingCtrlr", "UpdateRateLimit")
_OFFLINE = Variable("SmartChargingCtrlr", "SupportsFeature", "MaxOfflineDuration")
_OFFLINE_TOO = Variable("SmartChargingCtrlr", "SupportsMaxOfflineDuration")
"""The standard's text and its list of variables spell it differently."""
_COMMON = (_ITEMS, _UNITS, _STACK, _PERIODS, _AVAILABLE, _ENABLED, _CLOCK)
_OF_21 = (_EXTERNAL, _RATE_LIMIT, _OFFLINE, _OFFLINE_TOO)
_V2X = "V2XChargingCtrlr"
_UNIT_WORDS = {"w": Unit.WATT, "power": Unit.WATT, "a": Unit.AMPERE, "amps": Unit.AMPERE, "current": Unit.AMPERE}


def questions(protocol: Protocol, evse_ids: Iterable[int] = (1,)) -> tuple[Variable, ...]:
    """Give the variables to ask, the one that says how many fit a message among the first."""
    if protocol is Protocol.V201:
        return _COMMON
    modes = (Variable(_V2X, name, "", evse) for evse in evse_ids for name in ("Enabled", "SupportedOperationModes"))
    return (*_COMMON, *_OF_21, *modes)


def requests(asked: Sequence[Variable], size: int) -> tuple[JsonObject, ...]:
    """Give the GetVariables payloads of at most `size` variables each."""
    step = min(max(size, 1), MAX_CHUNK)
    return tuple(
        {"getVariableData": [_ask(variable) for variable in asked[first : first + step]]}
        for first in range(0, len(asked), step)
    )


def values(answers: Iterable[JsonObject]) -> Mapping[Variable, str]:
    """Give the values that the answers to GetVariables hold, under names in lower case."""
    return {
        key: str(result["attributeValue"])
        for answer in answers
        for result in _results(answer)
        if (key := _key(result)) is not None and result.get("attributeValue") is not None
    }


def chunk(found: Mapping[Variable, str]) -> int:
    """Give how many variables fit into one GetVariables."""
    return _read(found, _ITEMS, _whole(1)) or FIRST_CHUNK


def read(found: Mapping[Variable, str], base: Capability) -> Capability:
    """Fold what the device model says into what was known; what is missing or unreadable changes nothing."""
    limit = _read(found, _RATE_LIMIT, _whole(0))
    return replace(
        base,
        units=_read(found, _UNITS, _units) or base.units,
        max_stack_level=_or(_read(found, _STACK, _whole(0)), base.max_stack_level),
        max_periods=_or(_read(found, _PERIODS, _whole(1)), base.max_periods),
        max_external_id=_or(_read(found, _EXTERNAL, int), base.max_external_id),
        update_rate_limit=base.update_rate_limit if limit is None else timedelta(seconds=limit),
        max_offline=_max_offline(found, base),
        modes=_modes(found, base),
        smart_charging=_smart_charging(found, base),
    )


def skew(found: Mapping[Variable, str], now: datetime) -> timedelta | None:
    """Give the station's clock minus ours, None where it does not tell; exact to a second and the way of the answer."""
    told = _read(found, _CLOCK, read_instant)
    return None if told is None else told - now.replace(microsecond=0)


def _smart_charging(found: Mapping[Variable, str], base: Capability) -> bool:
    said = [_read(found, variable, _truth) for variable in (_AVAILABLE, _ENABLED)]
    return base.smart_charging and False not in said


def _max_offline(found: Mapping[Variable, str], base: Capability) -> bool:
    said = {_read(found, variable, _truth) for variable in (_OFFLINE, _OFFLINE_TOO)} - {None}
    return True in said if said else base.max_offline


def _modes(found: Mapping[Variable, str], base: Capability) -> frozenset[Mode]:
    """Give the modes that every EVSE asked about has; one that is not enabled only charges."""
    told = [_mode_set(value) for key, value in found.items() if _is_v2x(key, "supportedoperationmodes")]
    off = any(value.lower() == "false" for key, value in found.items() if _is_v2x(key, "enabled"))
    known = frozenset.intersection(*told) if told else base.modes
    return frozenset({Mode.CHARGING_ONLY}) if off else known | {Mode.CHARGING_ONLY}


def _is_v2x(key: Variable, name: str) -> bool:
    return (key.component, key.name) == (_V2X.lower(), name)


def _mode_set(value: str) -> frozenset[Mode]:
    words = {word.strip().lower() for word in value.split(",")}
    return frozenset(mode for mode in Mode if mode.lower() in words)


def _units(value: str) -> tuple[Unit, ...]:
    said = {_UNIT_WORDS.get(word.strip().lower()) for word in value.split(",")}
    return tuple(unit for unit in Unit if unit in said)


def _whole(least: int) -> Callable[[str], int]:
    def read_whole(value: str) -> int:
        number = int(value)
        if number < least:
            raise ValueError(value)
        return number

    return read_whole


def _truth(value: str) -> bool:
    return {"true": True, "false": False}[value.strip().lower()]


def _read(found: Mapping[Variable, str], variable: Variable, parse: Callable[[str], T]) -> T | None:
    value = found.get(_lowered(variable))
    try:
        return None if value is None else parse(value)
    except (ValueError, TypeError, KeyError):
        return None


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _lowered(variable: Variable) -> Variable:
    return Variable(variable.component.lower(), variable.name.lower(), variable.instance.lower(), variable.evse_id)


def _ask(variable: Variable) -> JsonObject:
    component: dict[str, object] = {"name": variable.component}
    if variable.evse_id:
        component["evse"] = {"id": variable.evse_id}
    named = {"name": variable.name, **({"instance": variable.instance} if variable.instance else {})}
    return {"component": component, "variable": named}


def _results(answer: JsonObject) -> Iterable[JsonObject]:
    results = answer.get("getVariableResult")
    return (one for one in results if isinstance(one, Mapping)) if isinstance(results, list) else ()


def _key(result: JsonObject) -> Variable | None:
    component, variable = result.get("component"), result.get("variable")
    if result.get("attributeStatus") != "Accepted":
        return None
    if not isinstance(component, Mapping) or not isinstance(variable, Mapping):
        return None
    evse = component.get("evse")
    evse_id = evse.get("id") if isinstance(evse, Mapping) else 0
    return Variable(
        str(component.get("name", "")).lower(),
        str(variable.get("name", "")).lower(),
        str(variable.get("instance") or "").lower(),
        evse_id if isinstance(evse_id, int) else 0,
    )
