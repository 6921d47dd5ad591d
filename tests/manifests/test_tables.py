"""A table of ratings: one line a station, or one an EVSE; what a cell leaves out is as in the set."""

from __future__ import annotations

from decimal import Decimal

import pytest

VERSION = "apiVersion: v2g.fleet/v1alpha1\n"
SINGLE = ", evses: [{id: 3, charge: 11 kW, discharge: 5 kW, phases: 3, connector: sType2}]"
DOUBLE = ", evses: [{id: 1, charge: 11 kW}, {id: 2, charge: 22 kW}]"


def set_of(more):
    return f"{VERSION}kind: StationSet\nmetadata: {{name: rows}}\nspec: {{identities: rows.csv, model: m{more}}}\n"


@pytest.fixture
def rated(load_extra):
    """Load a set with a table; give each station's EVSEs as (id, charge, discharge, phases, current, connector)."""

    def loaded(table, more=SINGLE):
        stations = load_extra(set_of(more), **{"rows.csv": table}).stations
        return {
            each.identity: [
                (evse.id, int(evse.charge_w), int(evse.discharge_w), evse.phases, evse.current.value, evse.connector)
                for evse in each.evses
            ]
            for each in stations.values()
            if each.identity.startswith("T")
        }

    return loaded


@pytest.fixture
def refused(base, errors_of):
    def errors(table, more=SINGLE):
        return errors_of({"base.yaml": base, "extra.yaml": set_of(more), "rows.csv": table})

    return errors


def test_a_line_overrides_the_sets_only_evse_cell_by_cell(rated):
    table = "identity,charge,discharge,phases,current,connector\n"
    table += "T1,22 kW,,,,\nT2,,0 kW,1,,\nT3,,,,,\nT4,50 kW,50 kW,,DC,cCCS2\n"
    assert rated(table) == {
        "T1": [(3, 22000, 5000, 3, "AC", "sType2")],
        "T2": [(3, 11000, 0, 1, "AC", "sType2")],
        "T3": [(3, 11000, 5000, 3, "AC", "sType2")],
        "T4": [(3, 50000, 50000, 0, "DC", "cCCS2")],
    }


def test_amperes_of_a_line_count_on_the_phases_of_that_line(rated):
    assert rated("identity,charge,phases\nT1,16 A,1\nT2,16 A,\n")["T1"][0][1] == 3680
    assert rated("identity,charge,phases\nT1,16 A,1\nT2,16 A,\n")["T2"][0][1] == 11040


def test_with_an_evse_column_a_station_has_the_evses_that_its_lines_name(rated):
    table = "identity,evse,charge\nT1,2,7 kW\nT1,1,\nT2,2,\nT3,,\nT4,5,3 kW\n"
    assert rated(table, DOUBLE) == {
        "T1": [(1, 11000, 0, 3, "AC", ""), (2, 7000, 0, 3, "AC", "")],
        "T2": [(2, 22000, 0, 3, "AC", "")],
        "T3": [(1, 11000, 0, 3, "AC", ""), (2, 22000, 0, 3, "AC", "")],
        "T4": [(5, 3000, 0, 3, "AC", "")],
    }


def test_a_table_that_rates_every_line_needs_no_evses_in_the_set(rated):
    assert rated("identity,charge\nT1,7 kW\n", "") == {"T1": [(1, 7000, 0, 3, "AC", "")]}


def test_stations_rated_alike_share_their_evses(load_extra):
    table = "identity,charge\n" + "".join(f"T{n},{11 + n % 2} kW\n" for n in range(50))
    stations = load_extra(set_of(SINGLE), **{"rows.csv": table}).stations
    assert len({id(each.evses) for each in stations.values() if each.identity.startswith("T")}) == 2


def test_lines_of_one_station_keep_the_first_lines_labels_and_place(load_extra):
    table = "identity,evse,model,label:line\nT1,1,fine,night\nt1,2,,\n"
    station = load_extra(set_of(DOUBLE), **{"rows.csv": table}).station("T1")
    assert (station.model, station.labels["line"], str(station.place)) == ("fine", "night", "rows.csv:2:1")
    assert [evse.id for evse in station.evses] == [1, 2]


@pytest.mark.parametrize(
    ("table", "more", "rule", "line", "field"),
    [
        ("identity,charge\nT1,7\n", SINGLE, "missing-unit", 2, "charge"),
        ("identity,charge\nT1,-7 kW\n", SINGLE, "out-of-range", 2, "charge"),
        ("identity,phases\nT1,4\n", SINGLE, "out-of-range", 2, "phases"),
        ("identity,current\nT1,ac\n", SINGLE, "unknown-value", 2, "current"),
        ("identity,evse\nT1,0\n", SINGLE, "out-of-range", 2, "evse"),
        ("identity,evse\nT1,one\n", SINGLE, "out-of-range", 2, "evse"),
        ("identity,charge,current\nT1,16 A,DC\n", SINGLE, "ampere-on-dc", 2, "charge"),
        ("identity,charge\nT1,7 kW\n", DOUBLE, "wrong-table", 2, "charge"),
        ("identity,evse,charge\nT1,7,\n", DOUBLE, "missing-key", 2, "charge"),
        ("identity,model\nT1,x\n", "", "missing-key", 2, "charge"),
        ("identity,evse\nT1,1\nT2,1\nT1,1\n", DOUBLE, "duplicate-evse", 4, "evse"),
        ("identity,evse\nT1,1\nT1,\n", DOUBLE, "wrong-table", 3, "evse"),
        ("identity,evse,model\nT1,1,a\nT1,2,b\n", DOUBLE, "wrong-table", 3, "identity"),
        ("identity,evse,label:x\nT1,1,a\nT1,2,b\n", DOUBLE, "wrong-table", 3, "identity"),
        ("identity,charge\nT1,7 kW\nT1,7 kW\n", SINGLE, "duplicate-identity", 3, "identity"),
        ("identity,charge\n,7 kW\n", SINGLE, "wrong-identity", 2, "identity"),
    ],
)
def test_a_wrong_cell_names_file_line_and_column(refused, table, more, rule, line, field):
    (error,) = refused(table, more)
    assert (error.rule, error.place.file, error.place.line, error.field) == (rule, "rows.csv", line, field)


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("chrage", "did you mean `charge`?"),
        ("Current", "did you mean `current`?"),
        ("lable:kind", "did you mean `label:kind`?"),
        ("colour", "identity, then model, evse, charge, discharge, phases, current, connector and label:KEY as needed"),
    ],
)
def test_a_misspelt_column_is_told_which_one_was_meant(refused, column, hint):
    (error,) = refused(f"identity,{column}\nT1,x\n")
    assert (error.rule, error.hint, error.place.line) == ("wrong-table", hint, 1)


def test_every_wrong_line_is_told_up_to_a_hundred(refused):
    assert [error.place.line for error in refused("identity,charge\nT1,7\nT2,7 kW\nT3,x\n")] == [2, 4]
    assert len(refused("identity,charge\n" + "".join(f"T{n},x\n" for n in range(500)))) == 100


def test_a_range_without_ratings_is_refused(base, errors_of):
    text = set_of("").replace("rows.csv", "[T1, T2]")
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert (error.rule, error.message) == ("missing-key", "`evses` is missing")


def test_watts_are_exact(load_extra):
    station = load_extra(set_of(SINGLE), **{"rows.csv": "identity,charge\nT1,7.4 kW\n"}).station("T1")
    assert station.evses[0].charge_w == Decimal(7400)
