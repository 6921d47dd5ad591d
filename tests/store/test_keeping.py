import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from reconciler.errors import UsageError
from reconciler.rollout.ledger import Batch, Kind
from reconciler.rollout.question import Question
from reconciler.store.store import PAGE, REVISIONS_AT_ONCE
from reconciler.store.tables import CAUSES

STATION = (Kind.STATION, "q3-001")
HEAD = (Kind.FLEET, "")


async def test_documents_come_back_as_they_were_last_written(store):
    await store.write(Batch(documents={STATION: {"skew": 1.5}, HEAD: {"head": "abc"}}))
    await store.write(Batch(documents={STATION: {"skew": None, "held": [{"id": 810000}]}}))
    assert (await store.load()).documents == {STATION: {"skew": None, "held": [{"id": 810000}]}, HEAD: {"head": "abc"}}


async def test_a_document_that_is_no_more_is_gone(store):
    await store.write(Batch(documents={STATION: {"a": 1}, HEAD: {"b": 2}}))
    await store.write(Batch(documents={STATION: None, (Kind.ROLLOUT, "never was"): None}))
    assert (await store.load()).documents == {HEAD: {"b": 2}}


async def test_equal_names_of_two_kinds_are_two_documents(store):
    both = {(Kind.STATION, "x"): {"a": 1}, (Kind.SUSPENSION, "x"): {"b": 2}}
    await store.write(Batch(documents=both))
    assert (await store.load()).documents == both


async def test_everything_outlives_the_controller(url, opened, line, taken):
    batch = Batch((line(),), {STATION: {"a": 1}}, (taken("abc"),))
    async with opened(url) as store:
        await store.write(batch)
    async with opened(url) as store:
        assert await store.history(Question()) == batch.entries
        assert (await store.load()).documents == batch.documents
        assert await store.revision() == batch.revisions[0]


async def test_the_history_is_told_newest_first_and_in_the_order_of_recording_within_an_instant(store, line):
    lines = (line(5, reason="b"), line(1, reason="a"), line(5, reason="c"))
    await store.write(Batch(lines))
    assert [each.reason for each in await store.history(Question())] == ["c", "b", "a"]


async def test_every_field_of_a_line_is_kept(store, write_lines):
    full = replace(
        write_lines()[1],
        answer="Accepted",
        profile_id=810011,
        evse_id=1,
        revision="a" * 40,
        author="Ada <ada@example.org>",
        source="fleets/night.yaml:12",
        digest="d" * 64,
        plan="p" * 64,
        who="grace",
        duration_ms=312,
    )
    await store.write(Batch((full,)))
    assert await store.history(Question()) == (full,)


async def test_a_station_is_found_in_any_case(store, line):
    await store.write(Batch((line(station="Q3-001"), line(station="Q3-002"))))
    assert [each.station for each in await store.history(Question(("q3-001",)))] == ["Q3-001"]


async def test_a_group_of_any_size_is_one_question(store, line):
    await store.write(Batch(tuple(line(n, station=f"S{n}") for n in range(5))))
    group = tuple(f"s{n}" for n in range(2, 40_000))
    assert [each.station for each in await store.history(Question(group))] == ["S4", "S3", "S2"]


async def test_a_group_of_no_station_has_no_history(store, line):
    await store.write(Batch((line(),)))
    assert await store.history(Question(())) == ()


async def test_a_commit_is_found_by_its_beginning_taken_literally(store, line):
    await store.write(Batch(tuple(line(revision=each) for each in ("abc1", "abc2", "abd", "ABC3", ""))))
    found = await store.history(Question(revision="abc"))
    assert sorted(each.revision for each in found) == ["abc1", "abc2"]
    assert await store.history(Question(revision="%")) == ()


async def test_since_is_included_and_until_is_not(store, line, noon):
    await store.write(Batch(tuple(line(n) for n in range(5))))
    asked = Question(since=noon + timedelta(seconds=1), until=noon + timedelta(seconds=3))
    assert [each.at.second for each in await store.history(asked)] == [2, 1]


async def test_pages_neither_repeat_nor_miss_a_line(store, line):
    await store.write(Batch(tuple(line(n // 3, reason=str(n)) for n in range(10))))
    told, question = [], Question(limit=4)
    for _ in range(3):
        page = await store.page(question)
        told += [each.reason for each in page.entries]
        question = replace(question, before=page.older)
    assert told == [str(n) for n in reversed(range(10))]
    assert page.older == 0


async def test_a_page_that_is_just_full_is_the_last(store, line):
    await store.write(Batch((line(), line())))
    assert (await store.page(Question(limit=2))).older == 0
    assert (await store.page(Question(limit=0))).entries == ()


async def test_an_export_is_oldest_first_and_as_of_its_beginning(store, line):
    await store.write(Batch(tuple(line(n % 7, reason=str(n)) for n in range(2 * PAGE + 1))))
    told = []
    async for entry in store.stream(Question(limit=1)):
        if not told:
            await store.write(Batch((line(99, reason="late"),)))
        told.append((entry.at.second, int(entry.reason)))
    assert told == sorted(told)
    assert len(told) == 2 * PAGE + 1


async def test_revisions_are_told_without_files_newest_first(store, taken):
    first, second = taken("aaa"), taken("bbb", 1, verdict="refused", why="caps", files={}, committed_at=None)
    await store.write(Batch(revisions=(first, second)))
    assert await store.revisions(5) == (second, replace(first, files={}))
    assert await store.revisions(1) == (second,)


async def test_the_last_revision_that_can_be_started_from_is_one_with_files(store, taken):
    assert await store.revision() is None
    await store.write(Batch(revisions=(taken("aaa"), taken("bbb", 1), taken("ccc", 2, files={}))))
    assert await store.revision() == taken("bbb", 1)
    assert await store.revision("aa") == taken("aaa")
    assert await store.revision("ccc") == taken("ccc", 2, files={})
    assert await store.revision("d") is None


async def test_a_whole_commit_is_meant_even_where_another_begins_with_it(store, taken):
    await store.write(Batch(revisions=(taken("abc"), taken("abcd", 1))))
    assert await store.revision("abc") == taken("abc")
    assert await store.revision("ab") == taken("abcd", 1)


async def test_a_revision_that_is_told_again_is_replaced(store, taken):
    await store.write(Batch(revisions=(taken("aaa"),)))
    await store.write(Batch(revisions=(taken("aaa", verdict="quarantined"),)))
    assert [each.verdict for each in await store.revisions(5)] == ["quarantined"]


async def test_a_batch_that_fails_half_way_leaves_nothing(store, line):
    with pytest.raises(TypeError):
        await store.write(Batch((line(),), {HEAD: {"a": 1}, STATION: {"a": object()}}))
    assert await store.history(Question()) == ()
    assert (await store.load()).documents == {}
    await store.write(Batch((line(),)))
    assert await store.history(Question()) == (line(),)


async def test_what_a_station_says_never_keeps_a_batch_from_being_recorded(store, line):
    odd = line(station="NUL\x00", reason="half \ud83d", answer="π 🚌", profile_id=2**70, evse_id=-(2**63))
    await store.write(Batch((odd,), {(Kind.STATION, "nul\x00\ud83d"): {"half \ud83d": "\x00", "many": 2**64}}))
    (told,) = await store.history(Question(("nul\x00",)))
    assert (told.station, told.reason, told.answer) == ("NUL�", "half ?", "π 🚌")
    assert (told.profile_id, told.evse_id) == (None, None)
    assert set((await store.load()).documents) == {(Kind.STATION, "nul�?")}


async def test_retention_takes_the_lines_before_an_instant_and_no_others(store, line, noon):
    await store.write(Batch(tuple(line(n // 1000) for n in range(12_000)), {HEAD: {"a": 1}}))
    assert await store.prune(noon + timedelta(seconds=11)) == 11_000
    assert {each.at.second for each in await store.history(Question(limit=2000))} == {11}
    assert await store.prune(noon + timedelta(seconds=11)) == 0
    assert (await store.load()).documents == {HEAD: {"a": 1}}


async def test_retention_takes_the_causes_that_no_line_has_any_more(store, line, noon):
    lines = tuple(line(n, reason=f"reason {n % 3}", revision=f"abc{n}") for n in range(30))
    await store.write(Batch(lines))
    await store.prune(noon + timedelta(seconds=27))
    assert await store.history(Question()) == lines[:26:-1]
    async with store._reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(CAUSES))).scalar() == 3
    await store.write(Batch(lines[:1]))
    assert await store.history(Question(revision="abc0")) == lines[:1]


async def test_the_size_grows_with_what_is_kept(store, line):
    before = await store.size()
    await store.write(Batch(tuple(line(n) for n in range(2000))))
    assert await store.size() > before + 2000 * 50


async def test_a_reader_reads_beside_the_controller_and_writes_nothing(url, store, opened, line):
    async with opened(url, read_only=True) as reader:
        await store.write(Batch((line(),)))
        assert await reader.history(Question()) == (line(),)
        with pytest.raises(UsageError, match="for reading only"):
            await reader.write(Batch((line(),)))


async def test_readers_see_whole_batches_and_never_less_than_before(url, store, opened, line):
    async def write():
        for number in range(20):
            await store.write(Batch(tuple(line(number) for _ in range(5))))

    async with opened(url, read_only=True) as reader:
        writing, seen = asyncio.create_task(write()), [0]
        while not writing.done():
            seen.append(len(await reader.history(Question(limit=1000))))
        await writing
    assert seen == sorted(seen)
    assert all(count % 5 == 0 for count in seen)


async def test_an_empty_batch_asks_the_database_nothing(store, url):
    await store.close()
    await store.write(Batch())


async def test_retention_takes_the_files_that_nothing_asks_for_and_leaves_the_rest_of_the_row(store, taken, noon):
    await store.write(Batch(revisions=(taken("aaa"), taken("bbb", 1), taken("ccc", 20))))
    assert await store.prune_files(noon + timedelta(seconds=10)) == 2
    assert await store.revision("aaa") == replace(taken("aaa"), files={})
    assert await store.revision() == taken("ccc", 20)
    assert await store.prune_files(noon + timedelta(seconds=10)) == 0


async def test_files_that_a_line_of_history_asks_for_stay_until_the_line_goes(store, taken, line, noon):
    await store.write(Batch((line(5, revision="aaa"),), revisions=(taken("aaa"), taken("zzz", 99))))
    await store.prune(noon + timedelta(seconds=5))
    assert await store.prune_files(noon + timedelta(seconds=5)) == 0
    await store.prune(noon + timedelta(seconds=6))
    assert await store.prune_files(noon + timedelta(seconds=6)) == 1
    assert (await store.revision("aaa")).files == {}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ((Kind.STATION, "q3-001"), {"wrote": "aaa"}),
        ((Kind.ROLLOUT, "zzz"), {"base": "aaa"}),
        (HEAD, {"placed": {"aaa": ["q3-001"]}}),
    ],
)
async def test_files_that_a_station_a_rollout_or_the_fleet_asks_for_stay(store, taken, noon, name, body):
    later = noon + timedelta(seconds=50)
    await store.write(Batch(documents={STATION: {"b": 1}, name: body}))
    await store.write(Batch(revisions=(taken("aaa"), taken("bbb"), taken("zzz", 99))))
    assert await store.prune_files(later) == 1
    assert (await store.revision("aaa")).files
    await store.write(Batch(documents={name: None}))
    assert await store.prune_files(later) == 1


async def test_the_last_files_stay_however_old_they_are(store, taken, noon):
    refused = taken("ccc", 2, files={}, verdict="refused")
    await store.write(Batch(revisions=(taken("aaa"), taken("bbb", 1), refused)))
    assert await store.prune_files(noon + timedelta(days=999)) == 1
    assert await store.revision() == taken("bbb", 1)


async def test_a_revision_that_is_taken_again_has_its_files_again(store, taken, noon):
    await store.write(Batch(revisions=(taken("aaa"), taken("zzz", 99))))
    await store.prune_files(noon + timedelta(seconds=50))
    await store.write(Batch(revisions=(taken("aaa", 60),)))
    assert await store.prune_files(noon + timedelta(seconds=50)) == 0
    assert await store.revision("aaa") == taken("aaa", 60)


async def test_many_revisions_are_emptied_some_at_a_time(store, taken, noon):
    commits = [f"{number:040x}" for number in range(2 * REVISIONS_AT_ONCE + 1)]
    await store.write(Batch(revisions=(*map(taken, commits), taken("zzz", 99))))
    assert await store.prune_files(noon + timedelta(seconds=50)) == len(commits)
