"""The types of fields that kinds are made of: text in, a value out, or what is wrong and what would be right.

Used by the models only; knows no document as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator

from reconciler.manifests import shapes
from reconciler.manifests.days import DateRange
from reconciler.manifests.quantity import (
    Malformed,
    Quantity,
    parse_energy,
    parse_frequency,
    parse_percent,
    parse_power,
    parse_volts,
)
from reconciler.manifests.times import DAY_GROUPS, parse_clock, parse_date, parse_days, parse_duration, parse_month_day
from reconciler.profiles.wording import nearest

INT32 = 2_147_483_647

_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._]{0,126}[A-Za-z0-9])?")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,40}")
# Facts 1.1: identifierString without the colon, at which HTTP Basic splits.
_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,48}")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?) ?%")


@dataclass(frozen=True, slots=True)
class DayWords:
    """Hold days as written: weekdays, dates, and names with their position (-1 where the name stands alone)."""

    weekdays: frozenset[int] = frozenset()
    ranges: tuple[DateRange, ...] = ()
    names: tuple[tuple[int, str], ...] = ()


def _text(value: object, example: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise Malformed(f"`{value}` is a bare number", "missing-unit", f"such as {example}")
    raise Malformed("this must be text", "wrong-type", f"such as {example}")


def _read_power(value: object) -> Quantity:
    return parse_power(_text(value, f"{value} kW or {value} A" if isinstance(value, int | Decimal) else "7 kW or 16 A"))


def read_magnitude(value: object) -> Quantity:
    """Read a power or current without a sign; raises Malformed."""
    power = _read_power(value)
    if power.value < 0:
        raise Malformed("this is a magnitude and has no sign", "out-of-range", f"write {str(power).removeprefix('-')}")
    return power


def _read_cap(value: object) -> Quantity:
    power = read_magnitude(value)
    if power.unit != "W":
        raise Malformed("a grid connection's cap is a power", "wrong-unit", "write W, kW or MW")
    return power


def _read_duration(value: object) -> timedelta:
    return parse_duration(_text(value, "90s, 15m, 26h or 7d"))


def _read_volts(value: object) -> Decimal:
    return parse_volts(_text(value, "230 V"))


def _read_energy(value: object) -> Decimal:
    return parse_energy(_text(value, "40 kWh"))


def _read_frequency(value: object) -> Decimal:
    return parse_frequency(_text(value, "49.8 Hz"))


def _read_watts(value: object) -> Quantity:
    power = _read_power(value)
    if power.unit != "W":
        raise Malformed("this is a power of all phases together", "wrong-unit", "write W, kW or MW")
    return power


def _read_percent(value: object) -> Decimal:
    return parse_percent(_text(value, "80 %"))


def read_share(value: object) -> Decimal:
    """Read a share of a whole such as `30 %` as a share of one; raises Malformed."""
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None or Decimal(found[1]) > 100:
        raise Malformed(f"`{str(value)[:80]}` is not a share", "wrong-share", "such as 30 %")
    return Decimal(found[1]) / 100


def _read_clock(value: object) -> int:
    return parse_clock(_text(value, '"07:30" in quotes'))


def _read_days(value: object) -> frozenset[int]:
    if isinstance(value, list):
        return parse_days([_text(item, "[mon, tue]") for item in value])
    return parse_days(_text(value, "daily or [mon, tue]"))


def _read_day_words(value: object) -> DayWords:
    """Sort what is written for days into weekdays, dates and names, which only the calendars of the fleet can tell."""
    items = value if isinstance(value, list) else [value]
    if not items:
        raise Malformed("no day is named", "wrong-days", "such as daily or [mon, tue]")
    weekdays: frozenset[int] = frozenset()
    ranges: list[DateRange] = []
    names: list[tuple[int, str]] = []
    for number, item in enumerate(items):
        text = item if isinstance(item, dict) else _text(item, "[mon, tue]")
        if isinstance(text, dict) or text[:1].isdigit():
            ranges.append(_read_range(text))
        elif text in DAY_GROUPS:
            weekdays |= DAY_GROUPS[text]
        else:
            names.append((number if isinstance(value, list) else -1, text))
    return DayWords(weekdays, tuple(ranges), tuple(names))


def _read_range(value: object) -> DateRange:
    if not isinstance(value, dict):
        day = _read_date(value)
        return DateRange(day, day)
    if set(value) != {"from", "to"}:
        raise Malformed("a range of dates has `from` and `to`", "wrong-days", "{from: 2026-12-24, to: 2027-01-01}")
    first, last = _read_date(value["from"]), _read_date(value["to"])
    if last < first:
        raise Malformed(f"{last} is before {first}", "wrong-days", "both ends of the range are in it")
    return DateRange(first, last)


def _read_month_day(value: object) -> tuple[int, int]:
    return parse_month_day(_text(value, '"10-01" in quotes'))


def _read_date(value: object) -> date:
    return parse_date(_text(value, "2027-03-01"))


def _read_identities(value: object) -> tuple[str, ...]:
    listed = tuple(value) if isinstance(value, list) else (value,)
    texts = tuple(item for item in listed if isinstance(item, str))
    if not texts or len(texts) < len(listed):
        hint = "such as Q3-{001..012}, [Q3-001, Q3-007] or stations.csv; numbers need quotes"
        raise Malformed("this must be text or a list of text", "wrong-type", hint)
    return texts


def check_identity(text: str) -> str:
    """Refuse what OCPP does not take as a station's identity; raises Malformed."""
    if _IDENTITY.fullmatch(text) is None:
        hint = "1 to 48 of the characters A-Z a-z 0-9 * - _ = + | @ ."
        raise Malformed(f"`{text[:80]}` is not a station identity", "wrong-identity", hint)
    return text


def _check_name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        hint = "letters, digits, `-`, `.` and `_`, at most 128, a letter or digit at both ends"
        raise Malformed(f"`{text[:80]}` is not a name", "wrong-name", hint)
    return text


def _read_scalar(value: object) -> object:
    if not isinstance(value, str | int | Decimal):
        raise Malformed("this must be one value", "wrong-type", "text, a number, true or false")
    return value


def _check_parameter(text: str) -> str:
    if _PARAMETER.fullmatch(text) is None:
        raise Malformed(f"`{text[:80]}` is not a name for a parameter", "wrong-name", "such as floor_power")
    return text


def check_timezone(text: str) -> str:
    """Refuse what is no IANA time zone; raises Malformed."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise Malformed(f"`{text[:80]}` is not a time zone", "unknown-timezone", timezone_hint(text)) from None
    return text


def timezone_hint(text: str) -> str:
    """Say which time zone may have been meant."""
    near = nearest(text, available_timezones())
    return f"did you mean `{near}`?" if near else "an IANA name such as Europe/Amsterdam"


def read_protocol(value: object) -> object:
    """Read a protocol version, quoted or not."""
    # 2.1 without quotes is a number to YAML, and can't mean anything else here.
    return str(value) if isinstance(value, Decimal) else value


Power = Annotated[Quantity, PlainValidator(_read_power), shapes.POWER]
Magnitude = Annotated[Quantity, PlainValidator(read_magnitude), shapes.MAGNITUDE]
Cap = Annotated[Quantity, PlainValidator(_read_cap), shapes.CAP]
Duration = Annotated[timedelta, PlainValidator(_read_duration), shapes.DURATION]
Volts = Annotated[Decimal, PlainValidator(_read_volts), shapes.VOLTS]
Energy = Annotated[Decimal, PlainValidator(_read_energy), shapes.ENERGY]
Frequency = Annotated[Decimal, PlainValidator(_read_frequency), shapes.FREQUENCY]
Watts = Annotated[Quantity, PlainValidator(_read_watts), shapes.SIGNED_WATTS]
Percent = Annotated[Decimal, PlainValidator(_read_percent), shapes.PERCENT]
Share = Annotated[Decimal, PlainValidator(read_share), shapes.SHARE]
Clock = Annotated[int, PlainValidator(_read_clock), shapes.CLOCK]
Days = Annotated[frozenset[int], PlainValidator(_read_days), shapes.DAYS]
Dates = Annotated[DayWords, PlainValidator(_read_day_words), shapes.DATES]
DateItem = Annotated[DateRange, PlainValidator(_read_range), shapes.DATE_ITEM]
MonthDay = Annotated[tuple[int, int], PlainValidator(_read_month_day), shapes.MONTH_DAY]
Day = Annotated[date, PlainValidator(_read_date), shapes.DAY]
Name = Annotated[str, AfterValidator(_check_name), shapes.NAME]
Identity = Annotated[str, AfterValidator(check_identity), shapes.IDENTITY]
Identities = Annotated[tuple[str, ...], PlainValidator(_read_identities), shapes.IDENTITIES]
Scalar = Annotated[object, PlainValidator(_read_scalar), shapes.SCALAR]
Parameter = Annotated[str, AfterValidator(_check_parameter)]
Count = Annotated[int, Field(ge=1, le=INT32)]


ParameterValue: TypeAlias = Decimal | timedelta | str | bool


def read_parameter(kind: str, value: object) -> ParameterValue:
    """Read the value of a template's parameter by its type; a power is in W; raises Malformed."""
    match kind, value:
        case "power", _:
            return _read_watts(value).value
        case "duration", _:
            return _read_duration(value)
        case "number", int() | Decimal() if not isinstance(value, bool):
            return Decimal(value)
        case "string", str():
            return value
        case "boolean", bool():
            return value
        case _:
            raise Malformed(f"this is not a {kind}", "wrong-type")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class Model(BaseModel):
    """Refuse unknown keys and silent conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=_camel, hide_input_in_errors=True
    )
