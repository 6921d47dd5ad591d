"""A fleet of ours that is imported is the fleet that it was, as far as its leases tell: no station is written to."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

from reconciler.cli.captured import read_captured
from reconciler.cli.imported import import_stations
from reconciler.controller.revision import revise
from reconciler.manifests.snapshot import Snapshot
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.reported.saved import write_state
from revisions import MONDAY, SHIPPED, YARD, revision, state_of

ZONE = ZoneInfo("Europe/Amsterdam")
CROWD = (("A-{01..04}", "A-{01..60}"), ("import: 200 kW, export: 200 kW", "import: 2 MW, export: 2 MW"))


def round_trip(at=MONDAY):
    """Import a fleet that holds what it should from what `get profiles -o json` prints; give it and its state."""
    state = state_of(revision(*CROWD), at)
    captured = read_captured(json.dumps(write_state(state.values(), at)), "")
    made = import_stations(captured.stations, ZONE, captured.at, is_rounded=False)
    files = {"fleet.yaml": YARD.split("---")[0], "imported.yaml": made.text}
    return made, revise(Snapshot("", "", None, "", files), SHIPPED, at), state


def test_stations_are_of_one_group_though_their_leases_end_at_different_times():
    made, whole, state = round_trip()
    assert len({each.reported.held[810011].profile.schedule.start for each in state.values()}) > 10
    assert [len(group.members) for group in whole.fleet.groups.values()] == [60, 2]
    assert made.text.count("kind: Schedule") == 2
    assert "0 W" not in made.text


def test_a_fleet_that_is_imported_changes_nothing_at_its_stations():
    _, whole, state = round_trip()
    plan = plan_fleet(whole, MONDAY, state=state)
    assert (plan.is_empty, plan.changed) == (True, ())
    hours = MONDAY + timedelta(hours=5)
    assert plan_fleet(whole, hours, state=state).is_empty


def test_equal_notes_are_told_once_with_those_they_are_about():
    made, _, _ = round_trip()
    everyone = "62 stations (A-01..A-60, B-01, B-02): profile 8100"
    assert made.notes == (
        f"{everyone}00 is left out: it commands zero for ever, as the floor of every fleet does",
        f"{everyone}01, which caps the station, is taken for the rating of its EVSEs",
        "leases tell no more than until 2026-11-24 23:00: write what is to come then, such as `days: daily`",
    )


def test_ratings_and_current_are_those_that_the_floor_and_the_cap_tell():
    made, whole, _ = round_trip()
    found = [whole.fleet.station(name).evses[0] for name in ("A-01", "B-01")]
    assert [(each.charge_w, each.current, each.phases) for each in found] == [(15_000, "DC", 0), (11_000, "AC", 3)]
    assert made.guessed == ()
