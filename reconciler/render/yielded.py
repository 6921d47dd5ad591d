"""What templates yield is untrusted: read it, hold it against the rules, and make sure that its flow ends.

Called by `desired` for every rendering. Each refusal is a `Misyielded` that names the template, and says where in its
yield the fault lies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import orjson

from reconciler.errors import Place
from reconciler.manifests.documents import parse
from reconciler.profiles.canonical import course
from reconciler.profiles.fit import may_discharge
from reconciler.profiles.form import MalformedProfile, read_integer, read_profile
from reconciler.profiles.profile import Kind, Mode, Period, Profile, Purpose
from reconciler.profiles.rules import Violation, check
from reconciler.render.lease import EPOCH, Lease
from reconciler.render.origins import Misyielded

KEYS = {
    "start-missing": "chargingSchedule",
    "start-relative": "chargingSchedule[0].startSchedule",
    "recurrency": "recurrencyKind",
    "dynamic-single": "chargingSchedule",
    "dynamic-only": "chargingProfileKind",
    "one-unit": "chargingSchedule",
    "one-schedule": "chargingSchedule",
    "validity": "validTo",
    "duration-long": "chargingSchedule[0].duration",
    "priority-duration": "chargingSchedule[0].duration",
    "period-order": "chargingSchedule[0].chargingSchedulePeriod",
}
"""Where rules of combination that are about no period look first; the others look at the purpose."""
FIELDS = frozenset(
    {"limit", "dischargeLimit", "setpoint", "phaseToUse", "numberPhases", "v2xBaseline", "v2xFreqWattCurve"}
)
PERIODS = "chargingSchedule[0].chargingSchedulePeriod"


def read_yield(template: str, text: str) -> tuple[Profile, ...]:
    """Read the text of a rendered template: one profile, or a list of them, each with `evseId` beside its fields.

    Raises:
        ManifestError: it is no YAML, no profile, or breaks a rule of combination.
    """
    profiles = tuple(_read(template, index, item) for index, item in enumerate(_items(template, text)))
    if not profiles:
        raise refuse(template, "yields no profile", "template-yield")
    for index, profile in enumerate(profiles):
        for violation in check(profile):
            message = f"profile {profile.id}: {violation.message}"
            raise refuse(template, message, violation.rule, (index, _where(profile, violation)))
    return profiles


def _items(template: str, text: str) -> list[object]:
    """Read YAML; JSON, which is YAML as well, is read several times faster."""
    try:
        value = orjson.loads(text)
        return value if isinstance(value, list) else [value]
    except orjson.JSONDecodeError:
        parsed = parse(f"templates/{template}", text)
    for error in parsed.errors:
        refusal = refuse(template, f"its output can't be read: {error.message}", error.rule)
        refusal.spot = (error.place.line, error.place.column)
        raise refusal
    items: list[object] = []
    for document in parsed.documents:
        items += document.value if isinstance(document.value, list) else [document.value]
    return items


def check_floor(profiles: tuple[Profile, ...], template: str) -> None:
    """Refuse a floor that is not one: permanent, zero, on the lowest level of every EVSE."""
    floor = profiles[0]
    place = (floor.purpose, floor.evse_id, floor.stack_level, floor.kind)
    if len(profiles) != 1 or place != (Purpose.TX_DEFAULT, 0, 0, Kind.ABSOLUTE):
        raise refuse(template, "the floor is one Absolute TxDefaultProfile on EVSE 0, stack level 0", "floor-place")
    held = course(floor, EPOCH)
    permanent = held.end is None and bool(held.steps) and held.steps[0][0] <= EPOCH and floor.max_offline is None
    if not permanent or any(flows(period) for _, period in held.steps):
        message = "the floor is zero from 2020 on, without an end, online and offline"
        raise refuse(template, message, "floor-flow", (0, PERIODS))


def check_yield(profiles: tuple[Profile, ...], evse_id: int, lease: Lease, template: str) -> None:
    """Refuse profiles for another EVSE or purpose, on the floor's level, or whose flow outlives the lease."""
    for index, profile in enumerate(profiles):
        if profile.purpose is not Purpose.TX_DEFAULT:
            message = f"yields a {profile.purpose} instead of a TxDefaultProfile"
            raise refuse(template, message, "template-purpose", (index, "chargingProfilePurpose"))
        if profile.evse_id != evse_id:
            message = f"yields a profile for EVSE {profile.evse_id} instead of {evse_id}"
            raise refuse(template, message, "template-evse", (index, "evseId"))
        if profile.stack_level < 1:
            raise refuse(template, "stack level 0 is the floor's", "floor-place", (index, "stackLevel"))
        if not _ends(profile, lease.end):
            message, last = f"profile {profile.id} still flows when its lease ends", len(profile.schedule.periods) - 1
            raise refuse(template, message, "lease-missing", (index, f"{PERIODS}[{last}]"))


def check_ids(profiles: Iterable[Profile], template: str) -> None:
    """Refuse two profiles with one id: the second would overwrite the first, and the first the second, for ever."""
    for number, count in Counter(profile.id for profile in profiles).items():
        if count > 1:
            message = f"yields profile id {number} {count} times for one station"
            raise refuse(template, message, "duplicate-id", (0, "id"))


class Fault(NamedTuple):
    """What is wrong with a profile that was lowered already; without a path it is where it first discharges."""

    message: str
    rule: str
    path: str | None


def first_discharge(profile: Profile) -> str:
    """Give the path of the first period that lets anything flow out of the vehicle; empty where none does."""
    for number, schedule in enumerate(profile.schedules):
        for index, period in enumerate(schedule.periods):
            if may_discharge(_with(profile, (period,))):
                return f"chargingSchedule[{number}].chargingSchedulePeriod[{index}]"
    return ""


def flows(period: Period) -> bool:
    """Tell whether a period lets anything flow, in either direction."""
    if period.mode is Mode.IDLE:
        return False
    if period.setpoint is not None:
        return period.setpoint != 0
    return period.mode is not Mode.CHARGING_ONLY or period.limit is None or period.limit != 0


def refuse(template: str, message: str, rule: str, where: tuple[int, str] = (0, "")) -> Misyielded:
    """Make the error that names a template; `where` is the number of a profile in its yield, and a path in that."""
    place = Place(f"templates/{template}")
    return Misyielded(message, place, rule=rule, template=template, item=where[0], path=where[1])


def _where(profile: Profile, violation: Violation) -> str:
    """Give the path of what breaks a rule: a field of the profile, one of the period that does so, or all periods."""
    if violation in check(_with(profile, ())):
        return KEYS.get(violation.rule, "chargingProfilePurpose")
    for number, schedule in enumerate(profile.schedules):
        for index, period in enumerate(schedule.periods):
            if violation in check(_with(profile, (replace(period, start=0),))):
                field = next((word for word in violation.message.split() if word in FIELDS), "operationMode")
                return f"chargingSchedule[{number}].chargingSchedulePeriod[{index}].{field}"
    return PERIODS


def _with(profile: Profile, periods: tuple[Period, ...]) -> Profile:
    return replace(profile, schedules=tuple(replace(schedule, periods=periods) for schedule in profile.schedules))


def _ends(profile: Profile, end: datetime) -> bool:
    if profile.kind is not Kind.ABSOLUTE:
        return profile.valid_to is not None and profile.valid_to <= end
    held = course(profile, EPOCH)
    if held.end is not None and held.end <= end:
        return True
    final = [period for at, period in held.steps if at <= end][-1:]
    later = [period for at, period in held.steps if at > end]
    return not any(flows(period) for period in (*final, *later))


def _read(template: str, index: int, item: object) -> Profile:
    try:
        if not isinstance(item, dict):
            raise MalformedProfile("", "must be an object")
        evse = read_integer(item.get("evseId"))
        return read_profile(evse, item)
    except MalformedProfile as error:
        raise refuse(template, str(error), "template-yield", (index, error.path)) from error
    except TypeError as error:
        raise refuse(template, f"evseId {error}", "template-yield", (index, "evseId")) from error
