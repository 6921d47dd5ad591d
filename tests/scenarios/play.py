"""Plays one scenario from its beginning to its end."""

from zoneinfo import ZoneInfo

from reconciler.errors import RevisionError
from reconciler.plan.fleet_plan import plan_fleet
from reconciler.reported.events import ReportedProfile
from scenarios.drive import Drive, check_errors
from scenarios.expected import PLAN_KEYS, check_plan
from scenarios.manifests import edit, load, read_fleet
from scenarios.reported import read_reported
from scenarios.words import read_instant
from scenarios.yard import Toy

KEYS = {"title", "story", "given", "when", "drive", "expect"}
GIVEN_KEYS = {"fleet", "edit", "at", "reported", "base"}
EXPECT_KEYS = PLAN_KEYS | {"errors", "writes"}


def play(scenario):
    """Play a scenario; raises AssertionError where it comes out otherwise."""
    given, expect = scenario["given"], scenario.get("expect", {})
    for found, known in ((scenario, KEYS), (given, GIVEN_KEYS), (expect, EXPECT_KEYS)):
        assert set(found) <= known, f"unknown {sorted(set(found) - known)}"
    old = edit(read_fleet(given["fleet"]), given.get("edit"))
    patch = scenario.get("when", {}).get("edit")
    zone = ZoneInfo(next(each for key, each in old.items() if key.startswith("Fleet/"))["spec"]["timezone"])
    at = read_instant(given["at"], zone)
    before = load(old, "before", at)
    try:
        after = load(edit(old, patch), "after", at) if patch else before
    except RevisionError as error:
        check_errors(error.errors, expect.get("errors", []))
        return
    assert "drive" in scenario or not expect.get("errors"), "the revision passes"
    told = read_reported(given.get("reported"), before, after, at, zone)
    if set(expect) & PLAN_KEYS:
        _check_plan(given, expect, (before, after), told, at)
    if "drive" in scenario:
        _drive(scenario, old, before, told, at)


def _check_plan(given, expect, revisions, told, at):
    before, after = revisions
    base = None if given.get("base") == "nothing" else before
    state = {key: each.saved() for key, each in told.items()} if "reported" in given else None
    check_plan(plan_fleet(after, at, base, state), expect, ZoneInfo(after.fleet.timezone))


def _drive(scenario, documents, before, told, at):
    toys = [_toy(each) for each in told.values()]
    drive = Drive(documents, before, toys, scenario.get("when", {}).get("edit"), at)
    writes = drive.play(scenario["drive"])
    assert scenario.get("expect", {}).get("writes", writes) == writes, f"{writes} writes in all"


def _toy(told):
    held = {number: ReportedProfile(each.profile, each.source) for number, each in told.reported.held.items()}
    return Toy(told.identity, told.capability, held, told.habits)
