"""What one station is believed to hold, and how firmly: `fold` takes in everything that bears on it.

The controller's step folds each event; `plan` compares the result with what is desired. Nothing but a report makes
`unknown` into `observed`, and an Accepted is an assumption until it is read back (invariant 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.profiles.profile import Profile
from reconciler.reported.events import (
    Accepted,
    Booted,
    CompositeRead,
    Connected,
    OutcomeUnknown,
    ProfilesRead,
    Refused,
    ReportedProfile,
    StationEvent,
    Written,
)

OURS = "CSO"
"""The chargingLimitSource of profiles that a CSMS has set."""


class Belief(StrEnum):
    """How firmly a profile is believed to be held."""

    OBSERVED = "observed"
    ASSUMED = "assumed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Held:
    """A profile that the station is believed to hold, and who set it."""

    profile: Profile
    belief: Belief
    source: str = OURS


@dataclass(frozen=True, slots=True)
class Echo:
    """What was accepted, and how it was read back the first time: stations normalise what they store."""

    request: Profile
    stored: Profile


@dataclass(frozen=True, slots=True)
class Reported:
    """Everything that one station is believed to hold.

    `known` is false from a boot, a new connection or a lost answer until the next whole report. `unread` tells of
    writes that were accepted and not read back yet. `requests` are accepted writes still waiting for their echo,
    `refusals` the answers to writes the station refused, `composites` the second opinions by EVSE.
    """

    held: Mapping[int, Held] = field(default_factory=dict)
    known: bool = False
    ever_known: bool = False
    unread: bool = False
    requests: Mapping[int, Profile] = field(default_factory=dict)
    echoes: Mapping[int, Echo] = field(default_factory=dict)
    refusals: Mapping[int, tuple[Profile | None, Refused]] = field(default_factory=dict)
    composites: Mapping[int, CompositeRead] = field(default_factory=dict)

    def profile(self, profile_id: int) -> Profile | None:
        """Give the profile believed to be held under an id."""
        held = self.held.get(profile_id)
        return held.profile if held else None


def fold(reported: Reported, event: StationEvent) -> Reported:
    """Take one event in; events that say nothing about profiles change nothing."""
    match event:
        case Connected() | Booted():
            return _doubt(reported)
        case ProfilesRead():
            return _read(reported, event)
        case CompositeRead():
            return replace(reported, composites={**reported.composites, event.evse_id: event})
        case Written():
            return _written(reported, event)
        case _:
            return reported


def _doubt(reported: Reported) -> Reported:
    held = {number: replace(each, belief=Belief.UNKNOWN) for number, each in reported.held.items()}
    return replace(reported, held=held, known=False, composites={})


def _read(reported: Reported, event: ProfilesRead) -> Reported:
    held = {each.profile.id: Held(each.profile, Belief.OBSERVED, each.source) for each in _own_last(event.profiles)}
    fresh = {
        number: Echo(request, held[number].profile) for number, request in reported.requests.items() if number in held
    }
    echoes = {number: echo for number, echo in {**reported.echoes, **fresh}.items() if number in held}
    return replace(reported, held=held, known=True, ever_known=True, unread=False, requests={}, echoes=echoes)


def _own_last(profiles: tuple[ReportedProfile, ...]) -> list[ReportedProfile]:
    """Let a profile that we set win over another source's with the same id."""
    return sorted(profiles, key=lambda each: (each.source == OURS, each.source))


def _written(reported: Reported, event: Written) -> Reported:
    number = event.profile_id
    match event.outcome:
        case Accepted():
            refusals = {key: value for key, value in reported.refusals.items() if key != number}
            return _accepted(replace(reported, unread=True, refusals=refusals), event)
        case Refused():
            refusals = {**reported.refusals, number: (event.profile, event.outcome)}
            return replace(reported, refusals=refusals)
        case OutcomeUnknown():
            return _doubt_one(reported, event)
        case _:
            return reported


def _accepted(reported: Reported, event: Written) -> Reported:
    number = event.profile_id
    held = {key: value for key, value in reported.held.items() if key != number}
    requests = {key: value for key, value in reported.requests.items() if key != number}
    echoes = {key: value for key, value in reported.echoes.items() if key != number}
    if event.profile is not None:
        held[number] = Held(event.profile, Belief.ASSUMED)
        requests[number] = event.profile
    return replace(reported, held=held, requests=requests, echoes=echoes, composites={})


def _doubt_one(reported: Reported, event: Written) -> Reported:
    number = event.profile_id
    profile = event.profile or reported.profile(number)
    held = {**reported.held, number: Held(profile, Belief.UNKNOWN)} if profile else reported.held
    return replace(reported, held=held, known=False)
