"""Cron lines: five fields, nothing that never matches, and no text that breaks the reader."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.crontab import check_cron, matches
from reconciler.manifests.quantity import Malformed

NOON = datetime.fromisoformat("2026-11-23T12:00")
"""By the clock on a wall."""


def refusal(text):
    with pytest.raises(Malformed) as caught:
        check_cron(text)
    return caught.value


@pytest.mark.parametrize(
    "text", ["0 9 * * mon-fri", "*/15 0-6 1,15 jan-mar *", "0 0 L * *", "30 2 29 2 *", "0 9 * * 1#2"]
)
def test_a_line_is_kept_as_it_is_written(text):
    assert check_cron(text) == text


@pytest.mark.parametrize("text", ["", "0 9 * *", "0 0 9 * * mon", "@daily", "0 9 * * *" + " " * 100])
def test_a_line_has_five_fields(text):
    assert refusal(text).rule == "wrong-cron"
    assert "5 fields" in refusal(text).message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("60 9 * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 9 32 * *", "day-of-month"),
        ("0 9 30 2 *", "day-of-month"),
        ("0 9 * 13 *", "month"),
        ("0 9 * * fri-mon", "day-of-week"),
    ],
)
def test_the_part_that_is_wrong_is_named(text, part):
    assert refusal(text).message == f"the {part} of `{text}` can't be read"


def test_a_line_that_never_matches_is_refused():
    assert refusal("0 0 */30 2 1#5").message == "`0 0 */30 2 1#5` never matches"


def test_matches_come_in_order_after_an_instant():
    found = list(islice(matches("0 12 * * mon-fri", NOON), 3))
    assert found == [NOON + timedelta(days=days) for days in (1, 2, 3)]


PART = st.text(st.sampled_from("0123456789*/,-#LlWwmonfri"), min_size=1, max_size=8)


@given(st.one_of(st.text(max_size=40), st.lists(PART, min_size=5, max_size=5).map(" ".join)))
def test_any_text_is_a_line_or_malformed(text):
    try:
        checked = check_cron(text)
    except Malformed:
        checked = ""
    assert not checked or next(matches(checked, NOON)) > NOON
