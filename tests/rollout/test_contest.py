"""Somebody else writes what we write: we put it back a few times, then leave it and say who it is."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena import Arena
from reconciler.manifests.strategy import ForeignRule
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import Mode, Period
from reconciler.reported.events import (
    Accepted,
    Connected,
    Disconnected,
    NotSent,
    OutcomeUnknown,
    ProfilesRead,
    RawAnswered,
    Ready,
    Refused,
    ReportedProfile,
    Written,
)
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, ReadProfiles, SendRaw
from reconciler.rollout.contest import contested, peace_at
from reconciler.rollout.rounds import DAY, MOST_FOUND, Rounds, again
from reconciler.rollout.station import Pace
from reconciler.rollout.table import FLOOR_AGAIN
from toys import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PACE = Pace()


@pytest.fixture
def other(bench):
    return bench.profile(1011, 1, 1, 11_000)


def fight(arena, act, rounds=8, pause=HOUR):
    for _ in range(rounds):
        act()
        arena.wait(pause)
    return arena


def test_a_profile_that_somebody_else_keeps_changing_is_put_back_three_times_and_then_left(arena, other):
    made = arena()
    fight(made, lambda: made.put(other))
    assert made.times(1011) == 3
    state, why = made.standing()[:2]
    assert (state, made.held[1011].profile) == ("drifted", other)
    assert why == (
        "contested: profile 1011 of EVSE 1 was put back 3 times since 12:14 UTC and was changed to limit 11000 W again"
    )


def test_a_contested_station_is_drifted_also_while_it_is_read(arena, other):
    made = arena()
    fight(made, lambda: made.put(other))
    made.known = replace(made.known, in_flight=ReadProfiles("S"))
    assert made.standing()[:2] == ("drifted", "waiting for an answer to GetChargingProfiles")


def test_how_often_is_the_fleets_own_to_say(arena, other):
    for rounds in (1, 5):
        made = arena(pace=Pace(rounds=rounds))
        fight(made, lambda made=made: made.put(other))
        assert made.times(1011) == rounds


def test_the_others_profiles_are_still_put_back(arena, other):
    made = arena()
    fight(made, lambda: made.put(other))
    del made.held[1012]
    made.wait()
    assert made.times(1012) == 1
    assert made.standing().state == "drifted"


@pytest.mark.parametrize(("source", "number"), [("EMS", 7), ("EMS", 1011), ("CSO", 7)])
def test_who_is_in_its_place_is_named(arena, bench, source, number):
    made = arena()

    def push_out():
        made.held.pop(1011, None)
        made.put(bench.profile(number, 1, 1, 9000), source)

    def until_it_is_seen():
        push_out()
        made.wait()
        made.held.pop(number, None) if number == 7 else None

    fight(made, until_it_is_seen, rounds=3, pause=MINUTE)
    push_out()
    made.wait()
    assert made.standing().why.endswith(f"and is gone again; profile {number} of {source} is in its place")
    assert made.known.rounds[1011].source == source


def test_what_is_gone_without_a_rival_is_said_to_be_gone(arena):
    made = arena()
    fight(made, lambda: made.held.pop(1011, None))
    assert made.standing().why.endswith("was put back 3 times since 12:14 UTC and is gone again")
    assert made.known.rounds[1011].source == ""


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (Period(0, setpoint=Decimal(-9000), mode=Mode.CENTRAL_SETPOINT), "setpoint -9000 W"),
        (Period(0, mode=Mode.LOCAL_FREQUENCY), "mode LocalFrequency"),
        (None, "nothing"),
    ],
)
def test_what_it_was_changed_to_is_said(arena, other, period, words):
    schedule = other.schedule
    if period is None:
        late = replace(other, schedules=(replace(schedule, start=NOON + 30 * DAY),))
    else:
        late = replace(other, schedules=(replace(schedule, periods=(period,)),))
    made = arena()
    fight(made, lambda: made.put(late))
    assert f"was changed to {words} again" in made.standing().why


def test_a_profile_of_the_whole_station_is_named_as_such(arena):
    made = arena()
    fight(made, lambda: made.held.pop(1001, None))
    assert "profile 1001 of the station was put back 3 times" in made.standing().why


def test_the_floor_is_put_back_for_ever_but_no_faster_than_every_quarter_of_an_hour(arena):
    made = arena(pace=Pace(read_back=MINUTE))
    fight(made, lambda: made.held.pop(1000, None), rounds=200, pause=MINUTE)
    at = [when for number, when in made.written if number == 1000]
    assert all(later - earlier >= FLOOR_AGAIN for earlier, later in pairwise(at[3:]))
    assert len(at) >= 3 + 200 // 16
    made.held.pop(1000, None)
    state, why = made.wait(2 * MINUTE).standing()[:2]
    assert state == "drifted"
    assert why.startswith("contested: profile 1000 of the station was put back")
    assert "is gone again; written again at" in why


def test_after_a_day_of_peace_it_is_put_back_again(arena, other):
    made = arena()
    fight(made, lambda: made.put(other))
    last = made.known.rounds[1011].last
    assert peace_at(made.known, frozenset({1011})) == last + DAY
    made.pace = Pace(read_back=30 * DAY)
    assert made.standing().at == last + DAY, "however seldom it is read"
    made.pace = Pace()
    made.wait(last + DAY - MINUTE - made.now)
    assert (made.times(1011), made.standing().state) == (3, "drifted")
    made.wait(2 * MINUTE)
    assert (made.times(1011), made.standing().state) == (4, "in-sync")


def test_what_is_put_back_after_a_day_of_peace_is_the_first_of_the_next_day(arena, other):
    made = arena()
    fight(made, lambda: made.put(other)).wait(DAY)
    assert made.times(1011) == 4
    fight(made, lambda: made.put(other))
    assert made.times(1011) == 6


def test_who_goes_on_changing_what_we_left_keeps_us_away(arena, bench, other):
    made = arena()
    fight(made, lambda: made.put(other))
    another = bench.profile(1011, 1, 1, 4000)
    for number in range(5):
        made.put((another, other)[number % 2]).wait(20 * HOUR)
    assert made.times(1011) == 3


def test_a_goal_of_another_revision_ends_a_contest(arena, other):
    made = arena()
    fight(made, lambda: made.put(other))
    made.known = replace(made.known, goal=replace(made.known.goal, revision="c2"))
    made.settle()
    assert (made.times(1011), made.standing().state) == (4, "in-sync")
    made.put(other).wait()
    assert made.known.rounds[1011].times == 1


def test_a_boot_ends_a_contest_and_what_it_has_cost_is_no_round(arena, other):
    made = arena()
    fight(made, lambda: made.put(other))
    made.boot().settle()
    assert (made.times(1011), made.standing().state) == (4, "in-sync")
    for _ in range(6):
        made.held.clear()
        made.boot().wait(HOUR)
    assert made.known.rounds == {}
    assert made.standing().state == "in-sync"


def test_a_new_connection_without_a_boot_is_no_excuse(arena, other):
    made = arena()
    for session in range(2, 8):
        made.put(other)
        made.feed(Disconnected("S", session - 1)).feed(Connected("S", Protocol.V21, session))
        made.feed(Ready("S", session)).wait()
    assert made.times(1011) == 3


def test_what_a_person_changes_by_hand_is_no_round(arena, other):
    for action, rounds in (("SetChargingProfile", 0), ("ClearChargingProfile", 0), ("Reset", 1)):
        raw = SendRaw("S", action, {}, "t")
        answered, lost = arena(), arena()
        for made in (answered, lost):
            made.known = replace(made.known, in_flight=raw, asked=(raw,))
            made.put(other)
        answered.feed(RawAnswered("S", "t", ok=True, answer={})).settle()
        lost.feed(Disconnected("S", 1)).feed(Connected("S", Protocol.V21, 2)).feed(Ready("S", 2)).settle()
        for made in (answered, lost):
            assert sum(each.times for each in made.known.rounds.values()) == rounds
            assert made.times(1011) == 1


def test_what_we_change_ourselves_is_no_round(arena, bench):
    made = arena()
    for limit in (1000, 2000, 3000, 4000, 5000):
        wanted = (*bench.goal.profiles[:2], bench.profile(1011, 1, 1, limit), bench.goal.profiles[3])
        made.known = replace(made.known, goal=replace(made.known.goal, profiles=wanted))
        made.feed(ProfilesRead("S", tuple(made.held.values()))).wait()
    assert made.known.rounds == {}
    assert made.times(1011) == 5


def test_a_write_of_ours_that_was_lost_on_its_way_is_nobody_elses_doing(arena, bench):
    made, less = arena(), bench.profile(1011, 1, 1, 3000)
    wanted = (*bench.goal.profiles[:2], less, bench.goal.profiles[3])
    made.known = replace(made.known, goal=replace(made.known.goal, profiles=wanted))
    for _ in range(6):
        made.known = replace(made.known, in_flight=Push("S", less, made.known.capability))
        made.feed(Written("S", 1011, less, OutcomeUnknown("timed out")))
        made.feed(ProfilesRead("S", tuple(made.held.values())))
    assert made.known.rounds == {}


def test_a_station_that_never_keeps_what_it_accepts_is_nobody_elses_doing(arena, bench):
    made = arena()
    made.held.pop(1011)
    made.feed(ProfilesRead("S", tuple(made.held.values())))
    first = made.known.rounds
    for _ in range(5):
        made.known = replace(made.known, in_flight=Push("S", bench.one, made.known.capability))
        made.feed(Written("S", 1011, bench.one, Accepted())).feed(ProfilesRead("S", tuple(made.held.values())))
    assert made.known.rounds == {1011: replace(first[1011], written=made.now)}


@pytest.mark.parametrize("outcome", [Refused("InternalError"), NotSent("gone")])
def test_a_write_that_did_not_happen_explains_nothing(arena, bench, other, outcome):
    made = arena().put(other)
    made.known = replace(made.known, in_flight=Push("S", bench.one, made.known.capability))
    made.feed(Written("S", 1011, bench.one, outcome)).feed(ProfilesRead("S", tuple(made.held.values())))
    assert made.known.rounds[1011].times == 1


CLEAR = (ForeignRule(5, 9, "clear"),)


@pytest.mark.parametrize("changing", [False, True], ids=["the same id", "another id each time"])
def test_a_cleared_profile_that_comes_back_is_cleared_three_times_more_and_then_left(arena, bench, changing):
    made = arena(CLEAR)
    for number in range(8):
        made.held = {each: profile for each, profile in made.held.items() if each >= 1000}
        made.put(bench.profile(7 + number * changing, 1, 8, 9000)).wait(HOUR)
    assert len(made.written) == 4
    last = 7 + 7 * changing
    assert last in made.held
    assert made.standing().state == "drifted"
    assert f"profile {last} of EVSE 1 has come back" in made.standing().why
    assert made.standing().why.endswith("UTC, set by CSO")


def test_another_foreign_profile_in_another_place_is_no_return(arena, bench):
    made = arena(CLEAR)
    for level in (5, 6, 7, 8, 9):
        made.put(bench.profile(7 + level, 1, level, 9000)).wait(HOUR)
    assert len(made.written) == 5
    assert made.standing().state == "in-sync"


def test_a_clear_that_took_nothing_away_is_no_return(arena, bench):
    made = arena(CLEAR)
    rival = bench.profile(7, 1, 8, 9000)
    for _ in range(6):
        made.put(rival)
        made.feed(ProfilesRead("S", tuple(made.held.values())))
        made.known = replace(made.known, in_flight=ClearCommand("S", 7))
        made.feed(Written("S", 7, None, Accepted()))
    assert made.known.rounds[7].times == 0


def test_without_a_goal_nothing_is_contested_nor_confirmed(arena, other):
    made = arena()
    fight(made, lambda: made.put(other))
    aimless = replace(made.known, goal=None, verdicts=())
    assert contested(aimless, PACE, made.now) == frozenset()
    after = absorb(aimless, ProfilesRead("S", tuple(made.held.values())), made.now)
    assert (after.confirmed, after.rounds) == (frozenset(), made.known.rounds)
    cleared = replace(aimless, in_flight=ClearCommand("S", 1012))
    assert absorb(cleared, Written("S", 1012, None, Accepted()), made.now).rounds == made.known.rounds


def test_what_is_as_it_should_be_is_not_contested(arena, bench, other):
    made = arena()
    fight(made, lambda: made.put(other))
    made.put(bench.one).wait()
    assert made.standing()[:2] == ("in-sync", "")


def test_rounds_count_together_within_a_day_only():
    first = again(None, "c1", NOON)
    second = again(first, "c1", NOON + 20 * HOUR)
    assert (first.times, second.times, second.first) == (1, 2, NOON)
    third = again(second, "c1", NOON + 25 * HOUR)
    assert (third.times, third.first, third.last) == (2, NOON + 20 * HOUR, NOON + 25 * HOUR)
    assert not third.is_over("c1", NOON + 48 * HOUR)
    assert third.is_over("c1", NOON + 49 * HOUR)
    assert third.is_over("c2", NOON + 25 * HOUR)


def test_a_cleared_profile_begins_with_no_round():
    begun = Rounds((), NOON, written=NOON)
    assert (begun.times, begun.first) == (0, NOON)
    assert again(begun, "c1", NOON + HOUR) == Rounds((NOON + HOUR,), NOON + HOUR, revision="c1", written=NOON)


def test_no_more_rounds_of_a_day_are_remembered_than_a_fleet_may_allow():
    rounds = None
    for number in range(MOST_FOUND + 5):
        rounds = again(rounds, "c1", NOON + number * MINUTE)
    assert (rounds.times, rounds.first) == (MOST_FOUND, NOON + 5 * MINUTE)


acts = st.lists(
    st.tuples(
        st.sampled_from((1001, 1011, 1012)), st.sampled_from(("change", "take", "swap")), st.sampled_from((1, 40, 700))
    ),
    max_size=30,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_no_day_has_more_than_three_repairs_of_one_profile_whoever_fights(bench, acts):
    goal = replace(bench.goal, until=NOON + 90 * DAY)
    known = bench.doubt(bench.station(goal=goal, looked_at=None, verified=goal), known=False)
    made = Arena(known, {each.id: ReportedProfile(each) for each in goal.profiles}).settle()
    for number, act, minutes in acts:
        made.held.pop(number, None)
        own = next(each for each in goal.profiles if each.id == number)
        if act == "change":
            made.put(replace(own, schedules=(replace(own.schedule, periods=(Period(0, limit=Decimal(1)),)),)))
        elif act == "swap":
            made.put(replace(own, id=7), "EMS")
        made.wait(minutes * MINUTE)
        assert 1000 in made.held
        standing = made.standing()
        assert standing.state in ("in-sync", "drifted")
        assert standing.at is not None
    for number in (1001, 1011, 1012):
        at = [when for each, when in made.written if each == number]
        for start in at:
            assert len([when for when in at if start <= when < start + DAY]) <= 3
