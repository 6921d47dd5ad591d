"""Days that no one has lived before, days that once went wrong, and the promise that a seed is always the same day."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from days.day import LENGTH, SWITCHES, Day, live
from days.seeds import BASE, KEPT

HERE = Path(__file__).parent
PARTS, DAYS = 25, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_on_fresh_days_every_invariant_holds(part, lived):
    first = BASE + part * DAYS
    for seed in range(first, first + DAYS):
        lived.append(live(seed))


@pytest.mark.parametrize("seed", KEPT)
def test_days_that_once_went_wrong_go_well(seed, lived):
    lived.append(live(seed))


def test_eight_seeds_in_a_row_have_both_switches_of_the_clocks_in_them():
    spans = [(day.begun, day.begun + LENGTH) for day in map(Day, range(BASE, BASE + DAYS))]
    assert all(any(begin <= switch < end for begin, end in spans) for switch in SWITCHES)


def test_a_seed_is_the_same_day_in_every_process(lived):
    lived.append(live(BASE))
    for hashes in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": hashes, "SEED": str(BASE), "PYTHONPATH": str(HERE.parent)}
        told = subprocess.run([sys.executable, "-m", "days"], env=env, capture_output=True, text=True, check=True)
        assert lived[0].digest in told.stdout, "another process lived another day"
