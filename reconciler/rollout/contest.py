"""Who else writes what we write: rounds are counted by profile, and after some of them we stop putting it back. Pure.

A round is a profile that was read back as it should be and is then found changed or gone, though neither we nor a boot
came between. `absorb` counts, `table` asks what is contested. Two writers that repair one another wear out flash for
nothing, and only a person can say which of them is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciler.plan.change import Change, Clear, Keep, changes, foreign, subject
from reconciler.profiles.canonical import differences
from reconciler.profiles.composite import Situation, period_at
from reconciler.profiles.profile import Profile
from reconciler.profiles.values import replace
from reconciler.profiles.wording import count
from reconciler.reported.belief import OURS, Held
from reconciler.reported.events import Accepted, OutcomeUnknown, Written
from reconciler.rollout.commands import SendRaw, StationCommand
from reconciler.rollout.rounds import DAY, Rounds, again
from reconciler.rollout.station import Pace, Station, compare

BY_HAND = frozenset({"SetChargingProfile", "ClearChargingProfile"})
"""What a person may ask for that changes profiles: what is found changed then is no other writer's doing."""


def follow(before: Station, after: Station, now: datetime) -> Station:
    """Take in a whole report: count who changed what was right, and note what is right now."""
    goal = after.goal
    if goal is None:
        return replace(after, confirmed=frozenset())
    verdicts = compare(goal, after.reported, now)
    known = {number: each for number, each in before.rounds.items() if not each.is_over(goal.revision, now)}
    found = {subject(each).id: _count(before, after, each, known, now) for each in changes(verdicts)}
    waiting = {number: each for number, each in before.rounds.items() if number in found and number not in known}
    over = {number: each for number, each in waiting.items() if each.revision == goal.revision}
    rounds = {**over, **known, **{number: each for number, each in found.items() if each is not None}}
    wanted = {profile.id for profile in goal.profiles}
    held = {verdict.held.id for verdict in verdicts if isinstance(verdict, Keep)}
    gone = rounds.keys() - wanted - after.reported.held.keys()
    return replace(after, rounds=rounds, confirmed=frozenset(held | gone))


def wrote(before: Station, after: Station, event: Written, now: datetime) -> Station:
    """Take in the end of a write of ours: what the next report shows of that profile is not somebody else's doing."""
    if not isinstance(event.outcome, Accepted | OutcomeUnknown):
        return after
    number = event.profile_id
    written = replace(after, confirmed=after.confirmed - {number})
    known = after.rounds.get(number)
    held = before.reported.held.get(number)
    if known is None and event.profile is None and held is not None and before.goal is not None:
        known = Rounds((), now, revision=before.goal.revision, slot=_slot(held.profile))
    if known is None:
        return written
    if known.is_over(known.revision, now):
        known = replace(known, found=(now,), last=now)  # put back after a day of peace: the first of a new day's
    return replace(written, rounds={**after.rounds, number: replace(known, written=now)})


def asked_by_hand(station: Station, command: StationCommand | None) -> Station:
    """Take in the end of a request by hand."""
    by_hand = isinstance(command, SendRaw) and command.action in BY_HAND
    return replace(station, confirmed=frozenset()) if by_hand else station


def contested(station: Station, pace: Pace, now: datetime) -> frozenset[int]:
    """Give the ids of profiles that need a write and were put back, or cleared, as often as the pace allows."""
    goal = station.goal
    if goal is None or not station.rounds:
        return frozenset()
    pending = {subject(each).id for each in changes(station.verdicts)}
    over = (
        n for n, each in station.rounds.items() if each.times > pace.rounds and not each.is_over(goal.revision, now)
    )
    return frozenset(over) & pending


def peace_at(station: Station, numbers: frozenset[int]) -> datetime:
    """Give the instant at which the first of some contested profiles may be put back again."""
    return min(station.rounds[number].last for number in numbers) + DAY


def contest_words(station: Station, numbers: frozenset[int], now: datetime) -> str:
    """Say which profiles are contested, what has become of them, and whose doing it is as far as a report shows."""
    fought = [each for each in changes(station.verdicts) if subject(each).id in numbers]
    return "; ".join(_words(station, each, now) for each in fought)


def _count(
    before: Station, after: Station, change: Change, known: Mapping[int, Rounds], now: datetime
) -> Rounds | None:
    """Give a profile's rounds where there is one more, or where a contested one was changed once more."""
    profile = subject(change)
    prior, was = known.get(profile.id), before.reported.held.get(profile.id)
    held = after.reported.held.get(profile.id)
    if not _moved(was, held, now):
        return None
    if isinstance(change, Clear):
        cleared = [each for n, each in known.items() if n in before.confirmed and each.slot == _slot(profile)]
        prior = max(cleared, key=lambda each: each.times, default=prior)
        right = bool(cleared)
    else:
        right = profile.id in before.confirmed
    if right:
        return _signed(again(prior, _revision(after), now), after, change)
    if prior is not None and prior.times and (prior.written is None or prior.written < prior.last):
        return replace(prior, last=now)  # not put back, and changed all the same: there is no peace
    return None


def _revision(station: Station) -> str:
    return station.goal.revision if station.goal else ""


def _signed(rounds: Rounds, station: Station, change: Change) -> Rounds:
    rival = _rival(station, change)
    slot = _slot(change.old) if isinstance(change, Clear) else ""
    return replace(rounds, source=rival.source if rival else "", slot=slot)


def _moved(was: Held | None, held: Held | None, now: datetime) -> bool:
    """Tell whether a profile came, went, changed its owner or its meaning between two reports."""
    if was is None or held is None:
        return was is not held
    return was.source != held.source or bool(differences(was.profile, held.profile, now))


def _slot(profile: Profile) -> str:
    return "/".join(str(each or "") for each in profile.slot)


def _rival(station: Station, change: Change) -> Held | None:
    """Give what others have put in a profile's place: under its id, or in its slot."""
    profile, goal = subject(change), station.goal
    held = station.reported.held.get(profile.id)
    if isinstance(change, Clear) or (held is not None and held.source != OURS):
        return held
    others = foreign(station.reported, goal.owned) if goal else ()
    return next((each for each in others if each.profile.slot == profile.slot), None)


def _words(station: Station, change: Change, now: datetime) -> str:
    profile, rounds = subject(change), station.rounds[subject(change).id]
    whose = f"EVSE {profile.evse_id}" if profile.evse_id else "the station"
    since = f"since {rounds.first:%H:%M} UTC"
    if isinstance(change, Clear):
        by = f", set by {rounds.source}" if rounds.source else ""
        return f"profile {profile.id} of {whose} has come back {count(rounds.times, 'time')} {since}{by}"
    rival, held = _rival(station, change), station.reported.held.get(profile.id)
    became = "is gone" if held is None or held.source != OURS else f"was changed to {_power(held.profile, now)}"
    by = f"; profile {rival.profile.id} of {rival.source} is in its place" if rival else ""
    put_back = f"was put back {count(rounds.times - 1, 'time')} {since}"
    return f"profile {profile.id} of {whose} {put_back} and {became} again{by}"


def _power(profile: Profile, now: datetime) -> str:
    """Say what a profile commands at an instant, in its own unit."""
    period = period_at(profile, now, Situation())
    if period is None:
        return "nothing"
    name, value = ("setpoint", period.setpoint) if period.setpoint is not None else ("limit", period.limit)
    if value is None:
        return f"mode {period.mode.value}"
    return f"{name} {value.normalize():f} {profile.schedule.unit.value}"
