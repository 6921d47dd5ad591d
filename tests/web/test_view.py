from decimal import Decimal

from reconciler.controller.world import RevisionLoaded, RevisionRefused, World
from reconciler.errors import ManifestError, Place
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import write_instant
from reconciler.reported.events import Connected, Disconnected, Metered
from reconciler.web.view import STATES, groups_view, keys, station_view, stations_view, status_view


def test_a_station_that_was_never_seen_is_deferred(yard):
    view = station_view(yard.world, "a1")
    assert (view["identity"], view["connected"], view["protocol"], view["revision"]) == ("A1", False, None, None)
    assert (view["state"], view["reason"]) == ("deferred", "offline: not seen yet")
    assert (view["desiredRevision"], view["groups"], view["site"]) == ("c0ffee", ["night"], "quay")


def test_a_station_that_was_read_back_shows_the_commit_that_was_verified(yard):
    yard.connect("A1")
    yard.take(Metered("A1", 1, Decimal("-6999.5"), yard.now))
    view = station_view(yard.world, "a1")
    assert (view["state"], view["revision"], view["protocol"], view["connected"]) == ("in-sync", "c0ffee", "2.1", True)
    assert (view["skewSeconds"], view["powerW"], view["lastRead"]) == (-1.5, {"1": -6999.5}, "2026-03-03T17:00:00Z")


def test_stations_are_chosen_by_labels_and_state(yard):
    yard.connect("A1")
    assert [each["identity"] for each in stations_view(yard.world, {"line": "night"})] == ["A1", "A2"]
    assert stations_view(yard.world, {"line": "day"}) == []
    assert [each["identity"] for each in stations_view(yard.world, {}, "in-sync")] == ["A1"]


def test_a_group_counts_its_stations_by_state(yard):
    yard.connect("A1")
    (group,) = groups_view(yard.world)
    assert (group["name"], group["site"], group["stations"]) == ("night", "quay", 2)
    assert group["states"] == {**dict.fromkeys(STATES, 0), "in-sync": 1, "deferred": 1}
    assert group["schedules"][0] == {"schedule": "evening", "priority": 20, "place": "fleet.yaml:19:37"}


def test_a_connected_station_outside_the_fleet_is_shown_without_a_state_of_its_own(yard):
    yard.take(Connected("stray", Protocol.V201, 5))
    view = station_view(yard.world, "stray")
    assert (view["state"], view["reason"]) == ("unknown", "the revision in force does not list it")
    assert stations_view(yard.world, {"line": "night"})[-1]["identity"] == "A2"
    yard.take(Disconnected("stray", 5))
    assert keys(yard.world) == ["a1", "a2"]


def test_without_a_revision_only_connected_stations_are_shown():
    assert keys(World()) == []
    assert groups_view(World()) == []
    status = status_view(World(), {}, None)
    assert (status["revision"], status["refused"], status["stations"]) == (None, None, 0)


def test_the_status_says_which_revision_is_in_force_and_why_another_was_refused(yard):
    error = ManifestError("no such schedule", Place("groups.yaml", 8, 5), "spec.schedules[0]", "dangling", "evening?")
    yard.take(RevisionRefused("bad", "Oops", (error,)))
    status = status_view(yard.world, {"SetChargingProfile": 3, "GetVariables": 1}, yard.now)
    assert status["revision"]["commit"] == "c0ffee"
    assert (status["refused"]["commit"], status["refused"]["since"]) == ("bad", write_instant(yard.now))
    assert status["refused"]["errors"] == [
        {
            "file": "groups.yaml",
            "line": 8,
            "column": 5,
            "field": "spec.schedules[0]",
            "rule": "dangling",
            "message": "no such schedule",
            "hint": "evening?",
        }
    ]
    assert list(status["frames"]) == ["GetVariables", "SetChargingProfile"]
    assert status["states"]["deferred"] == status["stations"] == 2


def test_a_station_seen_before_any_revision_is_shown_by_its_own_spelling(yard):
    yard.world = World()
    yard.take(Connected("Early", Protocol.V201, 1))
    assert [each["identity"] for each in stations_view(yard.world, {})] == ["Early"]


def test_a_station_that_left_fleet_and_network_is_not_shown(yard, revision_of):
    yard.connect("A2")
    yard.take(RevisionLoaded(revision_of("0ther", "identity: A2", "identity: A3")))
    assert keys(yard.world) == ["a1", "a2", "a3"]
    yard.take(Disconnected("A2", 1))
    assert keys(yard.world) == ["a1", "a3"]
