"""What is wrong only because of something else: both places are named."""

from __future__ import annotations

import pytest

from reconciler.manifests import diagnosis, hierarchy, roster
from reconciler.manifests.complaints import Complaints

VERSION = "apiVersion: v2g.fleet/v1alpha1\n"


def week(*windows):
    lines = "\n".join(
        f"  - {{days: {days}, from: '{start}', to: '{end}', power: 1 kW}}" for days, start, end in windows
    )
    return f"{VERSION}kind: Schedule\nmetadata: {{name: week}}\nspec:\n  windows:\n{lines}\n"


@pytest.mark.parametrize(
    ("windows", "when"),
    [
        ([("daily", "08:00", "10:00"), ("mon", "09:59", "11:00")], "mon 09:59"),
        ([("mon", "23:00", "01:00"), ("tue", "00:30", "02:00")], "tue 00:30"),
        ([("sun", "22:00", "06:00"), ("mon", "05:00", "07:00")], "mon 05:00"),
        ([("daily", "00:00", "24:00"), ("wed", "12:00", "12:00")], "wed 12:00"),
        ([("daily", "22:00", "22:00"), ("fri", "03:00", "04:00")], "fri 03:00"),
    ],
)
def test_overlapping_windows_name_each_other_and_the_first_moment(base, errors_of, windows, when):
    (error,) = errors_of({"base.yaml": base, "extra.yaml": week(*windows)})
    assert (error.rule, error.place.line, error.field) == ("overlapping-windows", 7, "spec.windows[1]")
    assert "extra.yaml:6:5" in error.message
    assert error.message.endswith(when)


def test_windows_that_touch_do_not_overlap(load_extra):
    windows = [("daily", "22:00", "06:00"), ("daily", "06:00", "22:00")]
    assert load_extra(week(*windows)).name == "pier"


def test_a_window_inside_a_long_one_is_found_behind_a_short_one(base, errors_of):
    windows = [("mon", "00:00", "24:00"), ("mon", "01:00", "02:00"), ("mon", "03:00", "04:00")]
    errors = errors_of({"base.yaml": base, "extra.yaml": week(*windows)})
    assert [error.place.line for error in errors] == [7, 8]


def groups(*specs):
    documents = [f"kind: Group\nmetadata: {{name: g{n}}}\nspec: {{{spec}}}\n" for n, spec in enumerate(specs)]
    return VERSION + "---\n".join(documents)


def test_one_priority_from_two_groups_names_both_lines(base, errors_of):
    text = groups("select: {names: [B-2]}, schedules: [{schedule: calm, priority: 10}]")
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert (error.rule, str(error.place)) == ("same-priority", "extra.yaml:4:71")
    assert "base.yaml:20:92" in error.message
    assert "`B-2`" in error.message
    assert error.field == "spec.schedules[0].priority"


def test_one_priority_twice_in_a_group_is_the_same_clash(base, errors_of):
    twice = "schedules: [{schedule: calm, priority: 5}, {schedule: calm, priority: 5}]"
    (error,) = errors_of({"base.yaml": base, "extra.yaml": groups(f"select: {{names: [B-1]}}, {twice}")})
    assert error.rule == "same-priority"


def test_a_child_clashes_with_its_parent(base, errors_of):
    text = groups("parent: buses, select: {names: [B-1, B-2]}, schedules: [{schedule: calm, priority: 10}]")
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert error.rule == "same-priority"


def test_groups_without_a_common_station_may_share_a_priority(load_extra):
    station = "---\nkind: Station\nmetadata: {name: Z}\nspec: {evses: [{id: 1, charge: 1 kW}]}\n"
    fleet = load_extra(groups("select: {names: [z]}, schedules: [{schedule: calm, priority: 10}]") + station)
    assert fleet.station("Z").groups == ("g0",)


def test_a_station_is_in_one_site_only(base, errors_of):
    site = "---\nkind: Site\nmetadata: {name: pole}\nspec: {import: 1 kW}\n"
    (error,) = errors_of({"base.yaml": base, "extra.yaml": groups("site: pole, select: {names: [B-2]}") + site})
    assert (error.rule, error.place.file, error.place.line) == ("two-sites", "base.yaml", 16)
    assert error.message == "`B-2` can't be in two sites: pole, quay"


def test_a_station_of_its_own_site_does_not_join_a_group_of_another(base, errors_of):
    text = VERSION + (
        "kind: Site\nmetadata: {name: pole}\nspec: {import: 1 kW}\n---\n"
        "kind: Station\nmetadata: {name: Z, labels: {line: night}}\n"
        "spec: {site: pole, evses: [{id: 1, charge: 1 kW}]}\n"
    )
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert (error.rule, error.place.line) == ("two-sites", 7)


def test_a_cycle_is_told_once_with_its_whole_way(base, errors_of):
    (error,) = errors_of({"base.yaml": base, "extra.yaml": groups("parent: g1", "parent: g2", "parent: g0")})
    assert (error.rule, error.place.line) == ("cyclic-groups", 4)
    assert error.message.endswith("g0 in g1 in g2 in g0")


def test_groups_may_not_lie_deeper_than_the_limit(base, errors_of):
    deep = groups(*("parent: buses" if not n else f"parent: g{n - 1}" for n in range(hierarchy.MAX_DEPTH)))
    (error,) = errors_of({"base.yaml": base, "extra.yaml": deep})
    assert error.rule == "groups-too-deep"


def test_groups_may_not_have_more_members_than_the_limit(base, errors_of, monkeypatch):
    monkeypatch.setattr(hierarchy, "MAX_MEMBERSHIPS", 5)
    (error,) = errors_of({"base.yaml": base, "extra.yaml": groups("parent: buses, select: {labels: {line: night}}")})
    assert error.rule == "too-many-members"


def test_a_fleet_may_not_have_more_stations_than_the_limit(base, errors_of, monkeypatch):
    monkeypatch.setattr(roster, "MAX_STATIONS", 5)
    sets = "---\n".join(
        f"kind: StationSet\nmetadata: {{name: s{n}}}\n"
        f"spec: {{identities: '{n}-{{1..4}}', evses: [{{id: 1, charge: 1 kW}}]}}\n"
        for n in range(2)
    )
    errors = errors_of({"base.yaml": base, "extra.yaml": VERSION + sets})
    assert {error.rule for error in errors} == {"too-many-stations"}


def test_a_revision_has_exactly_one_fleet(base, errors_of):
    (none,) = errors_of({"a.yaml": base.split("---\n", 1)[1].replace("kind: Site", VERSION + "kind: Site")})
    assert (none.rule, none.message) == ("one-fleet", "no document is of kind Fleet")
    second = base.split("---\n", 1)[0].replace("pier", "mole")
    (two,) = errors_of({"base.yaml": base, "extra.yaml": second})
    assert (two.rule, str(two.place)) == ("one-fleet", "extra.yaml:3:18")
    assert "base.yaml:3:18" in two.message


def test_discharge_needs_the_consent_of_the_fleet(base, errors_of):
    text = VERSION + "kind: Schedule\nmetadata: {name: out}\nspec:\n  otherwise: -7 kW\n"
    (error,) = errors_of({"base.yaml": base.replace(", discharge: allowed", ""), "extra.yaml": text})
    assert (error.rule, error.place.line, error.field) == ("discharge-not-allowed", 5, "spec.otherwise")


DISCHARGE = """apiVersion: v2g.fleet/v1alpha1
kind: Schedule
metadata: {name: out}
spec:
  windows:
    - {days: daily, from: "17:00", to: "20:00", power: POWER}
---
kind: StationSet
metadata: {name: old, labels: {line: old}}
spec:
  identities: O-{1..COUNT}
  evses: [{id: 1, charge: 11 kW, discharge: RATING, current: DC}]
  capability: CAPABILITY
---
kind: Group
metadata: {name: old}
spec: {select: {labels: {line: old}}, schedules: [{schedule: out, priority: 1}]}
"""


def discharge(power="-7 kW", count=3, rating="11 kW", capability='{protocol: "2.0.1"}'):
    words = {"POWER": power, "COUNT": str(count), "RATING": rating, "CAPABILITY": capability}
    text = DISCHARGE
    for word, value in words.items():
        text = text.replace(word, value)
    return text


@pytest.mark.parametrize(("count", "named"), [(1, "O-1,"), (2, "O-1 and O-2,"), (12, "O-1 and 11 others,")])
def test_discharge_by_an_undeclared_negative_limit_is_refused_by_name(base, errors_of, count, named):
    (error,) = errors_of({"base.yaml": base, "extra.yaml": discharge(count=count)})
    assert (error.rule, error.place.line) == ("discharge-not-expressible", 6)
    assert error.field == "spec.windows[0].power"
    assert f"-7 kW discharges {named}" in error.message


@pytest.mark.parametrize(
    "change",
    [
        {"capability": "{protocol: 2.0.1, negativeLimit: true}"},
        {"capability": "{protocol: 2.1}"},
        {"capability": "{}"},
        {"rating": "0 kW"},
        {"power": "7 kW"},
    ],
)
def test_discharge_that_can_be_said_or_never_happens_is_taken(load_extra, change):
    assert len(load_extra(discharge(**change)).stations) == 6


def test_amperes_for_a_dc_evse_are_refused_by_name(base, errors_of):
    (error,) = errors_of({"base.yaml": base, "extra.yaml": discharge(power="16 A")})
    assert (error.rule, error.place.line) == ("ampere-on-dc", 6)
    assert "O-1 and 2 others" in error.message


def test_all_errors_come_at_once_sorted_by_place(errors_of, base):
    text = VERSION + "kind: Schedule\nmetadata: {name: s}\nspec: {otherwise: 1}\n---\nkind: Nothing\n"
    errors = errors_of({"z.yaml": text, "base.yaml": base.replace("3 kW", "3 kw"), "a.yaml": "a: [\n"})
    assert [(error.place.file, error.rule) for error in errors] == [
        ("a.yaml", "not-yaml"),
        ("base.yaml", "wrong-unit"),
        ("z.yaml", "missing-unit"),
        ("z.yaml", "unknown-kind"),
    ]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("otherwise: 3 kW", "otherwise: 3"),
        ("import: 100 kW", "import: 100"),
        ('identities: "B-{1..3}", ', ""),
        ("metadata: {name: row,", "metadata: {name: 5,"),
        ("timezone: Europe/Amsterdam", "timezone: Mars"),
    ],
)
def test_a_broken_document_is_not_reported_again_as_missing(errors_of, base, right, wrong):
    assert right in base
    assert len(errors_of({"base.yaml": base.replace(right, wrong)})) == 1


def test_a_station_of_a_broken_set_is_not_missing(errors_of, base):
    broken = base.replace("id: 1, charge: 11 kW", "id: 1, charge: 11").replace(
        "labels: {line: night}}, sch", "names: [B-1]}, sch"
    )
    assert [error.rule for error in errors_of({"base.yaml": broken})] == ["missing-unit"]


def test_a_document_with_endless_errors_is_cut_short(errors_of, base):
    keys = ", ".join(f"k{n}: 1" for n in range(diagnosis.MOST + 20))
    errors = errors_of(
        {"base.yaml": base, "x.yaml": VERSION + f"kind: Site\nmetadata: {{name: x}}\nspec: {{import: 1 kW, {keys}}}"}
    )
    assert len(errors) == diagnosis.MOST + 1
    assert {error.message for error in errors if error.rule == "more-errors"} == {"20 more errors in this document"}


def test_a_suggestion_costs_no_more_than_its_budget():
    complaints = Complaints()
    assert complaints.suggest("nigth", ["night"]) == "did you mean `night`?"
    assert complaints.suggest("x" * 1000, ["x"]) == ""
    complaints.suggest("a", [str(number) for number in range(100_000)])
    assert complaints.suggest("nigth", ["night"]) == ""
