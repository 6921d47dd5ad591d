"""How a simulated station answers what a CSMS asks: one small function for each action.

`connection` and tests call `handle`. It judges a request by the standard's schema first, as real stations do; what a
station does not know it refuses with NotImplemented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from reconciler.errors import ProtocolError
from reconciler.ocpp.frames import ErrorCode
from reconciler.ocpp.judge import judge
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject, MalformedProfile, read_profile
from reconciler.profiles.profile import Kind, Unit
from reconciler.profiles.rules import Violation
from reconciler.profiles.wording import count
from reconciler.simulator import device
from reconciler.simulator.enforcement import Asked, Premises, refusal, too_soon
from reconciler.simulator.forecast import LONGEST_S, Window, evse_schedule, station_schedule
from reconciler.simulator.memory import Criteria, touched
from reconciler.simulator.messages import Request, boot_notification, meter_values, status_notification
from reconciler.simulator.reporting import reports
from reconciler.simulator.station import SimulatedStation


@dataclass(frozen=True, slots=True)
class Answer:
    """The payload of a CALLRESULT."""

    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Refusal:
    """A CALLERROR."""

    code: str
    description: str


Reply = Answer | Refusal
SMART_CHARGING = frozenset(
    {"SetChargingProfile", "ClearChargingProfile", "GetChargingProfiles", "GetCompositeSchedule"}
)


def handle(station: SimulatedStation, action: str, payload: JsonObject, now: datetime) -> Reply:
    """Carry out a request of the CSMS and answer it; requests of the station's own wait in its outbox after it."""
    station.tick(now)
    _count(station, action)
    act = _ACTIONS.get(action)
    if act is None or (action == "UpdateDynamicSchedule" and station.plate.protocol is Protocol.V201):
        return Refusal(ErrorCode.NOT_IMPLEMENTED, f"I don't know {action[:50]}")
    if action in SMART_CHARGING and not station.plate.smart_charging:
        v201 = station.plate.protocol is Protocol.V201
        return Refusal(ErrorCode.NOT_IMPLEMENTED if v201 else ErrorCode.NOT_SUPPORTED, "no smart charging (K01.FR.29)")
    try:
        judge(station.plate.protocol, action, "Request", payload)
        return Answer(act(station, payload, now))
    except ProtocolError as error:
        return Refusal(error.code, error.description)


def _count(station: SimulatedStation, action: str) -> None:
    writes = station.writes
    match action:
        case "SetChargingProfile":
            station.writes = replace(writes, set_profile=writes.set_profile + 1)
        case "ClearChargingProfile":
            station.writes = replace(writes, clear_profile=writes.clear_profile + 1)
        case "UpdateDynamicSchedule":
            station.writes = replace(writes, update=writes.update + 1)
        case _:
            pass


def _set_profile(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:
    asked = _asked(payload)
    found = _objection(station, asked, now)
    if found is not None:
        return _rejected(found.reason_code, found.message)
    entry = station.entry(asked.profile, asked.wire)
    dynamic = asked.profile.kind is Kind.DYNAMIC and asked.profile.dyn_update_time is None
    station.memory.put(touched(entry, now) if dynamic else entry)
    station.rethink(now)
    return {"status": "Accepted"}


def _asked(payload: JsonObject) -> Asked:
    wire = cast(JsonObject, payload["chargingProfile"])
    try:
        return Asked(read_profile(cast(int, payload["evseId"]), wire), wire)
    except MalformedProfile as error:
        raise ProtocolError(ErrorCode.PROPERTY, str(error)) from error


def _objection(station: SimulatedStation, asked: Asked, now: datetime) -> Violation | None:
    if not station.outbox.accepted:
        return Violation("boot", "CSNotAccepted", "I have not been accepted yet")
    if station.faults.reject:
        return Violation("fault", station.faults.reject, "rejected to order")
    purpose = asked.profile.purpose
    last, station.last_write[purpose] = station.last_write.get(purpose), now
    return too_soon(last, now, station.plate, purpose) or refusal(asked, _premises(station))


def _premises(station: SimulatedStation) -> Premises:
    running = {bay.plate.id: bay.transaction for bay in station.bays if bay.transaction is not None}
    return Premises(
        station.plate,
        station.memory,
        {evse_id: transaction.id for evse_id, transaction in running.items()},
        frozenset(evse_id for evse_id, transaction in running.items() if transaction.awaits_needs),
    )


def _clear_profile(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:
    cleared = station.memory.clear(_clear_criteria(payload))
    station.rethink(now)
    return {"status": "Accepted" if cleared else "Unknown"}


def _clear_criteria(payload: JsonObject) -> Criteria:
    """Read what is to be cleared; an id goes before criteria, and nothing at all means everything."""
    profile_id = payload.get("chargingProfileId")
    if isinstance(profile_id, int):
        return Criteria(ids=frozenset({profile_id}))
    return _criteria(cast(JsonObject, payload.get("chargingProfileCriteria", {})))


def _criteria(given: JsonObject, evse_id: object = None) -> Criteria:
    def some(name: str) -> frozenset[object] | None:
        return frozenset(cast(list[object], given[name])) if name in given else None

    return Criteria(
        ids=cast("frozenset[int] | None", some("chargingProfileId")),
        evse_id=cast("int | None", given.get("evseId", evse_id)),
        purpose=cast("str | None", given.get("chargingProfilePurpose")),
        stack_level=cast("int | None", given.get("stackLevel")),
        sources=cast("frozenset[str] | None", some("chargingLimitSource")),
    )


def _get_profiles(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:  # noqa: ARG001
    criteria = _criteria(cast(JsonObject, payload["chargingProfile"]), payload.get("evseId"))
    entries = station.memory.select(criteria)
    if not entries:
        return {"status": "NoProfiles"}
    for report in reports(cast(int, payload["requestId"]), entries, station.plate, station.faults):
        station.outbox.add(Request("ReportChargingProfiles", report))
    return {"status": "Accepted"}


def _get_composite(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:
    plate, evse_id = station.plate, cast(int, payload["evseId"])
    unit = Unit(str(payload.get("chargingRateUnit", plate.units[0])))
    if unit not in plate.units:
        return _rejected("UnsupportedRateUnit", f"{unit} is not in RateUnit (K08.FR.07)")
    if evse_id and plate.evse(evse_id) is None:
        return _rejected("UnknownEvse", f"there is no EVSE {evse_id} (K08.FR.05)")
    seconds = min(max(cast(int, payload["duration"]), 1), LONGEST_S)
    window, runs = Window(now.replace(microsecond=0), seconds, unit), station.memory.runs
    if evse_id:
        bay = station.bay(evse_id)
        schedule = evse_schedule(runs, bay.plate, window, station.situation(bay), plate.protocol)
    else:
        schedule = station_schedule(runs, plate, window, tuple(station.situation(bay) for bay in station.bays))
    return {"status": "Accepted", "schedule": schedule}


def _get_variables(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:
    most = station.plate.items_per_message
    if len(cast(list[object], payload["getVariableData"])) > most:
        raise ProtocolError(ErrorCode.OCCURRENCE, f"I take {count(most, 'variable')} a message")
    return device.get_variables(payload, _model(station, now))


def _set_variables(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:
    answer, changes = device.set_variables(payload, _model(station, now))
    for name, seconds in changes.items():
        if name == device.Name(*device.HEARTBEAT).folded():
            station.outbox.set_heartbeat(seconds, now)
        else:
            station.set_metering(seconds, now)
    return answer


def _model(station: SimulatedStation, now: datetime) -> device.Model:
    heartbeat_s, metering_s = (int(span.total_seconds()) for span in (station.outbox.heartbeat, station.metering))
    return device.device_model(station.plate, device.Readings(now, len(station.memory), heartbeat_s, metering_s))


def _trigger(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:
    wanted = str(payload["requestedMessage"])
    evse_id = cast(Mapping[str, object], payload.get("evse", {})).get("id", 0)
    here = tuple(bay for bay in station.bays if evse_id in (0, bay.plate.id))
    if not here:
        return _rejected("UnknownEvse", f"there is no EVSE {evse_id}")
    match wanted:
        case "BootNotification":
            station.outbox.add(boot_notification(station.plate, "Triggered"))
        case "Heartbeat":
            station.outbox.add(Request("Heartbeat", {}))
        case "StatusNotification":
            for bay in here:
                station.outbox.add(status_notification(bay, now))
        case "MeterValues":
            for bay in here:
                station.outbox.add(meter_values(bay, now))
        case "TransactionEvent":
            for bay in here:
                station.tell_transaction(bay)
        case _:
            return {"status": "NotImplemented"}
    return {"status": "Accepted"}


def _reset(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:  # noqa: ARG001
    if payload.get("evseId"):
        return _rejected("UnsupportedRequest", "I restart as a whole only")
    if payload["type"] == "OnIdle" and any(bay.transaction for bay in station.bays):
        return _rejected("TxInProgress", "a transaction runs")
    station.restart_wanted = True
    return {"status": "Accepted"}


def _update_dynamic(station: SimulatedStation, payload: JsonObject, now: datetime) -> JsonObject:
    """Put new values into a Dynamic profile (K28.FR.06, .09, .11)."""
    profile_id = cast(int, payload["chargingProfileId"])
    held = station.memory.get(profile_id)
    if held is None or held.profile.kind is not Kind.DYNAMIC:
        return _rejected("InvalidProfile", f"{profile_id} is no Dynamic profile of mine (K28.FR.11)")
    evse_id = held.profile.evse_id
    station.memory.update(
        profile_id,
        cast(JsonObject, payload["scheduleUpdate"]),
        lambda wire: touched(station.entry(read_profile(evse_id, wire), wire), now),
    )
    station.rethink(now)
    return {"status": "Accepted"}


def _rejected(reason_code: str, detail: str) -> JsonObject:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": detail}}


Action = Callable[[SimulatedStation, JsonObject, datetime], JsonObject]
_ACTIONS: Mapping[str, Action] = {
    "SetChargingProfile": _set_profile,
    "ClearChargingProfile": _clear_profile,
    "GetChargingProfiles": _get_profiles,
    "GetCompositeSchedule": _get_composite,
    "GetVariables": _get_variables,
    "SetVariables": _set_variables,
    "TriggerMessage": _trigger,
    "Reset": _reset,
    "UpdateDynamicSchedule": _update_dynamic,
}
