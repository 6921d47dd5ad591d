"""One line for each write, whatever pages its stages lie on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.rollout.ledger import Entry, Stage
from reconciler.rollout.lines import companions, fold, recent
from reconciler.rollout.question import Page, Question
from reconciler.web.history import MOST_ROUNDS, tell

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def write(station, at, *, answered=True, checked=True, revision="c1"):
    """Give the lines of one write, the oldest first."""
    sent = NOON + at * SECOND
    name = f"{station.casefold()}@{sent.isoformat(timespec='microseconds')}"
    intent = Entry(
        sent, station, "SetChargingProfile", "missing", profile_id=7, revision=revision, stage=Stage.INTENT, write=name
    )
    answer = replace(intent, at=sent + SECOND, answer="Accepted", stage=Stage.ANSWER, duration_ms=1000)
    read = Entry(sent + 3 * SECOND, station, "read-back", "equal", profile_id=7, stage=Stage.READ_BACK, write=name)
    return [intent, *([answer] if answered else []), *([read] if checked else [])]


def newest(*entries):
    return sorted(entries, key=lambda each: each.at, reverse=True)


def test_the_stages_of_a_write_make_one_line():
    (line,) = fold(newest(*write("A", 0)), Question())
    assert (line.entry.answer, line.entry.reason, line.read_back, line.open) == ("Accepted", "missing", "equal", False)
    assert (line.sent_at, line.entry.at, line.read_back_at) == (NOON, NOON + SECOND, NOON + 3 * SECOND)


def test_an_intent_without_an_answer_is_shown_as_open():
    (line,) = fold(write("A", 0, answered=False, checked=False), Question())
    assert (line.open, line.entry.stage, line.read_back) == (True, Stage.INTENT, "")


def test_what_was_read_back_is_an_end_even_where_nothing_was_answered():
    (line,) = fold(newest(*write("A", 0, answered=False)), Question())
    assert (line.open, line.read_back, line.entry.reason) == (False, "equal", "missing")
    (alone,) = fold(write("A", 0)[2:], Question())
    assert (alone.open, alone.entry.reason, alone.sent_at) == (False, "equal", None)


def test_two_writes_that_a_coarse_clock_gave_one_name_are_two_lines():
    other = [replace(each, profile_id=8) for each in write("A", 0)]
    lines = fold(newest(*write("A", 0), *other), Question())
    assert {line.entry.profile_id for line in lines} == {7, 8}


def test_a_note_stands_for_itself():
    notes = [Entry(NOON, "", "storm", "x"), Entry(NOON, "", "storm", "x")]
    assert [line.entry for line in fold(notes, Question())] == notes


def test_a_page_that_has_all_stages_asks_for_no_others():
    assert companions(write("A", 0), Question()) is None
    assert companions(write("A", 0), Question(before=7)) is None
    assert companions([Entry(NOON, "", "storm", "x")], Question()) is None
    assert companions(write("A", 0, checked=False), Question()) is None


@pytest.mark.parametrize("question", [Question(before=7), Question(revision="c")])
def test_later_stages_are_looked_for_where_they_may_be_on_another_page_or_name_no_commit(question):
    asked = companions(write("A", 0, checked=False), question)
    assert (asked.stations, asked.since, asked.revision) == (("A",), NOON, "")


def test_other_stages_are_looked_for_within_a_day_and_not_beyond_what_was_asked_for():
    lines = write("A", 0, checked=False)
    assert companions(lines, Question(before=7)).until == NOON + SECOND + timedelta(days=1)
    assert companions(lines, Question(before=7, until=NOON + 2 * SECOND)).until == NOON + 2 * SECOND


def test_a_write_with_an_unreadable_name_is_looked_for_a_day_back():
    odd = replace(write("A", 0)[1], write="odd")
    assert companions([odd], Question()).since == odd.at - timedelta(days=1)


def test_lines_at_hand_are_chosen_as_a_store_does():
    history = [*write("A", 0), *write("B", 10, revision="d2"), Entry(NOON + 60 * SECOND, "", "storm", "x")]
    everything = recent(history, 7, Question())
    assert (everything.entries, everything.older) == (tuple(reversed(history)), 0)
    assert len(recent(history, 7, Question(stations=("a",))).entries) == 3
    assert len(recent(history, 7, Question(revision="d")).entries) == 2
    assert len(recent(history, 7, Question(since=NOON + 10 * SECOND)).entries) == 4
    assert len(recent(history, 7, Question(until=NOON + 10 * SECOND)).entries) == 3
    assert recent(history, 7, Question(stations=())).entries == ()


def test_a_page_at_hand_goes_on_where_the_last_one_ended_although_older_lines_were_forgotten():
    history = [Entry(NOON + number * SECOND, "", "note", str(number)) for number in range(10)]
    first = recent(history, 110, Question(limit=4))
    later = [*history[3:], Entry(NOON + 99 * SECOND, "", "note", "new")]
    second = recent(later, 111, Question(limit=4, before=first.older))
    assert [each.reason for each in (*first.entries, *second.entries)] == ["9", "8", "7", "6", "5", "4", "3"]


async def test_a_page_ends_after_some_rounds_even_where_hardly_anything_is_found():
    sent = write("A", 0)

    async def ask(asked):
        return Page(tuple(newest(*sent)), 0) if asked.stations else Page((sent[0],), asked.before - 1)

    lines, older = await tell(ask, Question(before=100))
    assert (lines, older) == ((), 100 - MOST_ROUNDS)


async def read_all(history, question):
    async def ask(asked):
        return recent(history, len(history), asked)

    pages = []
    while True:
        lines, older = await tell(ask, question)
        pages.append(lines)
        if not older:
            return pages
        question = replace(question, before=older)


@given(
    writes=st.lists(
        st.tuples(st.sampled_from("ABC"), st.integers(0, 20), st.booleans(), st.booleans()), unique_by=lambda x: x[:2]
    ),
    limit=st.integers(1, 7),
    filters=st.sampled_from([Question(), Question(revision="c"), Question(stations=("a", "B"))]),
)
async def test_over_all_pages_each_write_is_told_once_and_whole(writes, limit, filters):
    made = [write(station, at, answered=answered, checked=checked) for station, at, answered, checked in writes]
    history = sorted((each for lines in made for each in lines), key=lambda each: each.at)
    wanted = {
        lines[0].write: lines for lines in made if filters.stations is None or lines[0].station.lower() in {"a", "b"}
    }
    pages = await read_all(history, replace(filters, limit=limit))
    told = [line for page in pages for line in page]
    assert sorted(line.entry.write for line in told) == sorted(wanted)
    assert all(len(page) <= limit for page in pages)
    for line in told:
        stages = {each.stage for each in wanted[line.entry.write]}
        assert line.open == (stages == {Stage.INTENT})
        assert bool(line.read_back) == (Stage.READ_BACK in stages)
        assert bool(line.entry.answer) == (Stage.ANSWER in stages)
