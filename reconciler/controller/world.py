"""The controller's whole knowledge as one value, and what a step may ask for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from immutables import Map

from reconciler.controller.line import Line
from reconciler.controller.revision import Revision
from reconciler.errors import ManifestError
from reconciler.manifests.fleet import Station as Manifest
from reconciler.plan.pace import AT_ONCE
from reconciler.reported.events import StationEvent
from reconciler.rollout.commands import SendRaw, StationCommand, Wake
from reconciler.rollout.conditions import Turned
from reconciler.rollout.ledger import Entry, Name
from reconciler.rollout.pace import Meter
from reconciler.rollout.progress import Rollout
from reconciler.rollout.site import Caps, Load
from reconciler.rollout.station import Pace, Station
from reconciler.rollout.table import Next
from reconciler.rollout.windows import Verdict


@dataclass(frozen=True, slots=True)
class Settings:
    """How the controller paces itself: `most_in_flight` commands at once over the whole fleet.

    At most `reading_share` of them are routine read-backs. With `signed_only`, a commit needs a good
    signature.
    """

    read_back: timedelta = timedelta(minutes=15)
    most_in_flight: int = AT_ONCE
    reading_share: float = 0.2
    signed_only: bool = False


@dataclass(frozen=True, slots=True)
class RevisionLoaded:
    """A commit passed as a whole; it supersedes whatever was waiting.

    `forced` is a person's reason to let it follow the one before it unproved, and empty where nobody gave one.
    `plan` is the digest of the plan from the revision before. With `back` it is an older one that `who` returns to:
    what was in force is quarantined, and no wave or window holds it back.
    """

    revision: Revision
    forced: str = ""
    plan: str = ""
    who: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class RevisionRefused:
    """A commit was refused as a whole; the last good one stays in force.

    `since` is the step's own note of when it first was, None in the event.
    """

    commit: str
    subject: str
    errors: tuple[ManifestError, ...]
    since: datetime | None = None


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


class Verb(StrEnum):
    """What a person may order."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ABORT = "abort"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"
    CLEAR_STORM = "clear-storm"


@dataclass(frozen=True, slots=True)
class Order:
    """A person's order; `keys` are the stations it is about, and empty where it is about the rollout or the fleet.

    `until` ends a suspension by itself. `override` lets a promoted rollout pass its windows by. It ends in one Reply.
    """

    verb: Verb
    who: str
    reason: str
    ticket: str
    keys: tuple[str, ...] = ()
    until: datetime | None = None
    override: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether what is done can be recorded; while it can't, nothing is pushed (invariant 11).

    `since` is the step's own note of when that turned, None where it never did.
    """

    ok: bool
    why: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Only these stations may be written to, for what they hold was compared; `why` tells it of all others."""

    keys: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True)
class Suspension:
    """A person keeps a station from being written to, until an instant or for good."""

    reason: str
    who: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Storm:
    """Repairs have stopped because too many stations drifted within a short time; `held` are those left as they are."""

    since: datetime
    drifted: int
    connected: int
    held: Map[str, None] = field(default_factory=Map)


@dataclass(frozen=True, slots=True)
class Onsets:
    """The stations that began to drift in the span that began `since`, and those that did so only in the one before.

    No station is in both, so that counting them costs nothing however many there are.
    """

    since: datetime
    now: Map[str, None] = field(default_factory=Map)
    before: Map[str, None] = field(default_factory=Map)

    def __len__(self) -> int:
        """Count the stations, each once however often it began to drift."""
        return len(self.now) + len(self.before)


Event: TypeAlias = StationEvent | RevisionLoaded | RevisionRefused | Ask | Order | Recording | Compared
Effect: TypeAlias = StationCommand | Wake | Reply | Entry


@dataclass(frozen=True, slots=True)
class World:
    """All that is known. Station keys are casefolded identities.

    `standing` is the table's last answer for each station, `loads` what each may draw and feed at most, `waiting` the
    stations that have something to send when the fleet's bound on commands in flight allows, and `gated` by site those
    that wait for its caps. `errands` has the line of history that each write in flight will leave. `tally` counts
    stations by state.

    `revision` is the head. `placed` names, for stations that are not released to it, the commit that they hold on to;
    `revisions` has all that somebody follows, by commit, `plans` the digests with which they came, and `caps` the caps
    of each site, the lowest of all that its stations follow. `left` has the site of stations that are listed no more
    while what they hold may still flow there. `opening` is the last verdict of the rollout's windows,
    and when it was given. `quarantined` commits are not taken again, `turned` tells since when each station stands as
    it does. `meters` hold the pace of the fleet (under "") and of sites, `turns` do so for what is still to come, and
    `slots` are the instants given to stations. `reading` are routine read-backs under way, `site_in_flight` the
    stations of each site that are written to. Where `compared` is given, it alone says who may be written to. `dirty`
    names what has changed and has to be kept. `began_at` is when a process began with a restored world.
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
    turned: Map[str, Turned] = field(default_factory=Map)
    in_flight: int = 0
    revisions: Map[str, Revision] = field(default_factory=Map)
    placed: Map[str, str] = field(default_factory=Map)
    caps: Map[str, Caps] = field(default_factory=Map)
    left: Map[str, str] = field(default_factory=Map)
    rollout: Rollout | None = None
    plans: Map[str, str] = field(default_factory=Map)
    opening: tuple[datetime, Verdict] | None = None
    quarantined: Mapping[str, str] = field(default_factory=dict)
    suspended: Map[str, Suspension] = field(default_factory=Map)
    storm: Storm | None = None
    onsets: Onsets | None = None
    meters: Map[str, Meter] = field(default_factory=Map)
    turns: Map[str, Meter] = field(default_factory=Map)
    slots: Map[str, datetime] = field(default_factory=Map)
    site_in_flight: Map[str, frozenset[str]] = field(default_factory=Map)
    reading: Map[str, None] = field(default_factory=Map)
    recording: Recording = Recording(ok=True)
    compared: Compared | None = None
    began_at: datetime | None = None
    dirty: Map[Name, None] = field(default_factory=Map)

    def target(self, key: str) -> Revision | None:
        """Give the revision that a station is to hold now."""
        commit = self.placed.get(key)
        return self.revision if commit is None else self.revisions[commit]

    def manifest(self, key: str) -> Manifest | None:
        """Give what that revision says of a station; None where it does not list it."""
        target = self.target(key)
        return target.fleet.stations.get(key) if target else None

    def site_of(self, key: str) -> str | None:
        """Give the site of a station by that revision; None where it has none."""
        manifest = self.manifest(key)
        return manifest.site if manifest else None

    def pace(self, key: str) -> Pace:
        """Give how often a station may be written to and is read."""
        target, manifest = self.target(key), self.manifest(key)
        if target is None or manifest is None:
            return Pace(read_back=self.settings.read_back)
        settings = manifest.settings
        return Pace(settings.write_interval, settings.read_back or self.settings.read_back, target.fleet.drift.rounds)
