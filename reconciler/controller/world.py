"""The controller's whole knowledge as one value, and what a step may ask for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from immutables import Map

from reconciler.controller.line import Line
from reconciler.controller.revision import Revision
from reconciler.errors import ManifestError
from reconciler.reported.events import StationEvent
from reconciler.rollout.commands import SendRaw, StationCommand, Wake
from reconciler.rollout.site import Load
from reconciler.rollout.station import Pace, Station
from reconciler.rollout.table import Next


@dataclass(frozen=True, slots=True)
class Settings:
    """How the controller paces itself: `most_in_flight` commands at once over the whole fleet."""

    read_back: timedelta = timedelta(minutes=15)
    most_in_flight: int = 500


@dataclass(frozen=True, slots=True)
class RevisionLoaded:
    """A commit passed as a whole; it supersedes whatever was waiting.

    `forced` is a person's reason to let it follow the one before it unproved, and empty where nobody gave one.
    """

    revision: Revision
    forced: str = ""


@dataclass(frozen=True, slots=True)
class RevisionRefused:
    """A commit was refused as a whole; the last good one stays in force."""

    commit: str
    subject: str
    errors: tuple[ManifestError, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A person asks for one OCPP request by hand; `force` allows it to write an owned profile id."""

    request: SendRaw
    who: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of an Ask that was not sent."""

    ticket: str
    error: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of history: what was done to a station, why, by which commit, and how it ended (invariant 11)."""

    at: datetime
    station: str
    action: str
    reason: str
    answer: str = ""
    profile_id: int | None = None
    evse_id: int | None = None
    revision: str = ""
    author: str = ""
    source: str = ""
    digest: str = ""


Event: TypeAlias = StationEvent | RevisionLoaded | RevisionRefused | Ask
Effect: TypeAlias = StationCommand | Wake | Reply | Entry


@dataclass(frozen=True, slots=True)
class World:
    """All that is known. Station keys are casefolded identities.

    `standing` is the table's last answer for each station, `loads` what each may draw and feed at most, `waiting` the
    stations that have something to send when the fleet's bound on commands in flight allows, and `gated` by site those
    that wait for its caps. `errands` has the line of history that each write in flight will leave. `tally` counts
    stations by state.
    """

    settings: Settings = field(default_factory=Settings)
    revision: Revision | None = None
    refused: RevisionRefused | None = None
    stations: Map[str, Station] = field(default_factory=Map)
    standing: Map[str, Next] = field(default_factory=Map)
    loads: Map[str, Load] = field(default_factory=Map)
    waiting: Line = field(default_factory=Line)
    gated: Map[str, frozenset[str]] = field(default_factory=Map)
    errands: Map[str, Entry] = field(default_factory=Map)
    tally: Map[str, int] = field(default_factory=Map)
    in_flight: int = 0

    def pace(self, key: str) -> Pace:
        """Give how often a station may be written to and is read."""
        manifest = self.revision.fleet.stations.get(key) if self.revision else None
        if manifest is None:
            return Pace(read_back=self.settings.read_back)
        return Pace(manifest.settings.write_interval, self.settings.read_back)
