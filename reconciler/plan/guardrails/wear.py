"""Proof that leases suit the stations: how often they are written, and what clocks and silence do to them.

The number of writes follows from the lease and from how many periods a station holds: `render.lease` cuts a timeline
that does not fit, and each piece is a write.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from reconciler.errors import Place
from reconciler.manifests.fleet import Declared, FailSafe, Fleet, Station
from reconciler.manifests.guardrails import Guardrails
from reconciler.plan.guardrails.finding import Fact
from reconciler.plan.guardrails.tracks import HORIZON, Track, Tracks
from reconciler.profiles.capability import Protocol
from reconciler.profiles.timeline import Timeline
from reconciler.profiles.wording import count
from reconciler.render.assume import assume
from reconciler.render.lease import MARGIN, SPREAD_FROM, Lease, lease_at, slot_length

DAY = timedelta(days=1)
YEAR = 365
LEASE = "failSafe.lease"


class Writes(NamedTuple):
    """Writes of one profile: on the busiest day, and in a year of such weeks."""

    per_day: int
    per_year: int


def check_wear(tracks: Tracks) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    """Give a fact for each lease, and each kind of station, that wears or misleads a station."""
    rails = tracks.fleet.guardrails
    for station, identities in _by_settings(tracks.fleet):
        for name, field, message in check_lease(station.settings.fail_safe, rails):
            yield Fact(name, message, _place(station, field, rails), f"spec.{field}"), identities
    for track, station, identities in _by_declaration(tracks):
        writes = count_writes(track.line, station.declared, station.settings.fail_safe, tracks.now)
        if writes.per_day > rails.writes_per_day or writes.per_year > rails.writes_per_year:
            message = (
                f"a profile is written up to {count(writes.per_day, 'time')} a day "
                f"and {count(writes.per_year, 'time')} a year; "
                f"{rails.writes_per_day} and {rails.writes_per_year} are allowed"
            )
            yield Fact("profile-writes", message, _place(station, LEASE, rails), f"spec.{LEASE}"), identities


def check_lease(safe: FailSafe, rails: Guardrails) -> Iterator[tuple[str, str, str]]:
    """Hold a lease against clocks and silence; give guardrail, field and sentence of each trouble."""
    tolerance = rails.clock_skew
    if safe.renew_before <= tolerance:
        message = f"the lease is renewed {safe.renew_before} before its end, and a clock may be {tolerance} ahead"
        yield "clock-skew", "failSafe.renewBefore", message
    if tolerance > MARGIN:
        message = f"a profile begins {MARGIN} before it is sent, and a clock may be {tolerance} behind"
        yield "clock-skew", "guardrails.clock-skew", message
    if safe.lease > rails.longest_lease:
        message = f"flow may go on for {safe.lease} after we were last heard; {rails.longest_lease} is the most"
        yield "lease-length", LEASE, message


def count_writes(line: Timeline, declared: Declared, safe: FailSafe, now: datetime) -> Writes:
    """Count how often the profile of one line is written to renew its lease."""
    slot = slot_length(safe)
    if slot < SPREAD_FROM:  # a slot so short holds few steps
        daily = -(-DAY // slot)
        return Writes(daily, daily * YEAR)
    room = assume(declared, Protocol.V21).max_periods - 1
    pieces = [_pieces(line, lease_at(now + slot * number, safe, 0), room) for number in range(HORIZON // slot)]
    a_day = DAY / slot
    return Writes(round(max(pieces) * a_day), round(sum(pieces) / len(pieces) * a_day * YEAR))


def _pieces(line: Timeline, lease: Lease, room: int) -> int:
    """Count the pieces of one lease that are sent while it is the desired one."""
    starts = [start for start in line.starts() if lease.start < start < lease.end]
    if room < 1 or len(starts) < room:
        return 1
    hop = max(1, room // 2)
    return 1 + sum(1 for start in starts[hop - 1 :: hop] if start < lease.renewal)


def _place(station: Station, field: str, rails: Guardrails) -> Place:
    """Find where a station's setting stands; what nobody wrote is the Fleet's."""
    return next((origin.place for origin in station.origins if origin.field == field), rails.place)


def _by_settings(fleet: Fleet) -> Iterator[tuple[Station, tuple[str, ...]]]:
    found: dict[int, list[Station]] = {}
    for station in fleet.stations.values():
        found.setdefault(id(station.settings), []).append(station)
    for alike in found.values():
        yield alike[0], tuple(station.identity for station in alike)


def _by_declaration(tracks: Tracks) -> Iterator[tuple[Track, Station, tuple[str, ...]]]:
    found: dict[tuple[int, int, Declared], tuple[Track, list[Station]]] = {}
    for group in tracks.alike:
        first = group[0]
        for evse in first.evses if first.assignments else ():
            track = tracks.of(first, evse)
            key = (id(track), id(first.settings), first.declared)
            found.setdefault(key, (track, []))[1].extend(group)
    for track, alike in found.values():
        yield track, alike[0], tuple(station.identity for station in alike)
