"""The commands that ask a running controller, against a real HTTP server that answers what a test says."""

import json

import pytest
from typer.testing import CliRunner

from reconciler.cli.main import app

STATION = {
    "identity": "A1",
    "connected": True,
    "protocol": "2.1",
    "state": "in-sync",
    "reason": "",
    "revision": "c0ffee00cafe",
    "desiredRevision": "c0ffee00cafe",
    "powerW": {"1": -7000.0},
    "foreign": 1,
    "lastRead": "2026-03-03T17:00:00Z",
}
PROFILE = {"id": 810011, "evseId": 1, "purpose": "TxDefaultProfile", "stackLevel": 1, "reason": "", "source": "CSO"}
SHOWN = PROFILE | {"verdict": "keep", "belief": "observed", "winsOn": [1], "lastAnswer": "Accepted"}
SPEAKS = {"name": "evening", "priority": 20, "group": "night", "power": "-7000 W", "place": "s.yaml:4:7"}
EXPLAINED = STATION | {
    "refusal": "",
    "renewal": "2026-03-04T11:00:00Z",
    "notes": [],
    "settings": [],
    "evses": [
        {"evseId": 1, "leader": 810011, "limitW": None, "setpointW": -7000, "schedule": SPEAKS},
        {"evseId": 2, "leader": None, "limitW": 0, "setpointW": None, "schedule": None},
    ],
    "profiles": [SHOWN, SHOWN | {"id": 810012, "verdict": "install", "reason": "missing", "belief": None}],
    "foreignProfiles": [PROFILE | {"id": 7, "belief": "observed", "winsOn": []}],
}
GROUP = {
    "name": "night",
    "site": "quay",
    "stations": 2,
    "states": {"in-sync": 1, "deferred": 1, "drifted": 0},
    "schedules": [{"schedule": "evening", "priority": 20}],
}


HELD = {
    "id": 810011,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [
        {
            "id": 1,
            "startSchedule": "2026-03-03T16:00:00Z",
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000}, {"startPeriod": 7200, "limit": 0}],
        }
    ],
}


def saved(identity):
    held = {"evseId": 1, "source": "CSO", "belief": "observed", "profile": HELD}
    return {"identity": identity, "protocol": "2.1", "connected": True, "known": True, "profiles": [held]}


def test_profiles_of_chosen_stations_are_a_saved_state_that_import_reads(answers, reconciler, tmp_path):
    state = {"format_version": 1, "at": "2026-03-03T17:00:00Z", "revision": "c1"}
    answers.by_path["/api/v1/stations"] = [STATION]
    answers.by_path["/api/v1/state"] = state | {"stations": [saved("A1"), saved("A2")]}
    shown = reconciler("get", "profiles", "-l", "line=night", "-o", "json")
    assert json.loads(shown.stdout) == state | {"stations": [saved("A1")]}
    table = [line.split() for line in reconciler("get", "profiles").stdout.splitlines()]
    assert table[1] == ["A1", "810011", "1", "1", "TxDefaultProfile", "CSO", "observed"]
    assert reconciler("get", "profiles", "-o", "name").stdout == "A1\n"
    (tmp_path / "held.json").write_text(shown.stdout)
    imported = CliRunner().invoke(app, ["import", str(tmp_path / "held.json"), "--timezone", "UTC"])
    assert imported.exit_code == 0, imported.output
    assert 'select: {names: ["A1"]}' in imported.stdout


def test_stations_are_listed_as_table_json_yaml_or_names(answers, reconciler):
    answers.by_path["/api/v1/stations"] = [STATION, STATION | {"identity": "A2", "connected": False, "powerW": {}}]
    table = reconciler("get", "stations", "-l", "line=night", "--state", "in-sync")
    assert table.exit_code == 0
    assert [line.split()[:4] for line in table.stdout.splitlines()] == [
        ["STATION", "OCPP", "STATE", "REVISION"],
        ["A1", "2.1", "in-sync", "c0ffee00"],
        ["A2", "-", "in-sync", "c0ffee00"],
    ]
    assert "-7.0 kW" in table.stdout
    assert answers.asked == [("GET", "/api/v1/stations?label=line%3Dnight&state=in-sync", b"")]
    assert json.loads(reconciler("get", "stations", "-o", "json").stdout)[0] == STATION
    assert reconciler("get", "stations", "-o", "name").stdout == "A1\nA2\n"
    assert reconciler("get", "stations", "-o", "yaml").stdout.startswith("- identity: A1\n")


def test_stations_that_wait_for_people_or_waves_say_so_where_nothing_else_is_to_be_said(answers, reconciler):
    waits = {"wave": 2, "waits": "wave 2 of 3 is not released yet"}
    answers.by_path["/api/v1/stations"] = [STATION | waits, STATION | {"identity": "A2", "reason": "drifted by hand"}]
    lines = reconciler("get", "stations").stdout.splitlines()
    assert lines[0].split()[4] == "WAVE"
    assert lines[1].endswith("wave 2 of 3 is not released yet")
    assert lines[1].split()[4] == "2"
    assert lines[2].rstrip().endswith("drifted by hand")


def test_labels_that_no_station_carries_are_told_with_the_ones_that_were_meant(answers, reconciler):
    answers.by_path["/api/v1/stations"] = []
    answers.by_path["/api/v1/state"] = {"stations": []}
    result = reconciler("get", "stations", "-l", "line=night")
    assert (result.exit_code, result.stderr) == (0, "note: no station carries line=night\n")
    assert reconciler("get", "profiles", "-l", "line=night").stderr == "note: no station carries line=night\n"
    assert reconciler("get", "stations", "-o", "name").stderr == ""


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (("-l", "lin=night"), "no station carries lin=night; did you mean line=night?"),
        (("-l", "line=night", "-l", "zzz=1"), "no station carries zzz=1"),
        (("-l", "line=night", "--state", "drifted"), "no station in the state drifted carries line=night"),
    ],
)
def test_the_labels_that_there_are_help_to_say_which_was_meant(monkeypatch, words, note):
    def answer(_, path, **asked):
        return [] if asked.get("label") else [{"labels": {"line": "night", "depot": "north"}}]

    monkeypatch.setattr("reconciler.cli.client.Client.get", answer)
    result = CliRunner().invoke(app, ["get", "stations", *words], env={"RECONCILER_SERVER": "http://127.0.0.1:1"})
    assert (result.exit_code, result.stderr) == (0, f"note: {note}\n")


def test_no_station_is_no_name(answers, reconciler):
    answers.by_path["/api/v1/stations"] = []
    assert reconciler("get", "stations", "-o", "name").stdout == ""


def test_groups_are_listed_with_their_states(answers, reconciler):
    answers.by_path["/api/v1/groups"] = [GROUP]
    shown = reconciler("get", "groups")
    assert "1 in-sync, 1 deferred" in shown.stdout
    assert "evening (20)" in shown.stdout


def test_groups_and_sites_say_whether_they_are_ready_and_why_not(answers, reconciler):
    conditions = [{"type": "Ready", "status": "False", "reason": "Drifted"}]
    answers.by_path["/api/v1/groups"] = [GROUP | {"conditions": conditions}, GROUP]
    assert "False: Drifted" in reconciler("get", "groups").stdout
    site = {"name": "quay", "importW": 600_000.0, "exportW": 250_000.0, "stations": 2, "states": {"in-sync": 2}}
    answers.by_path["/api/v1/sites"] = [
        site | {"conditions": [{"type": "Ready", "status": "True", "reason": "InSync"}]}
    ]
    assert [line.split() for line in reconciler("get", "sites").stdout.splitlines()] == [
        ["SITE", "IMPORT", "EXPORT", "STATIONS", "READY", "STATES"],
        ["quay", "+600.0", "kW", "-250.0", "kW", "2", "True", "2", "in-sync"],
    ]
    assert reconciler("get", "sites", "-o", "name").stdout == "quay\n"


@pytest.mark.parametrize(
    "words",
    [
        ("get", "groups", "-l", "line=night"),
        ("get", "sites", "--state", "in-sync"),
        ("get", "stations", "-o", "xml"),
        ("get", "stations", "-l", "line"),
        ("get", "stations", "--state", "bogus"),
        ("get", "cars"),
        ("explain", "A1", "-o", "name"),
        ("get", "stations", "--server", "ftp://x"),
        ("send", "Reset", "--id", "A1", "--file", "/no/such/file"),
    ],
)
def test_what_cannot_be_served_is_a_usage_error(reconciler, answers, words):
    assert reconciler(*words).exit_code == 64
    assert answers.asked == []


def test_a_misspelt_state_is_told_the_one_that_was_meant(reconciler):
    assert "did you mean drifted?" in reconciler("get", "stations", "--state", "driftet").stderr
    assert "in-sync, pending" in reconciler("get", "stations", "--state", "bogus").stderr


def test_explain_names_the_leader_and_the_line_that_speaks(answers, reconciler):
    answers.by_path["/api/v1/stations/A%2F1/explain"] = EXPLAINED
    shown = reconciler("explain", "A/1").stdout
    assert "EVSE 1: 810011 leads, setpoint -7000 W" in shown
    assert "evening (priority 20, group night) says -7000 W, at s.yaml:4:7" in shown
    assert "EVSE 2: no profile leads: it charges without limit, limit 0 W" in shown
    assert "no schedule speaks now" in shown
    assert "install: missing" in shown
    assert "foreign (CSO)" in shown
    assert json.loads(reconciler("explain", "A/1", "-o", "json").stdout) == EXPLAINED


def test_explain_shows_who_set_what_and_what_was_made_less_in_a_hundred_columns(answers, reconciler):
    lease = {"field": "failSafe.lease", "value": "30h", "level": "Site quay", "place": "deep/" * 14 + "sites.yaml:9:7"}
    note = "discharge on OCPP 2.0.1: no negative limit is declared or proved there; no flow instead, at s.yaml:4:7"
    answers.by_path["/api/v1/stations/A1/explain"] = EXPLAINED | {"settings": [lease], "notes": [note]}
    shown = reconciler("explain", "A1").stdout
    assert max(map(len, shown.splitlines())) <= 100
    told = " ".join(shown.split())
    assert f"made less: {note}" in told
    assert f"Settings failSafe.lease: 30h <- Site quay, {lease['place']}" in told


def test_explain_says_what_a_station_follows_and_waits_for(answers, reconciler):
    waits = {"wave": 2, "waits": "wave 2 of 3 is not released yet", "follows": "0ld" * 9}
    answers.by_path["/api/v1/stations/A1/explain"] = EXPLAINED | waits
    shown = reconciler("explain", "A1").stdout.splitlines()
    assert shown[2:4] == ["  wave 2 of the last rollout", "  follows 0ld0ld0ld0ld; wave 2 of 3 is not released yet"]
    answers.by_path["/api/v1/stations/A1/explain"] = EXPLAINED | waits | {"wave": None, "follows": None}
    assert "  follows none; wave 2 of 3 is not released yet" in reconciler("explain", "A1").stdout


def test_explain_shows_a_station_that_is_away_and_why_it_is_refused(answers, reconciler):
    away = {"connected": False, "state": "deferred", "reason": "offline", "refusal": "too old", "renewal": None}
    answers.by_path["/api/v1/stations/A1/explain"] = EXPLAINED | away | {"revision": None}
    shown = reconciler("explain", "A1").stdout
    assert "A1  not connected  deferred: offline" in shown
    assert "revision none verified" in shown
    assert "refused: too old" in shown


def test_what_a_station_says_cannot_steer_the_terminal(answers, reconciler):
    answers.by_path["/api/v1/stations"] = [STATION | {"reason": "\x1b[2Jgone"}]
    assert "\x1b" not in reconciler("get", "stations").stdout


DRIFTED = {"identity": "A1", "state": "drifted", "reason": "missing", "profiles": [SHOWN], "foreign": []}
REFUSED = {"identity": "A2", "state": "refused", "reason": "too old", "profiles": [], "foreign": []}
FOREIGN = {"identity": "A3", "state": "in-sync", "reason": "", "profiles": [], "foreign": [PROFILE]}


@pytest.mark.parametrize(
    ("rows", "code"), [([], 0), ([REFUSED], 4), ([DRIFTED], 3), ([FOREIGN, REFUSED], 3), ([REFUSED, DRIFTED], 3)]
)
def test_drift_is_told_by_the_exit_code_where_that_is_asked_for(answers, reconciler, rows, code):
    answers.by_path["/api/v1/drift"] = rows
    assert reconciler("drift", "--exit-code").exit_code == code
    shown = reconciler("drift")
    assert shown.exit_code == 0
    assert all(row["identity"] in shown.stdout for row in rows)
    assert json.loads(reconciler("drift", "-o", "json").stdout) == rows


def test_a_request_by_hand_goes_with_who_asked(answers, reconciler, tmp_path):
    answers.by_path["/api/v1/stations/A1/send"] = {"ok": True, "answer": {"status": "Accepted"}}
    path = tmp_path / "payload.json"
    path.write_text('{"requestedMessage": "Heartbeat"}')
    for words, stdin in ((("--file", str(path)), None), (("--file", "-"), path.read_text())):
        ended = reconciler("send", "TriggerMessage", "--id", "A1", "--force", *words, stdin=stdin)
        assert (ended.exit_code, json.loads(ended.stdout)) == (0, {"status": "Accepted"})
        sent = json.loads(answers.asked[-1][2])
        assert sent["payload"] == {"requestedMessage": "Heartbeat"}
        assert (sent["action"], sent["force"], sent["who"].endswith("cli)") or sent["who"] == "cli") == (
            "TriggerMessage",
            True,
            True,
        )


def test_a_station_that_says_no_is_an_error(answers, reconciler):
    answers.by_path["/api/v1/stations/A1/send"] = {"ok": False, "answer": {"errorCode": "NotImplemented"}}
    ended = reconciler("send", "Bogus", "--id", "A1", "--file", "-", stdin="{}")
    assert (ended.exit_code, json.loads(ended.stdout)) == (1, {"errorCode": "NotImplemented"})


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_payload_that_is_no_object_is_not_sent(answers, reconciler, text):
    assert reconciler("send", "Reset", "--id", "A1", "--file", "-", stdin=text).exit_code == 64
    assert answers.asked == []


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_what_the_controller_will_not_do_is_told_with_its_hint(answers, reconciler, status):
    answers.status = status
    ended = reconciler("explain", "A1")
    assert ended.exit_code == 1
    assert "nothing here (look)" in ended.stderr


def test_a_server_that_is_no_controller_is_told_apart(answers, reconciler):
    answers.by_path["/api/v1/drift"] = b"<html>"
    assert "does not answer as a controller does" in reconciler("drift").stderr
    answers.by_path["/api/v1/drift"], answers.status = ["odd"], 500
    assert "answered 500" in reconciler("drift").stderr


def test_a_controller_that_is_not_there_is_said_so():
    ended = CliRunner().invoke(app, ["drift", "--server", "http://127.0.0.1:9"])
    assert ended.exit_code == 1
    assert "no controller answers" in ended.stderr
