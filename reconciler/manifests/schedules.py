"""Schedules as values, and what is wrong inside one: windows that overlap, discharge without consent.

Used by `load`. Local time stays local here; `render` knows the calendar.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from reconciler.manifests.complaints import clip
from reconciler.manifests.days import Pattern, Season
from reconciler.manifests.fleet import Schedule, Window
from reconciler.manifests.overlaps import Overlaps
from reconciler.manifests.quantity import Quantity
from reconciler.manifests.times import MINUTES_PER_DAY
from reconciler.profiles.profile import CurvePoint, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.errors import Place
    from reconciler.manifests.calendars import Almanac
    from reconciler.manifests.catalogue import Catalogue, Entry
    from reconciler.manifests.complaints import Complaints
    from reconciler.manifests.programme import ScheduleSpec, WindowSpec
    from reconciler.manifests.standing import Standing

MAX_EXTENDS = 8
MODES = {
    "central-setpoint": Mode.CENTRAL_SETPOINT,
    "local-frequency": Mode.LOCAL_FREQUENCY,
    "local-load-balancing": Mode.LOCAL_LOAD_BALANCING,
    "idle": Mode.IDLE,
    "charge-only": Mode.CHARGING_ONLY,
    "external-limits": Mode.EXTERNAL_LIMITS,
}


def resolve_schedules(
    catalogue: Catalogue, almanac: Almanac, standing: Standing, complaints: Complaints
) -> dict[str, Schedule]:
    """Make each schedule a value, following what it extends; note windows that overlap."""
    resolver = _Resolver(catalogue, almanac, standing, complaints)
    schedules = {name: resolver.resolve(name, ()) for name in sorted(catalogue.schedules)}
    overlaps = Overlaps(complaints)
    for schedule in resolver.made:
        overlaps.check(schedule)
    return schedules


def check_consent(schedules: Mapping[str, Schedule], complaints: Complaints) -> None:
    """Note every discharge, for a fleet that has not consented to any."""
    for schedule in schedules.values():
        for subject, place, field in discharges(schedule):
            message = f"{subject} discharges, and the Fleet does not allow it"
            hint = "`discharge: allowed` in the Fleet is the consent"
            complaints.add(place, "discharge-not-allowed", message, field=field, hint=hint)


def discharges(schedule: Schedule) -> Iterator[tuple[str, Place, str]]:
    """List what discharges in a schedule of its own, in the words of its author, with places and field paths."""
    for number, window in enumerate(schedule.windows):
        if window.may_discharge:
            key = "power" if window.power.value < 0 and not window.curve else "mode"
            subject = str(window.power) if key == "power" else f"`mode: {word_of(window.mode)}`"
            yield subject, window.place, f"spec.windows[{number}].{key}"
    if schedule.otherwise is not None and schedule.otherwise_place is not None and schedule.otherwise.value < 0:
        yield str(schedule.otherwise), schedule.otherwise_place, "spec.otherwise"


def word_of(mode: Mode | None) -> str:
    """Give the word that a mode has in manifests."""
    return next((word for word, known in MODES.items() if known is mode), "")


def powers(schedule: Schedule) -> Iterator[tuple[Quantity, Place, str]]:
    """List a schedule's own powers with their places and field paths."""
    for number, window in enumerate(schedule.windows):
        yield window.power, window.place, f"spec.windows[{number}].power"
    if schedule.otherwise is not None and schedule.otherwise_place is not None:
        yield schedule.otherwise, schedule.otherwise_place, "spec.otherwise"


class _Resolver:
    def __init__(self, catalogue: Catalogue, almanac: Almanac, standing: Standing, complaints: Complaints) -> None:
        self._catalogue, self._almanac, self._complaints = catalogue, almanac, complaints
        self._standing = standing
        self.made: list[Schedule] = []
        self._known: dict[str, Schedule] = {}
        self._patterns: dict[Pattern, Pattern] = {}

    def resolve(self, name: str, way: tuple[str, ...]) -> Schedule:
        """Give a schedule by name; `way` has those that extend it, the first of them first."""
        if name not in self._known:
            entry = self._catalogue.schedules[name]
            base = self._base(entry, (*way, name))
            self._known[name] = self._standing.schedule(entry, base) or self._schedule(entry, base)
        return self._known[name]

    def _base(self, entry: Entry[ScheduleSpec], way: tuple[str, ...]) -> Schedule | None:
        name = entry.spec.extends
        if name is None:
            return None
        place, field = entry.at("extends"), "spec.extends"
        if name in way:
            cycle = " extends ".join(clip(each) for each in (*way[way.index(name) :], name))
            self._complaints.add(place, "cyclic-schedules", f"a schedule can't extend itself: {cycle}", field=field)
            return None
        if not self._catalogue.check_reference("Schedule", name, place, field, self._complaints):
            return None
        base = self.resolve(name, way)
        if sum(1 for _ in base.lineage()) >= MAX_EXTENDS:
            message = f"more than {MAX_EXTENDS} schedules extend one another"
            self._complaints.add(place, "schedules-too-deep", message, field=field)
            return None
        return base

    def _schedule(self, entry: Entry[ScheduleSpec], base: Schedule | None) -> Schedule:
        spec = entry.spec
        made = Schedule(
            name=entry.name,
            windows=tuple(self._window(entry, number, window) for number, window in enumerate(spec.windows)),
            otherwise=spec.otherwise,
            otherwise_place=None if spec.otherwise is None else entry.at("otherwise"),
            valid_from=spec.validity.from_,
            valid_to=spec.validity.to,
            place=entry.place,
            extends=base,
        )
        self.made.append(made)
        return made

    def _window(self, entry: Entry[ScheduleSpec], number: int, spec: WindowSpec) -> Window:
        end = spec.to if spec.to > spec.from_ else spec.to + MINUTES_PER_DAY
        pattern = self._pattern(entry, number, spec)
        weekly = pattern.is_weekly
        days, place = pattern.on.weekdays, entry.at("windows", number)
        power = spec.power or spec.baseline or Quantity(Decimal(0), "W")
        mode = MODES[spec.mode] if spec.mode else None
        curve = tuple(CurvePoint(point.frequency, point.power.value) for point in spec.curve)
        return Window(days, spec.from_, end, power, place, None if weekly else pattern, mode, curve)

    def _pattern(self, entry: Entry[ScheduleSpec], number: int, spec: WindowSpec) -> Pattern:
        on, without, also = (
            self._almanac.resolve(words, entry, ("windows", number, key), f"spec.windows[{number}].{key}")
            for key, words in (("days", spec.days), ("except", spec.except_), ("also", spec.also))
        )
        season = Season(spec.season.from_, spec.season.to) if spec.season else None
        pattern = Pattern(on, without, also, season, spec.validity.from_, spec.validity.to)
        return self._patterns.setdefault(pattern, pattern)
