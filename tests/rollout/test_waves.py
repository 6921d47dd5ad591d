"""Waves: who is changed first is the same everywhere, and no one is left out or changed twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.strategy import Strategy, Wave
from reconciler.rollout.waves import waves

KEYS = st.lists(st.integers(0, 999).map(lambda number: f"q3-{number:03}"), unique=True, max_size=80)
SHARES = st.integers(1, 99).map(lambda number: Wave(share=Decimal(number) / 100))
COUNTS = st.integers(1, 60).map(lambda number: Wave(count=number))
LABELS = st.sampled_from(("a", "b", "none")).map(lambda ring: Wave(labels={"ring": ring}))
STRATEGIES = st.lists(st.one_of(SHARES, COUNTS, LABELS), max_size=5).map(
    lambda given: Strategy((*given, Wave(share=Decimal(1))))
)
ROLLOUTS = st.sampled_from(("c0ffee", "beef", "facade"))


def rings(key):
    return {"ring": "a" if key.endswith("0") else "b", "line": "night"}


def shares(*percents):
    return Strategy(tuple(Wave(share=Decimal(percent) / 100) for percent in percents))


def stations(number):
    return [f"q3-{each:03}" for each in range(number)]


@given(STRATEGIES, KEYS, ROLLOUTS)
def test_every_changed_station_is_in_exactly_one_wave(strategy, keys, rollout):
    found = waves(strategy, keys, rings, rollout)
    assert sorted(key for wave in found for key in wave) == sorted(keys)
    assert all(found)


@given(STRATEGIES, KEYS, ROLLOUTS, st.randoms(use_true_random=False))
def test_the_order_in_which_stations_are_named_means_nothing(strategy, keys, rollout, random):
    shuffled = list(keys)
    random.shuffle(shuffled)
    assert waves(strategy, shuffled, rings, rollout) == waves(strategy, (*keys, *keys[:3]), rings, rollout)


@given(KEYS, st.integers(1, 99), ROLLOUTS)
def test_a_share_is_within_one_station_of_exact(keys, percent, rollout):
    first = waves(shares(percent, 100), keys, rings, rollout)[:1]
    exact = Decimal(len(keys) * percent) / 100
    assert exact <= sum(map(len, first)) < exact + 1


@given(st.sets(st.integers(0, 400), min_size=60, max_size=120), st.integers(500, 999), ROLLOUTS)
def test_one_more_station_moves_at_most_one_at_each_boundary(numbers, newcomer, rollout):
    strategy, keys = shares(10, 40, 100), [f"q3-{number:03}" for number in numbers]
    before, after = (
        {key: number for number, wave in enumerate(waves(strategy, each, rings, rollout)) for key in wave}
        for each in (keys, [*keys, f"q3-{newcomer}"])
    )
    assert sum(before[key] != after[key] for key in keys) <= 2
    assert all(abs(before[key] - after[key]) <= 1 for key in keys)


def test_a_wave_of_labels_takes_all_that_carry_them_and_no_other():
    canary = Wave(labels={"ring": "a", "line": "night"})
    first, second = waves(Strategy((canary, Wave(share=Decimal(1)))), stations(25), rings, "c0ffee")
    assert set(first) == {"q3-000", "q3-010", "q3-020"}
    assert len(second) == 22


def test_a_share_counts_those_of_the_waves_before():
    strategy = Strategy((Wave(labels={"ring": "a"}), Wave(share=Decimal("0.25")), Wave(share=Decimal(1))))
    assert list(map(len, waves(strategy, stations(40), rings, "c0ffee"))) == [4, 6, 30]


def test_a_wave_that_would_be_empty_is_left_out():
    strategy = Strategy((Wave(labels={"ring": "none"}), Wave(count=3), Wave(count=2), Wave(share=Decimal(1))))
    assert list(map(len, waves(strategy, stations(5), rings, "c0ffee"))) == [3, 2]
    assert waves(strategy, (), rings, "c0ffee") == ()


def test_waves_that_leave_stations_out_are_followed_by_one_of_the_rest():
    assert list(map(len, waves(Strategy((Wave(count=2),)), stations(5), rings, "c0ffee"))) == [2, 3]
    assert list(map(len, waves(Strategy((Wave(),)), stations(5), rings, "c0ffee"))) == [5]


def test_each_rollout_begins_with_other_stations():
    strategy = Strategy((Wave(count=1), Wave(share=Decimal(1))))
    firsts = {waves(strategy, stations(200), rings, f"commit-{number}")[0] for number in range(40)}
    assert len(firsts) > 20


@pytest.mark.parametrize(("rollout", "first"), [("c0ffee", "q3-006"), ("beef", "q3-002")])
def test_the_draw_is_the_same_in_every_process(rollout, first):
    strategy = Strategy((Wave(count=1), Wave(share=Decimal(1))))
    assert waves(strategy, stations(9), rings, rollout)[0] == (first,)
