"""Which writes still have to be read back, and what a report says of them: the last line of each write's history. Pure.

The controller's step names a write when it has ended; `absorb` forgets all of them with the next whole report.
"""

from __future__ import annotations

from datetime import datetime

from reconciler.profiles.canonical import differences
from reconciler.profiles.profile import Profile
from reconciler.profiles.values import replace
from reconciler.reported.events import ProfilesRead
from reconciler.rollout.absorb import is_news
from reconciler.rollout.station import Station

ReadBack = tuple[int, str, str]
"""A profile id, the id of the write, and what came of it in words."""


def await_read_back(station: Station, profile_id: int, write: str) -> Station:
    """Note that a write, accepted or without an answer, is to be read back; a later one of the same id replaces it."""
    return replace(station, awaiting={**station.awaiting, profile_id: write})


def read_back(before: Station, event: ProfilesRead, now: datetime) -> tuple[ReadBack, ...]:
    """Say what a report shows of each write that waited for it; nothing where the report tells nothing new."""
    if not before.awaiting or not is_news(before, event):
        return ()
    shown = {each.profile.id: each.profile for each in event.profiles}
    return tuple(
        (number, write, _words(_sent(before, number), shown.get(number), now))
        for number, write in sorted(before.awaiting.items())
    )


def _sent(station: Station, number: int) -> Profile | None:
    """Give what was last sent under an id, None where that was a clear."""
    wanted = station.goal is not None and any(profile.id == number for profile in station.goal.profiles)
    return station.reported.requests.get(number) or (station.reported.profile(number) if wanted else None)


def _words(sent: Profile | None, shown: Profile | None, now: datetime) -> str:
    if sent is None:
        return "gone" if shown is None else "still there"
    if shown is None:
        return "missing"
    found = differences(sent, shown, now)
    return f"stored with another {', '.join(found)}" if found else "as sent"
