"""Finds the dialect of a negotiated protocol; all have the same shape, and none knows of another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol as Shape

from reconciler.ocpp import v21, v201
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.form import JsonObject
from reconciler.profiles.profile import Profile, Unit
from reconciler.reported.events import CompositeStep


class Dialect(Shape):
    """The lowering of profiles to one OCPP version, and back."""

    def set_profile(self, profile: Profile, capability: Capability) -> JsonObject:
        """Give SetChargingProfile, or raise Unsupported."""

    def lower(self, profile: Profile, capability: Capability) -> Profile:
        """Give what the version can carry, in the project's own form, or raise Unsupported."""

    def lift(self, evse_id: int, data: JsonObject) -> Profile:
        """Read a reported profile, or raise MalformedProfile."""

    def clear_profile(self, profile_id: int) -> JsonObject:
        """Give ClearChargingProfile for one id."""

    def get_profiles(self, request_id: int) -> JsonObject:
        """Give GetChargingProfiles for all there are."""

    def get_composite(self, evse_id: int, duration: int, unit: Unit) -> JsonObject:
        """Give GetCompositeSchedule."""

    def lift_composite(self, answer: JsonObject) -> tuple[datetime, tuple[CompositeStep, ...]] | None:
        """Read the answer to GetCompositeSchedule."""


_DIALECTS: Mapping[Protocol, Dialect] = {Protocol.V201: v201, Protocol.V21: v21}


def dialect(protocol: Protocol) -> Dialect:
    """Give the dialect of a protocol."""
    return _DIALECTS[protocol]
