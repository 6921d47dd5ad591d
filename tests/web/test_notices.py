from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from reconciler.controller.world import RevisionRefused, Storm, World
from reconciler.errors import ManifestError, Place
from reconciler.manifests.strategy import Strategy
from reconciler.rollout.progress import Phase, Rollout
from reconciler.web.notices import Event, Scene, look, tell
from reconciler.web.survey import grace

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
WAVES = (("a1",), ("a2", "a3"), ("a4",))


def rollout(phase=Phase.RELEASING, wave=0, commit="c0ffee", **changes):
    return Rollout(commit, "0ld", "", Strategy(), WAVES, {}, NOW, NOW, phase, wave, **changes)


def scene(**changes):
    return replace(Scene(NOW, "yard"), **changes)


def told(before, after):
    return [(each.event.value, each.wave) for each in tell(before, after)]


def test_a_rollout_is_told_from_its_start_to_its_end():
    course = [
        (rollout(Phase.WAITING, -1), [("started", 0)]),
        (rollout(Phase.RELEASING, 0), []),
        (rollout(Phase.SOAKING, 0), []),
        (rollout(Phase.RELEASING, 1), [("wave-done", 1)]),
        (rollout(Phase.RELEASING, 2), [("wave-done", 2)]),
        (rollout(Phase.COMPLETE, 2), [("wave-done", 3), ("complete", 0)]),
        (rollout(Phase.COMPLETE, 2), []),
    ]
    before = scene()
    for step, expected in course:
        after = scene(rollout=step)
        assert told(before, after) == expected
        before = after


def test_what_began_and_ended_between_two_looks_is_told_whole():
    assert told(scene(), scene(rollout=rollout(Phase.COMPLETE, 2))) == [
        ("started", 0),
        ("wave-done", 1),
        ("wave-done", 2),
        ("wave-done", 3),
        ("complete", 0),
    ]


def test_a_rollout_of_one_station_is_told_in_the_singular():
    course = (scene(), scene(rollout=replace(rollout(Phase.COMPLETE), waves=(("a",),))))
    assert [each.message for each in tell(*course)][:2] == ["1 station in 1 wave", "wave 1 of 1 (1 station)"]


def test_a_commit_that_changes_no_station_is_no_news():
    for phase in (Phase.WAITING, Phase.COMPLETE):
        assert told(scene(), scene(rollout=replace(rollout(phase, -1), waves=()))) == []


def test_who_is_made_safer_at_once_is_told_though_it_is_of_no_wave():
    both = replace(rollout(Phase.WAITING, -1), urgent=("b1", "b2"))
    assert [each.message for each in tell(scene(), scene(rollout=both))] == [
        "4 stations in 3 waves, 2 stations made safer at once"
    ]
    alone = replace(rollout(Phase.COMPLETE, -1), waves=(), urgent=("b1",))
    assert [(each.event, each.message) for each in tell(scene(), scene(rollout=alone))] == [
        (Event.STARTED, "1 station made safer at once"),
        (Event.COMPLETE, "1 station made safer at once"),
    ]


def test_the_end_of_a_rollout_tells_apart_who_was_offline_and_who_was_not_awaited():
    def ended(*forgiven):
        left = {"deferred": Map(dict.fromkeys(("a1", "a2", "a3"))), "forgiven": Map(dict.fromkeys(forgiven))}
        return tell(scene(rollout=rollout()), scene(rollout=rollout(Phase.COMPLETE, **left)))[-1].message

    assert ended() == "0 verified, 3 offline, 0 failed"
    assert ended("a1", "a2", "b9") == "0 verified, 1 offline, 0 failed, 2 not awaited"


def test_an_abort_says_why_and_in_which_wave():
    (notice,) = tell(scene(rollout=rollout()), scene(rollout=rollout(Phase.ABORTED, 0, reason="2 of 5 failed")))
    assert (notice.event, notice.message, notice.commit, notice.wave, notice.waves, notice.fleet) == (
        Event.ABORTED,
        "2 of 5 failed",
        "c0ffee",
        1,
        3,
        "yard",
    )


def test_a_newer_rollout_starts_anew():
    before, after = scene(rollout=rollout(Phase.RELEASING, 2)), scene(rollout=rollout(Phase.WAITING, -1, "newer"))
    assert told(before, after) == [("started", 0)]


def test_completion_counts_what_became_of_the_stations():
    done = rollout(Phase.COMPLETE, 2, verified=Map({"a1": None, "a2": None}), deferred=Map({"a3": None}))
    assert tell(scene(rollout=rollout(wave=2)), scene(rollout=done))[-1].message == "2 verified, 1 offline, 0 failed"


def test_troubles_are_told_once_when_they_begin():
    calm, storm = scene(), scene(storm="9 of 12 connected stations drifted at once", at_risk=2)
    assert told(calm, storm) == [("drift-storm", 0), ("lease-at-risk", 0)]
    assert told(storm, replace(storm, at_risk=5)) == []
    assert told(storm, calm) == []


def test_a_refused_commit_is_told_once_with_its_first_error():
    refused = scene(refused=("bad", "fleet.yaml:3: no"))
    assert [(each.event, each.commit, each.message) for each in tell(scene(), refused)] == [
        (Event.REFUSED, "bad", "fleet.yaml:3: no")
    ]
    assert told(refused, refused) == []


def test_after_a_start_only_troubles_that_go_on_are_told():
    first = scene(rollout=rollout(Phase.ABORTED), refused=("bad", "no"), storm="9 of 12", at_risk=1)
    assert told(None, first) == [("drift-storm", 0), ("lease-at-risk", 0)]


SCENES = st.builds(
    lambda phase, wave, commit, storm, risk: scene(rollout=rollout(phase, wave, commit), storm=storm, at_risk=risk),
    st.sampled_from(Phase),
    st.integers(-1, 2),
    st.sampled_from(["one", "two"]),
    st.sampled_from(["", "storm"]),
    st.integers(0, 2),
)


@given(SCENES)
def test_where_nothing_has_happened_nothing_is_told(one):
    assert tell(one, one) == ()
    again = replace(one, rollout=replace(one.rollout))
    assert tell(one, again) == ()


def test_a_scene_of_an_empty_world_is_empty():
    assert look(World(), NOW) == Scene(NOW)


def test_a_scene_shows_what_troubles_the_world(yard):
    yard.connect("A1")
    late = grace(yard.world.stations["a1"].verified).risk + timedelta(seconds=1)
    refused = RevisionRefused("bad", "Oops", (ManifestError("no", Place("a.yaml", 3)),))
    world = replace(yard.world, storm=Storm(NOW, 9, 12), refused=refused, rollout=rollout())
    seen = look(world, late)
    assert (seen.fleet, seen.at_risk, seen.storm) == ("yard", 1, "9 of 12 connected stations drifted at once")
    assert (seen.refused, seen.refused_at) == (("bad", "a.yaml:3: no [manifest]"), None)
    yard.take(refused)
    (notice,) = tell(look(replace(yard.world, refused=None), late), look(yard.world, late))[:1]
    assert (notice.event, notice.at) == (Event.REFUSED, yard.now)
    assert seen.rollout is world.rollout
    assert look(replace(world, refused=RevisionRefused("bad", "Oops", ())), late).refused == ("bad", "")


@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.SUPERSEDED])
def test_a_pause_and_a_successor_are_no_end_to_tell(phase):
    assert told(scene(rollout=rollout()), scene(rollout=rollout(phase))) == []
