"""A fleet tightens its guardrails freely and eases them only with a reason."""

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.manifests.guardrails import Severity

FLEET = (
    "metadata: {name: pier}\nspec: {timezone: Europe/Amsterdam, profileIds: {from: 1000, to: 1999}, discharge: allowed"
)


def guarded(base, text):
    return {"fleet.yaml": base.replace(FLEET, f"{FLEET}, guardrails: {{{text}}}")}


def test_a_fleet_that_says_nothing_has_the_defaults(load_extra):
    rails = load_extra("").guardrails
    assert rails.severities["direction-changes"] is Severity.ERROR
    assert rails.severities["reversal"] is Severity.WARNING
    assert (rails.turns_per_day, rails.dwell, rails.ramp_w, rails.radius) == (
        6,
        timedelta(minutes=15),
        None,
        Decimal("0.30"),
    )
    assert rails.waivers == ()
    assert rails.place.file == "base.yaml"


@pytest.mark.parametrize(
    "text",
    [
        "reversal: {severity: error}",
        "direction-changes: {perDay: 2}",
        "dwell: {least: 30m}",
        "ramp: {step: 5 kW}",
        "blast-radius: {share: 10 %, above: 5}",
        "profile-writes: {perDay: 2, perYear: 500}",
    ],
)
def test_tightening_needs_no_reason(load_files, base, text):
    assert load_files(guarded(base, text)).guardrails.waivers == ()


@pytest.mark.parametrize(
    ("text", "eased"),
    [
        ("site-export: {severity: warning", "`severity: warning`"),
        ('reversal: {severity: "off"', "`severity: off`"),
        ("direction-changes: {perDay: 12", "`perDay`"),
        ("dwell: {least: 5m", "`least`"),
        ("blast-radius: {share: 100 %, above: 20", "`share`, `above`"),
        ('clock-skew: {severity: "off", tolerance: 1s', "`severity: off`, `tolerance`"),
    ],
)
def test_easing_takes_a_reason_which_is_kept(load_files, errors_of, base, text, eased):
    (error,) = errors_of(guarded(base, text + "}"))
    assert (error.rule, error.message) == ("guardrail-without-reason", f"{eased} is easier than the default")
    assert error.field == f"spec.guardrails.{text.split(':')[0]}"
    assert error.place.line == 4
    (waiver,) = load_files(guarded(base, text + ", reason: ' the maker vouches for it '}")).guardrails.waivers
    assert (waiver.guardrail, waiver.reason) == (text.split(":")[0], "the maker vouches for it")
    assert ", ".join(waiver.eased) == eased
    assert waiver.place == error.place


def test_a_blank_reason_is_none(errors_of, base):
    (error,) = errors_of(guarded(base, "direction-changes: {severity: warning, reason: '  '}"))
    assert error.rule == "guardrail-without-reason"


@pytest.mark.parametrize("text", ["dwel: {}", "empty-render: {}", "dwell: {perDay: 3}"])
def test_what_is_no_guardrail_or_limit_is_an_unknown_key(errors_of, base, text):
    (error,) = errors_of(guarded(base, text))
    assert error.rule == "unknown-key"


@pytest.mark.parametrize("share", ["30", "101 %", "-1 %", "many", "'30 '", "0.1234 %"])
def test_a_share_is_a_percentage_of_at_most_all(errors_of, base, share):
    (error,) = errors_of(guarded(base, f"blast-radius: {{share: {share}}}"))
    assert error.rule == "wrong-share"


def test_a_ramp_is_in_watts(load_files, base):
    assert load_files(guarded(base, "ramp: {step: 5 kW}")).guardrails.ramp_w == 5000
