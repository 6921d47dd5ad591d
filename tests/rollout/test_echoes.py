"""Every write that was taken, or may have been, is told of once more when the station is next read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.profiles.capability import Protocol
from reconciler.reported.events import (
    Accepted,
    Booted,
    Connected,
    OutcomeUnknown,
    ProfilesRead,
    ReadFailed,
    Ready,
    ReportedProfile,
    Written,
)
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear, Push, ReadProfiles
from reconciler.rollout.echoes import await_read_back, read_back
from toys import NOON

WRITE = "s@2026-03-03T12:00:00.000000Z"


@pytest.fixture
def sent(bench):
    """Write profile 1011 of a station, or clear one, and note that it is to be read back."""

    def make(outcome=Accepted(), profile=bench.one, number=1011):
        command = Push("S", profile, bench.station().capability) if profile else Clear("S", number)
        station = bench.station(*bench.goal.profiles, bench.profile(1099, 1, 2, 0), in_flight=command)
        written = absorb(station, Written("S", number, profile, outcome), NOON)
        return replace(await_read_back(written, number, WRITE), in_flight=ReadProfiles("S"))

    return make


def report(*profiles):
    return ProfilesRead("S", tuple(map(ReportedProfile, profiles)))


@pytest.mark.parametrize("outcome", [Accepted(), OutcomeUnknown("timed out")], ids=["accepted", "unknown"])
def test_a_report_says_what_became_of_a_write(bench, sent, outcome):
    station = sent(outcome)
    assert read_back(station, report(*bench.goal.profiles), NOON) == ((1011, WRITE, "as sent"),)
    assert read_back(station, report(), NOON) == ((1011, WRITE, "missing"),)
    other = bench.profile(1011, 1, 1, 3000)
    words = "stored with another chargingSchedulePeriod"
    assert read_back(station, report(other), NOON) == ((1011, WRITE, words),)


@pytest.mark.parametrize("outcome", [Accepted(), OutcomeUnknown("timed out")], ids=["accepted", "unknown"])
def test_a_report_says_what_became_of_a_clear(bench, sent, outcome):
    station = sent(outcome, None, 1099)
    assert read_back(station, report(), NOON) == ((1099, WRITE, "gone"),)
    assert read_back(station, report(bench.profile(1099, 1, 2, 0)), NOON) == ((1099, WRITE, "still there"),)
    aimless = replace(station, goal=None)
    assert read_back(aimless, report(), NOON) == ((1099, WRITE, "gone"),)


def test_a_write_that_a_newer_goal_no_longer_wants_is_still_compared_with_what_was_sent(bench, sent):
    station = replace(sent(), goal=replace(bench.goal, profiles=bench.goal.profiles[:2]))
    assert read_back(station, report(bench.one), NOON) == ((1011, WRITE, "as sent"),)


def test_several_writes_are_told_of_by_id_and_once(bench, sent):
    station = await_read_back(sent(), 1000, "earlier")
    told = read_back(station, report(*bench.goal.profiles), NOON)
    assert told == ((1000, "earlier", "as sent"), (1011, WRITE, "as sent"))
    after = absorb(station, report(*bench.goal.profiles), NOON)
    assert after.awaiting == {}
    assert read_back(replace(after, in_flight=ReadProfiles("S")), report(), NOON) == ()


def test_the_last_write_of_an_id_counts(sent):
    assert await_read_back(sent(), 1011, "later").awaiting == {1011: "later"}


def test_a_reading_that_failed_or_that_a_boot_overtook_ends_no_wait(bench, sent):
    station = sent()
    failed = absorb(station, ReadFailed("S", "silent"), NOON)
    assert failed.awaiting == {1011: WRITE}
    booted = absorb(station, Booted("S", "", "", "", "PowerUp"), NOON)
    assert read_back(booted, report(bench.one), NOON) == ()
    assert absorb(booted, report(bench.one), NOON).awaiting == {1011: WRITE}


def test_a_wait_outlasts_a_new_connection(bench, sent):
    later = NOON + timedelta(minutes=1)
    station = absorb(sent(), Connected("S", Protocol.V21, 2), later)
    assert read_back(station, report(bench.one), later) == (), "not ready: an old socket's report"
    ready = absorb(station, Ready("S", 2), later)
    assert read_back(ready, report(bench.one), later) == ((1011, WRITE, "as sent"),)
