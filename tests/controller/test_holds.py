"""What holds a write back: people, storms and paces, and what passes them all the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from immutables import Map

from reconciler.controller.holds import crowd, stop, take_turn
from reconciler.controller.world import Recording, Settings, Verb, World
from reconciler.plan.change import changes
from reconciler.profiles.fit import may_discharge
from reconciler.rollout.commands import Clear, Push
from reconciler.rollout.pace import Meter
from reconciler.rollout.station import Station
from reconciler.rollout.table import Next
from rollouts import EIGHT, MINUTES, holders, made, order, settled
from toys import NOON, ToyFleet, revision
from yards import Draft, Yards

ONE = "[{id: 1, charge: 11 kW, discharge: 11 kW, current: DC}]"
TWO = "[{id: 1, charge: 11 kW, current: DC}, {id: 2, charge: 11 kW, discharge: 11 kW, current: DC}]"
LEFT = "[{id: 1, charge: 11 kW, current: DC}]"
SLOW = "waves: [100%], pace: {writes: 3}"


def test_discharge_is_cleared_at_a_suspended_station_though_what_would_go_before_is_held_back():
    fleet = ToyFleet().load(revision(swap=((ONE, TWO),))).connect().run()
    assert may_discharge(fleet.stations["A-1"].held[1012])
    assert order(fleet, Verb.SUSPEND, keys=("a-1",)) == ""
    since, before = fleet.now, fleet.stations["A-1"].held[1011]
    fleet.load(revision(((-7, 2), (5, 2)), commit="c2", swap=((ONE, LEFT),))).run(5 * MINUTES)
    assert fleet.sent((Push, Clear), since, "A-1") == [Clear("A-1", 1012)]
    assert fleet.stations["A-1"].held[1011] is before
    assert "suspended by Ada" in fleet.why("A-1")


def test_nothing_is_cleared_at_a_suspended_station_whose_floor_is_gone():
    fleet = ToyFleet().load(revision(swap=((ONE, TWO),))).connect().run()
    order(fleet, Verb.SUSPEND, keys=("a-1",))
    since = fleet.now
    del fleet.stations["A-1"].held[1000]
    fleet.boot("A-1")
    fleet.load(revision(((-7, 2), (5, 2)), commit="c2", swap=((ONE, LEFT),))).run(5 * MINUTES)
    assert not fleet.sent((Push, Clear), since, "A-1")


def test_who_misses_its_turn_gets_another_and_no_two_ask_at_one_instant():
    fleet = settled()
    fleet.load(made(SLOW, commit="c2", first=-6)).run(timedelta(seconds=1))
    for each in EIGHT:
        fleet.disconnect(each)
    fleet.run(60 * MINUTES)
    fleet.connect(*EIGHT).run(timedelta(seconds=2))
    turns = [each for each in fleet.world.slots.values() if each > fleet.now]
    assert len(turns) == len(set(turns)) >= 6
    fleet.run(5 * MINUTES)
    assert all(fleet.station(each).verified.revision == "c2" for each in EIGHT)


def waiting():
    fleet = settled()
    fleet.load(made(SLOW, commit="c2", first=-6)).run(timedelta(seconds=1))
    return fleet, min(fleet.world.slots, key=fleet.world.slots.get)


@pytest.mark.parametrize(("by", "moves"), [(timedelta(seconds=0.5), False), (5 * MINUTES, True)])
def test_who_is_a_moment_late_keeps_its_place_and_who_is_later_goes_to_the_end_of_the_line(by, moves):
    fleet, key = waiting()
    slot, last = fleet.world.slots[key], max(fleet.world.slots.values())
    world = replace(fleet.world, meters=fleet.world.meters.set("", Meter(slot + by)))
    (change,) = changes(fleet.world.stations[key].verdicts)
    after, held = take_turn(world, key, change, slot)
    assert held.at == after.slots[key] >= slot + by
    assert (held.at > last) is moves
    assert (after.turns is not world.turns) is moves


def test_an_abort_does_not_wait_for_turns_that_nobody_takes_any_more():
    fleet = settled()
    fleet.load(made("waves: [100%], pace: {writes: 1}", commit="c2", first=-6)).run(1.5 * MINUTES)
    assert len(holders(fleet, "c2")) == 2
    assert order(fleet, Verb.ABORT) == ""
    fleet.run(2 * MINUTES)
    assert not holders(fleet, "c2")


def test_a_newer_revision_with_a_faster_pace_does_not_wait_for_the_slower_one():
    fleet = settled()
    fleet.load(made("waves: [100%], pace: {writes: 1}", commit="c2", first=-6)).run(1.5 * MINUTES)
    fleet.load(made("waves: [100%], pace: {writes: 600}", commit="c3", first=-5)).run(2 * MINUTES)
    assert len(holders(fleet, "c3")) == 8


def test_nothing_goes_while_it_cannot_be_recorded():
    fleet = settled()
    fleet.feed(Recording(ok=False, why="the disk is full"))
    since = fleet.now
    fleet.load(made("waves: [100%]", commit="c2", first=-6)).run(5 * MINUTES)
    fleet.stations["B-1"].held.pop(1011)
    fleet.run(60 * MINUTES)
    assert not fleet.sent((Push, Clear), since)
    assert "the disk is full" in fleet.why("B-1")


def test_where_no_revision_is_followed_nothing_paces_and_nothing_is_crowded():
    fleet, key = waiting()
    (change,) = changes(fleet.world.stations[key].verdicts)
    alone = World(stations=fleet.world.stations)
    assert stop(alone, key, (change,), fleet.now) == (change,)
    assert take_turn(alone, key, change, fleet.now) == (alone, None)


def test_a_process_that_dies_again_and_again_keeps_the_pace_all_the_same():
    pace = "pace: {writes: 3}"
    yards, gone = Yards(Draft((4, 4), rollout=pace)), []
    yards.run(60 * MINUTES)
    yards.laws.append(lambda yards, write: None if write.lowers else gone.append(yards.now))
    yards.happen(("commit", {"powers": ((-6, 3), (4, 2)), "rollout": pace}))
    yards.run(MINUTES)
    for _ in range(4):
        yards.crash()
        yards.run(MINUTES / 4)
    yards.run(5 * MINUTES)
    assert len(gone) == 8
    assert all(sum(start <= each < start + MINUTES for each in gone) <= 3 for start in gone)


@pytest.mark.parametrize(("stations", "least"), [(1, 1), (10, 1), (50, 5), (5000, 500)])
def test_the_more_stations_wait_for_few_places_the_less_often_each_asks(stations, least):
    world = World(settings=Settings(most_in_flight=1))
    names = [f"n{number}" for number in range(stations)]
    world = replace(world, stations=Map({each: Station(each) for each in names}), reading=Map({"n0": None}))
    for each in names:
        put_off = crowd(world, each, Next("unknown", routine=True), NOON)
        assert timedelta(seconds=least) <= put_off.at - NOON <= timedelta(seconds=2 * least)
