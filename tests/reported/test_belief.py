"""Laws of belief: only a report makes it known, an Accepted is an assumption, and nothing is believed twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.belief import Belief, Echo, Held, Reported, fold
from reconciler.reported.events import (
    Accepted,
    Booted,
    CapabilityRead,
    CompositeRead,
    CompositeStep,
    Connected,
    Disconnected,
    ExternallyLimited,
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

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def profile(number=1, limit=5000):
    schedule = ChargingSchedule(number, Unit.WATT, (Period(0, limit=Decimal(limit)),), start=NOON)
    return Profile(number, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


def read(*profiles):
    return ProfilesRead(
        "S", tuple(each if isinstance(each, ReportedProfile) else ReportedProfile(each) for each in profiles)
    )


def written(held, outcome, number=None):
    return Written("S", number or held.id, held, outcome)


profiles = st.builds(profile, st.integers(1, 3), st.integers(0, 3))
outcomes = st.sampled_from(
    (Accepted(), Refused("InvalidSchedule"), OutcomeUnknown("lost"), NotSent("gone"), NotSent("never", permanent=True))
)
reports = st.lists(profiles, max_size=3, unique_by=lambda each: each.id).map(lambda held: read(*held))
writes = st.one_of(
    st.builds(written, profiles, outcomes),
    st.builds(lambda number, outcome: Written("S", number, None, outcome), st.integers(1, 3), outcomes),
)
others = st.sampled_from(
    (
        Connected("S", Protocol.V21, 1),
        Booted("S", "", "", "", "PowerUp"),
        CompositeRead("S", 1, NOON, (CompositeStep(0, Decimal(1), None),)),
        Ready("S", 1),
        Disconnected("S", 1),
        CapabilityRead("S", Capability(Protocol.V21)),
        ReadFailed("S", "silent"),
        RawAnswered("S", "t", ok=True, answer={}),
        Metered("S", 1, Decimal(1), NOON),
        ExternallyLimited("S", 1, "EMS", active=True),
        Woken("S"),
    )
)
events = st.lists(st.one_of(reports, writes, others), max_size=12)


def believe(happened):
    reported = Reported()
    for event in happened:
        reported = fold(reported, event)
    return reported


@given(events, reports)
def test_folding_a_report_twice_is_folding_it_once(happened, report):
    once = fold(believe(happened), report)
    assert fold(once, report) == once


@given(events, reports)
def test_after_a_report_all_of_it_is_observed_and_nothing_else_is_held(happened, report):
    reported = fold(believe(happened), report)
    assert reported.held == {each.profile.id: Held(each.profile, Belief.OBSERVED) for each in report.profiles}
    assert (reported.known, reported.unread, reported.ever_known, reported.requests) == (True, False, True, {})


@given(events, st.one_of(writes, others))
def test_nothing_but_a_report_makes_it_known_or_observed(happened, event):
    before = believe(happened)
    after = fold(before, event)
    assert before.known or not after.known
    for number, held in after.held.items():
        if held.belief is Belief.OBSERVED:
            assert before.held[number] == held


@given(events, profiles)
def test_an_accepted_write_is_assumed_until_it_is_read(happened, new):
    reported = fold(believe(happened), written(new, Accepted()))
    assert reported.held[new.id] == Held(new, Belief.ASSUMED)
    assert reported.unread
    assert new.id not in reported.refusals


@given(events, st.sampled_from((Connected("S", Protocol.V21, 2), Booted("S", "", "", "", ""))))
def test_a_new_connection_and_a_boot_put_everything_in_doubt(happened, event):
    reported = fold(believe(happened), event)
    assert not reported.known
    assert not reported.composites
    assert all(held.belief is Belief.UNKNOWN for held in reported.held.values())


def test_a_boot_ends_the_memory_of_refusals_and_a_mere_connection_does_not():
    refused = fold(Reported(), written(profile(), Refused("InvalidValue")))
    assert fold(refused, Connected("S", Protocol.V21, 2)).refusals == refused.refusals != {}
    assert fold(refused, Booted("S", "", "", "", "")).refusals == {}


def test_a_refusal_and_what_can_not_be_sent_are_remembered_with_their_content():
    reported = fold(Reported(), written(profile(), Refused("InvalidValue", "x")))
    assert reported.refusals == {1: (profile(), Refused("InvalidValue", "x"))}
    reported = fold(Reported(), written(profile(), NotSent("no such mode", permanent=True)))
    assert reported.refusals == {1: (profile(), Refused("not sent", "no such mode"))}
    assert fold(Reported(), written(profile(), NotSent("gone"))) == Reported()


def test_a_clear_makes_room_for_what_was_refused():
    reported = believe([read(profile(2)), written(profile(), Refused("DuplicateProfile"))])
    assert fold(reported, Written("S", 2, None, Accepted())).refusals == {}
    assert fold(reported, written(profile(3), Accepted())).refusals == reported.refusals


def test_a_cleared_profile_is_gone_and_what_is_not_answered_may_be_held():
    held = fold(Reported(), read(profile()))
    assert not fold(held, Written("S", 1, None, Accepted())).held
    doubted = fold(held, Written("S", 1, None, OutcomeUnknown("lost")))
    assert (doubted.held, doubted.known) == ({1: Held(profile(), Belief.UNKNOWN)}, False)
    assert not fold(held, Written("S", 2, None, OutcomeUnknown("lost"))).known
    doubted = fold(held, written(profile(1, 9), OutcomeUnknown("lost")))
    assert doubted.held == {1: Held(profile(1, 9), Belief.UNKNOWN)}


def test_the_echo_of_a_normalising_station_is_kept():
    reworded = replace(profile(), max_offline=None, valid_from=NOON - timedelta(days=9))
    reported = believe([written(profile(), Accepted()), read(reworded)])
    assert reported.echoes == {1: Echo(profile(), reworded)}
    assert fold(reported, read(reworded)).echoes == reported.echoes
    assert fold(reported, Booted("S", "", "", "", "")).echoes == reported.echoes


def test_an_echo_goes_with_its_profile_and_with_the_next_write():
    reported = believe([written(profile(), Accepted()), read(profile())])
    assert fold(reported, read()).echoes == {}
    assert fold(reported, written(profile(1, 9), Accepted())).echoes == {}


def test_a_write_without_an_answer_is_never_paired_with_the_next_report():
    reported = believe(
        [written(profile(), Accepted()), written(profile(1, 9), OutcomeUnknown("lost")), read(profile(1, 9))]
    )
    assert reported.echoes == {}


def test_our_profile_wins_over_another_sources_with_the_same_id():
    external = ReportedProfile(profile(1, 9), "EMS")
    for order in ((external, profile()), (profile(), external)):
        assert fold(Reported(), read(*order)).held == {1: Held(profile(), Belief.OBSERVED, "CSO")}
    assert fold(Reported(), read(external)).profile(1) == profile(1, 9)
    assert Reported().profile(1) is None


def test_a_composite_schedule_stands_until_the_next_write():
    composite = CompositeRead("S", 1, NOON, ())
    reported = fold(Reported(), composite)
    assert reported.composites == {1: composite}
    assert fold(reported, written(profile(), Accepted())).composites == {}
    assert fold(reported, written(profile(), OutcomeUnknown("lost"))).composites == {}
    assert fold(reported, written(profile(), Refused("No"))).composites == {1: composite}
