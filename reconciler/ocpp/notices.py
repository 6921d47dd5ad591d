"""What the messages of a station tell: that it booted, what it draws, what is broken, that another source limits it.

Called by `stations` with every CALL that was answered. Payloads may break the schema where `answers` is lenient, so
what can't be read is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.profiles.form import JsonObject, read_instant, read_number
from reconciler.reported.events import Booted, ExternallyLimited, Faulted, Metered, StationEvent

CREDIBLE = timedelta(hours=1)
"""A sample's time that is further from ours than this tells of a wrong clock (quirk 42)."""
_IMPORT, _EXPORT = "Power.Active.Import", "Power.Active.Export"
_SCALES = {"w": Decimal(1), "kw": Decimal(1000)}
_WHOLE = ""
_LINES = frozenset({"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"})


def notices(
    station: str, action: str, payload: JsonObject, now: datetime, evses: Mapping[str, int]
) -> tuple[StationEvent, ...]:
    """Give the events that a CALL means.

    `evses` says on which EVSE a transaction runs: later events of one may leave it out.
    """
    match action:
        case "BootNotification":
            return (_booted(station, payload),)
        case "NotifyChargingLimit" | "ClearedChargingLimit":
            return _limited(station, action, payload)
        case "StatusNotification" | "NotifyEvent":
            return _faults(station, action, payload)
        case "MeterValues":
            return _metered(station, payload, payload.get("evseId"), now)
        case "TransactionEvent" if payload.get("offline") is not True:
            transaction, evse_id = place(payload)
            return _metered(station, payload, evse_id or evses.get(transaction), now)
        case _:
            return ()


def place(event: JsonObject) -> tuple[str, int]:
    """Give transaction id and EVSE of a TransactionEvent; an empty id or 0 where it names none."""
    transaction, evse = _within(event, "transactionInfo").get("transactionId"), _within(event, "evse").get("id")
    return (
        transaction if isinstance(transaction, str) else "",
        evse if isinstance(evse, int) and evse > 0 else 0,
    )


def _booted(station: str, payload: JsonObject) -> Booted:
    machine = _within(payload, "chargingStation")
    vendor, model, firmware = (str(machine.get(name) or "") for name in ("vendorName", "model", "firmwareVersion"))
    return Booted(station, vendor, model, firmware, str(payload.get("reason") or ""))


def _limited(station: str, action: str, payload: JsonObject) -> tuple[StationEvent, ...]:
    limit = _within(payload, "chargingLimit")
    if limit.get("isLocalGeneration") is True:  # more power, not less (K27.FR.03)
        return ()
    source = str(limit.get("chargingLimitSource") or payload.get("chargingLimitSource") or "")
    evse_id = payload.get("evseId")
    active = action == "NotifyChargingLimit"
    return (ExternallyLimited(station, evse_id if isinstance(evse_id, int) else 0, source, active),)


def _faults(station: str, action: str, payload: JsonObject) -> tuple[StationEvent, ...]:
    if action == "StatusNotification":
        return _status(station, payload)
    return tuple(found for data in _objects(payload.get("eventData")) for found in _event(station, data))


def _status(station: str, payload: JsonObject) -> tuple[Faulted, ...]:
    """Tell whether a connector is faulted (G01); connector 0 and a missing EVSE are the station."""
    status = payload.get("connectorStatus")
    if not isinstance(status, str):
        return ()
    evse_id = _number(payload.get("evseId"))
    return (Faulted(station, evse_id, status == "Faulted", _part(evse_id, _number(payload.get("connectorId")))),)


def _event(station: str, data: JsonObject) -> tuple[Faulted, ...]:
    """Tell what one part says of its availability, as 2.1 stations do in place of a status, or of a problem (G01, N07).

    A problem that is gone is said by a value of false, or by `cleared`.
    """
    component, value = _within(data, "component"), str(data.get("actualValue")).lower()
    evse = _within(component, "evse")
    evse_id, connector_id = _number(evse.get("id")), _number(evse.get("connectorId"))
    name = str(component.get("name") or "")
    match str(_within(data, "variable").get("name")).lower():
        case "availabilitystate":
            return (Faulted(station, evse_id, value == "faulted", _part(evse_id, connector_id)),)
        case "problem":
            active = value == "true" and data.get("cleared") is not True
            words = " ".join(filter(None, (name, str(component.get("instance") or ""))))
            return (Faulted(station, evse_id, active, f"{words} of {_part(evse_id, connector_id)}"),)
        case _:
            return ()


def _part(evse_id: int, connector_id: int) -> str:
    """Name a part of a station; a status and an event about the same one give the same name."""
    if not evse_id:
        return "station"
    return f"EVSE {evse_id} connector {connector_id}" if connector_id else f"EVSE {evse_id}"


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _metered(station: str, payload: JsonObject, evse_id: object, now: datetime) -> tuple[StationEvent, ...]:
    """Give the newest sample of net power; EVSE 0 is the station's main meter."""
    if isinstance(evse_id, bool) or not isinstance(evse_id, int):
        return ()
    samples = [(_instant(value, now), _net(value)) for value in _objects(payload.get("meterValue"))]
    known = [(at, power) for at, power in samples if power is not None]
    if not known:
        return ()
    at, power = max(known, key=lambda sample: sample[0])
    return (Metered(station, evse_id, power, at),)


def _instant(value: JsonObject, now: datetime) -> datetime:
    try:
        at = read_instant(value.get("timestamp"))
    except TypeError:
        return now
    return at if abs(at - now) <= CREDIBLE else now


def _net(value: JsonObject) -> Decimal | None:
    """Give import minus export in W: a station with one of them alone signs it."""
    imported, exported = _power(value, _IMPORT), _power(value, _EXPORT)
    if imported is None and exported is None:
        return None
    return (imported or Decimal(0)) - (exported or Decimal(0))


def _power(value: JsonObject, measurand: str) -> Decimal | None:
    """Give a power at the outlet, or at another place but upstream; as a whole, or summed over the lines."""
    places: dict[str, dict[str, Decimal]] = {}
    for sample in _objects(value.get("sampledValue")):
        watts = _watts(sample) if sample.get("measurand") == measurand else None
        if watts is not None:
            location, phase = str(sample.get("location") or "Outlet"), str(sample.get("phase") or _WHOLE)
            places.setdefault(location, {})[phase] = watts
    places.pop("Upstream", None)
    found = places.get("Outlet") or next(iter(places.values()), {})
    lines = [watts for phase, watts in found.items() if phase in _LINES]
    return found.get(_WHOLE, sum(lines, Decimal(0)) if lines else None)


def _watts(sample: JsonObject) -> Decimal | None:
    unit = _within(sample, "unitOfMeasure")
    scale = _SCALES.get(str(unit.get("unit") or "W").lower())
    multiplier = unit.get("multiplier") or 0
    if scale is None or not isinstance(multiplier, int) or abs(multiplier) > 12:
        return None
    try:
        return read_number(sample.get("value")) * scale * Decimal(10) ** multiplier
    except TypeError:
        return None


def _within(payload: JsonObject, name: str) -> JsonObject:
    inner = payload.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _objects(items: object) -> Iterable[JsonObject]:
    return (item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else ()
