"""Powers, weeks and stations in the words of people; pure text, without colour and without width.

Called by `text`; whoever shows a profile or a schedule to a person says it with these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from reconciler.manifests.schedules import word_of
from reconciler.plan.asked import Asked, Line, clip_line
from reconciler.plan.planned import Batch, Course, FleetPlan
from reconciler.plan.power import lease_end, power_line
from reconciler.plan.week import DAY, DAYS, EVERY_DAY, Stretch, compare
from reconciler.profiles.form import plain
from reconciler.profiles.profile import Profile, Purpose, Unit
from reconciler.profiles.wording import count

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60
MOST_NAMES = 6
ZERO = Decimal(0)
_NUMBERED = re.compile(r"(.*?)([0-9]+)")


def describe_power(value: Decimal, unit: Unit = Unit.WATT) -> str:
    """Say a power: `-7 kW`, `3.5 kW`, `800 W`, `16 A`."""
    if unit is Unit.AMPERE:
        return f"{_number(value)} A"
    return f"{_number(value / 1000)} kW" if not value or abs(value) >= 1000 else f"{_number(value)} W"


def describe_change(power_w: Decimal) -> str:
    """Say a change of power, always with its sign: `-24 kW`, `+7.4 MW`."""
    if abs(power_w) >= 1_000_000:
        said = f"{_number((power_w / 1_000_000).quantize(Decimal('0.1')))} MW"
    else:
        said = describe_power(power_w)
    return f"+{said}" if power_w > 0 else said


def describe_stretch(stretch: Stretch, unit: Unit = Unit.WATT) -> str:
    """Say when, and what from what: `Mon-Fri 17:00-20:00 -7 kW -> -9 kW`."""
    said = [describe_asked(each, unit) for each in (stretch.old, stretch.new) if each.power is not None]
    if len(said) > 1 and said[0] == said[1]:
        said[1] += " by another curve"
    return f"{_when(stretch)} {' -> '.join(said)}".lstrip()


def describe_asked(asked: Asked, unit: Unit = Unit.WATT) -> str:
    """Say what is asked for: a power, or a mode with what may come of it: `local-frequency ±11 kW`."""
    power, steering = asked
    if steering is None:
        return describe_power(power or ZERO, unit)
    mode, (lowest, highest) = word_of(steering.mode) or steering.mode.value, asked.band
    if lowest == highest:
        return f"{mode} {describe_power(highest, unit)}" if highest else mode
    if lowest == -highest:
        return f"{mode} ±{describe_power(highest, unit)}"
    return f"{mode} {describe_power(lowest, unit)} to {describe_power(highest, unit)}"


def describe_week(stretches: Iterable[Stretch], unit: Unit = Unit.WATT) -> str:
    """Say a whole week of what is installed or cleared, leaving out where nothing flows."""
    flowing = [stretch for stretch in stretches if stretch.old.flows or stretch.new.flows]
    return "; ".join(describe_stretch(stretch, unit) for stretch in flowing) or "no flow"


def describe_profile(profile: Profile, now: datetime, zone: ZoneInfo) -> str:
    """Say what a profile commands from now on: `17:00-20:00 -7 kW`; by its kind where it has no fixed times."""
    line = power_line(profile, now)
    if line is None:
        return f"{profile.kind} {profile.purpose}"
    if len(line.parts) == 1 and line.parts[0].asked.power is not None:
        return f"{describe_asked(line.parts[0].asked, profile.schedule.unit)} at all times"
    span = (now, lease_end(line))
    stretches = compare(Line(), clip_line(line, span[1]), span, zone)
    return describe_week(_without_days(stretches), profile.schedule.unit)


def describe_differences(old: Profile, new: Profile, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """Say where two profiles command different power while both run; empty where they do not, or it can't be told."""
    before, after = power_line(old, now), power_line(new, now)
    if before is None or after is None or old.schedule.unit is not new.schedule.unit:
        return ()
    end = min((lease_end(line) for line in (before, after) if len(line.parts) > 1), default=None)
    if end is not None:
        before, after = clip_line(before, end), clip_line(after, end)
    stretches = compare(before, after, (now, end or now + DAYS * DAY), zone)
    return tuple(describe_stretch(each, old.schedule.unit) for each in _without_days(stretches))


def describe_duration(duration: timedelta) -> str:
    """Say how long something takes, roughly: `10 s`, `3 min`, `2 h`; never less than it is."""
    seconds = -(-duration // timedelta(seconds=1))
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{-(-seconds // size)} {unit}"
    return f"{seconds} s"


def describe_time(plan: FleetPlan) -> str:
    """Say how long a plan takes, and what makes it so: `about 42 min once all are online: 3 waves, ...`."""
    said, course = f"about {describe_duration(plan.churn.duration)} once all are online", plan.course
    if course is None or not _has_steps(course):
        return said
    pace = f", {count(course.writes_per_minute, 'write')} a minute" if course.writes_per_minute else ""
    soak = f", soak {describe_duration(course.soak)}{' each' if len(course.waves) > 1 else ''}" if course.soak else ""
    windows = ", inside the windows of its rollouts" if course.windows else ""
    return f"{said}: {count(len(course.waves), 'wave')}{soak}{pace}{windows}"


def describe_waves(plan: FleetPlan) -> Iterator[tuple[str, str]]:
    """Say of each wave how many stations of each group are in it; nothing where all go at once."""
    course = plan.course
    if course is None or not _has_steps(course):
        return
    if course.urgent.stations:
        yield "Before all waves", f"{_describe_batch(course.urgent)}: what makes them safer does not wait"
    yield from ((f"Wave {number}", _describe_batch(wave)) for number, wave in enumerate(course.waves, start=1))


def describe_place(profile: Profile) -> str:
    """Say what a profile is: the floor, the station maximum, an EVSE's schedule."""
    if profile.purpose is Purpose.STATION_MAX:
        return "station maximum"
    if profile.evse_id == 0:
        return "floor" if profile.stack_level == 0 else f"{profile.purpose} of all EVSEs"
    return f"EVSE {profile.evse_id}"


def describe_names(identities: Iterable[str], most: int = MOST_NAMES) -> str:
    """Say a set of stations: `Q3-001..Q3-012, Q3-020`, with the number of those left out."""
    runs = _runs(sorted(set(identities), key=_name_order))
    shown = [", ".join(run) if len(run) < 3 else f"{run[0]}..{run[-1]}" for run in runs[:most]]
    left = sum(len(run) for run in runs[most:])
    return ", ".join(shown) + (f" and {left} more" if left else "")


def describe_instant(at: datetime, zone: ZoneInfo) -> str:
    """Say an instant in local time, with the weekday: `Mon 2026-11-23 17:00`."""
    wall = at.astimezone(zone)
    return f"{WEEKDAYS[wall.weekday()]} {wall:%Y-%m-%d %H:%M}"


def describe_day(day: date) -> str:
    """Say a day: `Sat 2026-11-28`."""
    return f"{WEEKDAYS[day.weekday()]} {day:%Y-%m-%d}"


def _has_steps(course: Course) -> bool:
    return len(course.waves) > 1 or bool(course.waves and course.soak)


def _describe_batch(batch: Batch) -> str:
    groups = [f"{number} of {group or 'no group'}" for group, number in batch.groups.items()]
    left = [f"the others of {count(len(groups) - MOST_NAMES, 'more group')}"] if len(groups) > MOST_NAMES else []
    told = f" ({', '.join(groups[:MOST_NAMES] + left)})" if groups else ""
    return f"{count(batch.stations, 'station')}{told}"


def _number(value: Decimal) -> str:
    return f"{plain(value.quantize(Decimal('0.001'))):f}"


def _when(stretch: Stretch) -> str:
    days = "" if stretch.days == EVERY_DAY else f"{describe_days(stretch.days)} "
    if stretch.end is None:
        return f"from {days}{describe_clock(stretch.start)} on" if days else "at all times"
    clocks = f"{days}{describe_clock(stretch.start)}-{describe_clock(stretch.end)}"
    later = (stretch.end - stretch.start) // DAY_MINUTES
    return f"{clocks} ({count(later, 'day')} later)" if later else clocks


def describe_days(days: frozenset[int]) -> str:
    """Say weekdays: `Mon-Fri`, `Sat, Sun`, `Mon, Wed-Fri`."""
    ordered = sorted(days)
    runs = [[day for _, day in run] for _, run in groupby(enumerate(ordered), key=lambda each: each[1] - each[0])]
    parts: list[str] = []
    for run in runs:
        names = [WEEKDAYS[day] for day in run]
        parts += [f"{names[0]}-{names[-1]}"] if len(names) > 2 else names
    return ", ".join(parts)


def describe_clock(minute: int) -> str:
    """Say a minute of the day, or of the day after: `05:30`."""
    inside = minute % DAY_MINUTES
    return f"{inside // 60:02}:{inside % 60:02}"


def _without_days(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Let a day or two of a profile's lease be told by the clock alone."""
    unique = {replace(each, days=EVERY_DAY) for each in stretches}
    return tuple(sorted(unique, key=lambda each: (each.start, each.end or 0)))


def _name_order(identity: str) -> tuple[str, int, str]:
    found = _NUMBERED.fullmatch(identity)
    return (found[1].casefold(), int(found[2]), identity) if found else (identity.casefold(), -1, identity)


def _runs(identities: Sequence[str]) -> list[list[str]]:
    runs: list[list[str]] = []
    for identity in identities:
        if runs and _follows(runs[-1][-1], identity):
            runs[-1].append(identity)
        else:
            runs.append([identity])
    return runs


def _follows(one: str, other: str) -> bool:
    first, second = _NUMBERED.fullmatch(one), _NUMBERED.fullmatch(other)
    if first is None or second is None or first[1] != second[1]:
        return False
    padded = len(first[2]) == len(second[2]) or first[2][0] != "0"
    return padded and int(second[2]) == int(first[2]) + 1
