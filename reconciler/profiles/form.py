"""The project's own form of a profile as a JSON object: camelCase, with the field names of OCPP 2.1.

`render` reads what templates yield, the dialects lift what stations report, the command line prints. Reading is
tolerant of what stations add (unknown fields, nulls, any zone, any number of digits) and strict in what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, TypeVar

import orjson

from reconciler.errors import ReconcilerError
from reconciler.profiles.profile import (
    ChargingSchedule,
    CurvePoint,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Recurrency,
    Unit,
)

JsonObject = Mapping[str, object]
TOO_LARGE = Decimal(10) ** 15
"""No power, current or time of this field comes near; beyond it, arithmetic would lose digits or fail."""
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(eq=False)
class Malformed(ReconcilerError):
    """An object from outside is not what it should be; `path` says where in it."""

    path: str
    message: str

    def __str__(self) -> str:
        """Give path and message."""
        return f"{self.path}: {self.message}" if self.path else self.message


class MalformedProfile(Malformed):
    """An object is not a profile; `path` is such as `chargingSchedule[0].chargingRateUnit`."""


def read_profile(evse_id: int, data: JsonObject) -> Profile:
    """Read a ChargingProfile object in 2.1's spelling.

    Raises:
        MalformedProfile: a required field is missing or of the wrong type.
    """
    fields = Fields(data, "")
    return Profile(
        id=fields.need("id", read_integer),
        evse_id=evse_id,
        stack_level=fields.need("stackLevel", read_integer),
        purpose=fields.need("chargingProfilePurpose", read_word(Purpose)),
        kind=fields.need("chargingProfileKind", read_word(Kind)),
        schedules=fields.each("chargingSchedule", _read_schedule),
        recurrency=fields.have("recurrencyKind", read_word(Recurrency)),
        valid_from=fields.have("validFrom", read_instant),
        valid_to=fields.have("validTo", read_instant),
        transaction_id=fields.have("transactionId", read_text),
        max_offline=fields.have("maxOfflineDuration", read_integer),
        invalid_after_offline=fields.have("invalidAfterOfflineDuration", read_truth) or False,
        dyn_update_interval=fields.have("dynUpdateInterval", read_integer),
        dyn_update_time=fields.have("dynUpdateTime", read_instant),
    )


def write_profile(profile: Profile) -> dict[str, object]:
    """Write a profile as a ChargingProfile object in 2.1's spelling, without fields that are absent or default.

    The object is the caller's own: dialects and simulated stations change what they are given.
    """
    written: dict[str, object] = orjson.loads(_write(profile))
    return written


@lru_cache(maxsize=2048)  # stations share their profiles, and each is written several times on its way
def _write(profile: Profile) -> bytes:
    written = _present(
        {
            "id": profile.id,
            "stackLevel": profile.stack_level,
            "chargingProfilePurpose": profile.purpose.value,
            "chargingProfileKind": profile.kind.value,
            "recurrencyKind": profile.recurrency.value if profile.recurrency else None,
            "validFrom": write_instant(profile.valid_from),
            "validTo": write_instant(profile.valid_to),
            "transactionId": profile.transaction_id,
            "maxOfflineDuration": profile.max_offline,
            "invalidAfterOfflineDuration": profile.invalid_after_offline or None,
            "dynUpdateInterval": profile.dyn_update_interval,
            "dynUpdateTime": write_instant(profile.dyn_update_time),
            "chargingSchedule": [_write_schedule(schedule) for schedule in profile.schedules],
        }
    )
    return orjson.dumps(written)


def read_instant(value: object) -> datetime:
    """Read an RFC 3339 instant as whole UTC seconds; without a zone it is taken as UTC (seen on real stations)."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise TypeError("must be an RFC 3339 instant") from error
    if not isinstance(instant, datetime):
        raise TypeError("must be an RFC 3339 instant")
    zoned = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    try:
        return zoned.astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        raise TypeError("is outside the calendar") from error


def write_instant(instant: datetime | None) -> str | None:
    """Write `YYYY-MM-DDTHH:MM:SSZ`, the one spelling that every station takes."""
    return None if instant is None else f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def read_number(value: object) -> Decimal:
    """Read a JSON number as a decimal without binary noise: at most six digits after the point."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError("must be a number")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number) >= TOO_LARGE:
        raise TypeError("must be a finite number of a sensible size")
    return plain(number.quantize(Decimal("0.000001")))


def plain(number: Decimal) -> Decimal:
    """Give a decimal without trailing zeros, exponent or the sign of zero."""
    if not number:
        return Decimal(0)
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def write_number(number: Decimal | None) -> int | float | None:
    """Write a decimal as the shortest JSON number."""
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def read_integer(value: object) -> int:
    """Read a whole number of 32 bits, as all of OCPP's are; 3.0 counts as one."""
    number = read_number(value)
    if number != number.to_integral_value() or not -(2**31) <= number < 2**31:
        raise TypeError("must be a whole number of 32 bits")
    return int(number)


def read_text(value: object) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise TypeError("must be a string")
    return value


def read_object(value: object) -> JsonObject:
    """Read a JSON object."""
    if not isinstance(value, Mapping):
        raise TypeError("must be an object")
    return value


def read_list(value: object) -> Sequence[object]:
    """Read a JSON list, which may be empty."""
    if not isinstance(value, list | tuple):
        raise TypeError("must be a list")
    return value


def read_truth(value: object) -> bool:
    """Read a boolean."""
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def read_word(words: type[E]) -> Callable[[object], E]:
    """Give what reads one of a list of words."""

    def read(value: object) -> E:
        try:
            return words(read_text(value))
        except ValueError:
            raise TypeError(f"must be one of {', '.join(words)}") from None

    return read


class Fields:
    """Reads the fields of one object and says where it failed; `malformed` is what it raises."""

    __slots__ = ("data", "path")
    malformed: ClassVar[type[Malformed]] = MalformedProfile

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, Mapping):
            raise self.malformed(path, "must be an object")
        self.data, self.path = data, path

    def have(self, name: str, read: Callable[[object], T]) -> T | None:
        """Give a field, or None where it is absent or null."""
        value = self.data.get(name)
        if value is None:
            return None
        try:
            return read(value)
        except (TypeError, ValueError) as error:
            raise self.malformed(self.at(name), str(error)) from error

    def need(self, name: str, read: Callable[[object], T]) -> T:
        """Give a field that has to be there."""
        value = self.have(name, read)
        if value is None:
            raise self.malformed(self.at(name), "is missing")
        return value

    def each(self, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        """Give the objects of a list that is not empty."""
        items = self.data.get(name)
        if not isinstance(items, list | tuple) or not items:
            raise self.malformed(self.at(name), "must be a list that is not empty")
        return tuple(read(Fields(item, f"{self.at(name)}[{index}]")) for index, item in enumerate(items))

    def maybe_each(self, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        """Give the objects of a list, none where it is absent."""
        return self.each(name, read) if self.data.get(name) else ()

    def at(self, name: str) -> str:
        """Give the path of a field."""
        return f"{self.path}.{name}" if self.path else name


def _read_schedule(fields: Fields) -> ChargingSchedule:
    return ChargingSchedule(
        id=fields.have("id", read_integer) or 0,
        unit=fields.need("chargingRateUnit", read_word(Unit)),
        periods=fields.each("chargingSchedulePeriod", _read_period),
        start=fields.have("startSchedule", read_instant),
        duration=fields.have("duration", read_integer),
        min_charging_rate=fields.have("minChargingRate", read_number),
    )


def _read_period(fields: Fields) -> Period:
    return Period(
        start=fields.need("startPeriod", read_integer),
        limit=fields.have("limit", read_number),
        discharge_limit=fields.have("dischargeLimit", read_number),
        setpoint=fields.have("setpoint", read_number),
        mode=fields.have("operationMode", read_word(Mode)) or Mode.CHARGING_ONLY,
        number_phases=fields.have("numberPhases", read_integer),
        phase_to_use=fields.have("phaseToUse", read_integer),
        v2x_baseline=fields.have("v2xBaseline", read_number),
        freq_watt_curve=fields.maybe_each("v2xFreqWattCurve", _read_point),
    )


def _read_point(fields: Fields) -> CurvePoint:
    return CurvePoint(fields.need("frequency", read_number), fields.need("power", read_number))


def _write_schedule(schedule: ChargingSchedule) -> dict[str, object]:
    return _present(
        {
            "id": schedule.id,
            "startSchedule": write_instant(schedule.start),
            "duration": schedule.duration,
            "chargingRateUnit": schedule.unit.value,
            "minChargingRate": write_number(schedule.min_charging_rate),
            "chargingSchedulePeriod": [_write_period(period) for period in schedule.periods],
        }
    )


def _write_period(period: Period) -> dict[str, object]:
    return _present(
        {
            "startPeriod": period.start,
            "operationMode": None if period.mode is Mode.CHARGING_ONLY else period.mode.value,
            "limit": write_number(period.limit),
            "dischargeLimit": write_number(period.discharge_limit),
            "setpoint": write_number(period.setpoint),
            "numberPhases": period.number_phases,
            "phaseToUse": period.phase_to_use,
            "v2xBaseline": write_number(period.v2x_baseline),
            "v2xFreqWattCurve": [_write_point(point) for point in period.freq_watt_curve] or None,
        }
    )


def _write_point(point: CurvePoint) -> dict[str, object]:
    return {"frequency": write_number(point.frequency_hz), "power": write_number(point.power_w)}


def _present(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
