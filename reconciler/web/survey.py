"""How the whole fleet stands, in numbers: what metrics show and notices compare. Pure; one pass over the stations.

Called by `metrics` for every scrape and by `notify` every few seconds. It counts stations and never names one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.profiles.profile import Mode, Period, Profile, Purpose, later
from reconciler.rollout.conditions import Reason
from reconciler.rollout.station import Goal, Station
from reconciler.web.ports import WorldLike
from reconciler.web.view import UNSEEN

PATIENCE = timedelta(minutes=5)
"""How long a renewal may be due before its lease is called at risk, however short the lease."""
ADRIFT = frozenset({Reason.DRIFTED, Reason.DRIFT_STORM, Reason.CONTESTED})


@dataclass(frozen=True, slots=True)
class Grace:
    """Until when a lease has flow: it is to be renewed by `due`, at risk from `risk` on, and over at `lapse`."""

    due: datetime
    risk: datetime
    lapse: datetime


@dataclass(frozen=True, slots=True)
class Survey:
    """Numbers of stations of the revision in force; times are None where there is nothing to measure.

    `lapses` has the first end of a lease with flow, of stations that are connected (True) and that are not; `at_risk`
    and `lapsed` count the leases of connected stations that should have been renewed. `drifting_since` is the oldest.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    stations: int = 0
    connected: int = 0
    in_sync: int = 0
    faulted: int = 0
    at_risk: int = 0
    lapsed: int = 0
    lapses: Mapping[bool, datetime] = field(default_factory=dict)
    drifting_since: datetime | None = None

    @property
    def in_sync_ratio(self) -> float | None:
        """Give the share of the connected stations that are in sync: offline is not failed."""
        return self.in_sync / self.connected if self.connected else None


def survey(world: WorldLike, now: datetime) -> Survey:
    """Look at every station of the revision in force once."""
    keys = world.revision.fleet.stations if world.revision else ()
    turned = [world.turned.get(key) for key in keys]
    reasons = Counter(each.reason if each else Reason.OFFLINE for each in turned)
    states = Counter(answer.state if answer else UNSEEN[0] for answer in map(world.standing.get, keys))
    found = [station for station in map(world.stations.get, keys) if station is not None]
    graces = tuple(_graces(found))
    due = [grace for online, grace in graces if online and now >= grace.risk]
    return Survey(
        states=states,
        reasons=reasons,
        stations=len(turned),
        connected=sum(station.session is not None for station in found),
        in_sync=reasons[Reason.IN_SYNC],
        faulted=sum(bool(station.faulted) for station in found if station.session is not None),
        at_risk=sum(now < grace.lapse for grace in due),
        lapsed=sum(now >= grace.lapse for grace in due),
        lapses=_first(graces),
        drifting_since=min((each.since for each in turned if each and each.reason in ADRIFT), default=None),
    )


def grace(goal: Goal) -> Grace | None:
    """Give how long the flow of a goal goes on where nobody renews it; None where nothing flows.

    It is at risk once half of the time is gone that a late renewal has.
    """
    ends = [end for profile in goal.profiles if (end := _flows_until(profile)) is not None]
    if not ends:
        return None
    lapse = max(goal.until, min(ends))
    return Grace(goal.until, max(goal.until + (lapse - goal.until) / 2, goal.until + PATIENCE), lapse)


def _graces(stations: list[Station]) -> Iterator[tuple[bool, Grace]]:
    """Give each station's grace by the goal that was last read back; stations share goals, and so the work."""
    known: dict[int, Grace | None] = {}
    for station in stations:
        goal = station.verified
        if goal is None:
            continue
        if id(goal) not in known:
            known[id(goal)] = grace(goal)
        found = known[id(goal)]
        if found is not None:
            yield station.session is not None, found


def _first(graces: tuple[tuple[bool, Grace], ...]) -> dict[bool, datetime]:
    first: dict[bool, datetime] = {}
    for online, each in graces:
        first[online] = min(first.get(online, each.lapse), each.lapse)
    return first


def _flows_until(profile: Profile) -> datetime | None:
    """Give when the last step with flow of a profile ends; the ceiling lets nothing flow by itself."""
    schedule = profile.schedule
    flowing = [number for number, period in enumerate(schedule.periods) if _flows(period)]
    if profile.purpose is Purpose.STATION_MAX or schedule.start is None or not flowing:
        return None
    seconds = [period.start for period in schedule.periods[flowing[-1] + 1 :]][:1]
    seconds += [] if schedule.duration is None else [schedule.duration]
    ends = [later(schedule.start, each) for each in seconds]
    ends += [] if profile.valid_to is None else [profile.valid_to]
    return min(ends, default=None)


def _flows(period: Period) -> bool:
    said = (period.limit, period.setpoint, period.discharge_limit)
    still = period.mode is Mode.IDLE or (any(each is not None for each in said) and not any(map(_nonzero, said)))
    return not still


def _nonzero(value: Decimal | None) -> bool:
    return value is not None and value != 0
