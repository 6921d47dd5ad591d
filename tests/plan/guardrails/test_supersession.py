"""A revision follows another only if it touches few stations and leaves something; what is new does not count."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.revision import follow
from reconciler.errors import RevisionError
from reconciler.manifests.snapshot import Snapshot
from reconciler.plan.fleet_plan import plan_fleet, supersede
from reconciler.plan.guardrails.supersession import Reach, check_reach, holds_flow
from revisions import MONDAY, SHIPPED, YARD, held_by, revision, state_of

LARGE = ('"A-{01..04}"', '"A-{01..09}"'), ('"B-{01..02}"', '"B-{01..04}"')
EVENING, DAYS = ("power: -7 kW", "power: -6 kW"), ("power: 11 kW", "power: 10 kW")
NO_FLOW = (EVENING[0], "power: 0 kW"), (DAYS[0], "power: 0 kW"), ("otherwise: 3 kW", "otherwise: 0 kW")
RAILS = revision().fleet.guardrails


def rules(findings):
    return [each.guardrail for each in findings]


def test_a_plan_that_touches_few_stations_passes():
    assert not supersede(revision(*LARGE, ("negativeLimit: true}", "negativeLimit: true}")), revision(*LARGE), MONDAY)
    quiet = revision(*LARGE, extra="# a comment changes nothing\n")
    assert not supersede(quiet, revision(*LARGE), MONDAY)


def test_a_change_of_too_many_stations_is_refused_and_names_them():
    (finding,) = supersede(revision(*LARGE, EVENING), revision(*LARGE), MONDAY)
    assert finding.is_error
    assert finding.message == "one revision changes or clears 9 of 13 stations, and the most is 3 (30%)"
    assert finding.stations == tuple(f"A-0{number}" for number in range(1, 10))
    assert "--force REASON" in finding.hint


def test_a_fleet_of_ten_is_free():
    assert not supersede(revision(EVENING), revision(), MONDAY)


def test_a_fleet_may_allow_more_with_a_reason():
    eased = ("discharge: allowed", "discharge: allowed\n  guardrails: {blast-radius: {share: 70 %, reason: one row}}")
    head = revision(*LARGE, EVENING, eased)
    assert not supersede(head, revision(*LARGE), MONDAY)
    (waiver,) = plan_fleet(head, MONDAY, revision(*LARGE)).waivers
    assert (waiver.guardrail, waiver.reason) == ("blast-radius", "one row")


def test_stations_that_are_new_do_not_count():
    more = ('"A-{01..09}"', '"A-{01..40}"')
    room = ("{import: 200 kW, export: 200 kW}", "{import: 900 kW, export: 900 kW}")
    assert not supersede(revision(*LARGE, room, more), revision(*LARGE), MONDAY)
    assert "blast-radius" not in rules(plan_fleet(revision(*LARGE), MONDAY).findings)


def test_stations_that_leave_count():
    (finding,) = supersede(revision(('"B-{01..02}"', '"B-{01..04}"')), revision(*LARGE), MONDAY)
    assert finding.stations == ("A-05", "A-06", "A-07", "A-08", "A-09")


def test_a_change_that_lies_beyond_the_lease_counts():
    later = ("days: weekdays", "days: [mon, tue, wed, thu]")
    assert rules(supersede(revision(*LARGE, later), revision(*LARGE), MONDAY)) == ["blast-radius"]


def test_a_revision_that_takes_all_flow_is_always_refused():
    (finding,) = supersede(revision(*NO_FLOW), revision(), MONDAY)
    assert (finding.guardrail, finding.message) == (
        "empty-render",
        "no flow is left on any station, of 6 stations before",
    )
    assert finding.is_error


def test_taking_the_last_of_no_flow_takes_nothing():
    still = revision(*NO_FLOW)
    assert not supersede(revision(*NO_FLOW, ("model: one", "model: three")), still, MONDAY)


def test_a_revision_without_stations_is_always_refused():
    (finding,) = supersede(empty(), revision(), MONDAY)
    assert (finding.guardrail, finding.message) == (
        "empty-render",
        "no station is left in the fleet, of 6 stations before",
    )
    assert rules(plan_fleet(empty(), MONDAY, revision()).findings) == ["empty-render"]


def empty():
    """Give the yard without its stations."""
    head = revision()
    bare = object.__new__(type(head))
    bare.__dict__ |= head.__dict__ | {"fleet": replace(head.fleet, stations={}), "warnings": ()}
    return bare


def test_a_plan_repeats_what_the_step_and_the_revision_are_warned_of():
    plan = plan_fleet(revision(*LARGE, EVENING), MONDAY, revision(*LARGE))
    assert rules(plan.findings)[0] == "blast-radius"
    assert "reversal" in rules(plan.findings)
    assert plan.is_blocked


def test_against_live_state_those_count_that_hold_something_of_ours():
    large = revision(*LARGE)
    held = state_of(large)
    assert rules(plan_fleet(revision(*LARGE, EVENING), MONDAY, None, held).findings)[0] == "blast-radius"
    few = {key: saved for key, saved in held.items() if key < "a-09"}
    assert "blast-radius" not in rules(plan_fleet(revision(*LARGE, EVENING), MONDAY, None, few).findings)
    bare = {key: replace(saved, reported=replace(saved.reported, held={})) for key, saved in held.items()}
    assert "blast-radius" not in rules(plan_fleet(revision(*LARGE, EVENING), MONDAY, None, bare).findings)


def test_a_renewal_of_leases_against_live_state_touches_nobody():
    large = revision(*LARGE)
    aged = state_of(large, MONDAY - timedelta(days=1))
    assert "blast-radius" not in rules(plan_fleet(large, MONDAY, None, aged).findings)


def test_against_live_state_a_revision_without_flow_is_refused_where_some_flows():
    quiet = revision(*NO_FLOW)
    assert rules(plan_fleet(quiet, MONDAY, None, state_of(revision())).findings)[0] == "empty-render"
    assert "empty-render" not in rules(plan_fleet(quiet, MONDAY, None, state_of(quiet)).findings)


def test_the_floor_and_the_ceiling_are_no_flow():
    saved = held_by(revision(), "a-01")
    floor, ceiling, schedule = (held.profile for held in saved.reported.held.values())
    assert not holds_flow((floor, ceiling), MONDAY)
    assert holds_flow((floor, ceiling, schedule), MONDAY)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 100))
def test_the_share_is_held_exactly(touched, others, percent):
    rails = replace(RAILS, radius=Decimal(percent) / 100)
    reach = Reach([f"S{number}" for number in range(touched)], touched + others)
    refused = touched * 100 > percent * reach.holding and reach.holding > 10
    assert bool(check_reach(reach, rails)) is refused


def taken(text, before):
    return follow(Snapshot("0ther", "Ann", None, "Change", {"yard.yaml": text}), SHIPPED, MONDAY, before)


def large(text=YARD):
    for old, new in LARGE:
        text = text.replace(old, new)
    return text


def test_a_revision_that_may_not_follow_is_refused_as_a_whole():
    still = YARD
    for old, new in NO_FLOW:
        still = still.replace(old, new)
    with pytest.raises(RevisionError) as caught:
        taken(still, revision())
    (error,) = caught.value.errors
    assert error.rule == "empty-render"
    assert error.place.file == "yard.yaml"
    assert taken(still, None).commit == "0ther"


def test_a_step_that_is_only_warned_of_is_taken_with_the_warning():
    eased = "discharge: allowed\n  guardrails: {blast-radius: {severity: warning, reason: we watch}}"
    head = taken(large().replace(*EVENING).replace("discharge: allowed", eased), revision(*LARGE))
    assert rules(head.warnings)[0] == "blast-radius"
