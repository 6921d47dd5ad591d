"""The commands by which people steer, against a real HTTP server that answers what a test says."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.cli.progress import BAR, bar, write_rollout, write_turn
from reconciler.cli.rollback import known_commits
from reconciler.rollout.ledger import Batch, Entry, KeptRevision, Stage
from reconciler.store.store import Store
from revisions import YARD

STATES = {"verified": 0, "open": 0, "failed": 0, "deferred": 0, "missed": 0, "waiting": 0}
FIRST = {"wave": 1, "stations": 2, "releasedAt": "2026-03-03T12:05:00Z", "states": STATES | {"verified": 2}}
SECOND = {
    "wave": 2,
    "stations": 40,
    "releasedAt": "2026-03-03T12:25:00Z",
    "states": STATES | {"verified": 20, "open": 9, "failed": 1, "deferred": 10},
}
THIRD = {"wave": 3, "stations": 7, "releasedAt": None, "states": STATES | {"waiting": 7}}
ROLLOUT = {
    "at": "2026-03-03T12:30:00Z",
    "phase": "releasing",
    "commit": "c0ffee" * 6,
    "base": "0ddba11" * 5,
    "plan": "5ca1ab1e" * 8,
    "reason": "",
    "who": "",
    "overridden": "",
    "beganAt": "2026-03-03T12:05:00Z",
    "changedAt": "2026-03-03T12:25:00Z",
    "soakUntil": None,
    "wave": 2,
    "heldBy": "",
    "window": {"open": True, "why": "no windows are declared", "until": None, "overridden": False},
    "waves": [FIRST, SECOND, THIRD],
    "urgent": 0,
    "failing": [{"station": "Q3-007", "reason": "fault on EVSE 1"}],
    "deferred": [
        {"station": "Q3-008", "wave": 2, "state": "deferred", "why": "offline", "expires": "2026-03-10T12:25:00Z"}
    ],
    "notAwaited": [{"station": "Q3-009", "wave": 1, "reason": "refused: fault on EVSE 2"}],
    "rest": {"stations": 16, "leastSeconds": 605},
    "quarantined": [],
}
NONE = {"at": "2026-03-03T12:30:00Z", "phase": None, "commit": None, "waves": [], "quarantined": []}
SHUT = {"open": False, "why": "denied by `0 16 * * *` for 4h, Europe/Berlin", "until": "2026-03-03T19:00:00Z"}


def sent(answers, at=-1):
    method, path, body = answers.asked[at]
    return method, path, json.loads(body)


def test_a_rollout_is_drawn_with_a_bar_for_each_wave(answers, reconciler):
    answers.by_path["/api/v1/rollout"] = ROLLOUT
    assert reconciler("rollout").stdout.splitlines() == [
        "rollout of c0ffeec0ffee (after 0ddba110ddba): releasing",
        "  began 2026-03-03T12:05:00Z; plan 5ca1ab1e5ca1",
        "  windows: open: no windows are declared",
        "wave  1  ██████████████████████████████  2 verified",
        "wave  2  ████████████████▒▒▒▒▒▒x░░░░░░░  20 verified, 9 open, 1 failed, 10 deferred",
        "wave  3  ······························  7 waiting",
        "failed Q3-007: fault on EVSE 1",
        "not awaited Q3-009: refused: fault on EVSE 2",
        "deferred Q3-008: offline, awaited until 2026-03-10T12:25:00Z",
        "16 stations left; it takes 10 min 5 s at least",
    ]
    assert json.loads(reconciler("rollout", "status", "-o", "json").stdout) == ROLLOUT
    assert reconciler("rollout", "status", "-o", "yaml").stdout.startswith("at: ")


def test_without_a_rollout_the_revision_in_force_is_told(answers, reconciler):
    answers.by_path["/api/v1/rollout"] = NONE
    assert reconciler("rollout").stdout == "no rollout: every station follows none\n"


def test_all_that_stands_in_the_way_is_told():
    way = {
        "phase": "paused",
        "soakUntil": "2026-03-03T13:00:00Z",
        "who": "ada",
        "reason": "noise at night",
        "heldBy": "nothing can be recorded: disk full",
        "window": SHUT | {"overridden": False},
        "urgent": 3,
        "failing": [{"station": f"A{each}", "reason": "no"} for each in range(12)],
        "deferred": [
            {"station": "A99", "state": "missed", "why": "offline", "expires": None},
            {"station": "A98", "state": "deferred", "why": "suspended", "expires": "2026-03-10T12:25:00Z"},
        ],
        "rest": {"stations": 0, "leastSeconds": 0},
        "quarantined": [{"commit": "bad" * 12, "why": "3 of 5 stations failed: " + "x" * 90}],
    }
    lines = write_rollout(ROLLOUT | way)
    told = "\n".join(lines)
    assert max(map(len, lines)) <= 100
    assert ": paused until 2026-03-03T13:00:00Z" in told
    assert "  ada: noise at night" in lines
    assert "  nothing can be recorded: disk full" in lines
    assert "windows: closed until 2026-03-03T19:00:00Z: denied by" in told
    assert "  3 stations became safer and did not wait for a wave" in lines
    assert "  and 2 more" in lines
    assert "missed A99: offline, awaited until it comes" in lines
    assert "deferred A98: suspended, awaited until it is resumed" in lines
    assert "quarantined badbadbadbad: 3 of 5" in told
    assert " left;" not in told
    over = write_rollout(ROLLOUT | {"window": None, "who": "ada"})
    assert "  steered by ada" in over
    assert not any("windows" in line for line in over)
    assert any(
        "windows: passed by" in each for each in write_rollout(ROLLOUT | {"window": SHUT | {"overridden": True}})
    )


@pytest.mark.parametrize("states", [{"verified": 1, "failed": 10_000}, {"open": 3}, dict.fromkeys(STATES, 7)])
def test_a_bar_has_one_length_and_shows_whoever_is_there(states):
    drawn = bar(states, sum(states.values()))
    assert len(drawn) == BAR
    assert len(set(drawn)) >= min(len(states), 5)


SECONDS = ["releasing, wave 2 of 3: 22 of 49 verified, 1 failed", "soaking, wave 2 of 3: 49 of 49 verified"]


def test_watching_tells_each_turn_once_and_ends_with_the_rollout(answers, reconciler, monkeypatch):
    monkeypatch.setattr("reconciler.cli.rollout.LOOK_S", 0.001)
    done = [wave | {"states": STATES | {"verified": wave["stations"]}} for wave in ROLLOUT["waves"]]
    soaking = ROLLOUT | {"phase": "soaking", "waves": done}
    views = iter([ROLLOUT, ROLLOUT, soaking, soaking | {"phase": "complete"}])
    answers.by_path = Views(views)
    ended = reconciler("rollout", "status", "--watch", "--exit-code")
    assert (ended.exit_code, ended.stderr.splitlines()) == (0, SECONDS)
    assert write_turn(ROLLOUT) == SECONDS[0]


class Views(dict):
    """Answers the next view whatever is asked."""

    def __init__(self, views):
        super().__init__()
        self.views = views

    def get(self, *_):
        return next(self.views)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, 2),
        ({"phase": "complete"}, 0),
        ({"phase": "superseded"}, 0),
        ({"phase": "paused"}, 4),
        ({"phase": "aborted", "window": None}, 4),
        ({"heldBy": "a storm"}, 4),
        ({"phase": "waiting", "window": SHUT | {"overridden": False}}, 4),
        ({"phase": "releasing", "window": SHUT | {"overridden": True}}, 2),
        (NONE, 0),
    ],
)
def test_the_exit_code_tells_how_a_rollout_stands_where_that_is_asked_for(answers, reconciler, more, code):
    answers.by_path["/api/v1/rollout"] = ROLLOUT | more
    assert reconciler("rollout", "status", "--exit-code").exit_code == code
    assert reconciler("rollout", "status").exit_code == 0


@pytest.mark.parametrize("word", ["pause", "resume", "promote", "abort"])
def test_a_word_on_the_rollout_goes_with_who_and_why(answers, reconciler, word):
    answers.by_path[f"/api/v1/rollout/{word}"] = ROLLOUT
    assert reconciler("rollout", word, "--reason", " noise ", "--who", "ada").exit_code == 0
    assert sent(answers) == (
        "POST",
        f"/api/v1/rollout/{word}",
        {"reason": "noise", "who": "ada", "override": False},
    )


def test_a_closed_window_ends_with_the_code_of_a_policy(answers, reconciler):
    answers.by_path["/api/v1/rollout/promote"] = {"error": "closed", "hint": "override them", "blocked": True}
    answers.status = 409
    ended = reconciler("rollout", "promote", "-r", "it is good")
    assert (ended.exit_code, "closed (override them)" in ended.stderr) == (4, True)
    answers.by_path["/api/v1/rollout/promote"] = {"error": "none", "hint": "", "blocked": False}
    assert reconciler("rollout", "promote", "-r", "it is good", "--override").exit_code == 1
    assert sent(answers)[2]["override"]


def test_going_back_prints_the_commit_that_is_in_force_now(answers, reconciler):
    answers.by_path["/api/v1/rollback"] = {"commit": "c0ffee" * 6, "rollout": ROLLOUT}
    ended = reconciler("rollback", "--to", "c0ff", "--reason", "half empty")
    assert (ended.exit_code, ended.stdout) == (0, "c0ffee" * 6 + "\n")
    assert "49 stations to change" in ended.stderr
    assert sent(answers)[2]["to"] == "c0ff"
    assert sent(answers)[2]["who"].endswith("cli)") or sent(answers)[2]["who"] == "cli"


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (("A1", "A2"), {"stations": ["A1", "A2"]}),
        (("-l", "line=night"), {"labels": {"line": "night"}}),
        (("--all",), {"all": True}),
    ],
)
def test_stations_are_suspended_and_resumed_by_name_by_label_or_all(answers, reconciler, words, chosen):
    row = {"station": "A1", "reason": "works", "who": "ada", "since": "2026-03-03T12:00:00Z", "until": None}
    answers.by_path = {"/api/v1/suspensions": [row], "/api/v1/suspensions/lift": [{"station": "A1"}]}
    why = ("--reason", "works", "--who", "ada")
    assert "A1       2026-03-03T12:00:00Z  -      ada  works" in reconciler("suspend", *words, *why).stdout
    assert sent(answers)[2] == {**chosen, "reason": "works", "who": "ada"}
    assert reconciler("resume", *words, *why).stdout == "A1\n"
    assert sent(answers)[1:] == ("/api/v1/suspensions/lift", {**chosen, "reason": "works", "who": "ada"})


def test_the_suspended_are_listed_when_nobody_is_named(answers, reconciler):
    answers.by_path["/api/v1/suspensions"] = []
    assert "no station is suspended" in reconciler("suspend").stderr
    assert answers.asked[-1][0] == "GET"
    assert reconciler("suspend", "-o", "json").stdout == "[]\n"


def test_the_suspended_can_be_listed_by_name(answers, reconciler):
    answers.by_path["/api/v1/suspensions"] = [{"station": "A1"}, {"station": "A2"}]
    assert reconciler("suspend", "-o", "name").stdout == "A1\nA2\n"


def test_commits_of_the_history_are_completed(answers, server, monkeypatch):
    monkeypatch.setenv("RECONCILER_SERVER", server)
    answers.by_path["/api/v1/history"] = [LINE, NOTE, LINE, LINE | {"revision": "0ther"}]
    assert known_commits("c0") == ["c0ffee" * 6]
    answers.status = 503
    assert known_commits("c0") == []


def test_a_suspension_ends_after_a_while_or_at_an_instant(answers, reconciler, monkeypatch):
    monkeypatch.setenv("RECONCILER_CLOCK", "2026-03-03T12:00:00+00:00")
    answers.by_path["/api/v1/suspensions"] = []
    reconciler("suspend", "A1", "-r", "works", "--until", "2h")
    until = datetime.fromisoformat(sent(answers)[2]["until"])
    assert timedelta(0) <= until - datetime(2026, 3, 3, 14, tzinfo=UTC) < timedelta(minutes=1)
    reconciler("suspend", "A1", "-r", "works", "--until", "2026-03-03T19:00:00+01:00")
    assert sent(answers)[2]["until"] == "2026-03-03T18:00:00+00:00"


def test_a_storm_is_ended_by_a_person(answers, reconciler):
    answers.by_path["/api/v1/storm/clear"] = {"ok": True}
    assert reconciler("resume", "--storm", "--reason", "it was the network", "--who", "ada").exit_code == 0
    assert sent(answers)[1:] == ("/api/v1/storm/clear", {"reason": "it was the network", "who": "ada"})


@pytest.mark.parametrize(
    "words",
    [
        ("rollout", "pause"),
        ("rollout", "pause", "--reason", " "),
        ("rollout", "status", "--override"),
        ("rollout", "pause", "-r", "x", "--watch"),
        ("rollout", "abort", "-r", "x", "--exit-code"),
        ("rollout", "explode"),
        ("rollout", "-o", "name"),
        ("rollback", "--reason", "x"),
        ("rollback", "--to", "c0ffee"),
        ("suspend", "A1"),
        ("suspend", "--until", "2h", "-r", "x"),
        ("suspend", "A1", "--all", "-r", "x"),
        ("suspend", "A1", "-r", "x", "--until", "soon"),
        ("suspend", "A1", "-r", "x", "--until", "2026-03-03T19:00:00"),
        ("suspend", "A1", "-r", "x", "--until", "2026-99-03"),
        ("resume", "-r", "x"),
        ("resume", "A1", "--storm", "-r", "x"),
        ("resume", "--storm"),
        ("history", "--limit", "0"),
        ("history", "--since", "yesterday"),
        ("history", "-o", "yaml"),
        ("history", "--store", "a.db", "--server", "http://x"),
        ("history", "--store", "mysql://x/y"),
    ],
)
def test_what_cannot_be_served_is_a_usage_error(reconciler, answers, words):
    ended = reconciler(*words)
    assert (ended.exit_code, answers.asked) == (64, []), ended.stderr


LINE = {
    "at": "2026-03-03T12:00:01Z",
    "station": "A1",
    "action": "SetChargingProfile",
    "profileId": 810011,
    "reason": "missing",
    "source": "s.yaml:4:7",
    "answer": "Accepted",
    "durationMs": 130,
    "readBack": "as sent",
    "revision": "c0ffee" * 6,
}
NOTE = {"at": "2026-03-03T12:00:02Z", "action": "rollout pause", "reason": "noise", "who": "ada"}
OPEN = {"at": "2026-03-03T12:00:03Z", "station": "A2", "action": "ClearChargingProfile", "profileId": 7, "open": True}


def test_the_history_tells_what_why_and_how_it_ended(answers, reconciler):
    answers.by_path["/api/v1/history"] = [OPEN, NOTE, LINE]
    table = reconciler("history", "night", "--since", "2d", "--until", "2026-03-03T19:00:00Z")
    assert max(map(len, table.stdout.splitlines())) <= 100
    told = " ".join(table.stdout.split())
    for words in ("no answer yet", "rollout pause: noise", "by ada", "Accepted in 130 ms; as sent", "c0ffeec0"):
        assert words in told, told
    assert "SetChargingProfile 810011: Accepted in 130 ms; as sent c0ffeec0 missing s.yaml:4:7" in told
    assert answers.asked[-1][1].startswith("/api/v1/history?about=night&limit=50&since=20")
    assert "&until=2026-03-03T19%3A00%3A00Z" in answers.asked[-1][1]
    assert json.loads(reconciler("history", "-o", "json").stdout) == [OPEN, NOTE, LINE]
    assert [json.loads(line) for line in reconciler("history", "-o", "jsonl").stdout.splitlines()] == [OPEN, NOTE, LINE]


def test_a_wrong_word_is_told_with_those_that_there_are(reconciler):
    ended = reconciler("rollout", "bogus")
    assert ended.exit_code == 64
    assert "Invalid value for 'word': 'bogus' is not one of 'status'" in ended.stderr


def test_an_empty_history_is_said_so(answers, reconciler):
    answers.by_path["/api/v1/history"] = []
    assert "no line of history" in reconciler("history").stderr


def test_the_history_is_read_page_by_page_until_there_is_enough(answers, reconciler):
    answers.by_path["/api/v1/history"] = [NOTE, LINE]
    answers.links["/api/v1/history?limit=5"] = "/api/v1/history?limit=5&before=7"
    answers.links["/api/v1/history?limit=3&before=7"] = "/api/v1/history?limit=3&before=5"
    lines = reconciler("history", "--limit", "5", "-o", "jsonl").stdout.splitlines()
    assert len(lines) == 6
    assert [path for _, path, _ in answers.asked][1:] == [
        "/api/v1/history?limit=3&before=7",
        "/api/v1/history?limit=1&before=5",
    ]


async def kept(path, files):
    store = await Store.open(str(path), fleet="yard")
    at = datetime(2026, 3, 3, 12, tzinfo=UTC)
    intent = Entry(at, "A1", "SetChargingProfile", "missing", revision="c0ffee", stage=Stage.INTENT, write="a1@x")
    answer = Entry(
        at + timedelta(seconds=1),
        "A1",
        "SetChargingProfile",
        "missing",
        "Accepted",
        revision="c0ffee",
        stage=Stage.ANSWER,
        write="a1@x",
    )
    note = Entry(at + timedelta(hours=1), "", "storm", "x", who="ada")
    taken = KeptRevision("c0ffee", "yard", "Begin", "Ann", "", None, at, "taken", files=files)
    await store.write(Batch((intent, answer, note), {}, (taken,) if files else ()))
    await store.close()


async def read(path, *words):
    import asyncio

    asked = ["history", *words, "--store", str(path), "-o", "json"]
    return await asyncio.to_thread(CliRunner().invoke, app, asked)


async def rows(path, *words):
    ended = await read(path, *words)
    assert ended.exit_code == 0, ended.stderr
    return [(row.get("station"), row["action"]) for row in json.loads(ended.stdout)]


async def test_the_history_is_read_from_the_database_itself(tmp_path):
    path = tmp_path / "kept.db"
    await kept(path, {"yard.yaml": YARD})
    write, note = ("A1", "SetChargingProfile"), (None, "storm")
    assert await rows(path) == [note, write]
    assert await rows(path, "a1") == await rows(path, "c0ff") == [write]
    assert await rows(path, "--limit", "1") == [note]
    assert await rows(path, "--until", "2026-03-03T12:30:00Z") == [write]


@pytest.mark.parametrize("files", [{}, {"yard.yaml": "nonsense: 1"}])
async def test_a_database_without_a_good_revision_knows_stations_and_commits_only(tmp_path, files):
    path = tmp_path / "kept.db"
    await kept(path, files)
    assert await rows(path, "a1") == await rows(path, "c0ffee") == [("A1", "SetChargingProfile")]
    ended = await read(path, "night")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "commit night; without a good revision, groups and sites have no names" in ended.stderr


async def test_a_word_that_means_nothing_in_a_database_is_an_error_with_what_may_be_meant(tmp_path):
    path = tmp_path / "kept.db"
    await kept(path, {"yard.yaml": YARD})
    for word, more in (("nigth", "; did you mean night?"), ("c0ffff", ""), ("NOPE", "")):
        ended = await read(path, word)
        told = f"error: neither the fleet nor its history has a station, group, site or commit {word}{more}\n"
        assert (ended.exit_code, ended.stdout, ended.stderr) == (1, "", told)


def test_a_database_that_is_not_there_is_said_so(tmp_path):
    ended = CliRunner().invoke(app, ["history", "--store", str(tmp_path / "none.db")])
    assert ended.exit_code in (1, 64)
    assert "none.db" in ended.stderr
