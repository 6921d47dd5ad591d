"""What stations hold becomes manifests; what can't is told by the profile's id, and nothing is guessed in silence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from reconciler.cli.captured import Unreadable, read_captured
from reconciler.cli.flow import write_flow
from reconciler.cli.imported import import_stations
from reconciler.cli.main import app
from reconciler.errors import ReconcilerError, UsageError
from reconciler.manifests.documents import parse
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot
from reconciler.profiles.capability import Protocol
from reconciler.reported.belief import Belief, Held, Reported
from reconciler.reported.saved import SavedStation, write_state

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 3, 3, 11, tzinfo=UTC)
FLEET = """apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: fleet}
spec: {timezone: Europe/Amsterdam, profileIds: {from: 1000, to: 1999}, discharge: allowed}
"""


def profile(number=7, level=1, *periods, **more):
    schedule = {"id": 1, "startSchedule": "2026-01-01T16:00:00Z", "chargingRateUnit": more.pop("unit", "W")}
    rows = periods or ({"startPeriod": 0, "limit": 7000}, {"startPeriod": 10800, "limit": 3500})
    return {
        "id": number,
        "stackLevel": level,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Daily",
        "chargingSchedule": [{**schedule, "chargingSchedulePeriod": list(rows)}],
        **more,
    }


def report(*profiles, evse=1, request=1, **more):
    return {
        "requestId": request,
        "chargingLimitSource": "CSO",
        "evseId": evse,
        "chargingProfile": list(profiles),
        **more,
    }


def frame(*profiles, **more):
    return [2, "19", "ReportChargingProfiles", report(*profiles, **more)]


def log(*lines):
    return "\n".join(json.dumps(line) for line in lines)


def read(*lines, station="S-1"):
    return read_captured(log(*lines), station)


def ids(captured):
    return {station.identity: [each.id for each in station.profiles] for station in captured.stations}


def imported(*lines, station="S-1", is_rounded=False):
    return import_stations(read(*lines, station=station).stations, ZONE, NOW, is_rounded=is_rounded)


def loaded(made):
    return load(Snapshot("", "", None, "", {"fleet.yaml": FLEET, "imported.yaml": made.text}))


def run(*words, given=None):
    return CliRunner().invoke(app, ["import", *map(str, words)], input=given)


# Reading


def test_a_log_may_have_frames_payloads_or_either_with_the_station_beside_it():
    assert ids(read(frame(profile(1)))) == {"S-1": [1]}
    assert ids(read(report(profile(1)))) == {"S-1": [1]}
    assert ids(read({**report(profile(1)), "station": "A"}, {"identity": "B", "payload": report(profile(2))})) == {
        "A": [1],
        "B": [2],
    }
    assert ids(read({"station": "A", "frame": frame(profile(1))}, {"message": frame(profile(2))})) == {
        "A": [1],
        "S-1": [2],
    }


def test_other_messages_of_a_log_say_nothing_about_profiles():
    others = ([2, "1", "Heartbeat", {}], [3, "2", {}], {"level": "info"}, "started", {"frame": 7})
    assert ids(read(*others, frame(profile(1)))) == {"S-1": [1]}
    assert ids(read_captured(f"\n\n{log(frame(profile(1)))}\n \n[]", "S-1")) == {"S-1": [1]}


def test_reports_of_one_request_belong_together_and_the_last_request_counts():
    first = (frame(profile(1), request=1), frame(profile(2), request=1))
    assert ids(read(*first)) == {"S-1": [1, 2]}
    assert ids(read(*first, frame(profile(3), request=2))) == {"S-1": [3]}


def test_of_one_id_on_one_evse_the_last_report_counts():
    changed = frame(profile(1, 5), request=1)
    (station,) = read(frame(profile(1)), changed).stations
    assert [each.stack_level for each in station.profiles] == [5]


def test_the_version_is_told_by_what_only_one_of_them_has():
    plain = read(frame(profile(1))).stations[0]
    negative = read(frame(profile(1, 1, {"startPeriod": 0, "limit": -7000}))).stations[0]
    modes = read(frame(profile(1, 1, {"startPeriod": 0, "operationMode": "Idle"}))).stations[0]
    assert [each.protocol for each in (plain, negative, modes)] == [None, Protocol.V201, Protocol.V21]


def test_a_log_without_names_needs_one():
    with pytest.raises(UsageError, match="line 1 does not say whose"):
        read(frame(profile(1)), station="")


def test_a_saved_state_brings_its_stations_protocols_and_time():
    (held,) = read(frame(profile(1))).stations[0].profiles
    reported = Reported(held={1: Held(held, Belief.OBSERVED)}, known=True, ever_known=True)
    state = write_state([SavedStation("Q-1", Protocol.V21, reported=reported), SavedStation("Q-2")], NOW)
    captured = read_captured(json.dumps(state), "")
    assert (captured.at, ids(captured)) == (NOW, {"Q-1": [1], "Q-2": []})
    assert captured.stations[0].protocol is Protocol.V21


def test_an_explanation_brings_what_is_reported_ours_or_not():
    view = {
        "identity": "Q-1",
        "at": "2026-03-03T11:00:00Z",
        "protocol": "2.0.1",
        "profiles": [{"evseId": 1, "reported": profile(1)}, {"evseId": 1, "reported": None}],
        "foreignProfiles": [{"evseId": 0, "reported": profile(2)}],
    }
    for text in (json.dumps(view), json.dumps([view])):
        captured = read_captured(text, "")
        assert (captured.at, ids(captured)) == (NOW, {"Q-1": [1, 2]})
        assert captured.stations[0].protocol is Protocol.V201
    assert read_captured(json.dumps({**view, "at": 5}), "").at is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps([{"identity": "Q-1", "state": "in-sync"}]), "without their profiles"),
        ("{}", "has no profiles"),
        ("", "has no profiles"),
        ('{"a": 1}\nnot json', "line 2 is not JSON"),
        (json.dumps([{"identity": "A", "profiles": []}, 7]), "not a list of stations"),
        (log(frame(profile(1), evse="x")), "without its EVSE"),
        (log(frame({"id": 1})), "can't be read"),
        (log({"format_version": 9, "stations": []}), "saved state"),
    ],
)
def test_what_is_nothing_of_the_kind_is_refused_with_what_would_be(text, why):
    with pytest.raises(ReconcilerError, match=why):
        read_captured(text, "S-1")


@given(st.text(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_the_file_says_it_is_read_or_refused(text):
    try:
        assert read_captured(text, "S-1").stations
    except Unreadable as error:
        assert "import takes" in str(error)  # noqa: PT017


# Writing


def test_a_station_gets_its_schedule_through_a_group():
    made = imported(frame(profile(7, 1, {"startPeriod": 0, "limit": -7000}, {"startPeriod": 10800, "limit": 3500})))
    assert made.notes == ()
    assert made.discharges
    station = loaded(made).station("S-1")
    assert [(each.schedule.name, each.priority) for each in station.assignments] == [("profile-7", 10)]
    (evse,) = station.evses
    assert (evse.charge_w, evse.discharge_w, evse.current) == (3500, 7000, "DC")
    assert (station.declared.protocol, station.declared.negative_limit) == ("2.0.1", True)


def test_the_higher_stack_level_and_then_the_evses_own_has_the_higher_priority():
    own, shared = profile(2, 3, {"startPeriod": 0, "limit": 1}), profile(1, 3, {"startPeriod": 0, "limit": 2})
    low = profile(9, 0, {"startPeriod": 0, "limit": 3})
    made = imported(frame(own, low), frame(shared, evse=0))
    given = {each.schedule.name: each.priority for each in loaded(made).station("S-1").assignments}
    assert given == {"profile-9": 10, "profile-1": 20, "profile-2": 30}


def test_stations_that_hold_the_same_share_schedule_and_group():
    lines = [{"station": name, "payload": report(profile(7))} for name in ("B", "A")]
    other = {"station": "C", "payload": report(profile(7, 1, {"startPeriod": 0, "limit": 1}))}
    fleet = loaded(imported(*lines, other))
    assert {group.members: [each.schedule.name for each in group.assignments] for group in fleet.groups.values()} == {
        ("A", "B"): ["profile-7"],
        ("C",): ["profile-7-2"],
    }


def test_amperes_rate_an_ac_station_by_their_phases():
    ampere = {"startPeriod": 0, "limit": 16, "numberPhases": 1}
    (evse,) = loaded(imported(frame(profile(7, 1, ampere, unit="A")))).station("S-1").evses
    assert (evse.charge_w, evse.phases, evse.current) == (16 * 230, 1, "AC")


def test_amperes_on_other_phases_are_left_out():
    one = profile(7, 1, {"startPeriod": 0, "limit": 16, "numberPhases": 1}, unit="A")
    three = profile(8, 2, {"startPeriod": 0, "limit": 16}, unit="A")
    made = imported(frame(one, three))
    assert made.notes == ("S-1: profile 8 is left out: its amperes are on 3 phases, and others of the station on 1",)
    assert made.profiles == 1


def test_what_all_evses_hold_alike_is_one_schedule_and_what_one_holds_alone_is_left_out():
    made = imported(frame(profile(1)), frame(profile(2), profile(3, 2), evse=2))
    assert made.notes == (
        "S-1: profile 3 is left out: it is for EVSE 2 alone, and a schedule holds for every EVSE of its station",
    )
    station = loaded(made).station("S-1")
    assert [evse.id for evse in station.evses] == [1, 2]
    assert [each.schedule.name for each in station.assignments] == ["profile-1"]


def test_a_floor_is_left_to_the_fleet():
    floor = profile(1, 0, {"startPeriod": 0, "limit": 0}, chargingProfileKind="Absolute", recurrencyKind=None)
    made = imported(frame(floor, evse=0))
    assert (made.text, made.profiles) == ("", 0)
    assert "as the floor of every fleet does" in made.notes[0]


def test_an_identity_that_is_no_name_gets_one_and_one_that_is_none_is_left_out():
    lines = [{"station": name, "payload": report(profile(7))} for name in ("*A*", "+A+", "***", "x:y")]
    made = imported(*lines)
    assert "`x:y` is not a station identity" in made.notes[0]
    fleet = loaded(made)
    assert {station.identity: station.name for station in fleet.stations.values()} == {
        "***": "station",
        "*A*": "A",
        "+A+": "A-2",
    }


def test_dates_ranges_and_validity_are_written_as_people_would():
    start = {"startPeriod": 0, "limit": 2000}, {"startPeriod": 3 * 86_400, "limit": 1000}
    absolute = profile(7, 1, *start, chargingProfileKind="Absolute", recurrencyKind=None)
    absolute["chargingSchedule"][0]["startSchedule"] = "2026-03-03T11:00:00Z"
    text = imported(frame(absolute)).text
    assert '    - {days: 2026-03-03, from: "12:00", to: "24:00", power: 2 kW}\n' in text
    assert '{days: {from: 2026-03-04, to: 2026-03-05}, from: "00:00"' in text
    assert '{days: daily, from: "00:00", to: "24:00", power: 1 kW, validity: {from: 2026-03-07}}' in text


@given(st.dictionaries(st.just("a"), st.lists(st.text(max_size=20) | st.booleans() | st.integers(-9, 9)), min_size=1))
def test_whatever_is_written_is_read_as_the_same(value):
    parsed = parse("a.yaml", write_flow(value))
    assert not parsed.errors
    assert parsed.documents[0].value == value


# Ratings


def test_a_cap_that_is_less_than_what_flows_is_no_rating():
    floor = profile(1, 0, {"startPeriod": 0, "limit": 0}, chargingProfileKind="Absolute", recurrencyKind=None)
    cap = {**floor, "id": 2, "chargingProfilePurpose": "ChargingStationMaxProfile"}
    cap["chargingSchedule"] = [
        {**floor["chargingSchedule"][0], "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9000}]}
    ]
    made = imported(frame(floor, cap, evse=0), frame(profile(3)), frame(profile(4), evse=2))
    assert [evse.charge_w for evse in loaded(made).station("S-1").evses] == [7000, 7000]


def test_of_whom_nothing_tells_the_current_it_is_asked_for_once():
    lines = [{"station": name, "payload": report(profile(7))} for name in ("A", "B")]
    assert imported(*lines).guessed == ("A", "B")
    on_phases = profile(7, 1, {"startPeriod": 0, "limit": 7000, "numberPhases": 1})
    made = imported(frame(on_phases))
    assert (made.guessed, loaded(made).station("S-1").evses[0].phases) == ((), 1)
    result = run("-", "--timezone", "UTC", given=log(*lines))
    assert "note: nothing tells whether 2 stations (A, B) are on AC or DC: AC is put down" in result.stderr


def test_a_wrong_file_is_told_the_command_that_gives_the_right_one():
    result = run("-", "--timezone", "UTC", given="{}")
    assert (result.exit_code, "`reconciler get profiles -o json`" in result.stderr) == (1, True)


# The command


def test_manifests_go_to_stdout_and_what_is_missing_to_stderr(tmp_path):
    path = tmp_path / "ocpp.log"
    path.write_text(
        log(frame(profile(7, 1, {"startPeriod": 0, "limit": -7000}), profile(8, chargingProfileKind="Relative")))
    )
    result = run(path, "--station", "S-1", "--timezone", "Europe/Amsterdam", "--at", "2026-03-03T12:00:00+01:00")
    assert result.exit_code == 0
    assert result.stdout.startswith("# Imported as of 2026-03-03 12:00, for a fleet in Europe/Amsterdam.\n")
    assert result.stderr.splitlines() == [
        "note: S-1: profile 8 is left out: it is Relative, and a schedule reads the clock",
        "note: some of it discharges, for which the Fleet needs `discharge: allowed`",
        "imported 1 profile of 1 station",
    ]


def test_the_zone_may_be_that_of_the_fleet(tmp_path):
    (tmp_path / "fleet.yaml").write_text(FLEET)
    result = run("-", "--fleet", tmp_path, given=log({"station": "S-1", **report(profile(7))}))
    assert "for a fleet in Europe/Amsterdam" in result.stdout


def test_nothing_to_import_is_an_error(tmp_path):
    result = run(
        "-", "--timezone", "UTC", "--station", "S-1", given=log(frame(profile(8, chargingProfileKind="Relative")))
    )
    assert (result.exit_code, result.stdout) == (1, "")


def test_changes_between_minutes_are_taken_with_round():
    odd = log(frame(profile(7, 1, {"startPeriod": 0, "limit": 1}, {"startPeriod": 90, "limit": 2})))
    words = ("-", "--timezone", "UTC", "--station", "S-1")
    assert "on full minutes" in run(*words, given=odd).stderr
    assert run(*words, "--round", given=odd).exit_code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("none.json", "--timezone", "UTC"), "none.json can't be read"),
        (("-", "--timezone", "Mars"), "`Mars` is not a time zone"),
        (("-", "--timezone", "Europe/Amsterdm"), "is not a time zone; did you mean `Europe/Amsterdam`?"),
        (("-", "--fleet", "."), "local times need a time zone"),
    ],
)
def test_what_is_missing_is_a_usage_error(words, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*words, given="{}")
    assert result.exit_code == 64
    assert why in result.stderr


def test_what_is_no_text_or_too_large_is_a_usage_error(tmp_path, monkeypatch):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "is not text" in run(tmp_path / "bytes", "--timezone", "UTC").stderr
    monkeypatch.setattr("reconciler.cli.importing.LARGEST", 1)
    assert "is larger than" in run(tmp_path / "bytes", "--timezone", "UTC").stderr
