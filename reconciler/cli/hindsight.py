"""Why a station did what it did at an instant gone by: the write in force then, and the line of git behind it. Pure.

Called by `steering` for a running controller and by `past` for a database. What was sent is made again from the commit
that the history names, and held against the digest that was kept: the same inputs give the same bytes (invariant 1).
What other writers had set, and what meters showed then, the history does not tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from reconciler.cli.accounts import write_stretch
from reconciler.controller.history import payload_digest
from reconciler.controller.revision import Revision
from reconciler.errors import ManifestError, UsageError
from reconciler.manifests.fleet import Evse, Station
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.composite import Situation, flow_at
from reconciler.profiles.form import write_instant, write_number
from reconciler.render.account import account
from reconciler.render.assume import assume
from reconciler.render.lease import bucket, lease_at
from reconciler.rollout.lines import Line
from reconciler.rollout.question import Question
from reconciler.rollout.station import Goal
from reconciler.web.history import Ask, line_view, tell

View: TypeAlias = dict[str, object]
Find: TypeAlias = Callable[[str], Awaitable[Revision | None]]
MOST = 2000
"""How many lines are looked through for the last write of each EVSE; a quiet station leaves a few a day."""
WRITES = ("SetChargingProfile", "ClearChargingProfile")


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose past is asked for, and when; `capability` is what it said last, None where it never did."""

    identity: str
    at: datetime
    capability: Capability | None = None


async def look_back(ask: Ask, find: Find, asked: Asked) -> View:
    """Show what each EVSE of a station had been told at an instant, by which line of git, and what came between.

    Raises:
        UsageError: no line of history is that old.
    """
    lines, _ = await tell(ask, Question((asked.identity,), until=asked.at, limit=MOST))
    if not lines:
        raise UsageError(f"the history holds nothing about {asked.identity!r} before {write_instant(asked.at)}")
    writes = last_writes(lines)
    revisions = {commit: await find(commit) for commit in sorted({each.entry.revision for each in writes.values()})}
    zones = [each.fleet.timezone for each in revisions.values() if each is not None]
    return {
        "identity": lines[0].entry.station,
        "at": write_instant(asked.at),
        "timezone": zones[-1] if zones else "UTC",
        "evses": [_evse(evse, line, revisions[line.entry.revision], asked) for evse, line in sorted(writes.items())],
        "since": [line_view(each) for each in _since(lines, writes.values())],
    }


def revive(snapshot: Snapshot, shipped: Mapping[str, str]) -> Revision:
    """Make a revision that was proved long ago, only to be looked at; raises ManifestError and RevisionError."""
    return Revision(snapshot, load(snapshot), shipped)


def last_writes(lines: Iterable[Line]) -> Mapping[int, Line]:
    """Give for each EVSE the last write that its station took, of lines that have the newest first."""
    found: dict[int, Line] = {}
    for each in lines:
        if each.entry.evse_id and each.entry.action in WRITES and _was_taken(each):
            found.setdefault(each.entry.evse_id, each)
    return found


def _was_taken(line: Line) -> bool:
    """Tell whether the station took a write: it said so, or what was read back showed it."""
    return line.entry.answer == "Accepted" or line.read_back in ("as sent", "gone")


def _since(lines: Iterable[Line], writes: Iterable[Line]) -> Iterable[Line]:
    """Give what else happened from the oldest of these writes on."""
    shown = list(writes)
    begun = min((each.entry.at for each in shown), default=None)
    return (each for each in lines if each not in shown and (begun is None or each.entry.at >= begun))


def _evse(number: int, line: Line, revision: Revision | None, asked: Asked) -> View:
    view: View = {"evseId": number, "write": line_view(line), "told": None, "source": None}
    if revision is None:
        return view
    view["subject"] = revision.snapshot.subject
    station = revision.station(asked.identity)
    evse = next((each for each in station.evses if each.id == number), None) if station else None
    if station is None or evse is None or line.entry.action != WRITES[0]:
        return view
    return {**view, **_meant(line, revision, station, evse, asked)}


def _meant(line: Line, revision: Revision, station: Station, evse: Evse, asked: Asked) -> View:
    """Make again what was sent, and say what it commanded at the instant, and whose line asked for it."""
    sent = line.sent_at or line.entry.at
    capability = asked.capability or assume(station.declared, Protocol.V21)
    lease = lease_at(sent, station.settings.fail_safe, bucket(station.identity))
    try:
        goal = revision.goal(station, capability, sent)
        stretches = account(revision.renderer.programmes, station, evse, capability, (lease.start, lease.end))
    except ManifestError:
        return {}
    stretch = next((each for each in stretches if each.start <= asked.at < each.end), None)
    return {
        "told": _told(goal, line, evse, asked.at, revision),
        "leaseEnds": write_instant(lease.end),
        "source": write_stretch(stretch) if stretch else None,
    }


def _told(goal: Goal, line: Line, evse: Evse, at: datetime, revision: Revision) -> View | None:
    """Say what the profile that was sent commanded, with what lies under it; None where the commit makes none such."""
    profile = next((each for each in goal.profiles if each.id == line.entry.profile_id), None)
    if profile is None:
        return None
    situation = Situation(watts_per_ampere=revision.fleet.nominal_voltage * (evse.phases or 3))
    flow = flow_at(goal.profiles, evse.id, at, situation)
    return {
        "mostImportW": write_number(flow.most_import_w),
        "mostExportW": write_number(flow.most_export_w),
        "setpointW": write_number(flow.setpoint_w),
        "leader": flow.leader,
        "asSent": payload_digest(profile) == line.entry.digest,
    }
