"""Openings: switches of the clock are found where the zones have them, and windows open at some time or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.openings import ever_open, next_switch
from reconciler.manifests.strategy import Window

HOUR = timedelta(hours=1)
ZONES = ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC")


@given(st.sampled_from(ZONES), st.integers(0, 20 * 365 * 24), st.floats(0, 0.9999))
def test_clocks_run_evenly_until_the_next_switch(zone, hours, share):
    now = datetime(2020, 1, 1, tzinfo=UTC) + hours * HOUR
    switch, clock = next_switch(zone, now), ZoneInfo(zone)
    assert now < switch <= now + timedelta(days=732)
    between = now + (switch - now) * share
    assert between.astimezone(clock).utcoffset() == now.astimezone(clock).utcoffset()


@pytest.mark.parametrize(("now", "switch"), [("2026-03-28", "2026-03-29T01:00"), ("2026-11-01", "2027-03-28T01:00")])
def test_a_switch_is_found_to_the_second(now, switch):
    first, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, switch))
    assert next_switch("Europe/Berlin", first) == expected
    assert next_switch("Europe/Berlin", expected) > expected


@pytest.mark.parametrize(
    ("windows", "opens"),
    [
        ((), True),
        ((Window(True, "0 0 29 2 *", HOUR, "UTC"),), True),
        ((Window(False, "0 0 * * *", 23 * HOUR, "UTC"),), True),
        ((Window(False, "0 0 * * *", 24 * HOUR, "UTC"),), False),
        ((Window(True, "0 9 * * *", HOUR, "UTC"), Window(False, "0 * * * *", HOUR, "UTC")), False),
        ((Window(True, "0 9 * * *", HOUR, "UTC"), Window(False, "0 10 * * *", HOUR, "Europe/Berlin")), True),
        ((Window(True, "0 9 * * *", HOUR, "UTC"), Window(False, "30 14 * * *", HOUR, "Asia/Kolkata")), False),
    ],
)
def test_windows_open_at_some_time_or_never(windows, opens):
    assert ever_open(windows) is opens
