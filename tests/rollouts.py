"""Toy fleets that roll revisions out: eight A stations that change, and one that never does."""

from datetime import timedelta

from reconciler.controller.world import Order
from toys import ToyFleet, revision

EIGHT = tuple(f"A-{number}" for number in range(1, 9))
MANY = ("A-{1..2}", "A-{1..8}")
MINUTES = timedelta(minutes=1)


def made(spec="waves: [1, 50%, 100%], soak: 5m", commit="c1", first=-7, more=(), **fields):
    """Give a revision of eight A stations (and B-1, which never changes) whose first window has a power in kW."""
    rollout = ("discharge: allowed", f"discharge: allowed\n  rollout: {{{spec}}}")
    return revision(((first, 3), (5, 2)), commit=commit, swap=(MANY, rollout, *more), **fields)


def settled(spec="waves: [1, 50%, 100%], soak: 5m", **fields):
    fleet = ToyFleet((*EIGHT, "B-1")).load(made(spec, **fields)).connect()
    fleet.run()
    assert {fleet.state(each) for each in fleet.stations} == {"in-sync"}
    return fleet


def holders(fleet, commit):
    """Give who was last written to by a commit."""
    return {key for key in map(str.casefold, EIGHT) if fleet.world.stations[key].wrote == commit}


def order(fleet, verb, **fields):
    fleet.feed(Order(verb, "Ada", "because", "t1", **fields))
    return fleet.replies[-1].error


def rollout(fleet):
    return fleet.world.rollout


def storm(fleet, stations=EIGHT, span=20 * MINUTES):
    for each in stations:
        fleet.stations[each].held.clear()
    fleet.run(span)


CALM = ("drift: {storm: {share: 20%, least: 4}}",)


def stormy():
    quick = ("discharge: allowed", f"discharge: allowed\n  {CALM[0]}")
    made_ = revision(((-7, 3), (5, 2)), swap=(MANY, quick))
    fleet = ToyFleet((*EIGHT, "B-1")).load(made_).connect()
    fleet.run()
    return fleet
