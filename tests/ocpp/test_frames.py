from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ProtocolError
from reconciler.ocpp.frames import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    ErrorCode,
    FrameError,
    Ignored,
    Send,
    encode,
    parse,
)
from reconciler.profiles.capability import Protocol

ANY = st.sampled_from(Protocol)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
ids = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=36)
objects = st.dictionaries(texts, st.none() | st.booleans() | st.integers(-(2**31), 2**31) | texts, max_size=4)
frames_of_21 = st.one_of(
    st.builds(Call, ids, texts, objects),
    st.builds(CallResult, ids, objects),
    st.builds(CallError, ids, texts, texts, objects),
    st.builds(CallResultError, ids, texts, texts, objects),
    st.builds(Send, ids, texts, objects),
)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=4),
)


@given(frames_of_21)
def test_what_is_written_is_read_back(frame):
    assert parse(encode(frame), Protocol.V21) == frame


@given(st.binary(max_size=60) | st.text(max_size=60), ANY)
def test_any_text_gives_a_frame_or_a_frame_error(text, protocol):
    read_or_refused(text, protocol)


@given(json, ANY)
def test_any_json_gives_a_frame_or_a_frame_error(value, protocol):
    read_or_refused(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str), protocol)


def read_or_refused(text, protocol):
    try:
        parse(text, protocol)
    except FrameError as error:
        refusal = error
    else:
        return
    assert refusal.code in set(ErrorCode)
    assert 0 < len(refusal.message_id) <= 36


@pytest.mark.parametrize(
    ("text", "code", "message_id"),
    [
        ("", "RpcFrameworkError", "-1"),
        ("nonsense", "RpcFrameworkError", "-1"),
        ("{}", "RpcFrameworkError", "-1"),
        ("[]", "RpcFrameworkError", "-1"),
        ("[NaN]", "RpcFrameworkError", "-1"),
        ('["2","a","Heartbeat",{}]', "RpcFrameworkError", "a"),
        ('[true,"a","Heartbeat",{}]', "RpcFrameworkError", "a"),
        ('[2.5,"a","Heartbeat",{}]', "RpcFrameworkError", "a"),
        ("[2]", "RpcFrameworkError", "-1"),
        ('[2,7,"Heartbeat",{}]', "RpcFrameworkError", "-1"),
        ('[2,"","Heartbeat",{}]', "RpcFrameworkError", "-1"),
        (f'[2,"{"x" * 37}","Heartbeat",{{}}]', "RpcFrameworkError", "-1"),
        ('[2,"a","Heartbeat"]', "RpcFrameworkError", "a"),
        ('[2,"a","Heartbeat",{},{}]', "RpcFrameworkError", "a"),
        ('[2,"a",5,{}]', "RpcFrameworkError", "a"),
        ('[2,"a","Heartbeat",[]]', "FormatViolation", "a"),
        ('[2,"a","Heartbeat",null]', "FormatViolation", "a"),
        ('[3,"a"]', "RpcFrameworkError", "a"),
        ('[3,"a",7]', "FormatViolation", "a"),
        ('[4,"a",7]', "RpcFrameworkError", "a"),
    ],
)
def test_what_is_no_frame_is_refused_with_its_code_and_id(text, code, message_id):
    with pytest.raises(FrameError) as caught:
        parse(text, Protocol.V201)
    assert (caught.value.code, caught.value.message_id) == (code, message_id)


def test_a_refusal_without_description_or_details_is_not_lost():
    assert parse('[4,"a","NotSupported"]', Protocol.V201) == CallError("a", "NotSupported")
    assert parse('[4,"a","NotSupported",null,null]', Protocol.V201) == CallError("a", "NotSupported")


def test_types_of_2_1_and_unknown_types_are_ignored_on_2_0_1():
    assert parse('[6,"a","NotifyPeriodicEventStream",{}]', Protocol.V201) == Ignored(6)
    assert parse('[5,"a","GenericError","",{}]', Protocol.V201) == Ignored(5)
    assert parse('[9,"a"]', Protocol.V21) == Ignored(9)
    assert parse("[-1]", Protocol.V21) == Ignored(-1)


def test_a_message_longer_than_the_limit_is_refused_before_it_is_read():
    with pytest.raises(FrameError, match="longer than 10 bytes"):
        parse('[2,"a","Heartbeat",{}]', Protocol.V201, max_bytes=10)


def test_a_depth_bomb_is_refused():
    with pytest.raises(FrameError, match="not JSON"):
        parse('[2,"a","X",' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]", Protocol.V201)


def test_bytes_that_are_not_utf_8_and_lone_surrogates_are_refused():
    for text in (b'[2,"\xff","X",{}]', '[2,"\ud800","X",{}]'):
        with pytest.raises(FrameError):
            parse(text, Protocol.V201)


def test_decimals_are_written_as_the_shortest_number():
    frame = Call("a", "X", {"whole": Decimal("7000.0"), "tenth": Decimal("16.1")})
    assert encode(frame) == '[2,"a","X",{"whole":7000,"tenth":16.1}]'


@pytest.mark.parametrize("value", [object(), 2**70, {1: 2}])
def test_what_is_not_json_is_not_written(value):
    with pytest.raises(ProtocolError, match="not JSON"):
        encode(Call("a", "X", {"no": value}))


def test_a_description_is_cut_to_what_the_standard_allows():
    assert parse(encode(CallError("a", "GenericError", "x" * 400)), Protocol.V201).description == "x" * 255


def test_an_ignored_frame_keeps_its_number():
    assert encode(Ignored(9)) == "[9]"


def test_codes_of_either_spelling_are_known_and_others_are_generic():
    assert ErrorCode.read("FormationViolation") is ErrorCode.FORMAT
    assert ErrorCode.read("OccurenceConstraintViolation") is ErrorCode.OCCURRENCE
    assert ErrorCode.read("SecurityError") is ErrorCode.SECURITY
    assert ErrorCode.read("Whatever") is ErrorCode.GENERIC
