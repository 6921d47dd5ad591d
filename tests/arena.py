"""One station and whoever looks after it, through time: the table and `absorb` alone, without the controller's step."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.plan.change import Clear
from reconciler.profiles.capability import Protocol
from reconciler.reported.events import Accepted, Booted, Connected, ProfilesRead, Ready, ReportedProfile, Written
from reconciler.rollout.absorb import absorb
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, ReadProfiles
from reconciler.rollout.station import Pace, Station, compare, forget_tries
from reconciler.rollout.table import applying, decide
from toys import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PACE = Pace()


@dataclass
class Arena:
    """One station as it truly is and as it is known, the controller that looks after it, and time."""

    known: Station
    held: dict[int, ReportedProfile]
    pace: Pace = PACE
    now: datetime = NOON
    written: list = field(default_factory=list)
    refuses: dict = field(default_factory=dict)

    def settle(self):
        """Do all there is to do at this instant; each command takes a second."""
        for _ in range(30):
            answer = decide(self.known, self.pace, self.now)
            if answer.command is None and not answer.writes:
                return self
            command = answer.command or self._command(answer.writes[0])
            self.known = replace(self.known, in_flight=command)
            self.now += SECOND
            self.feed(self._carry_out(command))
        raise AssertionError("a hot loop")

    def feed(self, event):
        taken = absorb(self.known, event, self.now)
        self.known = forget_tries(replace(taken, verdicts=compare(taken.goal, taken.reported, self.now)))
        return self

    def _command(self, change):
        if isinstance(change, Clear):
            return ClearCommand("S", change.old.id)
        return Push("S", change.new, self.known.capability)

    def _carry_out(self, command):
        match command:
            case ReadProfiles():
                return ProfilesRead("S", tuple(self.held.values()))
            case Push(profile=profile) if profile.id in self.refuses:
                self.written.append((profile.id, self.now))
                return Written("S", profile.id, profile, self.refuses[profile.id])
            case Push(profile=profile):
                self.held[profile.id] = ReportedProfile(profile)
                self.written.append((profile.id, self.now))
                return Written("S", profile.id, profile, Accepted())
            case ClearCommand(profile_id=number):
                self.held.pop(number, None)
                self.written.append((number, self.now))
                return Written("S", number, None, Accepted())

    def put(self, profile, source="CSO"):
        """Let somebody else write."""
        self.held[profile.id] = ReportedProfile(profile, source)
        return self

    def wait(self, span=15 * MINUTE):
        """Let time pass, asking when the table wants to be asked."""
        end = self.now + span
        while (at := decide(self.known, self.pace, self.now).at) is not None and at <= end:
            self.now = max(self.now, at)
            self.settle()
        self.now = max(self.now, end)
        return self.settle()

    def connect(self, session=2):
        return self.feed(Connected("S", Protocol.V21, session)).feed(Ready("S", session))

    def boot(self):
        self.connect().feed(Booted("S", "", "", "", "PowerUp"))
        self.known = replace(self.known, capability=self.known.base)
        return self

    def times(self, number):
        return len([each for each, _ in self.written if each == number])

    def standing(self):
        row, answer = applying(self.known, self.pace, self.now)
        assert answer.state in row.states
        return answer
