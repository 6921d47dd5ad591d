"""What holds for every plan: nothing for what is there, nothing foreign, and the same in every order."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.controller.revision import revise
from reconciler.ocpp.dialects import dialect
from reconciler.plan.change import Clear, Install, Owned, Replace, changes, diff, subject
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.itemise import Itemiser
from reconciler.plan.json_form import write_json
from reconciler.plan.markdown import write_markdown
from reconciler.plan.saved import read_json
from reconciler.plan.sections import Division, Topic, divide, sections
from reconciler.plan.text import write_text
from reconciler.profiles.capability import Capability
from reconciler.profiles.form import read_profile, write_profile
from reconciler.profiles.profile import Kind, Mode
from reconciler.reported.belief import OURS, Belief, Held, Reported
from reconciler.reported.saved import MalformedState, SavedStation, read_state, write_state
from revisions import MONDAY, SHIPPED, YARD, held_by, revision, state_of
from strategies import NOON, profiles

OWNED = Owned(1, 5)

held = st.builds(Held, profiles(), st.sampled_from(Belief), st.sampled_from((OURS, "EMS", "SO")))
inventories = st.lists(held, max_size=6).map(
    lambda each: Reported({item.profile.id: item for item in each}, known=True, ever_known=True)
)
desires = st.lists(
    profiles(kinds=(Kind.ABSOLUTE,)).filter(lambda profile: profile.id in OWNED),
    max_size=4,
    unique_by=lambda profile: profile.id,
)
weeks = st.tuples(st.sampled_from((2, 7)), st.sampled_from((5, 11)), st.sampled_from(("daily", "weekdays", "[sun]")))


def apply(reported: Reported, verdicts) -> Reported:
    """Let a station take every change, and be read back."""
    held = dict(reported.held)
    for change in changes(verdicts):
        if isinstance(change, Clear):
            del held[change.old.id]
        else:
            held[change.new.id] = Held(change.new, Belief.OBSERVED)
    return replace(reported, held=held)


def edited(week):
    export, night, days = week
    return revision(
        ("power: -7 kW", f"power: -{export} kW"),
        ("power: 11 kW", f"power: {night} kW"),
        ("days: weekdays", f"days: {days}"),
    )


@given(desires)
def test_what_is_held_needs_nothing(desired):
    reported = Reported({each.id: Held(each, Belief.OBSERVED) for each in desired}, known=True)
    assert changes(diff(desired, reported, OWNED, NOON)) == ()


@given(desires, inventories)
def test_what_was_applied_needs_nothing_more(desired, reported):
    verdicts = diff(desired, reported, OWNED, NOON)
    assert changes(diff(desired, apply(reported, verdicts), OWNED, NOON)) == ()


@given(desires, inventories)
def test_a_foreign_profile_is_never_named(desired, reported):
    for change in changes(diff(desired, reported, OWNED, NOON)):
        number = subject(change).id
        assert number in OWNED
        if not isinstance(change, Install):
            assert reported.held[number].source == OURS


@given(desires, inventories, st.randoms())
def test_the_order_of_an_inventory_changes_nothing(desired, reported, random):
    shuffled = list(reported.held.items())
    random.shuffle(shuffled)
    again = replace(reported, held=dict(shuffled))
    assert diff(desired, again, OWNED, NOON) == diff(desired, reported, OWNED, NOON)


@settings(max_examples=30)
@given(weeks)
def test_a_fleet_that_holds_a_revision_needs_nothing_for_it(week):
    head = edited(week)
    for plan in (plan_fleet(head, MONDAY, head), plan_fleet(head, MONDAY, state=state_of(head))):
        assert plan.is_empty
        assert not plan.changed


@settings(max_examples=30)
@given(weeks, weeks)
def test_a_fleet_to_which_a_plan_was_applied_needs_nothing_more(before, after):
    head, state = edited(after), state_of(edited(before))
    plan = plan_fleet(head, MONDAY, state=state)
    done = {
        each.identity.casefold(): replace(
            state[each.identity.casefold()],
            reported=apply(state[each.identity.casefold()].reported, each.verdicts),
        )
        for each in plan.stations
    }
    assert not plan_fleet(head, MONDAY, state=done).changed


@settings(max_examples=30)
@given(weeks, weeks, st.integers(0, 14 * 24))
def test_the_digest_is_of_what_was_written_and_not_of_when(before, after, hours):
    base, head = edited(before), edited(after)
    reviewed = plan_fleet(head, MONDAY, base)
    assert plan_fleet(head, MONDAY + timedelta(hours=hours), base).digest == reviewed.digest
    assert reviewed.is_empty == (plan_fleet(head, MONDAY, head).digest == reviewed.digest)


@settings(max_examples=30)
@given(weeks, weeks, st.randoms())
def test_the_order_of_input_changes_neither_plan_nor_digest(before, after, random):
    head, state = edited(after), state_of(edited(before))
    items = list(state.items())
    random.shuffle(items)
    one, other = plan_fleet(head, MONDAY, state=state), plan_fleet(head, MONDAY, state=dict(items))
    assert (one.digest, one.stations) == (other.digest, other.stations)
    assert write_text(one) == write_text(other)


@pytest.mark.parametrize("extra", ["aaa.yaml", "zzz.yaml"])
def test_the_order_of_files_changes_neither_plan_nor_digest(extra):
    rest = "apiVersion: v2g.fleet/v1alpha1\nkind: Schedule\n" + YARD.split("kind: Schedule\n")[-1]
    files = {"yard.yaml": YARD.rpartition("---\n")[0], extra: rest}
    head = revise(replace(revision().snapshot, files=files), SHIPPED, MONDAY)
    plan = plan_fleet(head, MONDAY, revision())
    assert plan.is_empty
    assert plan_fleet(head, MONDAY).digest == plan_fleet(revision(), MONDAY).digest


@settings(max_examples=30)
@given(weeks, weeks, inventories)
def test_a_fleet_plan_never_names_a_foreign_profile(before, after, others):
    head, saved = edited(after), held_by(edited(before), "A-01")
    mixed = {**others.held, **saved.reported.held}
    state = {"a-01": replace(saved, reported=replace(saved.reported, held=mixed))}
    for plan in plan_fleet(head, MONDAY, state=state).stations:
        assert all(subject(each).id in head.owned for each in plan.changes)
        if plan.identity == "A-01":
            assert {each.profile.id for each in plan.foreign} == others.held.keys()


@given(inventories, st.booleans())
def test_saved_state_is_read_as_it_was_written(reported, connected):
    station = SavedStation("A", connected=connected, reported=reported)
    read = read_state(json.loads(json.dumps(write_state([station], NOON)))).stations["a"]
    assert read.reported.held == {
        number: replace(each, profile=as_read(each.profile)) for number, each in reported.held.items()
    }


def as_read(profile):
    return read_profile(profile.evse_id, write_profile(profile))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
GOOD = write_state([held_by(revision(), "A-01")], MONDAY)


def put(document, path, value):
    """Put a value somewhere into a document: `path` are numbers that choose among what is there."""
    if not path or not isinstance(document, Mapping | list) or not document:
        return value
    keys = list(document) if isinstance(document, Mapping) else range(len(document))
    key = keys[path[0] % len(keys)]
    changed = put(document[key], path[1:], value)
    if isinstance(document, Mapping):
        return {**document, key: changed}
    return [*document[:key], changed, *document[key + 1 :]]


@given(st.lists(st.integers(0, 12), max_size=8), json_values)
def test_whatever_stands_in_a_state_it_is_read_or_refused(path, value):
    with suppress(MalformedState):
        assert read_state(put(GOOD, path, value)).stations is not None


def test_a_replacement_is_in_place():
    plan = plan_fleet(edited((9, 9, "daily")), MONDAY, revision())
    replaced = [each for station in plan.stations for each in station.changes if isinstance(each, Replace)]
    assert replaced
    assert all((each.new.id, each.new.slot) == (each.old.id, each.old.slot) for each in replaced)


def told(plan, by):
    """Give what is said of every station, as pairs of a name and an item."""
    itemiser = Itemiser(plan)
    return sorted(
        (section.topic, name, item)
        for part in divide(plan, by)
        for section in sections(plan, part.stations, itemiser)
        for cluster in section.clusters
        for name in cluster.names
        for item in cluster.items
    )


@settings(max_examples=30)
@given(weeks, weeks, st.booleans(), st.booleans())
def test_a_plan_grouped_and_ungrouped_holds_the_same_changes(before, after, is_live, has_base):
    base, head = edited(before), edited(after)
    plan = plan_fleet(head, MONDAY, base if has_base else None, state_of(base) if is_live else None)
    single = told(plan, Division.STATION)
    assert told(plan, Division.CHANGE) == told(plan, Division.GROUP) == single
    itemiser = Itemiser(plan)
    for station in plan.stations:
        said = {item for topic, name, item in single if topic is Topic.CHANGES and name == station.identity}
        assert said == set(itemiser.items(station, station.intended))


def wire(profile, protocol):
    return dialect(protocol).set_profile(profile, Capability(protocol, negative_limit=True, modes=frozenset(Mode)))


@settings(max_examples=30)
@given(weeks, weeks, st.booleans(), st.booleans(), st.sampled_from(Division))
def test_a_plan_that_was_saved_is_told_as_before(before, after, is_live, has_base, by):
    base, head = edited(before), edited(after)
    plan = plan_fleet(head, MONDAY, base if has_base else None, state_of(base) if is_live else None)
    plan = replace(plan, created=MONDAY, expires=MONDAY + timedelta(days=1), state_at=MONDAY if is_live else None)
    document = json.loads(json.dumps(write_json(plan, wire)))
    again = read_json(document)
    assert json.loads(json.dumps(write_json(again, wire))) == document
    assert write_text(again, by) == write_text(plan, by)
    assert write_markdown(again) == write_markdown(plan)
