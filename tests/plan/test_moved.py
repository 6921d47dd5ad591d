"""What counts as moved since a plan was reviewed, and what does not."""

from dataclasses import replace
from datetime import timedelta

from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.moved import moved
from reconciler.profiles.capability import Capability, Protocol
from reconciler.reported.events import Refused
from revisions import MONDAY, held_by, revision, state_of

MORE = ("power: -7 kW", "power: -9 kW")
HEAD = revision(MORE)
ALL = frozenset(HEAD.fleet.stations)


def live(state, at=MONDAY, head=HEAD):
    return plan_fleet(head, at, revision(), state)


def changed(key, **changes):
    state = state_of(revision())
    state[key] = replace(state[key], **changes)
    return state


def forgetful(key, number):
    state = state_of(revision())
    held = {each: found for each, found in state[key].reported.held.items() if each != number}
    return changed(key, reported=replace(state[key].reported, held=held))


def test_nothing_has_moved_while_all_is_as_it_was():
    plan = live(state_of(revision()))
    assert moved(plan, plan, ALL) == ()
    assert moved(plan_fleet(HEAD, MONDAY, revision()), plan, ALL) == ()


def test_a_station_that_lost_a_profile_has_moved():
    told = moved(live(state_of(revision())), live(forgetful("a-01", 810001)), ALL)
    assert told == ("A-01: 1 to install, 1 to replace now, 1 to replace in the plan",)


def test_a_station_that_was_hidden_as_unchanged_has_moved_when_it_needs_a_write():
    told = moved(live(state_of(revision())), live(forgetful("b-02", 810001)), ALL)
    assert told == ("B-02: 1 to install now, 0 writes in the plan",)


def test_a_station_that_holds_already_what_is_planned_has_not_moved():
    done = live(changed("a-02", reported=held_by(HEAD, "a-02").reported))
    assert not any(station.identity == "A-02" for station in done.changed)
    assert moved(live(state_of(revision())), done, ALL) == ()


def test_what_was_planned_for_later_may_be_due_by_now():
    weekend = revision(("days: weekdays, from", "days: [sat], from"))
    before = plan_fleet(weekend, MONDAY, revision(("days: weekdays, from", "days: [sun], from")), state_of(revision()))
    assert all(station.later for station in before.stations if station.identity.startswith("A"))
    saturday = MONDAY + timedelta(days=5)
    held = state_of(revision(("days: weekdays, from", "days: [sun], from")), saturday)
    now = plan_fleet(weekend, saturday, revision(("days: weekdays, from", "days: [sun], from")), held)
    assert now.changed
    assert moved(before, now, ALL) == ()


def test_only_stations_that_are_there_can_have_moved():
    assert moved(live(state_of(revision())), live(forgetful("a-01", 810001)), ALL - {"a-01"}) == ()


def test_a_station_that_refuses_by_now_has_moved_even_for_a_plan_of_git_alone():
    deaf = live(changed("a-01", capability=Capability(Protocol.V201)))
    for plan in (live(state_of(revision())), plan_fleet(HEAD, MONDAY, revision())):
        (told,) = moved(plan, deaf, ALL)
        assert told.startswith("A-01: refuses what the plan has: discharge on OCPP 2.0.1")


def test_what_was_refused_when_it_was_reviewed_has_not_moved():
    wanted = held_by(HEAD, "a-03").reported.held[810011].profile
    refused = replace(
        state_of(revision())["a-03"].reported, refusals={810011: (wanted, Refused("InvalidSchedule", "too steep"))}
    )
    plan = live(changed("a-03", reported=refused))
    assert moved(plan, plan, ALL) == ()
    assert "profile 810011: refused" in moved(live(state_of(revision())), plan, ALL)[0]


def test_a_capability_that_changes_what_is_sent_has_moved():
    able = Capability(Protocol.V201, negative_limit=True, units=("A",))
    (told,) = moved(live(state_of(revision())), live(changed("a-01", capability=able)), ALL)
    assert told.startswith("A-01: ")


def test_another_revision_has_moved():
    other = live(state_of(revision()), head=revision(("power: -7 kW", "power: -8 kW")))
    assert [each.partition(":")[2] for each in moved(live(state_of(revision())), other, ALL)] == [
        " profile 810011 would be another than in the plan"
    ] * 4


def test_time_alone_moves_nothing():
    before = live(state_of(revision()))
    for hours in (1, 5, 23, 30):
        assert moved(before, live(state_of(revision()), MONDAY + timedelta(hours=hours)), ALL) == ()


def test_a_clear_is_the_same_clear():
    head = revision((", {id: 2, charge: 11 kW}", ""), MORE)
    plan = live(state_of(revision()), head=head)
    assert any(change.old.id == 810012 for change in plan.changed[-1].changes if not hasattr(change, "new"))
    assert moved(plan, plan, frozenset(head.fleet.stations)) == ()
