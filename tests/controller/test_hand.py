"""Requests by hand: sent, recorded, answered whatever happens, and never at the cost of what the fleet owns."""

from datetime import timedelta

import pytest

from reconciler.controller.orders import MOST_ASKED
from reconciler.controller.world import Ask, Reply
from reconciler.rollout.commands import ReadProfiles, SendRaw
from toys import ToyFleet, revision

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OTHER = ((3, -3), (1, 1))


def settled(made=None, **more):
    return ToyFleet(**more).load(made or revision()).connect().run()


def raw(action="Reset", payload=None, ticket="t1", station="A-1"):
    return SendRaw(station, action, payload or {}, ticket)


def test_a_request_by_hand_is_sent_recorded_and_followed_by_a_reading():
    fleet = settled()
    before = len(fleet.log)
    fleet.feed(Ask(raw(), "ada"))
    fleet.run()
    assert [type(each) for _, each in fleet.log[before:]] == [SendRaw, ReadProfiles]
    assert [(each.action, each.reason, each.answer) for each in fleet.history[-2:]] == [
        ("Reset", "by hand: ada", ""),
        ("Reset", "by hand", "Accepted"),
    ]
    assert not fleet.replies


@pytest.mark.parametrize("station", ["A-1", "nobody"])
def test_a_request_for_who_is_not_connected_is_refused(station):
    fleet = ToyFleet().load(revision()).connect("A-2").run()
    assert fleet.feed(Ask(raw(station=station), "ada")) == (Reply("t1", f"{station} is not connected"),)


def test_an_owned_profile_is_written_by_hand_only_with_force():
    fleet = settled()
    payload = {"evseId": 1, "chargingProfile": {"id": 1011}}
    (reply,) = fleet.feed(Ask(raw("SetChargingProfile", payload), "ada"))
    assert reply == Reply("t1", "profile id 1011 belongs to the fleet; change its schedule in git, or say --force")
    effects = fleet.feed(Ask(raw("SetChargingProfile", payload), "ada", force=True))
    assert [type(each).__name__ for each in effects] == ["Entry", "SendRaw"]
    assert effects[0].reason == "forced by hand: ada"


@pytest.mark.parametrize(
    "payload", [{"chargingProfile": {"id": 7}}, {"chargingProfile": {}}, {"chargingProfile": 5}, {}]
)
def test_what_is_not_the_fleets_may_be_written_by_hand(payload):
    effects = settled().feed(Ask(raw("SetChargingProfile", payload), "ada"))
    assert isinstance(effects[-1], SendRaw)


def test_without_a_revision_nothing_is_owned():
    fleet = ToyFleet().connect("A-1")
    effects = fleet.feed(Ask(raw("SetChargingProfile", {"chargingProfile": {"id": 1011}}), "ada"))
    assert isinstance(effects[-1], SendRaw)


def test_requests_lost_with_a_connection_are_answered():
    fleet = settled()
    fleet.feed(Ask(raw(ticket="t1"), "ada"))
    fleet.feed(Ask(raw(ticket="t2"), "ada"))
    fleet.disconnect("A-1")
    assert fleet.replies == [Reply("t1", "the connection was lost"), Reply("t2", "the connection was lost")]


def test_a_request_in_flight_is_not_repeated_on_a_new_connection_and_the_others_are_sent():
    fleet = settled()
    for ticket in ("t1", "t2"):
        fleet.feed(Ask(raw(ticket=ticket), "ada"))
    fleet.connect("A-1")
    fleet.run()
    assert fleet.replies == [Reply("t1", "the connection was lost")]
    assert [each.ticket for each in fleet.sent(SendRaw)] == ["t1", "t2"]


def test_no_station_has_more_than_a_few_requests_waiting():
    fleet = settled()
    for number in range(MOST_ASKED):
        fleet.feed(Ask(raw(ticket=f"t{number}"), "ada"))
    (reply,) = fleet.feed(Ask(raw(ticket="last"), "ada"))
    assert reply == Reply("last", f"{MOST_ASKED} requests are waiting for A-1 already")


@pytest.mark.parametrize("payload", [{"chargingProfileId": 1000}, {}, {"chargingProfileCriteria": {"stackLevel": 0}}])
def test_the_fleets_profiles_are_not_cleared_by_hand_unless_forced(payload):
    fleet, request = settled(), raw("ClearChargingProfile", payload)
    fleet.feed(Ask(request, "ada"))
    assert "say --force" in fleet.replies[-1].error
    assert not fleet.sent(SendRaw)
    fleet.feed(Ask(request, "ada", force=True))
    fleet.run()
    assert fleet.sent(SendRaw) == [request]


def test_a_profile_of_others_may_be_cleared_by_hand():
    fleet, request = settled(), raw("ClearChargingProfile", {"chargingProfileId": 42})
    fleet.feed(Ask(request, "ada"))
    fleet.run()
    assert fleet.sent(SendRaw) == [request]
