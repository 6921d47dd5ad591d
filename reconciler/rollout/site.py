"""Whether a site's caps hold if one more change is sent, whatever the other stations do meanwhile (invariant 8).

The controller's step asks before every write that lets flow. Each station is counted with the most that it may be
doing: what it holds, or what it was sent, whichever is more. Import and export never offset one another, because the
station that offsets may be the one that goes silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from reconciler.profiles.composite import Situation, compose
from reconciler.profiles.profile import Profile
from reconciler.profiles.timeline import Timeline, combine, timeline, total

ZERO = Decimal(0)
HORIZON = timedelta(days=8)
MOST_PERIODS = 2000
"""How many periods of one station are composed; real ones hold some dozens."""


@dataclass(frozen=True, slots=True)
class Load:
    """The most that a station may draw and feed back over time, in W as magnitudes."""

    draw: Timeline
    feed: Timeline


@dataclass(frozen=True, slots=True)
class Caps:
    """A site's caps in W as magnitudes."""

    import_w: Decimal
    export_w: Decimal


NOTHING = Load(Timeline(), Timeline())
AT_CAP = "the site's cap"
"""How every reason begins for which a station waits until its site has room."""


@lru_cache(maxsize=50_000)
def load_of(profiles: tuple[Profile, ...], evses: tuple[tuple[int, Decimal, Decimal], ...], start: datetime) -> Load:
    """Give the load of a station that holds `profiles`; `evses` are (id, charge W, watts per ampere).

    An EVSE without any profile draws what its hardware carries, which is why `start` matters only to the past. A
    station that holds more than can be computed in good time is counted with all that its hardware carries, both ways.
    """
    draws, feeds = [], []
    if sum(len(schedule.periods) for profile in profiles for schedule in profile.schedules) > MOST_PERIODS:
        most = timeline([(start, sum((charge_w for _, charge_w, _ in evses), ZERO))])
        return Load(most, most)
    for evse_id, charge_w, watts_per_ampere in evses:
        spans = compose(profiles, evse_id, start, start + HORIZON, Situation(watts_per_ampere=watts_per_ampere))
        draws.append(timeline((span.start, _within(span.flow.most_import_w, charge_w)) for span in spans))
        feeds.append(timeline((span.start, span.flow.most_export_w) for span in spans))
    return Load(total((line, 1) for line in draws), total((line, 1) for line in feeds))


def load_of_lines(lines: Sequence[Timeline], lowest: Sequence[Timeline] | None = None) -> Load:
    """Give the load of a station whose EVSEs follow timelines of signed power, or go down to `lowest` of their own."""
    draws = [combine((line,), lambda powers: max(powers[0] or ZERO, ZERO)) for line in lines]
    feeds = [combine((line,), lambda powers: max(-(powers[0] or ZERO), ZERO)) for line in lowest or lines]
    return Load(total((line, 1) for line in draws), total((line, 1) for line in feeds))


def heavier(one: Load, other: Load) -> Load:
    """Give the most of two loads at every instant."""
    return one if one == other else _heavier(one, other)


@lru_cache(maxsize=4096)  # alike stations come to the same object, which sums count as one
def _heavier(one: Load, other: Load) -> Load:
    return Load(_highest(one.draw, other.draw), _highest(one.feed, other.feed))


def exceeds(loads: Iterable[Load], caps: Caps, now: datetime) -> str:
    """Say when and by how much the sum of loads exceeds a cap from `now` on; empty where it never does."""
    given = tuple(loads)
    shared = {id(load): load for load in given}
    counts = Counter(map(id, given))
    for name, cap, lines in (
        ("import", caps.import_w, [(load.draw, counts[key]) for key, load in shared.items()]),
        ("export", caps.export_w, [(load.feed, counts[key]) for key, load in shared.items()]),
    ):
        if sum((_peak(line) * times for line, times in lines), ZERO) <= cap:
            continue  # not even if all peaks fell together: no need to say when
        found = first_excess(total(lines), cap, now)
        if found:
            return f"{found[1] / 1000:.1f} kW of {cap / 1000:.1f} kW {name} at {found[0]:%Y-%m-%d %H:%M} UTC"
    return ""


@lru_cache(maxsize=50_000)
def _peak(line: Timeline) -> Decimal:
    """Give the most that a timeline ever has, and no less than zero."""
    return max((ZERO, *(power or ZERO for _, power in line.steps)))


def first_excess(line: Timeline, cap_w: Decimal, now: datetime) -> tuple[datetime, Decimal] | None:
    """Give the first instant from `now` on at which a timeline exceeds a cap, and its power there."""
    for start in (now, *(start for start in line.starts() if start > now)):
        power = line.at(start) or ZERO
        if power > cap_w:
            return start, power
    return None


def _within(power: Decimal | None, rating_w: Decimal) -> Decimal:
    return rating_w if power is None else min(power, rating_w)


def _highest(one: Timeline, other: Timeline) -> Timeline:
    return combine((one, other), lambda powers: max(power or ZERO for power in powers))
