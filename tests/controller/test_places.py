"""Who counts at a site: whoever follows a revision that has it there, and for one lease more whoever has left."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.controller.world import Verb
from rollouts import made, settled
from yards import Draft, Yards, commit

BEFORE = Draft((2, 2), powers=((7, 7), (5, 2)))
GONE = replace(BEFORE, powers=((10, 10), (5, 2)), gone=("A-1",))
MINUTE = timedelta(minutes=1)


def draws(yards):
    return yards.sums(0)[0].at(yards.now)


@pytest.mark.parametrize("crash", [False, True])
def test_a_station_that_is_listed_no_more_counts_at_its_site_until_its_lease_is_over(crash):
    yards = Yards(BEFORE)
    yards.load(commit(GONE, "c1"))
    if crash:
        yards.crash()
    for _ in range(30):
        yards.run(10 * MINUTE)
        raised = yards.station("A-2").verified.revision == "c1"
        assert draws(yards) <= (10000 if raised else 14000), "the cap is 10 kW, and 14 kW were drawn before it"
    assert raised


def test_who_is_listed_again_counts_once_and_who_has_gone_long_ago_is_forgotten():
    yards = Yards(BEFORE)
    yards.load(commit(GONE, "c1"))
    assert dict(yards.world.left) == {"a-1": "yard"}
    yards.load(commit(BEFORE, "c2")).run(5 * MINUTE)
    assert not yards.world.left
    assert yards.state("A-1") == "in-sync"
    yards.load(commit(GONE, "c3")).run(4 * 60 * MINUTE)
    assert dict(yards.world.left) == {"a-1": "yard"}
    yards.load(commit(replace(GONE, slack=1), "c4"))
    assert not yards.world.left


def test_a_station_that_an_aborted_revision_had_added_counts_until_its_lease_is_over():
    yards = Yards(replace(GONE, powers=((7, 7), (5, 2))))
    added = replace(BEFORE, powers=((9, 9), (5, 2)), rollout="waves: [1, 100%], soak: 30m")
    yards.load(commit(added, "c1")).run(5 * MINUTE)
    yards.order(Verb.ABORT)
    assert dict(yards.world.left) == {"a-1": "yard"}


def test_who_is_on_no_site_holds_on_to_its_revision_and_lowers_no_cap():
    homeless = (("{site: yard, select: {labels: {row: a}}", "{select: {labels: {row: a}}"),)
    fleet = settled(more=homeless)
    fleet.load(made(commit="c2", first=-6, more=homeless)).run(MINUTE)
    assert len(fleet.world.placed) == 7
    assert dict(fleet.world.caps) == fleet.world.revision.caps


def test_while_revisions_are_mixed_the_lower_of_each_cap_counts():
    fleet = settled(caps=(100, 150))
    fleet.load(made(commit="c2", first=-8, caps=(300, 100))).run(MINUTE)
    assert fleet.world.placed
    caps = fleet.world.caps["yard"]
    assert (caps.import_w, caps.export_w) == (100_000, 100_000)
