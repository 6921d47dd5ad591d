"""Many stations over real sockets: what a CSMS sees of them, and what a person can do to them."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from websockets.asyncio.server import serve

from reconciler.errors import ProtocolError, UsageError
from reconciler.ocpp.answers import Admission, answer
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import read_profile
from reconciler.simulator.connection import BackOff
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import NONE, Faults
from reconciler.simulator.fleet import Setting, SimulatedFleet
from reconciler.simulator.nameplate import Nameplate
from reconciler.simulator.population import Outfit, make_stations

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HASTY = BackOff(0.01, 0.01, 1)
CALM = Nameplate(metering=timedelta(0), ramp_w_per_s=1e9)
PATIENCE_S = 20


class Clock:
    """A clock that goes only when told."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


class Csms:
    """A server that answers as ours does, and can ask."""

    def __init__(self):
        self.sockets, self.heard, self.headers, self.admission = {}, [], {}, Admission()
        self.speaks = list(Protocol)
        self.deaf, self.frames = False, asyncio.Condition()

    async def accept(self, socket):
        identity = socket.request.path.rpartition("/")[2]
        self.headers[identity] = socket.request.headers
        if socket.subprotocol is None:
            return
        self.sockets[identity] = socket
        async for text in socket:
            await self.hear(identity, socket, json.loads(text))

    async def hear(self, identity, socket, frame):
        if frame[0] == 2 and not self.deaf:
            _, number, action, payload = frame
            try:
                told = answer(Protocol(socket.subprotocol), action, payload, NOON, self.admission).payload
                await socket.send(json.dumps([3, number, told]))
            except ProtocolError as error:
                await socket.send(json.dumps([4, number, error.code, "", {}]))
        async with self.frames:
            self.heard.append((identity, frame))
            self.frames.notify_all()

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S), self.frames:
            await self.frames.wait_for(condition)

    async def send(self, identity, action, payload, number="c1"):
        await self.sockets[identity].send(json.dumps([2, number, action, payload]))

    async def ask(self, identity, action, payload, number="c1"):
        await self.send(identity, action, payload, number)
        await self.until(lambda: self.answers(identity, number))
        return self.answers(identity, number)[-1]

    def answers(self, identity, number="c1"):
        return [frame for who, frame in self.heard if who == identity and frame[0] > 2 and frame[1] == number]

    def said(self, identity, action=None):
        calls = [frame for who, frame in self.heard if who == identity and frame[0] == 2]
        return [frame[3] for frame in calls if frame[2] == action] if action else [frame[2] for frame in calls]


@pytest.fixture
async def csms():
    made = Csms()

    def choose(_, offered):
        return next((name for name in offered if name in made.speaks), None)

    async with serve(made.accept, "127.0.0.1", 0, subprotocols=list(Protocol), select_subprotocol=choose) as server:
        made.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        yield made


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def running(csms, clock):
    @asynccontextmanager
    async def run(count=1, faults=NONE, protocols=(Protocol.V21,), vehicle=None, **setting):
        outfit = Outfit(plate=CALM, vehicle=vehicle, faults=faults)
        stations = make_stations(count, clock.now, protocols, "SIM-{1..}", outfit)
        fleet = SimulatedFleet(stations, csms.url, Setting(clock=clock, back_off=HASTY, **setting))
        await fleet.start()
        try:
            yield fleet
        finally:
            await fleet.stop()

    return run


async def soon(fleet, condition):
    async with asyncio.timeout(PATIENCE_S):
        await fleet.until(condition)


async def accepted(fleet):
    await soon(fleet, lambda: all(fleet.station(one).outbox.accepted for one in fleet.identities))


PROFILE = {
    "id": 10,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [
        {
            "id": 1,
            "startSchedule": "2026-06-01T12:00:00Z",
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5000}, {"startPeriod": 600, "limit": 0}],
        }
    ],
}
PUSH = {"evseId": 1, "chargingProfile": PROFILE}
READ = {"requestId": 7, "chargingProfile": {"chargingLimitSource": ["CSO"]}}


async def test_stations_connect_in_their_own_protocols_and_boot(csms, running):
    async with running(6, protocols=tuple(Protocol)) as fleet:
        await accepted(fleet)
        assert fleet.online == 6
        assert [csms.sockets[identity].subprotocol for identity in fleet.identities] == ["ocpp2.0.1", "ocpp2.1"] * 3
        assert all(csms.said(identity)[0] == "BootNotification" for identity in fleet.identities)
    assert fleet.online == 0


async def test_a_profile_is_pushed_read_back_and_obeyed(csms, running, clock):
    async with running(vehicle=Vehicle(battery_wh=1e7)) as fleet:
        await accepted(fleet)
        assert await csms.ask("SIM-1", "SetChargingProfile", PUSH) == [3, "c1", {"status": "Accepted"}]
        await csms.ask("SIM-1", "GetChargingProfiles", READ, "c2")
        await csms.until(lambda: csms.said("SIM-1", "ReportChargingProfiles"))
        assert csms.said("SIM-1", "ReportChargingProfiles")[0]["chargingProfile"] == [PROFILE]
        clock.now += timedelta(seconds=60)
        assert fleet.power_w("SIM-1", 1) == 5000
        clock.now += timedelta(seconds=600)
        fleet.stir()
        await csms.until(lambda: "SuspendedEVSE" in str(csms.said("SIM-1", "TransactionEvent")[-1]))
        assert fleet.power_w("SIM-1", 1) == 0
        assert round(fleet.energy_wh("SIM-1", 1)[0]) == 833
        assert fleet.wear("SIM-1", 1).relay_cycles == 1
        assert [profile.id for profile in fleet.profiles("SIM-1")] == [10]
        assert (fleet.writes("SIM-1").set_profile, fleet.writes("SIM-1").clear_profile) == (1, 0)


async def test_what_a_station_does_not_know_it_refuses(csms, running):
    async with running() as fleet:
        await accepted(fleet)
        assert (await csms.ask("SIM-1", "UnlockConnector", {}))[:3] == [4, "c1", "NotImplemented"]


async def test_a_cut_connection_comes_back_without_a_boot(csms, running):
    async with running() as fleet:
        await accepted(fleet)
        fleet.cut("SIM-1")
        await soon(fleet, lambda: not fleet.connected("SIM-1"))
        await soon(fleet, lambda: fleet.connected("SIM-1"))
        assert csms.said("SIM-1").count("BootNotification") == 1


@pytest.mark.parametrize(("keep", "left"), [(True, 1), (False, 0)])
async def test_a_rebooted_station_boots_with_or_without_its_memory(csms, running, keep, left):
    async with running() as fleet:
        await accepted(fleet)
        await csms.ask("SIM-1", "SetChargingProfile", PUSH)
        fleet.reboot("SIM-1", keep_memory=keep)
        await csms.until(lambda: csms.said("SIM-1").count("BootNotification") == 2)
        assert len(fleet.profiles("SIM-1")) == left


async def test_a_reset_restarts_the_station(csms, running):
    async with running() as fleet:
        await accepted(fleet)
        assert (await csms.ask("SIM-1", "Reset", {"type": "Immediate"}))[2] == {"status": "Accepted"}
        await csms.until(lambda: csms.said("SIM-1").count("BootNotification") == 2)
        assert csms.said("SIM-1", "BootNotification")[1]["reason"] == "RemoteReset"


async def test_a_foreign_profile_appears_and_goes(csms, running):
    async with running() as fleet:
        await accepted(fleet)
        external = {**PROFILE, "chargingProfilePurpose": "ChargingStationExternalConstraints"}
        fleet.inject_foreign_profile("SIM-1", read_profile(1, external))
        await csms.until(lambda: csms.said("SIM-1", "NotifyChargingLimit"))
        fleet.release_profile("SIM-1", 10)
        await csms.until(lambda: csms.said("SIM-1", "ClearedChargingLimit"))
        assert fleet.profiles("SIM-1") == ()


async def test_vehicles_come_and_go(csms, running):
    async with running() as fleet:
        await accepted(fleet)
        fleet.plug("SIM-1", 1, Vehicle())
        await csms.until(lambda: csms.said("SIM-1", "TransactionEvent"))
        fleet.unplug("SIM-1", 1)
        await csms.until(lambda: csms.said("SIM-1", "TransactionEvent")[-1]["eventType"] == "Ended")


async def test_an_evse_breaks_down_and_is_mended(csms, running):
    def told():
        return [each["connectorStatus"] for each in csms.said("SIM-1", "StatusNotification")]

    async with running() as fleet:
        await accepted(fleet)
        fleet.break_down("SIM-1", 1)
        await csms.until(lambda: "Faulted" in told())
        fleet.break_down("SIM-1", 1, broken=False)
        await csms.until(lambda: told()[-1] == "Available")


async def test_a_password_is_sent_as_basic_authorisation(csms, running):
    async with running(passwords={"SIM-1": "secret"}) as fleet:
        await accepted(fleet)
        token = base64.b64encode(b"SIM-1:secret").decode()
        assert csms.headers["SIM-1"]["Authorization"] == f"Basic {token}"


async def test_without_a_common_protocol_a_station_says_nothing_and_tries_again(csms, running):
    csms.speaks = [Protocol.V201]
    async with running() as fleet:
        async with asyncio.timeout(PATIENCE_S):
            while "SIM-1" not in csms.headers:
                await asyncio.sleep(0)
        csms.speaks = list(Protocol)
        await accepted(fleet)
        assert csms.said("SIM-1")[0] == "BootNotification"


async def test_stations_bear_a_server_that_is_not_there():
    gone = SimulatedFleet(make_stations(1, NOON), "ws://127.0.0.1:1/", Setting(back_off=HASTY))
    await gone.start()
    await gone.stop()
    assert gone.online == 0


async def test_an_answer_can_come_late(csms, running):
    async with running(faults=Faults(delay=timedelta(milliseconds=30))) as fleet:
        await accepted(fleet)
        await csms.send("SIM-1", "SetChargingProfile", PUSH)
        await soon(fleet, lambda: fleet.writes("SIM-1").set_profile == 1)
        assert csms.answers("SIM-1") == []
        await csms.until(lambda: csms.answers("SIM-1"))


async def test_a_lost_answer_leaves_the_profile_installed(csms, running):
    async with running(faults=Faults(lose=1.0)) as fleet:
        await accepted(fleet)
        await csms.send("SIM-1", "SetChargingProfile", PUSH)
        await soon(fleet, lambda: len(fleet.profiles("SIM-1")) == 1)
        fleet.order("SIM-1", NONE)
        await csms.ask("SIM-1", "GetChargingProfiles", READ, "c2")
        assert csms.answers("SIM-1") == []


async def test_an_ignored_request_is_neither_done_nor_answered(csms, running):
    async with running(faults=Faults(ignore="SetChargingProfile")) as fleet:
        await accepted(fleet)
        await csms.send("SIM-1", "SetChargingProfile", PUSH)
        assert (await csms.ask("SIM-1", "GetChargingProfiles", READ, "c2"))[2] == {"status": "NoProfiles"}
        assert fleet.writes("SIM-1").set_profile == 0
        assert csms.answers("SIM-1") == []


async def test_a_report_can_come_before_the_answer(csms, running):
    async with running(faults=Faults(early_reports=True)) as fleet:
        await accepted(fleet)
        await csms.ask("SIM-1", "SetChargingProfile", PUSH)
        await csms.ask("SIM-1", "GetChargingProfiles", READ, "c2")
        frames = [frame for _, frame in csms.heard]
        report = next(index for index, frame in enumerate(frames) if "ReportChargingProfiles" in frame)
        assert report < frames.index([3, "c2", {"status": "Accepted"}])


async def test_a_connection_is_cut_to_order(csms, running):
    async with running(faults=Faults(cut=timedelta(milliseconds=50))) as fleet:
        await accepted(fleet)
        first = csms.sockets["SIM-1"]
        await soon(fleet, lambda: fleet.connected("SIM-1") and csms.sockets["SIM-1"] is not first)


async def test_a_wrong_clock_moves_what_flows(csms, running, clock):
    async with running(faults=Faults(clock=timedelta(minutes=11)), vehicle=Vehicle(battery_wh=1e7)) as fleet:
        await accepted(fleet)
        await csms.ask("SIM-1", "SetChargingProfile", PUSH)
        clock.now += timedelta(seconds=1)
        assert fleet.power_w("SIM-1", 1) == 0


async def test_a_station_speaks_when_its_own_time_comes(csms):
    start = asyncio.get_running_loop().time()

    def clock():
        return NOON + timedelta(seconds=(asyncio.get_running_loop().time() - start) * 1000)

    vehicle = Vehicle(arrives=NOON + timedelta(seconds=300), departs=NOON + timedelta(seconds=600))
    stations = make_stations(1, NOON, (Protocol.V21,), "SIM-{1..}", Outfit(plate=CALM, vehicle=vehicle, tempo=1000))
    fleet = SimulatedFleet(stations, csms.url, Setting(clock=clock, speed=1000.0, back_off=HASTY))
    await fleet.start()
    await csms.until(lambda: [event["eventType"] for event in csms.said("SIM-1", "TransactionEvent")][-1:] == ["Ended"])
    await fleet.stop()
    assert csms.said("SIM-1", "TransactionEvent")[0]["timestamp"] == "2026-06-01T12:05:00Z"


async def test_an_event_without_an_answer_is_told_three_times_and_given_up(csms, running):
    async with running(timeout=timedelta(milliseconds=100)) as fleet:
        await accepted(fleet)
        csms.deaf = True
        fleet.plug("SIM-1", 1, Vehicle())
        await csms.until(lambda: numbers(csms).count(0) == 3 and 1 in numbers(csms))


def numbers(csms):
    return [event["seqNo"] for event in csms.said("SIM-1", "TransactionEvent")]


async def test_an_odd_message_does_not_disturb_a_station(csms, running):
    async with running() as fleet:
        await accepted(fleet)
        await csms.sockets["SIM-1"].send('[3, "never-asked", {}]')
        await csms.sockets["SIM-1"].send("nonsense")
        assert (await csms.ask("SIM-1", "GetChargingProfiles", READ))[2] == {"status": "NoProfiles"}


async def test_a_refused_message_is_let_go(csms, running):
    async with running() as fleet:
        await accepted(fleet)
        csms.admission = Admission("Rejected")
        fleet.plug("SIM-1", 1, Vehicle())
        await csms.until(lambda: numbers(csms))
        csms.admission = Admission()
        await soon(fleet, lambda: fleet.station("SIM-1").outbox.empty)
        assert numbers(csms) == sorted(set(numbers(csms)))


async def test_a_fault_of_the_program_is_not_silence(running):
    def broken(_):
        raise ZeroDivisionError

    async def wait_for_ever():
        async with running() as fleet:
            await accepted(fleet)
            fleet.station("SIM-1").next_call = broken
            fleet.stir()
            await soon(fleet, lambda: False)

    with pytest.raises(ZeroDivisionError):
        await wait_for_ever()


async def test_only_websocket_addresses_are_taken():
    with pytest.raises(UsageError):
        SimulatedFleet((), "http://127.0.0.1")


def test_back_off_doubles_up_to_its_bound():
    waits = [BackOff(1.0, 2.0, 2).wait_s(tries, 0.5) for tries in range(4)]
    assert waits == [2, 4, 8, 8]
