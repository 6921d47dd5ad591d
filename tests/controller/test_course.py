"""The course of revisions beyond a rollout's own: what is remembered of commits, who stays where on an abort."""

from reconciler.controller.world import Recording, RevisionLoaded, Verb
from reconciler.reported.events import Refused
from reconciler.rollout.progress import Phase
from rollouts import EIGHT, MINUTES, holders, made, order, rollout, settled
from toys import ToyFleet
from yards import Draft, Yards, commit

WAVES = "waves: [1, 100%], soak: 5m"


def test_a_commit_that_a_person_forces_leaves_quarantine_so_that_one_may_go_back_to_it():
    fleet = settled()
    fleet.load(made(WAVES, commit="c2", first=-6)).run(MINUTES)
    assert order(fleet, Verb.ABORT) == ""
    assert set(fleet.world.quarantined) == {"c2"}
    fleet.feed(RevisionLoaded(made(WAVES, commit="c2", first=-6), forced="it was the meter", who="Ada"))
    fleet.run(30 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert not fleet.world.quarantined
    fleet.load(made(WAVES, commit="c3", first=-5)).run(MINUTES)
    assert order(fleet, Verb.ABORT) == ""
    assert fleet.world.revision.commit == "c2"
    assert set(fleet.world.quarantined) == {"c3"}


def test_a_commit_that_changes_no_station_leaves_one_line_that_says_so():
    fleet = settled()
    fleet.load(made(commit="c2")).run(30 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    lines = [each.reason for each in fleet.history if each.action == "rollout" and each.revision == "c2"]
    assert lines == ["taken: no station to change"]


def test_plans_are_remembered_for_as_long_as_somebody_follows_their_commits():
    fleet = settled("waves: [100%]")
    for number in range(2, 6):
        fleet.feed(RevisionLoaded(made("waves: [100%]", commit=f"c{number}", first=-number), plan=f"p{number}"))
        fleet.run(10 * MINUTES)
    assert dict(fleet.world.plans) == {"c5": "p5"}


def test_an_abort_that_holds_lets_nobody_begin_who_had_not():
    hold = "waves: [50%, 100%], soak: 5m, onAbort: hold"
    fleet = settled(hold)
    away = EIGHT[:6]
    for each in away:
        fleet.disconnect(each)
    fleet.load(made(hold, commit="c2", first=-6)).run(MINUTES)
    assert any(key.upper() in away for key in rollout(fleet).released)
    assert order(fleet, Verb.ABORT) == ""
    before = holders(fleet, "c2")
    fleet.connect().run(30 * MINUTES)
    assert holders(fleet, "c2") == before
    assert {fleet.station(each).verified.revision for each in away} == {"c1"}


def test_who_was_made_safer_stays_so_when_the_rollout_is_aborted():
    drafts = (Draft((2, 2), powers=((7, 7), (5, 2))), Draft((2, 2), ((5, 5), (5, 3)), rollout="waves: [1, 100%]"))
    yards = Yards(drafts[0])
    yards.load(commit(drafts[1], "c1")).run(5 * MINUTES)
    assert rollout(yards).urgent == ("a-1", "a-2")
    yards.order(Verb.ABORT)
    yards.run(30 * MINUTES)
    assert dict(yards.world.placed) == {"a-1": "c1", "a-2": "c1"}
    assert {yards.station(each).verified.revision for each in ("A-1", "A-2")} == {"c1"}
    assert {yards.station(each).verified.revision for each in ("B-1", "B-2")} == {"c0"}


def test_who_refused_what_was_asked_before_is_not_waited_for_and_has_not_failed():
    fleet = ToyFleet((*EIGHT, "B-1")).load(made())
    fleet.stations["A-1"].refuses = {1011: Refused("InvalidProfile")}
    fleet.connect().run()
    assert fleet.state("A-1") == "refused"
    fleet.load(made(commit="c2", first=-6)).run(60 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert not rollout(fleet).failed
    assert set(rollout(fleet).forgiven) == {"a-1"}


def test_who_goes_back_leaves_nobody_with_what_is_in_quarantine_though_nothing_can_be_written_now():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(60 * MINUTES)
    fleet.feed(Recording(ok=False, why="the disk is full"))
    fleet.feed(RevisionLoaded(made(), forced="the depot asks", who="Ada", back=True))
    assert set(fleet.world.quarantined) == {"c2"}
    assert not fleet.world.placed
