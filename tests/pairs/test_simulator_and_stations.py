"""The CSMS's shell and the simulated stations over real sockets: commands of the one come true in the other."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.inventory import Patience
from reconciler.profiles.canonical import same_meaning
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.reported.events import (
    Accepted,
    CapabilityRead,
    CompositeRead,
    Disconnected,
    Metered,
    OutcomeUnknown,
    ProfilesRead,
    ReadFailed,
    Ready,
    Refused,
    Written,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadComposite, ReadProfiles
from reconciler.simulator.connection import BackOff
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import NONE, Faults
from reconciler.simulator.fleet import Setting, SimulatedFleet
from reconciler.simulator.nameplate import Nameplate
from reconciler.simulator.population import Outfit, make_stations
from reconciler.stations.server import StationServer
from reconciler.stations.terms import House, Terms

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WAIT = 10
SIM = "S-1"
BRISK = Terms(
    timeout=timedelta(milliseconds=400),
    patience=Patience(
        first=timedelta(milliseconds=400), settle=timedelta(milliseconds=50), announced=timedelta(milliseconds=150)
    ),
    boot_wait=timedelta(milliseconds=50),
)
PLATE = Nameplate(metering=timedelta(0), ramp_w_per_s=1e9)


class Clock:
    """A clock that goes only when told."""

    now = NOON

    def __call__(self):
        return self.now


class Pair:
    """A server, stations and their clock, and what the server reported of them."""

    def __init__(self, server, fleet, events, clock):
        self.server, self.fleet, self.events, self.clock = server, fleet, events, clock

    async def next(self, kind):
        async with asyncio.timeout(WAIT):
            while not isinstance(event := await self.events.get(), kind):
                pass
        return event

    async def do(self, command, kind):
        self.server.execute(command)
        return await self.next(kind)

    async def push(self, profile):
        capability = Capability(self.fleet.station(SIM).plate.protocol, negative_limit=True, max_offline=True)
        return (await self.do(Push(SIM, profile, capability), Written)).outcome


@pytest.fixture
def pair():
    @asynccontextmanager
    async def join(protocol, faults=NONE):
        events = asyncio.Queue()
        server = StationServer(House(lambda: datetime.now(UTC), events.put_nowait, terms=BRISK), lambda _: True, port=0)
        await server.start()
        outfit = Outfit(plate=PLATE, vehicle=Vehicle(battery_wh=1e7), faults=faults)
        made = make_stations(1, NOON, (protocol,), "S-{1..}", outfit)
        host, port = server.address
        clock = Clock()
        setting = Setting(clock=clock, back_off=BackOff(0.01, 0.01, 1))
        fleet = SimulatedFleet(made, f"ws://{host}:{port}", setting)
        await fleet.start()
        try:
            joined = Pair(server, fleet, events, clock)
            await joined.next(Ready)
            yield joined
        finally:
            await fleet.stop()
            await server.stop()

    return join


def export():
    steps = (
        Period(0, setpoint=Decimal(-7000), mode=Mode.CENTRAL_SETPOINT),
        Period(1800, setpoint=Decimal(7400), mode=Mode.CENTRAL_SETPOINT),
        Period(3600, limit=Decimal(0)),
    )
    return Profile(810_001, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (ChargingSchedule(1, Unit.WATT, steps, NOON),))


@pytest.mark.parametrize(
    "faults",
    [
        NONE,
        Faults(echo=True),
        Faults(early_reports=True),
        Faults(wrong_tbc=True),
        Faults(split_reports=True),
        Faults(delay=timedelta(milliseconds=20)),
    ],
    ids=["plain", "echo", "early", "tbc", "split", "late"],
)
async def test_a_push_is_read_back_with_its_meaning(pair, protocol, faults):
    async with pair(protocol, faults) as both:
        assert await both.push(export()) == Accepted()
        read = await both.do(ReadProfiles(SIM), ProfilesRead)
        (held,) = read.profiles
        sent = dialect(protocol).lower(export(), Capability(protocol, negative_limit=True))
        assert same_meaning(sent, held.profile, NOON)
        assert both.fleet.writes(SIM).set_profile == both.server.frames(SIM)["SetChargingProfile"] == 1


async def test_what_is_pushed_flows_and_is_metered(pair, protocol):
    async with pair(protocol) as both:
        await both.push(export())
        both.clock.now += timedelta(seconds=1)
        both.fleet.stir()
        assert both.fleet.power_w(SIM, 1) == -7000
        while (await both.next(Metered)).power_w != -7000:
            pass
        composite = await both.do(ReadComposite(SIM, 1, 7200, Unit.WATT), CompositeRead)
        first = composite.steps[0]
        assert (first.setpoint if protocol is Protocol.V21 else first.limit) == -7000


async def test_a_clear_empties_and_an_empty_station_says_so(pair, protocol):
    async with pair(protocol) as both:
        await both.push(export())
        assert (await both.do(Clear(SIM, 810_001), Written)).outcome == Accepted()
        assert (await both.do(Clear(SIM, 810_001), Written)).outcome == Accepted()
        assert (await both.do(ReadProfiles(SIM), ProfilesRead)).profiles == ()


async def test_a_capability_is_read(pair, protocol):
    async with pair(protocol) as both:
        read = await both.do(ReadCapability(SIM, Capability(protocol)), CapabilityRead)
        assert (read.capability.max_stack_level, read.capability.max_periods) == (9, 24)
        assert read.skew is not None


async def test_reports_that_never_come_are_unknown_not_empty(pair, protocol):
    async with pair(protocol, Faults(mute_reports=True)) as both:
        await both.push(export())
        assert isinstance(await both.do(ReadProfiles(SIM), ReadFailed), ReadFailed)


async def test_a_rejection_keeps_its_reason(pair, protocol):
    async with pair(protocol, Faults(reject="OutOfMemory")) as both:
        outcome = await both.push(export())
        assert isinstance(outcome, Refused)
        assert outcome.reason_code == "OutOfMemory"


async def test_an_answer_that_is_lost_leaves_the_outcome_unknown(pair, protocol):
    async with pair(protocol, Faults(lose=1.0)) as both:
        assert isinstance(await both.push(export()), OutcomeUnknown)
        assert len(both.fleet.profiles(SIM)) == 1


async def test_a_cut_is_seen_and_the_station_is_ready_again(pair, protocol):
    async with pair(protocol) as both:
        both.fleet.cut(SIM)
        await both.next(Disconnected)
        await both.next(Ready)
        assert await both.push(export()) == Accepted()


@pytest.fixture(params=list(Protocol))
def protocol(request):
    return request.param
