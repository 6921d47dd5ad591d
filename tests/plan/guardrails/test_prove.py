"""Errors refuse a revision as a whole; warnings stay with it; each stands at the window that is to blame."""

import pytest

from reconciler.controller.revision import revise
from reconciler.errors import RevisionError
from reconciler.manifests.guardrails import Severity
from reconciler.manifests.snapshot import Snapshot
from revisions import MONDAY, SHIPPED, YARD, revision

DAILY = "windows:\n    - {days: daily"
SHORT = (DAILY, DAILY.replace("- {", '- {days: sun, from: "12:00", to: "12:10", power: 5 kW}\n    - {'))
STILL = ("otherwise: 3 kW", "otherwise: 0 kW")


def refused(*edits, files=None):
    text = YARD
    for old, new in edits:
        text = text.replace(old, new)
    with pytest.raises(RevisionError) as caught:
        revise(Snapshot("bad", "Ann", None, "Change", {"yard.yaml": text, **(files or {})}), SHIPPED, MONDAY)
    return caught.value.errors


def eased(text):
    return ("discharge: allowed", f"discharge: allowed\n  guardrails: {{{text}}}")


def line_of(text, wanted):
    return next(number for number, line in enumerate(text.splitlines(), 1) if wanted in line)


def test_an_error_refuses_the_revision_at_its_window():
    found = refused(SHORT, STILL, eased("dwell: {severity: error}"))
    assert {error.rule for error in found} == {"dwell"}
    text = YARD.replace(*SHORT).replace(*eased("dwell: {severity: error}"))
    assert {error.place.line for error in found} == {line_of(text, "12:10")}
    assert found[0].message.endswith("; A-01, A-02, A-03 and 3 more")


def test_a_warning_stays_with_the_revision_and_names_all_its_stations():
    (reversal,) = (each for each in revision().warnings if each.guardrail == "reversal")
    assert reversal.severity is Severity.WARNING
    assert reversal.stations == ("A-01", "A-02", "A-03", "A-04")
    assert reversal.place.line == line_of(YARD, "otherwise: 3 kW")
    assert reversal.text.endswith("; A-01, A-02, A-03 and 1 more")


def test_a_raised_warning_refuses():
    assert {error.rule for error in refused(eased("reversal: {severity: error}"))} == {"reversal"}


def test_what_is_switched_off_with_a_reason_is_not_found():
    calm = revision(eased('reversal: {severity: "off", reason: the maker vouches}'))
    assert "reversal" not in {each.guardrail for each in calm.warnings}
    assert [waiver.reason for waiver in calm.fleet.guardrails.waivers] == ["the maker vouches"]


def test_a_lowered_error_warns():
    lowered = revision(eased("direction-changes: {severity: warning, perDay: 0, reason: a trial}"))
    turns = {each.severity for each in lowered.warnings if each.guardrail == "direction-changes"}
    assert turns == {Severity.WARNING}


def test_errors_come_before_warnings_and_every_one_is_given():
    found = refused(SHORT, STILL, ("power: 11 kW", "power: 30 A"), eased("reversal: {severity: error}"))
    assert {error.rule for error in found} >= {"ampere-on-dc"}
    found = refused(
        SHORT,
        STILL,
        eased("evse-rating: {severity: error}, dwell: {severity: error}"),
        ("power: -7 kW", "power: -17 kW"),
    )
    assert {error.rule for error in found} == {"dwell", "evse-rating"}


def test_a_station_that_may_speak_a_protocol_which_can_not_tell_it_is_warned_of():
    mute = revision(("  capability: {protocol: 2.0.1, negativeLimit: true}\n", ""))
    (found,) = (each for each in mute.warnings if each.guardrail == "protocol-left")
    assert found.stations == ("A-01", "A-02", "A-03", "A-04")
    assert found.message.startswith("no flow, should a station speak OCPP 2.0.1: discharge on OCPP 2.0.1")


def test_a_template_discharges_only_with_the_fleets_consent():
    forbidden = (("discharge: allowed", "discharge: forbidden"), ("power: -7 kW", "power: 7 kW"))
    template = (
        "- {evseId: {{ evse.id }}, id: {{ profile_id }}, stackLevel: 1, chargingProfilePurpose: TxDefaultProfile,\n"
        "   chargingProfileKind: Absolute, chargingSchedule: [{id: 1, startSchedule: '{{ lease.start | rfc3339 }}',\n"
        "   duration: 3600, chargingRateUnit: W,\n"
        "   chargingSchedulePeriod: [{startPeriod: 0, operationMode: CentralSetpoint, setpoint: -1000}]}]}\n"
    )
    found = refused(*forbidden, files={"templates/schedule.yaml.j2": template})
    assert "discharge-not-allowed" in {error.rule for error in found}
    assert found[0].place.file == "templates/schedule.yaml.j2"
