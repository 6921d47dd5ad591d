"""What is shown and told while the controller's own step rolls a revision out, rolls it back, or stops in a storm."""

import pytest

from reconciler.controller.world import Recording, Verb
from reconciler.reported.events import Faulted
from reconciler.rollout.conditions import Reason
from reconciler.web.conditions import fleet_conditions, stance, station_conditions
from reconciler.web.notices import look, tell
from reconciler.web.survey import survey
from reconciler.web.view import keys, station_view, status_view
from rollouts import EIGHT, MINUTES, made, order, settled, storm, stormy


class Watched:
    """Looks at a toy fleet after every minute that it runs, and notes what is told."""

    def __init__(self, fleet):
        self.fleet, self.told = fleet, []
        self.scene = look(fleet.world, fleet.now)

    def run(self, minutes):
        for _ in range(minutes):
            self.fleet.run(MINUTES)
            after = look(self.fleet.world, self.fleet.now)
            self.told += [(each.event.value, each.wave) for each in tell(self.scene, after)]
            self.scene = after
        return self.told

    def conditions(self):
        world = self.fleet.world
        found = fleet_conditions(world, [stance(world, key) for key in keys(world)])
        return {each.type: (each.status.value, each.reason) for each in found}


def test_a_rollout_is_told_wave_by_wave_and_shown_as_reconciling():
    fleet = settled()
    watched = Watched(fleet)
    assert watched.conditions()["Ready"] == ("True", "InSync")
    fleet.load(made(commit="c2", first=-6))
    assert watched.run(2) == [("started", 0)]
    assert watched.conditions()["Reconciling"] == ("True", "RollingOut")
    assert status_view(fleet.world, {}, fleet.now)["rollout"]["wave"] == 1
    canary, later = fleet.world.rollout.waves[0][0], fleet.world.rollout.waves[-1][0]
    assert [station_view(fleet.world, key)["desiredRevision"] for key in (canary, later)] == ["c2", "c1"]
    assert watched.run(28) == [("started", 0), ("wave-done", 1), ("wave-done", 2), ("wave-done", 3), ("complete", 0)]
    assert watched.conditions() == {
        "Ready": ("True", "InSync"),
        "Reconciling": ("False", "InSync"),
        "Stalled": ("False", "InSync"),
    }


def test_an_abort_is_told_once_and_stalls_the_fleet():
    fleet = settled("waves: [4, 100%], soak: 30m, gate: {failures: 5%, sample: 1}")
    watched = Watched(fleet)
    fleet.load(made("waves: [4, 100%], soak: 30m, gate: {failures: 5%, sample: 1}", commit="c2", first=-6))
    watched.run(3)
    broken = fleet.world.rollout.waves[0][0].upper()
    fleet.feed(Faulted(broken, 1, True, "EVSE 1 connector 1"))
    assert watched.run(20) == [("started", 0), ("aborted", 1)]
    assert watched.conditions()["Stalled"] == ("True", "RolloutAborted")
    assert survey(fleet.world, fleet.now).faulted == 1


def test_a_storm_is_told_and_names_the_reason_of_those_it_holds():
    fleet = stormy()
    watched = Watched(fleet)
    storm(fleet)
    assert ("drift-storm", 0) in watched.run(1)
    reasons = {stance(fleet.world, key).reason for key in keys(fleet.world)}
    assert Reason.DRIFT_STORM in reasons
    assert watched.conditions()["Stalled"] == ("True", "DriftStorm")
    assert survey(fleet.world, fleet.now).drifting_since is not None
    assert order(fleet, Verb.CLEAR_STORM) == ""
    watched.run(30)
    assert watched.conditions()["Ready"] == ("True", "InSync")


def test_a_suspended_station_that_wants_writing_is_stalled_and_others_are_not():
    fleet = settled("waves: [100%]")
    assert order(fleet, Verb.SUSPEND, keys=("a-1",)) == ""
    fleet.load(made("waves: [100%]", commit="c2", first=-6)).run(20 * MINUTES)
    assert stance(fleet.world, "a-1").reason is Reason.SUSPENDED
    assert {stance(fleet.world, each.casefold()).reason for each in EIGHT[1:]} == {Reason.IN_SYNC}
    stalled = station_conditions(fleet.world, "a-1", "")[2]
    assert (stalled.status.value, stalled.reason) == ("True", "Suspended")


def test_what_cannot_be_recorded_is_named_as_the_reason():
    fleet = settled("waves: [100%]")
    since = fleet.now
    fleet.feed(Recording(ok=False, why="disk full"))
    fleet.stations["A-1"].held.clear()
    fleet.run(30 * MINUTES)
    assert stance(fleet.world, "a-1").reason is Reason.NOT_RECORDING
    assert Watched(fleet).conditions()["Stalled"] == ("True", "NotRecording")
    fleet.feed(Recording(ok=False, why="disk still full"))
    assert {each.at for each in fleet_conditions(fleet.world, ()) if each.reason == "NotRecording"} == {since}
    fleet.feed(Recording(ok=True))
    fleet.run(30 * MINUTES)
    assert stance(fleet.world, "a-1").reason is Reason.IN_SYNC


@pytest.mark.parametrize("offline", [0, 8])
def test_no_lease_of_a_quiet_fleet_is_ever_at_risk(offline):
    fleet = settled()
    for each in EIGHT[:offline]:
        fleet.disconnect(each)
    for _ in range(50):
        fleet.run(60 * MINUTES)
        seen = survey(fleet.world, fleet.now)
        assert (seen.at_risk, seen.lapsed) == (0, 0)
    if offline:
        assert seen.lapses[False] < fleet.now
