"""Proof that the profiles of the revision before give way to those of the next one when ids move.

Called by `fleet_plan` for the step from one revision to the next. A profile that falls out of the fleet's range is
never touched again, and one that stays under its old id keeps its place: a station refuses a second one there
(K01.FR.39).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.manifests.fleet import Fleet
from reconciler.plan.change import Clear, Install
from reconciler.plan.guardrails.finding import Fact, Finding, judge
from reconciler.plan.planned import StationPlan

Step = tuple[StationPlan, Iterable[str]]
"""What one station does in the step from revision to revision, and the identities of all that are like it."""


def check_ids(steps: Iterable[Step], fleet: Fleet) -> tuple[Finding, ...]:
    """Give the findings on profiles that a step leaves behind, out of the fleet's range or in the place of others."""
    lost: dict[str, set[int]] = {}
    named: dict[str, set[str]] = {}
    for plan, identities in steps:
        for why, number in _left(plan, fleet):
            lost.setdefault(why, set()).add(number)
            named.setdefault(why, set()).update(identities)
    return judge(((_fact(why, ids, fleet), named[why]) for why, ids in lost.items()), fleet.guardrails)


def _left(plan: StationPlan, fleet: Fleet) -> Iterator[tuple[str, int]]:
    """Give why a profile of the revision before is left behind, and its id."""
    outside = f"outside {fleet.id_from} to {fleet.id_to}: foreign from then on, and in the places of the new ones"
    yield from ((outside, each.profile.id) for each in plan.foreign)
    taken = {each.new.slot for each in plan.verdicts if isinstance(each, Install)}
    behind = "in the places of new ones with other ids, and a station refuses two in one place"
    yield from ((behind, each.old.id) for each in plan.verdicts if isinstance(each, Clear) and each.old.slot in taken)


def _fact(why: str, ids: set[int], fleet: Fleet) -> Fact:
    which = f"profiles {min(ids)} to {max(ids)}" if len(ids) > 1 else f"profile {min(ids)}"
    verb = "are" if len(ids) > 1 else "is"
    return Fact("profile-ids", f"{which} of the revision before {verb} {why}", fleet.id_place, "spec.profileIds")
