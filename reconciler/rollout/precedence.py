"""Where others' profiles win: what a station holds may be all that is desired, and still not be what it follows. Pure.

`table` tells of it beside the state. It refuses to know transactions: a TxProfile of others shows in meters only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.profiles.composite import Flow, flow_at
from reconciler.reported.belief import Held
from reconciler.rollout.station import Station, strangers


def overruled(station: Station, now: datetime) -> tuple[str, ...]:
    """Say which foreign profiles change what an EVSE is allowed now, and on which; those the rules ignore are left out.

    One leads where it is the strongest of the transaction layer (K01.FR.17), and limits where it only takes away
    (K01.FR.36).
    """
    others = strangers(station)
    if station.goal is None or not others:
        return ()
    return tuple(words for evse in station.goal.evses for words in _on(station, evse, others, now))


def _on(station: Station, evse: int, others: Sequence[Held], now: datetime) -> Iterator[str]:
    held = {number: each.profile for number, each in station.reported.held.items()}

    def flow(*without: int) -> Flow:
        return flow_at((profile for number, profile in held.items() if number not in without), evse, now)

    whole, named = flow(), {each.profile.id for each in others}
    if _same(whole, flow(*named)):
        return
    for each in others:
        number = each.profile.id
        if number == whole.leader or not _same(whole, flow(number)):
            verb = "leads" if number == whole.leader else "limits"
            yield f"profile {number} of {each.source} at stack level {each.profile.stack_level} {verb} EVSE {evse}"


def _same(one: Flow, other: Flow) -> bool:
    """Tell whether two flows let the same happen, whoever leads."""
    return replace(one, leader=None) == replace(other, leader=None)
