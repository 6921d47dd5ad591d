"""Without a named two-way energy transfer no ISO 15118-20 vehicle discharges (Q01.FR.01)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli.admission import admit
from reconciler.controller.revision import revise
from reconciler.ocpp.answers import Admission, answer
from reconciler.profiles.capability import Protocol
from reconciler.source.folder import read_folder
from reconciler.source.shipped import default_templates

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
FLEETS = Path(__file__).parents[2] / "fleets"


def of(fleet):
    return revise(read_folder(FLEETS / fleet), default_templates(), NOW)


def test_a_station_that_discharges_names_the_two_way_transfer_when_it_authorises():
    admission = admit(of("harbour-buses"), "Q3-013")
    token = {"idToken": {"idToken": "1", "type": "Central"}}
    told = answer(Protocol.V21, "Authorize", token, NOW, admission).payload
    assert told["allowedEnergyTransfer"] == ["DC", "DC_BPT"]


@pytest.mark.parametrize(("fleet", "identity"), [("city-500", "CITY-001"), ("harbour-buses", "unheard-of")])
def test_other_stations_are_told_nothing_of_transfers(fleet, identity):
    assert admit(of(fleet), identity) == Admission()


def test_before_a_revision_is_loaded_nothing_is_promised():
    assert admit(None, "Q3-013") == Admission()
