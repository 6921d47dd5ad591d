"""The program as others see it: metrics are scraped, frames are written down, and receivers are told."""

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client.parser import text_string_to_metric_families

from reconciler.web.serve import ApiServer


@pytest.fixture
async def hook():
    """Give a receiver's address, and what came to it."""
    came = asyncio.Queue()
    app = FastAPI()

    @app.post("/")
    async def take(request: Request):
        came.put_nowait(await request.json())

    server = ApiServer(app, "127.0.0.1", 0)
    await server.start()
    yield f"http://127.0.0.1:{server.port}/", came
    await server.stop()


async def scrape(api):
    async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    families = text_string_to_metric_families(text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


async def begin(yard, *options):
    """Start the controller; give its process and the two addresses that it logs."""
    words = ("--source", str(yard.repository.folder), "--interval", "1s")
    process = await yard.spawn("run", *words, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", *options)
    said = {}
    async with asyncio.timeout(20):
        while not {"stations", "api"} <= said.keys():
            said |= json.loads(await process.stderr.readline())
    return process, said["stations"], said["api"]


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
    return found


async def test_a_running_program_can_be_watched_from_outside(yard, hook, tmp_path):
    url, came = hook
    yard.repository.commit()
    (tmp_path / ".git" / "notify.yaml").write_text(f"receivers: [{{url: '{url}', events: [refused]}}]")
    frames = tmp_path / ".git" / "ocpp-json.log"
    process, stations, api = await begin(
        yard,
        *("--frame-log", str(frames), "--frame-log-stations", "A*"),
        *("--notify", str(tmp_path / ".git" / "notify.yaml"), "--log-format", "json"),
    )
    await yard.simulate(stations)

    async def settled():
        return (await scrape(api))["reconciler_stations", "in-sync"] == 4

    await until(settled)
    shown = await scrape(api)
    assert shown["reconciler_stations_connected",] == 4
    assert shown["reconciler_writes_total", "accepted"] >= 8
    assert shown["reconciler_call_seconds_count", "SetChargingProfile", "accepted"] >= 8
    assert shown["reconciler_history_rows_total",] > 0
    assert shown["reconciler_store_up",] == 1
    assert shown["reconciler_git_age_seconds",] < 20
    assert shown["reconciler_lease_margin_seconds", "true"] > 0

    lines = [json.loads(line) for line in frames.read_text().splitlines()]
    assert {line["station"] for line in lines} == {"A1", "A2"}
    assert ("sent", "SetChargingProfile") in {(line["direction"], line["action"]) for line in lines}
    async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
        await http.put("/api/v1/frame-log", json={"stations": []})
        assert (await http.get("/api/v1/frame-log")).json() == {"stations": [], "dropped": 0}

    bad = yard.repository.commit("kind: Nothing\n")
    notice = await asyncio.wait_for(came.get(), 20)
    assert (notice["event"], notice["commit"]) == ("refused", bad)
    assert (await scrape(api))["reconciler_revision_refused",] == 1
    process.terminate()
    async with asyncio.timeout(20):
        assert await process.wait() == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--log-format", "xml"),
        ("--frame-log-stations", "*"),
        ("--notify", "/no/such/file"),
    ],
)
async def test_an_option_that_cannot_be_taken_is_told_before_anything_starts(yard, words):
    yard.repository.commit()
    code, out, problem = await yard.run("run", "--source", str(yard.repository.folder), *words)
    assert (code, out) == (64, "")
    assert words[0].removesuffix("-stations") in problem
