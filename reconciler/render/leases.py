"""Captured leases of a fleet like ours: what many say together, though each begins and ends at its own time. Pure.

Called by `import`. A lease is an absolute profile that ends by commanding zero for ever. Nobody has wished for that
zero: it is what happens when nobody renews, and the floor under it says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, groupby

from reconciler.profiles.form import plain
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.render.capture import PLAIN_MODES

LEAST_SHARED = timedelta(hours=4)
"""How long two leases must speak of the same time before they can be said to agree."""
Word = tuple[Decimal | None, int | None]
"""What a period commands: signed power in the schedule's unit, and on how many phases."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What was commanded from `begin` until `end`; at each of the `steps` another period begins."""

    unit: Unit
    end: datetime
    steps: tuple[tuple[datetime, Period], ...]

    @property
    def begin(self) -> datetime:
        """Give when it begins."""
        return self.steps[0][0]

    def agrees(self, other: Lease) -> bool:
        """Tell whether both command the same for the time that both cover, and that is long enough to tell."""
        since, until = max(self.begin, other.begin), min(self.end, other.end)
        if self.unit is not other.unit or until - since < LEAST_SHARED:
            return False
        edges = (at for at, _ in (*self.steps, *other.steps) if since < at < until)
        return all(_word(self.said_at(edge)) == _word(other.said_at(edge)) for edge in chain((since,), edges))

    def join(self, other: Lease) -> Lease:
        """Give what two that agree say together."""
        begin, end = min(self.begin, other.begin), max(self.end, other.end)
        edges = sorted({begin, self.end, other.end, *(at for at, _ in (*self.steps, *other.steps))} - {end})
        said = [(at, (self if self.begin <= at < self.end else other).said_at(at)) for at in edges]
        steps = tuple(next(same) for _, same in groupby(said, lambda step: _word(step[1])))
        return Lease(self.unit, end, steps)

    def said_at(self, at: datetime) -> Period:
        """Give the period that holds at an instant between begin and end."""
        return next(period for since, period in reversed(self.steps) if since <= at)

    def schedule(self, like: ChargingSchedule) -> ChargingSchedule:
        """Give it as a charging schedule that ends, with the id of another."""
        periods = tuple(replace(period, start=(at - self.begin) // timedelta(seconds=1)) for at, period in self.steps)
        return replace(
            like, start=self.begin, periods=periods, duration=(self.end - self.begin) // timedelta(seconds=1)
        )


def read_lease(profile: Profile) -> Lease | None:
    """Give what a profile commands before the zero that closes it; None where it is no lease."""
    schedule = profile.schedule
    if (profile.purpose, profile.kind) != (Purpose.TX_DEFAULT, Kind.ABSOLUTE) or schedule.start is None:
        return None
    periods, bounds = schedule.periods, (schedule.duration, profile.valid_from, profile.valid_to)
    if bounds != (None, None, None) or {period.mode for period in periods} - PLAIN_MODES:
        return None
    if len(periods) < 2 or _word(periods[-1])[0] != 0:
        return None
    begin = schedule.start
    steps = tuple((begin + timedelta(seconds=period.start), period) for period in periods[:-1])
    return Lease(schedule.unit, begin + timedelta(seconds=periods[-1].start), steps)


def gather(leases: Iterable[Lease]) -> Mapping[Lease, Lease]:
    """Give for each lease what it says together with those that agree with it; in whatever order they come.

    One that agrees with several that disagree among themselves joins none of these: nobody can tell whose it is.
    """
    families: list[_Family] = []
    for lease in sorted(set(leases), key=_order):
        agreed = [family for family in families if family.whole.agrees(lease)]
        unsure = [family for family in agreed if family.is_unsure]
        if unsure or len(agreed) == 1:
            (unsure or agreed)[0].take(lease)
        else:
            families.append(_Family(lease, [lease], is_unsure=bool(agreed)))
    return {lease: family.whole for family in families for lease in family.members}


@dataclass(slots=True)
class _Family:
    """Leases that agree; `is_unsure` tells that they agree with others as well."""

    whole: Lease
    members: list[Lease]
    is_unsure: bool

    def take(self, lease: Lease) -> None:
        self.whole = self.whole.join(lease)
        self.members.append(lease)


def _order(lease: Lease) -> tuple[float, float, str]:
    return (-lease.end.timestamp(), lease.begin.timestamp(), repr(lease.steps))


def _word(period: Period) -> Word:
    power = period.limit if period.setpoint is None else period.setpoint
    return (None if power is None else plain(power), period.number_phases)
