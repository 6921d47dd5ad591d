"""What stations get less of than their schedules ask for, going by what they have told of themselves.

Called by `fleet_plan` where a plan is made against reported state. A revision alone is proved with what manifests
declare; once a station has said what it can take, that counts instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from reconciler.manifests.fleet import Station
from reconciler.plan.guardrails.finding import Fact, Finding, judge
from reconciler.plan.guardrails.tracks import HORIZON
from reconciler.profiles.capability import Capability
from reconciler.render.desired import Renderer

RULE = "degraded"
Told = tuple[Station, Capability]


def fall_short(
    renderer: Renderer, warnings: Iterable[Finding], told: Iterable[Told], at: datetime
) -> tuple[Finding, ...]:
    """Give the warnings of a revision, with what is less for stations that have told their capability put right."""
    by_name = {station.identity: (station, capability) for station, capability in told}
    kept = (_without(finding, by_name.keys()) for finding in warnings)
    fresh = judge(_facts(renderer, by_name.values(), at), renderer.fleet.guardrails)
    return (*fresh, *(finding for finding in kept if finding))


def _without(finding: Finding, known: Iterable[str]) -> Finding | None:
    """Take stations out of what was said of them on their manifest's word; None where nobody is left."""
    if finding.guardrail != RULE:
        return finding
    others = tuple(sorted(set(finding.stations) - set(known)))
    return replace(finding, stations=others) if others else None


def _facts(renderer: Renderer, told: Iterable[Told], at: datetime) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    """Give what is less for stations of each kind, at the place of one of them."""
    kinds: dict[object, list[Told]] = {}
    for station, capability in told:
        key = (id(station.assignments), id(station.settings), station.evses, capability)
        kinds.setdefault(key, []).append((station, capability))
    for alike in kinds.values():
        station, capability = alike[0]
        for note in renderer.degradations(station, capability, (at, at + HORIZON)):
            message = f"over OCPP {capability.protocol.version}, {note}"
            fact = Fact(RULE, message, station.place, "spec.onUnsupported")
            yield fact, tuple(each.identity for each, _ in alike)
