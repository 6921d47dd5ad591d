"""How long a plan takes to be carried out: an estimate from how many writes each station gets, and how they are spaced.

Called by `fleet_plan`. It refuses to know the controller's state; what it is told of its pace are the usual numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from reconciler.plan.change import Change, Clear, Install

EXCHANGE = timedelta(seconds=2)
"""What one request and its answer take over a mobile network, as a rule."""
AT_ONCE = 500
"""How many commands the controller has in flight over the whole fleet."""


def estimate(stations: Iterable[tuple[Sequence[Change], timedelta]]) -> timedelta:
    """Give the time until all are written and read back; each station comes with its least time between two writes.

    Writes to one EVSE keep that distance, except the very first ones; one request is in flight per station.
    """
    longest, exchanges = timedelta(0), 0
    for changes, interval in stations:
        if changes:
            own = len(changes) + 1
            exchanges += own
            longest = max(longest, own * EXCHANGE + _waits(changes) * interval)
    return max(longest, exchanges * EXCHANGE / AT_ONCE)


def _waits(changes: Sequence[Change]) -> int:
    if all(isinstance(change, Install) for change in changes):
        return 0
    places = Counter((change.old if isinstance(change, Clear) else change.new).evse_id for change in changes)
    return max(places.values()) - 1
