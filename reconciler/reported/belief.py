"""What one station is believed to hold, and how firmly: `fold` takes in everything that bears on it.

The controller's step folds each event; `plan` compares the result with what is desired. Nothing but a report makes
`unknown` into `observed`, and an Accepted is an assumption until it is read back (invariant 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, assert_never

from reconciler.profiles.profile import Profile
from reconciler.profiles.values import replace
from reconciler.reported.events import (
    Accepted,
    Booted,
    CompositeRead,
    Connected,
    NotSent,
    OutcomeUnknown,
    ProfilesRead,
    Refused,
    ReportedProfile,
    StationEvent,
    Written,
)

OURS = "CSO"
"""The chargingLimitSource of profiles that a CSMS has set."""


T = TypeVar("T")


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
    """Take one event in; events that say nothing about profiles change nothing.

    A boot also ends the memory of refusals: what made the station refuse may have been set right.
    """
    match event:
        case Connected():
            return _doubt(reported)
        case Booted():
            return replace(_doubt(reported), refusals={})
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
            # A clear makes room: what was refused for want of it may now be taken.
            others = reported.refusals if event.profile is not None else {}
            return _accepted(replace(reported, unread=True, refusals=_without(others, number)), event)
        case Refused():
            return replace(reported, refusals={**reported.refusals, number: (event.profile, event.outcome)})
        case NotSent(why, permanent=True):
            refusal = Refused("not sent", why)
            return replace(reported, refusals={**reported.refusals, number: (event.profile, refusal)})
        case NotSent():
            return reported
        case OutcomeUnknown():
            return _doubt_one(reported, event)
        case _:  # pragma: no cover
            assert_never(event.outcome)


def _accepted(reported: Reported, event: Written) -> Reported:
    number = event.profile_id
    held, requests = _without(reported.held, number), _without(reported.requests, number)
    if event.profile is not None:
        held[number] = Held(event.profile, Belief.ASSUMED)
        requests[number] = event.profile
    echoes = _without(reported.echoes, number)
    return replace(reported, held=held, requests=requests, echoes=echoes, composites={})


def _doubt_one(reported: Reported, event: Written) -> Reported:
    """Count a write without an answer as held, but not known; the next report is no echo of the write before it."""
    number = event.profile_id
    profile = event.profile or reported.profile(number)
    held = {**reported.held, number: Held(profile, Belief.UNKNOWN)} if profile else reported.held
    return replace(reported, held=held, known=False, requests=_without(reported.requests, number), composites={})


def _without(mapping: Mapping[int, T], number: int) -> dict[int, T]:
    return {key: value for key, value in mapping.items() if key != number}
