"""How a change goes out: the rollout's waves with their stations, who fails and who is awaited, and suspensions. Pure.

Called by `orders`. What follows next is decided by the controller; here it is only told, and the rest is estimated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TypeAlias

from reconciler.plan.pace import least_time
from reconciler.profiles.form import write_instant
from reconciler.profiles.wording import count
from reconciler.rollout.progress import Phase, Rollout
from reconciler.rollout.windows import verdict
from reconciler.web.following import suspension_view
from reconciler.web.ports import WorldLike
from reconciler.web.standstill import at_cap
from reconciler.web.view import identity, standing

View: TypeAlias = dict[str, object]
STATES = ("verified", "open", "failed", "not-awaited", "deferred", "missed", "waiting")
"""What a member of a rollout can be.

Verified, awaited, failed, promoted past or refused before its wave, offline, offline for too long, not released yet.
"""


@dataclass(frozen=True, slots=True)
class Member:
    """A station of a rollout; `expires` is when one that is offline counts as missed."""

    key: str
    wave: int
    state: str
    expires: datetime | None = None


def rollout_view(world: WorldLike, now: datetime) -> View:
    """Show the last rollout, under way or over; `phase` is null where there was none."""
    quarantined = [{"commit": commit, "why": why} for commit, why in world.quarantined.items()]
    head = world.revision.commit if world.revision else None
    rollout = world.rollout
    if rollout is None:
        return {"at": write_instant(now), "phase": None, "commit": head, "waves": [], "quarantined": quarantined}
    members = tuple(_members(world, rollout, now))
    return {
        "at": write_instant(now),
        **_course(rollout),
        "heldBy": held_by(world),
        "window": window_view(rollout, now),
        "waves": [_wave(rollout, number, members) for number in range(len(rollout.waves))],
        "urgent": len(rollout.urgent),
        "failing": [_failing(world, key, why) for key, why in sorted(rollout.failed.items())],
        "deferred": [_away(world, each) for each in members if each.state in ("deferred", "missed")],
        "notAwaited": [_not_awaited(world, each) for each in members if each.state == "not-awaited"],
        "rest": rest(rollout, members, now),
        "quarantined": quarantined,
    }


def window_view(rollout: Rollout, now: datetime) -> View | None:
    """Show what the rollout's windows say now; None where it is over."""
    if rollout.is_over:
        return None
    judged = verdict(rollout.strategy.windows, now)
    passed = bool(rollout.overridden)
    return {"open": judged.open, "why": judged.why, "until": write_instant(judged.until), "overridden": passed}


def held_by(world: WorldLike) -> str:
    """Say what keeps a rollout from going on by itself, in a sentence of its own; empty where nothing does."""
    if world.storm is not None:
        storm = count(world.storm.drifted, "drifted station")
        return f"held back by a storm of {storm}, until somebody says `reconciler resume --storm`"
    return at_cap(world) if world.recording.ok else f"nothing can be recorded: {world.recording.why}"


def rest(rollout: Rollout, members: tuple[Member, ...], now: datetime) -> View:
    """Estimate the least time until all is verified: a write for each station at the pace, and the soaks to come."""
    if rollout.is_over:
        return {"stations": 0, "leastSeconds": 0}
    left = sum(each.state in ("open", "waiting") for each in members)
    pace = rollout.strategy.writes_per_minute
    writing = least_time(left, pace) if pace else timedelta(0)
    soaking = rollout.strategy.soak * (len(rollout.waves) - rollout.wave - 1)
    if rollout.phase is Phase.SOAKING and rollout.soak_until is not None:
        soaking += max(rollout.soak_until - now, timedelta(0))
    elif rollout.wave >= 0:
        soaking += rollout.strategy.soak
    return {"stations": left, "leastSeconds": ceil((writing + soaking).total_seconds())}


def suspensions_view(world: WorldLike) -> list[View]:
    """Show who is suspended, why, by whom and until when."""
    return [
        {"station": identity(world, key), **suspension_view(known)} for key, known in sorted(world.suspended.items())
    ]


def _course(rollout: Rollout) -> View:
    return {
        "phase": rollout.phase.value,
        "commit": rollout.commit,
        "base": rollout.base,
        "plan": rollout.plan,
        "reason": rollout.reason,
        "who": rollout.who,
        "overridden": rollout.overridden,
        "beganAt": write_instant(rollout.began_at),
        "changedAt": write_instant(rollout.changed_at),
        "soakUntil": write_instant(rollout.soak_until),
        "wave": rollout.wave + 1,
    }


def _members(world: WorldLike, rollout: Rollout, now: datetime) -> Iterator[Member]:
    for number, wave in enumerate(rollout.waves):
        released = rollout.released_at[number : number + 1]
        expires = released[0] + rollout.strategy.deferral if released else None
        for key in wave:
            state = "waiting" if number > rollout.wave else _state(world, rollout, key)
            missed = state == "deferred" and expires is not None and now >= expires
            yield Member(key, number, "missed" if missed else state, expires)


def _state(world: WorldLike, rollout: Rollout, key: str) -> str:
    """Say what a released member is; one that came back after the end of the rollout counts as verified, too."""
    if key in rollout.failed:
        return "failed"
    station = world.stations.get(key)
    has_it = station is not None and station.verified is not None and station.verified.revision == rollout.commit
    if key in rollout.verified or has_it:
        return "verified"
    if key in rollout.open:
        return "open"
    return "not-awaited" if key in rollout.forgiven else "deferred"


def _wave(rollout: Rollout, number: int, members: tuple[Member, ...]) -> View:
    counted = Counter(each.state for each in members if each.wave == number)
    released = rollout.released_at[number : number + 1]
    return {
        "wave": number + 1,
        "stations": len(rollout.waves[number]),
        "releasedAt": write_instant(released[0]) if released else None,
        "states": {state: counted[state] for state in STATES},
    }


def _failing(world: WorldLike, key: str, why: str) -> View:
    return {"station": identity(world, key), "reason": why}


def _not_awaited(world: WorldLike, member: Member) -> View:
    reason = ": ".join(filter(None, standing(world, member.key)))
    return {"station": identity(world, member.key), "wave": member.wave + 1, "reason": reason}


def _away(world: WorldLike, member: Member) -> View:
    return {
        "station": identity(world, member.key),
        "wave": member.wave + 1,
        "state": member.state,
        "why": "suspended" if member.key in world.suspended else "offline",
        "expires": write_instant(member.expires),
    }
