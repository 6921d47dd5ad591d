"""The lease: never longer than the fleet allows, the same throughout a slot, renewed at its tail and nowhere else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.errors import Unsupported
from reconciler.manifests.fleet import FailSafe
from reconciler.profiles.timeline import Step
from reconciler.render.lease import BUCKETS, MARGIN, Lease, bucket, lease_at, slot_length, window

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@st.composite
def fail_safes(draw):
    renew = draw(st.integers(1, 10 * 86_400))
    return FailSafe((renew + draw(st.integers(1, 10 * 86_400))) * SECOND, renew * SECOND, 15 * 60 * SECOND)


instants = st.integers(-(10**8), 10**9).map(lambda seconds: NOON + seconds * SECOND)
buckets = st.integers(0, BUCKETS - 1)


@given(fail_safes(), instants, buckets)
def test_a_lease_is_never_longer_than_the_fleet_allows(fail_safe, now, number):
    lease = lease_at(now, fail_safe, number)
    assert lease.end - now <= fail_safe.lease
    assert lease.start + MARGIN <= now < lease.renewal < lease.end


@given(fail_safes(), instants, buckets)
def test_when_a_slot_begins_the_lease_before_has_renew_before_to_run(fail_safe, now, number):
    lease = lease_at(now, fail_safe, number)
    following = lease_at(lease.renewal, fail_safe, number)
    assert lease.end - lease.renewal == fail_safe.renew_before
    assert following.start + MARGIN == lease.renewal


@given(fail_safes(), instants, buckets, st.floats(0, 0.999999))
def test_the_lease_is_one_throughout_its_slot(fail_safe, now, number, share):
    lease = lease_at(now, fail_safe, number)
    begin = lease.start + MARGIN
    assert lease_at(begin, fail_safe, number) == lease
    assert lease_at(begin + (lease.renewal - begin) * share, fail_safe, number) == lease
    assert lease_at(begin - SECOND, fail_safe, number) != lease


def test_a_day_takes_one_renewal():
    assert slot_length(FailSafe(30 * HOUR, 6 * HOUR, HOUR)) == DAY
    assert slot_length(FailSafe(20 * HOUR, 6 * HOUR, HOUR)) == 14 * HOUR
    assert slot_length(FailSafe(100 * HOUR, 6 * HOUR, HOUR)) == DAY


def test_renewals_are_spread_but_not_those_of_trials():
    daily, trial = FailSafe(30 * HOUR, 6 * HOUR, HOUR), FailSafe(65 * SECOND, 5 * SECOND, HOUR)
    assert len({lease_at(NOON, daily, number).renewal for number in range(BUCKETS)}) == BUCKETS
    assert len({lease_at(NOON, trial, number) for number in range(BUCKETS)}) == 1


def test_a_bucket_does_not_depend_on_spelling():
    assert bucket("Q3-001") == bucket("q3-001")
    assert {bucket(f"S-{number}") for number in range(1000)} == set(range(BUCKETS))


LEASE = Lease(NOON, NOON + 30 * HOUR, NOON + 24 * HOUR)


def steps(*hours):
    return tuple(Step(NOON + hour * HOUR, Decimal(number)) for number, hour in enumerate(hours))


def test_steps_that_fit_are_taken_whole():
    assert window(steps(0, 3, 29, 30), LEASE, NOON, 4) == (steps(0, 3, 29), LEASE)


def test_steps_that_do_not_fit_end_the_lease_early_and_renew_it_half_way():
    kept, held = window(steps(0, 1, 2, 3, 4, 5), LEASE, NOON, 5)
    assert kept == steps(0, 1, 2, 3)
    assert held == Lease(NOON, NOON + 4 * HOUR, NOON + 2 * HOUR)


def test_the_last_steps_of_a_lease_keep_its_end():
    kept, held = window(steps(0, 1, 2, 3, 4, 5), LEASE, NOON + 6 * HOUR, 5)
    assert [each.start for each in kept] == [NOON + hour * HOUR for hour in (4, 5)]
    assert (held.end, held.renewal) == (LEASE.end, LEASE.renewal)


@given(st.sets(st.integers(1, 29 * 60), max_size=60), st.integers(2, 20), st.integers(0, 24 * 60 - 1))
def test_what_is_held_runs_from_now_to_beyond_the_renewal(minutes, most, moment):
    line = tuple(Step(NOON + minute * 60 * SECOND, Decimal(minute)) for minute in (0, *sorted(minutes)))
    now = NOON + moment * 60 * SECOND
    kept, held = window(line, LEASE, now, most)
    assert len(kept) <= most - 1
    assert kept[0].start <= now < held.renewal <= held.end <= LEASE.end
    assert most == 2 or held.renewal < held.end or held.end == LEASE.end
    assert [each for each in line if held.start <= each.start < held.end] == list(kept)


@given(st.sets(st.integers(1, 29 * 60), max_size=60), st.integers(2, 20), st.integers(0, 24 * 60 - 1), st.data())
def test_what_is_held_stays_the_same_until_its_renewal(minutes, most, moment, data):
    line = tuple(Step(NOON + minute * 60 * SECOND, Decimal(minute)) for minute in (0, *sorted(minutes)))
    now = NOON + moment * 60 * SECOND
    kept, held = window(line, LEASE, now, most)
    later = now + data.draw(st.integers(0, int((held.renewal - now).total_seconds()) - 1)) * SECOND
    assume(later < held.renewal)
    assert window(line, LEASE, later, most) == (kept, held)


def test_a_station_of_one_period_has_no_room_for_flow():
    with pytest.raises(Unsupported, match="1 period a schedule"):
        window(steps(0, 1), LEASE, NOON, 1)
