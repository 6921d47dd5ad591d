"""What the history costs: 100,000 writes to stations, each with its intent, its answer and what was read back.

They are handed in in batches of 200 writes, as turns of the controller that come thick and fast would be joined. Every
batch is on the disk before the next one begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from tempfile import TemporaryDirectory
from time import perf_counter

from reconciler.rollout.ledger import Batch, Entry, Stage
from reconciler.rollout.question import Question
from reconciler.store.store import Store
from tests.databases import Cluster, server_binaries

START = datetime(2026, 3, 3, 12, tzinfo=UTC)
COMMIT, PLAN = sha256(b"commit").hexdigest()[:40], sha256(b"plan").hexdigest()
BATCH = 200
MEGABYTE = 1_000_000


def write_lines(number: int) -> tuple[Entry, Entry, Entry]:
    """Give the lines of one write, as long as a fleet's are."""
    at, station = START + timedelta(milliseconds=100 * number), f"Q3-{number % 5000:04d}"
    common = {
        "station": station,
        "action": "SetChargingProfile",
        "reason": "desired changed: power of 17:00 to 20:00",
        "profile_id": 810011,
        "evse_id": 1,
        "revision": COMMIT,
        "author": "Ada Byron <ada@example.org>",
        "source": "groups/night-buses.yaml:12",
        "digest": sha256(station.encode()).hexdigest(),
        "plan": PLAN,
        "write": f"{station.casefold()}@{at.isoformat()}",
    }
    return (
        Entry(at=at, stage=Stage.INTENT, **common),
        Entry(at=at, stage=Stage.ANSWER, answer="Accepted", duration_ms=312, **common),
        Entry(at=at, stage=Stage.READ_BACK, answer="as desired", **common),
    )


def measure(count: int = 100_000) -> dict[str, float]:
    """Give writes recorded per second, megabytes per 100,000 writes and milliseconds per question, per engine."""
    with TemporaryDirectory() as folder:
        figures = asyncio.run(_measure(f"{folder}/state.db", "sqlite", count))
    with _server() as url:
        return figures | (asyncio.run(_measure(url, "postgres", count)) if url else {})


async def _measure(url: str, engine: str, count: int) -> dict[str, float]:
    store = await Store.open(url)
    try:
        batches = [
            Batch(tuple(line for number in range(first, first + BATCH) for line in write_lines(number)))
            for first in range(0, count, BATCH)
        ]
        empty, started = await store.size(), perf_counter()
        for batch in batches:
            await store.write(batch)
        spent, size = perf_counter() - started, await store.size() - empty
        started = perf_counter()
        found = await store.history(Question(("q3-0007",), limit=50))
        asked = perf_counter() - started
        assert len(found) == min(50, 3 * count // 5000)
    finally:
        await store.close()
    return {
        f"{engine}_writes_per_s": count / spent,
        f"{engine}_mb_per_100000": size / MEGABYTE * 100_000 / count,
        f"{engine}_question_ms": asked * 1000,
    }


@contextmanager
def _server() -> Iterator[str]:
    """Give an empty PostgreSQL of our own, which waits for its disk as well; empty where its programs are missing."""
    binaries = server_binaries()
    if binaries is None:
        yield ""
        return
    cluster = Cluster(binaries, safe=True)
    try:
        yield cluster.fresh()
    finally:
        cluster.stop()
