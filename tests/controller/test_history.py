"""History: every write has a reason, a commit and an end, also those that are lost on the way."""

from datetime import timedelta

from reconciler.controller.step import step
from reconciler.controller.world import Ask
from reconciler.reported.events import (
    Accepted,
    Disconnected,
    RawAnswered,
    Written,
)
from reconciler.rollout.commands import SendRaw
from toys import DEFAULT, ToyFleet, revision, stranger

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OTHER = ((3, -3), (1, 1))


def settled(made=None, **more):
    return ToyFleet(**more).load(made or revision()).connect().run()


def test_a_write_is_recorded_with_the_commit_it_was_sent_for_and_why():
    fleet = settled()
    fleet.load(revision(OTHER, commit="c2")).run(MINUTE)
    pushed = [each for each in fleet.history if each.profile_id == 1011 and each.station == "A-1"][-1]
    assert (pushed.action, pushed.answer, pushed.revision) == ("SetChargingProfile", "Accepted", "c2")
    assert (pushed.reason, pushed.evse_id, pushed.author) == ("differs in chargingSchedulePeriod", 1, "Ada")
    assert pushed.source.startswith("fleet.yaml:")
    assert len(pushed.digest) == 64


def test_a_revision_that_comes_while_a_write_is_on_its_way_does_not_take_its_history():
    fleet = settled(revision(write="0s"))
    fleet.load(revision(OTHER, commit="c2", write="0s")).run(timedelta(milliseconds=50))
    fleet.load(revision(DEFAULT, commit="c3", write="0s")).run()
    lines = [each.revision for each in fleet.history if each.profile_id == 1011 and each.station == "A-1"]
    assert lines == ["c1", "c2", "c3"]


def test_a_write_lost_with_its_connection_is_recorded_as_unknown():
    for lose in (lambda fleet: fleet.disconnect("A-1"), lambda fleet: fleet.connect("A-1")):
        fleet = settled()
        fleet.load(revision(OTHER, commit="c2")).run(timedelta(milliseconds=50))
        lose(fleet)
        assert fleet.history[-1].answer == "unknown: the connection was lost"
        assert (fleet.history[-1].revision, fleet.history[-1].reason) == ("c2", "differs in chargingSchedulePeriod")
        assert not fleet.world.errands or "a-1" not in fleet.world.errands


def test_another_sockets_end_does_not_close_a_line():
    fleet = settled()
    fleet.load(revision(OTHER, commit="c2")).run(timedelta(milliseconds=50))
    before = len(fleet.history)
    fleet.feed(Disconnected("A-1", 10**6))
    assert len(fleet.history) == before
    fleet.run()
    assert fleet.state("A-1") == "in-sync"


def test_a_late_answer_is_recorded_as_that():
    fleet = settled()
    fleet.feed(Written("A-1", 1011, stranger(1011), Accepted()))
    fleet.feed(Written("A-1", 1011, None, Accepted()))
    assert [(each.action, each.reason) for each in fleet.history[-2:]] == [
        ("SetChargingProfile", "sent on an earlier connection"),
        ("ClearChargingProfile", "sent on an earlier connection"),
    ]


def test_a_clear_is_recorded_with_what_it_clears():
    fleet = settled()
    fleet.stations["A-1"].held[1099] = stranger(1099, 1, 5)
    fleet.run(timedelta(minutes=20))
    (line,) = [each for each in fleet.history if each.action == "ClearChargingProfile"]
    assert (line.profile_id, line.evse_id, line.reason, line.answer) == (1099, 1, "no longer desired", "Accepted")
    assert line.digest == ""


def test_boots_and_failed_requests_are_recorded():
    fleet = settled()
    fleet.boot("A-1")
    assert [(each.action, each.reason) for each in fleet.history][-1] == ("BootNotification", "PowerUp")
    fleet.run()
    fleet.feed(Ask(SendRaw("A-1", "Reset", {}, "t1"), "ada"))
    _, effects = step(fleet.world, RawAnswered("A-1", "t1", ok=False, answer={}), fleet.now)
    assert effects[0].answer == "not answered, or with an error"


def test_a_request_of_which_nothing_left_is_recorded_as_not_sent_and_why():
    fleet = settled()
    fleet.feed(Ask(SendRaw("A-1", "Reset", {}, "t1"), "ada"))
    why = "could not be recorded: the disk is full"
    _, effects = step(fleet.world, RawAnswered("A-1", "t1", ok=False, answer={}, not_sent=why), fleet.now)
    assert effects[0].answer == "not sent: could not be recorded: the disk is full"
