from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from reconciler.controller.world import Recording, RevisionRefused, Storm, World
from reconciler.errors import ManifestError, Place
from reconciler.manifests.strategy import Strategy
from reconciler.profiles.capability import Protocol
from reconciler.profiles.form import write_instant
from reconciler.reported.events import Connected, Disconnected, Faulted
from reconciler.rollout.conditions import STATUSES, Reason, Status, Turned
from reconciler.rollout.progress import Phase, Rollout
from reconciler.web.conditions import Stance, axes, count_axes, fleet_conditions, gather, stance, tell
from reconciler.web.view import groups_view, keys, sites_view, station_view, status_view

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def statuses(conditions):
    return {each["type"]: each["status"] for each in conditions}


def stand(reason, at=NOW):
    return Stance(reason, Turned(reason, at, at, at, at))


def test_a_station_in_sync_is_ready_since_it_was_read_back(yard):
    yard.connect("A1")
    yard.now = LATER
    yard.take(Disconnected("A1", 1))
    view = station_view(yard.world, "a1")
    ready, *others = view["conditions"]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "Unknown", "Offline")
    assert (ready["message"], ready["lastTransitionTime"]) == ("offline", "2026-03-03T18:00:00Z")
    assert ready["observedRevision"] == "c0ffee"
    assert [each["lastTransitionTime"] for each in others] == ["2026-03-03T17:00:00Z"] * 2
    assert (view["sync"], view["health"]) == ("unknown", "offline")


def test_a_station_that_was_never_seen_has_conditions_without_times(yard):
    view = station_view(yard.world, "a1")
    assert statuses(view["conditions"]) == {"Ready": "Unknown", "Reconciling": "False", "Stalled": "False"}
    assert {each["lastTransitionTime"] for each in view["conditions"]} == {None}
    assert (view["sync"], view["health"]) == ("unknown", "unknown")


def test_what_a_station_says_is_broken_is_a_matter_of_health_and_not_of_sync(yard):
    yard.connect("A1")
    assert axes(yard.world, "a1") == {"sync": "in-sync", "health": "healthy"}
    yard.take(Faulted("A1", 1, True, "EVSE 1 connector 1"))
    assert axes(yard.world, "a1") == {"sync": "in-sync", "health": "faulted"}


def test_a_group_is_ready_where_all_that_are_there_are(yard):
    yard.connect("A1")
    (group,) = groups_view(yard.world)
    (site,) = sites_view(yard.world)
    for view in (group, site):
        assert statuses(view["conditions"]) == {"Ready": "True", "Reconciling": "False", "Stalled": "False"}
        assert view["conditions"][0]["message"] == "1 of 2 in sync, 1 offline"
        assert view["health"] == {"healthy": 1, "offline": 0, "faulted": 0, "unknown": 1}
        assert view["sync"] == {"in-sync": 1, "out-of-sync": 0, "unknown": 1}
    assert (site["name"], site["importW"], site["exportW"], site["stations"]) == ("quay", 100_000.0, 100_000.0, 2)


def test_without_a_revision_there_are_no_sites():
    assert sites_view(World()) == []


def test_stations_without_a_site_belong_to_none(yard, revision_of):
    revision = revision_of("0ther", "  site: quay\n", "")
    (site,) = sites_view(replace(yard.world, revision=revision))
    assert (site["stations"], statuses(site["conditions"])["Ready"]) == (0, "Unknown")
    assert site["conditions"][0]["reason"] == "NoStations"


def test_of_many_the_first_that_is_not_ready_gives_the_time_and_of_all_that_are_the_last():
    early, late = stand(Reason.IN_SYNC), stand(Reason.IN_SYNC, LATER)
    assert gather((early, late), None)[0].at == LATER
    drifted = (early, stand(Reason.DRIFTED, LATER), stand(Reason.DRIFTED, NOW))
    ready, reconciling, stalled = gather(drifted, None)
    assert (ready.status, ready.reason, ready.at) == (Status.FALSE, "Drifted", NOW)
    assert (reconciling.status, reconciling.at) == (Status.TRUE, NOW)
    assert (stalled.status, stalled.at) == (Status.FALSE, LATER)


STANCES = st.lists(st.builds(stand, st.sampled_from(Reason), st.sampled_from([NOW, LATER])), max_size=8)


@given(STANCES)
def test_a_whole_that_is_ready_is_neither_reconciling_nor_stalled(stances):
    ready, reconciling, stalled = gather(stances, "c0ffee")
    if ready.status is Status.TRUE:
        assert (reconciling.status, stalled.status) == (Status.FALSE, Status.FALSE)
    assert (stalled.status is Status.TRUE) == any(STATUSES[each.reason].stalled is Status.TRUE for each in stances)


@given(STANCES)
def test_offline_stations_never_keep_a_whole_from_being_ready(stances):
    there = [each for each in stances if each.reason is not Reason.OFFLINE]
    if there:
        assert gather(stances, None)[0].status is gather(there, None)[0].status


@given(STANCES, st.randoms())
def test_the_order_of_members_changes_nothing(stances, random):
    shuffled = list(stances)
    random.shuffle(shuffled)
    assert gather(shuffled, None) == gather(stances, None)


@given(STANCES)
def test_the_message_counts_every_member_once(stances):
    message = gather(stances, None)[0].message
    counts = Counter(each.reason for each in stances)
    numbers = [int(part.split()[0]) for part in message.split(", ")]
    assert sum(numbers) == len(stances)
    assert numbers[0] == counts[Reason.IN_SYNC]


def rollout(phase, reason=""):
    return Rollout("c0ffee", "0ld", "", Strategy(), (("a1",), ("a2",)), {}, NOW, LATER, phase, wave=0, reason=reason)


REFUSED = RevisionRefused("badc0de", "Oops", (ManifestError("no", Place("a.yaml")),))


@pytest.mark.parametrize(
    ("changes", "kind", "reason", "message"),
    [
        ({"refused": REFUSED}, "Stalled", "RevisionRefused", "1 error in badc0de: Oops"),
        ({"recording": Recording(ok=False, why="disk full")}, "Stalled", "NotRecording", "disk full"),
        (
            {"storm": Storm(NOW, 30, 90, Map())},
            "Stalled",
            "DriftStorm",
            "30 of 90 connected stations drifted at once",
        ),
        ({"rollout": rollout(Phase.ABORTED, "gate")}, "Stalled", "RolloutAborted", "c0ffee, wave 1 of 2: gate"),
        ({"rollout": rollout(Phase.PAUSED, "lunch")}, "Stalled", "RolloutPaused", "c0ffee, wave 1 of 2: lunch"),
        ({"rollout": rollout(Phase.SOAKING)}, "Reconciling", "RollingOut", "c0ffee, wave 1 of 2"),
        (
            {"rollout": replace(rollout(Phase.RELEASING, "nobody"), forgiven=Map({"a1": None}))},
            "Stalled",
            "WaveUntried",
            "c0ffee, wave 1 of 2: nobody",
        ),
    ],
)
def test_what_stands_over_all_stations_is_the_fleets_condition(yard, changes, kind, reason, message):
    yard.connect("A1")
    world = replace(yard.world, **changes)
    shown = {each["type"]: each for each in status_view(world, {}, NOW)["conditions"]}
    assert shown["Ready"]["status"] == "False"
    assert (shown[kind]["status"], shown[kind]["reason"], shown[kind]["message"]) == ("True", reason, message)


def test_the_condition_of_a_refused_commit_has_its_time(yard):
    yard.take(REFUSED)
    shown = {each["type"]: each for each in status_view(yard.world, {}, LATER)["conditions"]}
    times = [shown[kind]["lastTransitionTime"] for kind in ("Ready", "Stalled")]
    assert times == [write_instant(yard.now)] * 2


@pytest.mark.parametrize("phase", [Phase.COMPLETE, Phase.SUPERSEDED])
def test_a_rollout_that_is_over_says_nothing_more(yard, phase):
    yard.connect("A1")
    world = replace(yard.world, rollout=rollout(phase))
    assert statuses(tell(fleet_conditions(world, [stance(world, key) for key in keys(world)])))["Ready"] == "True"


def test_the_gravest_of_several_causes_is_the_reason_for_not_being_ready(yard):
    world = replace(yard.world, refused=REFUSED, recording=Recording(ok=False, why="x"), rollout=rollout(Phase.SOAKING))
    ready, reconciling, stalled = fleet_conditions(world, [])
    assert (ready.reason, reconciling.reason, stalled.reason) == ("NotRecording", "RollingOut", "NotRecording")


def test_the_status_shows_the_rollout_and_how_many_are_suspended(yard):
    view = status_view(replace(yard.world, rollout=rollout(Phase.SOAKING)), {}, NOW)
    assert view["rollout"] == {
        "commit": "c0ffee",
        "base": "0ld",
        "phase": "soaking",
        "reason": "",
        "wave": 1,
        "waves": 2,
        "members": 2,
        "verified": 0,
        "open": 0,
        "deferred": 0,
        "notAwaited": 0,
        "failed": {},
        "beganAt": "2026-03-03T17:00:00Z",
        "changedAt": "2026-03-03T18:00:00Z",
    }
    assert (view["suspended"], status_view(yard.world, {}, NOW)["rollout"]) == (0, None)


def test_a_stray_station_counts_as_one_without_a_goal(yard):
    yard.take(Connected("stray", Protocol.V201, 5))
    assert count_axes(yard.world, ["stray"])["sync"]["unknown"] == 1
    assert stance(yard.world, "stray") == (Reason.NO_GOAL, None)
