from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import ProtocolError, Transient
from reconciler.ocpp.frames import Call, CallError, CallResult, CallResultError, Send, encode, parse
from reconciler.ocpp.session import (
    MAX_QUEUED,
    MAX_UNANSWERED,
    Answered,
    Called,
    Disputed,
    Failed,
    Fate,
    Refused,
    Sent,
    Session,
    Stray,
    TimedOut,
)
from reconciler.profiles.capability import Protocol

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)


def session(protocol=Protocol.V201, **options):
    return Session(protocol, **options)


def asking(protocol=Protocol.V201, id_="1"):
    one = session(protocol)
    one.call("GetVariables", {}, NOW, id_)
    one.outgoing()
    return one


def told(one, frame):
    return one.receive(encode(frame), NOW)


def test_a_second_call_waits_for_the_answer_to_the_first():
    one = session()
    one.call("ClearChargingProfile", {"chargingProfileId": 1}, NOW, "1")
    one.call("ClearChargingProfile", {"chargingProfileId": 2}, NOW, "2")
    assert one.outgoing() == ('[2,"1","ClearChargingProfile",{"chargingProfileId":1}]',)
    assert told(one, CallResult("1", {"status": "Accepted"})) == (
        Answered("1", "ClearChargingProfile", {"status": "Accepted"}),
    )
    assert one.outgoing() == ('[2,"2","ClearChargingProfile",{"chargingProfileId":2}]',)


def test_messages_are_handed_over_once():
    one = asking()
    assert one.outgoing() == ()


def test_our_answer_does_not_wait_for_our_own_call():
    one = asking()
    assert told(one, Call("s1", "Heartbeat", {})) == (Called("s1", "Heartbeat", {}),)
    one.answer("s1", {"currentTime": "2026-03-01T00:00:00Z"})
    assert one.outgoing() == ('[3,"s1",{"currentTime":"2026-03-01T00:00:00Z"}]',)


def test_a_call_is_answered_once():
    one = session()
    told(one, Call("s1", "Heartbeat", {}))
    one.refuse("s1", "NotSupported", "no")
    one.answer("s1", {})
    one.refuse("s1", "NotSupported")
    assert one.outgoing() == ('[4,"s1","NotSupported","no",{}]',)


def test_a_call_that_is_repeated_before_its_answer_is_a_stray():
    one = session()
    told(one, Call("s1", "Heartbeat", {}))
    assert told(one, Call("s1", "Heartbeat", {})) == (Stray("s1", "a call with this id is being answered"),)


def test_a_peer_that_never_waits_is_turned_away():
    one = session()
    for number in range(MAX_UNANSWERED):
        told(one, Call(str(number), "Heartbeat", {}))
    (event,) = told(one, Call("more", "Heartbeat", {}))
    assert event == Refused("more", "GenericError", "16 calls are unanswered")
    assert parse(one.outgoing()[0], Protocol.V201).code == "GenericError"


def test_a_refusal_ends_the_call_with_the_peers_code():
    one = asking()
    (event,) = told(one, CallError("1", "NotImplemented", ""))
    assert event == Failed("1", "GetVariables", "NotImplemented", "NotImplemented", Fate.REFUSED)


def test_a_call_without_answer_times_out_and_lets_the_next_go():
    one = asking()
    one.call("GetVariables", {}, NOW, "2")
    assert one.next_deadline == LATER
    assert one.tick(LATER - timedelta(milliseconds=1)) == ()
    assert one.tick(LATER) == (TimedOut("1", "GetVariables"),)
    assert len(one.outgoing()) == 1
    assert one.next_deadline == LATER + timedelta(seconds=30)
    assert not one.idle


def test_a_session_without_calls_has_no_deadline():
    one = session()
    assert one.next_deadline is None
    assert one.idle
    assert one.tick(LATER) == ()


def test_a_late_a_double_and_an_unasked_answer_are_strays():
    one = asking()
    one.tick(LATER)
    assert told(one, CallResult("1", {})) == (Stray("1", "late or double answer"),)
    assert told(one, CallError("1", "GenericError")) == (Stray("1", "late or double answer"),)
    assert told(one, CallResult("x", {})) == (Stray("x", "answer to a call that was never made"),)
    assert one.outgoing() == ()


def test_an_answer_against_the_schema_is_disputed_on_2_1_and_its_outcome_is_unknown():
    one = session(Protocol.V21)
    one.call("ClearChargingProfile", {"chargingProfileId": 1}, NOW, "1")
    one.outgoing()
    (event,) = told(one, CallResult("1", {"status": "Perhaps"}))
    assert (event.code, event.fate) == ("PropertyConstraintViolation", Fate.UNKNOWN)
    assert isinstance(parse(one.outgoing()[0], Protocol.V21), CallResultError)


def test_an_answer_against_the_schema_is_not_disputed_on_2_0_1():
    one = asking()
    (event,) = told(one, CallResult("1", {}))
    assert (event.code, event.fate) == ("OccurrenceConstraintViolation", Fate.UNKNOWN)
    assert one.outgoing() == ()


def test_a_malformed_answer_ends_its_call():
    one = asking()
    (event,) = one.receive('[3,"1",7]', NOW)
    assert (event.id, event.fate) == ("1", Fate.UNKNOWN)
    assert one.idle


def test_malformed_answers_are_never_answered():
    one = session()
    assert one.receive('[4,"x",7]', NOW) == (Refused("x", "RpcFrameworkError", "the error code is not a text"),)
    assert one.receive('[3,"x",7]', NOW) == (Refused("x", "FormatViolation", "the payload is not an object"),)
    assert one.outgoing() == ()


def test_a_text_that_is_no_frame_is_refused_and_the_session_goes_on():
    one = session()
    one.receive("nonsense", NOW)
    one.receive('[2,"a","Heartbeat",[]]', NOW)
    first, second = (parse(text, Protocol.V201) for text in one.outgoing())
    assert (first.id, first.code) == ("-1", "RpcFrameworkError")
    assert (second.id, second.code) == ("a", "FormatViolation")
    assert told(one, Call("b", "Heartbeat", {})) == (Called("b", "Heartbeat", {}),)


def test_a_message_type_that_is_not_spoken_is_dropped():
    one = session()
    assert told(one, Send("a", "X", {})) == (Stray("-1", "message type 6 is not part of 2.0.1"),)
    assert one.outgoing() == ()


def test_what_the_peer_sends_unconfirmed_is_passed_on_without_answer():
    one = session(Protocol.V21)
    assert told(one, Send("a", "NotifyPeriodicEventStream", {})) == (Sent("NotifyPeriodicEventStream", {}),)
    assert one.outgoing() == ()


def test_complaints_about_our_answers_are_reported():
    one = session(Protocol.V21)
    assert told(one, CallResultError("a", "FormatViolation", "bad")) == (Disputed("a", "FormatViolation", "bad"),)
    assert told(one, CallError("-1", "RpcFrameworkError", "eh")) == (Disputed("-1", "RpcFrameworkError", "eh"),)


def test_only_2_1_sends_unconfirmed():
    one = session(Protocol.V21)
    one.send("NotifyPeriodicEventStream", {}, "a")
    assert one.outgoing() == ('[6,"a","NotifyPeriodicEventStream",{}]',)
    with pytest.raises(ProtocolError, match="has no SEND"):
        session().send("NotifyPeriodicEventStream", {}, "a")


def test_closing_ends_every_call_and_says_which_may_have_arrived():
    one = asking()
    one.call("GetVariables", {}, NOW, "2")
    told(one, Call("s1", "Heartbeat", {}))
    assert [(event.id, event.fate) for event in one.close()] == [("1", Fate.UNKNOWN), ("2", Fate.UNSENT)]
    one.answer("s1", {})
    assert (one.receive("[]", NOW), one.tick(LATER), one.close(), one.outgoing()) == ((), (), (), ())


def test_a_closed_or_full_session_takes_no_call():
    one = asking()
    for number in range(MAX_QUEUED):
        one.call("GetVariables", {}, NOW, f"q{number}")
    with pytest.raises(Transient, match="64 calls are waiting"):
        one.call("GetVariables", {}, NOW, "more")
    one.close()
    with pytest.raises(Transient, match="closed"):
        one.call("GetVariables", {}, NOW, "more")
    assert one.outgoing() == ()


def test_a_closed_session_sends_nothing():
    one = session(Protocol.V21)
    one.close()
    one.send("NotifyPeriodicEventStream", {}, "a")
    assert one.outgoing() == ()


def test_a_call_that_is_not_json_leaves_the_session_as_it_was():
    one = session()
    with pytest.raises(ProtocolError):
        one.call("DataTransfer", {"data": object()}, NOW, "1")
    assert one.idle
