"""One station with two EVSEs and its goal: floor, ceiling and a profile for each EVSE."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from arena import Arena
from reconciler.plan.change import Clear, Owned, diff
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.reported.events import ReportedProfile
from reconciler.rollout.station import Goal, Pace, Station
from reconciler.rollout.table import ACTIONS, ANY_REQUEST, applying, decide
from toys import NOON

OWNED = Owned(1000, 1999)


def profile(number, evse_id=0, level=0, *limits, purpose=Purpose.TX_DEFAULT, unit=Unit.WATT):
    periods = tuple(Period(3600 * at, limit=Decimal(limit)) for at, limit in enumerate(limits or (0,)))
    schedule = ChargingSchedule(number, unit, periods, start=NOON)
    return Profile(number, evse_id, level, purpose, Kind.ABSOLUTE, (schedule,))


FLOOR = profile(1000)
CEILING = profile(1001, 0, 0, 22_000, purpose=Purpose.STATION_MAX)
ONE = profile(1011, 1, 1, 7000, 0)
TWO = profile(1012, 2, 1, 5000, 0)
GOAL = Goal((FLOOR, CEILING, ONE, TWO), "c1", NOON + timedelta(days=1), OWNED, (1, 2))


def asks(answer):
    """Give what an answer has a station asked, in OCPP's words."""
    writes = ["ClearChargingProfile" if isinstance(each, Clear) else "SetChargingProfile" for each in answer.writes]
    return [*writes, *([ACTIONS.get(type(answer.command), ANY_REQUEST)] if answer.command else [])]


@dataclass(frozen=True)
class Bench:
    """Makes stations, and asks the table about them."""

    floor = FLOOR
    ceiling = CEILING
    one = ONE
    two = TWO
    goal = GOAL
    profile = staticmethod(profile)

    def held(self, *profiles, belief=Belief.OBSERVED):
        return {each.id: Held(each, belief) for each in profiles}

    def station(self, *profiles, belief=Belief.OBSERVED, **changed):
        """Give a station that is ready and was read, and holds these profiles; all of the goal if none is named."""
        known = Reported(self.held(*(profiles or GOAL.profiles), belief=belief), known=True, ever_known=True)
        usual = {
            "session": 1,
            "protocol": Protocol.V21,
            "ready": True,
            "base": Capability(Protocol.V21),
            "capability": Capability(Protocol.V21),
            "reported": known,
            "goal": GOAL,
            "looked_at": NOON,
            "verified": GOAL,
        }
        made = Station("S", **{**usual, **changed})
        wanted = made.goal.profiles if made.goal else ()
        verdicts = diff(wanted, made.reported, OWNED, NOON) if made.goal else ()
        return replace(made, verdicts=changed.get("verdicts", verdicts))

    def doubt(self, station, **changed):
        """Change what is believed of a station, and compare anew."""
        reported = replace(station.reported, **changed)
        return replace(station, reported=reported, verdicts=diff(station.goal.profiles, reported, OWNED, NOON))

    def ask(self, station, now=NOON, pace=None, **more):
        row, answer = applying(station, pace or Pace(), now, **more)
        assert answer.state in row.states, f"{row.name} does not say that it shows {answer.state}"
        assert set(asks(answer)) <= set(row.asks), f"{row.name} does not say that it asks {asks(answer)}"
        assert answer == decide(station, pace or Pace(), now, **more)
        return answer


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def arena(bench):
    """Give a station that holds its goal and was read once."""

    def make(rules=(), **more):
        goal = replace(bench.goal, until=NOON + timedelta(days=90), foreign_rules=rules)
        known = bench.station(goal=goal, looked_at=None, verified=goal)
        held = {each.id: ReportedProfile(each) for each in goal.profiles}
        return Arena(bench.doubt(known, known=False), held, **more).settle()

    return make
