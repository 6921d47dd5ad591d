"""Disks that are full, read-only or broken: a sentence that says what to do, and on as soon as it is cured."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.errors import StoreLost, UsageError
from reconciler.rollout.ledger import Batch, Kind
from reconciler.rollout.question import Question
from reconciler.store import engines
from reconciler.store.address import File
from reconciler.store.complaints import explain

PAGE_BYTES = 4096
LIMITED = """
import asyncio, resource, signal, sys
from datetime import UTC, datetime
from reconciler.errors import StoreLost
from reconciler.rollout.ledger import Batch, Entry
from reconciler.rollout.question import Question
from reconciler.store.store import Store
async def fill():
    store = await Store.open(sys.argv[1])
    batch = Batch(tuple(Entry(datetime(2026, 3, 3, tzinfo=UTC), "S", "Set", "x" * 500) for _ in range(100)))
    await store.write(batch)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, unlimited[1]))
    written = 1
    try:
        while written < 100:
            await store.write(batch)
            written += 1
    except StoreLost as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert len(await store.history(Question(limit=100_000))) == 100 * written
    await store.write(batch)
    assert len(await store.history(Question(limit=100_000))) == 100 * (written + 1)
    await store.close()
    print("recovered")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
asyncio.run(fill())
"""


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two megabytes, which can be made read-only."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mounted]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a disk; a limit on the file's size is tested as well")
    yield mounted
    subprocess.run(["umount", mounted], check=True)


def test_a_failure_that_has_no_name_is_told_by_its_kind():
    told = explain(File(Path("/state.db")), sqlite3.ProgrammingError("of some kind"))
    assert told == "failed (ProgrammingError): look at the file and its disk"


def _lines(line, count=200):
    return Batch(tuple(line(n, reason="x" * 300) for n in range(count)))


async def test_a_full_disk_takes_nothing_half_and_goes_on_when_it_has_room(small_disk, opened, line):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    async with opened(str(small_disk / "state.db")) as store:
        written, told = await _fill(store, _lines(line))
        assert "the disk is full; free some space" in told
        assert len(await store.history(Question(limit=100_000))) == 200 * written
        with pytest.raises(StoreLost, match="the disk is full"):
            await store.write(_lines(line, 2000))
        ballast.unlink()
        await store.write(_lines(line))
        assert len(await store.history(Question(limit=100_000))) == 200 * (written + 1)


def test_a_file_that_may_not_grow_takes_nothing_half_and_goes_on_when_it_may(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "state.db"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    told, end = done.stdout.splitlines()
    assert "its disk fails or is full; look at the disk" in told
    assert end == "recovered"


async def test_a_read_only_disk_is_told_at_the_start(small_disk, opened, line):
    path = small_disk / "state.db"
    async with opened(str(path)) as store:
        await store.write(_lines(line))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreLost, match=r"Read-only file system.*can be written"):
        async with opened(str(path)):
            pass
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    async with opened(str(path)) as store:
        await store.write(_lines(line))


async def test_a_read_only_file_is_told_at_the_start(small_disk, opened):
    path = small_disk / "state.db"
    async with opened(str(path)):
        pass
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
    try:
        with pytest.raises(StoreLost, match="can't be written: make its disk, its folder and the file writable"):
            async with opened(str(path)):
                pass
    finally:
        subprocess.run(["umount", path], check=True)


async def test_a_missing_folder_is_told(tmp_path, opened):
    with pytest.raises(StoreLost, match=r"No such file or directory.*make sure that its folder exists"):
        async with opened(str(tmp_path / "missing" / "state.db")):
            pass


async def test_a_folder_is_no_file(tmp_path, opened):
    (tmp_path / "state.db").mkdir()
    with pytest.raises(StoreLost, match="can't be opened"):
        async with opened(str(tmp_path / "state.db")):
            pass


async def test_a_reader_makes_no_file(tmp_path, opened):
    with pytest.raises(UsageError, match="there is no store at"):
        async with opened(str(tmp_path / "state.db"), read_only=True):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_no_database_is_left_alone(tmp_path, opened):
    path = tmp_path / "state.db"
    path.write_text("kind: Fleet\n" * 1000)
    with pytest.raises(StoreLost, match="damaged or no SQLite database"):
        async with opened(str(path)):
            pass
    assert path.read_text().startswith("kind: Fleet")


@pytest.mark.parametrize("noise", [b"\xa5" * PAGE_BYTES, b"\xa5" * 200])
async def test_damaged_documents_are_told_at_the_start(tmp_path, opened, noise):
    path = tmp_path / "state.db"
    async with opened(str(path)) as store:
        await store.write(Batch(documents={(Kind.STATION, str(n)): {"a": "x" * 300} for n in range(1000)}))
    _damage(path, noise)
    with pytest.raises(StoreLost, match="is damaged: put a backup in its place"):
        async with opened(str(path)):
            pass


async def test_a_check_that_takes_too_long_is_left_for_later(tmp_path, opened, monkeypatch):
    path = tmp_path / "state.db"
    async with opened(str(path)) as store:
        await store.write(Batch(documents={(Kind.STATION, str(n)): {"a": "x" * 300} for n in range(1000)}))
    _damage(path)
    monkeypatch.setattr(engines, "CHECK_S", -1)
    monkeypatch.setattr(engines, "_INSTRUCTIONS_PER_LOOK", 1)
    async with opened(str(path)) as store:
        with pytest.raises(StoreLost, match="is damaged: put a backup in its place"):
            await store.load()


async def test_damage_outside_of_what_a_start_needs_is_told_at_the_start_too(tmp_path, opened, line):
    path = await _with_history(tmp_path, opened, line)
    _damage(path)
    with pytest.raises(StoreLost, match=r"state\.db\) is damaged: put a backup in its place, or move it away"):
        async with opened(str(path)):
            pass


async def test_a_few_pages_of_noise_are_enough_to_be_told_at_the_start(tmp_path, opened, line):
    path = await _with_history(tmp_path, opened, line)
    with path.open("r+b") as file:
        file.seek(3 * PAGE_BYTES)
        file.write(b"\xa5" * 6 * PAGE_BYTES)
    with pytest.raises(StoreLost, match="is damaged: put a backup in its place"):
        async with opened(str(path)):
            pass


@pytest.mark.parametrize("read_only", [True, False])
async def test_who_only_reads_or_had_no_time_to_check_is_told_when_it_reads(
    tmp_path, opened, line, monkeypatch, read_only
):
    path = await _with_history(tmp_path, opened, line)
    _damage(path)
    monkeypatch.setattr(engines, "CHECK_S", -1)
    monkeypatch.setattr(engines, "_INSTRUCTIONS_PER_LOOK", 1)
    async with opened(str(path), read_only=read_only) as store:
        assert (await store.load()).documents == {(Kind.FLEET, ""): {"a": 1}}
        with pytest.raises(StoreLost, match="is damaged: put a backup in its place"):
            [each async for each in store.stream(Question())]


async def test_a_program_that_holds_the_file_is_waited_for_and_then_told(tmp_path, opened, line, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_S", 0.1)
    path = tmp_path / "state.db"
    async with opened(str(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreLost, match="is being written by another program"):
                await store.write(_lines(line))
        await store.write(_lines(line))
        assert len(await store.history(Question(limit=1000))) == 200


@pytest.mark.parametrize("damage", ["UPDATE keeper SET batch = 'noise'", "DELETE FROM keeper"])
async def test_a_database_that_does_not_say_whose_it_is_counts_as_damaged(tmp_path, opened, line, monkeypatch, damage):
    monkeypatch.setattr(engines, "BUSY_S", 0.1)
    path = tmp_path / "state.db"
    async with opened(str(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreLost):
                await store.write(_lines(line))
            other.execute(damage)
            other.execute("COMMIT")
        with pytest.raises(StoreLost, match="is damaged: put a backup in its place"):
            await store.write(_lines(line))
    with pytest.raises(StoreLost, match="is damaged: put a backup in its place"):
        async with opened(str(path)):
            pass


async def test_a_lost_file_is_told_when_it_is_written(tmp_path, opened, line):
    path = tmp_path / "state.db"
    async with opened(str(path)) as store:
        for each in tmp_path.iterdir():
            each.unlink()
        with pytest.raises(StoreLost, match="was moved or replaced"):
            await store.write(_lines(line))
    assert not path.exists()


async def _with_history(tmp_path, opened, line):
    path = tmp_path / "state.db"
    async with opened(str(path)) as store:
        await store.write(Batch(documents={(Kind.FLEET, ""): {"a": 1}}))
        await store.write(_lines(line, 4000))
    return path


async def _fill(store, batch):
    """Write until it fails; give how often it went well, and what was told."""
    for written in range(100):
        try:
            await store.write(batch)
        except StoreLost as lost:
            return written, str(lost)
    raise AssertionError("the disk never became full")


def _damage(path, noise=b"\xa5" * PAGE_BYTES):
    """Put noise over the pages in the middle, as a broken disk would."""
    pages = path.stat().st_size // PAGE_BYTES
    assert pages > 60
    with path.open("r+b") as file:
        for page in range(pages // 4, pages * 3 // 4):
            file.seek((page + 1) * PAGE_BYTES - len(noise))
            file.write(noise)
