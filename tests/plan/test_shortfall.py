"""A plan against reported state says what stations get less of, by what they have told, and it is saved with it."""

import json
from dataclasses import replace

import pytest

from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.json_form import write_json
from reconciler.plan.markdown import write_markdown
from reconciler.plan.saved import read_json
from reconciler.plan.text import write_text
from reconciler.profiles.capability import Capability, Protocol
from revisions import MONDAY, revision, state_of

ABLE = ("negativeLimit: true}", "negativeLimit: true}\n  onUnsupported: charge-only")
UNABLE = ("negativeLimit: true}", "negativeLimit: false}\n  onUnsupported: charge-only")


def live(head, **told):
    """Plan against stations of which some have told whether they discharge on a negative limit."""
    state = state_of(head)
    for key, is_able in told.items():
        capability = Capability(Protocol.V201, negative_limit=is_able)
        state[f"a-{key[1:]}"] = replace(state[f"a-{key[1:]}"], capability=capability)
    return plan_fleet(head, MONDAY, None, state)


def degraded(plan):
    return [each for each in plan.findings if each.guardrail == "degraded"]


def test_what_a_station_has_told_counts_and_not_what_was_declared_of_it():
    (finding,) = degraded(live(revision(ABLE), s01=False, s02=True))
    assert finding.stations == ("A-01",)
    assert finding.message.startswith("over OCPP 2.0.1, discharge on OCPP 2.0.1")
    assert finding.message.endswith("no flow instead")
    assert finding.field == "spec.onUnsupported"


def test_what_was_declared_counts_as_long_as_nothing_is_told():
    assert [each.stations for each in degraded(live(revision(UNABLE)))] == [("A-01", "A-02", "A-03", "A-04")]
    assert [each.stations for each in degraded(live(revision(UNABLE), s02=True))] == [("A-01", "A-03", "A-04")]
    assert degraded(live(revision(UNABLE), s01=True, s02=True, s03=True, s04=True)) == []


def test_stations_that_left_the_fleet_are_not_told_of():
    plan = plan_fleet(revision(("A-{01..04}", "A-{01..02}"), UNABLE), MONDAY, None, told_by_all(revision(UNABLE)))
    assert [each.stations for each in degraded(plan)] == [("A-01", "A-02")]


def told_by_all(held):
    unable = Capability(Protocol.V201)
    return {key: replace(saved, capability=unable) for key, saved in state_of(held).items() if key.startswith("a")}


def test_other_warnings_stay():
    plan = live(revision(ABLE), s01=False)
    assert {each.guardrail for each in revision(ABLE).warnings} <= {each.guardrail for each in plan.findings}
    assert "reversal" in {each.guardrail for each in plan.findings}


@pytest.mark.parametrize("told", [{"s01": False}, {"s01": True}])
def test_a_saved_plan_has_findings_waivers_with_reasons_and_degradations_and_shows_them(told):
    eased = ("discharge: allowed", "discharge: allowed\n  guardrails: {starts: {perDay: 40, reason: tested for it}}")
    plan = live(revision(ABLE, eased), **told)
    document = json.loads(json.dumps(write_json(plan, lambda *_: {})))
    assert [(each["guardrail"], each["reason"]) for each in document["waivers"]] == [("starts", "tested for it")]
    assert ("degraded" in {each["guardrail"] for each in document["findings"]}) is not told["s01"]
    again = read_json(document)
    assert (again.findings, again.waivers) == (plan.findings, plan.waivers)
    text = "\n".join(line.text for line in write_text(again))
    for shown in (" ".join(text.split()), write_markdown(again)):
        assert "tested for it" in shown
        assert ("[degraded]" in shown or "<code>degraded</code>" in shown) is not told["s01"]
