"""A station says which revision it follows, and who or what keeps it from the newest one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.controller.world import Verb, World
from reconciler.rollout.conditions import Reason
from reconciler.rollout.progress import Phase
from reconciler.web.following import following_view, waits, wave_numbers
from rollouts import EIGHT, MINUTES, made, order, rollout, settled, storm, stormy

FOUR_HOURS = timedelta(hours=4)


@pytest.fixture
def soaking():
    """Give a fleet whose first wave, of one station, soaks."""
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    return fleet


def shown(fleet, key):
    return following_view(fleet.world, key, wave_numbers(fleet.world.rollout))


def late(fleet):
    return rollout(fleet).waves[1][0]


def said(fleet, key):
    return shown(fleet, key)["waits"]


def test_a_station_follows_the_head_once_its_wave_is_out(soaking):
    view = shown(soaking, rollout(soaking).waves[0][0])
    assert (view["follows"], view["wave"], view["waits"], view["suspended"]) == ("c2", 1, "", None)


def test_a_station_of_a_later_wave_says_what_that_waits_for(soaking):
    view = shown(soaking, late(soaking))
    assert (view["follows"], view["wave"]) == ("c1", 2)
    assert view["waits"] == "wave 2 of 3 is not released yet: wave 1 soaks until 2026-03-03T12:10:00Z"


def test_a_paused_rollout_names_who_paused_it_and_why(soaking):
    order(soaking, Verb.PAUSE)
    assert said(soaking, late(soaking)) == "wave 2 of 3 is not released yet: Ada paused the rollout: because"


def test_a_wave_that_is_being_written_is_waited_for():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6))
    assert said(fleet, late(fleet)).endswith("is not released yet: 1 station of wave 1 not verified yet")


def test_a_closed_window_is_named_and_what_it_held_back_as_well():
    fleet = settled()
    fleet.load(made('waves: [100%], windows: [{deny: "0 13 * * *", for: 4h}]', commit="c2", first=-6))
    assert said(fleet, "a-1").startswith("wave 1 of 1 is not released yet: denied by `0 13 * * *`")
    held = replace(rollout(fleet), wave=0)
    fleet.world = replace(fleet.world, rollout=held)
    assert said(fleet, "a-1").startswith("wave 1 of 1 was held back: denied by")
    fleet.world = replace(fleet.world, rollout=replace(held, reason=""))
    assert said(fleet, "a-1") == "wave 1 of 1 was held back"


def test_after_an_abort_that_holds_the_reason_is_told():
    fleet = settled("waves: [1, 100%], soak: 5m, onAbort: hold")
    fleet.load(made("waves: [1, 100%], soak: 5m, onAbort: hold", commit="c2", first=-6)).run(MINUTES)
    order(fleet, Verb.ABORT)
    assert rollout(fleet).phase is Phase.ABORTED
    assert said(fleet, late(fleet)) == "rollout c2 was aborted: because"


def test_a_suspension_comes_before_everything_else(soaking):
    order(soaking, Verb.SUSPEND, keys=("a-1",), until=soaking.now + FOUR_HOURS)
    order(soaking, Verb.SUSPEND, keys=("a-2",))
    assert said(soaking, "a-1") == "suspended by Ada until 2026-03-03T16:06:00Z: because"
    assert said(soaking, "a-2") == "suspended by Ada: because"
    assert shown(soaking, "a-2")["suspended"] == {
        "reason": "because",
        "who": "Ada",
        "since": "2026-03-03T12:06:00Z",
        "until": None,
    }


def test_a_storm_names_the_way_out():
    fleet = stormy()
    storm(fleet)
    held = next(iter(fleet.world.storm.held))
    assert "`reconciler resume --storm`" in said(fleet, held)


def test_a_contested_station_is_marked(soaking):
    turned = replace(soaking.world.turned["a-1"], reason=Reason.CONTESTED)
    soaking.world = replace(soaking.world, turned=soaking.world.turned.set("a-1", turned))
    assert shown(soaking, "a-1")["contested"]
    assert not shown(soaking, "a-2")["contested"]


def test_who_became_safer_was_of_no_wave_and_without_a_rollout_there_are_none(soaking):
    assert wave_numbers(replace(rollout(soaking), urgent=("b-1",)))["b-1"] == 0
    assert len(wave_numbers(rollout(soaking))) == len(EIGHT)
    assert wave_numbers(None) == {}
    assert following_view(World(), "a-1", {})["follows"] is None
    assert not waits(World(), "a-1", None)
