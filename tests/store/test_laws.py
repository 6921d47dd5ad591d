"""What holds for any sequence of batches, on both engines."""

from datetime import UTC

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from reconciler.rollout.ledger import Batch, Entry, KeptRevision, Kind, Stage
from reconciler.rollout.question import Question
from reconciler.store import rows
from reconciler.store.store import Store
from reconciler.store.tables import CAUSES, DOCUMENTS, HISTORY, REVISIONS

# What the pure side can hold and a database takes as it is; what it does not take has a test of its own.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)
INSTANTS = st.datetimes(timezones=st.just(UTC))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(WORDS, JSON, max_size=3)
NAMES = st.tuples(st.sampled_from(Kind), st.sampled_from(["", "a", "b", "ß"]))
ENTRIES = st.builds(
    Entry,
    at=INSTANTS,
    station=WORDS,
    action=WORDS,
    reason=WORDS,
    answer=WORDS,
    profile_id=st.none() | NUMBERS,
    evse_id=st.none() | NUMBERS,
    revision=WORDS,
    author=WORDS,
    source=WORDS,
    digest=WORDS,
    plan=WORDS,
    who=WORDS,
    stage=st.sampled_from(Stage),
    write=WORDS,
    duration_ms=st.none() | NUMBERS,
)
REVISION_VALUES = st.builds(
    KeptRevision,
    commit=st.sampled_from(["a1", "a2", "b1"]),
    fleet=WORDS,
    subject=WORDS,
    author=WORDS,
    signature=WORDS,
    committed_at=st.none() | INSTANTS,
    taken_at=INSTANTS,
    verdict=WORDS,
    why=WORDS,
    plan=WORDS,
    files=st.dictionaries(WORDS, WORDS, max_size=3),
)
BATCHES = st.builds(
    Batch,
    entries=st.lists(ENTRIES, max_size=4).map(tuple),
    documents=st.dictionaries(NAMES, st.none() | BODIES, max_size=4),
    revisions=st.lists(REVISION_VALUES, max_size=2, unique_by=lambda each: each.commit).map(tuple),
)
STEADY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def _empty(store: Store) -> None:
    async def work(connection, _, __):
        for table in (HISTORY, CAUSES, DOCUMENTS, REVISIONS):
            await connection.execute(delete(table))

    await store._own().write((), work)


@given(batches=st.lists(BATCHES, max_size=5))
@STEADY
async def test_what_is_kept_is_the_fold_of_what_was_written(store, batches):
    await _empty(store)
    documents, revisions, entries = {}, {}, []
    for batch in batches:
        await store.write(batch)
        documents |= batch.documents
        revisions |= {each.commit: each for each in batch.revisions}
        entries += batch.entries
    assert (await store.load()).documents == {name: body for name, body in documents.items() if body is not None}
    assert {commit: await store.revision(commit) for commit in revisions} == revisions
    told = await store.history(Question(limit=100))
    assert told == tuple(sorted(entries, key=lambda entry: entry.at)[::-1])
    assert [each async for each in store.stream(Question())] == sorted(entries, key=lambda entry: entry.at)


@given(st.text(st.characters(), max_size=20))
def test_every_text_becomes_one_that_both_engines_take_and_a_good_one_stays(text):
    cleaned = rows.clean(text)
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned == rows.clean(cleaned)
    if "\x00" not in text and text.encode("utf-8", "ignore").decode() == text:
        assert cleaned == text
