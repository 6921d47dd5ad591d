"""A station as it truly is: what it holds, what it does with what it is sent, and what goes wrong with it.

The controller never looks in here; the watch does.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reconciler.profiles.composite import Situation, compose
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.events import (
    Accepted,
    CapabilityRead,
    CompositeRead,
    CompositeStep,
    ProfilesRead,
    RawAnswered,
    ReadFailed,
    Refused,
    ReportedProfile,
    Written,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadComposite, ReadProfiles, SendRaw

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
FLOOR = 1000


@dataclass(frozen=True)
class Slot:
    """One profile held: as it is stored, who set it, and what we had sent if it is still ours."""

    stored: Profile
    source: str = "CSO"
    sent: Profile | None = None


def reword(profile):
    """Store as one stack does: validity filled in, and numbers through 32-bit floats."""

    def noisy(value):
        return None if value is None else value + (Decimal("0.0004") if value > 0 else Decimal(0))

    schedules = tuple(
        replace(each, periods=tuple(replace(period, limit=noisy(period.limit)) for period in each.periods))
        for each in profile.schedules
    )
    ever, never = datetime(1970, 1, 1, tzinfo=UTC), datetime(2262, 4, 11, 23, 46, 49, tzinfo=UTC)
    return replace(
        profile, schedules=schedules, valid_from=profile.valid_from or ever, valid_to=profile.valid_to or never
    )


def halve(profile):
    """Store otherwise than it was sent: a station that knows better."""
    schedules = tuple(
        replace(each, periods=tuple(replace(period, limit=_half(period.limit)) for period in each.periods))
        for each in profile.schedules
    )
    return replace(profile, schedules=schedules)


def _half(value):
    return value if value is None else (value / 2).quantize(Decimal("0.1"))


def stranger(number, evse_id, level, limit):
    """Give a profile that is not the fleet's."""
    schedule = ChargingSchedule(number, Unit.WATT, (Period(0, limit=Decimal(limit)),), start=LONG_AGO)
    return Profile(number, evse_id, level, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,))


@dataclass
class Toy:
    """A station; `seen` is what its last report in this session said to the controller, None where none counts."""

    identity: str
    protocol: object
    evses: int
    held: dict = field(default_factory=dict)
    session: int | None = None
    mute: bool = False
    forgets: set = field(default_factory=set)
    refuses: dict = field(default_factory=dict)
    stores: object = None
    skew: timedelta | None = None
    clean: bool = True  # nobody else has touched it since its last report
    seen: dict | None = None
    shown: bool = False  # its composite schedules were told since its floor was written
    floored: bool = False  # its floor was in a report, or shown, once

    @property
    def key(self):
        """Give the controller's key."""
        return self.identity.casefold()

    def ours(self):
        """Give what we sent and it still holds, as it is stored, by id."""
        return {number: each.stored for number, each in sorted(self.held.items()) if each.sent is not None}

    def take(self, command):
        """Take a write and give the outcome."""
        number = command.profile.id if isinstance(command, Push) else command.profile_id
        refusal = self.refuses.get(number)
        if refusal is not None:
            return refusal
        if isinstance(command, Clear):
            self.held.pop(number, None)
            return Accepted()
        taken = any(other != number and each.stored.slot == command.profile.slot for other, each in self.held.items())
        if taken:
            return Refused("DuplicateProfile")
        self.held.pop(number, None)
        if number not in self.forgets:
            stored = self.stores(command.profile) if self.stores and number != FLOOR else command.profile
            self.held[number] = Slot(stored, "CSO", command.profile)
        return Accepted()

    def answer(self, command, now):
        """Carry a command out and give the event that it ends in."""
        match command:
            case Push() | Clear():
                profile = command.profile if isinstance(command, Push) else None
                number = profile.id if profile else command.profile_id
                return Written(self.identity, number, profile, self.take(command))
            case ReadCapability():
                return CapabilityRead(self.identity, command.base, self.skew)
            case ReadProfiles() if self.mute:
                return ReadFailed(self.identity, "accepted, but nothing was reported")
            case ReadProfiles():
                reports = (ReportedProfile(each.stored, each.source) for _, each in sorted(self.held.items()))
                return ProfilesRead(self.identity, tuple(reports))
            case ReadComposite():
                return CompositeRead(self.identity, command.evse_id, now, self._composite(command, now), command.unit)
            case SendRaw():
                return RawAnswered(self.identity, command.ticket, ok=True, answer={"status": "Accepted"})
        raise TypeError(command)

    def _composite(self, command, now):
        begin = now.replace(microsecond=0)
        end = begin + timedelta(seconds=command.duration)
        stored = [each.stored for each in self.held.values()]
        spans = compose(stored, command.evse_id, begin, end, Situation())
        return tuple(
            CompositeStep(int((span.start - begin).total_seconds()), span.flow.limit_w, span.flow.setpoint_w)
            for span in spans
        )

    def forget(self, numbers=None):
        """Lose profiles, all of them where none is named."""
        for number in list(self.held) if numbers is None else numbers:
            self.held.pop(number, None)

    def alter(self, number, limit):
        """Let somebody else overwrite one of our profiles under its own id."""
        slot = self.held.get(number)
        if slot is None:
            return
        schedule = replace(slot.stored.schedule, periods=(Period(0, limit=Decimal(limit)),))
        self.held[number] = Slot(replace(slot.stored, schedules=(schedule,)), slot.source)
        self.clean = False
