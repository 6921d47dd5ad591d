"""What a profile means as source, as a short hash: the same whenever it is taken, whatever the lease is by then.

Called by `fleet_plan`, which ties an apply to the plan that people reviewed. Names, comments, files and lines are not
meaning; windows, powers, ratings, templates and the fail-safe are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from reconciler.manifests.fleet import Assignment, Fleet, Station

Entry = tuple[str, ...]
"""One write: identity, type, profile id, EVSE, purpose, stack level and the fingerprint of its source."""


class Fingerprints:
    """Gives the fingerprints of one revision's stations, computed once per kind."""

    def __init__(self, fleet: Fleet, templates: Mapping[str, str]) -> None:
        self.common = _hash(repr((_fleet(fleet), sorted(templates.items()))))
        self._known: dict[tuple[object, ...], str] = {}

    def of(self, station: Station) -> str:
        """Give the fingerprint of everything that a station's profiles are made from."""
        key = (*map(id, (station.assignments, station.evses, station.declared, station.settings)), station.model)
        if key not in self._known:
            hardware = (station.model, station.declared, _evses(station))
            parts = (self.common, station.settings.meaning, hardware, _assignments(station.assignments))
            self._known[key] = _hash(repr(parts))
        return self._known[key]


def digest(entries: Iterable[Entry]) -> str:
    """Give the SHA-256 of a plan's writes, in whatever order they come."""
    return sha256("\n".join("\t".join(entry) for entry in sorted(entries)).encode()).hexdigest()


def _fleet(fleet: Fleet) -> tuple[object, ...]:
    return (fleet.timezone, fleet.id_from, fleet.id_to, f"{fleet.nominal_voltage:f}")


def _evses(station: Station) -> tuple[object, ...]:
    return tuple(
        (evse.id, f"{evse.charge_w:f}", f"{evse.discharge_w:f}", evse.phases, evse.current.value, evse.connector)
        for evse in station.evses
    )


def _assignments(assignments: tuple[Assignment, ...]) -> tuple[object, ...]:
    return tuple((assignment.priority, assignment.schedule.meaning) for assignment in assignments)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
