"""One row per way to be wrong: a file that joins a fleet that is right, the rule, and the line of the error.

A row is a whole file except for its `apiVersion`, which is added in front as line 1.
"""

from __future__ import annotations

import pytest

from reconciler.manifests.fields import timezone_hint

VERSION = "apiVersion: v2g.fleet/v1alpha1\n"
EVSES = "evses: [{id: 1, charge: 11 kW}]"


def station(spec="", name="X-1"):
    return f"kind: Station\nmetadata: {{name: {name}}}\nspec:\n  {spec or EVSES}\n"


def group(spec, name="extra"):
    return f"kind: Group\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n"


def schedule(spec, name="extra"):
    return f"kind: Schedule\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n"


def station_set(identities):
    return f"kind: StationSet\nmetadata: {{name: extra}}\nspec:\n  identities: {identities}\n  {EVSES}\n"


def window(text):
    return schedule(f"windows:\n  - {{{text}}}")


STATION_KEYS = (
    "the keys here are capability, evses, failSafe, identity, model, onUnsupported, readBack, readyBy, site,"
    " template, writeInterval"
)
SHAPES = [
    ("kind: Statoin\nmetadata: {name: x}\n", "unknown-kind", 2, "did you mean `Station`?"),
    (
        "kind: Banana\n",
        "unknown-kind",
        2,
        "one of Fleet, Site, Group, Station, StationSet, Schedule, Calendar, Template",
    ),
    ("kind: [a]\n", "unknown-kind", 2, None),
    ("metadata: {name: x}\n", "missing-key", 1, None),
    ("kind: Station\nmetadata: {name: x}\n", "missing-key", 1, None),
    ("kind: Station\nspec: {" + EVSES + "}\n", "missing-key", 1, None),
    ("kind: Station\nmetadata: {name: x}\nspec:\n", "missing-key", 4, None),
    (station(EVSES + "\n  evsees: []"), "unknown-key", 6, "did you mean `evses`?"),
    (
        station(EVSES + "\n  zzz: 1"),
        "unknown-key",
        6,
        STATION_KEYS,
    ),
    (station() + "status: {}\n", "unknown-key", 6, "the keys here are apiVersion, kind, metadata, spec"),
    (station() + "metdata: {}\n", "unknown-key", 6, "did you mean `metadata`?"),
    (station("evses: [{id: 1, charge: 11 kW, chargee: 1}]"), "unknown-key", 5, "did you mean `charge`?"),
    (station(EVSES + "\n  capability: {negativelimit: true}"), "unknown-key", 6, "did you mean `negativeLimit`?"),
    (station("evses: [{id: 1}]"), "missing-key", 5, None),
    (station("evses: []"), "out-of-range", 5, None),
    (station("evses: {id: 1}"), "wrong-type", 5, None),
    (station("evses: [1]"), "wrong-type", 5, None),
    (station("evses: [{id: one, charge: 1 kW}]"), "wrong-type", 5, None),
    (station("evses: [{id: 0, charge: 1 kW}]"), "out-of-range", 5, None),
    (station("evses: [{id: 1, charge: 1 kW, phases: 4}]"), "out-of-range", 5, None),
    (station("evses: [{id: 1, charge: 1 kW, current: ac}]"), "unknown-value", 5, None),
    (station("evses: [{id: 1, charge: 11}]"), "missing-unit", 5, "such as 11 kW or 11 A"),
    (station("evses: [{id: 1, charge: [11]}]"), "wrong-type", 5, None),
    (station("evses: [{id: 1, charge: true}]"), "wrong-type", 5, None),
    (station("evses: [{id: 1, charge: 11 kWh}]"), "wrong-unit", 5, None),
    (station("evses: [{id: 1, charge: 11 kW, discharge: -7 kW}]"), "out-of-range", 5, "write 7 kW"),
    (station("evses: [{id: 1, charge: 32 A, current: DC}]"), "ampere-on-dc", 5, "write W or kW"),
    (station("evses: [{id: 1, charge: 1 kW}, {id: 1, charge: 1 kW}]"), "duplicate-evse", 5, None),
    (station(EVSES + "\n  capability: {protocol: 1.6}"), "unknown-value", 6, None),
    (station(EVSES + "\n  capability: {units: []}"), "out-of-range", 6, None),
    (station(EVSES + "\n  capability: {maxOffline: 1}"), "wrong-type", 6, None),
    ("kind: Station\nmetadata: {name: 7}\nspec: {" + EVSES + "}\n", "wrong-type", 3, "quote it"),
    ("kind: Station\nmetadata: {name: a/b}\nspec: {" + EVSES + "}\n", "wrong-name", 3, None),
    ("kind: Station\nmetadata: {name: a, labels: {line: 5}}\nspec: {" + EVSES + "}\n", "wrong-type", 3, "quote it"),
    ("- a\n", "not-yaml", 2, None),
    ("kind: Site\nmetadata: {name: s}\nspec:\n  import: 16 A\n", "wrong-unit", 5, "write W, kW or MW"),
]

IDENTITIES = [
    (station("identity: a:b\n  " + EVSES), "wrong-identity", 5, None),
    (station(name="x" * 49), "wrong-identity", 3, None),
    (station("identity: " + "x" * 49 + "\n  " + EVSES), "wrong-identity", 5, None),
    (station("identity: b-2\n  " + EVSES), "duplicate-identity", 5, "case does not tell identities apart"),
    (station(name="B-2"), "duplicate-identity", 3, ""),
    (station_set("B-{3..4}"), "duplicate-identity", 5, None),
    (station_set("C-{1..9"), "wrong-range", 5, None),
    (station_set("C-1..9"), "wrong-range", 5, None),
    (station_set("C-{9..1}"), "wrong-range", 5, "write {1..9}"),
    (station_set("C-{01..100}"), "wrong-range", 5, "write {001..100}"),
    (station_set("C-{1..999999999}"), "too-many-stations", 5, None),
    (station_set("[C-1, 7]"), "wrong-type", 5, None),
    (station_set("[]"), "wrong-type", 5, None),
    (station_set("[C-1, 'C:2']"), "wrong-identity", 5, None),
    (station_set("none.csv"), "unknown-reference", 5, "its path counts from the fleet's folder"),
]

SCHEDULES = [
    (schedule("windows: []"), "empty-schedule", 5, None),
    (schedule("otherwise: 7"), "missing-unit", 5, None),
    (window('days: daily, from: "7:00", to: "08:00", power: 1 kW'), "wrong-time", 6, 'did you mean "07:00"?'),
    (window('days: daily, from: 17:00, to: "18:00", power: 1 kW'), "unquoted-time", 6, 'write "17:00"'),
    (window('days: daily, from: 7, to: "18:00", power: 1 kW'), "missing-unit", 6, 'such as "07:30" in quotes'),
    (window('days: daily, from: "24:00", to: "01:00", power: 1 kW'), "wrong-time", 6, 'write "00:00"'),
    (window('days: [monday], from: "01:00", to: "02:00", power: 1 kW'), "wrong-days", 6, None),
    (window('days: [1], from: "01:00", to: "02:00", power: 1 kW'), "missing-unit", 6, None),
    (window('days: 1, from: "01:00", to: "02:00", power: 1 kW'), "missing-unit", 6, None),
    (schedule("otherwise: 1 kW\n  validity: {from: 2027-02-30}"), "wrong-date", 6, None),
    (schedule("otherwise: 1 kW\n  validity: {from: 2027-02-03, to: 2027-02-03}"), "empty-validity", 6, None),
]

GROUPS = [
    (group("site: quey"), "unknown-reference", 5, "did you mean `quay`?"),
    (group("parent: busses"), "unknown-reference", 5, "did you mean `buses`?"),
    (group("schedules: [{schedule: clam, priority: 1}]"), "unknown-reference", 5, "did you mean `calm`?"),
    (station("site: quey\n  " + EVSES), "unknown-reference", 5, "did you mean `quay`?"),
    (group("site: quay\n  parent: buses"), "site-and-parent", 5, None),
    (group("select: {}"), "wrong-selection", 5, None),
    (group("select: {labels: {a: b}, names: [B-1]}"), "wrong-selection", 5, None),
    (group("select: {names: [B-1, B-9]}"), "unknown-reference", 5, "did you mean `b-3`?"),
    (group("select: {labels: {line: nigth}}"), "empty-selection", 5, "did you mean `line=night`?"),
    (group("schedules: [{schedule: calm, priority: 0}]"), "out-of-range", 5, None),
    (group("schedules: [{schedule: calm, priority: 10001}]"), "out-of-range", 5, None),
    (group("parent: extra"), "cyclic-groups", 5, None),
    (group("site: quay", name="buses"), "duplicate-name", 3, None),
]


@pytest.mark.parametrize(("text", "rule", "line", "hint"), [*SHAPES, *IDENTITIES, *SCHEDULES, *GROUPS])
def test_what_is_wrong_is_one_error_with_its_place(base, errors_of, text, rule, line, hint):
    (error,) = errors_of({"base.yaml": base, "extra.yaml": VERSION + text})
    assert (error.rule, error.place.file, error.place.line) == (rule, "extra.yaml", line)
    assert hint is None or error.hint == hint


def test_a_misspelt_time_zone_is_told_the_one_that_was_meant():
    assert timezone_hint("europe/amsterdm") == "did you mean `Europe/Amsterdam`?"
    assert timezone_hint("xyz123") == "an IANA name such as Europe/Amsterdam"


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("timezone: Europe/Amsterdm, profileIds: {from: 1, to: 999}", "unknown-timezone"),
        ("timezone: ../../etc/passwd, profileIds: {from: 1, to: 999}", "unknown-timezone"),
        ("timezone: Europe, profileIds: {from: 1, to: 999}", "unknown-timezone"),
        ("timezone: UTC, profileIds: {from: 1, to: 99}", "too-few-profile-ids"),
        ("timezone: UTC, profileIds: {from: 0, to: 999}", "out-of-range"),
        ("timezone: UTC, profileIds: {from: 1, to: 2147483648}", "out-of-range"),
        ("timezone: UTC, profileIds: {from: 1, to: 999}, failSafe: {lease: 6h}", "lease-too-short"),
        ("timezone: UTC, profileIds: {from: 1, to: 999}, failSafe: {renewBefore: 0s}", "lease-too-short"),
        ("timezone: UTC, profileIds: {from: 1, to: 999}, failSafe: {maxOffline: 0s}", "out-of-range"),
        ("timezone: UTC, profileIds: {from: 1, to: 999}, failSafe: {lease: 30}", "missing-unit"),
        ("timezone: UTC, profileIds: {from: 1, to: 999}, nominalVoltage: 230", "missing-unit"),
        ("timezone: UTC, profileIds: {from: 1, to: 999}, discharge: yes please", "unknown-value"),
    ],
)
def test_a_fleet_that_is_wrong_is_refused_where_it_is_wrong(errors_of, spec, rule):
    (error,) = errors_of({"f.yaml": VERSION + f"kind: Fleet\nmetadata: {{name: f}}\nspec: {{{spec}}}\n"})
    assert (error.rule, error.place.line) == (rule, 4)


@pytest.mark.parametrize(
    ("table", "rule", "line"),
    [
        ("name\nC-1\n", "wrong-table", 1),
        ("identity,colour\nC-1,red\n", "wrong-table", 1),
        ("identity,identity\nC-1,C-2\n", "wrong-table", 1),
        ("identity,label:\nC-1,x\n", "wrong-table", 1),
        ("", "wrong-table", 1),
        ("identity\nC-1\nC-2,x\n", "wrong-table", 3),
        ("identity\nC-1\nC:2\n", "wrong-identity", 3),
        ("identity\nC-1\nc-1\n", "duplicate-identity", 3),
        ('identity\n"C-1', "not-csv", 2),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_line(base, errors_of, table, rule, line):
    text = VERSION + station_set("rows.csv")
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text, "rows.csv": table})
    assert (error.rule, error.place.file, error.place.line) == (rule, "rows.csv", line)


def test_a_table_that_is_not_there_names_those_that_are(base, errors_of):
    files = {"base.yaml": base, "extra.yaml": VERSION + station_set("none.csv"), "rows.csv": ""}
    (error,) = errors_of(files)
    assert error.hint == "tables here are rows.csv"


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("kind: Station\n", "missing-key", 1),
        ("apiVersion: v1\nkind: Station\n", "unknown-api-version", 1),
        (VERSION + "kind: 5\n", "unknown-kind", 2),
        ("- a list\n", "wrong-type", 1),
        ("just text\n", "wrong-type", 1),
        ("a: [\n", "not-yaml", 2),
    ],
)
def test_a_document_that_is_no_manifest_is_refused(base, errors_of, text, rule, line):
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert (error.rule, error.place.file, error.place.line) == (rule, "extra.yaml", line)


def test_the_field_path_leads_to_the_value(base, errors_of):
    text = VERSION + window('days: daily, from: "01:00", to: "02:00", power: 1 kw')
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert error.field == "spec.windows[0].power"
    assert str(error) == (
        "extra.yaml:6:54: spec.windows[0].power: `kw` is not a unit of power (did you mean 1 kW?) [wrong-unit]"
    )
