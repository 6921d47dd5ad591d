"""Saved state: what stations are believed to hold, as a JSON document that one program writes and another reads.

The controller's API writes it, `plan` reads it from there or from a file. Beside the profiles it carries what a
comparison needs to come to the controller's own answer: what was asked for when a station stored something else, and
what it refused. What is read here is untrusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.form import (
    Fields,
    Malformed,
    MalformedProfile,
    read_instant,
    read_integer,
    read_list,
    read_object,
    read_profile,
    read_text,
    read_truth,
    read_word,
    write_instant,
    write_profile,
)
from reconciler.profiles.profile import Mode, Profile, Unit, shared
from reconciler.reported.belief import OURS, Belief, Echo, Held, Reported
from reconciler.reported.events import Refused

FORMAT_VERSION = 1
LONGEST_IDENTITY = 48
MOST_STATIONS = 200_000
MOST_PROFILES = 1_000
"""Of one station; more than any station of the field holds."""
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class MalformedState(Malformed):
    """A document is not a saved state; `path` is such as `stations[3].profiles[0].evseId`."""

    def __str__(self) -> str:
        """Give path and message."""
        return f"saved state: {self.path}: {self.message}" if self.path else f"saved state: {self.message}"


@dataclass(frozen=True, slots=True)
class SavedStation:
    """One station: the protocol it spoke last, if it is connected, what it can take, what it is believed to hold.

    `verified` is the commit whose goal was last read back whole; empty where none was, or nobody knows.
    """

    identity: str
    protocol: Protocol | None = None
    connected: bool = False
    capability: Capability | None = None
    reported: Reported = field(default_factory=Reported)
    verified: str = ""


@dataclass(frozen=True, slots=True)
class SavedState:
    """A whole document: when it was true, the commit in force then (may be empty), stations by casefolded identity."""

    at: datetime
    revision: str
    stations: Mapping[str, SavedStation]


def write_state(stations: Iterable[SavedStation], at: datetime, revision: str = "") -> dict[str, object]:
    """Write the document, stations sorted by identity."""
    ordered = sorted(stations, key=lambda station: station.identity.casefold())
    return {
        "format_version": FORMAT_VERSION,
        "at": write_instant(at),
        "revision": revision,
        "stations": [write_station(station) for station in ordered],
    }


def read_state(data: object) -> SavedState:
    """Read a document.

    Raises:
        MalformedState: it is none, or one of a later format.
    """
    fields = StateFields(data, "")
    version = fields.need("format_version", read_integer)
    if version != FORMAT_VERSION:
        raise MalformedState("format_version", f"is {version}, and this program reads {FORMAT_VERSION}")
    stations: dict[str, SavedStation] = {}
    for item in fields.items("stations", MOST_STATIONS):
        station = read_station(item)
        if station.identity.casefold() in stations:
            raise MalformedState(f"{item.path}.identity", f"{station.identity} is there twice")
        stations[station.identity.casefold()] = station
    return SavedState(fields.need("at", read_instant), fields.have("revision", read_text) or "", stations)


def write_station(station: SavedStation) -> dict[str, object]:
    """Write one station of a document."""
    reported = station.reported
    written: dict[str, object] = {
        "identity": station.identity,
        "protocol": station.protocol.version if station.protocol else None,
        "connected": station.connected,
        "known": reported.known,
        "profiles": [_write_held(held, reported.echoes.get(number)) for number, held in sorted(reported.held.items())],
    }
    if station.verified:
        written["verified"] = station.verified
    if station.capability is not None:
        written["capability"] = write_capability(station.capability)
    refusals = [
        _write_refusal(profile, refused)
        for _, (profile, refused) in sorted(reported.refusals.items())
        if profile is not None
    ]
    return written | ({"refusals": refusals} if refusals else {})


def _write_held(held: Held, echo: Echo | None) -> dict[str, object]:
    written: dict[str, object] = {
        "evseId": held.profile.evse_id,
        "source": held.source,
        "belief": held.belief.value,
        "profile": write_profile(held.profile),
    }
    if echo is not None:
        written["echo"] = {name: write_with_evse(each) for name, each in _unlike(held.profile, echo)}
    return written


def _unlike(held: Profile, echo: Echo) -> Iterable[tuple[str, Profile]]:
    """Give what of an echo is not the very profile that is held: most stations store what they are sent."""
    return ((name, each) for name, each in (("request", echo.request), ("stored", echo.stored)) if each != held)


def _write_refusal(profile: Profile, refused: Refused) -> dict[str, object]:
    return {
        **write_with_evse(profile),
        "reasonCode": refused.reason_code,
        "detail": refused.detail,
        "retryAfter": None if refused.retry_after is None else int(refused.retry_after.total_seconds()),
    }


def write_with_evse(profile: Profile) -> dict[str, object]:
    """Write a profile together with its EVSE, which the standard keeps beside it."""
    return {"evseId": profile.evse_id, "profile": write_profile(profile)}


def write_capability(capability: Capability) -> dict[str, object]:
    """Write what a station can take."""
    return {
        "protocol": capability.protocol.version,
        "units": [unit.value for unit in capability.units],
        "maxStackLevel": capability.max_stack_level,
        "maxPeriods": capability.max_periods,
        "maxProfiles": capability.max_profiles,
        "negativeLimit": capability.negative_limit,
        "modes": sorted(mode.value for mode in capability.modes),
        "maxOffline": capability.max_offline,
        "maxExternalId": capability.max_external_id,
        "updateRateLimit": int(capability.update_rate_limit.total_seconds()),
        "smartCharging": capability.smart_charging,
    }


def read_station(fields: StateFields) -> SavedStation:
    """Read one station of a document; raises MalformedState."""
    known = fields.need("known", read_truth)
    held: dict[int, Held] = {}
    echoes: dict[int, Echo] = {}
    for item in fields.items("profiles", MOST_PROFILES):
        each = _read_held(item)
        if each.profile.id in held:
            raise MalformedState(f"{item.path}.profile.id", f"{each.profile.id} is there twice")
        held[each.profile.id] = each
        echo = item.within("echo", partial(_read_echo, each.profile))
        if echo is not None:
            echoes[each.profile.id] = echo
    return SavedStation(
        identity=fields.need("identity", _read_identity),
        protocol=fields.have("protocol", _read_protocol),
        connected=fields.need("connected", read_truth),
        capability=fields.within("capability", read_capability),
        reported=Reported(
            held=held,
            known=known,
            ever_known=known or bool(held),
            echoes=echoes,
            refusals=dict(_read_refusal(item) for item in fields.items("refusals", MOST_PROFILES, needed=False)),
        ),
        verified=fields.have("verified", read_text) or "",
    )


def _read_held(fields: StateFields) -> Held:
    belief = fields.need("belief", read_word(Belief))
    return Held(read_with_evse(fields), belief, fields.have("source", read_text) or OURS)


def _read_echo(held: Profile, fields: StateFields) -> Echo:
    """Read an echo; what it leaves out is as the profile that is held."""
    request, stored = (fields.within(name, read_with_evse) or held for name in ("request", "stored"))
    return Echo(request, stored)


def _read_refusal(fields: StateFields) -> tuple[int, tuple[Profile, Refused]]:
    profile = read_with_evse(fields)
    wait = fields.have("retryAfter", read_integer)
    refused = Refused(
        fields.need("reasonCode", read_text),
        fields.have("detail", read_text) or "",
        None if wait is None else timedelta(seconds=wait),
    )
    return profile.id, (profile, refused)


def read_with_evse(fields: StateFields) -> Profile:
    """Read a profile together with its EVSE; raises MalformedState."""
    evse_id = fields.need("evseId", read_integer)
    try:
        return shared(read_profile(evse_id, fields.need("profile", read_object)))
    except MalformedProfile as error:
        path = ".".join(part for part in (fields.path, "profile", error.path) if part)
        raise MalformedState(path, error.message) from error


def read_capability(fields: StateFields) -> Capability:
    """Read what a station can take; raises MalformedState."""
    return Capability(
        protocol=fields.need("protocol", _read_protocol),
        units=fields.need("units", _words(Unit)),
        max_stack_level=fields.need("maxStackLevel", read_integer),
        max_periods=fields.need("maxPeriods", read_integer),
        max_profiles=fields.have("maxProfiles", read_integer),
        negative_limit=fields.need("negativeLimit", read_truth),
        modes=frozenset(fields.need("modes", _words(Mode))),
        max_offline=fields.need("maxOffline", read_truth),
        max_external_id=fields.need("maxExternalId", read_integer),
        update_rate_limit=timedelta(seconds=fields.need("updateRateLimit", read_integer)),
        smart_charging=fields.need("smartCharging", read_truth),
    )


class StateFields(Fields):
    """Reads the fields of one object of a saved state."""

    __slots__ = ()
    malformed = MalformedState

    def within(self, name: str, read: Callable[[StateFields], T]) -> T | None:
        """Give what is read from an object inside, or None where it is absent or null."""
        inside = self.have(name, read_object)
        return None if inside is None else read(StateFields(inside, self.at(name)))

    def items(self, name: str, most: int, *, needed: bool = True) -> Iterable[StateFields]:
        """Give the objects of a list that may be empty; there are at most `most`."""
        items = self.need(name, read_list) if needed else self.have(name, read_list) or ()
        if len(items) > most:
            raise MalformedState(self.at(name), f"has {len(items)} items, and at most {most} are taken")
        return (StateFields(item, f"{self.at(name)}[{index}]") for index, item in enumerate(items))


def _words(words: type[E]) -> Callable[[object], tuple[E, ...]]:
    read = read_word(words)
    return lambda value: tuple(read(item) for item in read_list(value))


def _read_identity(value: object) -> str:
    text = read_text(value)
    if not 0 < len(text) <= LONGEST_IDENTITY:
        raise TypeError(f"must have 1 to {LONGEST_IDENTITY} characters")
    return text


def _read_protocol(value: object) -> Protocol:
    for protocol in Protocol:
        if protocol.version == value:
            return protocol
    raise TypeError(f"must be one of {', '.join(protocol.version for protocol in Protocol)}")
