"""How long a plan takes to be carried out: wave after wave, as fast as the fleet's strategy lets writes out.

Called by `fleet_plan`; what a pace means is asked by the controller's meters and the view of a rollout as well. It
refuses to know the controller's state and whether a window is open; what it is told of networks are the usual numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from reconciler.manifests.strategy import Strategy
from reconciler.plan.change import Change, Install, subject

EXCHANGE = timedelta(seconds=2)
"""What one request and its answer take over a mobile network, as a rule."""
AT_ONCE = 500
"""How many commands the controller has in flight over the whole fleet, unless it is told otherwise."""
MINUTE = timedelta(minutes=1)
BURST = 12
"""One part in so many of a minute's writes may go at once."""


class Work(NamedTuple):
    """What one station gets, the least time between two writes to one EVSE, and its site."""

    changes: Sequence[Change]
    interval: timedelta = timedelta(0)
    site: str = ""


def estimate(stations: Iterable[Work], strategy: Strategy) -> timedelta:
    """Give the time until all are written and read back.

    Writes to one EVSE keep their distance, except the very first ones; one request is in flight per station.
    """
    sites: dict[str, list[Work]] = {}
    for each in stations:
        if each.changes:
            sites.setdefault(each.site, []).append(each)
    every = [each for site in sites.values() for each in site]
    here = (
        _let_out(site, strategy.site_writes_per_minute, strategy.site_in_flight) for name, site in sites.items() if name
    )
    all_of_them = _let_out(every, strategy.writes_per_minute, min(AT_ONCE, strategy.in_flight or AT_ONCE))
    return max((all_of_them, *map(_alone, every), *here))


def least_time(writes: int, per_minute: int) -> timedelta:
    """Give the time that so many writes take at a pace, from the first to the last."""
    burst, interval = shape(per_minute)
    return max(writes - burst, 0) * interval


def shape(per_minute: int) -> tuple[int, timedelta]:
    """Give how many writes of a pace may go at once, and the time that each takes after that."""
    burst = max(1, per_minute // BURST)
    return burst, MINUTE / max(1, per_minute - burst)


def _alone(work: Work) -> timedelta:
    return _exchanges(work) * EXCHANGE + _waits(work.changes) * work.interval


def _let_out(works: Collection[Work], per_minute: int | None, in_flight: int | None) -> timedelta:
    """Give what a bound of writes a minute, and one of stations at once, make of all these."""
    paced = least_time(sum(len(each.changes) for each in works), per_minute) if per_minute else timedelta(0)
    crowded = sum(map(_exchanges, works)) * EXCHANGE / in_flight if in_flight else timedelta(0)
    return max(paced, crowded)


def _exchanges(work: Work) -> int:
    """Count its writes, and the read-back after them."""
    return len(work.changes) + 1


def _waits(changes: Sequence[Change]) -> int:
    if all(isinstance(change, Install) for change in changes):
        return 0
    places = Counter(subject(change).evse_id for change in changes)
    return max(places.values()) - 1
