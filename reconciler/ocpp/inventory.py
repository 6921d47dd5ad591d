"""Collects what one GetChargingProfiles brings: an answer and reports, in any order, in any number of parts.

`stations` folds answers and reports into it and asks it what came out of it. It holds no timer: `now` comes in, and
`due` says when to look again. What stays silent is unknown, never empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.ocpp.dialects import Dialect
from reconciler.profiles.form import JsonObject, MalformedProfile
from reconciler.profiles.profile import shared
from reconciler.reported.events import ReportedProfile

NO_PROFILES = "NoProfiles"
MAX_PARTS = 1000
MAX_PROFILES = 2000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: for the first report, after a report for another one, and for all of them.

    `tbc` announces whether more is to come, but not every station sets it rightly: after a part that announces more,
    and none that follows, the longer wait applies, and then what there is counts as all.
    """

    first: timedelta = timedelta(seconds=60)
    settle: timedelta = timedelta(milliseconds=300)
    announced: timedelta = timedelta(seconds=10)
    whole: timedelta = timedelta(seconds=180)


@dataclass(frozen=True, slots=True)
class Complete:
    """All that the station holds."""

    profiles: tuple[ReportedProfile, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing can be said; `permanent` where asking again can't help."""

    why: str
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one request has brought so far."""

    request_id: int
    asked_at: datetime
    patience: Patience = Patience()
    status: str = ""
    parts: tuple[JsonObject, ...] = ()
    touched_at: datetime | None = None

    def answered(self, status: str, now: datetime) -> Inventory:
        """Fold the answer's status in: Accepted or NoProfiles."""
        return replace(self, status=status, touched_at=now)

    def told(self, report: JsonObject, now: datetime) -> Inventory:
        """Fold a ReportChargingProfiles in; reports for other requests, doubles and excess change nothing."""
        foreign = report.get("requestId") != self.request_id
        if foreign or report in self.parts or len(self.parts) > MAX_PARTS:
            return self
        return replace(self, parts=(*self.parts, report), touched_at=now)

    @property
    def due(self) -> datetime:
        """Give the instant at which `outcome` is decided if nothing else comes."""
        if self.touched_at is None or not self.status:
            return self.asked_at + self.patience.first
        if not self.parts:
            return self.touched_at if self.status == NO_PROFILES else self.asked_at + self.patience.first
        announced = self.parts[-1].get("tbc") is True
        wait = self.patience.announced if announced else self.patience.settle
        return min(self.touched_at + wait, self.asked_at + self.patience.whole)

    def outcome(self, now: datetime, dialect: Dialect) -> Complete | Unknown | None:
        """Give what came out of it, or None while it may still come."""
        if self.status not in ("", "Accepted", NO_PROFILES):
            return Unknown(f"GetChargingProfiles was answered {self.status}")
        if now < self.due:
            return None
        why = self._lack(now)
        return Unknown(why) if why else _lift(self.parts, dialect)

    def _lack(self, now: datetime) -> str:
        if not self.status:
            return "GetChargingProfiles was not answered"
        if not self.parts and self.status != NO_PROFILES:
            return "Accepted, but nothing was reported"
        if len(self.parts) > MAX_PARTS or now >= self.asked_at + self.patience.whole:
            return "the reports did not come to an end"
        return ""


def _lift(parts: Sequence[JsonObject], dialect: Dialect) -> Complete | Unknown:
    """Read all parts; of one id on one EVSE the part that came last counts, and order says nothing."""
    found: dict[tuple[int, str, int], ReportedProfile] = {}
    try:
        for part in parts:
            for one in _read(part, dialect):
                found[(one.profile.evse_id, one.source, one.profile.id)] = one
    except (MalformedProfile, TypeError) as error:
        return Unknown(f"a reported profile can't be read: {error}", permanent=True)
    if len(found) > MAX_PROFILES:
        return Unknown(f"more than {MAX_PROFILES} profiles were reported", permanent=True)
    return Complete(tuple(found[key] for key in sorted(found)))


def _read(part: JsonObject, dialect: Dialect) -> tuple[ReportedProfile, ...]:
    evse_id, source, profiles = part.get("evseId"), part.get("chargingLimitSource"), part.get("chargingProfile")
    if not isinstance(evse_id, int) or not isinstance(source, str) or not isinstance(profiles, list):
        raise TypeError("evseId, chargingLimitSource or chargingProfile is missing")
    return tuple(ReportedProfile(shared(dialect.lift(evse_id, _object(data))), source) for data in profiles)


def _object(data: object) -> JsonObject:
    if not isinstance(data, Mapping):
        raise TypeError("a profile is not an object")
    return data
