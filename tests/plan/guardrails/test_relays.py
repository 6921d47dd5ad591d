"""Relays and converters live long: each budget counts what a watcher with a stopwatch would count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.guardrails.relays import busiest, check_line, runs, starts, turns
from reconciler.profiles.timeline import timeline
from revisions import revision

DAWN = datetime(2026, 11, 23, tzinfo=UTC)
RAILS = revision().fleet.guardrails
MINUTE = timedelta(minutes=1)
lines = st.lists(
    st.tuples(st.integers(0, 12 * 60).map(lambda at: DAWN + at * MINUTE), st.sampled_from((-7, -3, 0, 0, 3, 11, None))),
    min_size=1,
    max_size=40,
).map(lambda steps: timeline((at, None if power is None else Decimal(power) * 1000) for at, power in steps))


def line(*steps):
    return timeline((DAWN + minute * MINUTE, Decimal(power) * 1000) for minute, power in steps)


def troubles(found, zone="UTC"):
    return {each.guardrail: each for each in check_line(found, RAILS, ZoneInfo(zone))}


def watch(found):
    """Give the sign in each minute, as one who looks at a meter sees it."""
    first = next(iter(found.starts()), DAWN)
    for minute in range(13 * 60):
        at = DAWN + minute * MINUTE
        if at >= first:
            power = found.at(at) or 0
            yield at, (power > 0) - (power < 0)


@given(lines)
def test_turns_are_what_a_watcher_counts(found):
    seen, last = [], 0
    for at, sign in watch(found):
        if sign and last and sign != last:
            seen.append(at)
        last = sign or last
    assert turns(runs(found)) == tuple(seen)


@given(lines)
def test_starts_are_what_a_watcher_counts(found):
    seen, last = [], None
    for at, sign in watch(found):
        if sign and last == 0:
            seen.append(at)
        last = sign
    assert starts(runs(found)) == tuple(seen)


@given(lines)
def test_a_line_without_trouble_keeps_every_budget(found):
    seen = troubles(found)
    cut = runs(found)
    whole = [run for run in cut[1:] if run.end is not None]
    if "dwell" not in seen:
        assert all(run.length >= RAILS.dwell for run in whole if run.sign)
    if "reversal" not in seen:
        flowing = [run for run in cut if run.sign]
        for before, after in pairwise(flowing):
            assert before.sign == after.sign or after.start - before.end >= RAILS.settle
    if "direction-changes" not in seen:
        assert busiest(turns(cut), ZoneInfo("UTC"))[0] <= RAILS.turns_per_day
    if "starts" not in seen:
        assert busiest(starts(cut), ZoneInfo("UTC"))[0] <= RAILS.starts_per_day


@given(lines)
def test_runs_cover_the_line_and_neighbours_differ(found):
    cut = runs(found)
    assert [run.end for run in cut] == [*(run.start for run in cut[1:]), *([None] if cut else [])]
    assert all(one.sign != other.sign for one, other in pairwise(cut))


def test_the_seventh_turn_of_a_day_is_one_too_many():
    back_and_forth = [(30 * number, 5 if number % 2 else -5) for number in range(8)]
    assert "direction-changes" not in troubles(line(*back_and_forth[:7]))
    found = troubles(line(*back_and_forth))["direction-changes"]
    assert found.message == "turns between charge and discharge 7 times on Mon 2026-11-23, and the most is 6 a day"
    assert found.at == DAWN + 210 * MINUTE


def test_days_are_the_fleets_own():
    night = line(*((20 * 60 + 30 * number, 5 if number % 2 else -5) for number in range(13)))
    assert "direction-changes" in troubles(night)
    assert busiest(turns(runs(night)), ZoneInfo("UTC"))[0] == 7
    assert busiest(turns(runs(night)), ZoneInfo("Asia/Tokyo"))[0] == 12


@pytest.mark.parametrize(
    ("steps", "guardrail", "words"),
    [
        (
            ((0, 0), (60, -5), (70, 0)),
            "dwell",
            "discharges for 10 min at Mon 2026-11-23 01:00, and 15 min is the least",
        ),
        (((0, 0), (60, 5), (70, 0)), "dwell", "charges for 10 min"),
        (((0, 5), (60, 0), (62, 5)), "pause", "rests for 2 min only at Mon 2026-11-23 01:00, and 5 min is the least"),
        (((0, 5), (60, -5)), "reversal", "turns from charge to discharge without a rest at Mon 2026-11-23 01:00"),
        (((0, -5), (60, 5)), "reversal", "turns from discharge to charge without a rest"),
        (((0, -5), (60, 0), (Decimal("60.5"), 5)), "reversal", "after a rest of 30 s"),
    ],
)
def test_each_trouble_is_told_with_its_moment(steps, guardrail, words):
    found = timeline((DAWN + timedelta(minutes=float(at)), Decimal(power) * 1000) for at, power in steps)
    assert words in troubles(found)[guardrail].message


@pytest.mark.parametrize(
    "steps",
    [
        ((0, 5), (5, 0)),  # what began before is not known
        ((0, 0), (60, 5)),  # nor what ends after
        ((0, 0), (1, 5), (61, 0), (66, 5)),
        ((0, -5), (60, 0), (61, 5)),
    ],
)
def test_what_keeps_its_budgets_is_no_trouble(steps):
    assert not troubles(line(*steps))


def test_eleven_starts_a_day_are_too_many():
    pulses = [(20 * number, 5 if number % 2 else 0) for number in range(22)]
    assert "11 times" in troubles(line(*pulses))["starts"].message
    assert "starts" not in troubles(line(*pulses[:21]))


def test_a_ramp_is_bounded_where_the_fleet_says_so():
    rails = replace(RAILS, ramp_w=Decimal(5000))
    found = {each.guardrail: each for each in check_line(line((0, 0), (60, 5), (120, 11)), rails, ZoneInfo("UTC"))}
    assert found["ramp"].message == "changes by 6 kW at Mon 2026-11-23 02:00, and 5 kW is the most"
    assert "ramp" not in troubles(line((0, 0), (60, 5), (120, 11)))
