"""Options and arguments that take one of a few words name them all where another is given, and end with 64."""

import pytest
import structlog
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.web.view import STATES

TABLE, NAMED = ("table", "json", "yaml"), ("table", "json", "yaml", "name")
PLAN = ("text", "json", "markdown")
BOGUS = "bogus"


@pytest.fixture(autouse=True)
def logs():
    """Take back where logs go: some commands send them to stderr before they read their options."""
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("get", BOGUS), ("stations", "groups", "sites", "profiles")),
        (("get", "stations", "--state", BOGUS), STATES),
        (("get", "stations", "-o", BOGUS), NAMED),
        (("drift", "-o", BOGUS), NAMED),
        (("suspend", "-o", BOGUS), NAMED),
        (("rollout", BOGUS), ("status", "pause", "resume", "promote", "abort")),
        (("rollout", "-o", BOGUS), TABLE),
        (("explain", "Q3-001", "-o", BOGUS), TABLE),
        (("history", "-o", BOGUS), ("table", "json", "jsonl")),
        (("validate", "-o", BOGUS), ("table", "json", "github", "sarif")),
        (("render", "-o", BOGUS), ("text", "yaml", "json")),
        (("plan", "-o", BOGUS), PLAN),
        (("show", "plan.json", "-o", BOGUS), PLAN),
        (("plan", "--by", BOGUS), ("change", "group", "station")),
        (("show", "plan.json", "--by", BOGUS), ("change", "group", "station")),
        (("plot", BOGUS, "quay-3"), ("site", "group", "station")),
        (("plot", "site", "quay-3", "--theme", BOGUS), ("both", "light", "dark")),
        (("apply", "--source", ".", "-o", BOGUS), ("table", "json")),
        (("schema", BOGUS), ("Fleet", "Site", "Group", "Station", "StationSet", "Schedule")),
        (("simulate", "--connect", "ws://127.0.0.1:1", "--protocol", BOGUS), ("2.0.1", "2.1", "mixed")),
        (("simulate", "--connect", "ws://127.0.0.1:1", "--fault", BOGUS), ("delay=2s", "amnesia")),
        (("run", "--source", ".", "--log-format", BOGUS), ("json", "text")),
    ],
)
def test_a_word_that_is_none_of_those_is_refused_with_the_ones_that_are(words, known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, [*words])
    assert (ended.exit_code, ended.stdout) == (64, "")
    assert BOGUS in ended.stderr
    assert not [word for word in known if word not in ended.stderr]
