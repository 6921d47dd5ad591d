"""What happens to stations, as the controller's step takes it in: connections, answers, reports, time.

The shells make these values; nothing in them is a socket, a task or a clock. `session` counts the connections of one
process, so that an event of a replaced socket is told apart from one of its successor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Profile, Unit


@dataclass(frozen=True, slots=True)
class Accepted:
    """The station answered Accepted (for a clear also Unknown: it is already gone)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The station answered Rejected, or with a CALLERROR; `retry_after` is set where it asked to wait (K01.FR.57)."""

    reason_code: str
    detail: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """No answer came, or the socket closed: the station may or may not have taken it."""

    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing left this process: the station is gone, or the profile can't be expressed in its dialect."""

    why: str
    permanent: bool = False


Outcome = Accepted | Refused | OutcomeUnknown | NotSent


@dataclass(frozen=True, slots=True)
class ReportedProfile:
    """One profile out of a ReportChargingProfiles, with the source that set it (`CSO`, `EMS`, `SO`, `Other`)."""

    profile: Profile
    source: str = "CSO"


@dataclass(frozen=True, slots=True)
class CompositeStep:
    """One period of a GetCompositeSchedule answer: seconds after the schedule's start, in the unit asked for."""

    start: int
    limit: Decimal | None
    setpoint: Decimal | None


@dataclass(frozen=True, slots=True)
class Connected:
    """A station's socket is open and a subprotocol is agreed; it may not be written to before Ready."""

    station: str
    protocol: Protocol
    session: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The station has booted and was accepted, or was accepted before and speaks again."""

    station: str
    session: int


@dataclass(frozen=True, slots=True)
class Booted:
    """A BootNotification came: what the station held is in doubt until it is read again."""

    station: str
    vendor: str
    model: str
    firmware: str
    reason: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The socket of this session is gone."""

    station: str
    session: int


@dataclass(frozen=True, slots=True)
class CapabilityRead:
    """The device model was read; `skew` is station clock minus ours, None where it does not say."""

    station: str
    capability: Capability
    skew: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ProfilesRead:
    """A whole inventory was reported; an empty one was said to be empty, never merely silent."""

    station: str
    profiles: tuple[ReportedProfile, ...]


@dataclass(frozen=True, slots=True)
class CompositeRead:
    """GetCompositeSchedule was answered; `unit` is the one it was asked in."""

    station: str
    evse_id: int
    start: datetime
    steps: tuple[CompositeStep, ...]
    unit: Unit = Unit.WATT


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A read gave nothing: refused, timed out, or accepted without a report (unknown, not empty)."""

    station: str
    why: str
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A Push (profile set) or a Clear (profile None) ended this way."""

    station: str
    profile_id: int
    profile: Profile | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RawAnswered:
    """A hand-written request was answered; `ok` is false for CALLERROR, time-out and loss.

    `not_sent` says why nothing of it left this process; it is empty where something did.
    """

    station: str
    ticket: str
    ok: bool
    answer: Mapping[str, object]
    not_sent: str = ""


@dataclass(frozen=True, slots=True)
class Metered:
    """A station reported net active power of an EVSE, + import, - export, in W."""

    station: str
    evse_id: int
    power_w: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class ExternallyLimited:
    """NotifyChargingLimit or ClearedChargingLimit: another source limits (or frees) an EVSE."""

    station: str
    evse_id: int
    source: str
    active: bool


@dataclass(frozen=True, slots=True)
class Faulted:
    """A part of a station says whether it is broken; EVSE 0 is the station, `what` names the part or its problem."""

    station: str
    evse_id: int
    active: bool
    what: str


@dataclass(frozen=True, slots=True)
class Woken:
    """The instant of a Wake has come."""

    station: str


StationEvent = (
    Connected
    | Ready
    | Booted
    | Disconnected
    | CapabilityRead
    | ProfilesRead
    | CompositeRead
    | ReadFailed
    | Written
    | RawAnswered
    | Metered
    | ExternallyLimited
    | Faulted
    | Woken
)
