"""Days by weekday, date, calendar, holiday and season, with exceptions both ways, and schedules that extend others."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.days import Calendar, DateRange, Days, Holidays, Pattern, Season, holidays_of

VERSION = "apiVersion: v2g.fleet/v1alpha1\n"
DUTCH = "kind: Calendar\nmetadata: {name: dutch}\nspec: {holidays: {country: NL}}\n---\n"
days_of_years = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def window(days, more=""):
    return f'{{days: {days}, from: "08:00", to: "10:00", power: 1 kW{more}}}'


def schedule(*windows, more="", name="week"):
    return f"kind: Schedule\nmetadata: {{name: {name}}}\nspec:\n  windows: [{', '.join(windows)}]{more}\n"


@pytest.fixture
def windows_of(load_extra):
    """Load a schedule through a group and give its windows."""

    def loaded(text):
        given = "{select: {names: [B-1]}, schedules: [{schedule: week, priority: 20}]}"
        group = f"\n---\nkind: Group\nmetadata: {{name: g}}\nspec: {given}\n"
        return load_extra(VERSION + text + group).groups["g"].assignments[0].schedule.windows

    return loaded


def held(window, first=date(2026, 1, 1), days=366):
    return [day for day in (first + timedelta(days=n) for n in range(days)) if window.holds_on(day)]


def test_a_calendar_joins_dates_holidays_and_weekdays_without_what_it_excepts(windows_of):
    calendar = (
        "kind: Calendar\nmetadata: {name: rest}\nspec:\n"
        "  dates: [2026-12-24, {from: 2026-07-20, to: 2026-07-22}]\n"
        "  holidays: {country: NL}\n  weekdays: [sun]\n  except: [2026-04-27]\n---\n"
    )
    (only,) = windows_of(calendar + schedule(window("rest")))
    days = held(only)
    assert {date(2026, 12, 24), date(2026, 7, 20), date(2026, 7, 22), date(2026, 12, 25), date(2026, 4, 6)} <= {*days}
    assert date(2026, 4, 27) not in days  # King's Day, excepted
    assert date(2026, 3, 1) in days  # a Sunday
    assert date(2026, 7, 23) not in days


def test_except_takes_days_away_and_also_brings_days_back(windows_of):
    more = ", except: [dutch, 2026-10-05], also: [2026-12-25, 2026-10-03]"
    (only,) = windows_of(DUTCH + schedule(window("weekdays", more)))
    assert not only.holds_on(date(2026, 4, 27))  # a Monday, but King's Day
    assert not only.holds_on(date(2026, 10, 5))
    assert only.holds_on(date(2026, 12, 25))
    assert only.holds_on(date(2026, 10, 3))  # a Saturday
    assert only.holds_on(date(2026, 10, 6))


def test_a_season_may_run_over_new_year_and_has_both_its_ends(windows_of):
    (only,) = windows_of(schedule(window("daily", ', season: {from: "10-01", to: "03-31"}')))
    days = held(only, date(2026, 1, 1), 365)
    assert date(2026, 3, 31) in days
    assert date(2026, 4, 1) not in days
    assert date(2026, 9, 30) not in days
    assert date(2026, 10, 1) in days
    assert len(days) == 31 + 28 + 31 + 31 + 30 + 31


def test_a_windows_validity_ends_before_its_to(windows_of):
    (only,) = windows_of(schedule(window("daily", ", validity: {from: 2026-05-01, to: 2026-05-03}, also: 2026-05-03")))
    assert held(only) == [date(2026, 5, 1), date(2026, 5, 2)]


def test_days_may_mix_words_dates_ranges_and_calendars(windows_of):
    days = "[sat, dutch, 2026-06-03, {from: 2026-06-09, to: 2026-06-10}]"
    (only,) = windows_of(DUTCH + schedule(window(days)))
    june = [day.day for day in held(only, date(2026, 6, 1), 30)]
    assert june == [3, 6, 9, 10, 13, 20, 27]
    assert only.days == {5}


def test_a_plain_weekly_window_needs_no_pattern(windows_of):
    (only,) = windows_of(schedule(window("[mon, tue]")))
    assert only.pattern is None
    assert only.days == {0, 1}


REFUSED = [
    (schedule(window("[mon, dutsh]")), "wrong-days", "did you mean `dutch`?"),
    (schedule(window("monday")), "wrong-days", "did you mean `mon`?"),
    (schedule(window("daily", ", except: [nowhere]")), "wrong-days", None),
    (schedule(window("[]")), "wrong-days", "such as daily or [mon, tue]"),
    (schedule(window("{from: 2026-02-01}")), "wrong-days", "{from: 2026-12-24, to: 2027-01-01}"),
    (schedule(window("{from: 2026-02-02, to: 2026-02-01}")), "wrong-days", "both ends of the range are in it"),
    (schedule(window("2026-02-30")), "wrong-date", None),
    (schedule(window("daily", ', season: {from: "13-01", to: "03-31"}')), "wrong-date", None),
    (
        schedule(window("daily", ', season: {from: "1 Oct", to: "03-31"}')),
        "wrong-date",
        'month and day, such as "10-01"',
    ),
    (schedule(window("daily"), more="\n  extends: clam"), "unknown-reference", "did you mean `calm`?"),
    (schedule(window("daily"), more="\n  extends: week"), "cyclic-schedules", None),
    ("kind: Calendar\nmetadata: {name: c}\nspec: {}\n", "empty-calendar", "give `dates`, `holidays` or `weekdays`"),
    ("kind: Calendar\nmetadata: {name: mon}\nspec: {weekdays: mon}\n", "reserved-name", None),
    ("kind: Calendar\nmetadata: {name: c}\nspec: {holidays: {country: XX}}\n", "unknown-holidays", "such as NL or DE"),
    (
        "kind: Calendar\nmetadata: {name: c}\nspec: {holidays: {country: DE, categories: [bank]}}\n",
        "unknown-holidays",
        "catholic, public, school",
    ),
]


@pytest.mark.parametrize(("text", "rule", "hint"), REFUSED)
def test_what_is_wrong_with_days_is_one_error_with_its_cure(base, errors_of, text, rule, hint):
    (error,) = errors_of({"base.yaml": base, "cal.yaml": VERSION + DUTCH, "extra.yaml": VERSION + text})
    assert (error.rule, error.place.file) == (rule, "extra.yaml")
    assert hint is None or error.hint == hint


def test_an_unknown_part_of_a_country_names_those_that_there_are(base, errors_of):
    text = "kind: Calendar\nmetadata: {name: c}\nspec: {holidays: {country: DE, subdivision: ZZ}}\n"
    (error,) = errors_of({"base.yaml": base, "extra.yaml": VERSION + text})
    assert error.rule == "unknown-holidays"
    assert "BY" in error.hint


def test_a_misspelt_calendar_is_named_at_its_own_place(base, errors_of):
    text = VERSION + "kind: Schedule\nmetadata: {name: week}\nspec:\n  windows:\n    - days: [mon,\n        nowhere]\n"
    text += '      from: "01:00"\n      to: "02:00"\n      power: 1 kW\n'
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert (str(error.place), error.field) == ("extra.yaml:7:9", "spec.windows[0].days[1]")


def test_a_broken_calendar_is_not_reported_again_where_it_is_used(base, errors_of):
    text = VERSION + DUTCH.replace("NL", "QQ") + schedule(window("dutch"))
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert error.rule == "unknown-holidays"


def test_windows_that_can_meet_on_a_holiday_overlap(base, errors_of):
    text = VERSION + DUTCH + schedule(window("weekdays"), window("dutch"))
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert error.rule == "overlapping-windows"
    assert "fri 2027-01-01 08:00" in error.message


def test_windows_that_except_each_others_days_do_not_overlap(windows_of):
    assert len(windows_of(DUTCH + schedule(window("weekdays", ", except: dutch"), window("dutch")))) == 2


def test_windows_of_different_seasons_do_not_overlap(windows_of):
    winter, summer = (f', season: {{from: "{a}", to: "{b}"}}' for a, b in (("10-01", "03-31"), ("04-01", "09-30")))
    assert len(windows_of(schedule(window("daily", winter), window("daily", summer)))) == 2


def test_a_window_over_midnight_overlaps_a_dated_one_of_the_next_day(base, errors_of):
    night = '{days: 2026-12-24, from: "22:00", to: "09:00", power: 2 kW}'
    (error,) = errors_of({"base.yaml": base, "extra.yaml": VERSION + schedule(night, window("2026-12-25"))})
    assert error.message.endswith("on fri 2026-12-25 08:00")


def test_dates_far_away_are_looked_at_too(base, errors_of):
    text = VERSION + schedule(window("2061-03-01"), window("tue", ", season: {from: '03-01', to: '03-01'}"))
    (error,) = errors_of({"base.yaml": base, "extra.yaml": text})
    assert error.message.endswith("on tue 2061-03-01 08:00")


def test_too_many_dated_windows_are_refused(base, errors_of):
    many = [f'{{days: 2026-01-01, from: "00:00", to: "00:01", power: {n} W}}' for n in range(201)]
    (error,) = errors_of({"base.yaml": base, "extra.yaml": VERSION + schedule(*many)})
    assert error.rule == "too-many-windows"


def test_a_circle_of_schedules_is_reported_once(base, errors_of):
    one = schedule(window("mon"), more="\n  extends: b", name="a")
    other = schedule(window("tue"), more="\n  extends: a", name="b")
    (error,) = errors_of({"base.yaml": base, "extra.yaml": VERSION + one + "---\n" + other})
    assert error.rule == "cyclic-schedules"
    assert error.message.endswith("a extends b extends a")


def test_schedules_extend_one_another_only_so_deep(base, errors_of):
    text = "---\n".join(
        schedule(window("mon"), more=f"\n  extends: s{n - 1}" if n else "", name=f"s{n}") for n in range(9)
    )
    (error,) = errors_of({"base.yaml": base, "extra.yaml": VERSION + text})
    assert error.rule == "schedules-too-deep"


def test_calendars_that_mean_the_same_days_have_one_meaning_whatever_their_names():
    one, other = (Calendar(name, frozenset({6}), (), (Holidays("NL"),), (), None) for name in ("a", "b"))
    assert one != other
    assert Pattern(Days(calendars=(one,))).meaning == Pattern(Days(calendars=(other,))).meaning
    assert Pattern(Days(calendars=(one,)), season=Season((1, 1), (2, 2))).meaning != Pattern(Days()).meaning


@given(days_of_years, days_of_years, days_of_years)
def test_a_range_holds_its_ends_and_nothing_beyond(first, last, day):
    ordered = DateRange(min(first, last), max(first, last))
    assert (day in ordered) == (min(first, last) <= day <= max(first, last))


@given(days_of_years)
def test_a_holiday_is_one_in_its_own_year(day):
    rule = Holidays("DE", "BY", ("catholic", "public"))
    assert (day in rule) == (day in holidays_of(rule, day.year))
    assert all(each.year == day.year for each in holidays_of(rule, day.year))


def test_schedules_that_ask_for_the_same_have_one_meaning_whatever_their_names_and_lines(load_extra):
    def meaning(name, *windows, more=""):
        text = VERSION + DUTCH + schedule(*windows, name=name, more=f"\n  extends: calm{more}")
        given = f"{{select: {{names: [B-1]}}, schedules: [{{schedule: {name}, priority: 20}}]}}"
        fleet = load_extra(f"{text}---\nkind: Group\nmetadata: {{name: g}}\nspec: {given}\n")
        return fleet.groups["g"].assignments[0].schedule.meaning

    first, second = window("mon"), window("dutch", ", except: weekdays")
    assert meaning("one", first, second) == meaning("other", second, first)
    assert meaning("one", first) != meaning("one", first, second)
    assert meaning("one", first) != meaning("one", first, more="\n  otherwise: 1 kW")


def test_every_pair_of_windows_is_held_against_each_other_once(base, errors_of):
    text = VERSION + schedule(window("2026-12-24"), window("2026-12-25"), window("2026-12-24"), window("2026-12-24"))
    errors = errors_of({"base.yaml": base, "extra.yaml": text})
    assert [error.field for error in errors] == ["spec.windows[2]", "spec.windows[3]", "spec.windows[3]"]
