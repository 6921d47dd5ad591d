from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.fleet import Current, Declared, Evse
from reconciler.manifests.identities import expand_range
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot

VERSION = "apiVersion: v2g.fleet/v1alpha1\n"


def test_a_fleet_has_the_defaults_that_the_design_gives(load_extra):
    fleet = load_extra("")
    assert (fleet.name, fleet.timezone, fleet.id_from, fleet.id_to) == ("pier", "Europe/Amsterdam", 1000, 1999)
    assert fleet.fail_safe.lease == timedelta(hours=30)
    assert fleet.fail_safe.renew_before == timedelta(hours=6)
    assert fleet.fail_safe.max_offline == timedelta(minutes=15)
    assert fleet.write_interval == timedelta(seconds=60)
    assert fleet.nominal_voltage == 230
    assert fleet.discharge_allowed


def test_a_site_without_export_feeds_nothing(load_extra):
    fleet = load_extra(VERSION + "kind: Site\nmetadata: {name: s}\nspec: {import: 1.5 MW}\n")
    assert (fleet.sites["s"].import_w, fleet.sites["s"].export_w) == (1_500_000, 0)
    assert (fleet.sites["quay"].import_w, fleet.sites["quay"].export_w) == (100_000, 50_000)


def test_a_range_becomes_stations_that_share_what_is_equal(load_extra):
    fleet = load_extra("")
    stations = list(fleet.stations.values())
    assert list(fleet.stations) == ["b-1", "b-2", "b-3"]
    assert [station.identity for station in stations] == ["B-1", "B-2", "B-3"]
    for part in ("evses", "declared", "assignments", "labels"):
        assert len({id(getattr(station, part)) for station in stations}) == 1
    assert stations[0].evses == (Evse(1, Decimal(11000), Decimal(11000), 0, Current.DC, ""),)


def test_a_station_is_found_in_any_spelling(load_extra):
    fleet = load_extra("")
    assert fleet.station("b-2") is fleet.station("B-2") is fleet.stations["b-2"]
    assert fleet.station("B-9") is None


def test_equal_hardware_of_different_documents_is_one_object(load_extra):
    one = "kind: Station\nmetadata: {{name: {0}}}\nspec: {{evses: [{{id: 1, charge: {1}}}]}}\n"
    fleet = load_extra(VERSION + one.format("P", "16 A") + "---\n" + one.format("R", "11.04 kW"))
    assert fleet.station("P").evses is fleet.station("R").evses


def test_amperes_become_watts_at_the_nominal_voltage(load_extra, load_files, base):
    text = VERSION + (
        "kind: Station\nmetadata: {name: P}\n"
        "spec: {evses: [{id: 2, charge: 32 A, connector: sType2}, {id: 1, charge: 16 A, phases: 1}]}\n"
    )
    first, second = load_extra(text).station("P").evses
    assert (first.id, first.charge_w, first.phases) == (1, 3680, 1)
    assert (second.id, second.charge_w, second.phases, second.connector) == (2, 22080, 3, "sType2")
    american = load_files({"b.yaml": base.replace("discharge: allowed", "nominalVoltage: 120 V"), "e.yaml": text})
    assert american.station("P").evses[0].charge_w == 1920


def test_what_is_declared_of_a_station_is_kept_and_the_rest_is_none(load_extra):
    words = "{protocol: 2.1, units: [W, A], stackLevels: 9, periods: 24, entries: 5, maxOffline: true}"
    text = (
        VERSION
        + f"kind: Station\nmetadata: {{name: P}}\nspec: {{evses: [{{id: 1, charge: 1 kW}}], capability: {words}}}\n"
    )
    fleet = load_extra(text)
    assert fleet.station("P").declared == Declared(None, "2.1", 9, 24, ("W", "A"), True, 5)
    assert fleet.station("B-1").declared == Declared()


def test_a_station_may_be_named_differently_from_its_identity(load_extra):
    text = VERSION + (
        "kind: Station\nmetadata: {name: gate}\n"
        "spec: {identity: 'NL*1', model: m, site: quay, evses: [{id: 1, charge: 1 kW}]}\n"
        "---\nkind: Group\nmetadata: {name: g}\nspec: {select: {names: [Gate]}}\n"
    )
    fleet = load_extra(text)
    station = fleet.station("nl*1")
    assert (station.name, station.model, station.site, station.groups) == ("gate", "m", "quay", ("g",))
    assert fleet.groups["g"].members == ("NL*1",)


def test_a_list_may_hold_ranges_and_each_station_has_its_place(load_extra):
    text = VERSION + (
        "kind: StationSet\nmetadata: {name: s}\nspec:\n  evses: [{id: 1, charge: 1 kW}]\n"
        "  identities:\n    - L-{08..10}\n    - L-77\n"
    )
    fleet = load_extra(text)
    assert [key for key in fleet.stations if key.startswith("l")] == ["l-08", "l-09", "l-10", "l-77"]
    assert str(fleet.station("L-09").place) == "extra.yaml:7:7"
    assert str(fleet.station("L-77").place) == "extra.yaml:8:7"


def test_a_table_gives_each_station_its_labels_and_model(load_extra):
    text = VERSION + (
        "kind: StationSet\nmetadata: {name: s, labels: {area: west, line: day}}\n"
        "spec: {identities: rows.csv, model: plain, evses: [{id: 1, charge: 1 kW}]}\n"
    )
    table = "\ufeffidentity, label:line ,model\nT-1,night,fine\n\nT-2,,\nT-3,night,\n"
    fleet = load_extra(text, **{"rows.csv": table})
    first, second, third = (fleet.station(f"T-{number}") for number in (1, 2, 3))
    assert (first.labels, first.model) == ({"area": "west", "line": "night"}, "fine")
    assert (second.labels, second.model) == ({"area": "west", "line": "day"}, "plain")
    assert first.labels is third.labels
    assert "buses" in first.groups
    assert str(third.place) == "rows.csv:5:1"


NESTED = (
    VERSION
    + """kind: Schedule
metadata: {name: peak}
spec: {windows: [{days: [fri, sat], from: "22:00", to: "02:00", power: -7 kW}], validity: {from: 2027-03-01}}
---
kind: Group
metadata: {name: all}
spec: {site: quay, schedules: [{schedule: peak, priority: 20}, {schedule: calm, priority: 1}]}
---
kind: Group
metadata: {name: half}
spec: {parent: all}
---
kind: Group
metadata: {name: few}
spec: {parent: half, select: {names: [B-3, b-1]}, schedules: [{schedule: calm, priority: 30}]}
"""
)


def test_a_station_has_its_ancestors_schedules_by_priority(load_extra):
    fleet = load_extra(NESTED)
    few, plain = fleet.station("B-1"), fleet.station("B-2")
    assert few.groups == ("buses", "few", "half", "all")
    assert [(one.priority, one.group) for one in few.assignments] == [
        (30, "few"),
        (20, "all"),
        (10, "buses"),
        (1, "all"),
    ]
    assert few.assignments is fleet.station("B-3").assignments
    assert [one.group for one in plain.assignments] == ["buses"]


def test_a_group_without_selection_has_its_childrens_members_and_its_parents_site(load_extra):
    groups = load_extra(NESTED).groups
    assert groups["few"].members == groups["half"].members == groups["all"].members == ("B-1", "B-3")
    assert {groups[name].site for name in ("few", "half", "all")} == {"quay"}
    assert [one.priority for one in groups["all"].assignments] == [20, 1]
    assert (groups["few"].parent, groups["all"].parent) == ("half", None)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_starts(load_extra):
    schedule = load_extra(NESTED).station("B-1").assignments[1].schedule
    (window,) = schedule.windows
    assert (window.days, window.start, window.end) == ({4, 5}, 1320, 1560)
    assert (schedule.valid_from, schedule.valid_to) == (date(2027, 3, 1), None)
    assert schedule.otherwise is None
    assert str(window.place) == "extra.yaml:4:18"


def test_a_station_without_group_has_nothing_scheduled(load_extra):
    fleet = load_extra(VERSION + "kind: Station\nmetadata: {name: P}\nspec: {evses: [{id: 1, charge: 1 kW}]}\n")
    station = fleet.station("P")
    assert (station.site, station.groups, station.assignments) == (None, (), ())


def test_templates_hidden_files_and_other_files_are_no_manifests(load_extra):
    fleet = load_extra(
        "",
        **{
            "templates/floor.yaml.j2": "floor",
            "templates/notes.yaml": "not: [a manifest",
            "templates/.hidden.j2": "no",
            "elsewhere/x.yaml.j2": "no",
            ".github/ci.yml": "not: [a manifest",
            "README.md": "not: [a manifest",
        },
    )
    assert fleet.templates == {"floor.yaml.j2": "floor"}


def test_one_version_stands_for_the_documents_after_it(load_extra):
    site = "kind: Site\nmetadata: {{name: {0}}}\nspec: {{import: 1 kW}}\n"
    text = VERSION + site.format("a") + "---\n---\n" + site.format("b")
    assert set(load_extra(text).sites) == {"a", "b", "quay"}


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from("abcdef"), min_size=8, max_size=8))
def test_neither_the_order_nor_the_names_of_files_change_what_is_desired(shuffle: random.Random, names):
    documents = [VERSION + part for part in _parts()]
    shuffle.shuffle(documents)
    files: dict[str, str] = {}
    for name, text in zip(names, documents, strict=False):
        files[f"{name}.yaml"] = files.get(f"{name}.yaml", "") + "---\n" + text
    assert _meaning(files) == _meaning({"one.yaml": "---\n".join(VERSION + part for part in _parts())})


def _parts():
    fleet = (
        "kind: Fleet\nmetadata: {name: f}\n"
        "spec: {timezone: UTC, profileIds: {from: 1, to: 500}, discharge: allowed}\n---\n"
        "kind: Site\nmetadata: {name: quay}\nspec: {import: 1 MW}\n---\n"
        "kind: Schedule\nmetadata: {name: calm}\nspec: {otherwise: 3 kW}\n---\n"
        "kind: StationSet\nmetadata: {name: s}\nspec: {identities: 'B-{1..3}', evses: [{id: 1, charge: 1 kW}]}\n---\n"
    )
    return [part.removeprefix(VERSION) for part in (fleet + NESTED.removeprefix(VERSION)).split("---\n")]


def _meaning(files):
    fleet = load(Snapshot("", "", None, "", files))
    return (
        list(fleet.sites),
        [(group.name, group.members, group.site, _assigned(group.assignments)) for group in fleet.groups.values()],
        [(one.identity, one.site, one.groups, _assigned(one.assignments)) for one in fleet.stations.values()],
    )


def _assigned(assignments):
    return [(one.schedule.name, one.priority, one.group) for one in assignments]


@given(st.integers(0, 10**6), st.integers(0, 200), st.integers(0, 9))
def test_a_range_names_each_number_once_with_one_width(first, extra, width):
    last = first + extra
    width = max(width, len(str(last)))
    names = list(expand_range(f"a{{{first:0{width}}..{last:0{width}}}}z"))
    assert [int(name[1:-1]) for name in names] == list(range(first, last + 1))
    assert {len(name) for name in names} == {width + 2}


def test_ten_thousand_stations_share_what_their_groups_give():
    sets = "".join(
        f"---\nkind: StationSet\nmetadata: {{name: s{n}, labels: {{set: s{n}}}}}\n"
        f"spec: {{identities: 'S{n}-{{0001..1000}}', evses: [{{id: 1, charge: 11 kW}}]}}\n"
        for n in range(10)
    )
    groups = "".join(
        f"---\nkind: Group\nmetadata: {{name: g{n}}}\n"
        f"spec: {{select: {{labels: {{set: s{n % 10}}}}}, schedules: [{{schedule: calm, priority: {n + 1}}}]}}\n"
        for n in range(200)
    )
    fleet = load(Snapshot("", "", None, "", {"a.yaml": VERSION + "---\n".join(_parts()[:4]) + sets + groups}))
    assert len(fleet.stations) == 10_003
    assert len({id(station.assignments) for station in fleet.stations.values()}) == 11
