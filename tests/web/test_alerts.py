"""The alert rules and their pages say the same, and speak of metrics that exist."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from immutables import Map
from typer.testing import CliRunner

from reconciler.cli.main import app
from reconciler.manifests.strategy import Strategy
from reconciler.rollout.progress import Phase, Rollout
from reconciler.web.measures import Measures
from reconciler.web.metrics import Metrics, Sources

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "monitoring" / "alerts.yaml").read_text())["groups"][0]["rules"]
PAGES = (ROOT / "docs" / "operations.md").read_text().split("\n# Alerts\n")[1]
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGES, re.M | re.S))
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])


@pytest.fixture
def samples(yard):
    """Give the names of all samples of a scrape in which everything has happened."""
    yard.connect("A1")
    measures = Measures()
    measures.call("SetChargingProfile", "accepted", 0.1)
    measures.fetched(yard.now)
    measures.notified("sent")
    rollout = Rollout("c", "b", "", Strategy(), (("a1",),), {}, yard.now, yard.now, Phase.RELEASING, 0, open=Map())
    yard.world = replace(yard.world, rollout=rollout)
    stations = SimpleNamespace(all_frames=dict)
    metrics = Metrics(measures, Sources(yard, stations, lambda: yard.now))
    named = {family.name for family in metrics._registry.collect()}
    return named | {sample.name for family in metrics._registry.collect() for sample in family.samples}


@EACH
def test_an_alert_speaks_of_metrics_that_exist(rule, samples):
    named = set(re.findall(r"reconciler_\w+", rule["expr"]))
    assert named
    assert {each for each in named if each not in samples and each.removesuffix("_total") not in samples} == set()


@EACH
def test_the_values_of_labels_in_an_alert_are_ones_that_occur(rule, yard):
    measures = Measures()
    metrics = Metrics(measures, Sources(yard, SimpleNamespace(all_frames=dict), lambda: yard.now))
    occurring = {
        value for family in metrics._registry.collect() for each in family.samples for value in each.labels.values()
    }
    occurring |= {"accepted", "rejected", "error", "timeout", "lost", "unsent", "failed", "dropped", "sent"}
    for values in re.findall(r'\{\w+=~?"([^"]+)"', rule["expr"]):
        assert set(values.split("|")) <= occurring


@EACH
def test_an_alert_has_a_summary_a_severity_and_a_page(rule):
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert rule["alert"] in SECTIONS


def test_every_page_has_its_alert():
    assert set(SECTIONS) == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("name", SECTIONS)
def test_a_page_says_what_it_means_where_to_look_what_to_do_and_what_happens_by_itself(name):
    headings = re.findall(r"^\*\*(.+?):\*\*", SECTIONS[name], re.M)
    assert headings == ["It means", "Look at", "Do", "By itself"]
    assert re.search(r"^- ", SECTIONS[name], re.M)


COMMANDS = {each.name for each in app.registered_commands}


@pytest.mark.parametrize("words", sorted(set(re.findall(r"`reconciler ([^`]+)`", PAGES))))
def test_a_page_names_commands_and_options_that_exist(words):
    name, *rest = words.split()
    assert name in COMMANDS
    shown = CliRunner().invoke(app, [name, "--help"]).stdout
    for word in rest:
        if word.startswith("--"):
            assert word in shown


@EACH
def test_brackets_and_quotes_of_an_expression_are_closed(rule):
    expression = re.sub(r'"[^"]*"', "", rule["expr"])
    assert '"' not in expression
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)
