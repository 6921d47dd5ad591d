"""Desired profiles: a pure function of revision, capability and time (invariant 1).

Called by the controller's step for one station at a time and by the command line for all. Stations of one kind share
one rendering; nothing here knows what a station holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import chain

from reconciler.errors import ManifestError, Unsupported
from reconciler.manifests.fleet import Evse, Fleet, Station
from reconciler.profiles.capability import Capability, Rating
from reconciler.profiles.fit import fit
from reconciler.profiles.profile import Profile, Purpose
from reconciler.profiles.rules import check_stack
from reconciler.profiles.timeline import Timeline
from reconciler.profiles.wording import count
from reconciler.render.lease import EPOCH, Lease, bucket, lease_at, window
from reconciler.render.orders import Order, degrade, facts, merge
from reconciler.render.origins import Misyielded, place
from reconciler.render.programmes import Programmes, remember
from reconciler.render.sandbox import Sandbox
from reconciler.render.yielded import Fault, check_floor, check_ids, check_yield, first_discharge, read_yield, refuse

FLOOR, STATION_MAX, SCHEDULE = "floor.yaml.j2", "station-max.yaml.j2", "schedule.yaml.j2"
FIRST_EVSE = 10
"""Profile ids: the range's first is the floor's, the next the ceiling's, and EVSE n has `first + 10 + n`."""
ZERO = Decimal(0)
Kind = tuple[int, int, int, str, Capability, Lease]
"""What a rendering depends on: assignments, settings and EVSEs by their identity, then model, capability and lease."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What one station should hold: the floor first, then by id; good from `since` to before `until`.

    `notes` say what was made less because the station can't be told it (`onUnsupported`).
    `refusal` says why flow can't be given (then `profiles` has none); it is empty where all could be expressed.
    """

    profiles: tuple[Profile, ...]
    until: datetime
    refusal: str = ""
    since: datetime = EPOCH
    notes: tuple[str, ...] = ()


class Renderer:
    """Renders the stations of one revision; results are remembered per distinct input, not per station."""

    def __init__(self, fleet: Fleet, shipped: Mapping[str, str]) -> None:
        """Take the fleet, and the templates that hold where it brings none of its own by that name."""
        self.fleet = fleet
        self.programmes = Programmes(fleet)
        self.templates = {**shipped, **fleet.templates}
        self._sandbox = Sandbox(self.templates)
        self._remembered: dict[Kind, Desired] = {}
        self._yields: dict[object, tuple[Profile, ...]] = {}
        self._latest: dict[str, Mapping[str, object]] = {}
        self.renderings = 0

    def desired(self, station: Station, capability: Capability, now: datetime) -> Desired:
        """Give what a station should hold at `now`.

        Raises:
            ManifestError: a template failed, or yielded what may not be sent.
        """
        lease = lease_at(now, station.settings.fail_safe, bucket(station.identity))
        assignments, settings, evses = parts_of(station)
        key = (assignments, settings, evses, station.model, capability, lease)
        known = self._remembered.get(key)
        if known is None or not known.since <= now < known.until:
            try:
                known = self._render(station, capability, lease, now)
            except Misyielded as error:
                raise self._placed(error) from error
            remember(self._remembered, key, known)
        return known

    def take_over(self, before: Renderer, now: datetime) -> tuple[Desired, ...]:
        """Give what another fleet's renderer has rendered for stations made of the very same objects, and keep it.

        Both fleets must be alive, for objects are told apart by where they lie. Nothing is kept where templates, time
        zone, voltage or profile ids differ.
        """
        if (_common(self.fleet), self.templates) != (_common(before.fleet), before.templates):
            return ()
        alive = _parts(self.fleet) & _parts(before.fleet)
        known = before._remembered.copy()  # its own thread may go on rendering
        self._remembered = {key: each for key, each in known.items() if each.until > now and alive.issuperset(key[:3])}
        self.programmes.take_over(before.programmes, alive)
        return tuple(self._remembered.values())

    def timeline(self, station: Station, evse: Evse, span: tuple[datetime, datetime]) -> Timeline:
        """Give the signed power in W that is asked of an EVSE over a span, zero where no schedule speaks.

        Discharge that a departure has no room for is left out, where its policy is to trim it.
        """
        return self.programmes.timeline(station, evse, span)

    def envelope(self, station: Station, evse: Evse, span: tuple[datetime, datetime]) -> tuple[Timeline, Timeline]:
        """Give the least and the most that may flow, in W: they differ where others steer than the schedule."""
        return self.programmes.envelope(station, evse, span)

    def degradations(
        self, station: Station, capability: Capability, span: tuple[datetime, datetime]
    ) -> tuple[str, ...]:
        """Say what a station gets less of over a span, because it can't be told it (`onUnsupported`)."""
        notes = dict[str, None]()
        for evse in station.evses if station.settings.on_unsupported != "refuse" else ():
            orders = self.programmes.orders(station, evse, span)
            notes |= dict.fromkeys(degrade(orders, capability, station.settings.on_unsupported)[1])
        return tuple(notes)

    def blame(
        self, found: Profile, station: Station, capability: Capability, now: datetime, fault: Fault
    ) -> ManifestError:
        """Make the error that something is wrong with a profile of a station, at the line that has written it."""
        template = self._render_again(found, station, capability, now)
        yielded = self._yield(template, self._latest[template])
        index = next((number for number, each in enumerate(yielded) if each.id == found.id), 0)
        path = first_discharge(yielded[index]) if fault.path is None else fault.path
        return self._placed(refuse(template, fault.message, fault.rule, (index, path)))

    def _render_again(self, found: Profile, station: Station, capability: Capability, now: datetime) -> str:
        """Let the template that has written a profile be the latest to render it, and give its name."""
        if found.purpose is Purpose.STATION_MAX:
            self._ceiling(capability, station)
            return STATION_MAX
        evse = next((each for each in station.evses if each.id == found.evse_id), None)
        if evse is None:
            self._floor(capability, station)
            return FLOOR
        self._schedule(
            evse, station, capability, lease_at(now, station.settings.fail_safe, bucket(station.identity)), now
        )
        return _template(station)

    def _render(self, station: Station, capability: Capability, lease: Lease, now: datetime) -> Desired:
        self.renderings += 1
        still: list[Profile] = []
        try:
            still += self._floor(capability, station)
            still += self._ceiling(capability, station)
            flowing, held, notes = self._schedules(station, capability, lease, now)
            _refuse_too_many((*still, *flowing), capability)
        except Unsupported as error:
            return Desired(tuple(still), lease.renewal, str(error), lease.start)
        profiles = (*still, *flowing)
        check_ids(profiles, _template(station))
        for violation in check_stack(profiles):
            raise refuse(_template(station), violation.message, violation.rule, (0, "id"))
        return Desired(profiles, held.renewal, "", held.start, notes)

    def _placed(self, error: Misyielded) -> ManifestError:
        """Give an error the line of its template that has yielded what is wrong."""
        variables = self._latest.get(error.template)
        if variables is None:
            return error
        text = self._sandbox.render(error.template, variables)
        return place(error, text, self._sandbox.trace(error.template, variables))

    def _schedules(
        self, station: Station, capability: Capability, lease: Lease, now: datetime
    ) -> tuple[tuple[Profile, ...], Lease, tuple[str, ...]]:
        """Give the profiles of all EVSEs, the lease within which none of them changes, and what was made less."""
        profiles, shared, notes = list[Profile](), lease, dict[str, None]()
        for evse in station.evses if station.assignments else ():
            rendered, held, made_less = self._schedule(evse, station, capability, lease, now)
            profiles += rendered
            notes |= dict.fromkeys(made_less)
            shared = replace(shared, start=max(shared.start, held.start), renewal=min(shared.renewal, held.renewal))
        return tuple(profiles), shared, tuple(notes)

    def _floor(self, capability: Capability, station: Station) -> tuple[Profile, ...]:
        variables = {"profile_id": self.fleet.id_from, "start": EPOCH, **_about(station)}
        yielded = self._yield(FLOOR, variables)
        check_floor(yielded, FLOOR)
        return (fit(yielded[0], _enough(capability), self._rating(station)),)

    def _ceiling(self, capability: Capability, station: Station) -> tuple[Profile, ...]:
        rating = self._rating(station)
        variables = {
            "profile_id": self.fleet.id_from + 1,
            "start": EPOCH,
            "charge_w": rating.charge_w,
            **_about(station),
        }
        yielded = self._yield(STATION_MAX, variables)
        for index, profile in enumerate(yielded):
            if profile.purpose is not Purpose.STATION_MAX:
                where = (index, "chargingProfilePurpose")
                raise refuse(STATION_MAX, f"yields a {profile.purpose}", "template-purpose", where)
        return tuple(fit(profile, _enough(capability), rating) for profile in yielded)

    def _schedule(
        self, evse: Evse, station: Station, capability: Capability, lease: Lease, now: datetime
    ) -> tuple[tuple[Profile, ...], Lease, tuple[str, ...]]:
        use = station.settings.template
        asked = self.programmes.orders(station, evse, (lease.start, lease.end))
        orders, notes = degrade(asked, capability, station.settings.on_unsupported)
        orders, held = window(orders, lease, now, capability.max_periods)
        variables = {
            "profile_id": self.fleet.id_from + FIRST_EVSE + evse.id,
            "evse": _facts(evse),
            "steps": list(facts(merge((*orders, Order(held.end, ZERO))), orders[0].start)),
            "voltage": self.fleet.nominal_voltage,
            "parameters": dict(use.parameters) if use else {},
            "lease": {"start": held.start, "end": held.end},
            "max_offline": station.settings.fail_safe.max_offline if capability.max_offline else None,
            **_about(station),
        }
        rating = self._rating(station, evse)
        template = _template(station)
        yielded = self._yield(template, variables)
        check_yield(yielded, evse.id, held, template)
        return tuple(fit(profile, capability, rating) for profile in yielded), held, notes

    def _yield(self, template: str, variables: Mapping[str, object]) -> tuple[Profile, ...]:
        self._latest[template] = variables
        key = (template, repr(variables))
        known = self._yields.get(key)
        if known is None:
            known = read_yield(template, self._sandbox.render(template, variables))
            for index, profile in enumerate(known):
                if not self.fleet.id_from <= profile.id <= self.fleet.id_to:
                    message = f"profile id {profile.id} is outside the fleet's range"
                    raise refuse(template, message, "foreign-id", (index, "id"))
            remember(self._yields, key, known)
        return known

    def _rating(self, station: Station, evse: Evse | None = None) -> Rating:
        """Give what one EVSE or the whole station may carry; a single-phase EVSE must not take the others' phases."""
        evses = (evse,) if evse else station.evses
        on_dc = any(not each.phases for each in evses)
        return Rating(
            charge_w=sum((each.charge_w for each in evses), ZERO),
            discharge_w=sum((each.discharge_w for each in evses), ZERO),
            phases=0 if on_dc else max(each.phases for each in evses),
            voltage=self.fleet.nominal_voltage,
        )


def parts_of(station: Station) -> tuple[int, int, int]:
    """Give the identities of what decides, with model and capability, what is rendered for a station."""
    return id(station.assignments), id(station.settings), id(station.evses)


def _parts(fleet: Fleet) -> set[int]:
    return set(chain.from_iterable(map(parts_of, fleet.stations.values())))


def _common(fleet: Fleet) -> tuple[object, ...]:
    return (fleet.timezone, fleet.id_from, fleet.id_to, str(fleet.nominal_voltage))


def _enough(capability: Capability) -> Capability:
    """Let the floor and the ceiling pass where flow is refused: they are sent to every station, whatever it says."""
    return replace(capability, smart_charging=True, max_external_id=0)


def _refuse_too_many(profiles: tuple[Profile, ...], capability: Capability) -> None:
    if capability.max_profiles is not None and len(profiles) > capability.max_profiles:
        raise Unsupported(count(len(profiles), "profile"), f"the station holds {capability.max_profiles}")


def _template(station: Station) -> str:
    use = station.settings.template
    return use.file if use else SCHEDULE


def _about(station: Station) -> dict[str, object]:
    return {"model": station.model, "evse_count": len(station.evses)}


def _facts(evse: Evse) -> dict[str, object]:
    return {
        "id": evse.id,
        "charge_w": evse.charge_w,
        "discharge_w": evse.discharge_w,
        "phases": evse.phases,
        "current": evse.current.value,
        "connector": evse.connector,
    }
