"""What programs that review changes are told: each format as its readers take it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from reconciler.cli.annotations import Level, Notice, write_github, write_sarif
from reconciler.errors import ManifestError, Place

WRONG = ManifestError(
    "`dayly` is not a day", Place("schedules/night shift.yaml", 6, 14), "spec.windows[0].days", "wrong-days", "daily"
)

TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}


def exactly(required, **properties):
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


# What SARIF 2.1.0 asks of the parts that are used here, and no others: written from its specification (§3.13 to §3.30),
# because its own schema is no part of any library at hand.
MESSAGE = exactly(["text"], text=TEXT)
REGION = exactly(["startLine"], startLine=COUNT, startColumn=COUNT)
ARTIFACT = exactly(["uri"], uri={"type": "string", "format": "uri-reference", "minLength": 1}, uriBaseId=TEXT)
LOCATION = exactly(
    ["physicalLocation"],
    physicalLocation=exactly(["artifactLocation"], artifactLocation=ARTIFACT, region=REGION),
)
RESULT = exactly(
    ["message"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level={"enum": ["none", "note", "warning", "error"]},
    message=MESSAGE,
    locations={"type": "array", "items": LOCATION},
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
)
RULE = exactly(["id"], id=TEXT, shortDescription=MESSAGE)
DRIVER = exactly(
    ["name"],
    name=TEXT,
    semanticVersion={"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+"},
    rules={"type": "array", "items": RULE, "uniqueItems": True},
)
RUN = exactly(
    ["tool"],
    tool=exactly(["driver"], driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
SARIF = exactly(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN},
)

places = st.builds(Place, st.text(min_size=1), st.integers(0, 99), st.integers(0, 99))
errors = st.builds(ManifestError, st.text(min_size=1), places, st.text(), st.text(min_size=1), st.text())
notices = st.builds(Notice, errors, st.sampled_from(Level))


def judge(log):
    Draft202012Validator(SARIF, validate_formats=True).validate(json.loads(json.dumps(log)))


def test_an_annotation_names_file_line_column_rule_and_the_way_out():
    assert write_github([Notice(WRONG)], "fleets/pier") == (
        "::error file=fleets/pier/schedules/night shift.yaml,line=6,col=14,title=wrong-days"
        "::spec.windows[0].days: `dayly` is not a day (daily)",
    )


def test_a_warning_is_annotated_as_one():
    assert write_github([Notice(WRONG, Level.WARNING)], "")[0].startswith("::warning file=schedules/")


def test_an_error_of_the_folder_as_a_whole_has_no_line():
    whole = ManifestError("no document is of kind Fleet", Place("."), rule="one-fleet")
    assert write_github([Notice(whole)], "") == ("::error file=.,title=one-fleet::no document is of kind Fleet",)
    assert write_github([Notice(whole)], "fleets")[0].startswith("::error file=fleets,title")
    location = write_sarif([Notice(whole)], "fleets", "0.1.0")["runs"][0]["results"][0]["locations"][0]
    assert location == {"physicalLocation": {"artifactLocation": {"uri": "fleets", "uriBaseId": "%SRCROOT%"}}}


def test_a_message_can_neither_end_its_command_nor_begin_another():
    nasty = ManifestError("100 %\n::error::x", Place("a,b:c.yaml", 1), rule="r")
    (line,) = write_github([Notice(nasty)], "")
    assert line == "::error file=a%2Cb%3Ac.yaml,line=1,title=r::100 %25%0A::error::x"


@given(st.lists(notices, max_size=3))
def test_an_annotation_is_one_line_from_which_all_can_be_read_back(found):
    lines = write_github(found, "")
    assert len(lines) == len(found)
    for line, notice in zip(lines, found, strict=True):
        assert not set("\r\n") & set(line)
        level, properties, message = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line, re.DOTALL).groups()
        assert level == notice.level
        read = dict(pair.split("=", 1) for pair in properties.split(","))
        assert unescape(read["title"]) == notice.error.rule
        assert notice.error.message in unescape(message)


def unescape(text):
    marks = (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
    for mark, character in marks:
        text = text.replace(mark, character)
    return text


@given(st.lists(notices, max_size=5))
def test_whatever_was_found_the_log_is_sarif(found):
    judge(write_sarif(found, "fleets/pier", "0.1.0"))


def test_each_result_points_at_its_rule_and_each_rule_stands_once():
    other = ManifestError("is wrong", Place("b.yaml", 1), rule="another")
    run = write_sarif([Notice(WRONG), Notice(WRONG, Level.WARNING), Notice(other)], "", "0.1.0")["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["another", "wrong-days"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]


def test_a_finding_is_known_again_when_it_has_moved():
    moved = ManifestError(WRONG.message, Place(WRONG.place.file, 60, 2), WRONG.field, WRONG.rule)
    prints = [fingerprint(each) for each in (WRONG, moved)]
    assert prints[0] == prints[1] != fingerprint(ManifestError("else", WRONG.place, WRONG.field, WRONG.rule))


def fingerprint(error):
    return write_sarif([Notice(error)], "", "0.1.0")["runs"][0]["results"][0]["partialFingerprints"]


def test_the_place_is_a_uri_and_counts_code_points():
    run = write_sarif([Notice(WRONG)], "a b", "0.1.0")["runs"][0]
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "a%20b/schedules/night%20shift.yaml"
    assert physical["region"] == {"startLine": 6, "startColumn": 14}
    assert run["columnKind"] == "unicodeCodePoints"


@pytest.mark.parametrize("broken", ["version", "runs"])
def test_the_judge_of_sarif_judges(broken):
    log = write_sarif([Notice(WRONG)], "", "0.1.0")
    assert not Draft202012Validator(SARIF).is_valid({**log, broken: "x"})
