"""A revision made after another is the one that is made alone, to the letter, whatever was edited and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.controller.revision import revise
from reconciler.errors import RevisionError
from reconciler.manifests.snapshot import Snapshot
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.render.assume import assume, protocols
from revisions import SHIPPED

START = datetime(2026, 3, 27, 9, 30, tzinfo=UTC)
HEAD = "apiVersion: v2g.fleet/v1alpha1\n"
FILES = {
    "fleet.yaml": """\
kind: Fleet
metadata: {name: law}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 810000, to: 819999}
  failSafe: {lease: 30h, renewBefore: 6h, maxOffline: 15m}
  discharge: allowed
  guardrails: {dwell: {severity: warning, reason: a law}, ramp: {severity: warning, reason: a law}}
""",
    "calendar.yaml": """\
kind: Calendar
metadata: {name: closed}
spec: {dates: ["2026-03-30"]}
""",
    "sites.yaml": """\
kind: Site
metadata: {name: quay}
spec: {import: 90 kW, export: 90 kW}
---
apiVersion: v2g.fleet/v1alpha1
kind: Site
metadata: {name: yard}
spec: {import: 90 kW, export: 90 kW, onUnsupported: zero}
""",
    "groups/all.yaml": """\
kind: Group
metadata: {name: all}
spec:
  site: quay
  schedules: [{schedule: rest, priority: 1}]
  writeInterval: 10m
""",
    "groups/night.yaml": """\
kind: Group
metadata: {name: night}
spec:
  parent: all
  select: {labels: {line: night}}
  schedules: [{schedule: evening, priority: 20}]
  readyBy: {time: "06:30", minEnergy: 20 kWh, policy: trim}
""",
    "groups/day.yaml": """\
kind: Group
metadata: {name: day}
spec:
  site: yard
  select: {names: [B-1, B-2, B-3]}
  schedules: [{schedule: noon, priority: 10}, {schedule: rest, priority: 1}]
""",
    "stations/a.yaml": """\
kind: StationSet
metadata: {name: a, labels: {line: night}}
spec:
  identities: "A-{1..3}"
  evses: [{id: 1, charge: 15 kW, discharge: 15 kW, current: DC}]
  capability: {protocol: "2.1"}
""",
    "stations/b.yaml": """\
kind: StationSet
metadata: {name: b, labels: {line: day}}
spec:
  identities: stations/b.csv
  model: plain
  evses: [{id: 1, charge: 15 kW, discharge: 15 kW, current: DC}]
  capability: {protocol: "2.1"}
""",
    "stations/b.csv": "identity,charge\nB-1,11 kW\nB-2,11 kW\nB-3,\n",
    "schedules/evening.yaml": """\
kind: Schedule
metadata: {name: evening}
spec:
  extends: rest
  windows: [{days: daily, except: [closed], from: "17:00", to: "20:00", power: -7 kW}]
""",
    "schedules/rest.yaml": """\
kind: Schedule
metadata: {name: rest}
spec:
  windows: [{days: daily, from: "22:30", to: "06:00", power: 11 kW}]
  otherwise: 3 kW
""",
    "schedules/noon.yaml": """\
kind: Schedule
metadata: {name: noon}
spec:
  windows: [{days: weekdays, from: "11:00", to: "14:00", power: 7 kW}]
""",
    "template.yaml": """\
kind: Template
metadata: {name: own}
spec: {file: own.yaml.j2, models: [plain], parameters: {share: {type: number, default: 0.5}}}
""",
}
TEXTS = {path: text if path.endswith(".csv") else HEAD + text for path, text in FILES.items()}
TEXTS["templates/own.yaml.j2"] = SHIPPED["schedule.yaml.j2"]
EDITS = (
    ("schedules/evening.yaml", "-7 kW", "-8 kW"),
    ("schedules/evening.yaml", "-7 kW", "-7.0 kW"),
    ("schedules/evening.yaml", "except: [closed], ", ""),
    ("schedules/evening.yaml", "  extends: rest\n", ""),
    ("schedules/evening.yaml", "power: -7 kW", "mode: idle"),
    ("schedules/evening.yaml", "kind:", "\nkind:"),
    ("schedules/rest.yaml", "11 kW", "11.00 kW"),
    ("schedules/rest.yaml", "11 kW", "1 kW"),
    ("schedules/rest.yaml", "name: rest", "name: rest2"),
    ("schedules/rest.yaml", "  otherwise: 3 kW\n", "  otherwise: 3 kW\n  extends: evening\n"),
    ("schedules/noon.yaml", "7 kW", "32 A"),
    ("schedules/noon.yaml", '"14:00"', '"11:10"'),
    ("schedules/noon.yaml", "]", ', {days: daily, from: "13:00", to: "15:00", power: 1 kW}]'),
    ("groups/night.yaml", "priority: 20", "priority: 1"),
    ("groups/night.yaml", "20 kWh", "20.0 kWh"),
    ("groups/night.yaml", "20 kWh", "300 kWh"),
    ("groups/night.yaml", "parent: all", "site: yard"),
    ("groups/night.yaml", "policy: trim", "policy: refuse"),
    ("groups/all.yaml", "10m", "11m"),
    ("groups/all.yaml", "10m", "10m\n  failSafe: {lease: 20h}"),
    ("groups/day.yaml", "site: yard", "site: quay"),
    ("groups/day.yaml", ", B-3", ""),
    ("groups/day.yaml", "B-3", "B-4"),
    ("groups/day.yaml", "B-3]}", "B-3]}\n  template: {name: own, parameters: {share: 0.50}}"),
    ("sites.yaml", "import: 90 kW, export: 90 kW}", "import: 20 kW, export: 90 kW}"),
    ("sites.yaml", "onUnsupported: zero", "onUnsupported: charge-only"),
    ("sites.yaml", "name: yard", "name: yard2"),
    ("stations/a.yaml", "{1..3}", "{1..4}"),
    ("stations/a.yaml", "{1..3}", "{2..3}"),
    ("stations/a.yaml", "charge: 15 kW, dis", "charge: 15.0 kW, dis"),
    ("stations/a.yaml", "charge: 15 kW, dis", "charge: 6 kW, dis"),
    ("stations/a.yaml", 'protocol: "2.1"', "periods: 3"),
    ("stations/a.yaml", "kind:", "\n\nkind:"),
    ("stations/b.yaml", "model: plain", "model: other"),
    ("stations/b.yaml", 'protocol: "2.1"', 'protocol: "2.0.1"'),
    ("stations/b.csv", "B-1,11 kW", "B-1,11.0 kW"),
    ("stations/b.csv", "B-1,11 kW", "B-1,22 kW"),
    ("stations/b.csv", "B-3,\n", "A-1,\n"),
    ("stations/b.csv", "B-3,\n", "B-3,x\n"),
    ("calendar.yaml", "03-30", "03-31"),
    ("calendar.yaml", "name: closed", "name: close"),
    ("template.yaml", "0.5", "0.50"),
    ("template.yaml", "models: [plain]", "models: []"),
    ("templates/own.yaml.j2", "stackLevel", "stackLvl"),
    ("fleet.yaml", "Amsterdam", "London"),
    ("fleet.yaml", "discharge: allowed", "discharge: forbidden"),
    ("fleet.yaml", "810000", "810100"),
    ("fleet.yaml", "maxOffline: 15m", "maxOffline: 16m"),
    ("fleet.yaml", "dwell: {severity: warning, reason: a law}, ", ""),
    ("fleet.yaml", "guardrails", "nominalVoltage: 240 V\n  guardrails"),
)
MOVES = [
    timedelta(),
    timedelta(minutes=3),
    timedelta(hours=7),
    timedelta(days=1),
    timedelta(days=6),
    timedelta(days=40),
]


def edited(edits):
    files = dict(TEXTS)
    for path, old, new in edits:
        files[path] = files[path].replace(old, new, 1)
    return Snapshot(str(sorted(edits)), "Ann <ann@example.org>", None, "Edit", files)


def told(head, known, now, base=None):
    """Give a revision with all that it says, or why it is refused."""
    try:
        made = revise(head, SHIPPED, now, known)
    except RevisionError as error:
        return None, repr([vars(each) for each in error.errors])
    kinds = [
        (each, assume(each.declared, one)) for each in made.fleet.stations.values() for one in protocols(each.declared)
    ]
    goals = [(station, made.goal(station, capability, now)) for station, capability in kinds]
    plan = base and plan_fleet(made, now, base)
    return made, repr((made.fleet, made.fleet.groups, goals, made.warnings, made.members, made.caps, plan))


def check(history):
    before, now = None, START
    for edits, passed in history:
        now += passed
        made, after = told(edited(edits), before, now, before)
        _, alone = told(edited(edits), None, now, before)
        assert after == alone
        before = made or before


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0]}: {edit[2].strip()[:30]}")
def test_whatever_was_edited_a_revision_is_as_it_would_be_alone(edit):
    check([((), MOVES[0]), ((edit,), MOVES[1])])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from(EDITS), max_size=2), st.sampled_from(MOVES)), min_size=2, max_size=4))
def test_a_revision_after_others_is_as_it_would_be_alone(history):
    check(history)
