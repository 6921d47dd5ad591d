"""A wave that waits for a cap which its own commit raises says so, names the way out, and that is one."""

from dataclasses import replace

import pytest

from reconciler.controller.world import Verb
from reconciler.rollout.progress import Phase
from reconciler.rollout.site import AT_CAP
from reconciler.rollout.table import Next
from reconciler.web.rollouts import rollout_view
from reconciler.web.standstill import at_cap
from reconciler.web.view import status_view
from rollouts import EIGHT, MINUTES, made, order, rollout, settled

WAVES = "waves: [1, 100%], soak: 5m"
TIGHT, WIDE = (34, 100), (100, 100)
"""Eight stations at 3 kW and one that takes 10 kW; eight at 10 kW do not fit."""


def raised(caps=WIDE, waves=WAVES):
    """Give a fleet on its way from a tight cap to a commit whose stations take more."""
    fleet = settled(WAVES, first=3, caps=TIGHT)
    return fleet.load(made(waves, commit="c2", first=10, caps=caps)).run(10 * MINUTES)


def conditions(fleet):
    return {each["type"]: each for each in status_view(fleet.world, {}, fleet.now)["conditions"]}


def test_a_wave_that_waits_for_the_cap_that_its_commit_raises_stalls_and_says_so():
    fleet = raised()
    assert rollout(fleet).phase is Phase.RELEASING
    told = at_cap(fleet.world)
    assert told.startswith("wave 1 waits for the cap of yard: the lower cap of the commit before counts until ")
    assert told.endswith("`reconciler rollout promote` lets the next wave follow")
    stalled = conditions(fleet)["Stalled"]
    assert (stalled["status"], stalled["reason"]) == ("True", "WaveAtCap")
    assert stalled["message"].endswith(told)
    assert conditions(fleet)["Ready"]["reason"] == "WaveAtCap"
    assert rollout_view(fleet.world, fleet.now)["heldBy"] == told
    assert status_view(fleet.world, {}, fleet.now)["rollout"]["reason"] == told


def test_the_way_out_is_one():
    fleet = raised()
    assert order(fleet, Verb.PROMOTE) == ""
    assert at_cap(fleet.world) == ""
    fleet.run(30 * MINUTES)
    assert {fleet.station(each).verified.revision for each in EIGHT} == {"c2"}
    assert conditions(fleet)["Stalled"]["status"] == "False"


def test_a_wave_in_which_somebody_else_is_waited_for_is_under_way():
    fleet = raised(waves="waves: [2, 100%], soak: 5m")
    assert at_cap(fleet.world)
    fleet.boot(min(rollout(fleet).open).upper())
    assert at_cap(fleet.world) == ""
    assert conditions(fleet)["Reconciling"]["reason"] == "RollingOut"


@pytest.mark.parametrize("waves", ["waves: [100%]", "waves: [1, 100%], soak: 5m"])
def test_where_no_cap_is_raised_or_nobody_follows_another_commit_nothing_is_said(waves):
    fleet = settled(waves, first=3, caps=WIDE)
    fleet.load(made(waves, commit="c2", first=10, caps=WIDE)).run(10 * MINUTES)
    assert at_cap(fleet.world) == ""
    assert "WaveAtCap" not in {each["reason"] for each in conditions(fleet).values()}


@pytest.mark.parametrize("swap", [(), (("spec: {site: yard, select", "spec: {select"),)])
def test_who_waits_for_room_under_a_cap_that_stays_waits_for_other_stations_alone(swap):
    fleet = settled(WAVES, first=3, caps=WIDE, more=swap)
    fleet.load(made(WAVES, commit="c2", first=10, caps=WIDE, more=swap))
    (key,) = rollout(fleet).open
    waits = fleet.world.standing.set(key, Next("pending", f"{AT_CAP}: 41 kW of 40 kW"))
    assert at_cap(replace(fleet.world, standing=waits)) == ""


def test_a_cap_that_was_raised_by_a_commit_of_its_own_holds_nothing_up():
    fleet = settled(WAVES, first=3, caps=TIGHT)
    fleet.load(made(WAVES, commit="c2", first=3, caps=WIDE)).run(MINUTES)
    fleet.load(made(WAVES, commit="c3", first=10, caps=WIDE)).run(30 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert {fleet.station(each).verified.revision for each in EIGHT} == {"c3"}
