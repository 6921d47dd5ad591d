"""Leases suit the stations: writes are counted as the lease makes them, clocks and silence do no harm."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests.fleet import Declared, FailSafe
from reconciler.plan.guardrails.tracks import HORIZON
from reconciler.plan.guardrails.wear import check_lease, count_writes
from reconciler.profiles.timeline import timeline
from reconciler.render.lease import DAY, lease_at, slot_length, window
from revisions import MONDAY, revision

HOUR = timedelta(hours=1)
RAILS = revision().fleet.guardrails


def lease_of(lease, renew_before=6 * HOUR):
    return FailSafe(lease, renew_before, timedelta(minutes=15))


USUAL = lease_of(30 * HOUR)


def hourly(every=1):
    return timeline((MONDAY + number * every * HOUR, Decimal(number % 2 + 1)) for number in range(8 * 24 // every))


def test_a_quiet_day_costs_one_write():
    assert count_writes(hourly(6), Declared(), USUAL, MONDAY) == (1, 365)


def test_a_schedule_of_more_periods_than_a_station_holds_is_written_in_pieces():
    few = count_writes(hourly(), Declared(periods=6), USUAL, MONDAY)
    many = count_writes(hourly(), Declared(periods=40), USUAL, MONDAY)
    assert many == (1, 365)
    assert few.per_day == 13


def test_a_short_lease_is_written_often():
    trial = lease_of(timedelta(minutes=20), timedelta(minutes=10))
    assert count_writes(hourly(), Declared(), trial, MONDAY) == (144, 144 * 365)


@settings(max_examples=30)
@given(st.integers(3, 12), st.integers(1, 8), st.sampled_from((12, 30)))
def test_writes_are_what_the_lease_makes(periods, every, hours):
    """Walk through the days as the renderer does, and count each profile that differs from the one before."""
    safe = lease_of(hours * HOUR)
    line, slot = hourly(every), slot_length(safe)
    counted = count_writes(line, Declared(periods=periods), safe, MONDAY)
    seen = []
    for minute in range(0, int(HORIZON // HOUR - hours) * 60, 10):
        now = MONDAY + timedelta(minutes=minute)
        lease = lease_at(now, safe, 0)
        inside = [step for step in line.steps if step.start < lease.end]
        begun = [step for step in inside if step.start <= lease.start][-1:]
        later = [step for step in inside if step.start > lease.start]
        sent = window((*begun, *later), lease, now, periods)
        if not seen or seen[-1] != sent:
            seen.append(sent)
    days = (HORIZON - hours * HOUR) / DAY
    assert len(seen) <= counted.per_day * (days + slot / DAY) + 1


@pytest.mark.parametrize(
    ("safe", "rails", "guardrail", "words"),
    [
        (lease_of(HOUR, timedelta(minutes=5)), RAILS, "clock-skew", "is renewed 0:05:00 before its end"),
        (USUAL, replace(RAILS, clock_skew=2 * HOUR), "clock-skew", "may be 2:00:00 behind"),
        (lease_of(49 * HOUR), RAILS, "lease-length", "may go on for 2 days, 1:00:00"),
    ],
)
def test_a_lease_that_clocks_or_silence_would_spoil_is_told(safe, rails, guardrail, words):
    ((found, _, message),) = check_lease(safe, rails)
    assert found == guardrail
    assert words in message


def test_a_lease_is_told_where_it_was_set_and_for_whom():
    site = ("export: 200 kW}", "export: 200 kW, failSafe: {lease: 60h}}")
    group = (
        "spec: {site: quay, select: {labels: {line: day}}",
        "spec: {site: quay, failSafe: {lease: 50h}, select: {labels: {line: day}}",
    )
    (found,) = (each for each in revision(group).warnings if each.guardrail == "lease-length")
    assert (found.stations, found.field) == (("B-01", "B-02"), "spec.failSafe.lease")
    assert found.place.line == revision(group).fleet.groups["day"].place.line + 1
    longer = [each for each in revision(group, site).warnings if each.guardrail == "lease-length"]
    assert [each.stations[0] for each in longer] == ["A-01", "B-01"]


def test_the_default_lease_is_fine():
    assert not list(check_lease(USUAL, RAILS))


def test_a_fleet_that_writes_too_often_is_told_once_for_all_stations():
    worn = revision(("{lease: 30h, renewBefore: 6h, maxOffline: 15m}", "{lease: 40m, renewBefore: 10m}"))
    (found,) = (each for each in worn.warnings if each.guardrail == "profile-writes")
    assert "up to 48 times a day and 17520 times a year; 24 and 3000 are allowed" in found.message
    assert found.stations == ("A-01", "A-02", "A-03", "A-04", "B-01", "B-02")


def test_writes_are_counted_by_the_lease_that_a_station_inherits():
    eager = (
        "spec: {site: quay, select: {labels: {line: day}}",
        "spec: {site: quay, failSafe: {lease: 40m, renewBefore: 10m}, select: {labels: {line: day}}",
    )
    (found,) = (each for each in revision(eager).warnings if each.guardrail == "profile-writes")
    assert "up to 48 times a day" in found.message
    assert found.stations == ("B-01", "B-02")
    assert found.place.line == revision(eager).fleet.groups["day"].place.line + 1


def test_a_station_that_inherits_a_longer_lease_is_not_worn_by_the_fleets():
    worn = ("{lease: 30h, renewBefore: 6h, maxOffline: 15m}", "{lease: 40m, renewBefore: 10m}")
    calm = (
        "spec: {site: quay, select: {labels: {line: day}}",
        "spec: {site: quay, failSafe: {lease: 30h, renewBefore: 6h}, select: {labels: {line: day}}",
    )
    (found,) = (each for each in revision(worn, calm).warnings if each.guardrail == "profile-writes")
    assert found.stations == ("A-01", "A-02", "A-03", "A-04")
