"""A suspension ends by itself at its time, whoever is there to hear of it, on toy stations under the test's clock."""

import pytest

from reconciler.controller.course import ALL
from reconciler.controller.orders import SUSPENSIONS
from reconciler.controller.world import Verb
from reconciler.reported.events import Woken
from reconciler.rollout.commands import Wake
from reconciler.rollout.conditions import Reason
from reconciler.rollout.ledger import Kind
from rollouts import EIGHT, MINUTES, made, order, settled
from toys import ToyFleet


@pytest.mark.parametrize("met", [True, False])
def test_a_suspension_of_a_station_that_is_away_ends_by_itself_as_well(met):
    fleet = settled() if met else ToyFleet((*EIGHT, "B-1")).load(made())
    for each in EIGHT[:3]:
        if met:
            fleet.disconnect(each)
    fleet.run(MINUTES)
    order(fleet, Verb.SUSPEND, keys=("a-2", "a-3"), until=fleet.now + 20 * MINUTES)
    order(fleet, Verb.SUSPEND, keys=("a-1",), until=fleet.now + 10 * MINUTES)
    order(fleet, Verb.SUSPEND, keys=("b-1",))
    assert set(fleet.run(9 * MINUTES).world.suspended) == {"a-1", "a-2", "a-3", "b-1"}
    assert set(fleet.run(2 * MINUTES).world.suspended) == {"a-2", "a-3", "b-1"}
    assert set(fleet.run(10 * MINUTES).world.suspended) == {"b-1"}
    ended = [(each.station.casefold(), each.reason) for each in fleet.history if each.action == "resume"]
    assert ended == [(key, "its suspension by Ada has ended: because") for key in ("a-1", "a-2", "a-3")]
    assert (Kind.SUSPENSION, "a-1") in fleet.world.dirty
    assert not met or fleet.world.turned["a-1"].reason is Reason.OFFLINE


def test_a_suspension_that_ended_while_nobody_ran_is_over_at_the_first_look():
    fleet = settled()
    fleet.disconnect("A-1")
    order(fleet, Verb.SUSPEND, keys=("a-1",), until=fleet.now + MINUTES)
    order(fleet, Verb.SUSPEND, keys=("a-2",), until=fleet.now + 60 * MINUTES)
    fleet.now += 10 * MINUTES
    effects = fleet.feed(Woken(ALL))
    assert set(fleet.world.suspended) == {"a-2"}
    assert Wake(SUSPENSIONS, fleet.world.suspended["a-2"].until) in effects
