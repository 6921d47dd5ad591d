"""A vehicle leaves with what was asked for, or the revision is refused: proved from the worst that is declared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import RevisionError
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.timeline import timeline
from reconciler.render.departures import counted, cut, follow
from reconciler.render.desired import Renderer
from reconciler.render.readiness import check_departures

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
HEAD = """apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: pier}
spec: {timezone: Europe/Amsterdam, profileIds: {from: 1000, to: 1999}, discharge: allowed}
---
kind: StationSet
metadata: {name: row, labels: {line: night}}
spec: {identities: "B-{1..3}", evses: [{id: 1, charge: 20 kW, discharge: 20 kW, current: DC}]}
---
kind: Calendar
metadata: {name: dutch}
spec: {holidays: {country: NL}}
---
"""


def fleet_of(windows, ready, otherwise="0 kW"):
    rows = "".join(f"\n    - {{days: {days}, from: '{a}', to: '{b}', power: {kw} kW}}" for days, a, b, kw in windows)
    listed = f"windows:{rows}" if windows else "windows: []"
    text = f"kind: Schedule\nmetadata: {{name: s}}\nspec:\n  otherwise: {otherwise}\n  {listed}\n---\n"
    text += "kind: Group\nmetadata: {name: g}\nspec:\n  select: {labels: {line: night}}\n"
    text += f"  schedules: [{{schedule: s, priority: 1}}]\n  readyBy: {{{ready}}}\n"
    return load(Snapshot("c", "a", None, "s", {"fleet.yaml": HEAD + text}))


def renderer_of(*said, **more):
    return Renderer(fleet_of(*said, **more), {})


NIGHT = [("daily", "22:00", "02:00", 10), ("daily", "17:00", "20:00", -10)]


def test_charging_before_a_departure_is_counted_and_discharge_is_taken_off():
    renderer = renderer_of(NIGHT, 'time: "05:30", minEnergy: 10 kWh')
    assert check_departures(renderer, NOON) == []
    station = renderer.fleet.station("B-1")
    ((_, outcome), *_) = renderer.programmes.departures(station, station.evses[0], (NOON, NOON + DAY))
    assert outcome.held_wh == 10_000  # four hours in, three hours out
    assert outcome.at == datetime(2026, 11, 24, 4, 30, tzinfo=UTC)


def test_what_is_missing_is_told_with_the_place_and_the_way_out():
    renderer = renderer_of(NIGHT, 'time: "05:30", minEnergy: 12.5 kWh')
    (error,) = check_departures(renderer, NOON)
    assert (error.rule, error.place.file, error.place.line, error.field) == (
        "ready-by",
        "fleet.yaml",
        27,
        "spec.readyBy",
    )
    assert "at B-1 and 2 more, EVSE 1, a vehicle leaves on" in error.message
    assert error.message.endswith("with 10.0 kWh at worst: 2.5 kWh are missing")
    assert "`policy: trim`" in error.hint


def test_what_flows_before_since_does_not_count():
    renderer = renderer_of(NIGHT, 'time: "05:30", since: "21:00", minEnergy: 40 kWh')
    assert check_departures(renderer, NOON) == []
    assert check_departures(renderer_of(NIGHT, 'time: "05:30", since: "23:00", minEnergy: 40 kWh'), NOON)


def test_a_share_of_the_battery_is_reached_from_the_declared_worst():
    asked = 'time: "05:30", since: "21:00", minSoc: 80 %, capacity: 60 kWh, assumeSoc: {} %'
    assert check_departures(renderer_of(NIGHT, asked.format(14)), NOON) == []
    (error,) = check_departures(renderer_of(NIGHT, asked.format(10)), NOON)
    assert "with 46.0 kWh at worst: 2.0 kWh are missing" in error.message


def test_a_battery_never_holds_more_than_its_capacity_or_less_than_nothing():
    full_then_down = [("daily", "18:00", "24:00", 20), ("daily", "01:00", "02:00", -6)]
    asked = 'time: "05:30", minSoc: 90 %, capacity: 60 kWh'
    assert check_departures(renderer_of(full_then_down, asked), NOON) == []
    assert check_departures(renderer_of(full_then_down, asked.replace("90", "91")), NOON)
    empty_then_up = [("daily", "18:00", "24:00", -20), ("daily", "01:00", "02:00", 6)]
    assert check_departures(renderer_of(empty_then_up, asked.replace("90", "10")), NOON) == []


def test_trimming_gives_up_the_latest_discharge_first_and_no_more_than_needed():
    windows = [("daily", "12:00", "14:00", -6), ("daily", "18:00", "20:00", -6), ("daily", "22:00", "24:00", 12)]
    renderer = renderer_of(windows, 'time: "05:30", minEnergy: 3 kWh, policy: trim')
    assert check_departures(renderer, NOON) == []
    station = renderer.fleet.station("B-1")
    line = renderer.timeline(station, station.evses[0], (NOON, NOON + DAY))
    midnight = datetime(2026, 11, 23, tzinfo=ZoneInfo("Europe/Amsterdam"))
    clocks = ((13, 30), (19, 29), (19, 30), (19, 59), (23, 0))
    powers = [line.at(midnight + timedelta(hours=hour, minutes=minute)) for hour, minute in clocks]
    assert powers == [-6000, -6000, 0, 0, 12000]


def test_trimming_takes_whole_windows_where_one_is_not_enough():
    windows = [("daily", "12:00", "14:00", -6), ("daily", "18:00", "20:00", -6), ("daily", "22:00", "24:00", 12)]
    renderer = renderer_of(windows, 'time: "05:30", minEnergy: 18 kWh, policy: trim')
    station = renderer.fleet.station("B-1")
    line = renderer.timeline(station, station.evses[0], (NOON - timedelta(hours=1), NOON + timedelta(hours=10)))
    assert [int(step.power_w) for step in line.steps] == [-6000, 0, 12000]
    assert line.steps[1].start == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_what_no_trimming_reaches_is_refused():
    (error,) = check_departures(renderer_of(NIGHT, 'time: "05:30", minEnergy: 41 kWh, policy: trim'), NOON)
    assert error.message.endswith("with 40.0 kWh at worst: 1.0 kWh are missing")
    assert error.hint.startswith("without any discharge")


def test_a_holiday_months_away_on_which_nothing_is_charged_is_found_now():
    windows = [("daily, except: dutch", "22:00", "02:00", 10)]
    (error,) = check_departures(
        renderer_of(windows, 'time: "05:30", minEnergy: 40 kWh'), datetime(2026, 6, 1, tzinfo=UTC)
    )
    assert "Sat 2026-12-26" in error.message


def test_the_hour_that_the_clock_skips_is_missing():
    windows = [("daily", "01:00", "05:00", 10)]
    assert check_departures(renderer_of(windows, 'time: "05:30", minEnergy: 30 kWh'), NOON) == []
    (error,) = check_departures(renderer_of(windows, 'time: "05:30", minEnergy: 40 kWh'), NOON)
    assert "Sun 2027-03-28 05:30 with 30.0 kWh" in error.message


def test_only_the_days_that_are_named_have_a_departure():
    windows = [("weekdays", "00:00", "04:00", 10)]
    asked = 'time: "05:30", minEnergy: 40 kWh, days: {}'
    assert check_departures(renderer_of(windows, asked.format("daily")), NOON)
    assert check_departures(renderer_of(windows, asked.format("tue")), NOON) == []


def test_stations_without_a_departure_are_left_alone():
    fleet = load(Snapshot("c", "a", None, "s", {"fleet.yaml": HEAD.rsplit("---", 1)[0]}))
    renderer = Renderer(fleet, {})
    station = fleet.station("B-1")
    assert check_departures(renderer, NOON) == []
    assert list(renderer.programmes.departures(station, station.evses[0], (NOON, NOON + DAY))) == []


HOURS = st.lists(st.integers(0, 24), min_size=2, max_size=8, unique=True).map(sorted)


@st.composite
def programmes(draw):
    """Draw windows that follow one another on a day, each with a power."""
    edges = draw(HOURS)
    return [("daily", f"{a:02}:00", f"{b:02}:00", draw(st.integers(-20, 20))) for a, b in pairwise(edges) if a < 24]


@settings(max_examples=60, deadline=None)
@given(
    programmes(),
    st.integers(0, 23),
    st.none() | st.integers(0, 23),
    st.integers(1, 60),
    st.booleans(),
    st.sampled_from(("refuse", "trim")),
)
def test_a_departure_is_always_met_or_refused(windows, hour, since, least, of_battery, policy):
    measure = f"minSoc: {least} %, capacity: 40 kWh, assumeSoc: 15 %" if of_battery else f"minEnergy: {least} kWh"
    begin = "" if since is None else f', since: "{since:02}:00"'
    renderer = renderer_of(windows, f'time: "{hour:02}:30"{begin}, {measure}, policy: {policy}')
    errors = check_departures(renderer, NOON)
    station = renderer.fleet.station("B-1")
    ready, span = station.settings.ready_by, (NOON, NOON + 4 * DAY)
    line = renderer.timeline(station, station.evses[0], span)
    worst = [
        worst_case(line, counted(ready, renderer.programmes.zone, day), 15 if of_battery else None)
        for day, _ in renderer.programmes.departures(station, station.evses[0], span)
        if counted(ready, renderer.programmes.zone, day)[0] >= span[0]
        and counted(ready, renderer.programmes.zone, day)[1] <= span[1]
    ]
    wanted = Decimal(least) * 400 if of_battery else Decimal(least) * 1000
    assert errors or all(held >= wanted for held in worst)
    if errors and policy == "refuse":
        assert any(held < wanted for held in worst) or "2027" in errors[0].message
    asked = renderer.programmes._line(station, station.evses[0], span)
    for quarter in range(4 * 96):
        at = NOON + timedelta(minutes=15 * quarter)
        assert line.at(at) == asked.at(at) or (policy == "trim" and asked.at(at) < 0 and line.at(at) == 0)


def worst_case(line, counts, assumed_percent):
    """Follow the energy minute by minute."""
    held = Decimal(0) if assumed_percent is None else Decimal(400 * assumed_percent)
    at = counts[0]
    while at < counts[1]:
        held += line.at(at) / 60
        if assumed_percent is not None:
            held = min(max(held, Decimal(0)), Decimal(40_000))
        at += timedelta(minutes=1)
    return held + Decimal("0.001")  # what thirds of a minute lose


@pytest.mark.parametrize(
    ("ready", "rule"),
    [
        ('time: "05:30"', "wrong-departure"),
        ('time: "05:30", minEnergy: 40 kWh, minSoc: 80 %, capacity: 60 kWh', "wrong-departure"),
        ('time: "05:30", minSoc: 80 %', "wrong-departure"),
        ('time: "05:30", minEnergy: 40 kWh, capacity: 60 kWh', "wrong-departure"),
        ('time: "24:00", minEnergy: 40 kWh', "wrong-time"),
        ('time: "05:30", minEnergy: 40 kW', "wrong-unit"),
        ('time: "05:30", minEnergy: 4000000 MWh', "out-of-range"),
        ('time: "05:30", minSoc: 101 %, capacity: 60 kWh', "wrong-unit"),
        ('time: "05:30", minEnergy: 40 kWh, days: someday', "wrong-days"),
    ],
)
def test_a_departure_that_is_wrong_in_itself_is_one_error(ready, rule):
    with pytest.raises(RevisionError) as caught:
        fleet_of(NIGHT, ready)
    (error,) = caught.value.errors
    assert (error.rule, error.place.line) == (rule, 27)


def test_cuts_that_touch_or_lie_in_each_other_are_one():
    line = timeline([(NOON, Decimal(-5)), (NOON + DAY, Decimal(7)), (NOON + 2 * DAY, Decimal(-5))])
    hours = [NOON + timedelta(hours=hour) for hour in range(60)]
    done = cut(line, ((hours[3], hours[5]), (hours[5], hours[6]), (hours[2], hours[9]), (hours[30], hours[50])))
    assert [done.at(hours[hour]) for hour in (1, 2, 8, 9, 23, 31, 49, 50)] == [-5, 0, 0, -5, -5, 7, 0, -5]
    assert cut(line, ()) is line
    assert (
        follow(
            fleet_of(NIGHT, 'time: "05:30", minEnergy: 1 Wh').station("B-1").settings.ready_by,
            line,
            (hours[0], hours[2]),
        )
        == -10
    )


def test_only_departures_that_a_span_touches_are_given():
    renderer = renderer_of(NIGHT, 'time: "05:30", since: "21:00", minEnergy: 1 kWh')
    station = renderer.fleet.station("B-1")
    days = [day.day for day, _ in renderer.programmes.departures(station, station.evses[0], (NOON, NOON + DAY))]
    assert days == [24]


def test_charge_between_two_trimmed_windows_stays():
    windows = [("daily", "12:00", "14:00", -6), ("daily", "15:00", "16:00", 5), ("daily", "18:00", "20:00", -6)]
    renderer = renderer_of(windows, 'time: "05:30", minEnergy: 5 kWh, policy: trim')
    station = renderer.fleet.station("B-1")
    line = renderer.timeline(station, station.evses[0], (NOON - timedelta(hours=3), NOON + timedelta(hours=10)))
    assert [int(step.power_w) for step in line.steps] == [0, 5000, 0]


def test_departures_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr("reconciler.render.programmes.REMEMBERED", 2)
    renderer = renderer_of(NIGHT, 'time: "05:30", minEnergy: 10 kWh')
    station = renderer.fleet.station("B-1")
    days = [day for day, _ in renderer.programmes.departures(station, station.evses[0], (NOON, NOON + 6 * DAY))]
    assert len(days) == 7
    assert len(renderer.programmes._outcomes) <= 2


def test_on_days_without_departure_none_is_followed():
    renderer = renderer_of(NIGHT, 'time: "05:30", minEnergy: 10 kWh, days: weekends')
    station = renderer.fleet.station("B-1")
    found = renderer.programmes.departures(station, station.evses[0], (NOON, NOON + 8 * DAY))
    assert [f"{day:%a}" for day, _ in found] == ["Sat", "Sun"]
