"""The example fleets teach by being right."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.manifests.load import load


def test_harbour_buses_has_two_lines_of_twelve_v2g_stations(folder):
    fleet = load(folder("harbour-buses"))
    assert len(fleet.stations) == 24
    assert {name: len(group.members) for name, group in fleet.groups.items()} == {"day-buses": 12, "night-buses": 12}
    assert all(evse.discharge_w == 15_000 for station in fleet.stations.values() for evse in station.evses)
    protocols = [station.declared.protocol for station in fleet.stations.values()]
    assert (protocols.count("2.0.1"), protocols.count("2.1")) == (12, 12)


def test_city_500_has_five_hundred_stations_of_one_kind(folder):
    fleet = load(folder("city-500"))
    assert len(fleet.stations) == 500
    assert len({id(station.evses) for station in fleet.stations.values()}) == 1
    assert len(fleet.station("CITY-120").assignments) == 2
    assert len(fleet.strategy.waves) == 3


def test_island_ferries_rates_each_berth_and_lets_vans_be_ready(folder):
    fleet = load(folder("island-ferries"))
    assert {each.identity: len(each.evses) for each in fleet.stations.values()} == {
        "FERRY-1": 2,
        "FERRY-2": 1,
        "VAN-1": 1,
        "VAN-2": 1,
        "VAN-3": 1,
    }
    assert fleet.station("VAN-3").evses[0].discharge_w == 0
    assert fleet.station("VAN-1").settings.ready_by.least_wh == 30_000
    assert fleet.station("FERRY-1").settings.ready_by is None
    assert {each.settings.fail_safe.max_offline for each in fleet.stations.values()} == {timedelta(minutes=10)}


@pytest.mark.parametrize("name", ["harbour-buses", "city-500"])
def test_an_example_stays_within_its_site_at_every_moment(folder, name):
    fleet = load(folder(name))
    for site in fleet.sites.values():
        stations = [station for station in fleet.stations.values() if station.site == site.name]
        flows = [flows_of(station, fleet.nominal_voltage) for station in stations]
        for moment in zip(*flows, strict=True):
            assert sum(flow for flow in moment if flow > 0) <= site.import_w
            assert -sum(flow for flow in moment if flow < 0) <= site.export_w


def flows_of(station, voltage):
    """Give the station's watts in each quarter of an hour of a week."""
    return [flow_at(station, voltage, minute) for minute in range(0, 7 * 1440, 15)]


def flow_at(station, voltage, minute):
    for assignment in station.assignments:
        power = power_at(assignment.schedule, minute)
        if power is not None:
            return sum(clamp(evse, power.to_watts(evse.phases, voltage, evse.current)) for evse in station.evses)
    return Decimal(0)


def power_at(schedule, minute):
    for window in schedule.windows:
        for day in window.days:
            if (minute - day * 1440 - window.start) % (7 * 1440) < window.end - window.start:
                return window.power
    return schedule.otherwise


def clamp(evse, watts):
    return max(-evse.discharge_w, min(evse.charge_w, watts))
