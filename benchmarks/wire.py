"""Processor time per pushed and verified profile of 24 periods: this project's session against `ocpp`'s ChargePoint.

Both send SetChargingProfile, take the answer, ask GetChargingProfiles and take one report, with every payload judged by
the official schemas, in one process and one run. The peer costs neither of them anything but canned text.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import process_time

from ocpp.routing import on
from ocpp.v21 import ChargePoint, call, call_result
from ocpp.v21 import datatypes as types

from reconciler.ocpp import v21
from reconciler.ocpp.answers import Admission, answer
from reconciler.ocpp.inventory import Complete, Inventory
from reconciler.ocpp.judge import judge
from reconciler.ocpp.outcomes import written
from reconciler.ocpp.session import Answered, Called, Session
from reconciler.plan.change import Keep
from reconciler.plan.change import judge as verdict
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.form import write_profile
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.belief import Reported, fold
from reconciler.reported.events import ProfilesRead, Written

START = datetime(2026, 3, 3, 12, tzinfo=UTC)
PERIODS = tuple(Period(start=3600 * hour, limit=Decimal(3500 + hour % 2 * 500)) for hour in range(24))
SCHEDULE = ChargingSchedule(id=7, unit=Unit.WATT, periods=PERIODS, start=START)
PROFILE = Profile(810011, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (SCHEDULE,))
CAPABILITY = Capability(Protocol.V21, max_periods=24)
REPORT = {
    "requestId": 1,
    "chargingLimitSource": "CSO",
    "evseId": 1,
    "tbc": False,
    "chargingProfile": [write_profile(PROFILE)],
}


def push_with_session() -> None:
    """Push one profile and read it back through the project's own session, dialect, judge and comparison."""
    session, reported = Session(Protocol.V21), Reported()
    payload = v21.set_profile(PROFILE, CAPABILITY)
    judge(Protocol.V21, "SetChargingProfile", "Request", payload)
    ending = _exchange(session, "SetChargingProfile", payload, "1")
    reported = fold(reported, Written("S", PROFILE.id, PROFILE, written(ending)))
    request = v21.get_profiles(1)
    judge(Protocol.V21, "GetChargingProfiles", "Request", request)
    inventory = Inventory(1, START).answered(
        str(_exchange(session, "GetChargingProfiles", request, "2").payload["status"]), START
    )
    (event,) = session.receive(json.dumps([2, "r1", "ReportChargingProfiles", REPORT]), START)
    assert isinstance(event, Called)
    session.answer(event.id, answer(Protocol.V21, event.action, event.payload, START, Admission()).payload)
    outcome = inventory.told(event.payload, START).outcome(START + timedelta(seconds=5), v21)
    assert isinstance(outcome, Complete)
    reported = fold(reported, ProfilesRead("S", outcome.profiles))
    assert isinstance(verdict(PROFILE, reported, START), Keep)


def _exchange(session: Session, action: str, payload: object, number: str) -> Answered:
    session.call(action, payload, START, number)
    session.outgoing()
    (event,) = session.receive(f'[3,"{number}",{{"status":"Accepted"}}]', START)
    assert isinstance(event, Answered)
    return event


class _Peer:
    """Answers every CALL with Accepted, at once."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, text: str) -> None:
        kind, number, *_ = json.loads(text)
        if kind == 2:
            self.inbox.put_nowait(f'[3,"{number}",{{"status":"Accepted"}}]')

    async def recv(self) -> str:
        return await self.inbox.get()


class _Csms(ChargePoint):
    reports: asyncio.Event

    @on("ReportChargingProfiles")
    async def on_report(self, **_: object) -> call_result.ReportChargingProfiles:
        self.reports.set()
        return call_result.ReportChargingProfiles()


async def push_with_charge_point(count: int) -> float:
    """Push `count` profiles through the `ocpp` package with its validation on; give seconds of processor time."""
    peer = _Peer()
    station = _Csms("S", peer)
    station.reports = asyncio.Event()
    pump = asyncio.create_task(station.start())
    started = process_time()
    for _ in range(count):
        await station.call(call.SetChargingProfile(evse_id=1, charging_profile=_charge_point_profile()))
        criterion = types.ChargingProfileCriterionType(charging_limit_source=["CSO", "EMS", "SO", "Other"])
        await station.call(call.GetChargingProfiles(request_id=1, charging_profile=criterion))
        station.reports.clear()
        peer.inbox.put_nowait(json.dumps([2, "r1", "ReportChargingProfiles", REPORT]))
        await station.reports.wait()
    spent = process_time() - started
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)
    return spent


def _charge_point_profile() -> types.ChargingProfileType:
    periods = [
        types.ChargingSchedulePeriodType(start_period=each.start, limit=float(each.limit or 0)) for each in PERIODS
    ]
    schedule = types.ChargingScheduleType(
        id=7, charging_rate_unit="W", start_schedule="2026-03-03T12:00:00Z", charging_schedule_period=periods
    )
    return types.ChargingProfileType(
        id=PROFILE.id,
        stack_level=1,
        charging_profile_purpose="TxDefaultProfile",
        charging_profile_kind="Absolute",
        charging_schedule=[schedule],
    )


def _spend(run: Callable[[], None], count: int) -> float:
    started = process_time()
    for _ in range(count):
        run()
    return process_time() - started


def measure(count: int = 300) -> dict[str, float]:
    """Give milliseconds of processor time per profile for both, and their ratio."""
    logging.getLogger("ocpp").setLevel(logging.CRITICAL)
    push_with_session()
    asyncio.run(push_with_charge_point(3))
    ours, theirs = _spend(push_with_session, count), asyncio.run(push_with_charge_point(count))
    return {
        "profiles": count,
        "session_ms": ours / count * 1000,
        "charge_point_ms": theirs / count * 1000,
        "times_less": theirs / ours,
    }
