"""What to do next with one station: a table, read from the top; the first row that applies wins.

The controller's step calls `decide` after every event of a station. Safety is a matter of order here: read before
write, floor before flow, verified before settled. The same state always gets the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from reconciler.plan.change import Change, Clear, Keep, changes
from reconciler.profiles.profile import Purpose, Unit
from reconciler.rollout.commands import ReadCapability, ReadComposite, ReadProfiles, StationCommand
from reconciler.rollout.station import (
    Goal,
    Pace,
    Station,
    floor_is_in_force,
    opinion,
    read_back_at,
    stuck,
)

SECOND_OPINION = timedelta(hours=1)


class Next(NamedTuple):
    """What follows for a station.

    `state` and `why` are what people are shown. At most one of `command` (send it) and `write` (send it if its site
    allows) is set; `at` is when to ask again if nothing happens before.
    """

    state: str
    why: str = ""
    command: StationCommand | None = None
    write: Change | None = None
    at: datetime | None = None


class Asked(NamedTuple):
    """What a row looks at: the station, the goal's pending changes, the pace and the time."""

    station: Station
    pending: tuple[Change, ...]
    pace: Pace
    now: datetime


class Row(NamedTuple):
    """One row: its name, why it stands where it stands, and the function that answers if it applies."""

    name: str
    why: str
    answer: Callable[[Asked], Next | None]


def decide(station: Station, pace: Pace, now: datetime) -> Next:
    """Say what a station needs next."""
    asked = Asked(station, changes(station.verdicts), pace, now)
    answers = (row.answer(asked) for row in TABLE)
    return next(answer for answer in answers if answer is not None)


def _offline(asked: Asked) -> Next | None:
    return Next("deferred", "offline") if asked.station.session is None else None


def _busy(asked: Asked) -> Next | None:
    if asked.station.in_flight is None:
        return None
    return Next(_restless(asked), f"waiting for an answer to {type(asked.station.in_flight).__name__}")


def _not_ready(asked: Asked) -> Next | None:
    return None if asked.station.ready else Next("pending", "waiting for its BootNotification")


def _by_hand(asked: Asked) -> Next | None:
    requests = asked.station.asked
    return Next(_restless(asked), "a request sent by hand", command=requests[0]) if requests else None


def _holding_off(asked: Asked) -> Next | None:
    retry_at = asked.station.retry_at
    if retry_at is None or asked.now >= retry_at:
        return None
    return Next(_restless(asked), f"next try at {retry_at:%H:%M:%S} UTC after: {asked.station.trouble}", at=retry_at)


def _no_goal(asked: Asked) -> Next | None:
    return Next("unknown", "no revision is loaded") if asked.station.goal is None else None


def _unlearnt(asked: Asked) -> Next | None:
    station = asked.station
    if station.capability is not None or station.base is None:
        return None
    command = ReadCapability(station.identity, station.base)
    return Next("unknown", "what it can take is not read yet", command=command)


def _unread(asked: Asked) -> Next | None:
    station = asked.station
    if station.reported.known or station.blind:
        return None
    return Next(_restless(asked), "its profiles are not read yet", command=ReadProfiles(station.identity))


def _write(asked: Asked) -> Next | None:
    if not asked.pending:
        return None
    station, change = asked.station, asked.pending[0]
    subject = change.old if isinstance(change, Clear) else change.new
    if _lets_flow(station.goal, change) and not floor_is_in_force(station):
        return _floor_first(asked)
    spaced = station.written_at.get(subject.evse_id)
    due = None if spaced is None else spaced + _spacing(asked)
    if due is not None and due > asked.now and not _is_floor(station.goal, change):
        return Next(_restless(asked), f"its EVSE may be written to again at {due:%H:%M:%S} UTC", at=due)
    return Next(_restless(asked), change.reason, write=change)


def _is_floor(goal: Goal | None, change: Change) -> bool:
    return not isinstance(change, Clear) and goal is not None and change.new.id == goal.profiles[0].id


def _lets_flow(goal: Goal | None, change: Change) -> bool:
    if isinstance(change, Clear) or _is_floor(goal, change):
        return False
    return change.new.purpose is not Purpose.STATION_MAX


def _spacing(asked: Asked) -> timedelta:
    """Give the least time between two writes to one EVSE; a station's very first profiles follow one another."""
    station = asked.station
    limit = station.capability.update_rate_limit if station.capability else timedelta(0)
    return max(limit, asked.pace.write_interval if station.verified is not None else timedelta(0))


def _floor_first(asked: Asked) -> Next:
    station = asked.station
    if station.reported.unread:
        return _verify(asked, "the floor is read back before any flow")
    reasons = "; ".join(each.reason for each in stuck(station)) or "the composite schedule does not show it"
    return Next("refused", f"no flow without a verified floor: {reasons}", at=_wake(asked))


def _unverified(asked: Asked) -> Next | None:
    return _verify(asked, "reading back what was written") if asked.station.reported.unread else None


def _verify(asked: Asked, why: str) -> Next:
    station = asked.station
    if not station.blind or station.goal is None:
        return Next(_restless(asked), why, command=ReadProfiles(station.identity))
    left = [evse for evse in station.goal.evses if evse not in station.reported.composites]
    if not left:
        return Next("unknown", _blind_words(station), at=_wake(asked))
    unit = station.capability.units[0] if station.capability and station.capability.units else Unit.WATT
    seconds = int(SECOND_OPINION.total_seconds())
    return Next(_restless(asked), why, command=ReadComposite(station.identity, left[0], seconds, unit))


def _blind_words(station: Station) -> str:
    if opinion(station):
        return "it does not report its profiles; its composite schedules agree with what it accepted"
    return "it does not report its profiles, and its composite schedules do not show what it accepted"


def _read_back(asked: Asked) -> Next | None:
    due = read_back_at(asked.station, asked.pace)
    if due is None or asked.now < due:
        return None
    return Next(_standing(asked).state, "routine read-back", command=ReadProfiles(asked.station.identity))


def _settled(asked: Asked) -> Next:
    return _standing(asked)


def _standing(asked: Asked) -> Next:
    """Say how a station stands for which there is nothing to do."""
    station, at = asked.station, _wake(asked)
    reasons = [each.reason for each in stuck(station)]
    if station.goal and station.goal.refusal:
        reasons.insert(0, station.goal.refusal)
    if reasons:
        return Next("refused", "; ".join(reasons), at=at)
    if station.blind:
        return Next("unknown", _blind_words(station), at=at)
    notes = [verdict.reason for verdict in station.verdicts if isinstance(verdict, Keep) and verdict.reason]
    return Next("in-sync", "; ".join(notes), at=at)


def _restless(asked: Asked) -> str:
    """Give the state of a station that has something to do: drifted where its goal was verified before."""
    station = asked.station
    if not station.reported.ever_known:
        return "unknown" if not station.blind else "pending"
    if not asked.pending:
        return "in-sync" if station.verified == station.goal and station.goal is not None else "pending"
    return "drifted" if station.verified is not None and station.verified == station.goal else "pending"


def _wake(asked: Asked) -> datetime | None:
    station = asked.station
    times = (read_back_at(station, asked.pace), station.goal.until if station.goal else None)
    return min((time for time in times if time is not None and time > asked.now), default=None)


TABLE: tuple[Row, ...] = (
    Row("offline", "offline is not failed: its change waits until it is back", _offline),
    Row("busy", "one command in flight per station", _busy),
    Row("not ready", "nothing is sent before the station has booted", _not_ready),
    Row("by hand", "what a person asks for goes before what a schedule asks for", _by_hand),
    Row("holding off", "no hot retry, ever", _holding_off),
    Row("no goal", "without a good revision nothing is desired", _no_goal),
    Row("unlearnt", "a profile is fitted to what the station can take", _unlearnt),
    Row("unread", "what a station holds is read before anything is written", _unread),
    Row("write", "one change at a time, the floor before any flow", _write),
    Row("unverified", "accepted is not in force: everything written is read back", _unverified),
    Row("read-back", "stations lose things silently", _read_back),
    Row("settled", "nothing to do", _settled),
)
