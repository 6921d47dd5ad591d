"""What holds a write back: people, storms and paces, and what passes them all the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from reconciler.controller.holds import SPAN, crowd, note_drift, stop, take_turn
from reconciler.controller.world import Compared, Recording, Settings, Verb, World
from reconciler.plan.change import changes
from reconciler.profiles.fit import may_discharge
from reconciler.reported.events import Woken
from reconciler.rollout.commands import Clear, Push
from reconciler.rollout.pace import Meter
from reconciler.rollout.progress import Phase
from reconciler.rollout.station import Station
from reconciler.rollout.table import Next
from rollouts import EIGHT, MANY, MINUTES, holders, made, order, rollout, settled, storm, stormy
from toys import NOON, ToyFleet, revision
from yards import Draft, Yards

ONE = "[{id: 1, charge: 11 kW, discharge: 11 kW, current: DC}]"
TWO = "[{id: 1, charge: 11 kW, current: DC}, {id: 2, charge: 11 kW, discharge: 11 kW, current: DC}]"
LEFT = "[{id: 1, charge: 11 kW, current: DC}]"
SLOW = "waves: [100%], pace: {writes: 3}"
WITHDRAWN = ("charge: 11 kW, discharge: 11 kW, current: DC", "charge: 11 kW, current: DC")


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


def test_only_who_was_compared_is_written_to_and_whoever_else_is_read_and_takes_no_place():
    fleet = ToyFleet((*EIGHT, "B-1"))
    fleet.feed(Compared(frozenset(), "nobody yet"))
    fleet.load(made()).connect().run(10 * MINUTES)
    assert not fleet.sent((Push, Clear), NOON)
    assert all(each.reported.known for each in fleet.world.stations.values())
    assert (fleet.world.in_flight, fleet.why("A-1")) == (0, "nobody yet")
    fleet.feed(Compared(frozenset({"a-1"}), "not read in time"))
    fleet.run(10 * MINUTES)
    assert {each.station for each in fleet.sent((Push, Clear), NOON)} == {"A-1"}
    assert {fleet.why(each) for each in EIGHT[1:]} == {"not read in time"}


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


def test_a_suspended_station_is_read_and_never_written_until_it_is_resumed():
    fleet = settled()
    assert order(fleet, Verb.SUSPEND, keys=("a-1",)) == ""
    since = fleet.now
    del fleet.stations["A-1"].held[1011]
    fleet.load(made("waves: [100%]", commit="c2", first=-6)).run(40 * MINUTES)
    assert not fleet.sent(Push | Clear, since=since, station="A-1")
    assert "suspended by Ada" in fleet.why("A-1")
    assert rollout(fleet).phase is Phase.COMPLETE
    assert order(fleet, Verb.UNSUSPEND, keys=("a-1", "a-2")) == ""
    fleet.run(MINUTES)
    assert fleet.station("A-1").verified.revision == "c2"
    assert [(each.action, each.who) for each in fleet.history if each.action in ("suspend", "resume")] == [
        ("suspend", "Ada"),
        ("resume", "Ada"),
        ("resume", "Ada"),
    ]


def test_a_suspension_ends_by_itself_at_its_time():
    fleet = settled()
    order(fleet, Verb.SUSPEND, keys=("a-1",), until=fleet.now + 10 * MINUTES)
    fleet.load(made("waves: [100%]", commit="c2", first=-6)).run(5 * MINUTES)
    assert "a-1" not in holders(fleet, "c2")
    fleet.run(6 * MINUTES)
    assert "a-1" in holders(fleet, "c2")
    assert not fleet.world.suspended


@pytest.mark.parametrize(("first", "pushed", "cleared"), [(0, [1011], []), (3, [], [1011])])
def test_discharge_is_withdrawn_from_a_suspended_station_and_never_does_it_draw_more(first, pushed, cleared):
    fleet = settled("waves: [100%]")
    order(fleet, Verb.SUSPEND, keys=("a-1",))
    since = fleet.now
    fleet.load(made("waves: [100%]", commit="c2", first=first, more=(WITHDRAWN,))).run(5 * MINUTES)
    assert [each.profile.id for each in fleet.sent(Push, since=since, station="A-1")] == pushed
    assert [each.profile_id for each in fleet.sent(Clear, since=since, station="A-1")] == cleared
    assert not any(map(may_discharge, fleet.stations["A-1"].held.values()))
    assert 1000 in fleet.stations["A-1"].held


def test_withdrawn_discharge_is_at_once_and_what_is_charged_more_comes_with_its_wave():
    never = "waves: [1, 100%], soak: 5m, windows: [{allow: '0 3 1 1 *', for: 1h}]"
    fleet = settled(never)
    fleet.load(made(never, commit="c2", first=3, more=(WITHDRAWN,))).run(10 * MINUTES)
    assert not holders(fleet, "c2")
    assert all(set(fleet.stations[each].held) == {1000, 1001} for each in EIGHT)
    assert "withdrawn" in " ".join(fleet.station("A-1").goal.notes)
    order(fleet, Verb.PROMOTE, override=True)
    fleet.run(30 * MINUTES)
    assert len(holders(fleet, "c2")) == 8
    assert rollout(fleet).phase is Phase.COMPLETE


def test_in_a_drift_storm_only_floors_and_ceilings_are_put_back_until_a_person_decides():
    fleet = stormy()
    since = fleet.now
    storm(fleet)
    assert fleet.world.storm is not None
    assert "storm" in [each.action for each in fleet.history]
    repaired = {each.station for each in fleet.sent(Push, since=since) if each.profile.id == 1011}
    assert len(repaired) < 4
    assert all(1000 in fleet.stations[each].held for each in EIGHT)
    left = set(EIGHT) - repaired
    assert all("a person decides" in fleet.why(each) for each in left)
    fleet.run(25 * 60 * MINUTES)
    assert {each.station for each in fleet.sent(Push, since=since) if each.profile.id == 1011} - {"B-1"} == repaired
    assert order(fleet, Verb.CLEAR_STORM) == ""
    fleet.run(5 * MINUTES)
    assert {fleet.state(each) for each in EIGHT} == {"in-sync"}
    assert "no drift storm" in order(fleet, Verb.CLEAR_STORM)


def test_a_few_drifted_stations_are_no_storm():
    fleet = stormy()
    storm(fleet, EIGHT[:3])
    assert fleet.world.storm is None
    assert {fleet.state(each) for each in EIGHT} == {"in-sync"}


def test_drift_that_is_spread_over_a_day_is_no_storm():
    fleet = stormy()
    for each in EIGHT:
        storm(fleet, (each,))
        fleet.run(20 * MINUTES)
    assert fleet.world.storm is None


def test_nothing_is_pushed_that_could_not_be_recorded():
    fleet = settled("waves: [100%]")
    fleet.feed(Recording(ok=False, why="the disk is full"))
    since = fleet.now
    fleet.load(made("waves: [100%]", commit="c2", first=-6)).run(20 * MINUTES)
    assert not fleet.sent(Push | Clear, since=since)
    fleet.feed(Recording(ok=True))
    fleet.run(MINUTES)
    assert len(holders(fleet, "c2")) == 8


def test_the_pace_is_never_exceeded_but_by_what_only_lowers_flow():
    fleet = ToyFleet((*EIGHT, "B-1")).load(made("waves: [100%], pace: {writes: 12}")).connect()
    fleet.run(10 * MINUTES)
    lifting = [at for at, command in fleet.log if isinstance(command, Push) and command.profile.id > 1001]
    assert len(lifting) == 10
    for start in lifting:
        assert sum(start <= each < start + MINUTES for each in lifting) <= 12
    assert {fleet.state(each) for each in fleet.stations} == {"in-sync"}


def test_a_site_may_have_a_pace_and_a_concurrency_of_its_own():
    spec = "waves: [100%], pace: {writes: unlimited, perSite: 6}, concurrency: {perSite: 1}"
    fleet = settled("waves: [100%]")
    since = fleet.now
    fleet.load(made(spec, commit="c2", first=-6)).run(10 * MINUTES)
    pushes = [at for at, command in fleet.log if isinstance(command, Push) and at >= since]
    assert len(pushes) == 8
    for start in pushes:
        assert sum(start <= each < start + MINUTES for each in pushes) <= 6
    assert not any(fleet.world.site_in_flight.values())


@pytest.mark.parametrize("key", ["stations", "perSite"])
def test_no_more_stations_are_written_to_at_once_than_the_fleet_says(key):
    fleet, at_once = settled("waves: [100%]"), []
    fleet.watch = lambda each: at_once.append(len(each.world.errands))
    fleet.load(made(f"waves: [100%], concurrency: {{{key}: 2}}", commit="c2", first=-6)).run(10 * MINUTES)
    assert len(holders(fleet, "c2")) == 8
    assert max(at_once) == 2


def test_routine_read_backs_get_a_share_of_what_is_in_flight():
    few = Settings(most_in_flight=4, reading_share=0.5)
    fleet = ToyFleet((*EIGHT, "B-1"), settings=few).load(made()).connect()
    fleet.run()
    at_once = []
    fleet.watch = lambda each: at_once.append(len(each.world.reading))
    for each in EIGHT:
        fleet.stations[each].mute = True
    fleet.run(40 * MINUTES)
    assert max(at_once) == 2


def test_no_more_commands_are_in_flight_than_the_settings_say():
    fleet = ToyFleet((*EIGHT, "B-1"), settings=Settings(most_in_flight=3)).load(made())
    at_once = []
    fleet.watch = lambda each: at_once.append(each.world.in_flight)
    fleet.connect().run()
    assert max(at_once) == 3
    assert {fleet.state(each) for each in fleet.stations} == {"in-sync"}


def test_drift_is_counted_over_two_spans_at_most():
    fleet = stormy()
    for each in EIGHT[:4]:
        storm(fleet, (each,), 6 * MINUTES)
    assert fleet.world.storm is None
    assert len(fleet.world.onsets) < 4


@given(st.lists(st.tuples(st.integers(0, 25), st.sampled_from("abcde")), min_size=1, max_size=30))
def test_onsets_count_each_station_of_two_spans_once_and_no_other(drifts):
    world, now, began, known = World(), NOON, NOON, []
    for gap, key in drifts:
        now += gap * MINUTES
        if not known or now >= began + 2 * SPAN:
            began = now
        elif now >= began + SPAN:
            began += SPAN
        known.append((now, key))
        world = note_drift(world, key, "in-sync", "drifted", now)
        assert len(world.onsets) == len({each for at, each in known if at >= began - SPAN})
        assert not set(world.onsets.now) & set(world.onsets.before)


def test_a_storm_holds_a_rollout_up_and_it_says_so():
    fleet = stormy()
    quick = (
        "discharge: allowed",
        "discharge: allowed\n  drift: {storm: {share: 20%, least: 4}}\n  rollout: {soak: 30m}",
    )
    fleet.load(revision(((-6, 3), (5, 2)), commit="c2", swap=(MANY, quick))).run(MINUTES)
    storm(fleet)
    assert rollout(fleet).phase is Phase.SOAKING
    assert "storm" in rollout(fleet).reason
    fleet.run(60 * MINUTES)
    assert rollout(fleet).phase is Phase.SOAKING
    order(fleet, Verb.CLEAR_STORM)
    assert not rollout(fleet).reason
    fleet.run(60 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE


def test_one_station_that_drifts_again_and_again_is_no_storm():
    fleet = stormy()
    for _ in range(8):
        storm(fleet, ("A-1",), MINUTES)
        fleet.feed(Woken("A-1"))
        fleet.connect("A-1").run(MINUTES)
    assert fleet.world.storm is None
    assert len(fleet.world.onsets or ()) <= 1
