"""What the texts of manifests look like, for editors: a pattern, a sentence and examples of each.

The models carry these so that the JSON Schema knows them; nothing is judged by them here, the readers of `quantity` and
`times` do that and say more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_POWER = r"[0-9]{1,12}(\.[0-9]{1,6})? ?(W|kW|MW|A)$"
_DAYS = ("daily", "weekdays", "weekends", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def text(pattern: str, description: str, *examples: str) -> WithJsonSchema:
    """Give the shape of a text."""
    return WithJsonSchema(_text(pattern, description, *examples))


def _text(pattern: str, description: str, *examples: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "description": description, "examples": list(examples)}


POWER = text(
    f"^[-+]?{_POWER}",
    "Signed power for each EVSE, with its unit: W, kW or MW, or A per phase. Positive charges, negative discharges.",
    "11 kW",
    "-7 kW",
    "16 A",
)
MAGNITUDE = text(
    rf"^\+?{_POWER}", "A power without a sign, with its unit: W, kW or MW, or A per phase.", "15 kW", "32 A"
)
CAP = text(r"^\+?[0-9]{1,12}(\.[0-9]{1,6})? ?(W|kW|MW)$", "A power without a sign: W, kW or MW.", "600 kW", "12 MW")
ENERGY = text(r"^[0-9]{1,12}(\.[0-9]{1,6})? ?(Wh|kWh|MWh)$", "An energy.", "40 kWh")
FREQUENCY = text(r"^[0-9]{2}(\.[0-9]{1,3})? ?Hz$", "A grid frequency.", "49.8 Hz")
SIGNED_WATTS = text(
    r"^[-+]?[0-9]{1,12}(\.[0-9]{1,6})? ?(W|kW|MW)$", "Signed power in W, kW or MW; positive charges.", "5 kW", "-7 kW"
)
SCALAR = WithJsonSchema({"type": ["string", "number", "boolean"], "description": "A value of the parameter's type."})
PERCENT = text(r"^[0-9]{1,3}(\.[0-9]{1,3})? ?%$", "A percentage.", "80 %")
SHARE_PARTS = _text(r"^[0-9]{1,3}(\.[0-9]{1,3})? ?%$", "A share of a whole.", "30 %")
SHARE = WithJsonSchema(SHARE_PARTS)
COUNT = {"type": "integer", "minimum": 1, "description": "A number of stations."}
CRON = text(
    r"^ *[^ ]+( +[^ ]+){4} *$",
    "A cron line: minute, hour, day of the month, month, day of the week.",
    "0 9 * * mon-fri",
)
LEVELS = WithJsonSchema(
    {
        "description": "A stack level, or a range of them with both ends in it.",
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]{1,5}(-[0-9]{1,5})?$"}],
        "examples": [8, "0-4"],
    }
)
DURATION = text(r"^[0-9]{1,9} ?[smhd]$", "A duration in seconds, minutes, hours or days.", "90s", "15m", "26h", "7d")
VOLTS = text(r"^\+?[0-9]{1,12}(\.[0-9]{1,6})? ?V$", "A voltage between phase and neutral.", "230 V")
CLOCK = text(
    "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    'A local time, always in quotes; "24:00" ends a day.',
    "17:00",
    "24:00",
)
DAY = text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "A date.", "2027-03-01")
NAME = text(
    r"^[A-Za-z0-9]([-A-Za-z0-9._]{0,126}[A-Za-z0-9])?$",
    "A name: letters, digits, `-`, `.` and `_`, with a letter or digit at both ends.",
    "night-buses",
)
IDENTITY = text(r"^[A-Za-z0-9*\-_=+|@.]{1,48}$", "A station's identity, as it calls itself when it connects.", "Q3-001")
TIMEZONE = WithJsonSchema(
    {"type": "string", "description": "A time zone's IANA name.", "examples": ["Europe/Amsterdam", "UTC"]}
)
DAYS = WithJsonSchema(
    {
        "description": "The days on which something begins: a word, or a list of words.",
        "anyOf": [{"enum": list(_DAYS)}, {"type": "array", "items": {"enum": list(_DAYS)}, "minItems": 1}],
        "examples": ["daily", ["mon", "tue"]],
    }
)
_DATE = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_RANGE = {
    "type": "object",
    "properties": {"from": _DATE, "to": _DATE},
    "required": ["from", "to"],
    "additionalProperties": False,
}
DATE_ITEM = WithJsonSchema(
    {
        "description": "A date, or a range of dates with both ends in it.",
        "anyOf": [_DATE, _RANGE],
        "examples": ["2026-12-25", {"from": "2026-12-24", "to": "2027-01-01"}],
    }
)
_DAY_ITEMS = [{"type": "string"}, _RANGE]
DATES = WithJsonSchema(
    {
        "description": "Days by weekday, date, range of dates or the name of a Calendar; one, or a list.",
        "anyOf": [*_DAY_ITEMS, {"type": "array", "items": {"anyOf": _DAY_ITEMS}, "minItems": 1}],
        "examples": ["daily", ["mon", "tue"], ["weekends", "dutch-holidays", "2026-12-24"]],
    }
)
MONTH_DAY = text("^[0-9]{2}-[0-9]{2}$", "A day of every year, month first.", "10-01", "03-31")
IDENTITIES = WithJsonSchema(
    {
        "description": "Stations' identities: a range, a list of both, or a CSV file of the repository.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        "examples": ["Q3-{001..012}", ["Q3-001", "Q3-007"], "stations.csv"],
    }
)
PROTOCOL = WithJsonSchema(
    {
        "anyOf": [{"enum": ["2.0.1", "2.1"]}, {"const": 2.1}, {"type": "null"}],
        "examples": ["2.0.1", "2.1"],
    }
)


def bound(most: int, word: str) -> WithJsonSchema:
    """Give the shape of a number of which there may be none."""
    number = {"type": "integer", "minimum": 1, "maximum": most}
    return WithJsonSchema({"description": f"A number, or `{word}`.", "anyOf": [number, {"const": word}]})


@dataclass(frozen=True, slots=True)
class Or:
    """Adds shapes that a value may have instead of a mapping."""

    shapes: tuple[JsonSchemaValue, ...]

    def __init__(self, *shapes: JsonSchemaValue) -> None:
        object.__setattr__(self, "shapes", shapes)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, write: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Give the shapes as JSON Schema."""
        return {"anyOf": [*self.shapes, write(schema)]}
