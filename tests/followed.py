"""A controller in a process of its own that follows a repository, and what its API says of the stations."""

import asyncio
import json

import httpx


async def until(condition, seconds=20):
    """Wait for something that only another process can tell."""
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
    return found


async def follow(yard, *options):
    """Start the controller; give its process and the two addresses that it logs."""
    words = ("--source", str(yard.repository.folder), "--interval", "1s")
    ports = ("--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
    process = await yard.spawn("run", *words, *ports, *options)
    said = {}
    async with asyncio.timeout(20):
        while not {"stations", "api"} <= said.keys():
            said |= json.loads(await process.stderr.readline())
    return process, said["stations"], said["api"]


async def in_sync(api, commit, count):
    async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
        rows = (await http.get("/api/v1/stations")).json()
    return sum(row["state"] == "in-sync" and row["revision"] == commit for row in rows) == count
