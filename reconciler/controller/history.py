"""The lines of history that an event leaves behind: every write has a reason and an end (invariant 11). Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

import orjson

from reconciler.controller.world import Ask, Event, RevisionLoaded, World
from reconciler.plan.change import Change, Clear, subject
from reconciler.profiles.form import write_profile
from reconciler.profiles.profile import Profile
from reconciler.reported.events import Booted, Connected, Disconnected, ProfilesRead, RawAnswered, Written
from reconciler.rollout.absorb import answer_words, ends
from reconciler.rollout.echoes import ReadBack, read_back
from reconciler.rollout.ledger import Entry, Stage
from reconciler.rollout.station import Station


def errand(world: World, station: Station, change: Change, now: datetime) -> Entry:
    """Give the line that a write will leave, as far as it is known when it is sent: why, for whom, from where."""
    about = subject(change)
    profile = None if isinstance(change, Clear) else change.new
    target = world.target(station.identity.casefold())
    manifest = target.station(station.identity) if target else None
    schedules = manifest.assignments if manifest else ()
    return Entry(
        at=now,
        station=station.identity,
        action="SetChargingProfile" if profile else "ClearChargingProfile",
        reason=change.reason,
        profile_id=about.id,
        evse_id=about.evse_id,
        revision=target.commit if target else "",
        author=target.snapshot.author if target else "",
        source=", ".join(str(each.schedule.place) for each in schedules),
        digest=payload_digest(profile) if profile else "",
        plan=world.plans.get(target.commit, "") if target else "",
        stage=Stage.INTENT,
        write=f"{station.identity.casefold()}@{now.isoformat(timespec='microseconds')}",
    )


def loading(event: RevisionLoaded, now: datetime) -> tuple[Entry, ...]:
    """Give the line of a revision that a person has let pass the proof of its step; it is about no station alone."""
    if not event.forced:
        return ()
    revision = event.revision
    author = revision.snapshot.author
    return (Entry(now, "", "forced", event.forced, revision=revision.commit, author=author, who=event.who),)


def entries(world: World, station: Station, event: Event, now: datetime) -> tuple[Entry, ...]:
    """Give the lines that an event leaves; `station` is as it was before."""
    match event:
        case Written():
            return (_written(world, station, event, now),)
        case Ask():
            words = "forced by hand" if event.force else "by hand"
            return (Entry(now, station.identity, event.request.action, f"{words}: {event.who}"),)
        case RawAnswered() | ProfilesRead():
            return _told(station, event, now)
        case Connected() | Disconnected():
            return _abandoned(world, station, event, now)
        case Booted():
            return (Entry(now, station.identity, "BootNotification", event.reason),)
        case _:
            return ()


def verified(station: Station, now: datetime) -> Entry:
    """Give the line of a goal that was read back whole."""
    commit = station.goal.revision if station.goal else ""
    return Entry(now, station.identity, "verified", "read back and equal to desired", revision=commit)


def _told(station: Station, event: RawAnswered | ProfilesRead, now: datetime) -> tuple[Entry, ...]:
    """Give the lines of what a station says when it is asked."""
    if isinstance(event, RawAnswered):
        return _answered(station, event, now)
    return tuple(_read_back(station, each, now) for each in read_back(station, event, now))


def _read_back(station: Station, found: ReadBack, now: datetime) -> Entry:
    number, write, words = found
    return Entry(now, station.identity, "read-back", words, profile_id=number, stage=Stage.READ_BACK, write=write)


@lru_cache(maxsize=4096)  # many stations are sent the same
def payload_digest(profile: Profile) -> str:
    """Give the SHA-256 of a profile in the project's own form."""
    return sha256(orjson.dumps(write_profile(profile), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _written(world: World, station: Station, event: Written, now: datetime) -> Entry:
    """Complete the line begun when it was sent; a late end of an old connection has none and stands for itself."""
    sent = world.errands.get(station.identity.casefold())
    if sent is not None and ends(station.in_flight, event):
        return _complete(sent, answer_words(event), now)
    action = "ClearChargingProfile" if event.profile is None else "SetChargingProfile"
    words = "sent on an earlier connection"
    return Entry(now, station.identity, action, words, answer_words(event), event.profile_id, stage=Stage.ANSWER)


def _abandoned(world: World, station: Station, event: Connected | Disconnected, now: datetime) -> tuple[Entry, ...]:
    """Complete the line of a write whose connection is gone; a late end of another connection says nothing of it."""
    sent = world.errands.get(station.identity.casefold())
    if sent is None or (isinstance(event, Disconnected) and event.session != station.session):
        return ()
    return (_complete(sent, "unknown: the connection was lost", now),)


def _complete(sent: Entry, answer: str, now: datetime) -> Entry:
    duration = now - sent.at
    return replace(sent, at=now, answer=answer, stage=Stage.ANSWER, duration_ms=int(duration.total_seconds() * 1000))


def _answered(station: Station, event: RawAnswered, now: datetime) -> tuple[Entry, ...]:
    asked = [each for each in station.asked if each.ticket == event.ticket]
    words = _answer(event)
    return tuple(Entry(now, station.identity, each.action, "by hand", words) for each in asked)


def _answer(event: RawAnswered) -> str:
    if event.not_sent:
        return f"not sent: {event.not_sent}"
    return str(event.answer.get("status") or "answered") if event.ok else "not answered, or with an error"
