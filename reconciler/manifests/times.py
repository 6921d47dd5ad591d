"""Durations, local times and days as people write them.

Used by the manifest models and the command line; knows no time zone.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from reconciler.manifests.quantity import Malformed

MINUTES_PER_DAY = 1440
LONGEST = timedelta(days=3660)

_DURATION = re.compile(r"([0-9]{1,9}) ?([smhd])")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_LOOSE_CLOCK = re.compile(r"([0-9]{1,2})[:.h]([0-5][0-9])(?::00)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_GROUPS = {
    "daily": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "weekends": frozenset((5, 6)),
    **{name: frozenset((number,)) for number, name in enumerate(DAYS)},
}


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `90s`, `15m`, `26h` or `7d`; raises Malformed."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise Malformed(f"`{text}` is not a duration", "wrong-duration", "such as 90s, 15m, 26h or 7d")
    seconds = int(found[1]) * _SECONDS[found[2]]
    if seconds > LONGEST.total_seconds():
        raise Malformed(f"`{text}` is longer than ten years", "out-of-range")
    return timedelta(seconds=seconds)


def write_duration(duration: timedelta) -> str:
    """Write a duration in the largest unit that says it exactly; a day or less in hours."""
    seconds = int(duration.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return (
        f"{seconds // 3600}h" if unit == "d" and seconds <= 2 * _SECONDS["d"] else f"{seconds // _SECONDS[unit]}{unit}"
    )


def parse_clock(text: str) -> int:
    """Read a local time `HH:MM` as minutes of the day; `24:00` is 1440; raises Malformed."""
    if _CLOCK.fullmatch(text) is None:
        raise Malformed(f"`{text}` is not a time of day", "wrong-time", _likely_clock(text))
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def parse_days(words: str | list[str]) -> frozenset[int]:
    """Read one word or a list of words for weekdays, 0 being Monday; raises Malformed."""
    names = [words] if isinstance(words, str) else words
    if not names:
        raise Malformed("no day is named", "wrong-days", "such as daily or [mon, tue]")
    for name in names:
        if name not in DAY_GROUPS:
            hint = "the words are " + ", ".join((*DAYS, "daily", "weekdays", "weekends"))
            raise Malformed(f"`{name}` is not a day", "wrong-days", hint)
    return frozenset[int]().union(*(DAY_GROUPS[name] for name in names))


def parse_date(text: str) -> date:
    """Read a date `YYYY-MM-DD`; raises Malformed."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        raise Malformed(f"`{text}` is not in the calendar", "wrong-date") from None
    raise Malformed(f"`{text}` is not a date", "wrong-date", "such as 2027-03-01")


def parse_month_day(text: str) -> tuple[int, int]:
    """Read a day of every year, `MM-DD`, as (month, day); raises Malformed."""
    found = _MONTH_DAY.fullmatch(text)
    if found is None:
        raise Malformed(f"`{text}` is not a day of the year", "wrong-date", 'month and day, such as "10-01"')
    month, day = int(found[1]), int(found[2])
    try:
        date(2024, month, day)  # a leap year, so that 29 February is one too
    except ValueError:
        raise Malformed(f"`{text}` is not in the calendar", "wrong-date") from None
    return month, day


def _likely_clock(text: str) -> str:
    found = _LOOSE_CLOCK.fullmatch(text)
    if found and int(found[1]) < 24:
        return f'did you mean "{int(found[1]):02}:{found[2]}"?'
    return 'such as "07:30"; "24:00" ends a day'
