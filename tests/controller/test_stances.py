from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from immutables import Map

from reconciler.controller.stances import stopped, turn
from reconciler.controller.step import step
from reconciler.controller.world import Recording, Storm, Suspension, World
from reconciler.rollout.conditions import Reason
from reconciler.rollout.station import Station
from reconciler.rollout.table import Next

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
PENDING = Next("pending")
SUSPENDED = World(suspended=Map({"a1": Suspension("repair", "Ada", NOW)}))
STORM = World(storm=Storm(NOW, 5, 9, Map({"a1": None})))


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (World(), None),
        (SUSPENDED, Reason.SUSPENDED),
        (STORM, Reason.DRIFT_STORM),
        (replace(SUSPENDED, recording=Recording(ok=False, why="disk full")), Reason.NOT_RECORDING),
    ],
)
def test_what_stops_a_station_is_named_the_gravest_first(world, reason):
    assert stopped(world, "a1") is reason


def test_a_storm_stops_those_that_it_holds():
    assert stopped(STORM, "a2") is None


def test_how_a_station_stands_is_kept_until_it_turns():
    turned = turn(World(), "a1", Station("A1"), PENDING, NOW)
    world = World(turned=turned)
    assert turned["a1"].reason is Reason.PROGRESSING
    assert turn(world, "a1", Station("A1"), PENDING, NOW + timedelta(hours=1)) is turned
    assert turn(world, "a1", Station("A1"), Next("in-sync"), NOW)["a1"].reason is Reason.IN_SYNC


def test_since_when_nothing_can_be_recorded_is_the_first_time_that_it_was_told():
    world, _ = step(World(), Recording(ok=False, why="disk full"), NOW)
    world, _ = step(world, Recording(ok=False, why="disk still full"), NOW + timedelta(hours=1))
    assert world.recording == Recording(ok=False, why="disk still full", since=NOW)
    world, _ = step(world, Recording(ok=True), NOW + timedelta(hours=2))
    assert world.recording == Recording(ok=True, since=NOW + timedelta(hours=2))
