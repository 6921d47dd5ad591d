"""What the gate sees of a station."""

from dataclasses import replace
from decimal import Decimal

from immutables import Map

from reconciler.controller.sights import off_power
from reconciler.reported.events import Metered
from reconciler.rollout.progress import Phase
from rollouts import MINUTES, made, rollout, settled


def test_a_meter_says_nothing_of_a_station_that_follows_no_revision():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    begun = rollout(fleet)
    assert begun.verified
    assert off_power(replace(fleet.world, revision=None, placed=Map()), begun, fleet.now) == {}


def test_a_power_that_was_measured_long_ago_says_nothing():
    slow = "waves: [1, 100%], soak: 20m"
    fleet = settled(slow)
    fleet.load(made(slow, commit="c2", first=-6))
    canary = rollout(fleet).waves[0][0].upper()
    fleet.run(MINUTES)
    fleet.feed(Metered(canary, 1, Decimal(9000), fleet.now + 3 * MINUTES))
    fleet.run(60 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
