"""What to do next with one station: a table, read from the top; the first row that applies wins.

The controller's step calls `decide` after every event of a station. Safety is a matter of order here: read before
write, floor before flow, verified before settled. The same state always gets the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from reconciler.plan.change import Change, Clear, Install, Keep, changes, subject
from reconciler.profiles.fit import may_discharge
from reconciler.profiles.profile import Purpose, Unit
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import (
    Push,
    ReadCapability,
    ReadComposite,
    ReadProfiles,
    SendRaw,
    StationCommand,
)
from reconciler.rollout.contest import contest_words, contested, peace_at
from reconciler.rollout.opinion import SPAN
from reconciler.rollout.precedence import overruled
from reconciler.rollout.station import (
    Goal,
    Pace,
    Station,
    backoff,
    floor_is_in_force,
    opinion,
    read_back_at,
    stuck,
    unasked,
)

ACTIONS: Mapping[type, str] = {
    ReadCapability: "GetVariables",
    ReadProfiles: "GetChargingProfiles",
    ReadComposite: "GetCompositeSchedule",
    Push: "SetChargingProfile",
    ClearCommand: "ClearChargingProfile",
}
"""How people know what is asked of a station."""
ANY_REQUEST = "any request"
"""What a person may ask for."""
LONGEST_SPACING = timedelta(days=1)
"""What a station may ask for at most between two writes: its word alone must not stop them for ever."""
FLOOR_AGAIN = timedelta(minutes=15)
"""How often a floor is put back that somebody else takes away again and again: no other profile goes on so."""
CONTESTED = "contested: "
"""How the reason begins of a station whose profiles somebody else keeps changing."""
NEVER_WAITS = datetime.min.replace(tzinfo=UTC)


class Next(NamedTuple):
    """What follows for a station.

    `state` and `why` are what people are shown. At most one of `command` (send it) and `writes` (send the first that
    its site allows) is set; `at` is when to ask again if nothing happens before. `routine` tells of a command that can
    wait, because nothing but time has made it due.
    """

    state: str
    why: str = ""
    command: StationCommand | None = None
    writes: tuple[Change, ...] = ()
    at: datetime | None = None
    routine: bool = False


class Asked(NamedTuple):
    """What a row looks at: the station, the goal's pending changes, the pace and the time.

    `gated` is true where the site's caps have just refused a write: then the question is what else there is to do.
    `fought` are the profile ids that somebody else keeps changing; of those only the floor is pending.
    """

    station: Station
    pending: tuple[Change, ...]
    pace: Pace
    now: datetime
    gated: bool = False
    fought: frozenset[int] = frozenset()


class Row(NamedTuple):
    """One row: its name, why it stands where it stands, and the function that answers if it applies.

    `states` are those that its answer may show, `asks` what it may have the station asked, in OCPP's words.
    """

    name: str
    why: str
    answer: Callable[[Asked], Next | None]
    states: tuple[str, ...]
    asks: tuple[str, ...] = ()


def decide(station: Station, pace: Pace, now: datetime, *, gated: bool = False) -> Next:
    """Say what a station needs next; `gated` leaves out the write that its site's caps have refused."""
    return applying(station, pace, now, gated=gated)[1]


def applying(station: Station, pace: Pace, now: datetime, *, gated: bool = False) -> tuple[Row, Next]:
    """Give the first row that applies, and its answer."""
    fought = contested(station, pace, now)
    pending = (
        each for each in changes(station.verdicts) if subject(each).id not in fought or _is_floor(station.goal, each)
    )
    asked = Asked(station, tuple(pending), pace, now, gated, fought)
    answers = ((row, row.answer(asked)) for row in TABLE)
    return next((row, answer) for row, answer in answers if answer is not None)


def _offline(asked: Asked) -> Next | None:
    return Next("deferred", "offline") if asked.station.session is None else None


def _busy(asked: Asked) -> Next | None:
    if asked.station.in_flight is None:
        return None
    return Next(_restless(asked), f"waiting for an answer to {_action(asked.station.in_flight)}")


def _action(command: StationCommand) -> str:
    """Give a command's name as OCPP has it."""
    return command.action if isinstance(command, SendRaw) else ACTIONS[type(command)]


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
    return Next("unknown", asked.station.trouble) if asked.station.goal is None else None


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


def _read_back(asked: Asked) -> Next | None:
    due = read_back_at(asked.station, asked.pace)
    if due is None or asked.now < due:
        return None
    state = _restless(asked) if asked.pending else _standing(asked).state
    return Next(state, "routine read-back", command=ReadProfiles(asked.station.identity), routine=True)


def _write(asked: Asked) -> Next | None:
    station = asked.station
    ready = [each for each in _order(asked) if due(station, each, asked.pace) <= asked.now]
    if not ready or asked.gated:
        return None
    stands = floor_is_in_force(station)
    safe = tuple(each for each in ready if stands or not _needs_floor(station.goal, each))
    if not safe:
        return _look(asked, "the floor is read back before any flow") or _no_floor(asked)
    return Next(_restless(asked), safe[0].reason, writes=safe)


def _order(asked: Asked) -> tuple[Change, ...]:
    """Give the changes that may go next: a floor alone, and no clear before all else is done (invariant 5)."""
    goal, pending = asked.station.goal, asked.pending
    if any(_is_floor(goal, each) for each in pending):
        return tuple(each for each in pending if _is_floor(goal, each))
    return tuple(each for each in pending if not isinstance(each, Clear)) or pending


def due(station: Station, change: Change, pace: Pace) -> datetime:
    """Give the instant from which a change may be written: spaced by EVSE and station, backed off by profile.

    The write interval spaces what overwrites or takes away: what is missing is put in its place at once, and discharge
    that is withdrawn ends at once. The floor
    waits for nothing but its own failures, and where it is contested, for its last write to be `FLOOR_AGAIN` ago.
    """
    profile = subject(change)
    times = []
    tries = station.tries.get(profile.id)
    if tries is not None:
        times.append(tries.at + backoff(f"{station.identity}/{profile.id}", tries.times))
    rounds = station.rounds.get(profile.id)
    if rounds is not None and rounds.times > pace.rounds and rounds.written is not None:
        times.append(rounds.written + FLOOR_AGAIN)
    if not _is_floor(station.goal, change):
        limit = station.capability.update_rate_limit if station.capability else timedelta(0)
        times += [at + min(limit, LONGEST_SPACING) for at in station.written_at.values()]
        spaced = not isinstance(change, Install) and not withdraws(station, change)
        if spaced and profile.evse_id in station.changed_at:
            times.append(station.changed_at[profile.evse_id] + pace.write_interval)
    return max(times, default=NEVER_WAITS)


def withdraws(station: Station, change: Change) -> bool:
    """Tell whether a change ends discharge at a station that is to discharge no more."""
    if isinstance(change, Install) or station.goal is None or any(map(may_discharge, station.goal.profiles)):
        return False
    return may_discharge(change.old) and (isinstance(change, Clear) or not may_discharge(change.new))


def _is_floor(goal: Goal | None, change: Change) -> bool:
    floor = goal.floor if goal else None
    return floor is not None and not isinstance(change, Clear) and change.new.id == floor.id


def _needs_floor(goal: Goal | None, change: Change) -> bool:
    """Tell whether a change may let something flow; what holds the floor's own place may always go."""
    if isinstance(change, Clear):
        in_the_way = goal is not None and goal.floor is not None and change.old.slot == goal.floor.slot
        return change.old.purpose is not Purpose.STATION_MAX and not in_the_way
    return change.new.purpose is not Purpose.STATION_MAX and not _is_floor(goal, change)


def _no_floor(asked: Asked) -> Next:
    station = asked.station
    refusal = station.goal.refusal if station.goal else ""
    reasons = [refusal, *(each.reason for each in stuck(station))]
    words = "; ".join(filter(None, reasons)) or "the composite schedule does not show it"
    return Next("refused", f"no flow without a verified floor: {words}", at=_wake(asked))


def _unverified(asked: Asked) -> Next | None:
    return _look(asked, "reading back what was written")


def _look(asked: Asked, why: str) -> Next | None:
    """Read back what is not verified: the inventory, or the composite schedules where that can't be read."""
    station = asked.station
    if not station.blind:
        command = ReadProfiles(station.identity)
        return Next(_restless(asked), why, command=command) if station.reported.unread else None
    left = unasked(station)
    if not left:
        return None
    units = station.capability.units if station.capability else ()
    unit = Unit.AMPERE if units and Unit.WATT not in units else Unit.WATT
    seconds = int(SPAN.total_seconds())
    return Next(_restless(asked), why, command=ReadComposite(station.identity, left[0], seconds, unit))


def _waiting(asked: Asked) -> Next | None:
    """Say what a change waits for that may not be written yet."""
    left = _order(asked)
    if not left:
        return None
    change = min(left, key=lambda each: due(asked.station, each, asked.pace))
    at = due(asked.station, change, asked.pace)
    times = [time for time in (at, _wake(asked)) if time is not None and time > asked.now]
    why = _fought_words(asked) if asked.fought else change.reason
    return Next(_restless(asked), f"{why}; written again at {at:%H:%M:%S} UTC", at=min(times, default=None))


def _contested(asked: Asked) -> Next | None:
    """Say what is left as somebody else wants it, until there was a day of peace."""
    if not asked.fought:
        return None
    times = (peace_at(asked.station, asked.fought), _wake(asked))
    return Next("drifted", _fought_words(asked), at=min(time for time in times if time is not None))


def _fought_words(asked: Asked) -> str:
    return CONTESTED + contest_words(asked.station, asked.fought, asked.now)


def _blind_words(station: Station) -> str:
    if opinion(station):
        return "it does not report its profiles; its composite schedules agree with what it accepted"
    return "it does not report its profiles, and its composite schedules do not show what it accepted"


def _settled(asked: Asked) -> Next:
    return _standing(asked)


def _standing(asked: Asked) -> Next:
    """Say how a station stands for which there is nothing to do."""
    fought = _contested(asked)
    if fought is not None:
        return fought
    station, at = asked.station, _wake(asked)
    reasons = [each.reason for each in stuck(station)]
    if station.goal and station.goal.refusal:
        reasons.insert(0, station.goal.refusal)
    if reasons:
        return Next("refused", "; ".join(reasons), at=at)
    if station.blind:
        return Next("unknown", _blind_words(station), at=at)
    notes = [verdict.reason for verdict in station.verdicts if isinstance(verdict, Keep) and verdict.reason]
    return Next("in-sync", "; ".join((*notes, *overruled(station, asked.now))), at=at)


def _restless(asked: Asked) -> str:
    """Give the state of a station that has something to do: drifted where its goal was verified before."""
    station = asked.station
    if not station.reported.known and not station.blind:
        return "unknown"
    verified = station.verified is not None and station.verified == station.goal
    if asked.fought:
        return "drifted"
    if asked.pending:
        return "drifted" if verified else "pending"
    return "in-sync" if verified and not station.reported.unread and not station.blind else "pending"


def _wake(asked: Asked) -> datetime | None:
    station = asked.station
    times = (read_back_at(station, asked.pace), station.goal.until if station.goal else None)
    return min((time for time in times if time is not None and time > asked.now), default=None)


RESTLESS = ("unknown", "pending", "drifted", "in-sync")
READING = ("GetChargingProfiles",)
LOOKING = ("GetChargingProfiles", "GetCompositeSchedule")
WRITING = ("SetChargingProfile", "ClearChargingProfile", *LOOKING)

TABLE: tuple[Row, ...] = (
    Row("offline", "offline is not failed: its change waits until it is back", _offline, ("deferred",)),
    Row("busy", "one command in flight per station", _busy, RESTLESS),
    Row("not ready", "nothing is sent before the station has booted", _not_ready, ("pending",)),
    Row("by hand", "what a person asks for goes before what a schedule asks for", _by_hand, RESTLESS, (ANY_REQUEST,)),
    Row("holding off", "no hot retry, ever", _holding_off, RESTLESS),
    Row("no goal", "without a good revision nothing is desired", _no_goal, ("unknown",)),
    Row("unlearnt", "a profile is fitted to what the station can take", _unlearnt, ("unknown",), ("GetVariables",)),
    Row("unread", "what a station holds is read before anything is written", _unread, ("unknown",), READING),
    Row(
        "read-back",
        "stations lose things silently, also while something waits",
        _read_back,
        (*RESTLESS, "refused"),
        READING,
    ),
    Row("write", "one change at a time, the floor before any flow", _write, ("pending", "drifted", "refused"), WRITING),
    Row(
        "unverified",
        "accepted is not in force: everything written is read back",
        _unverified,
        ("pending", "drifted"),
        LOOKING,
    ),
    Row("waiting", "writes are spaced, and what came to nothing is not repeated at once", _waiting, RESTLESS[1:3]),
    Row(
        "contested",
        "two writers that repair one another wear out a station's flash: a person decides",
        _contested,
        ("drifted",),
    ),
    Row("settled", "nothing to do", _settled, ("in-sync", "refused", "unknown")),
)
