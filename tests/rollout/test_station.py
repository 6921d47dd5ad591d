"""What is asked of one station: whether its floor holds, who else has put profiles into it, what is stuck."""

from dataclasses import replace

from reconciler.manifests.strategy import ForeignRule
from reconciler.plan.change import Clear, changes
from reconciler.reported.belief import Belief, Held
from reconciler.reported.events import CompositeRead, CompositeStep, Refused
from reconciler.rollout.station import (
    Tries,
    compare,
    floor_is_in_force,
    forget_tries,
    opinion,
    share,
    strangers,
    stuck,
    unasked,
)
from toys import NOON


def composites(limit):
    return {evse: CompositeRead("S", evse, NOON, (CompositeStep(0, limit, None),)) for evse in (1, 2)}


def test_a_floor_is_in_force_when_it_was_read_back(bench):
    assert floor_is_in_force(bench.station())
    assert not floor_is_in_force(bench.station(belief=Belief.ASSUMED))
    assert not floor_is_in_force(bench.station(belief=Belief.UNKNOWN))
    assert not floor_is_in_force(bench.station(bench.one))
    assert not floor_is_in_force(bench.station(bench.profile(1000, 0, 0, 5)))


def test_without_a_goal_there_is_no_floor(bench):
    assert not floor_is_in_force(bench.station(goal=None))
    assert not floor_is_in_force(bench.station(goal=replace(bench.goal, profiles=())))


def test_a_blind_stations_floor_is_in_force_when_its_composites_show_it(bench):
    blind = bench.station(bench.floor, belief=Belief.ASSUMED, failed_reads=2)
    assert not floor_is_in_force(blind)
    assert floor_is_in_force(bench.doubt(blind, composites=composites(0)))
    assert not floor_is_in_force(bench.doubt(blind, composites=composites(33_120)))
    sighted = replace(bench.doubt(blind, composites=composites(0)), failed_reads=0)
    assert not floor_is_in_force(sighted)


def test_there_is_an_opinion_once_all_evses_have_answered(bench):
    station = bench.station(bench.floor)
    assert (unasked(station), opinion(station)) == ((1, 2), None)
    half = bench.doubt(station, composites={1: composites(0)[1]})
    assert (unasked(half), opinion(half)) == ((2,), None)
    assert opinion(bench.doubt(station, composites=composites(0)))
    assert opinion(bench.doubt(station, composites=composites(9))) is True
    assert opinion(bench.doubt(station, composites=composites(90))) is False
    without = bench.station(goal=None)
    assert (unasked(without), opinion(without), strangers(without)) == ((), None, ())


def test_strangers_are_those_of_others(bench):
    theirs = Held(bench.profile(7), Belief.OBSERVED)
    external = Held(bench.profile(1500), Belief.OBSERVED, "EMS")
    station = bench.station()
    station = bench.doubt(station, held=station.reported.held | {7: theirs, 1500: external})
    assert strangers(station) == (theirs, external)


def test_strangers_whose_stack_level_is_ignored_do_not_count(bench):
    low, high = (Held(bench.profile(number, 1, level), Belief.OBSERVED) for number, level in ((7, 3), (8, 9)))
    goal = replace(bench.goal, foreign_rules=(ForeignRule(9, 9, "ignore"), ForeignRule(0, 9, "clear")))
    station = bench.station(goal=goal)
    assert strangers(bench.doubt(station, held=station.reported.held | {7: low, 8: high})) == (low,)


def test_a_goal_is_compared_by_its_own_rules(bench):
    other = bench.profile(7, 1, 3)
    reported = replace(bench.station().reported, held=bench.held(*bench.goal.profiles, other))
    assert not changes(compare(bench.goal, reported, NOON))
    strict = replace(bench.goal, foreign_rules=(ForeignRule(0, 9, "clear"),))
    assert changes(compare(strict, reported, NOON)) == (Clear(other, "foreign, cleared by policy"),)


def test_what_is_stuck_is_told(bench):
    refused = bench.doubt(bench.station(bench.floor), refusals={1001: (bench.ceiling, Refused("No"))})
    assert [each.new.id for each in stuck(refused)] == [1001]


def test_tries_are_forgotten_once_a_report_shows_that_they_are_needed_no_more(bench):
    tries = {1000: Tries(1, NOON), 1011: Tries(2, NOON)}
    assert forget_tries(bench.station(tries=tries)).tries == {}
    missing = bench.station(bench.floor, bench.ceiling, bench.two, tries=tries)
    assert forget_tries(missing).tries == {1011: Tries(2, NOON)}
    old = bench.station(*bench.goal.profiles, bench.profile(1099, 1, 2), tries={1099: Tries(1, NOON)})
    assert forget_tries(old).tries == old.tries
    for doubt in ({"known": False}, {"unread": True}):
        assert forget_tries(bench.doubt(bench.station(tries=tries), **doubt)).tries == tries
    assert forget_tries(bench.station()) == bench.station()


def test_a_share_is_the_same_everywhere_and_below_one():
    shares = [share(f"S-{number}") for number in range(1000)]
    assert shares[7] == share("S-7")
    assert all(0 <= each < 1 for each in shares)
    assert len(set(shares)) > 990
