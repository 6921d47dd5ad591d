from datetime import date, timedelta

import pytest

from reconciler.manifests.quantity import Malformed
from reconciler.manifests.times import parse_clock, parse_date, parse_days, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("26h", 93600), ("7d", 604800), ("0s", 0), ("5 m", 300)]
)
def test_a_duration_has_one_unit(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "rule"),
    [("90", "wrong-duration"), ("1h30m", "wrong-duration"), ("-1h", "wrong-duration"), ("9999d", "out-of-range")],
)
def test_what_is_not_a_duration_is_refused(text, rule):
    with pytest.raises(Malformed) as caught:
        parse_duration(text)
    assert caught.value.rule == rule


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("17:05", 1025), ("23:59", 1439), ("24:00", 1440)])
def test_a_local_time_has_four_digits(text, minutes):
    assert parse_clock(text) == minutes


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("7:30", 'did you mean "07:30"?'),
        ("7.30", 'did you mean "07:30"?'),
        ("17:00:00", 'did you mean "17:00"?'),
        ("24:01", 'such as "07:30"; "24:00" ends a day'),
        ("noon", 'such as "07:30"; "24:00" ends a day'),
    ],
)
def test_what_is_not_a_local_time_is_refused_with_a_hint(text, hint):
    with pytest.raises(Malformed) as caught:
        parse_clock(text)
    assert (caught.value.rule, caught.value.hint) == ("wrong-time", hint)


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("daily", {0, 1, 2, 3, 4, 5, 6}),
        ("weekdays", {0, 1, 2, 3, 4}),
        (["weekends", "mon"], {0, 5, 6}),
        (["tue", "tue"], {1}),
        ("sun", {6}),
    ],
)
def test_days_are_named_alone_or_in_groups(words, days):
    assert parse_days(words) == days


@pytest.mark.parametrize("words", [[], "monday", ["mon", "Tue"]])
def test_what_is_not_a_day_is_refused(words):
    with pytest.raises(Malformed) as caught:
        parse_days(words)
    assert caught.value.rule == "wrong-days"


def test_a_date_is_in_the_calendar():
    assert parse_date("2028-02-29") == date(2028, 2, 29)
    with pytest.raises(Malformed, match="calendar"):
        parse_date("2027-02-29")
    with pytest.raises(Malformed, match="not a date"):
        parse_date("1.3.2027")
