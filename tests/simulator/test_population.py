"""Stations by the number, or after a fleet's own."""

import ast
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.errors import Place, UsageError
from reconciler.manifests.fleet import Current, Declared, Evse, FailSafe, Settings, Station
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import Unit
from reconciler.simulator.nameplate import NegativeLimit
from reconciler.simulator.population import Outfit, identities, make_stations, stations_like

HOUR = timedelta(hours=1)
INHERITED = Settings(FailSafe(30 * HOUR, 6 * HOUR, HOUR), timedelta(0), "refuse")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def listed(identity, **declared):
    evses = (
        Evse(1, Decimal(15_000), Decimal(10_000), 0, Current.DC, ""),
        Evse(2, Decimal(7400), Decimal(0), 1, Current.AC, ""),
    )
    place = Place("fleet.yaml")
    return Station(identity, identity, {}, "", None, (), evses, Declared(**declared), (), INHERITED, place)


def test_identities_count_up_within_their_range():
    assert list(identities("SIM-{0001..}", 3)) == ["SIM-0001", "SIM-0002", "SIM-0003"]
    assert list(identities("Q3-{098..100}-a", 3)) == ["Q3-098-a", "Q3-099-a", "Q3-100-a"]


@pytest.mark.parametrize(("pattern", "count"), [("SIM-1", 1), ("S-{1..3}", 4), ("S-{1..}", 0), ("S-{3..1}", 1)])
def test_what_is_no_range_is_refused(pattern, count):
    with pytest.raises(UsageError):
        identities(pattern, count)


def test_stations_take_turns_with_the_protocols():
    made = make_stations(4, NOON)
    assert [station.plate.protocol.version for station in made] == ["2.1", "2.0.1", "2.1", "2.0.1"]
    assert made[0].plate is made[2].plate


def test_batteries_differ_and_stay_within_their_bounds():
    made = make_stations(50, NOON)
    charges = [station.bay(1).battery.soc for station in made]
    assert len(set(charges)) == 50
    assert all(0.4 <= soc <= 0.6 for soc in charges)


def test_evses_may_be_empty():
    (station,) = make_stations(1, NOON, outfit=Outfit(vehicle=None))
    assert station.power_w(1, NOON) == 0


def test_stations_are_like_those_of_a_fleet():
    declared = {"negative_limit": True, "protocol": "2.0.1", "stack_levels": 2, "periods": 8, "units": ("W",)}
    one, two, plain = stations_like(
        [listed("A", **declared, entries=4, max_offline=False), listed("B", protocol="2.1"), listed("C")], NOON
    )
    plate = one.plate
    assert (plate.protocol, plate.negative_limit) == (Protocol.V201, NegativeLimit.DISCHARGE)
    assert (plate.max_stack_level, plate.max_periods, plate.max_profiles) == (2, 8, 4)
    assert (plate.units, plate.max_offline) == ((Unit.WATT,), False)
    assert [(evse.charge_w, evse.discharge_w, evse.phases) for evse in plate.evses] == [
        (15_000, 10_000, 0),
        (7400, 0, 1),
    ]
    assert two.plate.protocol is Protocol.V21
    assert plain.plate.negative_limit is NegativeLimit.UNLIMITED


def test_nothing_of_the_model_imports_what_only_the_shell_may():
    package = Path(__file__).parents[2] / "reconciler" / "simulator"
    shell = {"connection.py", "fleet.py"}
    banned = {"asyncio", "random", "websockets", "structlog", "os", "pathlib", "time", "uuid", "logging", "secrets"}
    for file in package.glob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text()))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        nodes = ast.walk(ast.parse(file.read_text()))
        names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        assert file.name in shell or not {name.split(".")[0] for name in names} & banned, file.name
