"""How a rollout is shown: its waves, who fails, who is awaited and until when, and how long it takes at least."""

from dataclasses import replace
from datetime import timedelta
from math import ceil

import pytest

from reconciler.controller.kept import restore_course, write_fleet, write_rollout
from reconciler.controller.world import Recording, Verb, World
from reconciler.plan.pace import least_time
from reconciler.reported.events import Faulted
from reconciler.rollout.ledger import Kind
from reconciler.web.rollouts import STATES, rollout_view, suspensions_view
from reconciler.web.view import status_view
from rollouts import EIGHT, MINUTES, made, order, rollout, settled, storm, stormy

SLOW = "waves: [1, 50%, 100%], soak: 5m, pace: {writes: 60}"


def going(spec="waves: [1, 50%, 100%], soak: 5m", after=MINUTES, away=()):
    fleet = settled(spec)
    for each in away:
        fleet.disconnect(each)
    return fleet.load(made(spec, commit="c2", first=-6)).run(after)


def seconds(writes):
    """Give what so many writes take at the slow pace."""
    return least_time(writes, 60).total_seconds()


def shown(fleet):
    return rollout_view(fleet.world, fleet.now)


def states(view, number):
    return {state: count for state, count in view["waves"][number]["states"].items() if count}


def test_without_a_rollout_the_head_is_shown():
    view = shown(settled())
    assert (view["phase"], view["commit"], view["waves"], view["quarantined"]) == (None, "c1", [], [])
    assert rollout_view(World(), settled().now)["commit"] is None


def test_each_wave_counts_its_stations_by_what_they_are():
    view = shown(going())
    assert (view["phase"], view["commit"], view["base"], view["wave"]) == ("soaking", "c2", "c1", 1)
    assert [each["stations"] for each in view["waves"]] == [1, 3, 4]
    assert [states(view, number) for number in range(3)] == [{"verified": 1}, {"waiting": 3}, {"waiting": 4}]
    assert set(view["waves"][0]["states"]) == set(STATES)
    assert [each["releasedAt"] for each in view["waves"]] == ["2026-03-03T12:05:00Z", None, None]
    assert view["window"] == {"open": True, "why": "no windows are declared", "until": None, "overridden": False}


def test_a_station_being_written_is_open():
    assert states(shown(going(after=timedelta(0))), 0) == {"open": 1}


def test_a_failing_station_is_named_with_its_reason():
    fleet = going("waves: [100%], gate: {failures: 90%}", after=timedelta(0))
    fleet.feed(Faulted("A-1", 1, active=True, what="connector"))
    view = shown(fleet)
    assert view["failing"] == [{"station": "A-1", "reason": "fault on EVSE 1"}]
    assert states(view, 0)["failed"] == 1


def test_the_reason_of_an_abort_spells_stations_as_the_lists_do():
    fleet = going("waves: [100%], soak: 5m", after=timedelta(0))
    for each in EIGHT:
        fleet.feed(Faulted(each, 1, active=True, what="connector"))
    view = shown(fleet)
    assert view["phase"] == "aborted"
    assert "stations failed: A-1: fault on EVSE 1" in view["reason"]


def test_who_is_offline_is_deferred_and_missed_once_its_time_is_over():
    spec = "waves: [100%], deferral: 2d"
    fleet = going(spec, away=EIGHT[:2])
    assert shown(fleet)["deferred"] == [
        {"station": each, "wave": 1, "state": "deferred", "why": "offline", "expires": "2026-03-05T12:05:00Z"}
        for each in EIGHT[:2]
    ]
    fleet.now += timedelta(days=2)
    assert {each["state"] for each in shown(fleet)["deferred"]} == {"missed"}


def test_a_suspended_member_is_not_called_offline():
    fleet = settled("waves: [100%]")
    order(fleet, Verb.SUSPEND, keys=("a-1",))
    fleet.load(made("waves: [100%]", commit="c2", first=-6)).run(MINUTES)
    assert [(each["station"], each["why"]) for each in shown(fleet)["deferred"]] == [("A-1", "suspended")]


def test_a_member_that_the_rollout_was_promoted_past_is_not_called_offline():
    fleet = going("waves: [4, 100%], soak: 5m, gate: {failures: 90%}", after=timedelta(0))
    faulted, *others = (fleet.world.stations[key].identity for key in rollout(fleet).waves[0])
    fleet.disconnect(others[0])
    fleet.feed(Faulted(faulted, 1, active=True, what="connector"))
    order(fleet, Verb.PROMOTE)
    view = shown(fleet)
    assert states(view, 0) == {"not-awaited": 3, "deferred": 1}
    assert {each["station"] for each in view["notAwaited"]} == {faulted, *others[1:]}
    assert all(each["wave"] == 1 and each["reason"] for each in view["notAwaited"])
    assert [(each["station"], each["why"]) for each in view["deferred"]] == [(others[0], "offline")]
    told = status_view(fleet.world, {}, fleet.now)["rollout"]
    assert (told["deferred"], told["notAwaited"]) == (1, 3)
    fleet.run(60 * MINUTES)
    assert states(shown(fleet), 0) == {"verified": 3, "deferred": 1}


def test_who_comes_back_after_the_end_is_not_missed():
    fleet = going("waves: [100%], deferral: 2d", away=EIGHT[:1])
    assert rollout(fleet).is_over
    fleet.connect(EIGHT[0]).run()
    assert shown(fleet)["deferred"] == []
    assert states(shown(fleet), 0) == {"verified": 8}


def test_the_rest_is_one_write_for_each_station_at_the_pace_and_the_soaks_to_come():
    fleet = going(SLOW)
    left = (rollout(fleet).soak_until - fleet.now).total_seconds()
    assert 4 * 60 < left < 5 * 60
    assert shown(fleet)["rest"] == {"stations": 7, "leastSeconds": ceil(seconds(7) + left + 2 * 5 * 60)}
    fleet = going(SLOW, after=timedelta(0))
    assert shown(fleet)["rest"]["leastSeconds"] == ceil(seconds(8)) + 3 * 5 * 60
    order(fleet, Verb.ABORT)
    assert shown(fleet)["rest"] == {"stations": 0, "leastSeconds": 0}
    fleet = going("waves: [1, 100%], soak: 5m, pace: {writes: unlimited}")
    assert 9 * 60 < shown(fleet)["rest"]["leastSeconds"] < 10 * 60


def test_a_soak_that_is_over_is_not_counted():
    fleet = going(SLOW)
    fleet.now = rollout(fleet).soak_until + MINUTES
    assert shown(fleet)["rest"]["leastSeconds"] == ceil(seconds(7)) + 2 * 5 * 60


def test_before_the_first_wave_no_soak_is_under_way():
    fleet = going('waves: [100%], soak: 5m, pace: {writes: 60}, windows: [{deny: "0 13 * * *", for: 4h}]')
    view = shown(fleet)
    assert (view["phase"], view["window"]["open"], view["rest"]["leastSeconds"]) == (
        "waiting",
        False,
        ceil(seconds(8)) + 5 * 60,
    )
    assert view["window"]["until"] == "2026-03-03T16:00:00Z"


def test_what_holds_every_rollout_back_is_told():
    fleet = stormy()
    storm(fleet)
    fleet.world = replace(fleet.world, rollout=rollout(going()))
    told = "drifted stations, until somebody says `reconciler resume --storm`"
    assert shown(fleet)["heldBy"].startswith("held back by a storm of ")
    assert shown(fleet)["heldBy"].endswith(told)
    fleet.world = replace(fleet.world, storm=None)
    assert shown(fleet)["heldBy"] == ""
    fleet.world = replace(fleet.world, recording=Recording(ok=False, why="disk full"))
    assert shown(fleet)["heldBy"] == "nothing can be recorded: disk full"


def test_an_aborted_rollout_has_no_window_and_its_commit_is_in_quarantine():
    fleet = going()
    order(fleet, Verb.ABORT)
    view = shown(fleet)
    assert (view["phase"], view["window"], view["who"]) == ("aborted", None, "Ada")
    assert view["quarantined"] == [{"commit": "c2", "why": "because"}]


def test_the_suspended_are_listed_with_who_and_why():
    fleet = settled()
    assert suspensions_view(fleet.world) == []
    order(fleet, Verb.SUSPEND, keys=("a-2", "a-1"))
    assert [(each["station"], each["who"]) for each in suspensions_view(fleet.world)] == [
        ("A-1", "Ada"),
        ("A-2", "Ada"),
    ]


@pytest.mark.parametrize("forgets", [False, True])
def test_when_waves_were_released_outlives_the_process(forgets):
    fleet = going()
    kept = dict(write_rollout(fleet.world, "c2"))
    if forgets:
        del kept["releasedAt"]
    documents = {(Kind.FLEET, ""): write_fleet(fleet.world, ""), (Kind.ROLLOUT, "c2"): kept}
    world = restore_course(World(), documents, dict(fleet.world.revisions), fleet.now)
    assert world.rollout.released_at == (() if forgets else rollout(fleet).released_at)
    assert rollout_view(world, fleet.now)["waves"][0]["releasedAt"] == (None if forgets else "2026-03-03T12:05:00Z")
