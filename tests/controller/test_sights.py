"""What the gate sees of a station."""

from dataclasses import replace
from decimal import Decimal

from immutables import Map

from reconciler.controller.sights import off_power
from reconciler.reported.events import Metered
from reconciler.rollout.progress import Phase
from rollouts import EIGHT, MINUTES, holders, made, rollout, settled


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


def hide(fleet, *identities):
    """Let stations report no profiles any more; after two tries only their composite schedules speak for them."""
    for each in identities:
        fleet.stations[each].mute = True
        fleet.boot(each, keep=True)
    fleet.run(10 * MINUTES)
    assert all(fleet.station(each).blind for each in identities)


def test_a_member_that_reports_no_profiles_is_read_back_by_its_composite_schedules():
    fleet = settled()
    hide(fleet, *EIGHT)
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    assert rollout(fleet).phase is Phase.SOAKING
    fleet.run(30 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert len(holders(fleet, "c2")) == 8


def test_a_member_whose_composite_schedules_show_something_else_has_failed():
    fleet = settled()
    hide(fleet, *EIGHT)
    for each in EIGHT:
        fleet.stations[each].unlimited = True
    fleet.load(made(commit="c2", first=-6)).run(10 * MINUTES)
    assert rollout(fleet).phase is Phase.ABORTED
    assert "its composite schedules do not show what it accepted" in rollout(fleet).reason


def test_what_composite_schedules_said_before_the_write_is_no_read_back():
    fleet = settled()
    hide(fleet, *EIGHT)
    fleet.load(made(commit="c2", first=-6))
    (canary,) = rollout(fleet).waves[0]
    fleet.stations[canary.upper()].losing = ["answer"] * 9
    fleet.run(MINUTES)
    assert rollout(fleet).phase is Phase.RELEASING
    assert not rollout(fleet).verified
