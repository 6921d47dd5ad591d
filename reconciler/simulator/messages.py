"""The requests that a station makes, as payloads of 2.0.1 and 2.1 alike; `station` says when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject, write_instant
from reconciler.simulator.bay import Bay, Transaction
from reconciler.simulator.meter import meter_value
from reconciler.simulator.nameplate import Nameplate


@dataclass(frozen=True, slots=True)
class Request:
    """One CALL that a station wants to make; `attempts` counts how often it went out in vain."""

    action: str
    payload: JsonObject
    attempts: int = 0

    def again(self, *, offline: bool) -> Request:
        """Give the same for another try."""
        payload = {**self.payload, "offline": True} if offline else self.payload
        return replace(self, payload=payload, attempts=self.attempts + 1)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a TransactionEvent is made, in OCPP's words, and whether the station is offline."""

    event: str
    trigger: str
    context: str
    offline: bool = False
    stopped: str = ""


def boot_notification(plate: Nameplate, reason: str) -> Request:
    """Tell who it is (B01)."""
    station = {"vendorName": plate.vendor, "model": plate.model, "firmwareVersion": plate.firmware}
    return Request("BootNotification", {"reason": reason, "chargingStation": station})


def status_notification(bay: Bay, at: datetime) -> Request:
    """Tell whether a vehicle is plugged in, or that the EVSE is broken (G01)."""
    usual = "Available" if bay.battery is None else "Occupied"
    return Request(
        "StatusNotification",
        {
            "timestamp": write_instant(at),
            "connectorStatus": "Faulted" if bay.broken else usual,
            "evseId": bay.plate.id,
            "connectorId": 1,
        },
    )


def transaction_event(bay: Bay, transaction: Transaction, occasion: Occasion, at: datetime) -> Request:
    """Tell how a transaction goes, with the meter (E02, E06, J02)."""
    payload: dict[str, object] = {
        "eventType": occasion.event,
        "timestamp": write_instant(at),
        "triggerReason": occasion.trigger,
        "seqNo": transaction.next_sequence(),
        "transactionInfo": _transaction_info(transaction, occasion),
        "evse": {"id": bay.plate.id, "connectorId": 1},
        "meterValue": [meter_value(bay, at, occasion.context)],
    }
    if occasion.offline:
        payload["offline"] = True
    if occasion.event == "Started":
        payload["idToken"] = {"idToken": "", "type": "NoAuthorization"}
    return Request("TransactionEvent", payload)


def _transaction_info(transaction: Transaction, occasion: Occasion) -> JsonObject:
    info: dict[str, object] = {"transactionId": transaction.id, "chargingState": transaction.state}
    if transaction.mode is not None:
        info["operationMode"] = transaction.mode.value
    if occasion.stopped:
        info["stoppedReason"] = occasion.stopped
    return info


def meter_values(bay: Bay, at: datetime) -> Request:
    """Give the meter outside a transaction, because it was asked for."""
    return Request("MeterValues", {"evseId": bay.plate.id, "meterValue": [meter_value(bay, at, "Trigger")]})


def charging_needs(bay: Bay, protocol: Protocol) -> Request:
    """Tell what the vehicle wants (K15, K18); without it a TxProfile comes too early."""
    transfer = "DC" if bay.plate.phases == 0 else "AC_three_phase"
    if protocol is Protocol.V21:
        transfer = "DC_BPT" if bay.plate.phases == 0 else "AC_BPT"
    return Request(
        "NotifyEVChargingNeeds", {"evseId": bay.plate.id, "chargingNeeds": {"requestedEnergyTransfer": transfer}}
    )


def charging_limit(evse_id: int, source: str, *, active: bool) -> Request:
    """Tell that another source limits an EVSE (K11, K12), or does no longer (K13)."""
    if not active:
        return Request("ClearedChargingLimit", {"evseId": evse_id, "chargingLimitSource": source})
    return Request("NotifyChargingLimit", {"evseId": evse_id, "chargingLimit": {"chargingLimitSource": source}})
