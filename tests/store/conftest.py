from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.rollout.ledger import Entry, KeptRevision, Stage
from reconciler.store.store import Store

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, tmp_path):
    """An empty database of either engine."""
    return str(tmp_path / "state.db") if request.param == "sqlite" else request.getfixturevalue("cluster").fresh()


@pytest.fixture
async def store(url):
    async with opened(url) as store:
        yield store


@asynccontextmanager
async def opened(url, **options):
    store = await Store.open(url, **options)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture(name="opened")
def _opened():
    return opened


@pytest.fixture
def line():
    """Make a line of history, some seconds after noon."""

    def make(seconds=0, station="Q3-001", **given):
        return Entry(**{"action": "SetChargingProfile", "reason": "drift"} | given, at=_later(seconds), station=station)

    return make


@pytest.fixture
def write_lines(line):
    """Make the three lines of a write."""

    def make(seconds=0):
        stages = (Stage.INTENT, Stage.ANSWER, Stage.READ_BACK)
        return tuple(line(seconds + n, stage=stage, write=f"q3-001@{seconds}") for n, stage in enumerate(stages))

    return make


@pytest.fixture
def taken():
    """Make a revision that was taken some seconds after noon."""

    def make(commit, seconds=0, **given):
        words = {"fleet": "harbour", "subject": "Charge later", "author": "Ada", "signature": "none"}
        files = {"fleet.yaml": "kind: Fleet\n" * 50}
        return KeptRevision(
            **{**words, "committed_at": NOON, "verdict": "taken", "files": files, **given},
            commit=commit,
            taken_at=_later(seconds),
        )

    return make


@pytest.fixture
def noon():
    return NOON


def _later(seconds):
    return NOON + timedelta(seconds=seconds)
