"""What stations are said to hold when a scenario begins: the section `reported`."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Mode, Period, Profile, Purpose, Unit
from reconciler.render.assume import assume
from reconciler.reported.belief import OURS, Belief, Echo, Held, Reported
from reconciler.reported.events import Refused
from reconciler.reported.saved import SavedStation
from scenarios.habits import store
from scenarios.words import read_duration, read_instant, read_names

OTHERS = "everyone else"
KEYS = {
    "holds",
    "as of",
    "offline",
    "speaks",
    "can",
    "habits",
    "lost",
    "altered",
    "foreign",
    "in doubt",
    "refused",
    "given over",
}
FOREIGN_KEYS = {"id", "source", "at", "level", "purpose", "limit"}
ABILITIES = {
    "periods": ("max_periods", int),
    "stack levels up to": ("max_stack_level", int),
    "profiles": ("max_profiles", int),
    "units": ("units", lambda units: tuple(map(Unit, units))),
    "negative limits": ("negative_limit", bool),
    "maxOfflineDuration": ("max_offline", bool),
    "smart charging": ("smart_charging", bool),
    "modes": ("modes", lambda modes: frozenset(map(Mode, modes))),
    "ids above": ("max_external_id", int),
    "a write every": ("update_rate_limit", read_duration),
}
"""What a station may be said to be able to do, in scenario words; docs/scenarios.md lists them."""
UNITS = {"A": (Unit.AMPERE, 1), "W": (Unit.WATT, 1), "kW": (Unit.WATT, 1000)}


@dataclass
class Told:
    """One station as the scenario tells it: what it speaks and can, what it stores, and what is believed of it."""

    identity: str
    capability: Capability
    reported: Reported
    connected: bool = True
    habits: tuple[str, ...] = ()
    able: bool = False
    said: dict = field(default_factory=dict)

    def saved(self):
        """Give it as saved state has it."""
        capability = self.capability if self.able else None
        return SavedStation(self.identity, self.capability.protocol, self.connected, capability, self.reported)


def read_reported(section, before, after, at, zone):
    """Give the stations of a scenario by casefolded identity; those that are not named were never met."""
    told = dict(section or {})
    named = {name: said for names, said in told.items() if names != OTHERS for name in read_names(names)}
    if OTHERS in told:
        listed = {**(before.fleet.stations if before else {}), **after.fleet.stations}
        for station in listed.values():
            named.setdefault(station.identity, told[OTHERS])
    return {name.casefold(): read_station(name, said, (before, after), at, zone) for name, said in named.items()}


def read_station(name, said, revisions, at, zone):
    """Give one station as it is told."""
    assert set(said) <= KEYS, f"reported.{name}: unknown {sorted(set(said) - KEYS)}"
    before, after = revisions
    capability = read_capability(name, said, after if after and after.station(name) else before)
    habits = tuple(said.get("habits", ()))
    revision = {"before": before, "after": after}.get(said.get("holds", "nothing"))
    given_over = read_capability(name, {"speaks": said["given over"]}, revision) if "given over" in said else capability
    requests = _requests(revision, name, given_over, read_instant(said["as of"], zone) if "as of" in said else at)
    held, echoes = {}, {}
    for place, profile in requests.items():
        if place in said.get("lost", ()):
            continue
        stored = store(profile, given_over, habits)
        held[profile.id] = Held(_alter(stored, said.get("altered", {}).get(place)), _belief(said))
        if habits:
            echoes[profile.id] = Echo(profile, stored)
    for stranger in said.get("foreign", ()):
        each = read_foreign(stranger)
        held[each.profile.id] = each
    known = "in doubt" not in said
    refusals = _refusals(name, said, after, capability, at)
    reported = Reported(held=held, known=known, ever_known=True, echoes=echoes, refusals=refusals)
    able = "can" in said or "speaks" in said
    return Told(name, capability, reported, not said.get("offline"), habits, able, said)


def read_capability(name, said, revision):
    """Give what a station can take: what its manifest declares, and what it is said to tell of itself."""
    declared = revision.station(name).declared
    spoken = said.get("speaks") or declared.protocol or "2.1"
    capability = assume(declared, next(each for each in Protocol if each.version == spoken))
    told = {ABILITIES[word][0]: ABILITIES[word][1](value) for word, value in said.get("can", {}).items()}
    return replace(capability, **told)


def place_of(profile):
    """Give the place of an owned profile in a scenario's words."""
    if profile.purpose is Purpose.STATION_MAX:
        return "ceiling"
    return f"EVSE {profile.evse_id}" if profile.evse_id else "floor"


def read_foreign(said):
    """Give a profile that somebody else has set."""
    assert set(said) <= FOREIGN_KEYS, f"foreign: unknown {sorted(set(said) - FOREIGN_KEYS)}"
    number, unit = said["limit"].split()
    period = Period(0, limit=Decimal(number) * UNITS[unit][1])
    profile = Profile(
        id=said["id"],
        evse_id=int(said.get("at", "EVSE 0").removeprefix("EVSE ")),
        stack_level=said.get("level", 0),
        purpose=Purpose(said.get("purpose", Purpose.TX_DEFAULT)),
        kind=Kind.ABSOLUTE,
        schedules=(ChargingSchedule(1, UNITS[unit][0], (period,), read_instant("2026-01-01T00:00+00:00", None)),),
    )
    return Held(profile, Belief.OBSERVED, said.get("source", OURS))


def _requests(revision, name, capability, at):
    if revision is None:
        return {}
    goal = revision.goal(revision.station(name), capability, at)
    return {place_of(profile): profile for profile in goal.profiles}


def _alter(profile, limit):
    """Let one limit stand for all that a profile said."""
    if limit is None:
        return profile
    number, unit = limit.split()
    period = Period(0, limit=Decimal(number) * UNITS[unit][1])
    return replace(profile, schedules=(replace(profile.schedule, unit=UNITS[unit][0], periods=(period,)),))


def _belief(said):
    return Belief.UNKNOWN if "in doubt" in said else Belief.OBSERVED


def _refusals(name, said, after, capability, at):
    found = {}
    for place, words in said.get("refused", {}).items():
        goal = after.goal(after.station(name), capability, at)
        profile = next(each for each in goal.profiles if place_of(each) == place)
        reason, _, wait = words.partition(", again in ")
        found[profile.id] = (profile, Refused(reason, "", read_duration(wait) if wait else None))
    return found
