import time
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.cli.clock import faster, machine_clock, read_clock, write_clock
from reconciler.errors import UsageError

EVENING = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
NEAR = timedelta(seconds=5)


def test_without_a_word_it_is_the_machines_clock():
    assert read_clock("") is machine_clock
    assert machine_clock().tzinfo is UTC


def test_a_pretended_clock_starts_at_its_instant_and_goes_on():
    clock = read_clock("2026-03-03T18:00:00+01:00")
    first = clock()
    assert EVENING <= first < EVENING + NEAR
    assert clock() >= first


def test_two_processes_share_a_clock_that_was_written():
    began = time.time() - 3600
    text = write_clock(EVENING, began)
    one, other = read_clock(text), read_clock(text)
    assert abs(one() - other()) < NEAR
    assert abs(one() - (EVENING + timedelta(hours=1))) < NEAR


@pytest.mark.parametrize(
    "text", ["evening", "2026-03-03T18:00:00", "2026-03-03T18:00:00Z@x", "2026-03-03T18:00:00Z@1e99"]
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(UsageError, match="RECONCILER_CLOCK"):
        read_clock(text)


def test_a_faster_clock_starts_where_the_other_stands():
    now = [EVENING]
    quick = faster(lambda: now[0], 60)
    assert quick() == EVENING
    now[0] += timedelta(minutes=1)
    assert quick() == EVENING + timedelta(hours=1)
