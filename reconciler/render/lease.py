"""The lease that every profile with flow carries: when it begins, ends and is renewed.

Time is cut into slots of one length, so that the same profile is desired throughout a slot and a quiet day costs one
write. A slot is one day, or what the lease leaves: `lease - renewBefore`. Whenever a slot begins, the lease of the one
before still has `renewBefore` to run; no lease is ever longer than the fleet allows. Stations are spread over a slot by
a hash of their identity, in a few buckets, so that renewals come as a trickle and rendering is still shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from zlib import crc32

from reconciler.errors import Unsupported
from reconciler.manifests.fleet import FailSafe


class Begun(Protocol):
    """Whatever holds from an instant on."""

    @property
    def start(self) -> datetime:
        """Give the instant from which on it holds."""
        ...


B = TypeVar("B", bound=Begun)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BUCKETS = 24
SPREAD_FROM = timedelta(hours=1)
"""Slots shorter than this are not spread: they belong to trials, where one wants to see all stations move at once."""
MARGIN = timedelta(hours=1)
"""How far before its slot a profile starts, so that a station whose clock is behind finds it begun."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One slot's lease: what is sent covers [start, end) and is replaced at `renewal`."""

    start: datetime
    end: datetime
    renewal: datetime


def bucket(identity: str) -> int:
    """Give a station's bucket, the same on every machine and for every spelling of the identity."""
    return crc32(identity.casefold().encode()) % BUCKETS


def slot_length(fail_safe: FailSafe) -> timedelta:
    """Give the time between two renewals."""
    return min(DAY, fail_safe.lease - fail_safe.renew_before)


def lease_at(now: datetime, fail_safe: FailSafe, bucket_number: int) -> Lease:
    """Give the lease that is desired at `now` for stations of one bucket."""
    length = slot_length(fail_safe)
    offset = length * bucket_number / BUCKETS if length >= SPREAD_FROM else timedelta(0)
    begin = EPOCH + offset + (now - EPOCH - offset) // length * length
    renewal = begin + length
    return Lease(begin - MARGIN, renewal + fail_safe.renew_before, renewal)


def window(steps: Sequence[B], lease: Lease, now: datetime, most: int) -> tuple[tuple[B, ...], Lease]:
    """Cut a timeline's steps to those that fit into `most` periods, one of which is the closing zero.

    Where all fit, nothing changes. Else the lease ends where the next step would begin, and is renewed half-way through
    the steps, so that the station always holds some time ahead (with two periods, that is none).

    Raises:
        Unsupported: there is no room for a step beside the closing zero.
    """
    room = most - 1
    if room < 1:
        raise Unsupported(f"{most} period a schedule", "one step and the zero that ends its lease need two")
    live = [step for step in steps if step.start < lease.end]
    if len(live) <= room:
        return tuple(live), lease
    hop = max(1, room // 2)
    first = max(index for index in range(0, len(live), hop) if index == 0 or live[index].start <= now)
    kept = live[first : first + room]
    after = live[first + room].start if first + room < len(live) else lease.end
    renewal = live[first + hop].start if first + hop < len(live) else lease.renewal
    return tuple(kept), Lease(kept[0].start, after, min(renewal, lease.renewal))
