"""What people ask for: one OCPP request by hand, and orders about the rollout, stations and storms. Pure.

Used by `step` alone. Each ends in one Reply, each order that is taken leaves a line of history with who gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from reconciler.controller.course import abort, carry_out, keep, spelt, tend, wake, withdraw
from reconciler.controller.world import Ask, Effect, Order, Reply, Suspension, Verb, World
from reconciler.plan.change import Owned
from reconciler.profiles.values import replace
from reconciler.rollout.commands import SendRaw, Wake
from reconciler.rollout.ledger import Entry, Kind
from reconciler.rollout.progress import Phase, Rollout, pause, promote, resume
from reconciler.rollout.station import Station

MOST_ASKED = 16
"""How many requests by hand may wait for one station."""

SUSPENSIONS = "/suspensions"
"""The name by which an alarm is about suspensions; no station has it, for the slash is no part of an identity."""

Stepped = tuple[World, tuple[Effect, ...]]


def refusal(world: World, station: Station | None, event: Ask) -> str:
    """Say why a request by hand is not sent; empty where it may be."""
    if station is None or station.session is None:
        return f"{event.request.station} is not connected"
    if len(station.asked) >= MOST_ASKED:
        return f"{MOST_ASKED} requests are waiting for {event.request.station} already"
    if event.force or world.revision is None:
        return ""
    return _guard(event.request, world.revision.owned)


def _guard(request: SendRaw, owned: Owned) -> str:
    """Say why a request may not touch the fleet's profiles by hand: to take the floor away frees a station."""
    if request.action == "SetChargingProfile":
        profile = request.payload.get("chargingProfile")
        number = profile.get("id") if isinstance(profile, dict) else None
    elif request.action == "ClearChargingProfile":
        number = request.payload.get("chargingProfileId")
        if number is None:
            return "this may clear the fleet's profiles, the floor among them; clear by id, or say --force"
    else:
        return ""
    if isinstance(number, int) and number in owned:
        return f"profile id {number} belongs to the fleet; change its schedule in git, or say --force"
    return ""


def obey(world: World, order: Order, now: datetime) -> Stepped:
    """Carry out an order, or say why it can't be."""
    if order.verb in ROLLOUTS:
        return _steer(world, order, now)
    return ORDERS[order.verb](world, order, now)


def lift(world: World, key: str, now: datetime) -> Stepped:
    """End a suspension whose time is over."""
    known = world.suspended.get(key)
    if known is None or known.until is None or now < known.until:
        return world, ()
    line = Entry(now, spelt(world, key), "resume", f"its suspension by {known.who} has ended: {known.reason}")
    return _mark(replace(world, suspended=world.suspended.delete(key)), key), (line,)


def expire(world: World, now: datetime) -> Stepped:
    """End all suspensions whose time is over, also of stations that nobody hears of; set the alarm for the next."""
    due = sorted(key for key, each in world.suspended.items() if each.until is not None and each.until <= now)
    lines: list[Effect] = []
    for key in due:
        world, line = lift(world, key, now)
        lines += line
    return world, (*lines, *wake(world, due, now), *_alarm(world))


def _alarm(world: World) -> tuple[Effect, ...]:
    """Wake when the first suspension ends."""
    ends = [each.until for each in world.suspended.values() if each.until is not None]
    return (Wake(SUSPENSIONS, min(ends)),) if ends else ()


def _steer(world: World, order: Order, now: datetime) -> Stepped:
    rollout = world.rollout
    if rollout is None or rollout.is_over:
        words = "there is no rollout under way"
        return world, (Reply(order.ticket, words if rollout is None else f"{words}: the last one is {rollout.phase}"),)
    if order.verb is Verb.RESUME and rollout.phase is not Phase.PAUSED:
        return world, (Reply(order.ticket, f"the rollout is not paused, it is {rollout.phase}"),)
    world, effects = ROLLOUTS[order.verb](world, rollout, order, now)
    line = Entry(now, "", f"rollout {order.verb}", order.reason, revision=rollout.commit, who=order.who)
    tended, more = tend(world, now)
    return tended, (line, *effects, *more, Reply(order.ticket, ""))


def _pause(world: World, rollout: Rollout, order: Order, now: datetime) -> Stepped:
    paused = pause(rollout, order.who, order.reason, now)
    world = keep(withdraw(replace(world, rollout=paused), paused))
    return world, wake(world, rollout.released, now)


def _resume(world: World, rollout: Rollout, order: Order, now: datetime) -> Stepped:
    return keep(replace(world, rollout=resume(rollout, order.who, order.reason, now))), ()


def _promote(world: World, rollout: Rollout, order: Order, now: datetime) -> Stepped:
    passed, move = promote(rollout, order.who, now)
    if order.override:
        passed = replace(passed, overridden=order.reason)
    return carry_out(keep(replace(world, rollout=passed)), passed, move, now)


def _abort(world: World, rollout: Rollout, order: Order, now: datetime) -> Stepped:
    return abort(world, rollout, order.reason, now, order.who)


def _suspend(world: World, order: Order, now: datetime) -> Stepped:
    suspension = Suspension(order.reason, order.who, now, order.until)
    suspended = world.suspended.update(dict.fromkeys(order.keys, suspension))
    world, effects = _each(replace(world, suspended=suspended), order, "suspend", now)
    return world, (*_alarm(world), *effects)


def _unsuspend(world: World, order: Order, now: datetime) -> Stepped:
    left = world.suspended
    for key in order.keys:
        left = left.delete(key) if key in left else left
    return _each(replace(world, suspended=left), order, "resume", now)


def _clear_storm(world: World, order: Order, now: datetime) -> Stepped:
    storm = world.storm
    if storm is None:
        return world, (Reply(order.ticket, "there is no drift storm"),)
    world, effects = tend(keep(replace(world, storm=None, onsets=None)), now)
    line = Entry(now, "", "storm", f"repairs go on: {order.reason}", who=order.who)
    return world, (line, *wake(world, storm.held, now), *effects, Reply(order.ticket, ""))


def _each(world: World, order: Order, action: str, now: datetime) -> Stepped:
    """Leave a line for each station of an order, and let it be looked at."""
    lines = []
    for key in order.keys:
        world = _mark(world, key)
        lines.append(Entry(now, spelt(world, key), action, order.reason, who=order.who))
    return world, (*lines, *wake(world, order.keys, now), Reply(order.ticket, ""))


def _mark(world: World, key: str) -> World:
    return replace(world, dirty=world.dirty.set((Kind.SUSPENSION, key), None))


ROLLOUTS: Mapping[Verb, Callable[[World, Rollout, Order, datetime], Stepped]] = {
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.PROMOTE: _promote,
    Verb.ABORT: _abort,
}
ORDERS: Mapping[Verb, Callable[[World, Order, datetime], Stepped]] = {
    Verb.SUSPEND: _suspend,
    Verb.UNSUSPEND: _unsuspend,
    Verb.CLEAR_STORM: _clear_storm,
}
