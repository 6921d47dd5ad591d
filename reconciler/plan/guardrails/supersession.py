"""Proof that a revision may follow the one before it: how many stations it touches, and whether it leaves anything.

Called by `fleet_plan` for a plan, and by the controller before a revision supersedes another. Only a person who gives
a reason passes it by (`--force REASON`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.manifests.guardrails import Guardrails
from reconciler.plan.guardrails.finding import Fact, Finding, judge
from reconciler.profiles.canonical import course
from reconciler.profiles.profile import Profile, Purpose
from reconciler.profiles.wording import count
from reconciler.render.yielded import flows


@dataclass(frozen=True, slots=True)
class Reach:
    """What a revision does to those that hold something of ours: identities touched, and how many there are.

    `left` says what is taken from all of them: "" (something stays), "stations" or "flow".
    """

    touched: Collection[str]
    holding: int
    left: str = ""


def check_reach(reach: Reach, rails: Guardrails) -> tuple[Finding, ...]:
    """Give what the guardrails say to a reach; stations that hold nothing yet are not in it."""
    facts: list[tuple[Fact, Collection[str]]] = []
    if reach.left:
        words = {"stations": "no station is left in the fleet", "flow": "no flow is left on any station"}[reach.left]
        facts.append((Fact("empty-render", f"{words}, of {count(reach.holding, 'station')} before", rails.place), ()))
    touched, most = len(reach.touched), rails.radius * reach.holding
    if reach.holding > rails.radius_above and touched > most:
        message = (
            f"one revision changes or clears {touched} of {count(reach.holding, 'station')}, "
            f"and the most is {int(most)} ({rails.radius:.0%})"
        )
        facts.append((Fact("blast-radius", message, rails.place, "spec.guardrails.blast-radius"), reach.touched))
    return judge(facts, rails)


def holds_flow(profiles: Iterable[Profile], now: datetime) -> bool:
    """Tell whether profiles that a station holds let anything flow from now on; a ceiling lets nothing flow itself."""
    steps = (step for each in profiles if each.purpose is Purpose.TX_DEFAULT for step in course(each, now).steps)
    return any(flows(period) for _, period in steps)
