"""What other systems are told of: what has happened between two looks at the world. Pure.

Called by `notify` every few seconds. It compares two small scenes, so that nothing hangs on being called for every
event: what began and ended in between is told in order. What was told before a restart is not known after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.profiles.wording import count
from reconciler.rollout.progress import Phase, Rollout
from reconciler.web.conditions import tell_storm
from reconciler.web.ports import WorldLike
from reconciler.web.survey import survey


class Event(StrEnum):
    """What can be told."""

    STARTED = "started"
    WAVE_DONE = "wave-done"
    ABORTED = "aborted"
    COMPLETE = "complete"
    REFUSED = "refused"
    DRIFT_STORM = "drift-storm"
    LEASE_AT_RISK = "lease-at-risk"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told; `commit` is empty where it is about no commit, `wave` counts from 1."""

    event: Event
    at: datetime
    fleet: str
    message: str
    commit: str = ""
    wave: int = 0
    waves: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """What notices are made of: the rollout, the commit refused, why and when, the storm, and the leases at risk."""

    at: datetime
    fleet: str = ""
    rollout: Rollout | None = field(default=None, repr=False)
    refused: tuple[str, str] = ("", "")
    refused_at: datetime | None = None
    storm: str = ""
    at_risk: int = 0


def look(world: WorldLike, now: datetime) -> Scene:
    """Give the scene of an instant."""
    seen, storm, refused = survey(world, now), world.storm, world.refused
    first = str(refused.errors[0]) if refused and refused.errors else ""
    return Scene(
        at=now,
        fleet=world.revision.fleet.name if world.revision else "",
        rollout=world.rollout,
        refused=(refused.commit, first) if refused else ("", ""),
        refused_at=refused.since if refused else None,
        storm=tell_storm(storm) if storm else "",
        at_risk=seen.at_risk + seen.lapsed,
    )


def tell(before: Scene | None, after: Scene) -> tuple[Notice, ...]:
    """Give what has happened between two scenes; of the first one, only what still goes on and nobody wants."""
    old = before or Scene(after.at, rollout=after.rollout, refused=after.refused)
    return (*_rollout(old.rollout, after), *_refused(old, after), *_troubles(old, after))


def _rollout(old: Rollout | None, scene: Scene) -> Iterator[Notice]:
    new = scene.rollout
    if new is None or new is old or not (new.waves or new.urgent):
        return  # a commit that changes no station is nobody's news
    begun = old if old is not None and (old.commit, old.began_at) == (new.commit, new.began_at) else None
    if begun is None:
        yield _about(scene, new, Event.STARTED, ", ".join(_members(new)))
    for wave in range(_done(begun) if begun else 0, _done(new)):
        words = f"wave {wave + 1} of {len(new.waves)} ({count(len(new.waves[wave]), 'station')})"
        yield _about(scene, new, Event.WAVE_DONE, words, wave + 1)
    over = begun is not None and begun.phase is new.phase
    if new.phase is Phase.COMPLETE and not over:
        left, offline = len(new.not_awaited), len(new.deferred) - len(new.not_awaited)
        words = f"{len(new.verified)} verified, {offline} offline, {len(new.failed)} failed"
        told = f"{words}, {left} not awaited" if left else words
        yield _about(scene, new, Event.COMPLETE, told if new.waves else ", ".join(_members(new)))
    if new.phase is Phase.ABORTED and not over:
        yield _about(scene, new, Event.ABORTED, new.reason, new.wave + 1)


def _members(rollout: Rollout) -> Iterator[str]:
    """Count those that follow wave by wave, and those that do not wait for one."""
    if rollout.waves:
        yield f"{count(sum(map(len, rollout.waves)), 'station')} in {count(len(rollout.waves), 'wave')}"
    if rollout.urgent:
        yield f"{count(len(rollout.urgent), 'station')} made safer at once"


def _done(rollout: Rollout) -> int:
    """Give how many waves are through: all before the one released last, and that one once the rollout is complete."""
    return len(rollout.waves) if rollout.phase is Phase.COMPLETE else max(rollout.wave, 0)


def _about(scene: Scene, rollout: Rollout, event: Event, message: str, wave: int = 0) -> Notice:
    return Notice(event, scene.at, scene.fleet, message, rollout.commit, wave, len(rollout.waves))


def _refused(old: Scene, new: Scene) -> Iterator[Notice]:
    commit, why = new.refused
    if commit and commit != old.refused[0]:
        yield Notice(Event.REFUSED, new.refused_at or new.at, new.fleet, why, commit)


def _troubles(old: Scene, new: Scene) -> Iterator[Notice]:
    if new.storm and not old.storm:
        yield Notice(Event.DRIFT_STORM, new.at, new.fleet, f"{new.storm}; repairs have stopped")
    if new.at_risk and not old.at_risk:
        words = f"{count(new.at_risk, 'lease')} of connected stations overdue for renewal"
        yield Notice(Event.LEASE_AT_RISK, new.at, new.fleet, words)
