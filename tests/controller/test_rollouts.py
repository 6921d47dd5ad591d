"""Waves, gates and people's orders, on toy stations under a clock of the test's own."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.controller.world import RevisionLoaded, Verb
from reconciler.plan.change import Install
from reconciler.profiles.fit import may_discharge
from reconciler.reported.events import Faulted, Metered, Refused
from reconciler.rollout.commands import Push
from reconciler.rollout.ledger import Kind
from reconciler.rollout.progress import Phase
from rollouts import EIGHT, MINUTES, holders, made, order, rollout, settled
from toys import NOON, ToyFleet


def test_the_first_revision_goes_to_all_at_once_for_there_is_nothing_to_go_back_to():
    assert rollout(settled()) is None


def test_waves_go_out_one_after_the_other_each_after_its_soak():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    assert len(holders(fleet, "c2")) == 1
    assert rollout(fleet).phase is Phase.SOAKING
    fleet.run(5 * MINUTES)
    assert len(holders(fleet, "c2")) == 4
    fleet.run(5 * MINUTES)
    assert len(holders(fleet, "c2")) == 8
    fleet.run(6 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert set(fleet.world.revisions) == {"c2"}


def test_stations_that_a_revision_does_not_change_are_not_written_and_not_counted():
    fleet = settled()
    since = fleet.now
    fleet.load(made(commit="c2", first=-6)).run(30 * MINUTES)
    assert not fleet.sent(Push, since=since, station="B-1")
    assert "b-1" not in rollout(fleet).previous


def test_a_wave_waits_until_each_online_member_has_the_new_revision_read_back():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6))
    (canary,) = rollout(fleet).waves[0]
    fleet.stations[canary.upper()].forgets = {1011}
    fleet.run(60 * MINUTES)
    assert rollout(fleet).wave == 0
    assert holders(fleet, "c2") == {canary}


def test_offline_members_are_deferred_and_get_it_when_they_come_back():
    fleet = settled()
    for each in EIGHT[:6]:
        fleet.disconnect(each)
    fleet.load(made(commit="c2", first=-6)).run(30 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert not rollout(fleet).failed
    fleet.connect(*EIGHT[:6]).run()
    assert len(holders(fleet, "c2")) == 8


@pytest.mark.parametrize("how", ["refusal", "fault", "power"])
def test_a_wave_that_fails_is_rolled_back_and_its_commit_quarantined(how):
    fleet = settled()
    fleet.load(made(commit="c2", first=-6))
    canary = rollout(fleet).waves[0][0].upper()
    if how == "refusal":
        fleet.stations[canary].refuses = {1011: Refused("InvalidProfile")}
    fleet.run(MINUTES)
    fleet.stations[canary].refuses = {}
    if how == "fault":
        fleet.feed(Faulted(canary, 1, active=True, what="connector"))
    if how == "power":
        fleet.feed(Metered(canary, 1, Decimal(9000), fleet.now + 3 * MINUTES))
    fleet.run(10 * MINUTES)
    assert rollout(fleet).phase is Phase.ABORTED
    assert canary in rollout(fleet).reason
    assert "c2" in fleet.world.quarantined
    assert fleet.world.revision.commit == "c1"
    assert not fleet.world.placed
    if how != "refusal":
        assert {fleet.world.stations[key.casefold()].verified.revision for key in EIGHT} == {"c1"}
    since = fleet.now
    fleet.feed(RevisionLoaded(made(commit="c2", first=-6)))
    fleet.run(30 * MINUTES)
    assert fleet.world.revision.commit == "c1"
    assert not fleet.sent(Push, since=since)


def test_a_newer_revision_ends_the_quarantine_of_the_fleet_not_of_the_commit():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    assert order(fleet, Verb.ABORT) == ""
    fleet.load(made(commit="c3", first=-5)).run(40 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert len(holders(fleet, "c3")) == 8
    assert "c2" in fleet.world.quarantined


def test_an_abort_may_hold_what_has_gone_out():
    fleet = settled("waves: [1, 50%, 100%], soak: 5m, onAbort: hold")
    fleet.load(made("waves: [1, 50%, 100%], soak: 5m, onAbort: hold", commit="c2", first=-6)).run(MINUTES)
    assert order(fleet, Verb.ABORT) == ""
    fleet.run(60 * MINUTES)
    assert len(holders(fleet, "c2")) == 1
    assert len(fleet.world.placed) == 7


def test_what_was_wrong_before_is_not_held_against_a_rollout():
    fleet = settled()
    for each in EIGHT:
        fleet.feed(Faulted(each, 1, active=True, what="connector"))
    fleet.load(made(commit="c2", first=-6)).run(40 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE


def test_a_paused_rollout_lets_nobody_begin_and_goes_on_when_it_is_resumed():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    assert order(fleet, Verb.PAUSE) == ""
    fleet.run(60 * MINUTES)
    assert len(holders(fleet, "c2")) == 1
    assert order(fleet, Verb.RESUME) == ""
    fleet.run(20 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE


def test_members_that_had_not_begun_when_it_was_paused_go_on_with_what_they_hold():
    fleet = settled("waves: [100%]")
    fleet.load(made("waves: [100%], pace: {writes: 12}", commit="c2", first=-6)).run(2 * MINUTES / 60)
    assert order(fleet, Verb.PAUSE) == ""
    begun = holders(fleet, "c2")
    assert 0 < len(begun) < 8
    fleet.run(25 * 60 * MINUTES)
    assert holders(fleet, "c2") == begun
    assert {fleet.state(each) for each in EIGHT} == {"in-sync"}


def test_a_person_may_promote_past_a_gate_that_waits():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6))
    (canary,) = rollout(fleet).waves[0]
    fleet.stations[canary.upper()].forgets = {1011}
    fleet.run(MINUTES)
    assert order(fleet, Verb.PROMOTE) == ""
    fleet.run(30 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert len(holders(fleet, "c2")) == 8


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.RESUME, Verb.PROMOTE, Verb.ABORT])
def test_orders_about_a_rollout_need_one(verb):
    fleet = settled()
    assert "no rollout" in order(fleet, verb)
    fleet.load(made(commit="c2", first=-6)).run(60 * MINUTES)
    assert "complete" in order(fleet, verb)


def test_only_what_is_paused_can_be_resumed():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    assert "not paused" in order(fleet, Verb.RESUME)


def test_a_newer_revision_supersedes_and_who_waited_was_never_given_the_middle_one():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(MINUTES)
    first = holders(fleet, "c2")
    fleet.load(made(commit="c3", first=-5))
    fleet.run(60 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert len(holders(fleet, "c3")) == 8
    middle = {each.station.casefold() for each in fleet.intents if each.revision == "c2"}
    assert middle == first


def test_while_revisions_are_mixed_the_lower_cap_counts():
    fleet = settled(caps=(100, 100))
    fleet.load(made(commit="c2", first=-6, caps=(300, 150))).run(MINUTES)
    caps = fleet.world.caps["yard"]
    assert (caps.import_w, caps.export_w) == (100_000, 100_000)
    fleet.run(60 * MINUTES)
    caps = fleet.world.caps["yard"]
    assert (caps.import_w, caps.export_w) == (300_000, 150_000)


def test_a_lower_cap_with_lower_powers_does_not_wait_for_waves_or_windows():
    never = "waves: [1, 50%, 100%], soak: 5m, windows: [{allow: '0 3 1 1 *', for: 1h}]"
    fleet = settled(never, caps=(100, 100))
    fleet.load(made(never, commit="c2", first=-3, caps=(100, 60))).run(MINUTES)
    assert len(holders(fleet, "c2")) == 8


def test_withdrawn_discharge_does_not_wait_for_waves_or_windows():
    never = "waves: [1, 100%], soak: 5m, windows: [{allow: '0 3 1 1 *', for: 1h}]"
    fleet = settled(never)
    assert any(may_discharge(each) for each in fleet.stations["A-1"].held.values())
    withdrawn = ("charge: 11 kW, discharge: 11 kW, current: DC", "charge: 11 kW, current: DC")
    fleet.load(made(never, commit="c2", first=3, more=(withdrawn,))).run(MINUTES)
    for each in EIGHT:
        assert not any(may_discharge(profile) for profile in fleet.stations[each].held.values())


def test_outside_its_windows_a_rollout_waits_and_holds_back_what_has_not_begun():
    spec = "waves: [1, 100%], soak: 5m, windows: [{allow: '20 13 * * *', for: 3m}, {allow: '0 15 * * *', for: 2h}]"
    fleet = settled(spec)  # noon in UTC is 13:00 there
    fleet.load(made(spec, commit="c2", first=-6)).run(10 * MINUTES)
    assert rollout(fleet).phase is Phase.WAITING
    assert not holders(fleet, "c2")
    fleet.run(10 * MINUTES)
    assert len(holders(fleet, "c2")) == 1
    fleet.run(60 * MINUTES)
    assert len(holders(fleet, "c2")) == 1
    assert "allow" in rollout(fleet).reason
    fleet.run(60 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE


def test_a_person_with_a_reason_passes_a_window_by():
    spec = "waves: [100%], windows: [{allow: '0 3 1 1 *', for: 1h}]"
    fleet = settled(spec)
    fleet.load(made(spec, commit="c2", first=-6)).run(MINUTES)
    assert order(fleet, Verb.PROMOTE) == ""
    fleet.run(MINUTES)
    assert not holders(fleet, "c2")
    assert order(fleet, Verb.ABORT) == ""
    fleet.load(made(spec, commit="c3", first=-5)).run(MINUTES)
    assert order(fleet, Verb.PROMOTE, override=True) == ""
    fleet.run(MINUTES)
    assert len(holders(fleet, "c3")) == 8


def test_going_back_is_for_all_at_once_and_quarantines_what_was_in_force():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(60 * MINUTES)
    fleet.feed(RevisionLoaded(made(), forced="the depot asks", who="Ada", back=True))
    fleet.run(MINUTES)
    assert holders(fleet, "c1") == set(map(str.casefold, EIGHT))
    assert rollout(fleet).phase is Phase.COMPLETE
    assert "Ada" in fleet.world.quarantined["c2"]


def test_the_end_of_a_rollout_tells_apart_who_was_offline_and_who_was_not_awaited():
    fleet = settled()
    for each in EIGHT[:3]:
        fleet.disconnect(each)
    fleet.load(made("waves: [100%], soak: 5m", commit="c2", first=-6)).run(MINUTES)
    left = rollout(fleet).forgiven.update(dict.fromkeys(("a-1", "a-2")))
    fleet.world = replace(fleet.world, rollout=replace(rollout(fleet), forgiven=left))
    fleet.run(6 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE
    assert "complete: 5 verified, 1 deferred, 2 not awaited" in {each.reason for each in fleet.history}


def test_what_changed_for_the_fleet_is_marked_to_be_kept():
    fleet = settled()
    fleet.world = replace(fleet.world, dirty=fleet.world.dirty.__class__())
    fleet.feed(RevisionLoaded(made(commit="c2", first=-6)))
    assert {(Kind.FLEET, ""), (Kind.ROLLOUT, "c2")} <= set(fleet.world.dirty)


def test_every_write_has_its_intent_before_it_its_answer_and_its_read_back():
    fleet = settled()
    writes = fleet.sent(Push)
    assert len(fleet.intents) == len(writes)
    answered = {each.write: each for each in fleet.history if each.write}
    for intent in fleet.intents:
        assert answered[intent.write].answer == "Accepted"
        assert answered[intent.write].duration_ms == 100
    assert len({each.write for each in fleet.intents}) == len(writes)
    assert {each.write: each.reason for each in fleet.echoes} == {each.write: "as sent" for each in fleet.intents}


def test_the_changes_of_a_missing_floor_are_installs():
    fleet = settled()
    fleet.stations["A-1"].held.clear()
    fleet.run(20 * MINUTES)
    assert not any(isinstance(each, Install) for each in fleet.station("A-1").verdicts)
    assert fleet.now > NOON


def test_who_was_never_met_is_deferred_and_has_begun_nothing():
    fleet = ToyFleet((*EIGHT, "B-1")).load(made("waves: [100%]")).connect(*EIGHT[:4])
    fleet.run()
    fleet.load(made("waves: [100%]", commit="c2", first=-6))
    assert order(fleet, Verb.PAUSE) == ""
    assert {key.casefold() for key in EIGHT[4:]} <= set(fleet.world.placed)
    fleet.connect().run()
    assert {fleet.station(each).verified.revision for each in EIGHT[4:]} == {"c1"}


def test_a_site_that_the_new_revision_does_not_have_keeps_its_caps_while_somebody_is_on_it():
    moved = (("name: yard", "name: quay"), ("site: yard", "site: quay"))
    fleet = settled()
    fleet.load(made(commit="c2", first=-6, more=moved)).run(MINUTES)
    assert set(fleet.world.caps) == {"yard", "quay"}
    fleet.run(30 * MINUTES)
    assert set(fleet.world.caps) == {"quay"}


def test_a_discharge_that_is_withdrawn_together_with_more_charging_is_urgent_all_the_same():
    fleet = settled()
    no_site = ("spec: {site: yard, select: {labels: {row: a}}", "spec: {select: {labels: {row: a}}")
    fleet.load(made(commit="c2", first=-6, more=(no_site,))).run(MINUTES)
    assert len(holders(fleet, "c2")) == 1


def test_a_power_that_cannot_be_judged_stops_nothing():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6))
    canary = rollout(fleet).waves[0][0].upper()
    fleet.run(MINUTES)
    fleet.feed(Metered(canary, 1, Decimal(9000), fleet.now + 3 * MINUTES))
    fleet.load(made(commit="c3", first=-6, more=(("A-{1..8}", "A-{9..12}"),))).run(20 * MINUTES)
    assert rollout(fleet).phase is Phase.COMPLETE


def test_who_went_back_is_never_brought_forward_again_by_the_gate():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(60 * MINUTES)
    for each in EIGHT:
        fleet.stations[each].refuses = {1011: Refused("InvalidProfile")}
    fleet.feed(RevisionLoaded(made(), forced="the depot asks", who="Ada", back=True))
    fleet.run(10 * MINUTES)
    assert rollout(fleet).phase is Phase.ABORTED
    assert fleet.world.revision.commit == "c1"
    assert set(fleet.world.quarantined) == {"c2"}


def test_whoever_aborts_the_way_back_leaves_nobody_with_what_is_in_quarantine():
    fleet = settled()
    fleet.load(made(commit="c2", first=-6)).run(60 * MINUTES)
    fleet.feed(RevisionLoaded(made(), forced="the depot asks", who="Ada", back=True))
    assert order(fleet, Verb.ABORT) == ""
    assert "c2" not in fleet.world.placed.values()
    fleet.run(MINUTES)
    assert holders(fleet, "c1") == set(map(str.casefold, EIGHT))


def test_nobody_is_verified_while_offline():
    fleet = settled()
    fleet.disconnect("A-1")
    fleet.load(made("waves: [100%]", commit="c2")).run(MINUTES)
    assert fleet.station("A-1").verified.revision == "c1"


def test_what_is_held_after_an_abort_is_gone_back_to_when_the_next_one_aborts():
    hold = "waves: [1, 100%], soak: 5m, onAbort: hold"
    fleet = settled()
    fleet.load(made(hold, commit="c2", first=-6)).run(MINUTES)
    order(fleet, Verb.ABORT)
    fleet.load(made("waves: [1, 100%], soak: 5m", commit="c3", first=-5)).run(MINUTES)
    touched = holders(fleet, "c3")
    assert touched
    assert order(fleet, Verb.ABORT) == ""
    fleet.run(30 * MINUTES)
    assert set(fleet.world.quarantined) == {"c2", "c3"}
    assert not holders(fleet, "c3")
    assert fleet.world.revision.commit == "c2"
