"""Two real sessions joined in memory by a wire that loses, doubles and reorders."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.ocpp.session import Answered, Called, Failed, Session, TimedOut
from reconciler.profiles.capability import Protocol

START = datetime(2026, 3, 1, tzinfo=UTC)
ANSWER = {"currentTime": "2026-03-01T00:00:00Z"}
ENDINGS = (Answered, Failed, TimedOut)
tricks = st.sampled_from(["carry", "carry", "carry", "lose", "double", "swap"])
acts = st.one_of(
    st.tuples(st.just("call"), st.integers(0, 1)),
    st.tuples(st.just("wire"), st.integers(0, 1), tricks),
    st.tuples(st.just("answer"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)


@dataclass
class End:
    session: Session
    inbox: list = field(default_factory=list)
    owed: list = field(default_factory=list)
    asked: set = field(default_factory=set)
    ended: Counter = field(default_factory=Counter)


class World:
    def __init__(self, protocol):
        self.ends = [End(Session(protocol)), End(Session(protocol))]
        self.now, self.ids = START, count()

    def act(self, step):
        match step:
            case ("call", side):
                id_ = f"{side}-{next(self.ids)}"
                self.ends[side].session.call("Heartbeat", {}, self.now, id_)
                self.ends[side].asked.add(id_)
            case ("wire", side, trick):
                self.wire(self.ends[side], trick)
            case ("answer", side, kindly):
                self.answer(self.ends[side], kindly)
            case ("wait", seconds):
                self.now += timedelta(seconds=seconds)
                for end in self.ends:
                    self.note(end, end.session.tick(self.now))
        self.pump()

    def wire(self, end, trick):
        if not end.inbox:
            return
        if trick == "swap":
            end.inbox.reverse()
        if trick == "double":
            end.inbox.append(end.inbox[0])
        message = end.inbox.pop(0)
        if trick != "lose":
            self.note(end, end.session.receive(message, self.now))

    def answer(self, end, kindly):
        if end.owed:
            id_ = end.owed.pop(0)
            end.session.answer(id_, ANSWER) if kindly else end.session.refuse(id_, "InternalError", "")

    def note(self, end, events):
        for event in events:
            if isinstance(event, Called):
                end.owed.append(event.id)
            elif isinstance(event, ENDINGS):
                end.ended[event.id] += 1

    def pump(self):
        for end, other in (self.ends, self.ends[::-1]):
            messages = end.session.outgoing()
            calls = [message for message in messages if message.startswith("[2,")]
            assert len(calls) <= 1
            other.inbox.extend(messages)

    def finish(self):
        for _ in range(200):
            self.act(("wait", 31))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(Protocol), st.lists(acts, max_size=60))
def test_each_call_ends_exactly_once_whatever_the_wire_does(protocol, steps):
    world = World(protocol)
    for step in steps:
        world.act(step)
        for end in world.ends:
            begun = sum(1 for id_ in end.asked if end.ended[id_])
            assert all(times == 1 for times in end.ended.values()), "no call ends twice"
            assert end.session.idle == (begun == len(end.asked)), "no call is forgotten"
    world.finish()
    for end in world.ends:
        assert set(end.ended) == end.asked


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20))
def test_calls_that_cross_are_all_answered_on_a_wire_that_keeps_order(ours, theirs):
    world = World(Protocol.V21)
    for side, number in ((0, ours), (1, theirs)):
        for _ in range(number):
            world.act(("call", side))
    for _ in range(4 * (ours + theirs)):
        for side in (0, 1):
            world.act(("wire", side, "carry"))
            world.act(("answer", side, True))
    assert [sum(end.ended.values()) for end in world.ends] == [ours, theirs]


@settings(max_examples=50, deadline=None)
@given(st.lists(acts, max_size=40))
def test_closing_ends_what_has_not_ended(steps):
    world = World(Protocol.V201)
    for step in steps:
        world.act(step)
    for end in world.ends:
        world.note(end, end.session.close())
        assert set(end.ended) == end.asked
        assert all(times == 1 for times in end.ended.values())
