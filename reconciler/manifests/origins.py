"""Which file and line set each effective field of a station.

Asked by `explain`. It only puts together what `inheritance` kept beside the settings, and what the station carries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.manifests.fleet import LABEL, Evse, Origin, Station
from reconciler.manifests.snapshot import TABLE_SUFFIX
from reconciler.profiles.form import plain


def origins(station: Station) -> tuple[Origin, ...]:
    """Give every effective field of a station with its value and the line that set it; several for `schedules`."""
    return tuple(_origins(station))


def _origins(station: Station) -> Iterator[Origin]:
    tabled = station.place.file.endswith(TABLE_SUFFIX)
    level = f"Table {station.place.file}" if tabled else "Station"
    yield Origin("identity", station.identity, level, station.place)
    told = dict(_told(station))
    known = {origin.field: origin for origin in station.origins}
    for field in (field for field in told if field not in known):
        known[field] = Origin(field, "", level, station.place)
    for field, origin in known.items():
        yield replace(origin, value=told[field], level=level, place=station.place) if field in told else origin
    for assignment in station.assignments:
        value = f"{assignment.schedule.name}, priority {assignment.priority}"
        yield Origin("schedules", value, f"Group {assignment.group}", assignment.place)


def _told(station: Station) -> Iterator[tuple[str, str]]:
    """Give what the station's own line of a table says."""
    own = [field.removeprefix(LABEL) for field in station.told if field.startswith(LABEL)]
    if "model" in station.told:
        yield "model", station.model
    if own:
        yield "labels", ", ".join(f"{key}={station.labels[key]}" for key in own)
    if "evses" in station.told:
        yield "evses", ", ".join(_rating(each) for each in station.evses)


def _rating(evse: Evse) -> str:
    return f"{evse.id}: +{plain(evse.charge_w / 1000):f} kW -{plain(evse.discharge_w / 1000):f} kW"
