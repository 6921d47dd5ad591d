"""The table, row by row: read before write, floor before flow, verified before settled, and never hot."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.plan.change import Clear, Install, Replace
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Purpose, Unit
from reconciler.reported.belief import Belief, Held
from reconciler.reported.events import CompositeRead, CompositeStep, Refused
from reconciler.rollout.commands import ReadCapability, ReadComposite, ReadProfiles, SendRaw
from reconciler.rollout.station import Pace, Tries, backoff, read_back_at
from reconciler.rollout.table import LONGEST_SPACING, NEVER_WAITS, TABLE, due
from toys import NOON

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def composite(evse, limit=0):
    return CompositeRead("S", evse, NOON, (CompositeStep(0, limit, None),))


def test_the_table_says_why_each_row_stands_where_it_stands():
    assert [row.name for row in TABLE] == [
        "offline",
        "busy",
        "not ready",
        "by hand",
        "holding off",
        "no goal",
        "unlearnt",
        "unread",
        "read-back",
        "write",
        "unverified",
        "waiting",
        "contested",
        "settled",
    ]
    assert all(row.why for row in TABLE)


def test_who_is_offline_is_deferred(bench):
    assert bench.ask(bench.station(session=None))[:2] == ("deferred", "offline")


def test_one_command_is_in_flight_at_most(bench):
    answer = bench.ask(bench.station(bench.floor, in_flight=ReadProfiles("S")))
    assert (answer.command, answer.writes, answer.why) == (None, (), "waiting for an answer to GetChargingProfiles")


def test_nothing_is_sent_before_the_station_has_booted(bench):
    answer = bench.ask(bench.station(bench.floor, ready=False))
    assert (answer.state, answer.command, answer.writes) == ("pending", None, ())


def test_what_a_person_asks_for_goes_first_even_while_holding_off(bench):
    raw = SendRaw("S", "Reset", {}, "t")
    assert bench.ask(bench.station(asked=(raw,), retry_at=NOON + MINUTE)).command == raw


def test_trouble_holds_off_until_its_time(bench):
    troubled = bench.station(bench.floor, retry_at=NOON + MINUTE, trouble="timed out")
    answer = bench.ask(troubled)
    assert (answer.command, answer.writes, answer.at) == (None, (), NOON + MINUTE)
    assert answer.why == "next try at 12:01:00 UTC after: timed out"
    assert bench.ask(troubled, NOON + MINUTE).writes


def test_without_a_goal_nothing_is_done_and_the_reason_is_said(bench):
    answer = bench.ask(bench.station(goal=None, trouble="no revision is loaded"))
    assert answer == ("unknown", "no revision is loaded", None, (), None, False)


def test_what_it_can_take_is_read_before_what_it_holds(bench):
    unread = bench.doubt(bench.station(capability=None), known=False)
    assert bench.ask(unread).command == ReadCapability("S", Capability(Protocol.V21))
    assert bench.ask(replace(unread, base=None)).command == ReadProfiles("S")


def test_what_it_holds_is_read_before_anything_is_written(bench):
    answer = bench.ask(bench.doubt(bench.station(bench.floor), known=False))
    assert (answer.state, answer.command) == ("unknown", ReadProfiles("S"))


def test_the_floor_goes_before_all_else(bench):
    answer = bench.ask(bench.station(bench.one, verified=None))
    assert [each.new.id for each in answer.writes] == [1000]
    assert (answer.state, answer.why) == ("pending", "missing")


def test_after_the_floor_only_the_ceiling_may_go_before_the_floor_is_read_back(bench):
    assumed = bench.station(bench.ceiling, verified=None)
    assumed = bench.doubt(assumed, held=assumed.reported.held | {1000: Held(bench.floor, Belief.ASSUMED)}, unread=True)
    answer = bench.ask(assumed)
    assert (answer.command, answer.why) == (ReadProfiles("S"), "the floor is read back before any flow")
    without = bench.doubt(assumed, held={1000: Held(bench.floor, Belief.ASSUMED)})
    assert [each.new.id for each in bench.ask(without).writes] == [1001]


def test_over_a_verified_floor_flow_may_go(bench):
    answer = bench.ask(bench.station(bench.floor, bench.ceiling, verified=None))
    assert [(type(each), each.new.id) for each in answer.writes] == [(Install, 1011), (Install, 1012)]


def test_a_refused_floor_lets_nothing_flow_and_says_why(bench):
    refused = bench.doubt(
        bench.station(bench.ceiling), refusals={1000: (bench.floor, Refused("InvalidSchedule", "no zero"))}
    )
    answer = bench.ask(refused)
    assert (answer.state, answer.writes, answer.command) == ("refused", (), None)
    assert answer.why == "no flow without a verified floor: refused: InvalidSchedule no zero"
    assert answer.at == read_back_at(refused, Pace())


def test_a_goal_without_even_a_floor_clears_nothing(bench):
    empty = replace(bench.goal, profiles=(), refusal="Idle: unknown")
    answer = bench.ask(bench.station(*bench.goal.profiles[2:], goal=empty))
    assert (answer.state, answer.writes) == ("refused", ())
    assert answer.why == "no flow without a verified floor: Idle: unknown"


def test_clears_come_last_and_only_over_a_verified_floor(bench):
    old = bench.profile(1099, 1, 2, 0)
    both = bench.ask(bench.station(bench.floor, bench.ceiling, bench.one, old))
    assert [each.new.id for each in both.writes] == [1012]
    alone = bench.ask(bench.station(*bench.goal.profiles, old))
    assert alone.writes == (Clear(old, "no longer desired"),)
    refused = bench.doubt(bench.station(*bench.goal.profiles[1:], old), refusals={1000: (bench.floor, Refused("No"))})
    assert bench.ask(refused).writes == ()


@pytest.mark.parametrize(
    "purpose", [Purpose.TX_DEFAULT, Purpose.STATION_MAX], ids=["in the floor's place", "a ceiling"]
)
def test_what_holds_the_floors_place_or_is_a_ceiling_may_be_cleared_without_it(bench, purpose):
    old = bench.profile(1099, 0, 0, 0, purpose=purpose)
    refused = bench.doubt(
        bench.station(*bench.goal.profiles[1:], old), refusals={1000: (bench.floor, Refused("DuplicateProfile"))}
    )
    assert bench.ask(refused).writes == (Clear(old, "no longer desired"),)


def test_what_overwrites_a_profile_of_one_evse_is_spaced(bench):
    other = bench.profile(1011, 1, 1, 1000)
    spaced = bench.station(bench.floor, bench.ceiling, other, bench.two, changed_at={1: NOON})
    answer = bench.ask(spaced, NOON + SECOND)
    assert (answer.writes, answer.at) == ((), NOON + MINUTE)
    assert answer.why == "differs in chargingSchedulePeriod; written again at 12:01:00 UTC"
    assert bench.ask(spaced, NOON + MINUTE).writes[0] == Replace(bench.one, other, "differs in chargingSchedulePeriod")
    assert bench.ask(replace(spaced, changed_at={}), NOON + SECOND).writes


def test_what_is_missing_is_put_in_its_place_at_once(bench):
    spaced = bench.station(bench.floor, bench.ceiling, bench.two, written_at={1: NOON}, changed_at={1: NOON})
    assert [each.new.id for each in bench.ask(spaced, NOON + SECOND).writes] == [1011]


def test_discharge_that_is_withdrawn_ends_without_waiting_for_the_write_interval(bench):
    feeding = bench.profile(1011, 1, 1, -1000)
    spaced = bench.station(bench.floor, bench.ceiling, feeding, bench.two, changed_at={1: NOON})
    assert bench.ask(spaced, NOON + SECOND).writes[0] == Replace(
        bench.one, feeding, "differs in chargingSchedulePeriod"
    )
    extra = bench.profile(1013, 1, 2, -1000)
    more = bench.station(*bench.goal.profiles, extra, changed_at={1: NOON})
    assert bench.ask(more, NOON + SECOND).writes == (Clear(extra, "no longer desired"),)


def test_discharge_that_only_becomes_smaller_is_spaced(bench):
    less, more = (bench.profile(1011, 1, 1, each) for each in (-500, -1000))
    goal = replace(bench.goal, profiles=(bench.floor, bench.ceiling, less, bench.two))
    spaced = bench.station(bench.floor, bench.ceiling, more, bench.two, goal=goal, changed_at={1: NOON})
    assert bench.ask(spaced, NOON + SECOND).writes == ()


def test_what_takes_a_profile_away_is_spaced_as_well(bench):
    extra = bench.profile(1013, 1, 2, 1000)
    spaced = bench.station(*bench.goal.profiles, extra, changed_at={1: NOON})
    assert bench.ask(spaced, NOON + SECOND).writes == ()
    assert bench.ask(spaced, NOON + MINUTE).writes == (Clear(extra, "no longer desired"),)


def test_what_may_go_is_not_held_up_by_what_may_not(bench):
    other = bench.profile(1011, 1, 1, 1000)
    spaced = bench.station(bench.floor, bench.ceiling, other, changed_at={1: NOON})
    assert [each.new.id for each in bench.ask(spaced, NOON + SECOND).writes] == [1012]


def test_the_floor_does_not_wait_for_the_write_interval(bench):
    spaced = bench.station(*bench.goal.profiles[1:], changed_at={0: NOON, 1: NOON})
    assert [each.new.id for each in bench.ask(spaced, NOON).writes] == [1000]


def test_the_stations_own_rate_limit_counts_for_the_whole_station(bench):
    limited = replace(Capability(Protocol.V21), update_rate_limit=10 * SECOND)
    spaced = bench.station(bench.floor, bench.ceiling, capability=limited, written_at={2: NOON}, verified=None)
    spaced = replace(spaced, looked_at=None)
    change = bench.ask(spaced, NOON + DAY).writes[0]
    assert due(spaced, change, Pace()) == NOON + 10 * SECOND
    greedy = replace(spaced, capability=replace(limited, update_rate_limit=timedelta.max))
    assert due(greedy, change, Pace()) == NOON + LONGEST_SPACING
    assert due(replace(greedy, capability=None), change, Pace()) == NOON
    assert due(replace(greedy, written_at={}), change, Pace()) == NEVER_WAITS


def test_a_write_that_came_to_nothing_is_backed_off(bench):
    forgetful = bench.station(*bench.goal.profiles[1:], tries={1000: Tries(9, NOON)})
    answer = bench.ask(forgetful, NOON + SECOND)
    assert (answer.writes, answer.at) == ((), NOON + backoff("S/1000", 9))
    assert bench.ask(forgetful, answer.at).writes


def test_everything_written_is_read_back(bench):
    answer = bench.ask(bench.doubt(bench.station(), unread=True))
    assert (answer.state, answer.command) == ("pending", ReadProfiles("S"))
    assert answer.why == "reading back what was written"


def test_what_is_written_is_read_back_while_the_rest_waits(bench):
    other = bench.profile(1011, 1, 1, 1000)
    held = bench.station(bench.floor, bench.ceiling, other, bench.two, changed_at={1: NOON})
    waiting = bench.doubt(held, unread=True)
    assert bench.ask(waiting, NOON + SECOND).command == ReadProfiles("S")


def test_at_a_closed_gate_what_was_written_is_read_back_all_the_same(bench):
    pending = bench.station(bench.floor, bench.ceiling)
    assert bench.ask(bench.doubt(pending, unread=True), gated=True).command == ReadProfiles("S")
    answer = bench.ask(pending, gated=True)
    assert (answer.state, answer.command, answer.writes) == ("drifted", None, ())


def test_routine_read_back_comes_also_while_something_waits(bench):
    at = read_back_at(bench.station(), Pace())
    assert NOON + 12 * MINUTE <= at <= NOON + 15 * MINUTE
    assert bench.ask(bench.station(), at)[:3] == ("in-sync", "routine read-back", ReadProfiles("S"))
    assert bench.ask(bench.station(bench.floor), at)[:3] == ("drifted", "routine read-back", ReadProfiles("S"))
    assert read_back_at(bench.station(looked_at=None), Pace()) is None


def test_only_the_read_back_that_time_alone_makes_due_is_routine(bench):
    at = read_back_at(bench.station(), Pace())
    assert bench.ask(bench.station(), at).routine
    assert not bench.ask(bench.doubt(bench.station(), unread=True)).routine
    assert not bench.ask(bench.doubt(bench.station(), known=False), at).routine


def test_a_settled_station_is_asked_again_at_its_next_read_back_or_renewal(bench):
    assert bench.ask(bench.station()) == ("in-sync", "", None, (), read_back_at(bench.station(), Pace()), False)
    ending = replace(bench.goal, until=NOON + MINUTE)
    assert bench.ask(bench.station(goal=ending)).at == NOON + MINUTE


def test_fields_that_are_not_verifiable_are_told_of_in_sync(bench):
    station = bench.station()
    kept = replace(station.verdicts[0], reason="not verifiable: maxOfflineDuration")
    answer = bench.ask(replace(station, verdicts=(kept, *station.verdicts[1:])))
    assert answer[:2] == ("in-sync", "not verifiable: maxOfflineDuration")


def test_what_the_station_refuses_or_can_not_take_is_said(bench):
    refused = bench.doubt(
        bench.station(bench.floor, bench.ceiling, bench.two), refusals={1011: (bench.one, Refused("TooManyElements"))}
    )
    assert bench.ask(refused)[:2] == ("refused", "refused: TooManyElements")
    unsupported = replace(bench.goal, refusal="stack level 1: the highest is 0")
    assert bench.ask(bench.station(goal=unsupported))[:2] == ("refused", "stack level 1: the highest is 0")


def test_a_change_where_the_goal_was_verified_is_drift_and_else_pending(bench):
    assert bench.ask(bench.station(bench.floor, bench.ceiling)).state == "drifted"
    assert bench.ask(bench.station(bench.floor, bench.ceiling, verified=None)).state == "pending"
    equal = replace(bench.goal)
    assert bench.ask(bench.station(bench.floor, bench.ceiling, verified=equal)).state == "drifted"


@pytest.fixture
def blind(bench):
    """Give a station that took everything and never reports."""
    station = bench.station(belief=Belief.ASSUMED, failed_reads=2, verified=None)
    return bench.doubt(station, known=False, unread=True)


def test_a_blind_station_is_asked_for_its_composite_schedules_one_by_one(bench, blind):
    first = bench.ask(blind)
    assert (first.state, first.command) == ("pending", ReadComposite("S", 1, 3600, Unit.WATT))
    second = bench.ask(bench.doubt(blind, composites={1: composite(1)}))
    assert second.command == ReadComposite("S", 2, 3600, Unit.WATT)


def test_composite_schedules_are_asked_in_watts_where_the_station_knows_them(bench, blind):
    for units, expected in (((Unit.AMPERE,), Unit.AMPERE), ((Unit.AMPERE, Unit.WATT), Unit.WATT), ((), Unit.WATT)):
        asked = replace(blind, capability=replace(blind.capability, units=units))
        assert bench.ask(asked).command.unit is expected
    assert bench.ask(replace(blind, capability=None, base=None)).command.unit is Unit.WATT


def test_a_blind_station_is_never_called_in_sync(bench, blind):
    denying = bench.doubt(blind, composites={1: composite(1, 7100), 2: composite(2, 5000)})
    assert bench.ask(denying)[:2] == (
        "unknown",
        "it does not report its profiles, and its composite schedules do not show what it accepted",
    )
    agreeing = bench.doubt(blind, composites={1: composite(1, 0), 2: composite(2, 0)})
    assert bench.ask(agreeing)[:2] == (
        "unknown",
        "it does not report its profiles; its composite schedules agree with what it accepted",
    )


def test_a_blind_stations_flow_waits_for_a_composite_that_shows_the_floor(bench, blind):
    only = bench.doubt(blind, held=bench.held(bench.floor, bench.ceiling, belief=Belief.ASSUMED))
    assert bench.ask(only).command == ReadComposite("S", 1, 3600, Unit.WATT)
    unlimited = bench.doubt(only, composites={1: composite(1, 33_120), 2: composite(2, 0)})
    answer = bench.ask(unlimited)
    assert (answer.state, answer.writes) == ("refused", ())
    assert answer.why == "no flow without a verified floor: the composite schedule does not show it"
    shown = bench.doubt(only, composites={1: composite(1, 0), 2: composite(2, 0)})
    assert [each.new.id for each in bench.ask(shown).writes] == [1011, 1012]


def test_a_blind_station_writes_without_reading_and_looks_again_in_routine(bench, blind):
    nothing = bench.doubt(blind, held={}, unread=False)
    assert [each.new.id for each in bench.ask(nothing).writes] == [1000]
    at = read_back_at(blind, Pace())
    assert bench.ask(blind, at).command == ReadProfiles("S")
