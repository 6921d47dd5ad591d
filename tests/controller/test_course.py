"""The course of revisions beyond a rollout's own: what is remembered of commits, and what a person takes back."""

from reconciler.controller.world import RevisionLoaded, Verb
from reconciler.rollout.progress import Phase
from rollouts import MINUTES, made, order, rollout, settled

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


def test_plans_are_remembered_for_as_long_as_somebody_follows_their_commits():
    fleet = settled("waves: [100%]")
    for number in range(2, 6):
        fleet.feed(RevisionLoaded(made("waves: [100%]", commit=f"c{number}", first=-number), plan=f"p{number}"))
        fleet.run(10 * MINUTES)
    assert dict(fleet.world.plans) == {"c5": "p5"}
