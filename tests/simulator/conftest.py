"""A simulated station on a bench: connected, booted, asked directly, every word of both sides judged by the schemas."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.ocpp.answers import Admission, answer
from reconciler.ocpp.judge import judge
from reconciler.profiles.capability import Protocol
from reconciler.simulator.desk import Answer, handle
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import NONE
from reconciler.simulator.nameplate import EvsePlate, Nameplate
from reconciler.simulator.station import SimulatedStation

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CALM = Nameplate(metering=timedelta(0), ramp_w_per_s=10_000)


@dataclass
class Bench:
    """One station and its time."""

    station: SimulatedStation
    now: datetime = NOON
    said: list = field(default_factory=list)

    def ask(self, action, payload):
        """Ask the station; the answer is judged, a refusal is given back as it is."""
        reply = handle(self.station, action, payload, self.now)
        if isinstance(reply, Answer):
            judge(self.station.plate.protocol, action, "Response", reply.payload)
            return reply.payload
        return reply

    def listen(self, admission=Admission()):
        """Answer all that the station has to say now; give it as (action, payload)."""
        heard = []
        while (request := self.station.next_call(self.now)) is not None:
            protocol = self.station.plate.protocol
            judge(protocol, request.action, "Request", request.payload)
            told = answer(protocol, request.action, request.payload, self.now, admission)
            self.station.answered(request, told.payload, self.now)
            heard.append((request.action, request.payload))
        self.said += heard
        return heard

    def wait(self, seconds):
        """Let time pass in one go."""
        self.now += timedelta(seconds=seconds)
        self.station.tick(self.now)

    def power_w(self, evse_id=1):
        return self.station.power_w(evse_id, self.now)

    def set(self, profile, evse_id=1):
        """Send a profile; give the status, or the reason code of a rejection."""
        told = self.ask("SetChargingProfile", {"evseId": evse_id, "chargingProfile": profile})
        return told["status"] if told["status"] == "Accepted" else told["statusInfo"]["reasonCode"]

    def events(self, kind=None):
        """Give the transaction events that were told, of one type."""
        self.listen()
        told = [payload for action, payload in self.said if action == "TransactionEvent"]
        return [one for one in told if kind in (None, one["eventType"])]


@pytest.fixture
def bench():
    """Make a bench; `plate` fields and `vehicle` fields may be given, `vehicle=None` leaves the EVSEs empty."""

    def make(vehicle=Vehicle(), faults=NONE, connect=True, **plate):
        kind = replace(CALM, **plate)
        vehicles = {} if vehicle is None else {evse.id: vehicle for evse in kind.evses}
        made = Bench(SimulatedStation("SIM-1", kind, vehicles, NOON, faults))
        if connect:
            made.station.connected(NOON)
            made.listen()
        return made

    return make


@pytest.fixture
def profile():
    """Write a profile as it comes over the wire: periods of (start, what holds); a number is a limit."""

    def make(*periods, id=10, level=1, purpose="TxDefaultProfile", schedule=None, **fields):  # noqa: A002 - the wire's word
        steps = [
            {"startPeriod": start, **({"limit": what} if isinstance(what, int | float) else what)}
            for start, what in periods or ((0, 5000),)
        ]
        held = {
            "id": 1,
            "startSchedule": "2026-06-01T12:00:00Z",
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": steps,
            **(schedule or {}),
        }
        return {
            "id": id,
            "stackLevel": level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [{key: value for key, value in held.items() if value is not None}],
            **fields,
        }

    return make


@pytest.fixture
def setpoint():
    """Write a period that is to be followed."""
    return lambda watts, **more: {"operationMode": "CentralSetpoint", "setpoint": watts, **more}


@pytest.fixture
def evse():
    """Make the plate of an EVSE."""
    return EvsePlate


@pytest.fixture(params=list(Protocol))
def protocol(request):
    """Speak each version."""
    return request.param
