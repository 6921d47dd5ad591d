from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.quantity import Malformed
from reconciler.manifests.times import parse_clock, parse_date, parse_days, parse_duration, parse_instant


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


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2027-03-01T12:00:00Z", datetime(2027, 3, 1, 12, tzinfo=UTC)),
        ("2027-03-01t12:00:00z", datetime(2027, 3, 1, 12, tzinfo=UTC)),
        ("2027-03-01 13:30:00+01:30", datetime(2027, 3, 1, 12, tzinfo=UTC)),
        ("2027-03-01T12:00:00.25Z", datetime(2027, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)),
        ("2027-03-01T12:00:00.123456789Z", datetime(2027, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_an_instant_becomes_utc(text, instant):
    parsed = parse_instant(text)
    assert parsed == instant
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["2027-03-01T12:00:00", "2027-03-01", "2027-02-30T12:00:00Z", "0001-01-01T00:00:00+23:00", "now"]
)
def test_an_instant_without_offset_or_calendar_is_refused(text):
    with pytest.raises(Malformed) as caught:
        parse_instant(text)
    assert caught.value.rule == "wrong-instant"


@given(st.integers(0, 7_000_000_000), st.integers(0, 999_999))
def test_an_instant_survives_being_written(seconds, micros):
    instant = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    assert parse_instant(instant.isoformat()) == instant
