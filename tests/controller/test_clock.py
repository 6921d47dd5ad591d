"""A lease is only as good as the clock that ends it."""

from datetime import timedelta

import pytest

from reconciler.controller.world import RevisionLoaded
from reconciler.reported.events import CapabilityRead
from toys import ToyFleet, revision

OWNED_SCHEDULE = 1011


def started(skew):
    """Give a fleet whose first station's clock is off by `skew`."""
    fleet = ToyFleet()
    fleet.feed(RevisionLoaded(revision()))
    first = next(iter(fleet.stations.values()))
    answer = first.answer

    def with_clock(command):
        wait, event = answer(command)
        if isinstance(event, CapabilityRead):
            event = CapabilityRead(event.station, event.capability, fleet.skew)
        return wait, event

    fleet.skew, first.answer = skew, with_clock
    fleet.connect()
    fleet.run()
    return fleet, first


@pytest.mark.parametrize("skew", [timedelta(hours=-2), timedelta(days=20_000), timedelta(hours=-1, seconds=-1)])
def test_a_station_whose_clock_is_far_off_gets_the_floor_and_no_flow(skew):
    fleet, first = started(skew)
    assert fleet.state(first.identity) == "refused"
    assert "its clock is off" in fleet.why(first.identity)
    assert OWNED_SCHEDULE not in first.held
    assert 1000 in first.held


@pytest.mark.parametrize("skew", [None, timedelta(0), timedelta(minutes=-59), timedelta(hours=1)])
def test_a_clock_within_the_margin_of_every_profile_is_good_enough(skew):
    fleet, first = started(skew)
    assert fleet.state(first.identity) == "in-sync"
    assert OWNED_SCHEDULE in first.held


def test_a_clock_that_was_set_is_noticed_by_the_next_read_back():
    fleet, first = started(timedelta(hours=-3))
    fleet.skew = timedelta(seconds=2)
    fleet.run(timedelta(minutes=20))
    assert fleet.state(first.identity) == "in-sync"
    assert OWNED_SCHEDULE in first.held


def test_a_station_whose_clock_went_wrong_is_brought_back_to_the_floor():
    fleet, first = started(timedelta(0))
    assert OWNED_SCHEDULE in first.held
    fleet.skew = timedelta(hours=5)
    fleet.boot(first.identity)
    fleet.run()
    assert OWNED_SCHEDULE not in first.held
    assert fleet.state(first.identity) == "refused"
