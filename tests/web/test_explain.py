from dataclasses import replace
from datetime import timedelta

import pytest
from immutables import Map

from reconciler.controller.world import RevisionLoaded, World
from reconciler.reported.events import Disconnected, Refused, Written
from reconciler.web.explain import drift_view, explain_view


@pytest.fixture
def settled(yard):
    yard.connect("A1")
    return yard


def by_id(view, number):
    return next(each for each in view["profiles"] if each["id"] == number)


def test_explain_names_the_line_of_git_that_speaks_now(settled):
    view = explain_view(settled.world, "a1", settled.now)
    (evse,) = view["evses"]
    assert evse["schedule"] == {
        "name": "evening",
        "group": "night",
        "priority": 20,
        "power": "-7000 W",
        "place": "fleet.yaml:34:7",
    }
    assert (evse["leader"], evse["setpointW"]) == (810011, -7000)


def test_a_schedule_that_is_silent_leaves_the_word_to_the_next_priority(settled):
    later = settled.now + timedelta(hours=4)  # 22:00 in Amsterdam
    (evse,) = explain_view(settled.world, "a1", later)["evses"]
    assert (evse["schedule"]["name"], evse["schedule"]["power"]) == ("rest", "3500 W")
    assert (evse["leader"], evse["limitW"]) == (810011, 3500)
    midnight = settled.now + timedelta(hours=7)
    (evse,) = explain_view(settled.world, "a1", midnight)["evses"]
    assert evse["schedule"]["place"] == "fleet.yaml:40:13"


def test_explain_shows_desired_beside_reported_with_verdict_and_belief(settled):
    floor = by_id(explain_view(settled.world, "a1", settled.now), 810000)
    assert (floor["verdict"], floor["belief"], floor["source"]) == ("keep", "observed", "CSO")
    assert floor["desired"] == floor["reported"]
    assert floor["winsOn"] == []
    schedule = by_id(explain_view(settled.world, "a1", settled.now), 810011)
    assert (schedule["winsOn"], schedule["lastAnswer"]) == ([1], "Accepted")


def test_a_foreign_profile_is_shown_where_it_wins(settled, stranger):
    settled.report("A1", [*settled.held("A1"), stranger])
    view = explain_view(settled.world, "a1", settled.now)
    (foreign,) = view["foreignProfiles"]
    assert (foreign["id"], foreign["winsOn"], foreign["source"]) == (7, [1], "CSO")
    assert by_id(view, 810011)["winsOn"] == []
    assert all(each["id"] != 7 for each in view["profiles"])


def test_a_profile_that_is_no_longer_desired_is_shown_as_one_to_clear(settled, stranger):
    old = settled.held("A1")[-1]
    settled.report("A1", [*settled.held("A1"), type(stranger)(**{**fields(old), "id": 810099, "stack_level": 9})])
    view = explain_view(settled.world, "a1", settled.now)
    assert (by_id(view, 810099)["verdict"], by_id(view, 810099)["desired"]) == ("clear", None)


def fields(profile):
    return {name: getattr(profile, name) for name in profile.__slots__}


def test_a_station_without_schedule_now_has_none_to_show(settled):
    view = explain_view(settled.world, "a2", settled.now)
    assert (view["state"], view["profiles"], view["foreignProfiles"]) == ("deferred", [], [])
    (evse,) = view["evses"]
    assert (evse["leader"], evse["limitW"]) == (None, None)


def test_where_no_schedule_speaks_the_floor_does(yard, revision_of):
    yard.take(RevisionLoaded(revision_of("0ther", "  otherwise: 3.5 kW\n", "")))
    yard.connect("A1")
    later = yard.now + timedelta(hours=4)  # 22:00 in Amsterdam
    (evse,) = explain_view(yard.world, "a1", later)["evses"]
    assert (evse["schedule"], evse["limitW"]) == (None, 0)


def test_a_station_that_waits_for_its_wave_is_explained_by_the_lines_it_still_follows(settled, revision_of):
    before = settled.world.revision
    head = revision_of("0ther", "power: -7 kW", "power: -5 kW")
    settled.world = replace(
        settled.world, revision=head, placed=Map({"a1": before.commit}), revisions=Map({before.commit: before})
    )
    (evse,) = explain_view(settled.world, "a1", settled.now)["evses"]
    assert (evse["schedule"]["power"], evse["setpointW"]) == ("-7000 W", -7000)


def test_nothing_is_explained_without_a_revision():
    view = explain_view(World(), "a1", None)
    assert (view["evses"], view["profiles"]) == ([], [])


def test_a_settled_fleet_has_no_drift(settled):
    assert drift_view(settled.world) == []


def test_a_station_that_forgot_its_profiles_has_drifted(settled):
    settled.report("A1", [])
    (row,) = drift_view(settled.world)
    assert (row["identity"], row["state"], row["foreign"]) == ("A1", "drifted", [])
    assert [(each["verdict"], each["reason"]) for each in row["profiles"]] == [("install", "missing")] * 3


def test_foreign_profiles_are_listed_with_drift_though_the_station_is_in_sync(settled, stranger):
    settled.report("A1", [*settled.held("A1"), stranger])
    (row,) = drift_view(settled.world)
    assert (row["state"], row["profiles"]) == ("in-sync", [])
    assert row["foreign"] == [{"id": 7, "evseId": 1, "purpose": "TxDefaultProfile", "source": "CSO"}]


def test_what_a_station_refuses_is_listed_as_stuck(settled):
    lost = settled.held("A1")
    settled.report("A1", lost[:2])
    refused = settled.world.stations["a1"].goal.profiles[-1]
    settled.take(Written("A1", refused.id, refused, Refused("InvalidSchedule", "no")))
    (row,) = drift_view(settled.world)
    assert [(each["verdict"], each["reason"]) for each in row["profiles"]] == [("stuck", "refused: InvalidSchedule no")]


def test_an_offline_station_is_not_called_drifted(settled, stranger):
    settled.report("A1", [stranger])
    settled.take(Disconnected("A1", 1))
    assert drift_view(settled.world) == []
