"""The simulated station at one end of a wire, our own session and dialects at the other: no socket, nothing mocked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from reconciler.ocpp.answers import Admission, answer
from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.session import Answered, Called, Session
from reconciler.profiles.canonical import same_meaning
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.simulator.desk import Answer, handle
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import NONE, Faults
from reconciler.simulator.nameplate import Nameplate
from reconciler.simulator.station import SimulatedStation

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LEAST = {"negative_limit": True, "max_offline": True}


class Wire:
    """Both ends of one connection, and what the CSMS was told."""

    def __init__(self, protocol, faults=NONE):
        plate = Nameplate(protocol=protocol, metering=timedelta(0), ramp_w_per_s=10_000)
        self.station = SimulatedStation("SIM-1", plate, {1: Vehicle(battery_wh=1e7)}, NOON, faults)
        self.protocol, self.now, self.ids = protocol, NOON, count(1)
        self.csms, self.end = Session(protocol), Session(protocol)
        self.asked, self.answers, self.told = {}, {}, []
        self.station.connected(NOON)
        self.run()

    def ask(self, action, payload):
        number = str(next(self.ids))
        self.csms.call(action, payload, self.now, number)
        self.run()
        return self.answers.pop(number)

    def run(self):
        """Carry messages both ways until neither side has anything to say."""
        while True:
            if self.end.idle and (request := self.station.next_call(self.now)) is not None:
                number = f"s{next(self.ids)}"
                self.asked[number] = request
                self.end.call(request.action, request.payload, self.now, number)
            up, down = self.end.outgoing(), self.csms.outgoing()
            if not up and not down:
                return
            for event in [event for text in up for event in self.csms.receive(text, self.now)]:
                self.at_csms(event)
            for event in [event for text in down for event in self.end.receive(text, self.now)]:
                self.at_station(event)

    def at_csms(self, event):
        if isinstance(event, Called):
            self.told.append((event.action, event.payload))
            reply = answer(self.protocol, event.action, event.payload, self.now, Admission())
            assert not reply.flaw
            self.csms.answer(event.id, reply.payload)
        else:
            self.answers[event.id] = event

    def at_station(self, event):
        match event:
            case Called(id_, action, payload):
                reply = handle(self.station, action, payload, self.now)
                if isinstance(reply, Answer):
                    self.end.answer(id_, reply.payload)
                else:
                    self.end.refuse(id_, reply.code, reply.description)
            case Answered(id_, _, payload):
                self.station.answered(self.asked.pop(id_), payload, self.now)
            case _:
                raise AssertionError(event)

    def read_back(self):
        speech = dialect(self.protocol)
        self.ask("GetChargingProfiles", speech.get_profiles(next(self.ids)))
        reports = [payload for action, payload in self.told if action == "ReportChargingProfiles"]
        self.told.clear()
        return [speech.lift(report["evseId"], held) for report in reports for held in report["chargingProfile"]]


def floor():
    schedule = ChargingSchedule(1, Unit.WATT, (Period(0, limit=Decimal(0)),), datetime(2020, 1, 1, tzinfo=UTC))
    return Profile(810_000, 0, 0, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


def export(start=NOON):
    steps = (
        Period(0, setpoint=Decimal(-7000), mode=Mode.CENTRAL_SETPOINT),
        Period(1800, setpoint=Decimal("4000.5"), mode=Mode.CENTRAL_SETPOINT),
        Period(3600, limit=Decimal(0)),
    )
    return Profile(810_001, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (ChargingSchedule(2, Unit.WATT, steps, start),))


def push(wire, profile):
    capability = Capability(wire.protocol, **LEAST)
    speech = dialect(wire.protocol)
    told = wire.ask("SetChargingProfile", speech.set_profile(profile, capability))
    assert isinstance(told, Answered)
    assert told.payload == {"status": "Accepted"}
    return speech.lower(profile, capability)


@pytest.fixture(params=[Faults(), Faults(echo=True), Faults(split_reports=True)], ids=["plain", "echo", "split"])
def wire(request, protocol):
    return Wire(protocol, request.param)


def test_what_is_pushed_comes_back_with_the_same_meaning(wire):
    sent = [push(wire, floor()), push(wire, export())]
    held = wire.read_back()
    assert [profile.id for profile in held] == [profile.id for profile in sent]
    assert all(same_meaning(one, other, NOON) for one, other in zip(sent, held, strict=True))


def test_what_is_pushed_is_what_flows(wire):
    push(wire, floor())
    push(wire, replace(export(), id=810_002))
    seen = []
    for seconds in (60, 1800, 1800, 86_400):
        wire.now += timedelta(seconds=seconds)
        seen.append(wire.station.power_w(1, wire.now))
    assert seen == [-7000, 4000.5, 0, 0]


def test_the_composite_shows_the_setpoint_where_the_version_can(wire):
    push(wire, export())
    speech = dialect(wire.protocol)
    told = wire.ask("GetCompositeSchedule", speech.get_composite(1, 3600, Unit.WATT))
    _, steps = speech.lift_composite(told.payload)
    first = steps[0].setpoint if wire.protocol is Protocol.V21 else steps[0].limit
    assert first == -7000


def test_a_clear_leaves_the_floor_and_nothing_flows(wire):
    push(wire, floor())
    push(wire, export())
    told = wire.ask("ClearChargingProfile", dialect(wire.protocol).clear_profile(810_001))
    assert told.payload == {"status": "Accepted"}
    wire.now += timedelta(seconds=60)
    assert (wire.station.power_w(1, wire.now), len(wire.read_back())) == (0, 1)
