"""Laws of the loop as a whole: whatever happens on the way, it ends, it is quiet, and it never lets too much flow."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.profiles.fit import may_discharge
from reconciler.profiles.timeline import total
from reconciler.reported.events import Metered
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadComposite, ReadProfiles
from reconciler.rollout.site import first_excess, load_of
from reconciler.rollout.table import decide
from toys import FAULTS, IDENTITIES, NOON, ToyFleet, revision, reword, stranger

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
kilowatts = st.integers(-11, 11)
powers = st.tuples(st.tuples(kilowatts, kilowatts), st.tuples(st.integers(0, 11), st.integers(0, 11)))
identities = st.sampled_from(IDENTITIES)
numbers = st.sampled_from((1000, 1001, 1011, 1012))
happenings = st.lists(
    st.tuples(
        st.one_of(
            st.tuples(st.just("lose"), identities, st.lists(st.sampled_from(("answer", "request", "")), max_size=4)),
            st.tuples(st.just("refuse"), identities, numbers, st.sampled_from(sorted(FAULTS))),
            st.tuples(st.just("forget"), identities, numbers),
            st.tuples(st.just("mute"), identities, st.booleans()),
            st.tuples(st.just("boot"), identities, st.booleans()),
            st.tuples(st.just("disconnect"), identities),
            st.tuples(st.just("reconnect"), identities),
            st.tuples(st.just("stranger"), identities),
            st.tuples(st.just("meter"), identities),
            st.tuples(st.just("revision"), powers),
        ),
        st.sampled_from((0.0, 0.05, 0.25, 5.0, 90.0, 2000.0)),
    ),
    max_size=12,
)


def happen(fleet, what, number):
    """Let one thing happen."""
    match what:
        case ("revision", made):
            fleet.load(revision(made, commit=f"c{number}"))
        case ("stranger", identity):
            fleet.stations[identity].others[7] = (stranger(), "CSO")
        case ("meter", identity):
            fleet.feed(Metered(identity, 1, Decimal(5), fleet.now))
        case (kind, identity, *more):
            fleet.befall(identity, kind, *more)


def heal(fleet):
    """End every fault, and give it time."""
    fleet.mend()
    return fleet.run(timedelta(hours=1))


@settings(max_examples=60)
@given(happenings, powers)
def test_after_events_cease_every_station_holds_what_is_desired(events, made):
    fleet = ToyFleet().load(revision(made, commit="c0")).connect()
    for number, (what, pause) in enumerate(events):
        happen(fleet, what, number)
        fleet.run(timedelta(seconds=pause))
    heal(fleet)
    for identity in IDENTITIES:
        theirs = 7 in fleet.stations[identity].others
        assert fleet.holds(identity)
        assert fleet.state(identity) == "in-sync"
        assert fleet.why(identity) in ("", "profile 7 of CSO at stack level 8 leads EVSE 1" if theirs else "")
        assert fleet.station(identity).verified == fleet.station(identity).goal
        met = any(what[:2] == ("stranger", identity) for what, _ in events)
        assert theirs == met, "a foreign profile was touched"
    assert not [each for each in fleet.sent(Clear) if not 1000 <= each.profile_id <= 1999]


@settings(max_examples=60)
@given(happenings)
def test_no_fault_makes_a_hot_loop(events):
    fleet = ToyFleet().load(revision(write="0s")).connect()
    for number, (what, pause) in enumerate(events):
        happen(fleet, what, number)
        fleet.run(timedelta(seconds=pause))
    fleet.run(10 * MINUTE)  # the faults stay, and nothing new happens
    calm = fleet.now
    fleet.run(timedelta(hours=1))
    for identity in IDENTITIES:
        writes = len(fleet.sent((Push, Clear), calm, identity))
        reads = len(fleet.sent((ReadProfiles, ReadComposite, ReadCapability), calm, identity))
        assert writes <= 40, "about one try in fifteen minutes for each profile that does not stick"
        assert reads <= writes + 40, "a read for each write, and the routine"


@settings(max_examples=60)
@given(happenings, st.sampled_from((0.0, 0.2, 40.0, 4000.0)))
def test_every_station_always_stands_somewhere_with_a_reason(events, pause):
    fleet = ToyFleet().load(revision()).connect()
    for number, (what, wait) in enumerate(events):
        happen(fleet, what, number)
        fleet.run(timedelta(seconds=wait))
    fleet.run(timedelta(seconds=pause))
    for identity in IDENTITIES:
        state, why = fleet.state(identity), fleet.why(identity)
        assert state in ("in-sync", "pending", "drifted", "deferred", "refused", "unknown")
        assert why or state == "in-sync"
        station = fleet.station(identity)
        answer = decide(station, fleet.world.pace(station.identity.casefold()), fleet.now)
        asleep = station.in_flight is None and station.session is not None and station.goal is not None
        assert not asleep or fleet._alarms.get(identity, NOON) > NOON, f"nothing will ever ask {answer} again"


@settings(max_examples=30)
@given(powers, st.booleans())
def test_a_quiet_day_costs_one_write_per_profile_and_no_more(made, wordy):
    fleet = ToyFleet().load(revision(made)).connect()
    for station in fleet.stations.values():
        station.rewords = reword if wordy else None
    fleet.run()
    settled = fleet.now
    fleet.run(timedelta(minutes=14))
    assert not fleet.sent((Push, Clear), settled)
    fleet.run(DAY)
    for identity in IDENTITIES:
        sent = [each.profile.id for each in fleet.sent(Push, settled, identity)]
        assert len(sent) == len(set(sent)), "a profile was written twice on a quiet day"
        assert not {1000, 1001} & set(sent)
        assert fleet.state(identity) == "in-sync"
    assert not fleet.sent(Clear)


@settings(max_examples=30)
@given(powers, powers, st.lists(identities, unique=True, max_size=3))
def test_a_reconcile_without_change_sends_nothing(made, others, away):
    fleet = ToyFleet().load(revision(made)).connect().run()
    for identity in away:
        fleet.disconnect(identity)
    before = len(fleet.log)
    fleet.load(revision(made, commit="same")).run(MINUTE)
    assert len(fleet.log) == before
    for identity in set(IDENTITIES) - set(away):
        assert fleet.station(identity).verified.revision == "same"
    fleet.load(revision(others, commit="next")).run(MINUTE)
    fleet.connect(*away).run(timedelta(hours=1))
    assert all(fleet.station(each).verified.revision == "next" for each in IDENTITIES)


def worst(made, number):
    """Give the most that a revision's schedules draw (0) or feed (1) at once, in kW."""
    (first_a, second_a), (first_b, second_b) = made
    sums = []
    for a, b in ((first_a, first_b), (second_a, second_b)):
        parts = [a, a, b, b]
        sums.append(sum(max(each, 0) if number == 0 else max(-each, 0) for each in parts))
    return max(sums)


def excess(fleet, made, caps):
    """Give the first instant from now on at which what stations truly hold breaks a cap of the site."""
    evses = {each: made.evses(each.casefold()) for each in IDENTITIES}
    loads = [load_of(tuple(fleet.stations[each].held.values()), evses[each], NOON) for each in IDENTITIES]
    lines = ((caps[0], [each.draw for each in loads]), (caps[1], [each.feed for each in loads]))
    return [
        found
        for cap, parts in lines
        if (found := first_excess(total((part, 1) for part in parts), Decimal(cap * 1000), fleet.now))
    ]


site_trouble = st.lists(
    st.tuples(
        st.one_of(
            st.tuples(st.just("lose"), identities, st.lists(st.sampled_from(("answer", "request", "")), max_size=3)),
            st.tuples(st.just("refuse"), identities, numbers, st.sampled_from(sorted(FAULTS))),
            st.tuples(st.just("disconnect"), identities),
            st.tuples(st.just("reconnect"), identities),
        ),
        st.sampled_from((0.0, 0.05, 20.0, 90.0)),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(powers, powers, site_trouble, site_trouble)
def test_site_caps_hold_at_every_moment_from_one_revision_to_the_next(made, others, before, after):
    caps = tuple(max(worst(made, each), worst(others, each)) for each in (0, 1))
    old, new = revision(made, caps, "c1"), revision(others, caps, "c2")
    fleet = ToyFleet().load(old).connect().run(timedelta(hours=1))

    def hold(fleet):
        assert not excess(fleet, old, caps)

    fleet.watch = hold
    for what, pause in before:
        happen(fleet, what, 0)
        fleet.run(timedelta(seconds=pause))
    fleet.load(new)
    for what, pause in after:
        happen(fleet, what, 0)
        fleet.run(timedelta(seconds=pause))
    heal(fleet)
    stalled = [each for each in IDENTITIES if not fleet.holds(each)]
    assert all("the site's cap" in fleet.why(each) for each in stalled)
    fleet.run(timedelta(hours=31))  # a swap that no order of single steps allows ends when the old leases do
    assert all(fleet.holds(each) for each in IDENTITIES)


@settings(max_examples=20)
@given(st.lists(st.tuples(powers, st.sampled_from((0.0, 0.15, 1.0, 30.0))), min_size=2, max_size=6))
def test_a_newer_revision_supersedes_what_is_waiting(burst):
    fleet = ToyFleet().load(revision(commit="first")).connect().run()
    begun = fleet.now
    for number, (made, pause) in enumerate(burst):
        fleet.load(revision(made, commit=f"b{number}"))
        fleet.run(timedelta(seconds=pause))
    fleet.run(timedelta(hours=1))
    last = fleet.station("A-1").goal
    assert all(fleet.station(each).verified.revision == last.revision for each in IDENTITIES)
    pushed = [(at, each.station, each.profile) for at, each in fleet.log if at > begun and type(each) is Push]
    pushed.sort(key=lambda push: (push[1], push[2].evse_id, push[0]))
    for (at, station, profile), (later, other, newer) in pairwise(pushed):
        if (station, profile.evse_id) == (other, newer.evse_id) and later - at < MINUTE:
            assert may_discharge(profile), "only the end of discharge waits for no interval"
            assert not may_discharge(newer), "only the end of discharge waits for no interval"


@given(st.lists(identities, unique=True, min_size=1, max_size=2))
def test_who_is_offline_blocks_nobody(away):
    fleet = ToyFleet().load(revision())
    here = [each for each in IDENTITIES if each not in away]
    fleet.connect(*here).run()
    assert all(fleet.state(each) == "in-sync" for each in here)
    fleet.connect(*away).run()
    for identity in away:
        fleet.disconnect(identity)
    fleet.load(revision(((3, -3), (1, 1)), commit="c2")).run()
    assert all(fleet.state(each) == "in-sync" for each in here)
    assert all((fleet.state(each), fleet.why(each)) == ("deferred", "offline") for each in away)
    fleet.connect(*away).run()
    assert all(fleet.station(each).verified.revision == "c2" for each in IDENTITIES)


@given(st.sampled_from(IDENTITIES), st.sampled_from((1, 2, 3)))
def test_no_more_commands_are_in_flight_than_allowed(slow, most):
    from reconciler.controller.world import Settings

    fleet = ToyFleet(settings=Settings(most_in_flight=most)).load(revision())
    fleet.watch = lambda fleet: None
    fleet.stations[slow].mute = True
    fleet.connect()
    for _ in range(200):
        fleet.run(timedelta(seconds=1))
        assert fleet.world.in_flight <= most
    assert all(fleet.state(each) == "in-sync" for each in IDENTITIES if each != slow)


def test_an_unknown_outcome_is_read_before_anything_is_sent_again():
    fleet = ToyFleet().load(revision()).connect().run()
    fleet.stations["A-1"].losing, begun = ["request", "request", ""], fleet.now
    fleet.load(revision(((1, 1), (1, 1)), commit="c2")).run(timedelta(hours=1))
    since = next(number for number, (at, _) in enumerate(fleet.log) if at >= begun)
    kinds = [type(each) for _, each in fleet.log[since:] if each.station == "A-1"]
    assert kinds.count(Push) >= 3
    assert all(ReadProfiles in (earlier, later) for earlier, later in pairwise(kinds))
    assert fleet.state("A-1") == "in-sync"
