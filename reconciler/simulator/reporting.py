"""How a station tells what it holds: ReportChargingProfiles, one per EVSE and source, with the faults of the field."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from reconciler.profiles.form import JsonObject, read_instant
from reconciler.simulator.faults import Faults
from reconciler.simulator.memory import Entry
from reconciler.simulator.nameplate import Nameplate

ALWAYS = "1970-01-01T00:00:00.000Z"
FOR_EVER = "2262-04-11T23:46:49.854Z"
TIMES = frozenset({"validFrom", "validTo", "startSchedule", "dynUpdateTime"})
FLOATS = frozenset({"limit", "dischargeLimit", "setpoint", "minChargingRate"})


def reports(request_id: int, entries: Sequence[Entry], plate: Nameplate, faults: Faults) -> tuple[JsonObject, ...]:
    """Give the ReportChargingProfiles requests that answer one GetChargingProfiles (K09.FR.01, .02)."""
    if faults.mute_reports:
        return ()
    parts = tuple(_parts(entries, split=faults.split_reports))
    return tuple(
        {
            "requestId": request_id,
            "chargingLimitSource": part[0].source,
            "evseId": part[0].profile.evse_id,
            "tbc": (index < len(parts) - 1) is not faults.wrong_tbc,
            "chargingProfile": [normalise(entry, plate) if faults.echo else entry.wire for entry in part],
        }
        for index, part in enumerate(parts)
    )


def _parts(entries: Sequence[Entry], *, split: bool) -> Iterator[tuple[Entry, ...]]:
    def key(entry: Entry) -> tuple[int, str, int]:
        return entry.profile.evse_id, entry.source, entry.profile.id if split else 0

    for _, part in groupby(sorted(entries, key=key), key):
        yield tuple(part)


def normalise(entry: Entry, plate: Nameplate) -> JsonObject:
    """Give a profile as a station sends it that keeps it in a form of its own: same meaning, other bytes."""
    evse = plate.evse(entry.profile.evse_id) or plate.evses[0]
    filled = {"validFrom": ALWAYS, "validTo": FOR_EVER, **entry.wire}
    return _reverse({name: _echo(name, value, evse.phases > 0) for name, value in filled.items()})


def _echo(name: str, value: object, ac: bool) -> object:  # noqa: FBT001 - one of two currents
    if name in TIMES:
        instant = read_instant(value)
        return FOR_EVER if value == FOR_EVER else instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if name in FLOATS and isinstance(value, int | float):
        return float_echo(value)
    if isinstance(value, Mapping):
        fields = {key: _echo(key, item, ac) for key, item in value.items()}
        return _reverse({"numberPhases": 3, **fields} if ac and "startPeriod" in fields else fields)
    if isinstance(value, list | tuple):
        return [_echo("", item, ac) for item in value]
    return value


def float_echo(value: float) -> float:
    """Give a number after a trip through 32-bit floats; a large whole one comes back as 7399.999 for 7400."""
    if value == int(value) and abs(value) >= 1000:
        return value - 0.001 if value > 0 else value + 0.001
    narrow: float = struct.unpack("f", struct.pack("f", value))[0]
    return narrow


def _reverse(fields: dict[str, object]) -> dict[str, object]:
    return dict(reversed(fields.items()))
