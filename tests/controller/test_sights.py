"""What the gate sees of a station."""

from dataclasses import replace

from immutables import Map

from reconciler.controller.sights import off_power
from rollouts import MINUTES, made, rollout, settled


def test_a_meter_says_nothing_of_a_station_that_follows_no_revision():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    begun = rollout(fleet)
    assert begun.verified
    assert off_power(replace(fleet.world, revision=None, placed=Map()), begun, fleet.now) == {}
