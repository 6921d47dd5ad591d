"""All proofs on one revision alone; called by `controller.revision.revise`, which refuses what has an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from reconciler.plan.guardrails.finding import Fact, Finding, judge
from reconciler.plan.guardrails.ratings import check_ratings
from reconciler.plan.guardrails.relays import check_line
from reconciler.plan.guardrails.sites import check_sites
from reconciler.plan.guardrails.tracks import Tracks
from reconciler.plan.guardrails.wear import check_wear
from reconciler.render.desired import Renderer

Facts = Iterable[tuple[Fact, Iterable[str]]]


def prove(renderer: Renderer, now: datetime, more: Facts = ()) -> tuple[Finding, ...]:
    """Give what the guardrails find in the eight days from `now` on, `more` facts among it; errors first."""
    tracks = Tracks(renderer, now)
    facts = (*check_sites(tracks), *check_ratings(tracks), *_check_relays(tracks), *check_wear(tracks), *more)
    return judge(facts, renderer.fleet.guardrails)


def _check_relays(tracks: Tracks) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    for track in tracks:
        for trouble in check_line(track.line, tracks.fleet.guardrails, tracks.zone):
            message = f"EVSE {track.evse.id} {trouble.message}"
            yield Fact(trouble.guardrail, message, tracks.place(track, trouble.at)), track.stations
