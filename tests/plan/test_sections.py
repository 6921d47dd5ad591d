"""How a plan is divided, and what it says a change does."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from reconciler.plan.fleet_plan import plan_fleet
from reconciler.plan.impact import Impact, impact_of
from reconciler.plan.itemise import Itemiser
from reconciler.plan.outlook import Outlook, Week
from reconciler.plan.sections import NO_GROUP, Division, Topic, divide, sections
from reconciler.plan.text import MOST_FINDINGS, write_text
from reconciler.plan.week import EVERY_DAY, Stretch
from reconciler.plan.words import describe_change, describe_duration
from revisions import MONDAY, revision, state_of

MORE = ("power: -7 kW", "power: -9 kW")
MINUTE = timedelta(minutes=1)


def stretch(start, end, before, after, days=EVERY_DAY):
    return Stretch(days, start, end, Decimal(before), None if after is None else Decimal(after))


def outlook(*weeks, turns=(0, 0)):
    return Outlook({number: Week(MONDAY.date(), each) for number, each in enumerate(weeks, 1)}, *turns, is_new=False)


def test_the_peak_is_the_largest_change_at_one_instant_over_all_evses():
    one = (stretch(60, 120, 0, 3000), stretch(600, 660, 5000, 0))
    other = (stretch(90, 100, 1000, 5000),)
    assert impact_of(outlook(one, other), {1, 2}, is_now=True) == Impact(Decimal(7000), 0)
    assert impact_of(outlook(one, other), {1}, is_now=True) == Impact(Decimal(-5000), 0)


def test_what_begins_and_never_ends_and_what_is_taken_away_count_as_well():
    assert impact_of(outlook((stretch(0, None, 4000, None),)), {1}, is_now=True) == Impact(Decimal(-4000), 0)


def test_a_week_counts_from_its_own_first_day():
    wednesday = date(2026, 11, 25)
    known = Outlook(
        {
            1: Week(wednesday, (stretch(60, None, 0, 1000, frozenset({2})),)),
            2: Week(wednesday, (stretch(60, 120, 0, 2000, frozenset({1})),)),
            3: Week(wednesday + timedelta(days=7), (stretch(60, 120, 0, 500, frozenset({1})),)),
        },
        0,
        0,
        is_new=False,
    )
    assert impact_of(known, {1, 2, 3}, is_now=True) == Impact(Decimal(3000), 0)


def test_days_that_do_not_meet_are_not_summed():
    one = (stretch(60, 120, 0, 3000, frozenset({0})),)
    other = (stretch(60, 120, 0, 2000, frozenset({1})),)
    assert impact_of(outlook(one, other), {1, 2}, is_now=True) == Impact(Decimal(3000), 0)


def test_turns_are_of_this_week_only():
    known = outlook((stretch(60, 120, 0, 3000),), turns=(2, 4))
    assert impact_of(known, {1}, is_now=True) == Impact(Decimal(3000), 2)
    assert impact_of(known, {1}, is_now=False) == Impact(Decimal(3000), 0)
    assert impact_of(known, {9}, is_now=True) is None


@pytest.mark.parametrize(
    ("watts", "said"), [(-24_000, "-24 kW"), (24_000, "+24 kW"), (-7_416_000, "-7.4 MW"), (1_000_000, "+1 MW")]
)
def test_a_change_of_power_is_said_with_its_sign(watts, said):
    assert describe_change(Decimal(watts)) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (0.5, "1 s"), (119, "119 s"), (120, "2 min"), (3601, "61 min"), (7300, "3 h")]
)
def test_a_duration_is_said_in_the_unit_that_fits_and_never_too_short(seconds, said):
    assert describe_duration(timedelta(seconds=seconds)) == said


def plan_of(by):
    return [line.text for line in write_text(plan_fleet(revision(MORE), MONDAY), by)]


def test_by_group_each_group_has_its_heading():
    lines = plan_of(Division.GROUP)
    assert [line for line in lines if line.startswith("Group ")] == ["Group day", "Group night"]
    assert lines[0].startswith("c0ffee")
    assert lines[-1].startswith("Plan: ")


def test_by_station_each_station_has_its_own_lines():
    lines = plan_of(Division.STATION)
    assert sum(line.startswith("  1 station (") for line in lines) == 6
    assert not any("2 stations (A" in line for line in lines)


def test_by_station_nothing_that_is_done_now_stands_under_the_heading_of_what_is_done_later():
    plan = plan_fleet(revision(MORE), MONDAY, revision())
    first, *others = plan.stations
    mixed = replace(plan, stations=(replace(first, verdicts=(), later=(1,)), *others))
    lines = [line.text for line in write_text(mixed, Division.STATION)]
    (heading,) = (number for number, line in enumerate(lines) if line.startswith("Later"))
    assert [line for line in lines[heading:] if "1 station (" in line] == [lines[heading + 1]]
    assert first.identity in lines[heading + 1]


def test_what_the_guardrails_refuse_stands_first_and_what_was_eased_is_repeated():
    crowd = (("A-{01..04}", "A-{01..60}"), ("import: 200 kW, export: 200 kW", "import: 2 MW, export: 2 MW"))
    eased = ("discharge: allowed", 'discharge: allowed\n  guardrails: {reversal: {severity: "off", reason: They rest}}')
    lines = [line.text for line in write_text(plan_fleet(revision(MORE, eased, *crowd), MONDAY, revision(*crowd)))]
    assert lines[1].startswith("! error: ")
    assert "[blast-radius]" in "".join(lines[1:4])
    assert any(
        line.startswith("Eased: reversal (`severity: off`) at yard.yaml:") and "They rest" in line for line in lines
    )


def test_more_findings_than_anyone_reads_are_cut_and_counted():
    plan = plan_fleet(revision(MORE), MONDAY)
    many = replace(plan, findings=plan.findings[-1:] * (MOST_FINDINGS + 2))
    assert "! and 2 more; `reconciler validate` has all of them" in [line.text for line in write_text(many)]


def test_stations_without_a_group_come_last():
    plan = plan_fleet(revision(MORE), MONDAY)
    alone = replace(plan, stations=(replace(plan.stations[0], group=""), *plan.stations[1:]))
    assert [part.heading for part in divide(alone, Division.GROUP)] == ["day", "night", NO_GROUP]
    assert "Stations in no group" in [line.text for line in write_text(alone, Division.GROUP)]


def test_what_a_station_did_before_is_not_guessed():
    plan = plan_fleet(revision(MORE), MONDAY, state=state_of(revision()))
    (section,) = sections(plan, plan.stations, Itemiser(plan))
    assert section.topic is Topic.CHANGES
    assert [cluster.impact for cluster in section.clusters] == [None]
    assert "at the peak" not in "".join(line.text for line in write_text(plan))


def test_more_turns_are_told_per_station():
    quiet = revision(("power: -7 kW", "power: 7 kW"))
    text = " ".join(line.text.strip() for line in write_text(plan_fleet(revision(), MONDAY, quiet)))
    assert "-56 kW at the peak, +2 direction changes a day each" in text
    single = " ".join(line.text.strip() for line in write_text(plan_fleet(quiet, MONDAY, revision()), Division.STATION))
    assert "+14 kW at the peak, -2 direction changes a day" in single
    assert "each" not in single.split("! warning")[0]
