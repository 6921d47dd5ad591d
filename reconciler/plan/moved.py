"""What has moved since a plan was reviewed: stations to which applying it would now do something else.

Called by `apply` with a saved plan and one made of what the stations say now. Time alone moves nothing: a lease that
has been renewed since, or has to be, is the same plan, and what is there already needs no write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from reconciler.plan.change import Change, Clear, Install, Replace, subject
from reconciler.plan.planned import FleetPlan, StationPlan
from reconciler.plan.power import renews
from reconciler.profiles.canonical import differences
from reconciler.profiles.profile import Profile
from reconciler.profiles.wording import count

NOTHING: Mapping[tuple[str, int], Change] = {}
KINDS = {Install: "install", Replace: "replace", Clear: "clear"}


def moved(reviewed: FleetPlan, now: FleetPlan, present: Collection[str]) -> tuple[str, ...]:
    """Say of each station that is present (by casefolded identity) what is not as it was reviewed, and nothing else.

    A plan of git alone says nothing of what stations hold, so only what they newly refuse counts against it.
    """
    known = {station.identity.casefold(): station for station in reviewed.stations}
    here = [station for station in now.stations if station.identity.casefold() in present]
    found = ((station, known.get(station.identity.casefold())) for station in here)
    told = ((station.identity, _difference(station, old, reviewed, now.at)) for station, old in found)
    return tuple(f"{identity}: {what}" for identity, what in told if what)


def _difference(now: StationPlan, before: StationPlan | None, reviewed: FleetPlan, at: datetime) -> str:
    refusals = set(_refusals(now)) - set(_refusals(before) if before else ())
    if refusals:
        return f"refuses what the plan has: {min(refusals)}"
    if not reviewed.live:
        return ""
    old, new = (_writes(each) if each else NOTHING for each in (before, now))
    later = before.later if before else ()
    if any(key not in old and subject(change).evse_id not in later for key, change in new.items()):
        return f"{_numbers(now)} now, {_numbers(before)} in the plan"
    other = [key[1] for key, change in new.items() if key in old and not _same(old[key], change, at)]
    return f"profile {min(other)} would be another than in the plan" if other else ""


def _refusals(station: StationPlan) -> Iterator[str]:
    if station.goal_refusal:
        yield station.goal_refusal
    yield from (f"profile {each.new.id}: {each.reason}" for each in station.stuck)


def _writes(station: StationPlan) -> dict[tuple[str, int], Change]:
    """Give what is written to a station, without renewals: they come and go with time."""
    changes = (each for each in station.changes if subject(each).id not in station.renewed)
    return {(KINDS[type(each)], subject(each).id): each for each in changes}


def _numbers(station: StationPlan | None) -> str:
    kinds = [kind for kind, _ in (_writes(station) if station else NOTHING)]
    return ", ".join(f"{kinds.count(kind)} to {kind}" for kind in KINDS.values() if kind in kinds) or count(0, "write")


def _same(reviewed: Change, now: Change, at: datetime) -> bool:
    if isinstance(reviewed, Clear) or isinstance(now, Clear):
        return True
    return _goes_on(reviewed.new, now.new, at)


def _goes_on(old: Profile, new: Profile, at: datetime) -> bool:
    return not differences(new, old, at) or renews(new, old, at)
