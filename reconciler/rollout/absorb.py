"""Take one event into a station's state: what it means for connection, belief, patience and capability.

The controller's step calls `absorb` before it asks the table what follows. Events of a socket that was replaced change
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from reconciler.profiles.values import replace
from reconciler.reported.belief import fold
from reconciler.reported.events import (
    Accepted,
    Booted,
    CapabilityRead,
    CompositeRead,
    Connected,
    Disconnected,
    ExternallyLimited,
    Faulted,
    Metered,
    NotSent,
    OutcomeUnknown,
    ProfilesRead,
    RawAnswered,
    ReadFailed,
    Ready,
    Refused,
    StationEvent,
    Woken,
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
from reconciler.rollout.contest import asked_by_hand, follow, wrote
from reconciler.rollout.station import BLIND_AFTER, Station, Tries, backoff
from reconciler.rollout.wear import Counts

Ended: TypeAlias = CapabilityRead | ProfilesRead | CompositeRead | ReadFailed | Written | RawAnswered
"""How commands end."""

NOT_BOOTED = "csnotaccepted"
"""The reason code of a station that takes nothing before its BootNotification is accepted, in lower case."""
MOST_EVSES = 1000
"""EVSE ids beyond this are noise; remembering what they say would let one station fill the memory."""
MOST_FAULTS = 256
"""How many parts of one station may be broken; one that names a new one each time must not fill the memory."""
LONGEST_PART = 100
READS = (CapabilityRead, ProfilesRead, CompositeRead, ReadFailed)


def absorb(station: Station, event: StationEvent, now: datetime) -> Station:
    """Give the station after an event."""
    match event:
        case Connected() | Ready() | Disconnected() | Booted():
            return _absorb_link(station, event, now)
        case Woken():
            return station
        case Metered() | ExternallyLimited() | Faulted():
            return _absorb_notice(station, event) if 0 <= event.evse_id <= MOST_EVSES else station
        case _:
            return _absorb_end(station, event, now)


def _absorb_notice(station: Station, event: Metered | ExternallyLimited | Faulted) -> Station:
    match event:
        case Metered():
            metered = replace(station, power_w={**station.power_w, event.evse_id: (event.power_w, event.at)})
            return _turn(metered, event)
        case ExternallyLimited():
            others = station.external - {event.evse_id}
            return replace(station, external=others | {event.evse_id} if event.active else others)
        case Faulted():
            part = (event.evse_id, event.what[:LONGEST_PART])
            faulted = station.faulted - {part}
            room = event.active and len(faulted) < MOST_FAULTS
            return replace(station, faulted=faulted | {part} if room else faulted)
        case _:  # pragma: no cover
            assert_never(event)


def _turn(station: Station, event: Metered) -> Station:
    """Count a turn of an EVSE's flow; the main meter sums what several relays do, and has none of its own."""
    before = station.counts.get(event.evse_id, Counts())
    after = before.metered(event.power_w)
    if after is before or not event.evse_id:
        return station
    return replace(station, counts={**station.counts, event.evse_id: after})


def _absorb_link(station: Station, event: Connected | Ready | Disconnected | Booted, now: datetime) -> Station:
    match event:
        case Connected():
            return _connect(_lose(station, now), event)
        case Ready():
            return replace(station, ready=True) if event.session == station.session else station
        case Disconnected() if event.session != station.session:
            return station
        case Disconnected():
            return replace(_lose(station, now), session=None, ready=False, asked=())
        case Booted():
            doubted = replace(station, reported=fold(station.reported, event), capability=None)
            calm = replace(doubted, faulted=frozenset(), confirmed=frozenset(), rounds={})
            return replace(_afresh(calm), overtaken=station.in_flight is not None)
        case _:  # pragma: no cover
            assert_never(event)


def _lose(station: Station, now: datetime) -> Station:
    """Let go of what is in flight where the connection is gone: a write may have been taken, a request stays lost."""
    command = station.in_flight
    lost = replace(station, in_flight=None, overtaken=False)
    match command:
        case Push() | Clear():
            profile = command.profile if isinstance(command, Push) else None
            written = Written(station.identity, command.profile_id, profile, OutcomeUnknown("the connection was lost"))
            folded = wrote(station, replace(lost, reported=fold(lost.reported, written)), written, now)
            return _note_change(_count(folded, written, now), station, written, now)
        case SendRaw():
            asked = tuple(each for each in lost.asked if each.ticket != command.ticket)
            return replace(asked_by_hand(lost, command), asked=asked)
        case _:
            return lost


def _connect(station: Station, event: Connected) -> Station:
    same = event.protocol is station.protocol
    connected = replace(
        station,
        session=event.session,
        protocol=event.protocol,
        ready=False,
        capability=station.capability if same else None,
        reported=fold(station.reported, event),
    )
    return _afresh(connected)


def _afresh(station: Station) -> Station:
    """Forget what went wrong before; how often a profile was written to no avail stays known."""
    return replace(station, failures=0, failed_reads=0, retry_at=None)


def _absorb_end(station: Station, event: Ended, now: datetime) -> Station:
    """Take in how a command ended; what nobody waits for any more tells about writes only."""
    awaited = ends(station.in_flight, event)
    freed = replace(station, in_flight=None, overtaken=False) if awaited else station
    if isinstance(event, READS) and _is_stale(station, event, awaited=awaited):
        return freed
    if isinstance(event, CompositeRead) and isinstance(station.in_flight, ReadComposite):
        event = replace(event, unit=station.in_flight.unit)
    told = replace(freed, reported=fold(freed.reported, event))
    match event:
        case ProfilesRead():
            return follow(station, _calm(_learn(told, event, now)), now)
        case CapabilityRead() | CompositeRead():
            return _calm(_learn(told, event, now))
        case ReadFailed():
            return _fail_read(told, station.in_flight, event, now)
        case Written():
            answered = replace(told, answers={**told.answers, event.profile_id: answer_words(event)})
            answered = _wear(wrote(station, answered, event, now), station, event)
            return _write(_note_change(answered, station, event, now), event, now) if awaited else answered
        case RawAnswered():
            asked = tuple(each for each in told.asked if each.ticket != event.ticket)
            doubted = replace(told, asked=asked, reported=replace(told.reported, known=False))
            return asked_by_hand(doubted, station.in_flight)
        case _:  # pragma: no cover
            assert_never(event)


def is_news(station: Station, event: Ended) -> bool:
    """Tell whether a reading tells of now: it is neither of before a boot nor of an old connection."""
    return not _is_stale(station, event, awaited=ends(station.in_flight, event))


def _is_stale(station: Station, event: Ended, *, awaited: bool) -> bool:
    """Tell whether a reading may be older than what is known: of before a boot, or of an old connection."""
    if awaited:
        return station.overtaken
    return isinstance(event, ReadFailed) or not station.ready or station.in_flight is not None


def _learn(station: Station, event: CapabilityRead | ProfilesRead | CompositeRead, now: datetime) -> Station:
    match event:
        case CapabilityRead():
            return replace(station, capability=event.capability, skew=event.skew, failed_reads=0)
        case ProfilesRead():
            return replace(station, read_at=now, looked_at=now, failed_reads=0, awaiting={})
        case CompositeRead():
            return station
        case _:  # pragma: no cover
            assert_never(event)


def ends(command: StationCommand | None, event: Ended) -> bool:
    """Tell whether an event is the end of the command in flight: a late one of an old socket is not."""
    match command, event:
        case ReadComposite(evse_id=evse), CompositeRead(evse_id=told):
            return evse == told
        case Push(profile=profile), Written(profile=written):
            return profile == written
        case Clear(profile_id=number), Written(profile_id=told, profile=None):
            return number == told
        case SendRaw(ticket=ticket), RawAnswered(ticket=told):
            return ticket == told
        case _:
            return isinstance(event, _READ_BY.get(type(command), ()))


_READ_BY: Mapping[type, tuple[type, ...]] = {
    ReadCapability: (CapabilityRead, ReadFailed),
    ReadProfiles: (ProfilesRead, ReadFailed),
    ReadComposite: (ReadFailed,),
}


def _fail_read(station: Station, command: StationCommand | None, event: ReadFailed, now: datetime) -> Station:
    failed = replace(station, failed_reads=station.failed_reads + 1)
    if station.reported.unread or failed.failed_reads >= BLIND_AFTER:
        failed = replace(failed, reported=replace(failed.reported, known=False))  # silent is unknown, not empty
    match command:
        case ReadCapability():
            if event.permanent or failed.blind:
                # Device models have gaps where stations do not: what the manifest declares has to do then.
                failed = replace(failed, capability=station.base, failed_reads=0)
        case ReadComposite():
            failed = station
        case _:
            failed = _overlook(failed, now, permanent=event.permanent)
    return _back_off(failed, event.why, now)


def _overlook(station: Station, now: datetime, *, permanent: bool) -> Station:
    """Count a failed inventory; once the station is blind, its composite schedules are asked anew instead."""
    failed = replace(station, failed_reads=BLIND_AFTER) if permanent else station
    if not failed.blind:
        return failed
    return replace(failed, looked_at=now, reported=replace(failed.reported, composites={}))


def _write(station: Station, event: Written, now: datetime) -> Station:
    outcome, words = event.outcome, answer_words(event)
    match outcome:
        case Accepted():
            return _calm(_count(station, event, now))
        case Refused() if outcome.reason_code.lower() == NOT_BOOTED:
            return _back_off(station, words, now)  # no try at all: its boot, which ends the wait, is still to come
        case Refused():
            wait = now + (outcome.retry_after or timedelta(0))
            return _back_off(_count(station, event, now), words, now, wait)
        case OutcomeUnknown():
            return _back_off(_count(station, event, now), words, now)
        case NotSent():
            return _back_off(station, words, now)
        case _:  # pragma: no cover
            assert_never(outcome)


def _note_change(station: Station, before: Station, event: Written, now: datetime) -> Station:
    """Remember when a profile that the station held was overwritten or cleared, or may have been."""
    held = before.reported.held.get(event.profile_id)
    if held is None or not isinstance(event.outcome, Accepted | OutcomeUnknown):
        return station
    return replace(station, changed_at={**station.changed_at, held.profile.evse_id: now})


def _wear(station: Station, before: Station, event: Written) -> Station:
    """Count an accepted write on the EVSE of the profile that was set, or of the one that was cleared."""
    if not isinstance(event.outcome, Accepted):
        return station
    profile = event.profile or before.reported.profile(event.profile_id)
    evse = profile.evse_id if profile else 0
    return replace(station, counts={**station.counts, evse: station.counts.get(evse, Counts()).written()})


def _count(station: Station, event: Written, now: datetime) -> Station:
    """Count a write that reached the station, and remember when one may have been taken."""
    before = station.tries.get(event.profile_id)
    tries = {**station.tries, event.profile_id: Tries(before.times + 1 if before else 1, now)}
    if isinstance(event.outcome, Refused):
        return replace(station, tries=tries)
    evse = event.profile.evse_id if event.profile else 0
    return replace(station, tries=tries, written_at={**station.written_at, evse: now})


def answer_words(event: Written) -> str:
    """Give the station's answer to a write as people read it."""
    match event.outcome:
        case Accepted():
            return "Accepted"
        case Refused():
            return f"Rejected: {event.outcome.reason_code} {event.outcome.detail}".rstrip()
        case OutcomeUnknown():
            return f"unknown: {event.outcome.why}"
        case NotSent():
            return f"not sent: {event.outcome.why}"
        case _:  # pragma: no cover
            assert_never(event.outcome)


def _calm(station: Station) -> Station:
    return replace(station, failures=0, retry_at=None)


def _back_off(station: Station, trouble: str, now: datetime, at_least: datetime | None = None) -> Station:
    failures = station.failures + 1
    retry_at = max(now + backoff(station.identity, failures), at_least or now)
    return replace(station, failures=failures, trouble=trouble, retry_at=retry_at)
