"""People steer over the command line: real git, real sockets, real processes, a real database."""

import asyncio
import json
import signal

from followed import follow, in_sync, until

WAVES = ("  writeInterval: 1s\n", "  writeInterval: 1s\n  rollout: {waves: [1, 100%], soak: 40m}\n")


async def waved(yard):
    """Start a controller whose fleet goes out in two waves; give what calls it, its stations, and the first commit."""
    yard.repository.commit()
    path = yard.repository.folder / "fleet.yaml"
    first = yard.repository.commit(path.read_text().replace(*WAVES))
    database = str(yard.repository.folder / ".git" / "kept.db")
    process, stations, api = await follow(yard, "--store", database)
    fleet = await yard.simulate(stations)
    await until(lambda: in_sync(api, first, 4))

    async def call(*words):
        return await yard.run(*words, "--server", api)

    return process, api, call, fleet, first


def edit(yard, old, new):
    return yard.repository.commit((yard.repository.folder / "fleet.yaml").read_text().replace(old, new))


async def phase(call, *wanted):
    code, out, problem = await call("rollout", "status", "-o", "json")
    assert code == 0, problem
    view = json.loads(out)
    return view if view["phase"] in wanted else None


async def test_a_rollout_is_seen_paused_promoted_and_taken_back(yard):
    process, api, call, _, first = await waved(yard)
    second = edit(yard, "-7 kW", "-5 kW")
    view = await until(lambda: phase(call, "soaking"))
    assert [wave["states"]["verified"] for wave in view["waves"]] == [1, 0]
    _, out, _ = await call("rollout")
    assert f"rollout of {second[:12]} (after {first[:12]}): soaking until" in out
    assert max(map(len, out.splitlines())) <= 100

    code, out, problem = await call("rollout", "pause", "--reason", "noise at night", "--who", "ada")
    assert (code, "paused" in out, "ada: noise at night" in out) == (0, True, True), problem
    code, _, problem = await call("rollout", "pause")
    assert (code, "--reason" in problem) == (64, True)
    assert (await call("rollout", "status", "--exit-code"))[0] == 4
    _, out, _ = await call("get", "stations", "-o", "json")
    (waiting,) = [row["identity"] for row in json.loads(out) if row["waits"]]
    _, out, _ = await call("explain", waiting)
    told = "wave 2 of 2 is not released yet: ada paused the rollout: noise at night"
    assert f"follows {first[:12]}; {told}" in " ".join(out.split())

    assert (await call("rollout", "resume", "--reason", "quiet again"))[0] == 0
    assert (await call("rollout", "promote", "--reason", "it is good"))[0] == 0
    await until(lambda: in_sync(api, second, 4))
    assert (await call("rollout", "promote", "--reason", "it is still good"))[0] == 0
    assert (await call("rollout", "status", "--watch", "--exit-code"))[0] == 0

    code, out, problem = await call("rollback", "--to", first[:10], "--reason", "half empty in the morning")
    assert (code, out.strip()) == (0, first), problem
    await until(lambda: in_sync(api, first, 4))
    view = await until(lambda: phase(call, "complete"))
    assert [each["commit"] for each in view["quarantined"]] == [second]
    assert (await call("rollback", "--to", first, "--reason", "again"))[0] == 1

    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 20)
    kept = str(yard.repository.folder / ".git" / "kept.db")
    code, out, problem = await yard.run("history", second[:8], "--store", kept, "-o", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0, problem
    writes = [row for row in rows if row["action"] == "SetChargingProfile"]
    assert {row["station"] for row in writes} == {"A1", "A2"}
    assert all(row["answer"] == "Accepted" and row["readBack"] and row["source"] for row in writes)
    assert any(row.get("who") == "ada" and row["reason"] == "noise at night" for row in rows)


async def test_an_aborted_commit_stays_in_quarantine_over_a_restart(yard):
    process, api, call, _, first = await waved(yard)
    second = edit(yard, "-7 kW", "-5 kW")
    await until(lambda: phase(call, "soaking"))
    assert (await call("rollout", "abort", "--reason", "noise at night"))[0] == 0
    await until(lambda: in_sync(api, first, 4))
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 20)

    _, _, again = await follow(yard, "--store", str(yard.repository.folder / ".git" / "kept.db"))

    async def not_taken():
        _, out, _ = await yard.run("history", second[:12], "-o", "json", "--server", again)
        return any(row["reason"].startswith("not taken, for it is in quarantine") for row in json.loads(out or "[]"))

    await until(not_taken)
    _, out, _ = await yard.run("rollout", "-o", "json", "--server", again)
    view = json.loads(out)
    assert (view["phase"], view["quarantined"]) == ("aborted", [{"commit": second, "why": "noise at night"}])
    _, out, _ = await yard.run("get", "stations", "-o", "json", "--server", again)
    assert {row["follows"] for row in json.loads(out)} == {first}


async def test_suspended_stations_are_left_alone_until_they_are_resumed(yard):
    _, _, call, fleet, _ = await waved(yard)
    code, out, problem = await call("suspend", "-l", "line=night", "--reason", "works", "--until", "2h", "-o", "name")
    assert (code, out.split()) == (0, ["A1", "A2"]), problem
    before = {name: fleet.writes(name).set_profile for name in fleet.identities}
    second = edit(yard, "9 kW", "8 kW")
    third = await until(lambda: phase(call, "soaking"))
    assert third["commit"] == second
    edit(yard, "-7 kW", "-5 kW")
    await until(lambda: _is_held(call, "A1"))
    assert [fleet.writes(name).set_profile - before[name] for name in ("A1", "A2")] == [0, 0]
    code, out, _ = await call("suspend")
    assert (code, "works" in out) == (0, True)

    code, out, _ = await call("resume", "--all", "--reason", "done")
    assert (code, out.split()) == (0, ["A1", "A2"])
    assert (await call("resume", "--all", "--reason", "done"))[0] == 1
    _, out, _ = await call("history", "a1", "--limit", "20")
    assert "suspend: works" in " ".join(out.split())


async def _is_held(call, identity):
    _, out, _ = await call("explain", identity, "-o", "json")
    return json.loads(out)["waits"].startswith("suspended by")
