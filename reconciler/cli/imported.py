"""Captured profiles as manifests: Schedules, the Stations that followed them, and Groups that join both. Pure.

Used by `import`. What can't be said in manifests is left out and noted by its profile's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from reconciler.cli.captured import CapturedStation
from reconciler.cli.flow import write_flow
from reconciler.cli.nameplate import PHASES, Plate, capability_of, floor_of, is_cap, phases_of, read_plate
from reconciler.cli.notes import Notes
from reconciler.manifests.fields import check_identity
from reconciler.manifests.models import API_VERSION
from reconciler.manifests.quantity import Malformed, Quantity
from reconciler.profiles.profile import Profile, Unit
from reconciler.render.capture import CapturedWindow, DateItem, Inexpressible, capture, is_floor, round_to_minutes
from reconciler.render.leases import Lease, gather, read_lease

PRIORITY_STEP = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """The manifests as text, what could not be said, and how many profiles and stations the text holds.

    `guessed` are the stations of which nothing tells whether they are on AC or on DC; AC is put down.
    """

    text: str
    notes: tuple[str, ...]
    profiles: int
    stations: int
    discharges: bool
    guessed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Followed:
    """A profile that a schedule can say."""

    profile: Profile
    windows: tuple[CapturedWindow, ...]

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Give what makes one profile win over another: the stack level, then being an EVSE's own."""
        return (self.profile.stack_level, self.profile.evse_id > 0, self.profile.id)

    @property
    def phases(self) -> int:
        """Give on how many phases its amperes are; 0 for watts, which do not ask."""
        schedule = self.profile.schedule
        return 0 if schedule.unit is Unit.WATT else schedule.periods[0].number_phases or 3


@dataclass(slots=True)
class _Import:
    """Gathers: schedules by what they say, groups by the schedules that they give."""

    zone: ZoneInfo
    now: datetime
    is_rounded: bool
    leases: Mapping[Lease, Lease]
    notes: Notes = field(default_factory=Notes)
    schedules: dict[tuple[CapturedWindow, ...], str] = field(default_factory=dict)
    groups: dict[tuple[tuple[str, int], ...], list[str]] = field(default_factory=dict)
    documents: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    guessed: list[str] = field(default_factory=list)
    profiles: int = 0

    def add(self, station: CapturedStation) -> None:
        """Take a station with all of its profiles that can be said."""
        try:
            check_identity(station.identity)
        except Malformed as error:
            self.notes.add("", f"a station is left out: {error}")
            return
        evses = sorted({profile.evse_id for profile in station.profiles if profile.evse_id}) or [1]
        found = [each for profile in station.profiles if (each := self._follow(station, profile))]
        phases = next((each.phases for each in found if each.phases), phases_of(station) or PHASES)
        alike = [each for each in found if self._is_on(station, each, phases)]
        shared = list(self._shared(station, alike, evses))
        if not shared:
            return
        self.profiles += len(shared)
        ranked = sorted(shared, key=lambda each: each.rank)
        given = tuple((self._name(each), PRIORITY_STEP * number) for number, each in enumerate(ranked, start=1))
        self.groups.setdefault(given, []).append(station.identity)
        powers = [window.piece.power for each in ranked for window in each.windows]
        plate = read_plate(station, powers, phases, len(evses))
        self.guessed += [station.identity] if plate.is_guess else []
        self.documents.append(_station(station, self._station_name(station.identity), evses, (plate, powers)))

    def _follow(self, station: CapturedStation, profile: Profile) -> _Followed | None:
        label = f"profile {profile.id}"
        if is_floor(profile):
            why = "it commands zero for ever, as the floor of every fleet does"
            self.notes.add(station.identity, f"{label} is left out: {why}")
            return None
        if is_cap(station, profile):
            self.notes.add(station.identity, f"{label}, which caps the station, is taken for the rating of its EVSEs")
            return None
        taken = self._prolonged(station, profile)
        taken = round_to_minutes(taken) if self.is_rounded else taken
        try:
            return _Followed(profile, capture(taken, self.zone, self.now))
        except Inexpressible as error:
            self.notes.add(station.identity, f"{label} is left out: {error}")
            return None

    def _prolonged(self, station: CapturedStation, profile: Profile) -> Profile:
        """Give what a lease says together with those that agree with it; any other profile as it is."""
        lease = read_lease(profile) if floor_of(station) else None
        if lease is None:
            return profile
        return replace(profile, schedules=(self.leases[lease].schedule(profile.schedule), *profile.schedules[1:]))

    def _is_on(self, station: CapturedStation, each: _Followed, phases: int) -> bool:
        """Tell whether amperes of a profile mean the same watts as those of the station's other profiles."""
        if each.phases in (0, phases):
            return True
        why = f"its amperes are on {each.phases} phases, and others of the station on {phases}"
        self.notes.add(station.identity, f"profile {each.profile.id} is left out: {why}")
        return False

    def _shared(self, station: CapturedStation, found: list[_Followed], evses: list[int]) -> Iterator[_Followed]:
        """Give what holds for every EVSE, once: a schedule has no EVSE of its own."""
        told: set[tuple[int, tuple[CapturedWindow, ...]]] = set()
        for each in found:
            alike = {other.profile.evse_id for other in found if _same(each, other)}
            if each.profile.evse_id == 0 or alike >= set(evses):
                key = (each.profile.stack_level, each.windows)
                if each.profile.evse_id == 0 or key not in told:
                    yield each
                told |= {key} if each.profile.evse_id else set()
                continue
            why = f"it is for EVSE {each.profile.evse_id} alone, and a schedule holds for every EVSE of its station"
            self.notes.add(station.identity, f"profile {each.profile.id} is left out: {why}")

    def _name(self, each: _Followed) -> str:
        known = self.schedules.get(each.windows)
        if known is None:
            names, number = set(self.schedules.values()), 2
            known = first = f"profile-{each.profile.id}"
            while known in names:
                known, number = f"{first}-{number}", number + 1
            self.schedules[each.windows] = known
        return known

    def _station_name(self, identity: str) -> str:
        """Give a name for the document: the identity where it can be one."""
        plain_name = re.sub(r"[^A-Za-z0-9._-]+", "-", identity).strip("-._") or "station"
        name, number = plain_name, 2
        while name in self.names:
            name, number = f"{plain_name}-{number}", number + 1
        self.names.add(name)
        return name

    def text(self, heading: str) -> str:
        """Write all documents."""
        schedules = [_schedule(name, windows) for windows, name in self.schedules.items()]
        groups = [_group(number, *each) for number, each in enumerate(self.groups.items(), start=1)]
        first, *others = [*schedules, *self.documents, *groups]
        return "---\n".join((f"{heading}apiVersion: {API_VERSION}\n{first}", *others))


def import_stations(
    stations: Iterable[CapturedStation], zone: ZoneInfo, now: datetime, *, is_rounded: bool
) -> Imported:
    """Write manifests that command what captured profiles do, from the local day of `now` on."""
    captured = tuple(stations)
    work = _Import(zone, now, is_rounded, gather_leases(captured))
    for station in captured:
        work.add(station)
    for note in _on_leases(work):
        work.notes.add("", note)
    heading = (
        f"# Imported as of {now.astimezone(zone):%Y-%m-%d %H:%M}, for a fleet in {zone.key}.\n"
        "# Ratings are the largest powers that were captured: put those of the name plates in their place.\n"
    )
    text = work.text(heading) if work.documents else ""
    discharges = any(window.piece.power.value < 0 for windows in work.schedules for window in windows)
    return Imported(text, work.notes.lines(), work.profiles, len(work.documents), discharges, tuple(work.guessed))


def _on_leases(work: _Import) -> Iterator[str]:
    """Say until when the leases of a fleet tell what is wanted; nothing is guessed of what comes then."""
    if work.leases and work.schedules:
        end = max(lease.end for lease in work.leases.values()).astimezone(work.zone)
        yield f"leases tell no more than until {end:%Y-%m-%d %H:%M}: write what is to come then, such as `days: daily`"


def _same(one: _Followed, other: _Followed) -> bool:
    return one.profile.stack_level == other.profile.stack_level and one.windows == other.windows


def _schedule(name: str, windows: tuple[CapturedWindow, ...]) -> str:
    rows = "".join(f"    - {write_flow(_window(window))}\n" for window in windows)
    return f"kind: Schedule\nmetadata: {write_flow({'name': name})}\nspec:\n  windows:\n{rows}"


def _window(window: CapturedWindow) -> dict[str, object]:
    days = [_day(item) for item in window.days]
    written: dict[str, object] = {
        "days": days[0] if len(days) == 1 else days,
        "from": _clock(window.piece.start),
        "to": _clock(window.piece.end),
        "power": str(window.piece.power),
    }
    validity = {"from": window.valid_from, "to": window.valid_to}
    known = {key: day.isoformat() for key, day in validity.items() if day}
    return written | ({"validity": known} if known else {})


def _day(item: str | DateItem) -> object:
    match item:
        case str():
            return item
        case date():
            return item.isoformat()
        case _:
            first, last = item
            return {"from": first.isoformat(), "to": last.isoformat()}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _station(station: CapturedStation, name: str, evses: list[int], said: tuple[Plate, list[Quantity]]) -> str:
    plate, powers = said
    spec = "".join(f"    - {write_flow({'id': evse, **plate.as_manifest()})}\n" for evse in evses)
    identity = "" if name == station.identity else f"  identity: {write_flow(station.identity)}\n"
    capability = capability_of(station, powers)
    known = f"  capability: {write_flow(capability)}\n" if capability else ""
    return f"kind: Station\nmetadata: {write_flow({'name': name})}\nspec:\n{identity}  evses:\n{spec}{known}"


def gather_leases(stations: Iterable[CapturedStation]) -> Mapping[Lease, Lease]:
    """Give what each lease of fleets like ours says together with those that agree with it."""
    ours = (profile for station in stations if floor_of(station) for profile in station.profiles)
    return gather(lease for profile in ours if (lease := read_lease(profile)))


def _group(number: int, given: tuple[tuple[str, int], ...], identities: list[str]) -> str:
    rows = "".join(f"    - {write_flow({'schedule': name, 'priority': level})}\n" for name, level in reversed(given))
    names = write_flow({"names": sorted(identities)})
    head = f"kind: Group\nmetadata: {write_flow({'name': f'imported-{number}'})}\nspec:\n"
    return f"{head}  select: {names}\n  schedules:\n{rows}"
