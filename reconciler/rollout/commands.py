"""What the controller may ask of a station; the shell carries it out and reports one event (`reported.events`).

One command is in flight per station. None of them decides anything: they are values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.profiles.capability import Capability
from reconciler.profiles.profile import Profile, Unit


@dataclass(frozen=True, slots=True)
class ReadCapability:
    """Ask the device model by GetVariables and fold the answers into `base`; reported as CapabilityRead."""

    station: str
    base: Capability


@dataclass(frozen=True, slots=True)
class ReadProfiles:
    """Read all profiles by GetChargingProfiles and its reports; reported as ProfilesRead or ReadFailed."""

    station: str


@dataclass(frozen=True, slots=True)
class ReadComposite:
    """Ask GetCompositeSchedule, the second opinion on what is in force; reported as CompositeRead or ReadFailed."""

    station: str
    evse_id: int
    duration: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Push:
    """Send SetChargingProfile in the station's dialect; reported as Written."""

    station: str
    profile: Profile
    capability: Capability

    @property
    def profile_id(self) -> int:
        """Give the id that is written to."""
        return self.profile.id


@dataclass(frozen=True, slots=True)
class Clear:
    """Send ClearChargingProfile for one id; reported as Written."""

    station: str
    profile_id: int


@dataclass(frozen=True, slots=True)
class SendRaw:
    """Send one request that a person wrote; reported as RawAnswered with the same `ticket`."""

    station: str
    action: str
    payload: Mapping[str, object]
    ticket: str


@dataclass(frozen=True, slots=True)
class Wake:
    """Feed Woken(station) at an instant; a later Wake for the same station replaces an earlier one."""

    station: str
    at: datetime


StationCommand = ReadCapability | ReadProfiles | ReadComposite | Push | Clear | SendRaw
