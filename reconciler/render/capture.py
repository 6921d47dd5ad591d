"""The way back: what a captured profile commands, as windows over local time that a person could have written. Pure.

Called by `reconciler import`. What a schedule can't say is refused with the reason: a schedule has signed power and
nothing else, changes on full minutes, and reads the clocks of the fleet's time zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconciler.errors import ReconcilerError
from reconciler.manifests.quantity import Malformed, Quantity, parse_power
from reconciler.manifests.times import DAYS, MINUTES_PER_DAY
from reconciler.profiles.composite import Situation, changes, flow_at
from reconciler.profiles.form import plain
from reconciler.profiles.profile import Kind, Mode, Profile, Purpose, Recurrency, later

DAY = timedelta(days=1)
MOST_DAYS = 400
"""Of days on which a profile changes; nobody would read more windows."""
FOR_EVER = datetime(2200, 1, 1, tzinfo=UTC)
"""What ends later than this was not meant to end."""
ALL_DAY = (0, MINUTES_PER_DAY)
PLAIN_MODES = frozenset((Mode.CHARGING_ONLY, Mode.CENTRAL_SETPOINT, Mode.IDLE))
"""Those in which signed power says all there is to say."""
_NATIVE = Situation(watts_per_ampere=Decimal(1), voltage=Decimal(1))
"""Leaves amperes as they are: a schedule has them too."""
_REASONS = {
    Purpose.STATION_MAX: "it caps the station as a whole, which the EVSEs' `charge` and the site's `import` do here",
    Purpose.EXTERNAL: "another source than the fleet made it",
    Purpose.TX: "it belongs to one transaction, and a schedule to none",
    Purpose.PRIORITY: "it holds only while a driver asks for priority",
    Purpose.LOCAL_GENERATION: "it adds what is generated locally, which is not known ahead",
}
DateItem = date | tuple[date, date]
"""A date, or a range of dates with both ends in it."""


@dataclass(eq=False)
class Inexpressible(ReconcilerError):
    """A schedule can't say what a profile commands."""

    why: str

    def __str__(self) -> str:
        """Give the reason."""
        return self.why


class Piece(NamedTuple):
    """Minutes of a day, and the power between them; one that ends before it starts runs over midnight."""

    start: int
    end: int
    power: Quantity


@dataclass(frozen=True, slots=True)
class CapturedWindow:
    """A window as manifests have it: on weekdays (words) or on dates; `valid_from` is for what goes on for ever."""

    days: tuple[str, ...] | tuple[DateItem, ...]
    piece: Piece
    valid_from: date | None = None
    valid_to: date | None = None


def capture(profile: Profile, zone: ZoneInfo, now: datetime) -> tuple[CapturedWindow, ...]:
    """Give the windows that command what a profile does, from the local day of `now` on.

    Raises:
        Inexpressible: there are none.
    """
    _refuse_strange(profile)
    wall = now.astimezone(zone)
    recurs = profile.kind is Kind.RECURRING
    windows = _capture_recurring(profile, wall) if recurs else _capture_absolute(profile, zone, now)
    if not windows:
        raise Inexpressible("it commands nothing from now on")
    for window in windows:
        _check_text(window.piece.power)
    return windows


def round_to_minutes(profile: Profile) -> Profile:
    """Move every change to the nearest full minute: for those who rather have it nearly than not at all."""
    schedule = profile.schedule
    start = None if schedule.start is None else _nearest_minute(schedule.start)
    periods = {_minutes(period.start): replace(period, start=_minutes(period.start)) for period in schedule.periods}
    moved = replace(
        schedule,
        start=start,
        periods=tuple(periods[key] for key in sorted(periods)),
        duration=None if schedule.duration is None else _minutes(schedule.duration),
    )
    valid_from, valid_to = (edge and _nearest_minute(edge) for edge in (profile.valid_from, profile.valid_to))
    return replace(profile, schedules=(moved, *profile.schedules[1:]), valid_from=valid_from, valid_to=valid_to)


def power_at(profile: Profile, at: datetime) -> Quantity | None:
    """Give what a profile alone commands at an instant, signed and in its own unit; None in a gap.

    Raises:
        Inexpressible: a period has no power.
    """
    flow = flow_at((profile,), profile.evse_id or 1, at, _NATIVE)
    if flow.leader is None:
        return None
    value = flow.limit_w if flow.setpoint_w is None else flow.setpoint_w
    if value is None:
        raise Inexpressible("a period has no limit and no setpoint")
    return Quantity(plain(value), profile.schedule.unit.value)


def is_floor(profile: Profile) -> bool:
    """Tell whether a profile commands zero for ever, as the floor under every fleet does."""
    endless = profile.schedule.duration is None and profile.valid_to is None
    plain = profile.kind is Kind.ABSOLUTE and profile.purpose is Purpose.TX_DEFAULT
    powers = {period.limit if period.setpoint is None else period.setpoint for period in profile.schedule.periods}
    return endless and plain and powers == {Decimal(0)}


def _refuse_strange(profile: Profile) -> None:
    if profile.purpose is not Purpose.TX_DEFAULT:
        raise Inexpressible(_REASONS[profile.purpose])
    if profile.kind not in (Kind.ABSOLUTE, Kind.RECURRING):
        raise Inexpressible(f"it is {profile.kind}, and a schedule reads the clock")
    if profile.schedule.start is None:
        raise Inexpressible("it says no start")
    modes = {period.mode for period in profile.schedule.periods} - PLAIN_MODES
    if modes:
        raise Inexpressible(f"its operation mode {min(modes)} is no signed power")
    if len({period.number_phases for period in profile.schedule.periods}) > 1:
        raise Inexpressible("its periods use different numbers of phases")


def _check_text(power: Quantity) -> None:
    """Refuse a power that can't be written; raises Inexpressible."""
    try:
        parse_power(str(power))
    except Malformed as error:
        raise Inexpressible(f"its power can't be written: {error}") from error


def _capture_recurring(profile: Profile, now: datetime) -> tuple[CapturedWindow, ...]:
    """Take the pattern as today's clocks show it; a schedule keeps it when they change."""
    if profile.recurrency is None or profile.schedule.start is None:
        raise Inexpressible("it is Recurring and does not say how often")
    length, start = profile.recurrency.length, profile.schedule.start
    today = timezone(now.utcoffset() or timedelta())
    valid_from = _whole_day(max(filter(None, (start, profile.valid_from))), today, now, "begins")
    valid_to = _whole_day(profile.valid_to, today, now, "ends") if profile.valid_to else None
    midnight = datetime.combine(now.date(), time(), today)
    rounds = (start - midnight) // length + 1
    schedule = replace(profile.schedule, start=start - max(rounds, 0) * length)
    endless = replace(profile, valid_from=None, valid_to=None, schedules=(schedule,))
    found: dict[Piece, list[int]] = {}
    for number in range(length // DAY):
        day = now.date() + number * DAY
        for piece in _pieces(endless, today, day):
            found.setdefault(piece, []).append(day.weekday())
    if profile.recurrency is Recurrency.DAILY:
        pieces = sorted(found, key=_start)
        pieces = pieces if valid_from or valid_to or not pieces else _over_midnight(pieces)
        return tuple(CapturedWindow(("daily",), piece, valid_from, valid_to) for piece in pieces)
    return tuple(
        CapturedWindow(_weekdays(found[piece]), piece, valid_from, valid_to)
        for piece in sorted(found, key=lambda piece: (min(found[piece]), piece.start))
    )


def _start(piece: Piece) -> int:
    return piece.start


def _over_midnight(pieces: list[Piece]) -> list[Piece]:
    """Join the last piece of every day with the first of the next, as a person would write it."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) < 2 or (first.start, last.end) != ALL_DAY or first.power != last.power:
        return pieces
    return [*pieces[1:-1], Piece(last.start, first.end, first.power)]


def _whole_day(edge: datetime, zone: tzinfo, now: datetime, verb: str) -> date | None:
    """Give the date with which something begins or ends; None where it began before."""
    wall = edge.astimezone(zone)
    if wall <= now:
        if verb == "ends":
            raise Inexpressible(f"it ended at {wall:%Y-%m-%d %H:%M}")
        return None
    if wall.time() != time():
        raise Inexpressible(f"it {verb} at {wall:%Y-%m-%d %H:%M:%S}, and a schedule's validity {verb} with a day")
    return wall.date()


def _weekdays(numbers: Iterable[int]) -> tuple[str, ...]:
    known = tuple(sorted(numbers))
    words = {tuple(range(7)): ("daily",), tuple(range(5)): ("weekdays",), (5, 6): ("weekends",)}
    return words.get(known) or tuple(DAYS[number] for number in known)


def _capture_absolute(profile: Profile, zone: ZoneInfo, now: datetime) -> tuple[CapturedWindow, ...]:
    begin, end = _bounds(profile)
    if end is not None and end <= now:
        raise Inexpressible(f"it ended at {end.astimezone(zone):%Y-%m-%d %H:%M}")
    first = max(begin, now).astimezone(zone).date()
    edges = [edge for edge in changes(profile, _NATIVE, begin, FOR_EVER) if end is None or edge <= end]
    busy = sorted({first, *(day for edge in edges if (day := edge.astimezone(zone).date()) > first)})
    if len(busy) > MOST_DAYS:
        raise Inexpressible(f"it changes on {len(busy)} days, and at most {MOST_DAYS} are taken")
    found: dict[Piece, list[DateItem]] = {}
    for day in busy:
        for piece in _pieces(profile, zone, day):
            found.setdefault(piece, []).append(day)
    for day, following in pairwise(busy):
        still = _all_day(profile, zone, day + DAY) if following - day > DAY else None
        if still:
            found.setdefault(still, []).append((day + DAY, following - DAY))
    windows = [CapturedWindow(_join(days), piece) for piece, days in found.items()]
    rest = _all_day(profile, zone, busy[-1] + DAY)
    return (*windows, CapturedWindow(("daily",), rest, busy[-1] + DAY)) if rest else tuple(windows)


def _bounds(profile: Profile) -> tuple[datetime, datetime | None]:
    """Give when an absolute profile begins and ends to command; None = never."""
    schedule = profile.schedule
    assert schedule.start is not None  # noqa: S101 - refused before
    ends = [profile.valid_to] if profile.valid_to else []
    if schedule.duration is not None:
        ends.append(later(schedule.start, schedule.duration))
    end = min(ends, default=FOR_EVER)
    return max(filter(None, (schedule.start, profile.valid_from))), end if end < FOR_EVER else None


def _pieces(profile: Profile, zone: tzinfo, day: date) -> Iterator[Piece]:
    """Give what a profile commands on a local day, in the order of the wall clock."""
    midnight, following = _midnight(zone, day), _midnight(zone, day + DAY)
    inside = (_minute(edge.astimezone(zone)) for edge in changes(profile, _NATIVE, midnight, following))
    edges = sorted({*ALL_DAY, *inside})
    powers = {start: power_at(profile, _instant(zone, day, start)) for start in edges[:-1]}
    joined = list(_joined(edges, powers))
    if following - midnight != DAY:
        _check_switch(profile, zone, (midnight, following), joined)
    yield from joined


def _joined(edges: list[int], powers: Mapping[int, Quantity | None]) -> Iterator[Piece]:
    """Make pieces of what holds from edge to edge; neighbours differ."""
    start = edges[0]
    for end in edges[1:]:
        power = powers[start]
        if end == edges[-1] or powers[end] != power:
            if power is not None:
                yield Piece(start, end, power)
            start = end


def _check_switch(profile: Profile, zone: tzinfo, span: tuple[datetime, datetime], pieces: list[Piece]) -> None:
    """Hold the pieces against the profile at every minute of a day on which the clocks change."""
    for number in range((span[1] - span[0]) // timedelta(minutes=1)):
        at = span[0] + timedelta(minutes=number)
        minute = _minute(at.astimezone(zone))
        said = next((piece.power for piece in pieces if piece.start <= minute < piece.end), None)
        if said != power_at(profile, at):
            raise Inexpressible(f"it changes at {at.astimezone(zone):%Y-%m-%d %H:%M} while clocks show that hour twice")


def _all_day(profile: Profile, zone: tzinfo, day: date) -> Piece | None:
    power = power_at(profile, _midnight(zone, day))
    return None if power is None else Piece(*ALL_DAY, power)


def _minute(wall: datetime) -> int:
    if wall.second or wall.microsecond:
        raise Inexpressible(f"it changes at {wall:%Y-%m-%d %H:%M:%S}, and a schedule on full minutes")
    return wall.hour * 60 + wall.minute


def _minutes(seconds: int) -> int:
    """Give the nearest full minute, in seconds."""
    return (seconds + 30) // 60 * 60


def _nearest_minute(at: datetime) -> datetime:
    return (at + timedelta(seconds=30)).replace(second=0, microsecond=0)


def _midnight(zone: tzinfo, day: date) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _instant(zone: tzinfo, day: date, minute: int) -> datetime:
    return (datetime.combine(day, time()) + timedelta(minutes=minute)).replace(tzinfo=zone).astimezone(UTC)


def _join(items: Iterable[DateItem]) -> tuple[DateItem, ...]:
    """Make ranges of dates that follow one another."""
    spans: list[tuple[date, date]] = []
    for first, last in sorted(item if isinstance(item, tuple) else (item, item) for item in items):
        if spans and first - spans[-1][1] == DAY:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return tuple(first if first == last else (first, last) for first, last in spans)
