"""The charging profiles that a simulated station holds: put, replaced, cleared, selected, lost.

Whether a profile may come in is judged before (`enforcement`). Ids are unique per station; each entry keeps the profile
as it came over the wire, because that is what is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.profiles.form import JsonObject, write_instant
from reconciler.profiles.profile import Profile, Purpose

LASTING = frozenset({Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.PRIORITY})
"""What survives a power cycle (K01.FR.27)."""
UNTOUCHABLE = frozenset({Purpose.EXTERNAL, Purpose.LOCAL_GENERATION})
"""What ClearChargingProfile spares (K10.FR.04, .08, .09)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A profile as received (`wire`), as read (`profile`) and as the station runs it (`run`), with who set it."""

    profile: Profile
    run: Profile
    wire: JsonObject
    source: str = "CSO"


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which entries are meant: None matches all; `ids` and `sources` match any of theirs."""

    ids: frozenset[int] | None = None
    evse_id: int | None = None
    purpose: str | None = None
    stack_level: int | None = None
    sources: frozenset[str] | None = None

    def match(self, entry: Entry) -> bool:
        """Tell whether an entry meets every criterion (K10.FR.04)."""
        profile = entry.profile
        return (
            (self.ids is None or profile.id in self.ids)
            and self.evse_id in (None, profile.evse_id)
            and self.purpose in (None, profile.purpose)
            and self.stack_level in (None, profile.stack_level)
            and (self.sources is None or entry.source in self.sources)
        )


class ProfileMemory:
    """The entries of one station by profile id; `runs` is what it computes with."""

    __slots__ = ("_entries", "runs")

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self.runs: tuple[Profile, ...] = ()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Give what is stored, by id."""
        return tuple(entry.profile for _, entry in sorted(self._entries.items()))

    def get(self, profile_id: int) -> Entry | None:
        """Find an entry."""
        return self._entries.get(profile_id)

    def put(self, entry: Entry) -> None:
        """Store a profile; one of the same id is replaced, wherever it was (K01.FR.05)."""
        self._entries[entry.profile.id] = entry
        self._changed()

    def select(self, criteria: Criteria) -> tuple[Entry, ...]:
        """Give the entries that match, by id."""
        return tuple(entry for _, entry in sorted(self._entries.items()) if criteria.match(entry))

    def clear(self, criteria: Criteria) -> bool:
        """Drop what matches and may be cleared; say whether there was any."""
        return self._drop(lambda entry: criteria.match(entry) and entry.profile.purpose not in UNTOUCHABLE)

    def remove(self, profile_id: int) -> bool:
        """Drop one profile, whoever set it; say whether it was there."""
        return self._drop(lambda entry: entry.profile.id == profile_id)

    def forget(self, *, all_of_them: bool) -> None:
        """Lose what a restart loses: everything, or what need not survive it."""
        self._drop(lambda entry: all_of_them or entry.profile.purpose not in LASTING)

    def end_transaction(self, transaction_id: str) -> None:
        """Drop the TxProfiles of a transaction that is over (K02.FR.05)."""
        self._drop(lambda entry: entry.profile.purpose is Purpose.TX and entry.profile.transaction_id == transaction_id)

    def outlast(self, offline: timedelta) -> None:
        """Drop what an offline time of this length made invalid for good (K01.FR.102)."""
        self._drop(lambda entry: entry.run.invalid_after_offline and _passed(entry.run.max_offline, offline))

    def update(self, profile_id: int, values: Mapping[str, object], reread: Callable[[JsonObject], Entry]) -> None:
        """Put new values into the one period of a Dynamic profile (K28.FR.06)."""
        wire = self._entries[profile_id].wire
        schedule: Mapping[str, object] = _first(wire["chargingSchedule"])
        period = {**_first(schedule["chargingSchedulePeriod"]), **values}
        self.put(reread({**wire, "chargingSchedule": [{**schedule, "chargingSchedulePeriod": [period]}]}))

    def _drop(self, lost: Callable[[Entry], bool]) -> bool:
        kept = {key: entry for key, entry in self._entries.items() if not lost(entry)}
        changed = len(kept) < len(self._entries)
        self._entries = kept
        self._changed()
        return changed

    def _changed(self) -> None:
        self.runs = tuple(entry.run for entry in self._entries.values())


def touched(entry: Entry, now: datetime) -> Entry:
    """Give a Dynamic profile the instant of its last update (K28.FR.05, .09)."""
    at = now.replace(microsecond=0)
    return replace(
        entry,
        profile=replace(entry.profile, dyn_update_time=at),
        run=replace(entry.run, dyn_update_time=at),
        wire={**entry.wire, "dynUpdateTime": write_instant(at)},
    )


def _passed(most: int | None, offline: timedelta) -> bool:
    return most is not None and offline >= timedelta(seconds=most)


def _first(items: object) -> Mapping[str, object]:
    assert isinstance(items, Iterable)  # noqa: S101 - the schema and `form` have seen it
    first: Mapping[str, object] = next(iter(items))
    return first
