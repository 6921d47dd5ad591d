"""What of a rollout, suspensions and the fleet outlives a process."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from reconciler.controller.course import ALL, RETURN, tend
from reconciler.controller.kept import (
    needed,
    restore_course,
    restore_suspensions,
    write_fleet,
    write_rollout,
    write_suspension,
)
from reconciler.controller.world import Verb, World
from reconciler.profiles.form import Malformed
from reconciler.rollout.commands import Wake
from reconciler.rollout.ledger import Kind
from reconciler.rollout.progress import Phase
from rollouts import MINUTES, made, order, settled, storm, stormy
from toys import ToyFleet


def kept(world):
    """Give the documents of a world, as they come out of a database."""
    documents = {(Kind.FLEET, ""): write_fleet(world, "")}
    if world.rollout:
        documents[Kind.ROLLOUT, world.rollout.commit] = write_rollout(world, world.rollout.commit)
    documents |= {(Kind.SUSPENSION, key): write_suspension(world, key) for key in world.suspended}
    return {name: orjson.loads(orjson.dumps(document)) for name, document in documents.items()}


def restored(fleet, *commits):
    revisions = {each: fleet.world.revisions[each] for each in commits or fleet.world.revisions}
    documents = kept(fleet.world)
    fresh = World(settings=fleet.world.settings, stations=fleet.world.stations)
    return restore_course(restore_suspensions(fresh, documents), documents, revisions, fleet.now)


def under_way():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    return fleet


def test_a_restored_world_follows_what_it_followed():
    fleet = under_way()
    assert needed(kept(fleet.world)) == ("c2", "c1")
    world = restored(fleet)
    assert world.revision is fleet.world.revision
    assert dict(world.placed) == dict(fleet.world.placed)
    assert world.caps == fleet.world.caps
    assert world.plans == fleet.world.plans
    before, after = fleet.world.rollout, world.rollout
    same = ("commit", "base", "waves", "previous", "phase", "wave", "urgent", "strategy")
    assert [getattr(after, each) for each in same] == [getattr(before, each) for each in same]


def test_a_restored_rollout_waits_for_stations_to_come_back():
    fleet = under_way()
    world = restored(fleet)
    held, effects = tend(world, fleet.now)
    assert held.rollout.phase is Phase.SOAKING
    assert next(each for each in effects if isinstance(each, Wake)).station == ALL
    soaked, _ = tend(held, fleet.now + 6 * MINUTES)
    assert soaked.rollout.wave == 0
    later, _ = tend(held, fleet.now + RETURN)
    assert later.rollout.wave == 1


def test_a_rollout_that_begins_right_after_a_start_waits_for_stations_as_well():
    fleet = under_way()
    fleet.run(60 * MINUTES)
    fresh = ToyFleet(fleet.stations, now=fleet.now)
    world = restored(fleet)
    away = {key: replace(each, session=None, ready=False) for key, each in world.stations.items()}
    fresh.world = replace(world, stations=world.stations.update(away))
    fresh.load(made(commit="c3", first=-5)).run(5 * MINUTES)
    assert fresh.world.rollout.phase is Phase.RELEASING
    fresh.connect().run(30 * MINUTES)
    assert fresh.world.rollout.phase is Phase.COMPLETE


def test_a_rollout_that_is_over_needs_nothing_to_go_back_to():
    fleet = under_way()
    fleet.run(60 * MINUTES)
    assert needed(kept(fleet.world)) == ("c2",)
    assert restored(fleet).rollout.phase is Phase.COMPLETE


def test_without_the_revision_to_go_back_to_a_rollout_is_given_up_and_all_follow_the_head():
    fleet = under_way()
    world = restored(fleet, "c2")
    assert world.rollout is None
    assert not world.placed


def test_without_the_head_nothing_is_followed_but_the_quarantine_stands():
    fleet = under_way()
    order(fleet, Verb.ABORT)
    documents = kept(fleet.world)
    world = restore_course(World(), documents, {}, fleet.now)
    assert world.revision is None
    assert dict(world.quarantined) == {"c2": "because"}


def test_nothing_kept_is_nothing_restored():
    assert needed({}) == ()
    world = World()
    assert restore_course(world, {}, {}, None) is world


def test_suspensions_and_storms_are_kept():
    fleet = stormy()
    order(fleet, Verb.SUSPEND, keys=("a-1",), until=fleet.now + timedelta(days=9))
    order(fleet, Verb.SUSPEND, keys=("a-2",))
    storm(fleet)
    world = restored(fleet)
    assert set(world.suspended) == {"a-1", "a-2"}
    assert world.suspended["a-1"].until == fleet.world.suspended["a-1"].until.replace(microsecond=0)
    assert dict(world.storm.held) == dict(fleet.world.storm.held)
    assert write_suspension(world, "a-3") is None
    assert write_rollout(world, "c9") is None


def test_a_kept_rollout_that_is_missing_is_none():
    fleet = under_way()
    documents = kept(fleet.world)
    del documents[Kind.ROLLOUT, "c2"]
    assert needed(documents) == ("c2", "c1")
    assert restore_course(World(), documents, dict(fleet.world.revisions), fleet.now).rollout is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("placed",), []),
        (("placed",), {"c1": "a-1"}),
        (("head",), 7),
        (("quarantined",), {}),
        (("quarantined",), [["c1"]]),
        (("storm",), []),
        (("plans",), {"c1": 1}),
    ],
)
def test_a_damaged_fleet_document_is_named(path, value):
    fleet = under_way()
    documents = kept(fleet.world)
    documents[Kind.FLEET, ""] = {**documents[Kind.FLEET, ""], path[0]: value}
    with pytest.raises(Malformed, match=path[0]):
        restore_course(World(), documents, dict(fleet.world.revisions), fleet.now)


@pytest.mark.parametrize(("name", "value"), [("phase", "dancing"), ("waves", 3), ("waves", [3]), ("beganAt", None)])
def test_a_damaged_rollout_document_is_named(name, value):
    fleet = under_way()
    documents = kept(fleet.world)
    documents[Kind.ROLLOUT, "c2"] = {**documents[Kind.ROLLOUT, "c2"], name: value}
    with pytest.raises(Malformed, match=name):
        needed(documents)


def test_a_rollout_that_failed_in_part_is_restored_with_what_failed():
    fleet = under_way()
    canary = fleet.world.rollout.waves[0][0]
    failed = fleet.world.rollout.failed.set(canary, "it broke")
    fleet.world = replace(fleet.world, rollout=replace(fleet.world.rollout, failed=failed))
    assert dict(restored(fleet).rollout.failed) == {canary: "it broke"}
