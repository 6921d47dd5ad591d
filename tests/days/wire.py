"""The network between the controller and the stations: connections that keep order, and lose, hold up and repeat.

A command goes over its station's connection as a frame, is carried out when it arrives, and ends as one event. What
lies in a closed connection is lost. Faults are drawn from the day's generator.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.reported.events import (
    Booted,
    Connected,
    Disconnected,
    NotSent,
    OutcomeUnknown,
    RawAnswered,
    ReadFailed,
    Ready,
    Written,
)
from reconciler.rollout.commands import Clear, Push, SendRaw

TIMEOUT = timedelta(seconds=30)
MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Weather:
    """How bad the network is: chances for each frame, from 0 to 1."""

    lose_request: float = 0.0
    lose_answer: float = 0.0
    delay: float = 0.0
    repeat: float = 0.0


@dataclass
class Link:
    """One connection; `noticed` is false once it is dead, and the controller does not know yet."""

    session: int
    commands: deque = field(default_factory=deque)
    current: object = None
    open: bool = True
    clear_at: object = None  # when what was sent last arrives: frames do not overtake one another


def undone(command, why, *, sent=False):
    """End a command that has no answer."""
    match command:
        case Push() | Clear():
            profile = command.profile if isinstance(command, Push) else None
            number = profile.id if profile else command.profile_id
            return Written(command.station, number, profile, OutcomeUnknown(why) if sent else NotSent(why))
        case SendRaw():
            return RawAnswered(command.station, command.ticket, ok=False, answer={})
        case _:
            return ReadFailed(command.station, why)


class Wire:
    """All connections of a day."""

    def __init__(self, day):
        self.day, self.rng = day, day.rng
        self.links, self.faults, self.sessions = {}, Counter(), 0
        self.weather = Weather()

    def connect(self, toy, booted=""):
        """Let a station open a connection; one that is still open is replaced."""
        old = self.links.get(toy.identity)
        late = old is not None and old.open and self.rng.random() < 0.5
        if old is not None and old.open and not late:
            self._end(toy, old)
        self.sessions += 1
        link = self.links[toy.identity] = Link(self.sessions)
        toy.session, toy.seen, toy.shown = link.session, None, False
        self.day.report(Connected(toy.identity, toy.protocol, link.session))
        if late:
            self._end(toy, old)
        if booted:
            self.day.report(Booted(toy.identity, "Acme", "Toy", "1.0", booted))
            toy.seen = None
        self.day.report(Ready(toy.identity, link.session))

    def cut(self, toy, *, noticed_after=timedelta(0)):
        """Break a station's connection; the controller learns of it at once, or only after a while."""
        link = self.links.get(toy.identity)
        if link is None or not link.open or toy.session != link.session:
            return
        toy.session = None
        if noticed_after:
            self.day.later(noticed_after, lambda: self._end(toy, link))
        else:
            self._end(toy, link)

    def hang_up(self):
        """Close all connections without a word: the controller is gone; give what was under way."""
        under_way = []
        for identity, link in sorted(self.links.items()):
            if link.open:
                link.open = False
                toy = self.day.toys[identity]
                if link.current is not None and toy.session == link.session:
                    under_way.append((toy, link.current))
                toy.session, toy.seen = None, None
        return under_way

    def _end(self, toy, link):
        if not link.open:
            return
        link.open = False
        if toy.session == link.session:
            toy.session = None
        if link.current is not None:
            self.day.report(undone(link.current, "the connection was closed", sent=True))
        for command in link.commands:
            self.day.report(undone(command, "the station is gone"))
        self.day.report(Disconnected(toy.identity, link.session))

    def execute(self, command):
        """Begin to carry a command out; its end comes back as exactly one event."""
        link = self.links.get(command.station)
        if link is None or not link.open:
            self.day.later(timedelta(0), lambda: self.day.report(undone(command, "the station is gone")))
            return
        link.commands.append(command)
        self.day.watch.on_submit(command, link)
        if link.current is None:
            self._send(link)

    def _send(self, link):
        command = link.current = link.commands.popleft()
        toy = self.day.toys[command.station]
        self.day.watch.on_send(toy, command)
        fate = self._fate()
        reachable = toy.session == link.session
        if fate == "lose request" or not reachable:
            self.day.later(
                TIMEOUT, lambda: self._finish(link, command, undone(command, "no answer in time", sent=True))
            )
            return
        arrival = max(self.day.now + self._latency(fate == "delay"), link.clear_at or self.day.now)
        link.clear_at = arrival
        self.day.at(arrival, lambda: self._arrive(toy, link, command, fate))
        self.day.later(TIMEOUT, lambda: self._finish(link, command, undone(command, "no answer in time", sent=True)))

    def _arrive(self, toy, link, command, fate):
        if toy.session != link.session:
            return
        self.day.watch.before_take(toy, command)
        event = toy.answer(command, self.day.now)
        self.day.watch.on_take(toy, command, event)
        if fate == "lose answer":
            return
        at = self.day.now + self._latency(slow=False)
        repeat = fate == "repeat"
        self.day.at(at, lambda: self._finish(link, command, event, repeat=repeat))

    def _finish(self, link, command, event, *, repeat=False):
        """End a command once; an answer that comes after its time-out, or on a closed connection, is nobody's."""
        if link.current is not command or not link.open:
            return
        link.current = None
        toy = self.day.toys[command.station]
        self.day.watch.on_end(toy, command, event)
        self.day.report(event)
        if repeat:
            self.day.report(event)
        if link.commands:
            self._send(link)

    def _fate(self):
        weather = self.weather
        chances = (
            ("lose request", weather.lose_request),
            ("lose answer", weather.lose_answer),
            ("delay", weather.delay),
            ("repeat", weather.repeat),
        )
        drawn = self.rng.random()
        for name, chance in chances:
            if drawn < chance:
                self.faults[name] += 1
                return name
            drawn -= chance
        return ""

    def _latency(self, slow):
        return (self.rng.randint(1_000, 45_000) if slow else self.rng.randint(5, 400)) * MILLISECOND
