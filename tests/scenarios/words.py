"""How scenarios say stations, instants and powers, read without any of the product's own words.

`B-001..B-004, D-001` are stations; `17:00-20:00 -7 kW` is a power from one local time to another, held throughout, and
different just before and just after. `Sat 17:00-20:00` says the day, `02:00-03:00 11 kW for 2 h` how long that lasts.
A mode stands in place of the power (`local-frequency`) or before it (`central-setpoint 4 kW`).
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reconciler.profiles.profile import Kind, Mode

MODES = {
    "central-setpoint": Mode.CENTRAL_SETPOINT,
    "local-frequency": Mode.LOCAL_FREQUENCY,
    "local-load-balancing": Mode.LOCAL_LOAD_BALANCING,
    "external-limits": Mode.EXTERNAL_LIMITS,
    "idle": Mode.IDLE,
}
"""The modes that a scenario may name in place of a power, or before one."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
UNITS = {"W": 1, "kW": 1000, "A": 1}
DURATIONS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RANGE = re.compile(r"(.*?)([0-9]+)\.\.(.*?)([0-9]+)")
_POWER = re.compile(r"(-?[0-9.]+) (W|kW|A)")
_STRETCH = re.compile(
    rf"(?:({'|'.join(WEEKDAYS)}) )?([0-9]{{2}}:[0-9]{{2}})-([0-9]{{2}}:[0-9]{{2}}) (.+?)(?: for ([0-9.]+) h)?"
)


def read_names(text):
    """Give the identities of `B-001..B-004, D-001`, or of a list of such."""
    parts = text if isinstance(text, list) else text.split(",")
    return [name for part in parts for name in _expand(part.strip())]


def _expand(text):
    found = _RANGE.fullmatch(text)
    if found is None:
        return [text]
    assert found[1] == found[3], f"`{text}` is no range"
    return [f"{found[1]}{number:0{len(found[2])}}" for number in range(int(found[2]), int(found[4]) + 1)]


def read_instant(text, zone):
    """Give the instant of `2026-03-29T01:30+01:00`, or of `2026-03-29 01:30` on the fleet's own clocks."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def read_duration(text):
    """Give the duration of `90s`, `15m`, `26h` or `7d`."""
    return timedelta(**{DURATIONS[text[-1]]: int(text[:-1])})


def commands(profile, at):
    """Give the signed number that an Absolute profile commands at an instant, None where it says nothing."""
    assert profile.kind is Kind.ABSOLUTE
    if is_silent(profile, at):
        return None
    period = _period(profile, at)
    if period.mode is Mode.IDLE:
        return Decimal(0)
    return period.limit if period.setpoint is None else period.setpoint


def _period(profile, at):
    begin = profile.schedule.start or profile.valid_from
    return [each for each in profile.schedule.periods if begin + each.start * SECOND <= at][-1]


def _told(profile, at, wanted):
    """Give what a profile tells at an instant in the way that it is wanted: a power, or a mode and perhaps a power."""
    power = commands(profile, at)
    if not isinstance(wanted, tuple) or is_silent(profile, at):
        return power
    return (_period(profile, at).mode, power if wanted[1] is not None else None)


def is_silent(profile, at):
    """Tell whether a profile has no say at an instant."""
    schedule = profile.schedule
    begin = schedule.start or profile.valid_from
    outside = at < begin or (profile.valid_to is not None and at >= profile.valid_to)
    return outside or (schedule.duration is not None and at >= begin + schedule.duration * SECOND)


def check_powers(profile, said, at, zone):
    """Hold a profile against what a scenario says that it commands from an instant on; the rest of the day is free."""
    if said == "no flow":
        moving = [step for step in _steps(profile, at) if commands(profile, step)]
        assert not moving, f"flows from {moving[0].astimezone(zone)}: {commands(profile, moving[0])}"
        return
    for part in said.split(";"):
        _check_part(profile, part.strip(), at, zone)


def _check_part(profile, part, at, zone):
    if part.endswith(" now"):
        wanted = _read_power(part.removesuffix(" now"), profile)
        assert _told(profile, at, wanted) == wanted, f"commands {_told(profile, at, wanted)}"
        return
    if part.endswith(" at all times"):
        wanted = _read_power(part.removesuffix(" at all times"), profile)
        found = {_told(profile, step, wanted) for step in _steps(profile, at)}
        assert found == {wanted}, f"commands {found}"
        return
    start, end, power = _read_stretch(part, at, zone, profile)
    inside = [max(start, at), *(step for step in _steps(profile, at) if start < step < end), end - SECOND]
    told = {f"{step.astimezone(zone):%a %H:%M:%S}": _told(profile, step, power) for step in inside}
    assert set(told.values()) == {power}, f"`{part}`: commands {told}"
    if start > at:
        assert _told(profile, start - SECOND, power) != power, f"`{part}`: begins before that"
    assert _told(profile, end, power) != power, f"`{part}`: goes on after that"


def _read_stretch(part, at, zone, profile):
    found = _STRETCH.fullmatch(part)
    assert found is not None, f"`{part}` is not like `17:00-20:00 -7 kW`, `no flow` or `3 kW at all times`"
    weekday, first, last, power, hours = found.groups()
    today = at.astimezone(zone).date()
    for day in (today + number * DAY for number in range(-1, 9)):
        start = _wall(day, first, zone)
        end = _wall(day + DAY if last <= first else day, last, zone)
        if hours is not None:
            end = start + timedelta(hours=float(hours))
        if end > at and (weekday is None or WEEKDAYS[day.weekday()] == weekday):
            wall = f"{end.astimezone(zone):%H:%M}"
            assert wall == last.replace("24", "00"), f"`{part}`: the clock shows {wall} by then"
            return start, end, _read_power(power, profile)
    raise AssertionError(f"`{part}` does not come within a week")


def _read_power(text, profile):
    word, _, rest = text.partition(" ")
    if word in MODES:
        return MODES[word], _read_power(rest, profile) if rest else None
    found = _POWER.fullmatch(text)
    assert found is not None, f"`{text}` is not a power such as -7 kW or 16 A"
    assert (found[2] == "A") == (profile.schedule.unit == "A"), f"the profile is in {profile.schedule.unit}"
    return Decimal(found[1]) * UNITS[found[2]]


def _wall(day, clock, zone):
    hour, minute = (0, 0) if clock == "24:00" else map(int, clock.split(":"))
    midnight = day + DAY if clock == "24:00" else day
    return datetime(midnight.year, midnight.month, midnight.day, hour, minute, tzinfo=zone).astimezone(UTC)


def _steps(profile, at):
    """Give the instants from `at` on at which a profile may command something else, `at` among them."""
    begin = profile.schedule.start or profile.valid_from
    return [at, *(start for each in profile.schedule.periods if (start := begin + each.start * SECOND) > at)]
