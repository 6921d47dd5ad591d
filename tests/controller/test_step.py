"""The step: one event in, the next world and its effects out; every rule that joins one station to the rest."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from reconciler.controller.revision import Revision
from reconciler.controller.step import step
from reconciler.controller.world import RevisionLoaded, RevisionRefused, Settings, World
from reconciler.errors import ManifestError, Place
from reconciler.profiles.capability import Protocol
from reconciler.reported.events import (
    Booted,
    CapabilityRead,
    Connected,
    Disconnected,
    Metered,
    ProfilesRead,
    Ready,
    Refused,
    Woken,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadProfiles, Wake
from toys import IDENTITIES, NOON, ToyFleet, revision, shipped

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OTHER = ((3, -3), (1, 1))


def settled(made=None, **more):
    return ToyFleet(**more).load(made or revision()).connect().run()


def test_a_refused_revision_leaves_the_good_one_in_force_and_is_shown():
    fleet = settled()
    before = fleet.world
    refused = RevisionRefused("bad", "Break it", (ManifestError("no", Place("x.yaml", 3)),))
    assert fleet.feed(refused) == ()
    assert fleet.world == replace(before, refused=replace(refused, since=fleet.now))
    fleet.load(revision(OTHER, commit="c2"))
    assert fleet.world.refused is None


def test_a_commit_that_is_looked_at_again_is_refused_since_the_first_time():
    fleet = settled()
    first = fleet.now
    for commit, since in (("bad", first), ("bad", first), ("worse", first + 2 * MINUTE)):
        fleet.feed(RevisionRefused(commit, "Break it", ()))
        assert (fleet.world.refused.commit, fleet.world.refused.since) == (commit, since)
        fleet.now += MINUTE


def test_a_loaded_revision_wakes_every_station_that_was_met():
    fleet = settled()
    effects = fleet.feed(RevisionLoaded(revision(commit="c2")))
    assert [each for each in effects if isinstance(each, Wake)] == [
        Wake(station.identity, fleet.now) for station in fleet.world.stations.values()
    ]


def test_a_station_that_connects_before_any_revision_is_served_once_there_is_one():
    fleet = ToyFleet().connect().run()
    assert (fleet.state("A-1"), fleet.why("A-1")) == ("unknown", "no revision is loaded")
    assert not fleet.sent((Push, Clear))
    fleet.load(revision()).run()
    assert all(fleet.state(each) == "in-sync" for each in IDENTITIES)


def test_what_a_new_revision_declares_reaches_stations_that_are_connected():
    charging = revision(((5, 3), (1, 1)), commit="c0", swap=(('protocol: "2.1"', "negativeLimit: false"),))
    fleet = ToyFleet()
    fleet.stations["A-1"].protocol = Protocol.V201
    fleet.load(charging).connect().run()
    declared = revision(commit="c1", swap=(('protocol: "2.1"', "negativeLimit: true"),))
    fleet.load(declared).run(10 * MINUTE)
    assert fleet.state("A-1") == "in-sync"
    assert fleet.station("A-1").base.negative_limit
    assert len(fleet.sent(ReadCapability, station="A-1")) == 2


def test_a_station_that_a_revision_drops_is_left_alone_until_one_lists_it_again():
    fleet = settled()
    calm = len(fleet.log)
    fleet.load(revision(commit="c2", swap=(('"A-{1..2}"', '"A-{2..2}"'),))).run(timedelta(hours=2))
    assert (fleet.state("A-1"), fleet.why("A-1")) == ("unknown", "the revision in force does not list it")
    assert not [each for _, each in fleet.log[calm:] if each.station == "A-1"]
    fleet.load(revision(OTHER, commit="c3")).run()
    assert fleet.station("A-1").verified.revision == "c3"


def test_a_station_that_a_revision_adds_is_served_though_it_was_there_before():
    fleet = ToyFleet().load(revision(swap=(('"A-{1..2}"', '"A-{2..2}"'),))).connect().run()
    fleet.load(revision(commit="c2")).run()
    assert fleet.state("A-1") == "in-sync"


def test_an_evse_that_a_revision_adds_or_drops_gets_or_loses_its_profile():
    two = "evses: [{id: 1, charge: 16 A, phases: 3}, {id: 2, charge: 16 A, phases: 3}]"
    one = revision(commit="c0", swap=((two, "evses: [{id: 1, charge: 16 A, phases: 3}]"),))
    fleet = settled(one)
    assert set(fleet.stations["B-1"].held) == {1000, 1001, 1011}
    fleet.load(revision(commit="c1")).run()
    assert set(fleet.stations["B-1"].held) == {1000, 1001, 1011, 1012}
    fleet.load(one).run(timedelta(minutes=10))
    assert set(fleet.stations["B-1"].held) == {1000, 1001, 1011}
    assert [each.profile_id for each in fleet.sent(Clear)] == [1012]


def test_a_goal_is_rendered_anew_when_its_time_is_up():
    fleet = settled()
    until = fleet.station("A-1").goal.until
    fleet.run(until - fleet.now - SECOND)
    first = fleet.station("A-1").goal
    fleet.run(2 * SECOND)
    assert fleet.station("A-1").goal.until > first.until
    assert fleet.state("A-1") == "in-sync"
    assert len([at for at, each in fleet.log if isinstance(each, Push) and at == until]) >= 1


def test_a_template_that_fails_for_one_capability_stops_that_station_only():
    failing = (
        '{% if steps|length > 0 and max_offline is none and evse.current == "DC" %}{{ nothing }}{% endif %}\n'
        + shipped()["schedule.yaml.j2"]
    )
    fleet = ToyFleet().load(revision(extra=failing))
    fleet.stations["A-1"].capability = {"max_offline": False}
    fleet.connect().run()
    assert fleet.state("A-1") == "unknown"
    assert "'nothing' is undefined" in fleet.why("A-1")
    assert "templates/schedule.yaml.j2:1" in fleet.why("A-1")
    assert (fleet.state("A-2"), fleet.state("B-1")) == ("in-sync", "in-sync")


def test_a_station_of_one_period_gets_a_floor_and_a_reason_and_harms_nobody():
    fleet = ToyFleet().load(revision())
    fleet.stations["A-1"].capability = {"max_periods": 1}
    fleet.connect().run()
    assert (fleet.state("A-1"), set(fleet.stations["A-1"].held)) == ("refused", {1000, 1001})
    assert "1 period" in fleet.why("A-1")
    assert fleet.state("A-2") == "in-sync"


def test_only_whole_reports_verify_and_each_goal_is_verified_once():
    fleet = settled()
    lines = [each for each in fleet.history if each.action == "verified"]
    assert sorted(each.station for each in lines) == sorted(IDENTITIES)
    fleet.run(timedelta(hours=1))
    assert [each for each in fleet.history if each.action == "verified"] == lines


def test_a_floor_that_is_refused_leaves_the_station_unverified():
    fleet = ToyFleet().load(revision())
    fleet.stations["A-1"].refuses = {1000: Refused("InvalidSchedule")}
    fleet.connect().run()
    assert (fleet.state("A-1"), fleet.station("A-1").verified) == ("refused", None)
    assert [each.profile.id for each in fleet.sent(Push, station="A-1")] == [1000, 1001]


def test_a_boot_lets_a_refused_floor_be_tried_again():
    fleet = ToyFleet().load(revision())
    fleet.stations["A-1"].refuses = {1000: Refused("InvalidSchedule")}
    fleet.connect().run()
    fleet.stations["A-1"].refuses = {}
    fleet.boot("A-1")
    assert fleet.run(MINUTE).state("A-1") == "in-sync"


def test_what_is_refused_for_want_of_room_is_tried_again_when_there_is_room():
    moved = shipped()["schedule.yaml.j2"].replace("profile_id }}", "profile_id + 50 }}")
    fleet = settled(revision(commit="c0", extra=moved))
    station = fleet.stations["A-1"]
    assert 1061 in station.held
    station.refuses = {1011: Refused("DuplicateProfile")}

    def make_room(_):
        if 1061 not in station.held:
            station.refuses = {}

    fleet.watch = make_room
    fleet.load(revision(commit="c1")).run(timedelta(minutes=5))
    assert set(station.held) == {1000, 1001, 1011}
    assert fleet.state("A-1") == "in-sync"


def test_bounded_commands_in_flight_let_everyone_have_a_turn():
    fleet = ToyFleet(settings=Settings(most_in_flight=1)).load(revision()).connect().run()
    assert all(fleet.state(each) == "in-sync" for each in IDENTITIES)
    assert not fleet.world.waiting


def test_a_station_that_goes_makes_room_for_one_that_waits():
    fleet = ToyFleet(settings=Settings(most_in_flight=1)).load(revision())
    fleet.stations["A-1"].mute = True
    fleet.connect().run(SECOND)
    assert fleet.world.waiting
    fleet.disconnect("A-1")
    fleet.run()
    assert (fleet.state("A-2"), fleet.state("B-1")) == ("in-sync", "in-sync")


def test_late_ends_of_an_old_socket_are_not_counted_twice():
    world = step(World(), RevisionLoaded(revision()), NOON)[0]
    for event in (Connected("A-1", Protocol.V21, 1), Ready("A-1", 1)):
        world, effects = step(world, event, NOON)
    assert [type(each) for each in effects] == [ReadCapability]
    base = effects[0].base
    for event in (Connected("A-1", Protocol.V21, 2), CapabilityRead("A-1", base), Disconnected("A-1", 1)):
        world, effects = step(world, event, NOON)
        assert world.in_flight == 0
    world, effects = step(world, Ready("A-1", 2), NOON)
    assert ([type(each) for each in effects], world.in_flight) == ([ReadCapability], 1)
    world, effects = step(world, ProfilesRead("A-1", ()), NOON)  # too late, and not what was asked
    assert (world.in_flight, effects) == (1, ())
    assert not world.stations["a-1"].reported.known
    world, effects = step(world, CapabilityRead("A-1", base), NOON)
    assert ([type(each) for each in effects], world.in_flight) == ([ReadProfiles], 1)


def test_a_boot_during_a_reading_has_it_read_again():
    fleet = settled()
    fleet.disconnect("A-1")
    fleet.connect("A-1")
    fleet.run(timedelta(milliseconds=50))
    assert isinstance(fleet.station("A-1").in_flight, ReadProfiles)
    fleet.stations["A-1"].held.clear()
    fleet.feed(Booted("A-1", "Acme", "X", "1", "Watchdog"))
    fleet.run()
    assert set(fleet.stations["A-1"].held) == {1000, 1001, 1011}


def test_identities_are_one_in_every_spelling_and_commands_use_the_stations_own():
    fleet = ToyFleet(("a-1",)).load(revision()).connect().run()
    assert set(fleet.world.stations) == {"a-1"}
    assert {each.station for _, each in fleet.log} == {"a-1"}
    assert fleet.state("A-1") == "in-sync"


def test_states_are_tallied():
    fleet = settled()
    assert {state: number for state, number in fleet.world.tally.items() if number} == {"in-sync": 3}
    fleet.disconnect("A-1")
    assert {state: number for state, number in fleet.world.tally.items() if number} == {"in-sync": 2, "deferred": 1}


def test_events_that_say_nothing_about_profiles_send_nothing():
    fleet = settled()
    before = len(fleet.log)
    for identity in IDENTITIES:
        fleet.feed(Metered(identity, 1, Decimal(100), fleet.now))
        fleet.feed(Woken(identity))
    assert len(fleet.log) == before


def test_memory_of_goals_is_shared_and_depends_on_content(monkeypatch):
    made = revision()
    station = made.fleet.station("A-1")
    from reconciler.render.assume import assume

    capability = assume(station.declared, Protocol.V21)
    goal = made.goal(station, capability, NOON)
    assert made.goal(station, capability, NOON + MINUTE) is goal
    again = Revision(made.snapshot, made.fleet, shipped()).goal(station, capability, NOON)
    assert again == goal
    assert again is not goal


def test_a_station_that_is_heard_of_before_it_connects_has_no_goal_yet():
    world = step(World(), RevisionLoaded(revision()), NOON)[0]
    world, effects = step(world, Metered("A-1", 1, Decimal(5), NOON), NOON)
    assert (effects, world.standing["a-1"].state) == ((), "deferred")
    assert (world.stations["a-1"].goal, world.stations["a-1"].trouble) == (None, "it has not connected yet")
