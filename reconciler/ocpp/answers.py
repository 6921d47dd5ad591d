"""What a CSMS answers to each message of a station: the least that keeps a real station content.

Called by `stations` for every CALL. It grants and learns nothing: what a message tells is read by `notices`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from reconciler.errors import ProtocolError
from reconciler.ocpp import judge
from reconciler.ocpp.frames import ErrorCode
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject, write_instant


@dataclass(frozen=True, slots=True)
class Admission:
    """What a station is told when it boots, and which energy transfers its drivers are allowed (2.1, Q01.FR.01).

    `interval` is the heartbeat in seconds, or the least wait before the next boot while it isn't Accepted.
    `energy_transfers` empty means unknown, and the list is left out (Q01.FR.08).
    """

    status: Literal["Accepted", "Pending", "Rejected"] = "Accepted"
    interval: int = 300
    energy_transfers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The payload of a CALLRESULT; `flaw` says what was wrong with a request that is answered all the same."""

    payload: JsonObject
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    protocol: Protocol
    payload: JsonObject
    now: datetime
    admission: Admission


LENIENT = frozenset({"TransactionEvent", "MeterValues", "StatusNotification"})
"""A station sends these again and again until they are answered, whatever is wrong with them."""


def answer(protocol: Protocol, action: str, payload: JsonObject, now: datetime, admission: Admission) -> Answer:
    """Answer a CALL of a station.

    Raises:
        ProtocolError: NotImplemented for an action that the protocol does not have, NotSupported for one that only a
            CSMS sends, SecurityError before the station is accepted (B01, B03.FR.07), or the violation's code.
    """
    make = _ANSWERS.get(action)
    if make is None or not judge.knows(protocol, action):
        known = judge.knows(protocol, action)
        raise ProtocolError(
            ErrorCode.NOT_SUPPORTED if known else ErrorCode.NOT_IMPLEMENTED, f"no answer to {action[:50]!r}"
        )
    if admission.status != "Accepted" and action != "BootNotification":
        raise ProtocolError(ErrorCode.SECURITY, f"the station is {admission.status}, and may only boot")
    flaw = _flaw(protocol, action, payload)
    return Answer(make(_Asked(protocol, payload, now, admission)), flaw)


def _flaw(protocol: Protocol, action: str, payload: JsonObject) -> str:
    try:
        judge.judge(protocol, action, "Request", payload)
    except ProtocolError as error:
        # A report with a field too many still tells what is installed; refusing it would leave that unknown for ever.
        if action in LENIENT or (action == "ReportChargingProfiles" and error.code == ErrorCode.FORMAT):
            return str(error)
        raise
    return ""


def _nothing(_: _Asked) -> JsonObject:
    return {}


def _status(word: str) -> Callable[[_Asked], JsonObject]:
    return lambda _: {"status": word}


def _time(instant: datetime) -> str:
    return cast(str, write_instant(instant))


def _boot(asked: _Asked) -> JsonObject:
    admission = asked.admission
    return {"currentTime": _time(asked.now), "interval": admission.interval, "status": admission.status}


def _heartbeat(asked: _Asked) -> JsonObject:
    return {"currentTime": _time(asked.now)}


def _authorize(asked: _Asked) -> JsonObject:
    """Accept the driver; contract certificates are not checked here, which `certificateStatus` says (C07)."""
    fields: dict[str, object] = {"idTokenInfo": {"status": "Accepted"}}
    if {"iso15118CertificateHashData", "certificate"} & asked.payload.keys():
        fields["certificateStatus"] = "NoCertificateAvailable"
    if asked.protocol is Protocol.V21 and asked.admission.energy_transfers:
        fields["allowedEnergyTransfer"] = list(asked.admission.energy_transfers)
    return fields


def _transaction(asked: _Asked) -> JsonObject:
    """Never refuse: the station would send it again for ever (E13); idTokenInfo answers an idToken (E01.FR.12)."""
    return {"idTokenInfo": {"status": "Accepted"}} if asked.payload.get("idToken") else {}


def _needs(asked: _Asked) -> JsonObject:
    """Say that no TxProfile will come, so that the TxDefaultProfile stands.

    On 2.1 that is NoChargingProfile (K18.FR.04): Rejected would refuse the transfer and end the transaction (K18.FR.22,
    K18.FR.23). 2.0.1 has no such word, and no ISO 15118-20 either; there Rejected says just this (K15.FR.04), where
    Accepted and Processing would promise a schedule (K15.FR.03, K15.FR.05).
    """
    return {"status": "NoChargingProfile" if asked.protocol is Protocol.V21 else "Rejected"}


def _pull(_: _Asked) -> JsonObject:
    """No dynamic profile is installed from here, so the id is unknown (K28.FR.12)."""
    return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile"}}


def _vat(asked: _Asked) -> JsonObject:
    return {"vatNumber": asked.payload["vatNumber"], "status": "Rejected"}


def _chain(asked: _Asked) -> JsonObject:
    """Say for each certificate that its status could not be had."""
    requests = cast("list[Mapping[str, object]]", asked.payload["certificateStatusRequests"])
    return {"certificateStatus": [_chain_status(request, asked.now) for request in requests]}


def _chain_status(request: Mapping[str, object], now: datetime) -> JsonObject:
    return {
        "certificateHashData": request["certificateHashData"],
        "source": request["source"],
        "status": "Failed",
        "nextUpdate": _time(now),
    }


_ANSWERS: Mapping[str, Callable[[_Asked], JsonObject]] = {
    "BootNotification": _boot,
    "Heartbeat": _heartbeat,
    "Authorize": _authorize,
    "TransactionEvent": _transaction,
    "NotifyEVChargingNeeds": _needs,
    "NotifyEVChargingSchedule": _status("Accepted"),
    "SignCertificate": _status("Rejected"),
    "Get15118EVCertificate": lambda _: {"status": "Failed", "exiResponse": ""},
    "GetCertificateStatus": _status("Failed"),
    "GetCertificateChainStatus": _chain,
    "DataTransfer": _status("UnknownVendorId"),
    "PullDynamicScheduleUpdate": _pull,
    "VatNumberValidation": _vat,
    "OpenPeriodicEventStream": _status("Rejected"),
} | dict.fromkeys(
    (
        "StatusNotification",
        "MeterValues",
        "NotifyEvent",
        "NotifyReport",
        "NotifyMonitoringReport",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyChargingLimit",
        "ClearedChargingLimit",
        "ReportChargingProfiles",
        "SecurityEventNotification",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "PublishFirmwareStatusNotification",
        "ReservationStatusUpdate",
        "NotifyPriorityCharging",
        "NotifyDERAlarm",
        "NotifyDERStartStop",
        "ReportDERControl",
        "NotifySettlement",
        "BatterySwap",
        "ClosePeriodicEventStream",
    ),
    _nothing,
)
ACTIONS = frozenset(_ANSWERS)
"""Every message that is answered; an action of 2.1 alone is not implemented on 2.0.1."""
