"""One rollout: which waves it has, how far it has come, and what follows. Pure; a table, read from the top.

The controller's step tells it what each station shows (`observe`), and asks what follows (`advance`). Which stations a
wave has is settled when the rollout begins. Offline stations are deferred and never count as failed (invariant 10); a
wave has passed when every member that is online has the new revision read back (invariant 9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from immutables import Map

from reconciler.manifests.strategy import Strategy
from reconciler.profiles.values import replace
from reconciler.profiles.wording import count
from reconciler.rollout.windows import Verdict

MOST_NAMED = 5
"""How many stations a reason lists by name."""


class Phase(StrEnum):
    """Where a rollout stands. The last three are its ends."""

    WAITING = "waiting"
    RELEASING = "releasing"
    SOAKING = "soaking"
    PAUSED = "paused"
    ABORTED = "aborted"
    COMPLETE = "complete"
    SUPERSEDED = "superseded"


ENDS = frozenset({Phase.ABORTED, Phase.COMPLETE, Phase.SUPERSEDED})


class Sight(NamedTuple):
    """What a station shows of a rollout: `trouble` is why it can't take the new revision, or what has broken since."""

    online: bool
    verified: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A revision on its way from `base`; `waves` are keys of stations, `wave` is the last one released, -1 before any.

    `previous` is the commit that each station held on to that it changes; those in `urgent` are of no wave, because
    what makes them safer does not wait. `open`, `deferred`, `verified` and `failed` (with the reason) have each member
    of the released waves once. `faults` are those that members showed when they were released. `forgiven` are those
    that a person no longer waits for. `released_at` has the instant of each wave that was released. `overridden` is a
    person's reason to pass the windows by; with `returns`, a person went back, and what was in force is in quarantine.
    Until `not_before`, set when a process begins, who is offline is waited for as well.
    """

    commit: str
    base: str
    plan: str
    strategy: Strategy
    waves: tuple[tuple[str, ...], ...]
    previous: Map[str, str]
    began_at: datetime
    changed_at: datetime
    phase: Phase = Phase.WAITING
    wave: int = -1
    soak_until: datetime | None = None
    not_before: datetime | None = None
    reason: str = ""
    who: str = ""
    overridden: str = ""
    urgent: tuple[str, ...] = ()
    returns: bool = False
    open: Map[str, None] = field(default_factory=Map)
    deferred: Map[str, None] = field(default_factory=Map)
    verified: Map[str, None] = field(default_factory=Map)
    failed: Map[str, str] = field(default_factory=Map)
    forgiven: Map[str, None] = field(default_factory=Map)
    faults: Map[str, frozenset[int]] = field(default_factory=Map)
    released_at: tuple[datetime, ...] = ()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more follows."""
        return self.phase in ENDS

    @property
    def released(self) -> tuple[str, ...]:
        """Give the members of all released waves."""
        return tuple(key for wave in self.waves[: self.wave + 1] for key in wave)

    @property
    def not_awaited(self) -> tuple[str, ...]:
        """Give the deferred members that nobody waits for, be they online: a person promoted the rollout past them."""
        return tuple(key for key in self.deferred if key in self.forgiven)

    def is_released(self, key: str) -> bool:
        """Tell whether a member was released, in whatever state it is."""
        return any(key in each for each in (self.open, self.deferred, self.verified, self.failed))


class Release(NamedTuple):
    """The next wave goes out."""

    keys: tuple[str, ...]


class Withhold(NamedTuple):
    """Writes that have not begun wait: members that hold the old revision still go on with it."""


class Abort(NamedTuple):
    """The gate says no."""

    why: str


class Finish(NamedTuple):
    """All waves are through."""


Move = Release | Withhold | Abort | Finish


class Asked(NamedTuple):
    """What a row looks at; `powers` gives members whose measured power is off, and why, when it is asked.

    `spelt` gives a member's key as people write it.
    """

    rollout: Rollout
    opening: Verdict
    powers: Callable[[], Mapping[str, str]]
    now: datetime
    spelt: Callable[[str], str] = str


class Row(NamedTuple):
    """One row: its name, why it stands where it stands, and the function that answers if it applies."""

    name: str
    why: str
    answer: Callable[[Asked], tuple[Rollout, Move | None] | None]


def observe(rollout: Rollout, key: str, sight: Sight) -> Rollout:
    """Take in what a released member shows; the same sight changes nothing."""
    if rollout.is_over or not rollout.is_released(key):
        return rollout
    if sight.trouble and key not in rollout.forgiven:
        return rollout if rollout.failed.get(key) == sight.trouble else _put(rollout, key, "failed", sight.trouble)
    awaited = sight.online and key not in rollout.forgiven
    where = "verified" if sight.verified else "open" if awaited else "deferred"
    return rollout if key in getattr(rollout, where) else _put(rollout, key, where)


def advance(
    rollout: Rollout,
    opening: Verdict,
    powers: Callable[[], Mapping[str, str]],
    now: datetime,
    spelt: Callable[[str], str] = str,
) -> tuple[Rollout, Move | None]:
    """Say what follows; None where nothing does. A move that was made is not asked for again."""
    asked = Asked(rollout, opening, powers, now, spelt)
    answers = (row.answer(asked) for row in TABLE)
    return next((answer for answer in answers if answer is not None), (rollout, None))


def pause(rollout: Rollout, who: str, reason: str, now: datetime) -> Rollout:
    """Stop where it is until a person resumes it."""
    return replace(rollout, phase=Phase.PAUSED, reason=reason, who=who, changed_at=now)


def resume(rollout: Rollout, who: str, reason: str, now: datetime) -> Rollout:
    """Go on from where it was stopped; what was released is released again."""
    return replace(rollout, phase=Phase.WAITING, reason=reason, who=who, changed_at=now, soak_until=None)


def promote(rollout: Rollout, who: str, now: datetime) -> tuple[Rollout, Move]:
    """Let the next wave out without waiting for the gate; who has not passed it so far is no longer waited for."""
    left = dict.fromkeys((*rollout.failed, *rollout.open))
    forgiven = replace(
        rollout,
        who=who,
        open=Map(),
        failed=Map(),
        deferred=rollout.deferred.update(left),
        forgiven=rollout.forgiven.update(left),
    )
    return _next_wave(forgiven, now)


def end(rollout: Rollout, phase: Phase, reason: str, now: datetime, who: str = "") -> Rollout:
    """Bring a rollout to one of its ends."""
    return replace(rollout, phase=phase, reason=reason, who=who or rollout.who, changed_at=now, soak_until=None)


def _put(rollout: Rollout, key: str, where: str, why: str = "") -> Rollout:
    sets = {name: getattr(rollout, name) for name in ("open", "deferred", "verified", "failed")}
    left = {name: each.delete(key) for name, each in sets.items() if key in each}
    target = left.get(where, sets[where])
    return replace(rollout, **{**left, where: target.set(key, why if where == "failed" else None)})


def _over(asked: Asked) -> tuple[Rollout, Move | None] | None:
    return (asked.rollout, None) if asked.rollout.is_over or asked.rollout.phase is Phase.PAUSED else None


def _failing(asked: Asked) -> tuple[Rollout, Move | None] | None:
    rollout = asked.rollout
    return (rollout, Abort(gate)) if (gate := _gate(rollout, rollout.failed, asked.spelt)) else None


def _gate(rollout: Rollout, failed: Mapping[str, str], spelt: Callable[[str], str]) -> str:
    """Say why the gate is shut; empty where it is not."""
    judged = len(rollout.verified) + sum(key not in rollout.verified for key in failed)
    enough = judged >= rollout.strategy.gate.sample or not rollout.open
    if not failed or not enough or Decimal(len(failed)) / judged <= rollout.strategy.gate.failures:
        return ""
    first = sorted(failed)[:MOST_NAMED]
    named = "; ".join(f"{spelt(key)}: {failed[key]}" for key in first)
    more = f" and {len(failed) - len(first)} more" if len(failed) > len(first) else ""
    return f"{len(failed)} of {count(judged, 'station')} failed: {named}{more}"


def _closed(asked: Asked) -> tuple[Rollout, Move | None] | None:
    rollout, why = asked.rollout, asked.opening.why
    if asked.opening.open or rollout.overridden or not rollout.waves:
        return None  # without a wave there is nothing that a window could hold back
    if rollout.phase is Phase.WAITING:
        return (rollout if rollout.reason == why else replace(rollout, reason=why)), None
    return replace(rollout, phase=Phase.WAITING, reason=why, changed_at=asked.now, soak_until=None), Withhold()


def _waiting(asked: Asked) -> tuple[Rollout, Move | None] | None:
    rollout = asked.rollout
    if rollout.phase is not Phase.WAITING:
        return None
    if rollout.wave < 0:
        return _next_wave(rollout, asked.now)
    left = tuple(key for key in rollout.released if key not in rollout.verified)
    return replace(rollout, phase=Phase.RELEASING, reason="", changed_at=asked.now), Release(left)


def _releasing(asked: Asked) -> tuple[Rollout, Move | None] | None:
    rollout = asked.rollout
    if rollout.phase is not Phase.RELEASING:
        return None
    held = "" if (awaited := _is_awaited(rollout, asked.now)) else untried(rollout)
    if awaited or held:
        return (rollout if rollout.reason == held else replace(rollout, reason=held, changed_at=asked.now)), None
    until = asked.now + rollout.strategy.soak
    soaking = replace(rollout, phase=Phase.SOAKING, soak_until=until, reason="", changed_at=asked.now)
    return advance(soaking, *asked[1:])


def untried(rollout: Rollout) -> str:
    """Say why a wave that others follow has shown nothing, though somebody of it is there; empty where it has.

    Who is offline holds nothing up (invariant 10); who refuses whatever it is sent tells nothing of the new revision.
    """
    if rollout.open or not 0 <= rollout.wave < len(rollout.waves) - 1:
        return ""
    wave = rollout.waves[rollout.wave]
    refused = sum(key in rollout.forgiven for key in wave)
    if not refused or any(key in rollout.verified for key in wave):
        return ""
    number, who = rollout.wave + 1, count(refused, "station")
    way_out = "`reconciler rollout promote` goes on all the same"
    return f"nobody of wave {number} could be tried: {who} refused what came before already; {way_out}"


def _soaking(asked: Asked) -> tuple[Rollout, Move | None] | None:
    rollout = asked.rollout
    if rollout.phase is not Phase.SOAKING or (rollout.soak_until is not None and asked.now < rollout.soak_until):
        return None
    if _is_awaited(rollout, asked.now):
        return rollout, None  # who came back meanwhile is waited for as well
    off = asked.powers()
    gate = _gate(rollout, {**rollout.failed, **off}, asked.spelt) if off else ""
    return (rollout, Abort(gate)) if gate else _next_wave(rollout, asked.now)


def _is_awaited(rollout: Rollout, now: datetime) -> bool:
    """Tell whether a member is waited for; soon after a start, offline says nothing, for nobody is back yet."""
    if rollout.not_before is None or now >= rollout.not_before:
        return bool(rollout.open)
    return bool(rollout.open) or any(key not in rollout.forgiven for key in rollout.deferred)


def _next_wave(rollout: Rollout, now: datetime) -> tuple[Rollout, Move]:
    wave = rollout.wave + 1
    if wave >= len(rollout.waves):
        return end(rollout, Phase.COMPLETE, "", now), Finish()
    keys = rollout.waves[wave]
    released = rollout.deferred.update(dict.fromkeys(keys))
    begun = replace(rollout, phase=Phase.RELEASING, wave=wave, deferred=released, reason="", changed_at=now)
    return replace(begun, soak_until=None, released_at=(*rollout.released_at, now)), Release(keys)


TABLE: tuple[Row, ...] = (
    Row("over", "what has ended, or was stopped by a person, does not move by itself", _over),
    Row("failing", "a gate that says no stops everything, also between two waves", _failing),
    Row("closed", "nothing begins outside the windows", _closed),
    Row("waiting", "an open window lets out the first wave, or again what it had held back", _waiting),
    Row("releasing", "every member that is online has the new revision read back, and somebody has", _releasing),
    Row("soaking", "time shows what a read-back does not", _soaking),
)
