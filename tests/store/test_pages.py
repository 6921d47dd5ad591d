"""Pages of the history: put together they are the whole, whatever the clock did while it was written."""

import pytest

from reconciler.rollout.ledger import Batch
from reconciler.rollout.question import Question


@pytest.mark.parametrize("seconds", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 2, 2, 2, 2), (0, 5, 1, 5, 3)])
async def test_pages_have_every_line_once_and_in_the_order_of_time(store, line, seconds):
    written = [line(second, reason=str(number)) for number, second in enumerate(seconds)]
    await store.write(Batch(entries=tuple(written)))
    told, before = [], 0
    for _ in seconds:
        page = await store.page(Question(limit=2, before=before))
        told += page.entries
        before = page.older
        if not before:
            break
    assert told == sorted(written, key=lambda each: each.at)[::-1]
