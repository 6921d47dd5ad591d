"""Of each setting, what the nearest says: fleet, site, group, subgroup, station; and where it says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.fleet import Declared
from reconciler.manifests.load import load
from reconciler.manifests.origins import origins
from reconciler.manifests.snapshot import Snapshot

LEVELS = ("fleet", "site", "group", "subgroup", "station")


def nested(said, select=""):
    """Write a fleet whose levels say these lines; `said` goes by level, `select` is that of the outer group."""
    lines = {level: f", {said[level]}" if said.get(level) else "" for level in LEVELS}
    return f"""apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {{name: pier}}
spec: {{timezone: UTC, profileIds: {{from: 1000, to: 1999}}{lines["fleet"]}}}
---
kind: Site
metadata: {{name: quay}}
spec: {{import: 100 kW{lines["site"]}}}
---
kind: Group
metadata: {{name: buses}}
spec: {{site: quay{select}{lines["group"]}}}
---
kind: Group
metadata: {{name: night}}
spec: {{parent: buses, select: {{names: [S]}}{lines["subgroup"]}}}
---
kind: Station
metadata: {{name: S}}
spec: {{model: m, evses: [{{id: 1, charge: 11 kW}}]{lines["station"]}}}
"""


@pytest.fixture
def station_of(load_files):
    def loaded(said):
        return load_files({"f.yaml": nested(said)}).stations["s"]

    return loaded


BOTH = ", select: {names: [S]}"


@given(st.dictionaries(st.sampled_from(LEVELS), st.integers(1, 900)), st.sampled_from(("", BOTH)))
def test_the_nearest_level_that_says_a_setting_wins(said, select):
    text = nested({level: f"writeInterval: {seconds}s" for level, seconds in said.items()}, select)
    station = load(Snapshot("c", "a", None, "s", {"f.yaml": text})).stations["s"]
    nearest = next((said[level] for level in reversed(LEVELS) if level in said), 60)
    assert station.settings.write_interval == timedelta(seconds=nearest)
    (origin,) = (each for each in origins(station) if each.field == "writeInterval")
    words = {"fleet": "Fleet pier", "site": "Site quay", "group": "Group buses", "subgroup": "Group night"}
    level = next((level for level in reversed(LEVELS) if level in said), "")
    words[""] = "default of Fleet pier"
    assert origin.level == words.get(level, "Station S")
    assert text.splitlines()[origin.place.line - 1][origin.place.column - 1 :].startswith(
        f"{nearest}s" if said else "{timezone"
    )


@pytest.mark.parametrize("select", ["", BOTH])
def test_the_group_that_lies_in_another_is_the_nearer_one_also_where_both_select_the_station(load_files, select):
    assert load_files({"f.yaml": nested({}, select)}).station("S").groups == ("night", "buses")


def test_parts_of_the_fail_safe_and_of_the_capability_are_inherited_one_by_one(station_of):
    station = station_of(
        {
            "fleet": "capability: {maxOffline: true, periods: 8}",
            "site": "failSafe: {lease: 20h}",
            "group": "failSafe: {maxOffline: 5m}, capability: {periods: 24, protocol: 2.1}",
            "station": "capability: {units: [A, W]}, onUnsupported: zero",
        }
    )
    safe = station.settings.fail_safe
    assert (safe.lease, safe.renew_before, safe.max_offline) == (
        timedelta(hours=20),
        timedelta(hours=6),
        timedelta(minutes=5),
    )
    assert station.declared == Declared(protocol="2.1", periods=24, units=("A", "W"), max_offline=True)
    assert station.settings.on_unsupported == "zero"
    told = {each.field: (each.value, each.level) for each in origins(station)}
    assert told["failSafe.lease"] == ("20h", "Site quay")
    assert told["failSafe.renewBefore"] == ("6h", "default of Fleet pier"), "nobody wrote it"
    assert told["capability.units"] == ("A, W", "Station S")
    assert told["capability.maxOffline"] == ("true", "Fleet pier")
    assert told["capability.periods"] == ("24", "Group buses")
    assert told["site"] == ("quay", "Group buses")
    assert told["evses"] == ("1: +11 kW -0 W", "Station S")


def test_a_lease_that_parts_of_two_levels_make_too_short_is_refused(errors_of):
    (error,) = errors_of({"f.yaml": nested({"site": "failSafe: {lease: 5h}"})})
    assert (error.rule, error.place.line) == ("lease-too-short", 8)
    assert "`lease` is 5h and `renewBefore` 6h for `S`" in error.message


def test_a_time_of_nothing_is_refused_at_every_level(errors_of):
    (error,) = errors_of({"f.yaml": nested({"group": "failSafe: {maxOffline: 0s}"})})
    assert error.rule == "out-of-range"


TWO = """apiVersion: v2g.fleet/v1alpha1
kind: Group
metadata: {name: a}
spec: {select: {names: [B-1]}, writeInterval: 5m}
---
kind: Group
metadata: {name: b}
spec: {select: {names: [B-1, B-2]}, writeInterval: OTHER}
"""


def test_two_groups_equally_near_that_differ_are_an_error_with_both_places(base, errors_of):
    (error,) = errors_of({"base.yaml": base, "extra.yaml": TWO.replace("OTHER", "6m")})
    assert (error.rule, str(error.place), error.field) == ("setting-clash", "extra.yaml:8:52", "spec.writeInterval")
    assert "Group b and Group a, at extra.yaml:4:47" in error.message


def test_two_groups_equally_near_may_say_the_same(load_extra):
    fleet = load_extra(TWO.replace("OTHER", "5m"))
    assert fleet.station("B-1").settings.write_interval == timedelta(minutes=5)


def test_stations_that_inherit_alike_share_what_they_inherit(load_extra):
    stations = load_extra("").stations.values()
    for part in ("settings", "declared", "origins"):
        assert len({id(getattr(station, part)) for station in stations}) == 1


def test_what_a_table_says_of_a_station_is_set_by_its_line(load_extra):
    text = "apiVersion: v2g.fleet/v1alpha1\nkind: StationSet\nmetadata: {name: t, labels: {depot: north}}\n"
    text += "spec: {identities: t.csv, evses: [{id: 1, charge: 1 kW}]}\n"
    table = "identity,model,label:line,charge\nT1,,,\nT2,fine,night,7 kW\n"
    fleet = load_extra(text, **{"t.csv": table})
    plain, told = ({each.field: each for each in origins(fleet.station(name))} for name in ("T1", "T2"))
    assert str(plain["identity"].place) == "t.csv:2:1"
    assert (plain["evses"].level, plain["evses"].place.file) == ("StationSet t", "extra.yaml")
    assert (told["evses"].value, str(told["evses"].place)) == ("1: +7 kW -0 kW", "t.csv:3:1")
    assert (told["model"].value, told["model"].level) == ("fine", "Table t.csv")
    assert told["labels"].value == "line=night"
    assert str(told["labels"].place) == "t.csv:3:1"
    assert [field for field in told if field not in plain] == ["site", "model", "labels", "schedules"]


def test_schedules_come_with_the_line_that_assigns_them(load_extra):
    told = [each for each in origins(load_extra("").station("B-1")) if each.field == "schedules"]
    assert [(each.value, each.level, str(each.place)) for each in told] == [
        ("calm, priority 10", "Group buses", "base.yaml:20:92")
    ]


def test_a_departure_is_inherited_as_a_whole_and_shown_in_a_word(station_of):
    station = station_of(
        {
            "group": 'readyBy: {time: "05:30", minSoc: 80 %, capacity: 60 kWh, assumeSoc: 20 %}',
            "subgroup": 'readyBy: {time: "04:15", minEnergy: 12.5 kWh, policy: trim}',
        }
    )
    ready = station.settings.ready_by
    assert (ready.time, ready.since, ready.least_wh, ready.capacity_wh, ready.trims) == (255, None, 12_500, None, True)
    (origin,) = (each for each in origins(station) if each.field == "readyBy")
    assert (origin.value, origin.level) == ("04:15 with 12.5 kWh", "Group night")


def test_settings_mean_the_same_wherever_they_were_set(station_of):
    asked = 'readyBy: {time: "05:30", minSoc: 80 %, capacity: 60 kWh}'
    one, other, plain = station_of({"group": asked}), station_of({"station": asked}), station_of({})
    assert one.settings != other.settings
    assert one.settings.meaning == other.settings.meaning != plain.settings.meaning


THREE = (
    TWO.replace("OTHER", "6m")
    + """---
kind: Group
metadata: {name: c}
spec: {select: {names: [B-1, B-2]}, writeInterval: 5m}
"""
)


def test_a_clash_is_told_once_however_many_stations_it_meets(base, errors_of):
    errors = errors_of({"base.yaml": base, "extra.yaml": THREE})
    assert [error.rule for error in errors] == ["setting-clash", "setting-clash"]


def test_a_lease_that_is_too_short_is_told_once(errors_of):
    text = nested({"site": "failSafe: {lease: 5h}"})
    text += "---\nkind: Station\nmetadata: {name: T}\nspec: {site: quay, evses: [{id: 1, charge: 11 kW}]}\n"
    (error,) = errors_of({"f.yaml": text})
    assert error.rule == "lease-too-short"


def test_stations_of_two_documents_meet_the_same_clash_once(base, errors_of):
    text = TWO.replace("OTHER", "6m").replace("[B-1]", "[B-1, Z]").replace("[B-1, B-2]", "[B-1, Z]")
    text += "---\nkind: Station\nmetadata: {name: Z}\nspec: {evses: [{id: 1, charge: 1 kW}]}\n"
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert error.rule == "setting-clash"
