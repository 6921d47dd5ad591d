"""What each event means for one station, event by event; ends of commands count once, and only where they belong."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Unit
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.reported.events import (
    Accepted,
    Booted,
    CapabilityRead,
    CompositeRead,
    CompositeStep,
    Connected,
    Disconnected,
    ExternallyLimited,
    Faulted,
    Metered,
    NotSent,
    OutcomeUnknown,
    ProfilesRead,
    RawAnswered,
    ReadFailed,
    Ready,
    Refused,
    ReportedProfile,
    Woken,
    Written,
)
from reconciler.rollout.absorb import LONGEST_PART, MOST_FAULTS, absorb, answer_words, ends
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadComposite, ReadProfiles, SendRaw
from reconciler.rollout.station import BLIND_AFTER, LONGEST_RETRY, Station, Tries, backoff
from reconciler.rollout.wear import Counts
from toys import NOON, stranger

BASE = Capability(Protocol.V21)
BETTER = replace(BASE, max_periods=99)
PROFILE = stranger(1011, 1, 1)
SECOND = timedelta(seconds=1)
PUSH = Push("S", PROFILE, BASE)
RAW = SendRaw("S", "Reset", {}, "t1")
COMPOSITE = CompositeRead("S", 1, NOON, (CompositeStep(0, Decimal(0), None),))
KNOWN = Reported({1011: Held(PROFILE, Belief.OBSERVED)}, known=True, ever_known=True)


def station(**changed):
    """Give a station that is online and ready, knows what it can take, and waits for nothing."""
    usual = {"session": 3, "protocol": Protocol.V21, "ready": True, "base": BASE, "capability": BASE}
    return Station("S", **{**usual, "reported": KNOWN, **changed})


def written(outcome, profile=PROFILE):
    return Written("S", 1011, profile, outcome)


def test_a_connection_puts_in_doubt_and_begins_afresh():
    troubled = station(failures=3, failed_reads=2, retry_at=NOON, verified="goal")
    after = absorb(troubled, Connected("S", Protocol.V21, 4), NOON)
    assert (after.session, after.ready, after.capability) == (4, False, BASE)
    assert (after.failures, after.failed_reads, after.retry_at, after.reported.known) == (0, 0, None, False)
    assert after.verified == "goal"


def test_another_protocol_is_another_capability():
    assert absorb(station(), Connected("S", Protocol.V201, 4), NOON).capability is None


def test_only_the_socket_in_use_makes_ready_or_offline():
    waiting = station(ready=False)
    assert absorb(waiting, Ready("S", 3), NOON).ready
    assert not absorb(waiting, Ready("S", 2), NOON).ready
    assert absorb(station(), Disconnected("S", 2), NOON) == station()
    gone = absorb(station(asked=(RAW,)), Disconnected("S", 3), NOON)
    assert (gone.session, gone.ready, gone.asked) == (None, False, ())


@pytest.mark.parametrize("lost", [Connected("S", Protocol.V21, 4), Disconnected("S", 3)])
def test_a_write_in_flight_on_a_lost_connection_may_have_been_taken(lost):
    new = stranger(1012, 2, 1)
    after = absorb(station(in_flight=Push("S", new, BASE)), lost, NOON)
    assert after.in_flight is None
    assert after.reported.held[1012] == Held(new, Belief.UNKNOWN)
    assert (after.tries[1012], after.written_at) == (Tries(1, NOON), {2: NOON})
    after = absorb(station(in_flight=Clear("S", 1011)), lost, NOON)
    assert after.reported.held[1011].belief is Belief.UNKNOWN
    assert not after.reported.known


@pytest.mark.parametrize("lost", [Connected("S", Protocol.V21, 4), Disconnected("S", 3)])
def test_a_request_in_flight_is_not_sent_again_and_a_reading_is_forgotten(lost):
    assert absorb(station(in_flight=RAW, asked=(RAW,)), lost, NOON).asked == ()
    after = absorb(station(in_flight=ReadProfiles("S"), overtaken=True), lost, NOON)
    assert (after.in_flight, after.overtaken) == (None, False)


def test_requests_that_were_not_sent_yet_survive_a_new_connection():
    assert absorb(station(asked=(RAW,)), Connected("S", Protocol.V21, 4), NOON).asked == (RAW,)


def test_a_boot_has_everything_read_anew():
    after = absorb(station(failures=3, failed_reads=2, retry_at=NOON), Booted("S", "a", "b", "1", "PowerUp"), NOON)
    assert (after.capability, after.failures, after.failed_reads, after.retry_at) == (None, 0, 0, None)
    assert (after.ready, after.reported.known, after.overtaken) == (True, False, False)


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (ReadProfiles("S"), ProfilesRead("S", ())),
        (ReadCapability("S", BASE), CapabilityRead("S", BETTER)),
        (ReadComposite("S", 1, 60, Unit.WATT), COMPOSITE),
        (ReadProfiles("S"), ReadFailed("S", "silent")),
    ],
)
def test_a_reading_that_a_boot_overtook_is_made_anew(command, event):
    booted = absorb(station(in_flight=command), Booted("S", "a", "b", "1", "PowerUp"), NOON)
    assert (booted.in_flight, booted.overtaken) == (command, True)
    after = absorb(booted, event, NOON)
    assert (after.in_flight, after.overtaken) == (None, False)
    assert after.reported == booted.reported
    assert (after.capability, after.failures) == (None, 0)


def test_a_write_that_a_boot_overtook_is_an_assumption_to_be_read():
    booted = absorb(station(in_flight=PUSH), Booted("S", "a", "b", "1", "PowerUp"), NOON)
    after = absorb(booted, written(Accepted()), NOON)
    assert after.reported.held[1011].belief is Belief.ASSUMED
    assert not after.reported.known


@pytest.mark.parametrize(
    ("command", "event", "does"),
    [
        (ReadCapability("S", BASE), CapabilityRead("S", BASE), True),
        (ReadCapability("S", BASE), ReadFailed("S", ""), True),
        (ReadCapability("S", BASE), ProfilesRead("S", ()), False),
        (ReadProfiles("S"), ProfilesRead("S", ()), True),
        (ReadProfiles("S"), ReadFailed("S", ""), True),
        (ReadProfiles("S"), CapabilityRead("S", BASE), False),
        (ReadComposite("S", 1, 60, Unit.WATT), COMPOSITE, True),
        (ReadComposite("S", 2, 60, Unit.WATT), COMPOSITE, False),
        (ReadComposite("S", 2, 60, Unit.WATT), ReadFailed("S", ""), True),
        (PUSH, written(Accepted()), True),
        (PUSH, written(Accepted(), stranger(1011, 1, 2)), False),
        (PUSH, written(Accepted(), None), False),
        (PUSH, ReadFailed("S", ""), False),
        (Clear("S", 1011), written(Accepted(), None), True),
        (Clear("S", 1012), written(Accepted(), None), False),
        (Clear("S", 1011), written(Accepted()), False),
        (RAW, RawAnswered("S", "t1", ok=True, answer={}), True),
        (RAW, RawAnswered("S", "t2", ok=True, answer={}), False),
        (None, written(Accepted()), False),
        (None, ReadFailed("S", ""), False),
    ],
)
def test_an_end_belongs_to_one_command(command, event, does):
    assert ends(command, event) is does
    after = absorb(station(in_flight=command), event, NOON)
    assert after.in_flight == (None if does else command)


def test_a_late_end_of_an_old_socket_tells_about_writes_only():
    busy = station(in_flight=ReadCapability("S", BASE))
    late = absorb(busy, written(Accepted()), NOON)
    assert (late.reported.held[1011].belief, late.answers) == (Belief.ASSUMED, {1011: "Accepted"})
    assert (late.tries, late.written_at, late.failures) == ({}, {}, 0)
    assert absorb(busy, ProfilesRead("S", ()), NOON) == busy
    assert absorb(station(ready=False), ProfilesRead("S", ()), NOON) == station(ready=False)
    assert absorb(station(), ReadFailed("S", "silent"), NOON) == station()
    refused = absorb(busy, written(Refused("No")), NOON)
    assert refused.reported.refusals
    assert refused.retry_at is None


def test_a_report_that_nobody_asked_for_is_taken_from_a_station_that_is_ready():
    after = absorb(station(), ProfilesRead("S", (ReportedProfile(stranger()),)), NOON)
    assert set(after.reported.held) == {7}


def test_a_capability_that_was_read_counts_from_then_on():
    reading = station(in_flight=ReadCapability("S", BASE), capability=None, failed_reads=1, failures=1, retry_at=NOON)
    after = absorb(reading, CapabilityRead("S", BETTER, 2 * SECOND), NOON)
    assert (after.capability, after.skew, after.failed_reads) == (BETTER, 2 * SECOND, 0)
    assert (after.failures, after.retry_at) == (0, None)


def test_a_device_model_that_says_nothing_leaves_what_was_declared():
    reading = station(in_flight=ReadCapability("S", BASE), capability=None)
    failed = absorb(reading, ReadFailed("S", "silent"), NOON)
    assert (failed.capability, failed.failed_reads, failed.retry_at) == (None, 1, NOON + backoff("S", 1))
    again = absorb(replace(failed, in_flight=reading.in_flight), ReadFailed("S", "silent"), NOON)
    assert (again.capability, again.failed_reads) == (BASE, 0)
    never = absorb(reading, ReadFailed("S", "NotImplemented", permanent=True), NOON)
    assert (never.capability, never.failed_reads) == (BASE, 0)


def test_a_whole_report_is_dated():
    reading = station(in_flight=ReadProfiles("S"), failed_reads=2, failures=2, retry_at=NOON)
    after = absorb(reading, ProfilesRead("S", ()), NOON + SECOND)
    assert (after.read_at, after.looked_at) == (NOON + SECOND, NOON + SECOND)
    assert (after.failed_reads, after.failures, after.retry_at) == (0, 0, None)


def test_a_station_that_does_not_report_becomes_blind_and_its_composites_are_asked_anew():
    reported = replace(KNOWN, composites={1: COMPOSITE})
    reading = station(in_flight=ReadProfiles("S"), reported=reported)
    once = absorb(reading, ReadFailed("S", "silent"), NOON)
    assert (once.blind, once.looked_at, once.reported.composites) == (False, None, {1: COMPOSITE})
    twice = absorb(replace(once, in_flight=ReadProfiles("S")), ReadFailed("S", "silent"), NOON)
    assert (twice.blind, twice.looked_at, twice.reported.composites) == (True, NOON, {})
    assert (twice.failures, twice.retry_at, twice.trouble) == (2, NOON + backoff("S", 2), "silent")
    assert absorb(reading, ReadFailed("S", "NotImplemented", permanent=True), NOON).failed_reads == BLIND_AFTER


def test_a_composite_that_fails_says_nothing_about_the_inventory():
    reported = replace(KNOWN, composites={1: COMPOSITE})
    asking = station(in_flight=ReadComposite("S", 2, 60, Unit.WATT), reported=reported, failed_reads=2)
    after = absorb(asking, ReadFailed("S", "Rejected", permanent=True), NOON)
    assert (after.failed_reads, after.reported.composites, after.failures) == (2, {1: COMPOSITE}, 1)


def test_a_composite_is_in_the_unit_it_was_asked_in():
    asking = station(in_flight=ReadComposite("S", 1, 60, Unit.AMPERE), failures=1, retry_at=NOON)
    after = absorb(asking, COMPOSITE, NOON)
    assert after.reported.composites == {1: replace(COMPOSITE, unit=Unit.AMPERE)}
    assert after.failures == 0
    assert absorb(station(), COMPOSITE, NOON).reported.composites == {1: COMPOSITE}


def test_an_accepted_write_is_counted_and_calms():
    after = absorb(station(in_flight=PUSH, failures=3, retry_at=NOON), written(Accepted()), NOON)
    assert (after.failures, after.retry_at, after.answers) == (0, None, {1011: "Accepted"})
    assert (after.written_at, after.tries) == ({1: NOON}, {1011: Tries(1, NOON)})
    again = absorb(replace(after, in_flight=PUSH), written(Accepted()), NOON + SECOND)
    assert (again.written_at, again.tries) == ({1: NOON + SECOND}, {1011: Tries(2, NOON + SECOND)})


def test_what_overwrites_or_clears_is_remembered_and_what_fills_a_gap_is_not():
    empty = station(in_flight=PUSH, reported=Reported(known=True))
    first = absorb(empty, written(Accepted()), NOON)
    assert first.changed_at == {}
    second = absorb(replace(first, in_flight=PUSH), written(Accepted()), NOON + SECOND)
    assert second.changed_at == {1: NOON + SECOND}
    lost = absorb(replace(second, in_flight=PUSH), written(OutcomeUnknown("timed out")), NOON + 2 * SECOND)
    assert lost.changed_at == {1: NOON + 2 * SECOND}
    refused = absorb(replace(second, in_flight=PUSH), written(Refused("InternalError")), NOON + 3 * SECOND)
    assert refused.changed_at == {1: NOON + SECOND}
    cleared = absorb(replace(second, in_flight=Clear("S", 1011)), written(Accepted(), None), NOON + 4 * SECOND)
    assert cleared.changed_at == {1: NOON + 4 * SECOND}


def test_a_clear_counts_for_the_station():
    after = absorb(station(in_flight=Clear("S", 1011)), written(Accepted(), None), NOON)
    assert (after.written_at, after.tries) == ({0: NOON}, {1011: Tries(1, NOON)})


def test_a_refused_write_is_counted_and_backs_off():
    after = absorb(station(in_flight=PUSH), written(Refused("InternalError", "busy")), NOON)
    assert (after.trouble, after.failures) == ("Rejected: InternalError busy", 1)
    assert (after.retry_at, after.written_at) == (NOON + backoff("S", 1), {})
    assert after.tries == {1011: Tries(1, NOON)}


def test_a_station_that_asks_to_wait_is_waited_for_but_never_less_than_the_back_off():
    for wait, expected in ((60 * SECOND, 60 * SECOND), (0 * SECOND, backoff("S", 1))):
        refusal = Refused("RateLimitExceeded", f"{wait}", wait)
        assert absorb(station(in_flight=PUSH), written(refusal), NOON).retry_at == NOON + expected


def test_an_unknown_outcome_backs_off_and_counts_as_a_write():
    after = absorb(station(in_flight=PUSH), written(OutcomeUnknown("timed out")), NOON)
    assert (after.trouble, after.retry_at) == ("unknown: timed out", NOON + backoff("S", 1))
    assert (after.written_at, after.tries) == ({1: NOON}, {1011: Tries(1, NOON)})


def test_what_was_not_sent_backs_off_and_does_not_count():
    for outcome in (NotSent("gone"), NotSent("no such mode", permanent=True)):
        after = absorb(station(in_flight=PUSH), written(outcome), NOON)
        assert (after.failures, after.tries, after.written_at) == (1, {}, {})


def test_after_a_request_by_hand_the_station_is_read_anew():
    second = replace(RAW, ticket="t2")
    after = absorb(station(in_flight=RAW, asked=(RAW, second)), RawAnswered("S", "t1", ok=False, answer={}), NOON)
    assert (after.in_flight, after.asked, after.reported.known) == (None, (second,), False)


def test_meters_and_limits_of_others_are_remembered():
    after = absorb(station(), Metered("S", 1, Decimal(-7000), NOON), NOON)
    assert after.power_w == {1: (Decimal(-7000), NOON)}
    limited = absorb(station(), ExternallyLimited("S", 2, "EMS", active=True), NOON)
    assert limited.external == {2}
    assert absorb(limited, ExternallyLimited("S", 2, "EMS", active=False), NOON).external == frozenset()


@pytest.mark.parametrize("number", [-1, 1001, 2**31])
def test_noise_about_evses_that_can_not_be_is_dropped(number):
    assert absorb(station(), Metered("S", number, Decimal(1), NOON), NOON) == station()
    assert absorb(station(), ExternallyLimited("S", number, "EMS", active=True), NOON) == station()
    assert absorb(station(), Faulted("S", number, active=True, what="station"), NOON) == station()


def test_a_fault_lasts_until_its_own_part_is_well_again():
    broken = station()
    for part in ("EVSE 1 connector 1", "EVSE 1 connector 2"):
        broken = absorb(broken, Faulted("S", 1, active=True, what=part), NOON)
    assert broken.faults == {1}
    half = absorb(broken, Faulted("S", 1, active=False, what="EVSE 1 connector 1"), NOON)
    assert half.faults == {1}, "the other connector is still faulted"
    assert absorb(half, Faulted("S", 1, active=False, what="EVSE 1 connector 2"), NOON) == station()
    assert absorb(station(), Faulted("S", 0, active=True, what="station"), NOON).faults == {0}


def test_accepted_writes_are_counted_on_the_evse_of_their_profile():
    made = station()
    for event in (written(Accepted()), written(Accepted()), written(Refused("No")), written(OutcomeUnknown("lost"))):
        made = absorb(replace(made, in_flight=PUSH), event, NOON)
    assert made.counts == {1: Counts(writes=2)}
    cleared = absorb(replace(made, in_flight=Clear("S", 1011)), written(Accepted(), None), NOON)
    assert cleared.counts == {1: Counts(writes=3)}
    unknown = Written("S", 1999, None, Accepted())
    assert absorb(replace(made, in_flight=Clear("S", 1999)), unknown, NOON).counts[0] == Counts(writes=1)


def test_an_accepted_write_of_an_earlier_connection_is_counted_as_well():
    assert absorb(station(), written(Accepted()), NOON).counts == {1: Counts(writes=1)}


def test_a_turn_is_a_flow_the_other_way_than_last_and_noise_has_no_direction():
    made = station()
    for power_w in (150, -150, 7000, 0, 6000, -200, -201, -7000, 100, -300, 201):
        made = absorb(made, Metered("S", 1, Decimal(power_w), NOON), NOON)
    assert made.counts == {1: Counts(turns=2, sign=1)}


@pytest.mark.parametrize("power_w", [200, -200, 0])
def test_what_a_cable_draws_has_no_direction(power_w):
    assert absorb(station(), Metered("S", 1, Decimal(power_w), NOON), NOON).counts == {}


def test_the_main_meter_turns_no_relay():
    made = absorb(station(), Metered("S", 0, Decimal(7000), NOON), NOON)
    assert (made.counts, set(made.power_w)) == ({}, {0})


def test_a_boot_ends_faults_and_a_new_connection_does_not():
    broken = absorb(station(), Faulted("S", 2, active=True, what="EVSE 2"), NOON)
    assert absorb(broken, Connected("S", Protocol.V21, 4), NOON).faults == {2}
    assert absorb(broken, Booted("S", "a", "b", "1", "PowerUp"), NOON).faults == frozenset()


def test_a_station_that_names_ever_new_faults_does_not_fill_the_memory():
    broken = station()
    for number in range(MOST_FAULTS + 5):
        broken = absorb(broken, Faulted("S", 1, active=True, what=f"{number} " + "x" * 500), NOON)
    assert len(broken.faulted) == MOST_FAULTS
    assert all(len(part) == LONGEST_PART for _, part in broken.faulted)


def test_waking_changes_nothing():
    assert absorb(station(in_flight=PUSH), Woken("S"), NOON) == station(in_flight=PUSH)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Accepted(), "Accepted"),
        (Refused("InvalidSchedule"), "Rejected: InvalidSchedule"),
        (OutcomeUnknown("lost"), "unknown: lost"),
        (NotSent("gone"), "not sent: gone"),
    ],
)
def test_answers_are_said_in_words(outcome, words):
    assert answer_words(written(outcome)) == words


def test_the_back_off_doubles_to_a_quarter_of_an_hour_and_differs_by_station():
    waits = [backoff("S", number) for number in range(1, 30)]
    longest = [min(SECOND * 2**number, LONGEST_RETRY) for number in range(29)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert backoff("S", 5) != backoff("T", 5)
    assert backoff("S", 10**9) <= LONGEST_RETRY


def test_a_refusal_before_its_boot_is_no_try_and_ends_with_the_boot():
    early = absorb(station(in_flight=PUSH), written(Refused("CSNotAccepted")), NOON)
    assert early.tries == {}
    assert early.retry_at == NOON + backoff("S", 1)
    booted = absorb(early, Booted("S", "Acme", "X", "1", "PowerUp"), NOON + SECOND)
    assert (booted.retry_at, booted.tries, booted.failures) == (None, {}, 0)


def test_what_was_written_and_is_not_reported_is_unknown():
    waiting = station(in_flight=ReadProfiles("S"), reported=replace(KNOWN, unread=True))
    after = absorb(waiting, ReadFailed("S", "accepted, but nothing was reported"), NOON)
    assert not after.reported.known
    routine = absorb(station(in_flight=ReadProfiles("S")), ReadFailed("S", "timed out"), NOON)
    assert routine.reported.known
