"""A small fleet as revisions, and what its stations report: what the tests of plans begin from."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from reconciler.controller.revision import Revision, revise
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Protocol
from reconciler.render.assume import assume
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.reported.saved import SavedStation

ROOT = Path(__file__).parents[1]
MONDAY = datetime(2026, 11, 23, 16, tzinfo=UTC)
"""17:00 on a Monday in Amsterdam."""
SHIPPED = {path.name: path.read_text() for path in (ROOT / "templates").glob("*.j2")}

YARD = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: yard}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 810000, to: 819999}
  failSafe: {lease: 30h, renewBefore: 6h, maxOffline: 15m}
  discharge: allowed
---
kind: Site
metadata: {name: quay}
spec: {import: 200 kW, export: 200 kW}
---
kind: StationSet
metadata: {name: row-a, labels: {line: night}}
spec:
  identities: "A-{01..04}"
  model: one
  evses: [{id: 1, charge: 15 kW, discharge: 15 kW, current: DC}]
  capability: {protocol: 2.0.1, negativeLimit: true}
---
kind: StationSet
metadata: {name: row-b, labels: {line: day}}
spec:
  identities: "B-{01..02}"
  model: two
  evses: [{id: 1, charge: 11 kW}, {id: 2, charge: 11 kW}]
---
kind: Group
metadata: {name: night}
spec:
  site: quay
  select: {labels: {line: night}}
  schedules: [{schedule: evening, priority: 20}, {schedule: rest, priority: 10}]
---
kind: Group
metadata: {name: day}
spec: {site: quay, select: {labels: {line: day}}, schedules: [{schedule: rest, priority: 10}]}
---
kind: Schedule
metadata: {name: evening}
spec:
  windows:
    - {days: weekdays, from: "17:00", to: "20:00", power: -7 kW}
---
kind: Schedule
metadata: {name: rest}
spec:
  windows:
    - {days: daily, from: "23:30", to: "05:30", power: 11 kW}
  otherwise: 3 kW
"""


@cache
def revision(*edits: tuple[str, str], commit: str = "c0ffee", extra: str = "") -> Revision:
    """Give the yard with texts replaced by others, and with one more file."""
    text = YARD
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    files = {"yard.yaml": text} | ({"extra.yaml": extra} if extra else {})
    return revise(Snapshot(commit, "Ann <ann@example.org>", None, "Change the yard", files), SHIPPED, MONDAY)


def held_by(held: Revision, identity: str, at: datetime = MONDAY, **changes) -> SavedStation:
    """Give a station that was read back and holds exactly what a revision asks for."""
    station = held.fleet.stations[identity.casefold()]
    protocol = next((each for each in Protocol if each.version == station.declared.protocol), Protocol.V21)
    goal = held.goal(station, assume(station.declared, protocol), at)
    reported = Reported(
        held={profile.id: Held(profile, Belief.OBSERVED) for profile in goal.profiles}, known=True, ever_known=True
    )
    facts = {"protocol": protocol, "connected": True, "reported": reported} | changes
    return SavedStation(station.identity, **facts)


def state_of(held: Revision, at: datetime = MONDAY) -> dict[str, SavedStation]:
    """Give the whole fleet as if all of it had been brought to a revision."""
    return {key: held_by(held, key, at) for key in held.fleet.stations}
