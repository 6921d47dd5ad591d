"""How each command is carried out over one connection: ask, wait, and say what came of it in exactly one event."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol as Shape
from typing import assert_never

from reconciler.errors import Unsupported
from reconciler.ocpp import outcomes, variables
from reconciler.ocpp.dialects import dialect
from reconciler.ocpp.inventory import Complete, Unknown
from reconciler.ocpp.session import Answered, Ending, Failed, Fate, TimedOut
from reconciler.ocpp.variables import Variable
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import JsonObject
from reconciler.reported.events import (
    CapabilityRead,
    CompositeRead,
    NotSent,
    ProfilesRead,
    RawAnswered,
    ReadFailed,
    StationEvent,
    Written,
)
from reconciler.rollout.commands import (
    Clear,
    Push,
    ReadCapability,
    ReadComposite,
    ReadProfiles,
    SendRaw,
    StationCommand,
)

_NEVER = frozenset({"NotImplemented", "NotSupported"})
"""A station without smart charging: a state, not a reason to try again."""


class Line(Shape):
    """A connection to one station, as far as commands need it."""

    identity: str
    protocol: Protocol

    def now(self) -> datetime:
        """Give the instant."""

    async def ask(self, action: str, payload: JsonObject) -> Ending:
        """Send a request and wait for its end."""

    async def take_stock(self) -> Complete | Unknown | Ending:
        """Ask for all profiles and wait for the reports; an Ending where the request itself got no answer."""


async def carry_out(command: StationCommand, line: Line) -> StationEvent:
    """Carry one command out; this takes as long as the station does, within the line's terms."""
    match command:
        case ReadCapability():
            return await _read_capability(command, line)
        case ReadProfiles():
            return await _read_profiles(line)
        case ReadComposite():
            return await _read_composite(command, line)
        case Push():
            return await _push(command, line)
        case Clear(profile_id=number):
            ending = await line.ask("ClearChargingProfile", dialect(line.protocol).clear_profile(number))
            return Written(line.identity, number, None, outcomes.written(ending))
        case SendRaw(action=action, payload=payload, ticket=ticket):
            return _raw(line.identity, ticket, await line.ask(action, payload))
        case _:  # pragma: no cover
            assert_never(command)


def undone(command: StationCommand, why: str) -> StationEvent:
    """Give the event of a command of which nothing left this process."""
    match command:
        case ReadCapability() | ReadProfiles() | ReadComposite():
            return ReadFailed(command.station, why)
        case Push(profile=profile):
            return Written(command.station, profile.id, profile, NotSent(why))
        case Clear(profile_id=number):
            return Written(command.station, number, None, NotSent(why))
        case SendRaw(ticket=ticket):
            return RawAnswered(command.station, ticket, ok=False, answer={"error": why}, not_sent=why)
        case _:  # pragma: no cover
            assert_never(command)


async def _read_capability(command: ReadCapability, line: Line) -> StationEvent:
    asked = variables.questions(line.protocol)
    first = await _get_variables(line, asked, variables.FIRST_CHUNK, count=1)
    if isinstance(first, ReadFailed):
        return first
    found, told_at = first
    rest = await _get_variables(line, asked[variables.FIRST_CHUNK :], variables.chunk(found), count=len(asked))
    if isinstance(rest, ReadFailed):
        return rest
    found, told_at = {**found, **rest[0]}, rest[1]
    base = replace(command.base, protocol=line.protocol)
    return CapabilityRead(line.identity, variables.read(found, base), variables.skew(found, told_at))


async def _get_variables(
    line: Line, asked: tuple[Variable, ...], size: int, count: int
) -> tuple[dict[Variable, str], datetime] | ReadFailed:
    """Ask the first `count` chunks; a chunk that is refused says nothing, one without answer ends the reading."""
    found: dict[Variable, str] = {}
    for payload in variables.requests(asked, size)[:count]:
        match await line.ask("GetVariables", payload):
            case Answered(payload=answer):
                found |= variables.values([answer])
            case Failed(fate=Fate.REFUSED):
                continue
            case ending:
                return ReadFailed(line.identity, _why(ending))
    return found, line.now()


async def _read_profiles(line: Line) -> StationEvent:
    match await line.take_stock():
        case Complete(profiles):
            return ProfilesRead(line.identity, profiles)
        case Unknown(why, permanent):
            return ReadFailed(line.identity, why, permanent)
        case ending:
            return _unread(line, ending)


async def _read_composite(command: ReadComposite, line: Line) -> StationEvent:
    spoken = dialect(line.protocol)
    ending = await line.ask(
        "GetCompositeSchedule", spoken.get_composite(command.evse_id, command.duration, command.unit)
    )
    if not isinstance(ending, Answered):
        return _unread(line, ending)
    try:
        lifted = spoken.lift_composite(ending.payload)
    except TypeError as error:
        return ReadFailed(line.identity, f"the composite schedule can't be read: {error}")
    if lifted is None:
        return ReadFailed(line.identity, f"answered {ending.payload.get('status')}, without a schedule")
    return CompositeRead(line.identity, command.evse_id, *lifted)


async def _push(command: Push, line: Line) -> StationEvent:
    profile = command.profile
    try:
        payload = dialect(line.protocol).set_profile(profile, command.capability)
    except Unsupported as error:
        return Written(line.identity, profile.id, profile, NotSent(str(error), permanent=True))
    ending = await line.ask("SetChargingProfile", payload)
    return Written(line.identity, profile.id, profile, outcomes.written(ending))


def _raw(station: str, ticket: str, ending: Ending) -> RawAnswered:
    match ending:
        case Answered(payload=payload):
            return RawAnswered(station, ticket, ok=True, answer=payload)
        case Failed(code=code, description=description, fate=fate):
            answer = {"errorCode": code, "errorDescription": description}
            not_sent = description if fate is Fate.UNSENT else ""
            return RawAnswered(station, ticket, ok=False, answer=answer, not_sent=not_sent)
        case TimedOut():
            return RawAnswered(station, ticket, ok=False, answer={"error": _why(ending)})
        case _:  # pragma: no cover
            assert_never(ending)


def _unread(line: Line, ending: Ending) -> ReadFailed:
    never = isinstance(ending, Failed) and ending.fate is Fate.REFUSED and ending.code in _NEVER
    return ReadFailed(line.identity, _why(ending), permanent=never)


def _why(ending: Ending) -> str:
    match ending:
        case Failed(action=action, code=code, description=description):
            return f"{action}: {code}: {description}"
        case TimedOut(action=action) | Answered(action=action):
            return f"{action} was not answered in time"
        case _:  # pragma: no cover
            assert_never(ending)
