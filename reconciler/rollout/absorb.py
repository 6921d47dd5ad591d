"""Take one event into a station's state: what it means for connection, belief, patience and capability.

The controller's step calls `absorb` before it asks the table what follows. Events of a socket that was replaced change
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.reported.belief import fold
from reconciler.reported.events import (
    Accepted,
    Booted,
    CapabilityRead,
    CompositeRead,
    Connected,
    Disconnected,
    ExternallyLimited,
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
from reconciler.rollout.commands import Push, ReadCapability
from reconciler.rollout.station import BLIND_AFTER, Station, backoff

FOREVER = timedelta(days=1)
"""How long a refusal that time alone won't cure holds off the same try."""


def absorb(station: Station, event: StationEvent, now: datetime) -> Station:
    """Give the station after an event."""
    match event:
        case Connected() | Ready() | Disconnected() | Booted():
            return _absorb_link(station, event)
        case Woken():
            return station
        case Metered():
            return replace(station, power_w={**station.power_w, event.evse_id: (event.power_w, event.at)})
        case ExternallyLimited():
            others = station.external - {event.evse_id}
            return replace(station, external=others | {event.evse_id} if event.active else others)
        case _:
            told = replace(station, reported=fold(station.reported, event), in_flight=None)
            return _absorb_answer(told, station, event, now)


def _absorb_link(station: Station, event: Connected | Ready | Disconnected | Booted) -> Station:
    match event:
        case Connected():
            return _connect(station, event)
        case Ready():
            return replace(station, ready=True) if event.session == station.session else station
        case Disconnected() if event.session != station.session:
            return station
        case Disconnected():
            return replace(station, session=None, ready=False, in_flight=None, asked=())
        case Booted():
            doubted = replace(station, reported=fold(station.reported, event), capability=None, failed_reads=0)
            return replace(doubted, failures=0, retry_at=None)


def _connect(station: Station, event: Connected) -> Station:
    same = event.protocol is station.protocol
    return replace(
        station,
        session=event.session,
        protocol=event.protocol,
        ready=False,
        capability=station.capability if same else None,
        reported=fold(station.reported, event),
        in_flight=None,
        failures=0,
        failed_reads=0,
        retry_at=None,
    )


def _absorb_answer(station: Station, before: Station, event: StationEvent, now: datetime) -> Station:
    match event:
        case CapabilityRead():
            return _calm(replace(station, capability=event.capability, skew=event.skew))
        case ProfilesRead():
            return _calm(replace(station, read_at=now, failed_reads=0))
        case ReadFailed():
            return _fail_read(station, before, event, now)
        case Written():
            return _write(station, event, now)
        case RawAnswered():
            asked = tuple(each for each in station.asked if each.ticket != event.ticket)
            return replace(station, asked=asked, reported=replace(station.reported, known=False))
        case _:
            return _calm(station) if isinstance(event, CompositeRead) else station


def _fail_read(station: Station, before: Station, event: ReadFailed, now: datetime) -> Station:
    failed = replace(station, failed_reads=station.failed_reads + 1)
    if isinstance(before.in_flight, ReadCapability):
        # Device models have gaps where stations do not: what the manifest declares has to do then.
        enough = event.permanent or failed.failed_reads >= BLIND_AFTER
        return _back_off(
            replace(
                failed, capability=station.base if enough else None, failed_reads=0 if enough else failed.failed_reads
            ),
            event.why,
            now,
        )
    if event.permanent:
        failed = replace(failed, failed_reads=max(failed.failed_reads, BLIND_AFTER))
    return _back_off(failed, event.why, now)


def _write(station: Station, event: Written, now: datetime) -> Station:
    words = answer_words(event)
    told = replace(station, answers={**station.answers, event.profile_id: words})
    match event.outcome:
        case Accepted():
            evse = event.profile.evse_id if event.profile else 0
            return _calm(replace(told, written_at={**told.written_at, evse: now}))
        case Refused(retry_after=wait) if wait is not None:
            return replace(told, failures=told.failures + 1, trouble=words, retry_at=now + wait)
        case NotSent(permanent=True):
            return replace(told, trouble=words, retry_at=now + FOREVER)
        case Refused() | OutcomeUnknown() | NotSent():
            return _back_off(told, words, now)


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


def is_write(station: Station) -> bool:
    """Tell whether a profile is on its way to the station."""
    return isinstance(station.in_flight, Push)


def _calm(station: Station) -> Station:
    return replace(station, failures=0, retry_at=None)


def _back_off(station: Station, trouble: str, now: datetime) -> Station:
    failures = station.failures + 1
    return replace(station, failures=failures, trouble=trouble, retry_at=now + backoff(station.identity, failures))
