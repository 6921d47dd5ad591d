"""Stations without a wire, driven by the controller's own step through a scenario's `drive`.

They hold what they are sent as their habits let them, lose it, refuse it or never answer, as the scenario says. Time
passes only where the scenario lets it, and every alarm on the way rings. After each write the yard sees for itself
that no site is brought over its caps, and that nothing of ours flows without a floor below it.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.controller.step import step
from reconciler.controller.world import Entry, RevisionLoaded, World
from reconciler.profiles.capability import Capability
from reconciler.profiles.profile import Purpose
from reconciler.reported.events import (
    Accepted,
    Booted,
    CapabilityRead,
    CompositeRead,
    CompositeStep,
    Connected,
    Disconnected,
    OutcomeUnknown,
    ProfilesRead,
    ReadFailed,
    Ready,
    Refused,
    ReportedProfile,
    Woken,
    Written,
)
from reconciler.rollout.commands import Clear, Push, ReadCapability, ReadComposite, ReadProfiles, Wake
from scenarios.habits import store
from scenarios.reported import place_of
from scenarios.words import commands

ZERO = Decimal(0)
MOST_EVENTS = 20_000
BLIND = ("composite only", "writes only")
ANSWERS = ("always", "lost after taking it", "lost on the way", *BLIND)
"""How a station may answer; docs/scenarios.md lists them."""


@dataclass
class Toy:
    """A station: what it holds by profile id, who set it, and how it takes what it is sent."""

    identity: str
    capability: Capability
    held: dict[int, ReportedProfile] = field(default_factory=dict)
    habits: tuple[str, ...] = ()
    refuses: dict[str, str] = field(default_factory=dict)
    answers: str = "always"
    session: int | None = None

    def place(self, where):
        """Give the profile at a place, None where there is none."""
        return next((each.profile for each in self.held.values() if place_of(each.profile) == where), None)

    def refusal(self, profile):
        """Give why it refuses a profile: as the scenario says, or because another holds its place (K01.FR.39)."""
        others = (each.profile for number, each in self.held.items() if number != profile.id)
        taken = any(each.slot == profile.slot for each in others)
        return "DuplicateProfile" if taken else self.refuses.get(place_of(profile))


class Yard:
    """Toys and their controller; `writes` counts SetChargingProfile and ClearChargingProfile."""

    def __init__(self, revision, toys, now):
        self.world, self.now, self.toys = World(), now, {toy.identity: toy for toy in toys}
        self.alarms, self.writes, self.sessions, self.history = {}, 0, 0, []
        self.commit(revision)

    def commit(self, revision):
        """Let a revision come into force."""
        self.revision = revision
        self._feed(RevisionLoaded(revision))
        self._ring(self.now)

    def connect(self, identity):
        """Let a station come online, booted before."""
        toy, self.sessions = self.toys[identity], self.sessions + 1
        toy.session = self.sessions
        self._feed(Connected(identity, toy.capability.protocol, toy.session))
        self._feed(Ready(identity, toy.session))

    def disconnect(self, identity):
        """Let a station go offline."""
        toy = self.toys[identity]
        session, toy.session = toy.session, None
        self._feed(Disconnected(identity, session))

    def boot(self, identity):
        """Let a station restart: it comes back on a new connection and says so."""
        self.disconnect(identity)
        toy, self.sessions = self.toys[identity], self.sessions + 1
        toy.session = self.sessions
        self._feed(Connected(identity, toy.capability.protocol, toy.session))
        self._feed(Booted(identity, "Acme", "Toy", "1.0", "PowerUp"))
        self._feed(Ready(identity, toy.session))

    def wait(self, until):
        """Let time pass."""
        self._ring(until)
        self.now = until

    def standing(self, identity):
        """Give how a station stands: its state and why."""
        found = self.world.standing.get(identity.casefold())
        return (found.state, found.why) if found else ("never met", "")

    def _ring(self, until):
        for _ in range(MOST_EVENTS):
            station = min(self.alarms, key=lambda name: (self.alarms[name], name), default=None)
            if station is None or self.alarms[station] > until:
                return
            self.now = max(self.now, self.alarms.pop(station))
            self._feed(Woken(station))
        raise AssertionError("the controller never comes to rest")

    def _feed(self, event):
        pending = [event]
        while pending:
            self.world, effects = step(self.world, pending.pop(0), self.now)
            for effect in effects:
                match effect:
                    case Wake():
                        self.alarms[effect.station] = effect.at
                    case Entry():
                        self.history.append(effect)
                    case _:
                        pending += self._carry_out(effect)

    def _carry_out(self, command):
        toy = self.toys[command.station]
        match command:
            case ReadCapability():
                return [CapabilityRead(toy.identity, toy.capability)]
            case ReadProfiles() if toy.answers in BLIND:
                return [ReadFailed(toy.identity, "no report came")]
            case ReadProfiles():
                return [ProfilesRead(toy.identity, tuple(toy.held.values()))]
            case ReadComposite() if toy.answers == "writes only":
                return [ReadFailed(toy.identity, "no composite schedule came")]
            case ReadComposite():
                return [self._compose(toy, command)]
            case Push() | Clear():
                return [self._write(toy, command)]
        raise TypeError(command)

    def _compose(self, toy, command):
        manifest = self.revision.station(toy.identity)
        evse = next(each for each in manifest.evses if each.id == command.evse_id)
        told = [(int((at - self.now).total_seconds()), _flow(toy, evse, at)) for at in sorted(self._instants())]
        steps = tuple(CompositeStep(start, power, None) for start, power in told if start < command.duration)
        return CompositeRead(toy.identity, evse.id, self.now, steps, command.unit)

    def _write(self, toy, command):
        self.writes += 1
        profile = command.profile if isinstance(command, Push) else None
        number = profile.id if profile else command.profile_id
        reason = toy.refusal(profile) if profile else None
        if reason is not None:
            return Written(toy.identity, number, profile, Refused(reason))
        if toy.answers != "lost on the way":
            before = self._flows()
            self._take(toy, number, profile)
            self._check_safety(before)
        lost = toy.answers.startswith("lost")
        outcome = OutcomeUnknown("no answer came") if lost else Accepted()
        return Written(toy.identity, number, profile, outcome)

    def _take(self, toy, number, profile):
        toy.held.pop(number, None)
        if profile is not None:
            toy.held[number] = ReportedProfile(store(profile, toy.capability, toy.habits))

    def _check_safety(self, before):
        after = self._flows()
        for key, power in after.items():
            name, _, direction = key
            site = self.revision.fleet.sites.get(name)
            cap = (site.import_w if direction == "import" else site.export_w) if site else None
            risen = cap is not None and power > max(cap, before.get(key, ZERO))
            assert not risen, f"{direction} of {name} rises to {power} W over its cap of {cap} W"

    def _flows(self):
        """Give what each site's stations draw and feed now and at each step to come; those without a floor apart."""
        sums = {}
        for toy in self.toys.values():
            manifest = self.revision.station(toy.identity)
            if manifest is None or toy.place("floor") is None:
                assert not any(
                    place_of(each.profile).startswith("EVSE") for each in toy.held.values() if self._ours(each)
                )
                continue
            for at in self._instants():
                for evse in manifest.evses:
                    power = _flow(toy, evse, at)
                    key = (manifest.site, at, "import" if power > 0 else "export")
                    sums[key] = sums.get(key, ZERO) + abs(power)
        return sums

    def _ours(self, held):
        return held.profile.id in self.revision.owned

    def _instants(self):
        profiles = [each.profile for toy in self.toys.values() for each in toy.held.values()]
        starts = {
            profile.schedule.start.timestamp() + period.start
            for profile in profiles
            for period in profile.schedule.periods
            if profile.schedule.start is not None
        }
        return [
            self.now,
            *(self.now.fromtimestamp(each, self.now.tzinfo) for each in starts if each > self.now.timestamp()),
        ]


def _flow(toy, evse, at):
    """Give what an EVSE is told: the highest level that speaks, within the ceiling and its rating."""
    told = [
        (each.profile.stack_level, each.profile.evse_id, power)
        for each in toy.held.values()
        if each.profile.purpose is Purpose.TX_DEFAULT and each.profile.evse_id in (0, evse.id)
        if (power := commands(each.profile, at)) is not None
    ]
    return min(max(told)[2], evse.charge_w) if told else evse.charge_w
