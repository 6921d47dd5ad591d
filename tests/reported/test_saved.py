"""Saved state: what is written is read again as it was, and nothing else is taken for one."""

import copy
import json
from datetime import timedelta

import pytest

from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Unit
from reconciler.reported.belief import Belief, Echo, Held, Reported
from reconciler.reported.events import Refused
from reconciler.reported.saved import MalformedState, SavedStation, read_state, write_state
from revisions import MONDAY, held_by, revision


def profiles():
    return tuple(held.profile for held in held_by(revision(), "A-01").reported.held.values())


def full():
    """Give a station of which everything is known that can be known."""
    floor, ceiling, schedule = profiles()
    reported = Reported(
        held={
            floor.id: Held(floor, Belief.OBSERVED),
            schedule.id: Held(schedule, Belief.ASSUMED),
            77: Held(ceiling, Belief.UNKNOWN, "EMS"),
        },
        known=False,
        ever_known=True,
        echoes={schedule.id: Echo(schedule, floor)},
        refusals={
            ceiling.id: (ceiling, Refused("InvalidValue", "no", timedelta(seconds=9))),
            floor.id: (floor, Refused("TxNotFound")),
        },
    )
    capability = Capability(Protocol.V21, units=(Unit.WATT,), max_profiles=9, update_rate_limit=timedelta(seconds=5))
    return SavedStation("A-01", Protocol.V21, True, capability, reported, "c0ffee")


def round_trip(*stations):
    return read_state(json.loads(json.dumps(write_state(stations, MONDAY, "c0ffee"))))


def test_what_is_written_is_read_again():
    station, ceiling = full(), profiles()[1]
    read = round_trip(station)
    again = read.stations["a-01"]
    assert (read.at, read.revision) == (MONDAY, "c0ffee")
    assert again.capability == station.capability
    assert (again.protocol, again.connected) == (Protocol.V21, True)
    assert again.reported.refusals == station.reported.refusals
    assert again.reported.echoes == station.reported.echoes
    # A profile is known by its own id, whatever it was filed under.
    assert again.reported.held == {held.profile.id: held for held in station.reported.held.values()}
    assert again.reported.held[ceiling.id].source == "EMS"


def test_an_echo_that_is_what_was_sent_and_is_held_takes_no_room():
    schedule = profiles()[2]
    reported = Reported(
        {schedule.id: Held(schedule, Belief.OBSERVED)},
        known=True,
        ever_known=True,
        echoes={schedule.id: Echo(schedule, schedule)},
    )
    station = SavedStation("A", reported=reported)
    assert write_state([station], MONDAY)["stations"][0]["profiles"][0]["echo"] == {}
    assert round_trip(station).stations["a"].reported == reported


def test_equal_profiles_of_many_stations_are_one_object():
    read = round_trip(*(SavedStation(name, reported=full().reported) for name in "AB")).stations
    one, other = (read[name].reported.held for name in "ab")
    assert len(one) == len(profiles())
    assert all(held.profile is other[number].profile for number, held in one.items())


def test_a_station_of_which_nothing_is_known_is_read_as_such():
    again = round_trip(SavedStation("Z")).stations["z"]
    assert again == SavedStation("Z")


def test_an_empty_inventory_that_was_read_is_known():
    reported = Reported(known=True, ever_known=True)
    assert round_trip(SavedStation("Z", reported=reported)).stations["z"].reported == reported


def test_stations_are_written_in_the_order_of_their_identities():
    written = write_state([SavedStation("b"), SavedStation("C"), SavedStation("A")], MONDAY)
    assert [station["identity"] for station in written["stations"]] == ["A", "b", "C"]


def test_a_refused_clear_is_not_written():
    reported = Reported(refusals={5: (None, Refused("InternalError"))})
    assert "refusals" not in write_state([SavedStation("A", reported=reported)], MONDAY)["stations"][0]


def test_a_profile_without_a_source_is_ours():
    written = write_state([full()], MONDAY)
    for profile in written["stations"][0]["profiles"]:
        profile.pop("source")
    assert {held.source for held in read_state(written).stations["a-01"].reported.held.values()} == {"CSO"}


def broken(path, value):
    """Give a document with one thing in it put wrong."""
    written = copy.deepcopy(write_state([full()], MONDAY))
    node = written
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return written


STATION = ("stations", 0)


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (None, "", "must be an object"),
        ([], "", "must be an object"),
        ({}, "format_version", "is missing"),
        (broken(("format_version",), 2), "format_version", "is 2, and this program reads 1"),
        (broken(("at",), "noon"), "at", "RFC 3339"),
        (broken(("at",), None), "at", "is missing"),
        (broken(("revision",), 5), "revision", "must be a string"),
        (broken(("stations",), {}), "stations", "must be a list"),
        (broken(("stations",), None), "stations", "is missing"),
        (broken(STATION, 5), "stations[0]", "must be an object"),
        (broken((*STATION, "identity"), ""), "stations[0].identity", "1 to 48 characters"),
        (broken((*STATION, "identity"), "x" * 49), "stations[0].identity", "1 to 48 characters"),
        (broken((*STATION, "protocol"), "1.6"), "stations[0].protocol", "2.0.1, 2.1"),
        (broken((*STATION, "known"), "yes"), "stations[0].known", "true or false"),
        (broken((*STATION, "connected"), None), "stations[0].connected", "is missing"),
        (broken((*STATION, "profiles"), "none"), "stations[0].profiles", "must be a list"),
        (broken((*STATION, "profiles", 0, "belief"), "hoped"), "stations[0].profiles[0].belief", "observed"),
        (broken((*STATION, "profiles", 0, "evseId"), 1.5), "stations[0].profiles[0].evseId", "whole number"),
        (broken((*STATION, "profiles", 0, "profile"), 5), "stations[0].profiles[0].profile", "must be an object"),
        (broken((*STATION, "profiles", 0, "profile"), {}), "stations[0].profiles[0].profile.id", "is missing"),
        (broken((*STATION, "profiles", 2, "echo"), 5), "stations[0].profiles[2].echo", "must be an object"),
        (
            broken((*STATION, "profiles", 2, "echo", "stored"), {}),
            "stations[0].profiles[2].echo.stored.evseId",
            "is missing",
        ),
        (broken((*STATION, "capability"), []), "stations[0].capability", "must be an object"),
        (broken((*STATION, "capability", "units"), ["V"]), "stations[0].capability.units", "must be one of"),
        (broken((*STATION, "capability", "modes"), 5), "stations[0].capability.modes", "must be a list"),
        (broken((*STATION, "refusals"), 5), "stations[0].refusals", "must be a list"),
        (broken((*STATION, "refusals", 0, "reasonCode"), 5), "stations[0].refusals[0].reasonCode", "must be a string"),
    ],
)
def test_what_is_no_state_is_refused_with_its_path(document, path, message):
    with pytest.raises(MalformedState) as caught:
        read_state(document)
    assert caught.value.path == path
    assert message in caught.value.message
    assert str(caught.value).startswith(f"saved state: {path}" if path else "saved state: ")


def test_a_station_that_is_there_twice_is_refused_in_any_spelling():
    written = write_state([SavedStation("A"), SavedStation("a")], MONDAY)
    with pytest.raises(MalformedState, match=r"stations\[1\].identity: a is there twice"):
        read_state(written)


def test_a_profile_id_that_is_there_twice_is_refused():
    written = write_state([full()], MONDAY)
    station = written["stations"][0]
    station["profiles"].append(station["profiles"][0])
    with pytest.raises(MalformedState, match="is there twice"):
        read_state(written)


def test_more_profiles_than_a_station_can_hold_are_refused():
    written = write_state([full()], MONDAY)
    station = written["stations"][0]
    station["profiles"] *= 400
    with pytest.raises(MalformedState, match="has 1200 items"):
        read_state(written)
