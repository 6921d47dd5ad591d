"""What is imported commands what was captured, at every instant for which the profile had something to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.cli.captured import CapturedStation
from reconciler.cli.imported import import_stations
from reconciler.controller.revision import revise
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.composite import Situation, compose, flow_at
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Recurrency, Unit
from reconciler.render.capture import round_to_minutes
from reconciler.render.compile import evse_timeline
from reconciler.source.shipped import default_templates
from strategies import NOON, profiles

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY = timedelta(days=1)
FLEET = """apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: fleet}
spec:
  timezone: ZONE
  profileIds: {from: 1000, to: 1999}
  discharge: allowed
"""


def fleet_of(imported, zone):
    return Snapshot("", "", None, "", {"fleet.yaml": FLEET.replace("ZONE", zone.key), "imported.yaml": imported.text})


def signed(flow):
    return flow.limit_w if flow.setpoint_w is None else flow.setpoint_w


def clean(profile):
    """Make a profile that a schedule can say: on full minutes, on one number of phases."""
    return replace(round_to_minutes(profile), purpose=Purpose.TX_DEFAULT, max_offline=None)


def assert_same(held, imported, zone, now):
    """Hold what manifests say for each EVSE against what the profiles command, over the local day after `now`."""
    fleet = load(fleet_of(imported, zone))
    station = fleet.station("S-1")
    start = datetime.combine(now.astimezone(zone).date() + DAY, datetime.min.time(), zone).astimezone(UTC)
    for evse in station.evses:
        situation = Situation(watts_per_ampere=Decimal(230) * (evse.phases or 3))
        line = evse_timeline(station.assignments, evse, zone, fleet.nominal_voltage, (start, start + DAY))
        spans = compose(held, evse.id, start, start + DAY, situation)
        for at in {*line.starts(), *(span.start for span in spans)}:
            flow = flow_at(held, evse.id, at, situation)
            if flow.leader is not None and start <= at < start + DAY:
                assert line.at(at) == signed(flow), at.astimezone(zone)


@settings(max_examples=100)
@given(profiles(kinds=(Kind.ABSOLUTE,)).map(clean), st.sampled_from([AMSTERDAM, ZoneInfo("Asia/Kolkata")]))
def test_an_absolute_profile_is_the_same_even_on_the_day_of_23_hours(profile, zone):
    imported = import_stations([CapturedStation("S-1", (profile,))], zone, NOON, is_rounded=False)
    assume(imported.profiles)
    assert_same((profile,), imported, zone, NOON)


@settings(max_examples=100)
@given(profiles(kinds=(Kind.RECURRING,)).map(clean), st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")]))
def test_a_recurring_profile_is_the_same_while_clocks_do_not_change(profile, zone):
    imported = import_stations([CapturedStation("S-1", (profile,))], zone, NOON, is_rounded=False)
    assume(imported.profiles)
    assert_same((profile,), imported, zone, NOON)


@settings(max_examples=100)
@given(st.lists(profiles(kinds=(Kind.ABSOLUTE,), unit=Unit.WATT).map(clean), min_size=2, max_size=4))
def test_a_stack_is_the_same_as_long_as_nothing_had_to_be_left_out(drawn):
    held = tuple(
        replace(profile, id=number, stack_level=number // 2, evse_id=0) for number, profile in enumerate(drawn, start=1)
    )
    # Of one level, one speaks at a time (K01.FR.06); here each has a level of its own.
    held = tuple(replace(profile, stack_level=number) for number, profile in enumerate(held))
    imported = import_stations([CapturedStation("S-1", held)], AMSTERDAM, NOON, is_rounded=False)
    over = [note for note in imported.notes if "ended" in note or "commands nothing" in note]
    assume(imported.profiles and len(over) == len(imported.notes))
    assert_same(held, imported, AMSTERDAM, NOON)


@settings(max_examples=100)
@given(profiles(), st.booleans())
def test_whatever_was_captured_the_manifests_load_and_all_that_is_missing_is_noted(profile, rounded):
    imported = import_stations([CapturedStation("S-1", (profile,))], AMSTERDAM, NOON, is_rounded=rounded)
    assert imported.profiles + len(imported.notes) == 1
    assert bool(imported.text) == bool(imported.profiles)
    if imported.text:
        assert "S-1".casefold() in load(fleet_of(imported, AMSTERDAM)).stations


@pytest.mark.parametrize("protocol", Protocol)
def test_what_is_rendered_from_it_commands_the_same_all_day(protocol):
    start = datetime(2026, 3, 3, 16, tzinfo=UTC)
    periods = tuple(
        Period(at, limit=Decimal(watts))
        if watts >= 0
        else Period(at, setpoint=Decimal(watts), mode=Mode.CENTRAL_SETPOINT)
        for at, watts in ((0, -7000), (3 * 3600, 3500), (12 * 3600, 11000))
    )
    schedule = ChargingSchedule(1, Unit.WATT, periods, start)
    held = Profile(7, 1, 1, Purpose.TX_DEFAULT, Kind.RECURRING, (schedule,), Recurrency.DAILY)
    imported = import_stations([CapturedStation("S-1", (held,), protocol)], AMSTERDAM, start, is_rounded=False)
    revision = revise(fleet_of(imported, AMSTERDAM), default_templates(), start)
    station = revision.fleet.station("S-1")
    capability = Capability(protocol, modes=frozenset(Mode), negative_limit=True)
    for hour in range(24):
        at = start + DAY + timedelta(hours=hour, minutes=1)
        rendered = revision.goal(station, capability, at).profiles
        assert signed(flow_at(rendered, 1, at)) == signed(flow_at((held,), 1, at))
