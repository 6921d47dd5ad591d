"""The lines of history that an event leaves behind: every write has a reason and an end (invariant 11). Pure."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import orjson

from reconciler.controller.world import Ask, Entry, Event, World
from reconciler.plan.change import Change, Clear, changes
from reconciler.profiles.form import write_profile
from reconciler.profiles.profile import Profile
from reconciler.reported.events import Booted, Written
from reconciler.rollout.absorb import answer_words
from reconciler.rollout.station import Station


def entries(world: World, station: Station, event: Event | None, now: datetime) -> tuple[Entry, ...]:
    """Give the history of one event at a station as it was before; `None` stands for "read back and verified"."""
    match event:
        case Written():
            return (_written(world, station, event, now),)
        case Ask():
            words = "forced by hand" if event.force else "by hand"
            return (Entry(now, station.identity, event.request.action, f"{words}: {event.who}"),)
        case Booted():
            return (Entry(now, station.identity, "BootNotification", event.reason),)
        case None:
            commit = station.goal.revision if station.goal else ""
            return (Entry(now, station.identity, "verified", "read back and equal to desired", revision=commit),)
        case _:
            return ()


def payload_digest(profile: Profile) -> str:
    """Give the SHA-256 of a profile in the project's own form."""
    return sha256(orjson.dumps(write_profile(profile), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _written(world: World, station: Station, event: Written, now: datetime) -> Entry:
    manifest = world.revision.station(station.identity) if world.revision else None
    schedules = manifest.assignments if manifest else ()
    return Entry(
        at=now,
        station=station.identity,
        action="ClearChargingProfile" if event.profile is None else "SetChargingProfile",
        reason=_reason(station, event),
        answer=answer_words(event),
        profile_id=event.profile_id,
        evse_id=event.profile.evse_id if event.profile else None,
        revision=world.revision.commit if world.revision else "",
        author=world.revision.snapshot.author if world.revision else "",
        source=", ".join(str(each.schedule.place) for each in schedules),
        digest=payload_digest(event.profile) if event.profile else "",
    )


def _reason(station: Station, event: Written) -> str:
    return next((each.reason for each in changes(station.verdicts) if _id(each) == event.profile_id), "")


def _id(change: Change) -> int:
    return change.old.id if isinstance(change, Clear) else change.new.id
