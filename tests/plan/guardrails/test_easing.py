"""Whatever guardrail there is: stricter is free, easier takes a written reason, and the plan repeats it."""

import pytest

from reconciler.errors import RevisionError
from reconciler.manifests.guardrails import Severity
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.guardrails.table import TABLE
from reconciler.plan.markdown import write_markdown
from reconciler.plan.text import write_text
from revisions import MONDAY, revision

EASIER = {
    "direction-changes": "perDay: 7",
    "starts": "perDay: 11",
    "dwell": "least: 14m",
    "pause": "least: 4m",
    "reversal": "settle: 0s",
    "dead-band": "share: 4 %",
    "profile-writes": "perYear: 3001",
    "clock-skew": "tolerance: 4m",
    "lease-length": "longest: 49h",
    "blast-radius": "share: 31 %",
}
LIMITED = [name for name, row in TABLE.items() if row.limits and row.limits != "step: none"]
LOOSE = [name for name, row in TABLE.items() if not row.fixed]
FIXED = [name for name, row in TABLE.items() if row.fixed]
REASON = "the maker vouches for it"


def guarded(name, text):
    return revision(("discharge: allowed", f"discharge: allowed\n  guardrails: {{{name}: {{{text}}}}}"))


def shown(made):
    plan = plan_fleet(made, MONDAY)
    return " ".join(" ".join(line.text for line in write_text(plan)).split()), write_markdown(plan)


def test_every_limit_is_tried():
    assert set(EASIER) == set(LIMITED)


@pytest.mark.parametrize("name", LOOSE)
def test_a_severity_is_raised_for_nothing_and_lowered_for_a_reason_that_the_plan_repeats(name):
    rules = set()
    try:
        made = guarded(name, "severity: error")
    except RevisionError as refused:
        rules = {error.rule for error in refused.errors}
    else:
        assert made.fleet.guardrails.waivers == ()
    assert rules <= {name}, "raised, it may refuse; the words themselves are taken"
    with pytest.raises(RevisionError) as caught:
        guarded(name, 'severity: "off"')
    assert {(error.rule, bool(error.place.line)) for error in caught.value.errors} == {
        ("guardrail-without-reason", True)
    }
    text, page = shown(guarded(name, f'severity: "off", reason: {REASON}'))
    assert f"Eased: {name} (`severity: {Severity.OFF}`) at yard.yaml:9:" in text
    assert REASON in text
    assert REASON in page


@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_is_eased_for_a_reason_that_the_plan_repeats(name):
    with pytest.raises(RevisionError) as caught:
        guarded(name, EASIER[name])
    assert {error.rule for error in caught.value.errors} == {"guardrail-without-reason"}
    text, page = shown(guarded(name, f"{EASIER[name]}, reason: {REASON}"))
    limit = EASIER[name].partition(":")[0]
    assert f"Eased: {name} (`{limit}`) at yard.yaml:9:" in text
    assert REASON in page


@pytest.mark.parametrize("name", FIXED)
def test_what_is_fixed_is_eased_by_nothing(name):
    with pytest.raises(RevisionError) as caught:
        guarded(name, f'severity: "off", reason: {REASON}')
    assert {error.rule for error in caught.value.errors} == {"unknown-key"}
