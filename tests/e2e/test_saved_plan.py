"""A plan that was saved and reviewed is applied as it is, or not at all."""

import asyncio
import json
import signal
import socket
from dataclasses import replace

import httpx
import pytest

from reconciler.simulator.faults import Faults


def edit(repository, old, new):
    text = (repository.folder / "fleet.yaml").read_text()
    assert old in text
    return repository.commit(text.replace(old, new))


@pytest.fixture
def port():
    """Give a port that is free, and stays the same from one program to the next."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


async def apply(yard, port, *words, wait="15s"):
    source = ("--source", str(yard.repository.folder), "--listen", f"127.0.0.1:{port}", "--wait", wait)
    return await yard.run("apply", *map(str, words), *source, "-o", "json")


def written(fleet):
    return {name: fleet.writes(name).set_profile for name in fleet.identities}


async def refused(yard, port, fleet, file):
    """Apply a plan that is refused as a whole; give what was said."""
    before = written(fleet)
    code, out, log = await apply(yard, port, file)
    assert (code, out) == (4, "")
    assert written(fleet) == before
    return log


async def review_live(yard, port, first, file):
    """Bring stations to a first revision, save the plan to the newest, and end the controller."""
    words = ("--source", str(yard.repository.folder), "--revision", first)
    process = await yard.spawn("run", *words, "--listen", f"127.0.0.1:{port}", "--api", "127.0.0.1:0")
    said = {}
    async with asyncio.timeout(20):
        while not {"stations", "api"} <= said.keys():
            said |= json.loads(await process.stderr.readline())
    fleet = await yard.simulate(f"ws://127.0.0.1:{port}")
    async with httpx.AsyncClient(base_url=said["api"], trust_env=False) as http, asyncio.timeout(20):
        while [row["state"] for row in (await http.get("/api/v1/stations")).json()] != ["in-sync"] * 4:
            await asyncio.sleep(0.05)
    folder = str(yard.repository.folder)
    code, out, _ = await yard.run("plan", folder, "--head", "HEAD", "--server", said["api"], "--out", str(file))
    assert (code, "(A1, A2)" in out and "-7 kW -> -5 kW" in out) == (0, True), out
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 20)
    return fleet


async def test_a_plan_against_live_stations_is_applied_to_them_and_to_nobody_else(yard, port, tmp_path):
    first, file = yard.repository.commit(), tmp_path / "plan.json"
    second = edit(yard.repository, "-7 kW", "-5 kW")
    fleet = await review_live(yard, port, first, file)
    edit(yard.repository, "-5 kW", "-3 kW")
    before = written(fleet)
    code, out, log = await apply(yard, port, file)
    assert code == 0, log
    assert [(row["state"], row["revision"]) for row in json.loads(out)] == [("in-sync", second)] * 4
    writes = {name: count - before[name] for name, count in written(fleet).items()}
    assert writes == {"A1": 1, "A2": 1, "B1": 0, "B2": 0}


async def test_a_station_that_has_lost_its_memory_since_stops_the_whole(yard, port, tmp_path):
    first, file = yard.repository.commit(), tmp_path / "plan.json"
    edit(yard.repository, "-7 kW", "-5 kW")
    fleet = await review_live(yard, port, first, file)
    fleet.reboot("B2", keep_memory=False)
    log = await refused(yard, port, fleet, file)
    assert "error: B2: 3 to install now, 0 writes in the plan" in log
    assert "1 objection: nothing was written; review it anew" in log


async def test_a_station_that_is_there_and_not_read_is_deferred_whatever_it_has_come_to_hold(yard, port, tmp_path):
    first, file = yard.repository.commit(), tmp_path / "plan.json"
    edit(yard.repository, "-7 kW", "-5 kW")
    fleet = await review_live(yard, port, first, file)
    fleet.order("B2", Faults(ignore="all"))
    fleet.reboot("B2", keep_memory=False)
    before = written(fleet)
    code, out, log = await apply(yard, port, file, wait="4s")
    rows = {row["identity"]: row for row in json.loads(out)}
    assert (code, {name: row["state"] for name, row in rows.items()}) == (
        5,
        {"A1": "in-sync", "A2": "in-sync", "B1": "in-sync", "B2": "deferred"},
    ), log
    assert (rows["B2"]["connected"], "was not read when the plan was made" in rows["B2"]["reason"]) == (True, True)
    writes = {name: count - before[name] for name, count in written(fleet).items()}
    assert writes == {"A1": 1, "A2": 1, "B1": 0, "B2": 0}


async def test_a_station_that_can_take_less_since_stops_the_whole(yard, port, tmp_path):
    first, file = yard.repository.commit(), tmp_path / "plan.json"
    edit(yard.repository, "-7 kW", "-5 kW")
    fleet = await review_live(yard, port, first, file)
    station = fleet.station("A1")
    station.plate = replace(station.plate, max_periods=1, firmware="2.0")
    fleet.reboot("A1", keep_memory=True)
    log = await refused(yard, port, fleet, file)
    assert "error: A1: refuses what the plan has: " in log
    assert "1 period" in log


async def test_a_plan_of_git_alone_is_applied_while_its_digest_holds(yard, port, tmp_path):
    first, file = yard.repository.commit(), tmp_path / "plan.json"
    second = edit(yard.repository, "-7 kW", "-5 kW")
    folder = str(yard.repository.folder)
    await yard.run("plan", folder, "--base", first, "--head", second, "--out", str(file))
    await yard.simulate(f"ws://127.0.0.1:{port}")

    data = json.loads(file.read_text())
    file.with_name("other.json").write_text(json.dumps(data | {"digest": "0" * 64}))
    code, _, log = await apply(yard, port, file.with_name("other.json"))
    assert (code, "error: the plan is " in log) == (4, True)

    code, out, log = await apply(yard, port, file)
    assert (code, [row["state"] for row in json.loads(out)]) == (0, ["in-sync"] * 4), log


async def test_what_guardrails_refused_takes_a_persons_reason(yard, port, tmp_path):
    first, file = yard.repository.commit(), tmp_path / "plan.json"
    second = edit(yard.repository, "-7 kW", "-5 kW")
    await yard.run("plan", str(yard.repository.folder), "--base", first, "--head", second, "--out", str(file))
    data = json.loads(file.read_text())
    place = {"file": "fleet.yaml", "line": 1, "column": 1}
    finding = {"guardrail": "blast-radius", "severity": "error", "message": "too many", "field": "", "place": place}
    file.write_text(json.dumps(data | {"findings": [finding | {"stations": [], "hint": ""}]}))
    await yard.simulate(f"ws://127.0.0.1:{port}")
    code, _, log = await apply(yard, port, file)
    assert (code, "error: too many (--force REASON passes it by)" in log) == (4, True)
    code, _, log = await apply(yard, port, file, "--force", "The grid operator asked for it")
    assert code == 0, log


async def test_what_can_not_be_applied_is_refused_before_anything_listens(yard, port, tmp_path):
    first, file = yard.repository.commit(), tmp_path / "plan.json"
    folder = str(yard.repository.folder)
    await yard.run("plan", folder, "--out", str(file))
    code, _, log = await apply(yard, port, file)
    assert (code, "was planned from a working tree" in log) == (64, True)
    await yard.run("plan", folder, "--base", first, "--head", "HEAD", "--out", str(file))
    code, _, log = await apply(yard, port, file, "--digest", "0" * 12)
    assert (code, "says itself what --revision, --base and --digest would" in log) == (64, True)
    data = json.loads(file.read_text())
    file.write_text(json.dumps(data | {"expires": data["created"]}))
    code, _, log = await apply(yard, port, file)
    assert (code, "expired at 2026-03-03" in log) == (4, True)
