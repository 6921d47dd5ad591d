"""The program end to end: from a commit to stations and back, over real git, sockets and processes."""

import asyncio
import json
import signal

from websockets.asyncio.client import connect

from followed import follow, in_sync, until
from reconciler.profiles.profile import Purpose


def flows(fleet):
    return {name: round(fleet.power_w(name, 1)) for name in fleet.identities}


async def test_a_commit_comes_to_stations_is_verified_and_shown(yard):
    first = yard.repository.commit()
    process, stations, api = await follow(yard)
    fleet = await yard.simulate(stations)
    await until(lambda: in_sync(api, first, 4))
    await fleet.until(lambda: flows(fleet) == {"A1": -7000, "A2": -7000, "B1": 9000, "B2": 9000})
    assert all(fleet.profiles(name)[0].purpose is Purpose.TX_DEFAULT for name in fleet.identities)

    code, out, _ = await yard.run("get", "stations", "-l", "line=night", "-o", "json", "--server", api)
    assert (code, [row["identity"] for row in json.loads(out)]) == (0, ["A1", "A2"])
    code, out, _ = await yard.run("explain", "a1", "--server", api)
    assert "evening (priority 20, group night) says -7000 W, at fleet.yaml:" in out

    before = {name: fleet.writes(name).set_profile for name in fleet.identities}
    second = yard.repository.commit((yard.repository.folder / "fleet.yaml").read_text().replace("-7 kW", "-5 kW"))
    await until(lambda: in_sync(api, second, 4))
    after = {name: fleet.writes(name).set_profile - before[name] for name in fleet.identities}
    assert after == {"A1": 1, "A2": 1, "B1": 0, "B2": 0}

    process.send_signal(signal.SIGTERM)
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert json.loads(log.splitlines()[-1])["event"] == "stopped"


async def test_apply_writes_what_was_reviewed_and_says_who_was_not_there(yard):
    yard.repository.commit()
    source = ("--source", str(yard.repository.folder), "--listen", "127.0.0.1:0")
    refused = await yard.spawn("apply", *source, "--wait", "10s", "--digest", "0" * 12)
    fleet = await yard.simulate(await address(refused))
    _, log = await asyncio.wait_for(refused.communicate(), 30)
    assert refused.returncode == 4
    assert b"nothing was written" in log
    assert all(fleet.writes(name).set_profile == 0 for name in fleet.identities)
    await fleet.stop()
    digest = log.decode().partition("the plan is ")[2][:12]

    applied = await yard.spawn("apply", *source, "--wait", "10s", "--digest", digest, "-o", "json")
    fleet = await yard.simulate(await address(applied))
    out, log = await asyncio.wait_for(applied.communicate(), 30)
    assert (applied.returncode, [row["state"] for row in json.loads(out)]) == (0, ["in-sync"] * 4), log
    await fleet.stop()

    partly = await yard.spawn("apply", *source, "--wait", "3s")
    fleet = await yard.simulate(await address(partly), count=3)
    out, log = await asyncio.wait_for(partly.communicate(), 30)
    assert partly.returncode == 5
    assert b"3 of 4 stations verified, 1 deferred" in log
    assert out.decode().splitlines()[-1].split()[:3] == ["B2", "-", "deferred"]


async def deaf(url):
    """Connect a station that boots and never answers."""
    socket = await connect(url, subprotocols=["ocpp2.1"], proxy=None)
    about = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
    await socket.send(json.dumps([2, "1", "BootNotification", about]))
    return socket


async def test_apply_plans_and_writes_nothing_for_a_station_that_is_there_and_not_read(yard):
    yard.repository.commit()
    process = await yard.spawn(
        "apply", "--source", str(yard.repository.folder), "--listen", "127.0.0.1:0", "--wait", "4s"
    )
    url = await address(process)
    async with await deaf(f"{url}/B2") as socket:
        await yard.simulate(url, count=3)
        out, log = await asyncio.wait_for(process.communicate(), 30)
        asked = {json.loads(frame)[2] async for frame in socket if json.loads(frame)[0] == 2}
    assert asked
    assert "SetChargingProfile" not in asked
    assert process.returncode == 5
    assert b"1 station connected and not read yet: deferred" in log
    assert b"3 of 4 stations verified, 1 deferred, 1 of them connected and not read in time" in log
    plan, table = out.decode().split("Plan: ")
    assert "B1" in plan
    assert "B2" not in plan
    assert next(line.split()[2] for line in table.splitlines() if line.startswith("B2")) == "deferred"


async def address(process):
    """Read where `apply` listens from what it says first."""
    line = (await asyncio.wait_for(process.stderr.readline(), 20)).decode()
    return next(word for word in line.split() if word.startswith("ws://"))


async def test_simulated_stations_of_the_command_line_serve_a_controller(yard):
    commit = yard.repository.commit()
    _, stations, api = await follow(yard)
    fleet = ("--fleet", str(yard.repository.folder), "--fault", "echo", "--fault", "early-reports")
    simulated = await yard.spawn("simulate", "--connect", stations, *fleet)
    await until(lambda: in_sync(api, commit, 4))
    simulated.send_signal(signal.SIGINT)
    _, told = await asyncio.wait_for(simulated.communicate(), 20)
    assert simulated.returncode == 0
    assert b"of 4 connected" in told


async def test_a_command_that_cannot_start_says_why(yard):
    yard.repository.commit()
    source = ("run", "--source", str(yard.repository.folder))
    for words, reason in (
        ((*source, "--listen", "0.0.0.0:0"), "--auth"),
        ((*source, "--revision", "nowhere", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"), "nowhere"),
        (("simulate", "--connect", "ws://127.0.0.1:1"), "--stations"),
        (("simulate", "--connect", "ws://127.0.0.1:1", "--stations", "1", "--fault", "gremlins"), "amnesia"),
        (("simulate", "--connect", "ws://127.0.0.1:1", "--stations", "1", "--protocol", "1.5"), "mixed"),
    ):
        code, _, problem = await yard.run(*words)
        assert (code, reason in problem) == (64, True), problem
