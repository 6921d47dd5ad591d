"""What the plan of a fleet says: changes, drift, renewals, what comes later, and what it costs."""

from copy import copy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.controller.revision import revise
from reconciler.manifests.strategy import DriftPolicy, ForeignRule
from reconciler.plan.change import EVICTED, Clear, Install, Keep, Replace, Stuck, subject
from reconciler.plan.fleet_plan import StationPlan, plan_fleet
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.profile import Profile
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.reported.events import Refused
from reconciler.reported.saved import SavedStation
from revisions import MONDAY, SHIPPED, held_by, revision, state_of

MORE = ("power: -7 kW", "power: -9 kW")
SUNDAY = ("days: weekdays", "days: [sun]")
DAY = timedelta(days=1)
HALVES = """\
evseId: {{ evse.id }}
id: {{ profile_id }}
stackLevel: 1
chargingProfilePurpose: TxDefaultProfile
chargingProfileKind: Absolute
chargingSchedule:
  - id: 1
    startSchedule: {{ steps[0].start | rfc3339 }}
    chargingRateUnit: W
    chargingSchedulePeriod:
{% for step in steps %}
      - {startPeriod: {{ step.offset }}, limit: {{ ([step.power_w, 0] | max / 2) | watts }}}
{% endfor %}
"""
"""A template that gives half of what the schedules say, and never discharges."""


def station(plan, identity):
    return next(each for each in plan.stations if each.identity == identity)


def kinds(plan, identity):
    return [type(each) for each in station(plan, identity).changes]


def edited(saved: SavedStation, **changes) -> SavedStation:
    return replace(saved, reported=replace(saved.reported, **changes))


def without(saved: SavedStation, profile_id: int) -> SavedStation:
    return edited(saved, held={key: held for key, held in saved.reported.held.items() if key != profile_id})


def test_without_a_base_everything_is_new_and_the_floor_comes_first():
    plan = plan_fleet(revision(), MONDAY)
    assert kinds(plan, "A-01") == [Install] * 3
    assert kinds(plan, "B-01") == [Install] * 4
    assert station(plan, "A-01").changes[0].new.evse_id == 0
    assert (plan.base, len(plan.changed), plan.tally[Install]) == (None, 6, 20)


def test_a_revision_against_itself_changes_nothing():
    plan = plan_fleet(revision(), MONDAY, revision(commit="again"))
    assert plan.is_empty
    assert not plan.changed
    assert plan.churn.writes == 0


def test_only_stations_whose_schedule_changes_are_written():
    plan = plan_fleet(revision(MORE), MONDAY, revision())
    assert [each.identity for each in plan.changed] == ["A-01", "A-02", "A-03", "A-04"]
    assert kinds(plan, "A-01") == [Replace]
    assert station(plan, "A-01").changes[0].new.evse_id == 1


@pytest.mark.parametrize(
    "edit",
    [
        ("name: evening}", "name: dusk}"),
        ("{name: night}", "{name: late-line}"),
        ("kind: Site", "# a remark\nkind: Site"),
    ],
)
def test_names_and_remarks_are_no_change(edit):
    edits = (edit, ("schedule: evening", "schedule: dusk")) if "dusk" in edit[1] else (edit,)
    plan = plan_fleet(revision(*edits), MONDAY, revision())
    assert plan.is_empty
    assert plan.digest == plan_fleet(revision(), MONDAY, revision()).digest


def test_a_schedule_cut_into_two_windows_is_no_change():
    whole = '- {days: weekdays, from: "17:00", to: "20:00", power: -7 kW}'
    half = '- {days: weekdays, from: "17:00", to: "18:00", power: -7 kW}'
    rest = '- {days: weekdays, from: "18:00", to: "20:00", power: -7 kW}'
    plan = plan_fleet(revision((whole, f"{half}\n    {rest}")), MONDAY, revision())
    assert plan.is_empty


def test_a_change_beyond_the_lease_is_told_and_digested_though_nothing_is_written_yet():
    head = revision(
        (
            "windows:\n    - {days: weekdays",
            'windows:\n    - {days: [sun], from: "17:00", to: "20:00", power: -5 kW}\n    - {days: weekdays',
        )
    )
    monday, sunday = plan_fleet(head, MONDAY, revision()), plan_fleet(head, MONDAY + 6 * DAY, revision())
    assert station(monday, "A-01").later == (1,)
    assert not monday.changed
    assert not monday.is_empty
    assert kinds(sunday, "A-01") == [Replace]
    assert station(sunday, "A-01").later == ()
    assert monday.digest == sunday.digest != plan_fleet(revision(), MONDAY, revision()).digest


def test_next_season_is_seen_from_here():
    spec = "metadata: {name: evening}\nspec:\n"
    head = revision((spec, f"{spec}  validity: {{to: 2027-03-01}}\n"))
    week = station(plan_fleet(head, MONDAY, revision()), "A-01").outlook.weeks[1]
    assert week.since.isoformat() == "2027-03-01"
    assert {(each.before, each.after) for each in week.stretches} == {(Decimal(-7000), Decimal(3000))}


def test_the_digest_does_not_depend_on_when_it_is_taken():
    digests = {plan_fleet(revision(MORE), MONDAY + number * DAY / 2, revision()).digest for number in range(16)}
    assert len(digests) == 1


def test_another_power_another_digest():
    digests = {plan_fleet(revision((MORE[0], f"power: -{power} kW")), MONDAY, revision()).digest for power in (8, 9)}
    assert len(digests) == 2


def test_stations_that_hold_the_base_give_the_digest_of_the_two_revisions():
    reviewed = plan_fleet(revision(MORE), MONDAY, revision())
    assert plan_fleet(revision(MORE), MONDAY, state=state_of(revision())).digest == reviewed.digest
    both = plan_fleet(revision(MORE), MONDAY, revision(), state_of(revision(MORE)))
    assert both.digest == reviewed.digest
    assert not both.changed


def templated(text):
    snapshot = revision().snapshot
    files = {**snapshot.files, "templates/schedule.yaml.j2": text}
    return revise(replace(snapshot, files=files), SHIPPED, MONDAY)


def test_a_template_that_changes_what_goes_out_replaces_now_and_not_later():
    plan = plan_fleet(templated(HALVES), MONDAY, revision())
    assert kinds(plan, "B-01") == [Replace, Replace]
    assert station(plan, "B-01").later == ()
    assert station(plan, "B-01").outlook.weeks == {}


def test_a_remark_in_a_template_changes_nothing():
    plan = plan_fleet(templated("{# halves are wholes #}\n" + SHIPPED["schedule.yaml.j2"]), MONDAY, revision())
    assert plan.is_empty
    assert not plan.changed


def test_an_evse_that_goes_is_cleared_after_all_else():
    head = revision((", {id: 2, charge: 11 kW}", ""))
    assert kinds(plan_fleet(head, MONDAY, revision()), "B-01") == [Replace, Clear]


def test_an_evse_that_comes_is_installed():
    base = revision((", {id: 2, charge: 11 kW}", ""))
    plan = plan_fleet(revision(), MONDAY, base)
    assert kinds(plan, "B-01") == [Replace, Install]
    assert set(station(plan, "B-01").outlook.weeks) == {2}


def test_a_range_of_ids_that_moves_leaves_the_old_profiles_as_strangers():
    head = revision(("{from: 810000, to: 819999}", "{from: 820000, to: 829999}"))
    plan = station(plan_fleet(head, MONDAY, revision()), "A-01")
    assert [type(each) for each in plan.changes] == [Install] * 3
    assert {held.profile.id for held in plan.foreign} == {810000, 810001, 810011}


def test_stations_that_leave_are_named_and_not_written():
    head = revision(("A-{01..04}", "A-{01..03}"))
    for plan in (plan_fleet(head, MONDAY, revision()), plan_fleet(head, MONDAY, state=state_of(revision()))):
        assert plan.departed == ("A-04",)
        assert not plan.changed


def test_a_protocol_that_nobody_declared_is_taken_as_the_latest_and_said():
    plan = plan_fleet(revision(), MONDAY)
    assert (station(plan, "A-01").protocol, station(plan, "A-01").assumed) == (Protocol.V201, False)
    assert (station(plan, "B-01").protocol, station(plan, "B-01").assumed) == (Protocol.V21, True)


def test_what_stations_hold_already_is_kept():
    plan = plan_fleet(revision(), MONDAY, state=state_of(revision()))
    assert not plan.changed
    assert plan.live
    assert plan.tally == {Keep: 20}
    assert not any(each.drifted or each.assumed for each in plan.stations)


def test_without_a_base_what_a_station_lacks_is_a_change():
    state = state_of(revision())
    state["a-01"] = without(state["a-01"], 810011)
    plan = plan_fleet(revision(), MONDAY, state=state)
    assert kinds(plan, "A-01") == [Install]
    assert not plan.is_drifted
    assert not plan.is_empty


def test_nothing_is_planned_for_a_station_that_is_there_and_was_not_read():
    state = state_of(revision())
    state["a-01"] = replace(state["a-01"], reported=Reported())
    assert kinds(plan_fleet(revision(), MONDAY, state=state), "A-01")
    plan = plan_fleet(revision(), MONDAY, state=state, unread=("a-01",))
    assert kinds(plan, "A-01") == []
    assert (plan.is_empty, plan.churn.writes, station(plan, "A-01").connected) == (True, 0, True)
    assert plan.digest == plan_fleet(revision(), MONDAY, state=state_of(revision())).digest


def test_with_a_base_what_a_station_lost_is_drift():
    state = state_of(revision())
    state["a-01"] = without(state["a-01"], 810011)
    plan = plan_fleet(revision(), MONDAY, revision(), state)
    assert station(plan, "A-01").drifted == {810011}
    assert kinds(plan, "A-01") == [Install]
    assert (plan.is_drifted, plan.is_empty) == (True, True)


def test_drift_and_intended_change_are_told_apart_in_one_station():
    state = state_of(revision())
    state["a-01"] = without(state["a-01"], 810001)
    plan = station(plan_fleet(revision(MORE), MONDAY, revision(), state), "A-01")
    assert plan.drifted == {810001}
    assert [each.new.id for each in plan.intended] == [810011]


def test_a_station_that_was_never_read_has_not_drifted():
    state = {"a-01": SavedStation("A-01", Protocol.V201)}
    plan = station(plan_fleet(revision(), MONDAY, revision(), state), "A-01")
    assert plan.drifted == frozenset()
    assert [type(each) for each in plan.changes] == [Install] * 3


def test_stations_that_are_not_connected_are_deferred():
    state = state_of(revision())
    state["a-01"] = replace(state["a-01"], connected=False)
    del state["a-02"]
    plan = plan_fleet(revision(), MONDAY, state=state)
    assert [each.identity for each in plan.stations if each.connected is False] == ["A-01", "A-02"]
    assert kinds(plan, "A-02") == [Install] * 3


@pytest.mark.parametrize("base", [None, revision()])
def test_a_longer_lease_is_a_renewal_and_no_change_of_the_revision(base):
    tomorrow = MONDAY + DAY
    plan = plan_fleet(revision(), tomorrow, base, state_of(revision(), MONDAY))
    assert all(each.renewed and not each.drifted and not each.intended for each in plan.stations)
    assert plan.is_empty
    assert plan.digest == plan_fleet(revision(), tomorrow, base, state_of(revision(), tomorrow)).digest


def test_a_lease_that_the_revision_makes_longer_is_a_change():
    plan = plan_fleet(revision(("lease: 30h", "lease: 40h")), MONDAY, revision())
    assert kinds(plan, "A-01") == [] or kinds(plan, "A-01") == [Replace]
    longer = plan_fleet(
        revision(("renewBefore: 6h", "renewBefore: 12h"), ("lease: 30h", "lease: 48h")), MONDAY, revision()
    )
    assert kinds(longer, "A-01") == [Replace]
    assert not station(longer, "A-01").renewed


def test_a_foreign_profile_is_shown_and_never_changed():
    state = state_of(revision())
    stranger = replace(next(iter(state["a-01"].reported.held.values())).profile, id=5)
    held = {**state["a-01"].reported.held, 5: Held(stranger, Belief.OBSERVED, "EMS")}
    state["a-01"] = edited(state["a-01"], held=held)
    plan = station(plan_fleet(revision(), MONDAY, state=state), "A-01")
    assert [each.profile.id for each in plan.foreign] == [5]
    assert plan.changes == ()


def test_foreign_profiles_that_rules_clear_are_drift_and_those_they_ignore_are_not_told_of():
    rules = DriftPolicy(foreign=(ForeignRule(8, 8, "clear"), ForeignRule(9, 9, "ignore")))
    strict = copy(revision())
    strict.fleet = replace(strict.fleet, drift=rules)
    state = state_of(revision())
    held = dict(state["a-01"].reported.held)
    for number, level in ((5, 8), (6, 9), (7, 7)):
        held[number] = Held(replace(held[810011].profile, id=number, stack_level=level), Belief.OBSERVED)
    state["a-01"] = edited(state["a-01"], held=held)
    whole = plan_fleet(strict, MONDAY, revision(), state)
    plan = station(whole, "A-01")
    assert plan.changes == (Clear(held[5].profile, EVICTED),)
    assert [each.profile.id for each in plan.foreign] == [7]
    assert plan.drifted == {5}
    assert whole.digest == plan_fleet(strict, MONDAY, revision(), state_of(revision())).digest


def test_what_a_station_refused_blocks():
    state = state_of(revision())
    wanted = state_of(revision(MORE))["a-01"].reported.held[810011].profile
    state["a-01"] = edited(state["a-01"], refusals={810011: (wanted, Refused("InvalidSchedule"))})
    plan = plan_fleet(revision(MORE), MONDAY, revision(), state)
    assert [type(each) for each in station(plan, "A-01").stuck] == [Stuck]
    assert plan.is_blocked


def test_what_a_station_can_not_take_blocks_and_names_the_reason():
    state = state_of(revision())
    state["a-01"] = replace(state["a-01"], capability=Capability(Protocol.V201))
    plan = plan_fleet(revision(), MONDAY, revision(), state)
    assert "negative limit" in station(plan, "A-01").goal_refusal
    assert plan.is_blocked


def test_a_refused_schedule_is_not_promised_for_later():
    # In 2.1 without a declared setpoint mode the week would change, and nothing of it can be sent.
    plan = plan_fleet(revision(("A-{01..04}", "A-{01..05}")), MONDAY, revision())
    assert station(plan, "A-05").later == ()


def test_the_protocol_is_what_a_station_was_seen_to_speak():
    saved = replace(held_by(revision(), "B-01"), protocol=None, capability=Capability(Protocol.V201))
    plan = station(plan_fleet(revision(), MONDAY, state={"b-01": saved}), "B-01")
    assert (plan.protocol, plan.assumed) == (Protocol.V201, False)


def test_turns_of_direction_are_counted_before_and_after():
    noon = '{days: daily, from: "23:30"'
    more = '{days: daily, from: "12:00", to: "13:00", power: -2 kW}\n    - {days: daily, from: "23:30"'
    plan = plan_fleet(revision((noon, more)), MONDAY, revision())
    # Row A turns twice on a weekday, and four times then; row B can't discharge, so it never turns.
    assert (plan.churn.turns_before, plan.churn.turns_after) == (8, 16)
    assert plan_fleet(revision(), MONDAY, state=state_of(revision())).churn.turns_before is None


def test_a_plan_for_nobody_is_empty():
    assert StationPlan("A", Protocol.V21).intended == ()


def test_every_verdict_has_a_subject():
    new, old = (
        next(iter(state_of(each)["a-01"].reported.held.values())).profile for each in (revision(MORE), revision())
    )
    assert isinstance(new, Profile)
    verdicts = (Install(new, ""), Replace(new, old, ""), Clear(new, ""), Keep(new), Stuck(new, ""))
    assert all(subject(each) is new for each in verdicts)


def test_reports_of_stations_that_nobody_knows_change_nothing():
    state = state_of(revision()) | {"z": SavedStation("Z", reported=Reported(known=True))}
    plan = plan_fleet(revision(), MONDAY, state=state)
    assert plan.departed == ("Z",)
    assert not plan.changed


def test_what_a_station_has_not_had_yet_is_pending_and_no_drift():
    before, after = revision(), revision(("power: -7 kW", "power: -6 kW"), commit="newer")
    state = state_of(before)
    late = {key: replace(each, verified=before.snapshot.commit) for key, each in state.items()}
    planned = plan_fleet(after, MONDAY, after, late)
    assert not planned.is_drifted
    assert not planned.is_empty
    settled = {key: replace(each, verified=after.snapshot.commit) for key, each in state.items()}
    assert plan_fleet(after, MONDAY, after, settled).is_drifted
