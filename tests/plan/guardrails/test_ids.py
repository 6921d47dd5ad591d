"""A step may not leave profiles behind: neither outside the range of ids, nor in the places of their successors."""

import pytest

from reconciler.plan.fleet_plan import plan_fleet, supersede
from reconciler.plan.guardrails.ids import check_ids
from reconciler.plan.planned import StationPlan
from reconciler.profiles.capability import Protocol
from revisions import MONDAY, revision

RANGE = "{from: 810000, to: 819999}"


def findings(to):
    head = revision((RANGE, to), commit="moved")
    return [each for each in supersede(head, revision(), MONDAY) if each.guardrail == "profile-ids"]


def test_a_range_that_only_ends_elsewhere_leaves_nothing_behind():
    assert findings("{from: 810000, to: 810199}") == []
    assert findings("{from: 810000, to: 899999}") == []


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("{from: 820000, to: 829999}", "are outside 820000 to 829999"),
        ("{from: 800000, to: 819999}", "are in the places of new ones with other ids"),
    ],
)
def test_profiles_left_behind_are_refused_with_ids_place_stations_and_a_way_out(to, says):
    (finding,) = findings(to)
    assert finding.is_error
    assert finding.message.startswith("profiles 810000 to 810012 of the revision before ")
    assert says in finding.message
    assert (finding.place.file, finding.place.line, finding.field) == ("yard.yaml", 6, "spec.profileIds")
    assert finding.stations == ("A-01", "A-02", "A-03", "A-04", "B-01", "B-02")
    assert "clear those profiles by hand" in finding.hint


def test_a_fleet_may_leave_profiles_behind_with_a_reason_that_the_plan_repeats():
    waiver = "discharge: allowed\n  guardrails: {profile-ids: {severity: warning, reason: cleared by hand}}"
    head = revision((RANGE, "{from: 820000, to: 829999}"), ("discharge: allowed", waiver))
    plan = plan_fleet(head, MONDAY, revision())
    assert not plan.is_blocked
    assert [each.severity for each in plan.findings if each.guardrail == "profile-ids"] == ["warning"]
    assert [each.reason for each in plan.waivers] == ["cleared by hand"]


def test_one_profile_is_told_as_one():
    (held, *_) = plan_fleet(revision((RANGE, "{from: 820000, to: 829999}")), MONDAY, revision()).stations[0].foreign
    station = StationPlan("A-01", Protocol.V21, foreign=(held,))
    (finding,) = check_ids([(station, ("A-01",))], revision().fleet)
    assert finding.message.startswith("profile 810000 of the revision before is outside")
