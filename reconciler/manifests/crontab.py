"""When a cron line matches, by the clock on a wall; the only home of cronsim.

Used by the models that check such lines, and by `openings`. Knows neither zones nor switches of daylight saving: a wall
clock shows what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cronsim import CronSim, CronSimError

from reconciler.manifests.quantity import Malformed

LONGEST = 100
FIELDS = 5
LONG_AGO = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
"""From when on a line has to match once; cronsim looks 50 years ahead."""
EXAMPLE = 'such as "0 9 * * mon-fri": minute, hour, day of the month, month, day of the week'


def matches(cron: str, after: datetime) -> Iterator[datetime]:
    """Give the wall times, without a zone, at which a checked line matches after one, in order."""
    yield from CronSim(cron, after)


def check_cron(text: str) -> str:
    """Refuse what is no cron line of five fields, and one that never matches; raises Malformed."""
    if len(text) > LONGEST or len(text.split()) != FIELDS:
        raise Malformed(f"`{text[:80]}` is not a cron line of {FIELDS} fields", "wrong-cron", EXAMPLE)
    try:
        found = next(matches(text, LONG_AGO), None)
    except CronSimError as error:
        part = str(error).removeprefix("Bad ")
        raise Malformed(f"the {part} of `{text}` can't be read", "wrong-cron", EXAMPLE) from None
    if found is None:
        raise Malformed(f"`{text}` never matches", "wrong-cron", "no month has such a day")
    return text
