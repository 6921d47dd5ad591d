"""A plan that was saved is read back as it was, and nothing else is taken for one."""

import copy
import json
from pathlib import Path

import pytest

from goldens import check_golden
from reconciler.ocpp.dialects import dialect
from reconciler.plan.document import FILE_NAME, PlanDocument, schema
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.json_form import write_json
from reconciler.plan.saved import MalformedPlan, read_json
from reconciler.plan.text import write_text
from reconciler.profiles.capability import Capability
from reconciler.profiles.profile import Mode
from revisions import MONDAY, ROOT, revision, state_of

MORE = ("power: -7 kW", "power: -9 kW")
SCHEMA = ROOT / "schemas" / FILE_NAME


def wire(profile, protocol):
    return dialect(protocol).set_profile(profile, Capability(protocol, negative_limit=True, modes=frozenset(Mode)))


def written(plan=None):
    return json.loads(json.dumps(write_json(plan or plan_fleet(revision(MORE), MONDAY, revision()), wire)))


def test_the_published_schema_golden_is_that_of_the_document():
    check_golden(f"../../schemas/{FILE_NAME}", json.dumps(schema(), indent=2) + "\n")
    assert Path(SCHEMA).exists()


def test_every_field_that_is_written_is_published_and_every_published_one_is_written():
    fields = {field.alias for field in PlanDocument.model_fields.values()}
    assert set(written()) == fields


def test_stations_without_anything_to_tell_are_counted():
    plan = read_json(written())
    assert (len(plan.stations), plan.unlisted, plan.size) == (4, 2, 6)
    assert write_text(plan)[-1].text.endswith(f"digest {plan.digest[:12]}")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((), [], "saved plan: "),
        (("format_version",), 2, "format_version: "),
        (("digest",), "short", "digest: "),
        (("timezone",), "Mars/Olympus", "timezone: there is no 'Mars/Olympus'"),
        (("timezone",), "../etc/passwd", "timezone: "),
        (("at",), "2026-11-23T16:00:00", "at: "),
        (("created",), "0001-01-01T00:00:00+14:00", "is not a time of a plan"),
        (("changes", 0, "before"), None, "changes: the replace of A-01 lacks a profile"),
        (("changes", 0, "after"), {"id": 1}, "a profile: "),
        (("changes", 0, "type"), "clear", "lacks a profile"),
        (("changes", 0, "type"), "erase", "changes.0.type: "),
        (("stations", 0, "outlook"), 9, "stations: there is no outlook 9"),
        (("stations", 0, "station"), "", "stations.0.station: "),
        (("findings", 0, "guardrail"), "luck", "there is no guardrail 'luck'"),
        (("later",), [{"station": "A-01", "evseId": 7, "since": "2026-11-23", "stretches": []}], "no such EVSE"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(path, value, message):
    data = written()
    data["changes"][0]["before"] = data["changes"][0]["before"] if path != ("changes", 0, "type") else None
    at = data
    for step in path[:-1]:
        at = at[step]
    if path:
        at[path[-1]] = value
    with pytest.raises(MalformedPlan) as caught:
        read_json(data if path else value)
    assert message in str(caught.value)


def test_stations_that_share_profiles_share_them_again():
    crowd = (("A-{01..04}", "A-{01..60}"), ("import: 200 kW, export: 200 kW", "import: 2 MW, export: 2 MW"))
    plan = read_json(written(plan_fleet(revision(*crowd), MONDAY)))
    assert len({id(station.verdicts) for station in plan.stations}) < len(plan.stations) / 2


def test_unknown_fields_are_let_pass():
    data = copy.deepcopy(written())
    data["weather"] = "fine"
    data["stations"][0]["colour"] = "red"
    assert read_json(data) == read_json(written())


def test_what_is_live_stays_live():
    plan = read_json(written(plan_fleet(revision(MORE), MONDAY, revision(), state_of(revision()))))
    assert plan.live
    assert all(station.connected for station in plan.stations)
