"""Powers and energies as people write them: `-7 kW`, `16 A`, `40 kWh`, and the volts that turn amperes into watts.

Used by the manifest models and by `render`, which knows the EVSE that a power is for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Literal

LARGEST_W = Decimal(1_000_000_000)
SMALLEST_HERTZ, LARGEST_HERTZ = Decimal(40), Decimal(70)
SMALLEST_VOLTS, LARGEST_VOLTS = Decimal(50), Decimal(1000)

_POWER = re.compile(r"([-+]?[0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]+)")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_ENERGY = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(Wh|kWh|MWh)")
_ENERGY_SCALES = {"Wh": Decimal(1), "kWh": Decimal(1000), "MWh": Decimal(1_000_000)}
_FREQUENCY = re.compile(r"([0-9]{2}(?:\.[0-9]{1,3})?) ?Hz")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?) ?%")
_SCALES: dict[str, tuple[Decimal, Literal["W", "A"]]] = {
    "W": (Decimal(1), "W"),
    "kW": (Decimal(1000), "W"),
    "MW": (Decimal(1_000_000), "W"),
    "A": (Decimal(1), "A"),
}


class Current(StrEnum):
    """Say which current an EVSE gives."""

    AC = "AC"
    DC = "DC"


@dataclass(eq=False)
class Malformed(ValueError):
    """A text is not what it should be; the place is known to the caller only."""

    message: str
    rule: str
    hint: str = ""

    def __str__(self) -> str:
        """Give the message."""
        return self.message


@dataclass(frozen=True, slots=True)
class Quantity:
    """Hold a signed power in watts, or a signed current per phase in amperes; negative discharges."""

    value: Decimal
    unit: Literal["W", "A"]

    def to_watts(self, phases: int, voltage: Decimal, current: Current) -> Decimal:
        """Give watts on an EVSE of `phases` at `voltage` volts per phase; raises Malformed for amperes on DC."""
        if self.unit == "W":
            return self.value
        if current is Current.DC:
            message = "amperes say nothing on a DC EVSE, whose voltage is the battery's"
            raise Malformed(message, "ampere-on-dc", "write W or kW")
        return self.value * voltage * phases

    def __str__(self) -> str:
        """Give the form that people write."""
        if self.unit == "W" and self.value and self.value % 100 == 0:
            return f"{_plain(self.value / 1000)} kW"
        return f"{_plain(self.value)} {self.unit}"


@lru_cache(maxsize=4096)
def parse_power(text: str) -> Quantity:
    """Read a power such as `-7 kW`, `11kW` or `16 A`; raises Malformed."""
    found = _POWER.fullmatch(text)
    if found is None:
        raise _not_a_power(text)
    number, unit = found.groups()
    if unit not in _SCALES:
        raise Malformed(f"`{unit}` is not a unit of power", "wrong-unit", _likely_unit(number, unit))
    scale, base = _SCALES[unit]
    value = _plain(Decimal(number) * scale)
    if abs(value) > LARGEST_W:
        raise Malformed(f"`{text}` is more than a grid connection carries", "out-of-range", "at most 1000 MW")
    return Quantity(value, base)


def parse_volts(text: str) -> Decimal:
    """Read a phase voltage such as `230 V`; raises Malformed."""
    found = _POWER.fullmatch(text)
    if found is None or found[2] != "V":
        raise Malformed(f"`{text}` is not a voltage", "wrong-unit", "such as 230 V")
    volts = Decimal(found[1])
    if not SMALLEST_VOLTS <= volts <= LARGEST_VOLTS:
        raise Malformed(f"`{text}` is not the voltage of a phase", "out-of-range", "such as 230 V")
    return _plain(volts)


def parse_energy(text: str) -> Decimal:
    """Read an energy such as `40 kWh` as watt-hours; raises Malformed."""
    found = _ENERGY.fullmatch(text)
    if found is None:
        raise Malformed(f"`{text}` is not an energy", "wrong-unit", "such as 40 kWh or 1.2 MWh")
    energy = _plain(Decimal(found[1]) * _ENERGY_SCALES[found[2]])
    if energy > LARGEST_W:
        raise Malformed(f"`{text}` is more than a vehicle holds", "out-of-range", "at most 1000 MWh")
    return energy


def parse_frequency(text: str) -> Decimal:
    """Read a grid frequency such as `49.8 Hz`; raises Malformed."""
    found = _FREQUENCY.fullmatch(text)
    if found is None:
        raise Malformed(f"`{text}` is not a frequency", "wrong-unit", "such as 49.8 Hz")
    hertz = _plain(Decimal(found[1]))
    if not SMALLEST_HERTZ <= hertz <= LARGEST_HERTZ:
        raise Malformed(f"`{text}` is not the frequency of a grid", "out-of-range", "from 40 Hz to 70 Hz")
    return hertz


def parse_percent(text: str) -> Decimal:
    """Read a percentage such as `80 %` as a share from 0 to 1; raises Malformed."""
    found = _PERCENT.fullmatch(text)
    if found is None or Decimal(found[1]) > 100:
        raise Malformed(f"`{text}` is not a percentage", "wrong-unit", "such as 80 %")
    return _plain(Decimal(found[1]) / 100)


def _not_a_power(text: str) -> Malformed:
    if _NUMBER.fullmatch(text):
        return Malformed(f"`{text}` has no unit", "missing-unit", f"such as {text} kW or {text} A")
    if _POWER.fullmatch(text.replace(",", ".")):
        return Malformed(f"`{text}` is not a power", "wrong-unit", f"write {text.replace(',', '.')}")
    return Malformed(f"`{text}` is not a power", "wrong-unit", "such as -7 kW, 3.5 kW or 16 A")


def _likely_unit(number: str, unit: str) -> str:
    for known in _SCALES:
        if known.casefold() == unit.casefold():
            return f"did you mean {number} {known}?"
    return "the units are W, kW, MW and A"


def _plain(value: Decimal) -> Decimal:
    """Drop needless zeros without an exponent, so that equal values look equal."""
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()
