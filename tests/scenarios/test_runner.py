"""The runner of scenarios is strict: what a scenario does not say must not happen, and a slip in a scenario is told."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from reconciler.profiles.capability import Protocol
from reconciler.render.assume import assume
from reconciler.rollout.commands import Push
from scenarios import drive, expected, habits, manifests, play, reported, yard
from scenarios.words import read_duration, read_names

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parents[1] / "docs" / "scenarios.md"
AT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def scenario(name, *path, value=None, drop=False):
    """Give a scenario of this folder with one thing in it changed or dropped."""
    changed = deepcopy(yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8")))
    target = changed
    for key in path[:-1]:
        target = target[key]
    if drop:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return changed


ROW = ("expect", "plan", 0)
CLEAR = {"stations": "B-001", "change": "clear", "of": "floor"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (scenario("schedule-otherwise", "expect", "plan", value=[]), "surplus"),
        (scenario("schedule-renamed", "expect", "plan", value=[CLEAR]), "missing"),
        (scenario("schedule-otherwise", *ROW, "stations", value="B-001..B-003"), "surplus"),
        (scenario("schedule-otherwise", *ROW, "to", value="Tue 05:30-17:00 6 kW"), "commands"),
        (scenario("schedule-otherwise", *ROW, "to", value="Tue 05:30-16:00 5 kW"), "goes on after that"),
        (scenario("schedule-otherwise", *ROW, "to", value="Tue 06:00-17:00 5 kW"), "begins before that"),
        (scenario("schedule-otherwise", *ROW, "to", value="no flow"), "flows from"),
        (scenario("schedule-otherwise", *ROW, "to", value="0 kW at all times"), "commands"),
        (scenario("schedule-otherwise", *ROW, "to", value="9 kW now"), "commands"),
        (scenario("schedule-otherwise", *ROW, "to", value="in the evening"), "is not like"),
        (scenario("schedule-otherwise", *ROW, "to", value="17:00-20:00 lots"), "is not a power"),
        (scenario("schedule-otherwise", *ROW, "to", value="17:00-20:00 16 A"), "the profile is in W"),
        (scenario("switch-spring", *ROW, "to", value="23:30-05:30 9 kW for 6 h"), "the clock shows 06:30"),
        (scenario("schedule-otherwise", *ROW, "because", value="drifted"), "the reason is"),
        (scenario("schedule-otherwise", *ROW, "drift", value=True), "drift is False"),
        (scenario("lease-renewed", *ROW, "renewal", drop=True), "renewal is True"),
        (scenario("offline-and-back", "expect", "plan", 1, "deferred", drop=True), "deferred is True"),
        (scenario("schedule-otherwise", *ROW, "form", value="x"), "unknown"),
        (scenario("foreign-on-top", "expect", "foreign", drop=True), "foreign profiles are"),
        (scenario("station-removed", "expect", "departed", drop=True), "departed are"),
        (scenario("schedule-renamed", "expect", "summary", value="nothing"), "the summary is"),
        (scenario("guard-blast-radius", "expect", "findings", drop=True), "findings are"),
        (scenario("rating-corrected", "expect", "findings", 0, "rule", value="dwell"), "findings are"),
        (scenario("rating-corrected", "expect", "findings", 0, "says", value="a horse"), "evse-rating"),
        (scenario("cap-too-low", "expect", "errors", drop=True), "errors are"),
        (scenario("cap-too-low", "expect", "errors", 0, "says", value="43.0 kW"), "no error is"),
        (scenario("schedule-renamed", "expect", value={"errors": [{"rule": "site-import"}]}), "the revision passes"),
        (scenario("lease-quiet-day", "expect", "writes", value=5), "6 writes in all"),
        (scenario("lease-quiet-day", "drive", 1, "then", "writes", value=5), "6 writes"),
        (scenario("lease-quiet-day", "drive", 1, "then", "states", value={"B-001": "refused"}), "B-001 is"),
        (scenario("blind-station", "drive", 2, "then", "says", value={"D-001": "fine"}), "D-001 says"),
        (scenario("blind-station", "drive", 2, "then", "holds", value={"D-001": {"EVSE 1": "no flow"}}), "is None"),
        (scenario("commit-refused", "drive", 1, "then", "errors", drop=True), "errors are"),
        (scenario("commit-refused", "drive", 1, "then", "hopes", value="x"), "unknown"),
        (scenario("commit-refused", "drive", 1, "connect", value="D-002"), "is no step"),
        (scenario("refused-floor", "drive", 0, "from now on", value={"D-001": {"answers": "soon"}}), "unknown answers"),
        (scenario("reboot-in-doubt", "given", "reported", "B-001", "hold", value="x"), "unknown"),
        (scenario("schedule-renamed", "given", "time", value="x"), "unknown"),
    ],
)  # fmt: skip
def test_a_scenario_that_comes_out_otherwise_fails(changed, told):
    with pytest.raises(AssertionError, match=told):
        play.play(changed)


def test_there_are_scenarios_enough_and_each_says_why_it_matters():
    told = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    assert len(told) >= 40
    assert len({each["title"] for each in told}) == len(told)
    for each in told:
        assert 1 <= len(each["story"].splitlines()) <= 4, each["title"]
        assert each.get("expect") or any("then" in step for step in each.get("drive", ())), each["title"]


def test_the_yard_notices_a_write_that_brings_a_site_over_its_cap():
    revision = manifests.load(manifests.read_fleet("depot"), "one", AT)
    station = revision.station("B-001")
    capability = replace(assume(station.declared, Protocol.V21), max_offline=False)
    goal = revision.goal(station, capability, AT)
    toys = [yard.Toy(f"B-00{number}", capability) for number in range(1, 5)]
    place = yard.Yard(revision, toys, AT)
    for toy in toys:
        place.connect(toy.identity)
    small = manifests.load(
        manifests.edit(manifests.read_fleet("depot"), {"Site/quay": {"spec": {"import": "46 kW"}}}), "two", AT
    )
    place.revision = small
    more = replace(goal.profiles[2].schedule.periods[0], start=0, limit=Decimal(15000))
    schedule = replace(goal.profiles[2].schedule, periods=(more,))
    with pytest.raises(AssertionError, match="import of quay rises to 48000"):
        place._carry_out(Push("B-001", replace(goal.profiles[2], schedules=(schedule,)), capability))


def test_a_range_of_stations_keeps_its_leading_zeros():
    assert read_names("B-008..B-011, D-1") == ["B-008", "B-009", "B-010", "B-011", "D-1"]
    with pytest.raises(AssertionError, match="is no range"):
        read_names("B-1..C-2")


def test_durations_are_read_with_their_unit():
    assert [read_duration(each).total_seconds() for each in ("90s", "15m", "26h", "7d")] == [90, 900, 93_600, 604_800]


@pytest.mark.parametrize(
    "words",
    [
        play.KEYS,
        play.GIVEN_KEYS,
        play.EXPECT_KEYS,
        expected.ROW_KEYS,
        reported.KEYS,
        reported.FOREIGN_KEYS,
        reported.ABILITIES,
        habits.HABITS,
        drive.ACTIONS,
        drive.LOOKS,
        drive.CONDUCT,
        yard.ANSWERS,
        expected.WORDS.values(),
    ],
)
def test_the_document_explains_every_word(words):
    text = DOCUMENT.read_text("utf-8")
    assert [word for word in words if f"`{word}`" not in text] == []
