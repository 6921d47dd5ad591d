"""People's orders over HTTP: what is asked reaches the controller's step, and what it says comes back."""

from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
from immutables import Map

from reconciler.controller.world import RevisionLoaded, Storm
from reconciler.errors import ManifestError, Place, RevisionError, StoreLost, Transient
from reconciler.profiles.capability import Protocol
from reconciler.reported.events import Connected
from reconciler.web.api import Ports, make_app

ROLLOUT = ("  discharge: allowed\n", "  discharge: allowed\n  rollout: {waves: [1, 100%], soak: 40m}\n")
CLOSED = ("soak: 40m}", 'soak: 40m, windows: [{deny: "0 16 * * *", for: 4h}]}')
SIX = ("power: -7 kW", "power: -6 kW")


class Controlled:
    """A controller whose world the yard moves."""

    def __init__(self, yard):
        self.yard = yard

    @property
    def world(self):
        return self.yard.world

    @property
    def history(self):
        return self.yard.history

    @property
    def recorded(self):
        return len(self.yard.history)


@pytest.fixture
def ports(yard, steered):
    counting = SimpleNamespace(all_frames=dict)
    return Ports(Controlled(yard), counting, lambda: yard.now, lambda: True, steering=steered)


async def asking(ports):
    return httpx.AsyncClient(transport=httpx.ASGITransport(make_app(ports)), base_url="http://api/api/v1/")


@pytest.fixture
async def client(ports):
    async with await asking(ports) as client:
        yield client


@pytest.fixture
def second(yard, edited):
    """Give a function that begins a rollout of two waves; both stations are there."""

    def begin(*more):
        for each in ("A1", "A2"):
            yard.connect(each)
        yard.take(RevisionLoaded(edited("5ec0nd", ROLLOUT, SIX, *more)))

    return begin


async def post(client, path, status=200, **body):
    answer = await client.post(path, json={"reason": "because", "who": "ada", **body})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_rollout_is_paused_resumed_promoted_and_aborted(client, second):
    second()
    assert (await client.get("rollout")).json()["phase"] == "releasing"
    paused = await post(client, "rollout/pause")
    assert (paused["phase"], paused["who"], paused["reason"]) == ("paused", "ada", "because")
    assert (await post(client, "rollout/resume"))["phase"] == "releasing"
    assert (await post(client, "rollout/promote"))["wave"] == 2
    assert (await post(client, "rollout/abort"))["quarantined"] == [{"commit": "5ec0nd", "why": "because"}]
    assert (await post(client, "rollout/pause", 409))[
        "error"
    ] == "there is no rollout under way: the last one is aborted"


async def test_nobody_promotes_into_a_closed_window_without_saying_so(client, second):
    second(CLOSED)
    refused = await post(client, "rollout/promote", 409)
    assert (refused["blocked"], refused["error"].startswith("the rollout's windows are closed, until")) == (True, True)
    assert (await post(client, "rollout/promote", override=True))["window"]["overridden"]
    assert (await post(client, "rollout/promote"))["wave"] == 2


async def test_without_a_rollout_there_is_nothing_to_promote(client):
    assert (await post(client, "rollout/promote", 409))["error"] == "there is no rollout under way"


@pytest.mark.parametrize("body", [{"reason": " "}, {"reason": ""}, {"who": ""}, {"unknown": 1}])
async def test_an_order_without_a_reason_or_of_the_wrong_shape_is_refused(client, body):
    await post(client, "rollout/pause", 422, **body)
    await post(client, "rollout/explode", 422)


async def test_a_person_goes_back_to_an_older_revision(client, steered, yard, second):
    before = yard.world.revision
    second()
    steered.older = {
        "c0ffee": before,
        "bad0bad0": RevisionError((ManifestError("gone", Place("a.yaml", 1)),)),
        "10510510": Transient("no route to git"),
    }
    done = await post(client, "rollback", to="c0ffee")
    assert (done["commit"], yard.world.revision.commit) == ("c0ffee", "c0ffee")
    assert done["rollout"]["quarantined"] == [{"commit": "5ec0nd", "why": "ada went back: because"}]
    assert "there is no commit" in (await post(client, "rollback", 404, to="0ther000"))["error"]
    assert "not good any more: a.yaml:1" in (await post(client, "rollback", 409, to="bad0bad0"))["error"]
    assert (await post(client, "rollback", 503, to="10510510"))["error"] == "no route to git"
    await post(client, "rollback", 422, to="--output=x y")


async def test_stations_are_suspended_by_name_by_labels_or_all_and_lifted_again(client, yard):
    shown = await post(client, "suspensions", stations=["a1"], until="2026-03-03T19:00:00Z")
    assert [(each["station"], each["until"], each["who"]) for each in shown] == [("A1", "2026-03-03T19:00:00Z", "ada")]
    assert len(await post(client, "suspensions", labels={"line": "night"})) == 2
    assert set(yard.world.suspended) == {"a1", "a2"}
    assert [each["station"] for each in (await client.get("suspensions")).json()] == ["A1", "A2"]
    assert await post(client, "suspensions/lift", all=True) == [{"station": "A1"}, {"station": "A2"}]
    assert await post(client, "suspensions/lift", 409, all=True) == {
        "error": "none of these stations is suspended",
        "hint": "GET /api/v1/suspensions lists those that are",
    }


async def test_who_left_the_fleet_while_suspended_can_still_be_resumed(client, yard, revision_of):
    await post(client, "suspensions", stations=["A2"])
    yard.take(RevisionLoaded(revision_of("0ther", "identity: A2", "identity: A3")))
    assert await post(client, "suspensions/lift", stations=["A2"]) == [{"station": "a2"}]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"stations": ["nobody"]}),
        (404, {"labels": {"line": "day"}}),
        (409, {}),
        (409, {"stations": ["A1"], "all": True}),
        (409, {"stations": ["A1"], "until": "2026-03-03T16:00:00Z"}),
        (422, {"stations": ["A1"], "until": "2026-03-03T19:00:00"}),
    ],
)
async def test_stations_that_cannot_be_meant_are_refused(client, yard, status, body):
    await post(client, "suspensions", status, **body)
    assert not yard.world.suspended


async def test_a_storm_that_is_not_there_cannot_be_ended(client, yard):
    assert (await post(client, "storm/clear", 409))["error"] == "there is no drift storm"
    yard.world = replace(yard.world, storm=Storm(yard.now, 2, 2, Map()))
    assert await post(client, "storm/clear") == {"ok": True}


async def test_without_a_hand_no_orders_are_taken_and_the_history_is_what_is_at_hand(ports, yard):
    yard.connect("A1")
    async with await asking(replace(ports, steering=None)) as client:
        assert (await post(client, "rollout/pause", 409))["error"] == "no orders are taken here"
        assert (await client.get("history", params={"limit": 1})).json()[0]["action"] == "verified"


async def history(client, **asked):
    answer = await client.get("history", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_history_folds_each_write_and_is_chosen_by_what_it_is_about(client, yard):
    yard.connect("A1")
    yard.now = yard.now.replace(hour=18)
    yard.connect("A2")
    first = await history(client, station="a1")
    written = [each for each in first if each["action"] == "SetChargingProfile"]
    assert {each["station"] for each in first} == {"A1"}
    assert all(each["answer"] == "Accepted" and each["readBack"] and each["sentAt"] for each in written)
    assert sorted(each["profileId"] for each in written) == [810000, 810001, 810011]
    everything = await history(client)
    assert len(everything) > len(first)
    for asked in ({"group": "night"}, {"site": "quay"}, {"about": "night"}, {"about": "quay"}, {"about": "C0FFEE"}):
        assert len(await history(client, **asked)) >= len(first), asked
    assert await history(client, about="a1") == await history(client, group="night", station="A1") == first
    assert await history(client, until="2026-03-03T17:30:00Z") == first
    assert await history(client, since="2026-03-03T17:30:00Z") == [each for each in everything if each not in first]


async def test_a_word_that_means_nothing_to_the_history_is_an_error_with_what_may_be_meant(client, steered, yard):
    answer = await client.get("history", params={"about": "nigth"})
    assert answer.status_code == 404
    assert answer.json()["error"].endswith("a station, group, site or commit nigth; did you mean night?")
    steered.kept = ("deadbeef",)
    for known in ("a1", "night", "quay", "dead", "c0ff"):
        assert await history(client, about=known) == []
    yard.take(Connected("Stray", Protocol.V21, 1))
    assert await history(client, about="stray") == []


async def test_a_page_names_the_next_one_with_all_that_was_asked(client, yard):
    yard.connect("A1")
    yard.connect("A2")
    told, url = [], "history?station=A1&limit=2"
    while url:
        page = await client.get(url)
        told += page.json()
        url = page.links.get("next", {}).get("url")
    assert told == await history(client, station="A1")


async def test_what_the_history_is_asked_about_has_to_be_there(client, steered, yard):
    assert (await client.get("history", params={"group": "day"})).status_code == 404
    assert (await client.get("history", params={"site": "pier"})).status_code == 404
    yard.world = type(yard.world)()
    assert (await client.get("history", params={"group": "night"})).status_code == 404

    async def lost(_):
        raise StoreLost("disk full")

    steered.lines = lost
    assert (await client.get("history")).json() == {"error": "disk full", "hint": ""}
    answer = await client.get("history", params={"about": "a1"})
    assert (answer.status_code, answer.json()["error"]) == (503, "disk full")
