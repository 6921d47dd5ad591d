"""What outlives the process: documents that say as much as is needed, no more often than needed."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map

from reconciler.controller.dossier import LONG_AGO, NOBODYS, read_station, write_station
from reconciler.controller.durable import drain, mark, restore, same
from reconciler.controller.step import step
from reconciler.controller.world import Entry, Settings, World
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.form import Malformed
from reconciler.profiles.profile import Unit
from reconciler.reported.belief import Belief, Echo, Held, Reported
from reconciler.reported.events import Disconnected, Metered, ProfilesRead, Refused, ReportedProfile, Woken
from reconciler.rollout.commands import Clear, Push, ReadProfiles
from reconciler.rollout.ledger import Kind, Stage
from reconciler.rollout.rounds import Rounds
from reconciler.rollout.station import Goal, Station, Tries
from reconciler.rollout.wear import Counts
from strategies import profiles
from toys import NOON, ToyFleet, revision

SECOND = timedelta(seconds=1)
moments = st.integers(-(10**13), 10**13).map(lambda number: NOON + timedelta(microseconds=number))
numbers = st.integers(0, 9)
words = st.text(max_size=8)
spans = st.integers(-10_000_000, 10_000_000).map(lambda number: timedelta(microseconds=number))
capabilities = st.builds(
    Capability,
    protocol=st.sampled_from(Protocol),
    units=st.sampled_from([(Unit.WATT,), (Unit.AMPERE, Unit.WATT)]),
    max_stack_level=numbers,
    max_profiles=st.none() | numbers,
    update_rate_limit=numbers.map(lambda number: number * SECOND),
    max_offline=st.booleans(),
)
refusals = st.builds(Refused, words, words, st.none() | numbers.map(lambda number: number * SECOND))


rounds = st.builds(
    Rounds,
    found=st.lists(moments, max_size=3).map(tuple),
    last=moments,
    source=words,
    revision=words,
    slot=words,
    written=st.none() | moments,
)


def by_id(found):
    return {each.id: each for each in found}


@st.composite
def reports(draw):
    """Draw what a station may be believed to hold."""
    held = by_id(draw(st.lists(profiles(), max_size=3)))
    sources = st.builds(Held, st.none(), st.sampled_from(Belief), st.sampled_from(("CSO", "EMS")))
    refused = by_id(draw(st.lists(profiles(), max_size=2)))
    return Reported(
        held={number: replace(draw(sources), profile=profile) for number, profile in held.items()},
        known=draw(st.booleans()),
        ever_known=draw(st.booleans()),
        unread=draw(st.booleans()),
        requests=by_id(draw(st.lists(profiles(), max_size=2))),
        echoes={number: Echo(draw(profiles()), profile) for number, profile in held.items() if draw(st.booleans())},
        refusals={number: (profile, draw(refusals)) for number, profile in refused.items()},
    )


stations = st.builds(
    Station,
    identity=st.text("abcXYZ-", min_size=1, max_size=9),
    session=st.none() | numbers,
    protocol=st.none() | st.sampled_from(Protocol),
    base=st.none() | capabilities,
    capability=st.none() | capabilities,
    reported=reports(),
    in_flight=st.none() | st.builds(Clear, st.just("A"), numbers) | st.just(ReadProfiles("A")),
    failures=numbers,
    read_at=st.none() | moments,
    written_at=st.dictionaries(numbers, moments, max_size=2),
    changed_at=st.dictionaries(numbers, moments, max_size=2),
    tries=st.dictionaries(numbers, st.builds(Tries, numbers, moments), max_size=2),
    verified=st.none() | st.builds(Goal, st.just(()), st.sampled_from(("c1", "c2")), moments, st.just(NOBODYS)),
    answers=st.dictionaries(numbers, words, max_size=2),
    skew=st.none() | spans,
    external=st.frozensets(numbers, max_size=2),
    faulted=st.frozensets(st.tuples(numbers, words), max_size=2),
    wrote=words,
    awaiting=st.dictionaries(numbers, words, max_size=2),
    rounds=st.dictionaries(numbers, rounds, max_size=2),
    counts=st.dictionaries(numbers, st.builds(Counts, numbers, numbers, st.sampled_from((-1, 0, 1))), max_size=2),
)


def through_json(document):
    return json.loads(json.dumps(document))


def doubted(station):
    """Give a station as another process begins with it."""
    held = {number: replace(each, belief=Belief.UNKNOWN) for number, each in station.reported.held.items()}
    return replace(
        station,
        session=None,
        in_flight=None,
        failures=0,
        reported=replace(station.reported, held=held, known=False, composites={}),
        verified=station.verified and replace(station.verified, until=LONG_AGO),
    )


@settings(max_examples=100, deadline=None)
@given(stations)
def test_what_is_kept_of_a_station_is_read_again_as_it_was_but_never_as_known(station):
    read = read_station(through_json(write_station(station)))
    assert read == doubted(station)
    assert not read.reported.known


@settings(max_examples=50, deadline=None)
@given(stations, st.data())
def test_garbage_is_refused_with_its_path_and_nothing_else_is_raised(station, data):
    document = through_json(write_station(station))
    name = data.draw(st.sampled_from(sorted(document)))
    garbage = data.draw(st.one_of(st.integers(), words, st.lists(words, max_size=3), st.dictionaries(words, words)))
    refused = None
    try:
        read_station({**document, name: garbage})
    except Malformed as error:
        refused = error
    assert refused is None or refused.path.startswith(name)


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"identity": None}, "identity", "missing"),
        ({"base": 7}, "base", "object"),
        ({"base": {"protocol": "2.1"}}, "base.units", "missing"),
        ({"writtenAt": {"1": "noon"}}, "writtenAt", "RFC 3339"),
        ({"writtenAt": {"1": "2026-03-03T12:00:00+01:00"}}, "writtenAt", "UTC"),
        ({"writtenAt": {"1": "2026-03-03T12:00:00"}}, "writtenAt", "UTC"),
        ({"writtenAt": {"one": "2026-03-03T12:00:00+00:00"}}, "writtenAt", "int"),
        ({"writtenAt": []}, "writtenAt", "object"),
        ({"tries": {"1": [1]}}, "tries", "pair"),
        ({"tries": {"1": 1}}, "tries", "list"),
        ({"tries": {"1": [1, 2, 3]}}, "tries", "list of at most 2"),
        ({"skew": 10**14}, "skew", "longer than any span"),
        ({"external": ["x"]}, "external", "number"),
        ({"counts": {"1": [1, 2]}}, "counts", "three"),
        ({"rounds": {"1": 7}}, "rounds.", "object"),
        ({"rounds": {"1": {"found": 7}}}, "rounds", "list"),
        ({"rounds": {"1": {"found": [], "last": 7}}}, "rounds.last", "string"),
        ({"requests": [{}]}, "requests[0].evseId", "missing"),
    ],
)
def test_what_is_wrong_in_a_document_is_named(change, path, message):
    with pytest.raises(Malformed, match=message) as raised:
        read_station({**write_station(Station("A")), **change})
    assert raised.value.path == path


@settings(max_examples=100, deadline=None)
@given(stations)
def test_a_station_is_the_same_as_itself_and_as_a_copy(station):
    assert same(station, station)
    assert same(station, replace(station, reported=replace(station.reported)))


def full():
    """Give a world in which A-1 was brought to what is desired."""
    fleet = ToyFleet().load(revision()).connect().run()
    return fleet, fleet.station("A-1")


def test_what_differs_is_not_the_same():
    _, station = full()
    report, push = station.reported, Push("A-1", station.goal.floor, station.capability)
    first = station.goal.floor.id
    assumed = {**report.held, first: replace(report.held[first], belief=Belief.ASSUMED)}
    foreign = {**report.held, first: replace(report.held[first], source="EMS")}
    others = {
        "identity": "a-1",
        "protocol": Protocol.V201,
        "capability": None,
        "base": None,
        "verified": None,
        "written_at": {},
        "changed_at": {1: NOON},
        "tries": {1: Tries(1, NOON)},
        "answers": {},
        "skew": timedelta(minutes=2),
        "external": frozenset({1}),
        "faulted": frozenset({(1, "Connector")}),
        "wrote": "c0",
        "awaiting": {1000: "a-1@then"},
        "rounds": {1000: Rounds((), NOON)},
        "counts": {1: Counts(writes=99)},
        "in_flight": push,
    }
    reported = [
        {"ever_known": False},
        {"unread": True},
        {"requests": {first: station.goal.floor}},
        {"echoes": {}},
        {"refusals": {first: (None, Refused("no"))}},
        {"held": {}},
        {"held": assumed},
        {"held": foreign},
    ]
    for name, value in others.items():
        assert not same(station, replace(station, **{name: value})), name
    for change in reported:
        assert not same(station, replace(station, reported=replace(report, **change))), change


def test_reading_metering_and_coming_and_going_leave_nothing_to_be_kept():
    fleet, station = full()
    world = fleet.world
    read = ProfilesRead("A-1", tuple(ReportedProfile(each) for each in fleet.stations["A-1"].held.values()))
    for event in (Woken("A-1"), Metered("A-1", 1, Decimal(150), NOON), read, Disconnected("A-1", station.session)):
        world, _ = step(world, event, fleet.now)
    after = world.stations["a-1"]
    assert after is not station
    assert same(station, after)
    assert same(station, replace(after, in_flight=ReadProfiles("A-1"), read_at=None))
    assert same(replace(station, skew=SECOND), replace(after, skew=3 * SECOND))


class LargeFleet(ToyFleet):
    """Many stations; what is in flight is not counted anew at every step."""

    def feed(self, event):
        self.world, effects = step(self.world, event, self.now)
        for effect in effects:
            self._carry_out(effect)


def test_reconciling_a_thousand_stations_without_change_leaves_nothing_to_be_kept():
    many = revision(caps=(20_000, 20_000), swap=(('"A-{1..2}"', '"A-{1..1000}"'),))
    fleet = LargeFleet(tuple(f"A-{number}" for number in range(1, 1001)), Settings(most_in_flight=5000))
    fleet.load(many).connect().run(timedelta(minutes=10))
    assert fleet.world.tally["in-sync"] == 1000
    fleet.world, documents = drain(fleet.world)
    assert len(documents) >= 1000
    began, lines = fleet.now, len(fleet.history)
    fleet.run(timedelta(minutes=40))
    assert len(fleet.sent(ReadProfiles, since=began)) >= 2000
    assert not fleet.world.dirty
    assert len(fleet.history) == lines


def name(key):
    return Kind.STATION, key


def marked(world, *keys):
    return replace(world, dirty=Map({name(key): None for key in keys}))


def test_what_is_marked_is_drained_once():
    fleet, _ = full()
    world, documents = drain(marked(fleet.world, "a-1", "gone"))
    assert set(documents) == {name("a-1"), name("gone")}
    assert documents[name("gone")] is None
    assert documents[name("a-1")]["identity"] == "A-1"
    assert drain(world) == (world, {})


def test_some_of_what_is_marked_is_drained_and_the_rest_stays_marked():
    fleet, _ = full()
    world, documents = drain(marked(fleet.world, "a-1", "a-2"), [name("a-1"), name("b-1")])
    assert set(documents) == {name("a-1")}
    assert set(world.dirty) == {name("a-2")}
    assert set(mark(world, [name("a-1")]).dirty) == {name("a-1"), name("a-2")}
    assert mark(world, ()) is world


def again(world, *keys, now=NOON):
    """Give the world of a process that begins where another one was killed."""
    _, documents = drain(marked(world, *keys))
    return restore(World(), through_named(documents), now)


def through_named(documents):
    return {each: through_json(document) for each, document in documents.items()}


def test_a_restored_station_is_offline_and_unknown_and_holds_what_it_held():
    fleet, station = full()
    restored = again(fleet.world, "a-1").world.stations["a-1"]
    assert restored.session is None
    assert not restored.reported.known
    assert {number: each.profile for number, each in restored.reported.held.items()} == {
        number: each.profile for number, each in station.reported.held.items()
    }
    assert {each.belief for each in restored.reported.held.values()} == {Belief.UNKNOWN}
    assert restored.verified.revision == "c1"


def killed_while(command_of):
    """Give a world in which a write is under way, and that write."""
    fleet, station = full()
    command = command_of(station)
    errand = Entry(NOON, "A-1", "SetChargingProfile", "missing", stage=Stage.INTENT, write="a-1@then")
    world = replace(
        fleet.world,
        stations=fleet.world.stations.set("a-1", replace(station, in_flight=command)),
        errands=fleet.world.errands.set("a-1", errand),
    )
    return world, command


def test_a_write_under_way_may_have_been_taken_and_its_line_is_ended():
    lowered = replace(full()[1].goal.profiles[-1], max_offline=1)
    world, _ = killed_while(lambda station: Push("A-1", lowered, station.capability))
    restored = again(world, "a-1", now=NOON + SECOND)
    after = restored.world.stations["a-1"]
    assert after.in_flight is None
    assert after.reported.held[lowered.id] == Held(lowered, Belief.UNKNOWN)
    assert after.tries[lowered.id] == Tries(1, NOON + SECOND)
    assert after.written_at[lowered.evse_id] == NOON + SECOND
    assert restored.world.loads["a-1"] == world.loads["a-1"]
    (entry,) = restored.entries
    assert (entry.stage, entry.write, entry.profile_id) == (Stage.ANSWER, "a-1@then", lowered.id)
    assert entry.answer.startswith("unknown")


def test_a_clear_under_way_is_doubted_too():
    world, _ = killed_while(lambda station: Clear("A-1", 1011))
    restored = again(replace(world, errands=Map()), "a-1")
    assert restored.world.stations["a-1"].tries[1011].times == 1
    (entry,) = restored.entries
    assert (entry.action, entry.write, entry.evse_id) == ("ClearChargingProfile", "", None)


def test_a_load_that_can_not_be_told_from_what_is_held_is_kept():
    fleet, station = full()
    doubtful = replace(station, reported=replace(station.reported, unread=True))
    world = replace(fleet.world, stations=fleet.world.stations.set("a-1", doubtful))
    assert again(world, "a-1").world.loads["a-1"] == fleet.world.loads["a-1"]
    assert "a-1" not in again(fleet.world, "a-1").world.loads


def test_documents_that_are_damaged_are_named_and_left_out():
    fleet, _ = full()
    _, documents = drain(marked(fleet.world, "a-1", "a-2", "b-1"))
    documents = through_named(documents)
    documents[name("a-1")] = {"identity": "A-1"}
    documents[name("a-2")]["sending"] = {"profileId": 7, "set": documents[name("a-2")]["profiles"][0]}
    for absent in ("capability", "base"):
        documents[name("a-2")].pop(absent)
    documents[name("b-1")]["load"] = {"draw": [["2026-03-03T12:00:00+00:00", None]], "feed": 7}
    documents[Kind.FLEET, ""] = {}
    restored = restore(World(), documents, NOON)
    assert not restored.world.stations
    assert [each.split(":")[:2] for each in restored.complaints] == [
        ["station a-1", " known"],
        ["station a-2", " sending.set"],
        ["station b-1", " load.feed"],
    ]


def test_a_station_that_was_never_met_is_kept_as_such():
    restored = again(replace(World(), stations=Map({"z": Station("Z")})), "z").world.stations["z"]
    assert restored == Station("Z")
