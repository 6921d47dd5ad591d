from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reconciler.plan.local_day import Switch, local_day

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = timedelta(hours=1)


def labels(day):
    return [tick.label for tick in day.ticks if tick.label]


def test_a_day_runs_from_midnight_to_midnight_of_the_local_clock():
    day = local_day(date(2026, 11, 23), AMSTERDAM)
    assert (day.start, day.end) == (datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC))
    assert day.switch is None
    assert day.hours == 24
    assert labels(day) == ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "24:00"]
    assert [tick.at for tick in day.ticks] == [day.start + number * HOUR for number in range(25)]


def test_the_day_of_23_hours_leaves_an_hour_out_and_keeps_its_labels_on_the_clocks_hours():
    day = local_day(date(2026, 3, 29), AMSTERDAM)
    assert day.hours == 23
    assert day.switch == Switch(datetime(2026, 3, 29, 1, tzinfo=UTC), "02:00", "03:00")
    assert day.switch.is_forward
    assert len(day.ticks) == 24
    six = next(tick for tick in day.ticks if tick.label == "06:00")
    assert day.elapsed(six.at) == 5


def test_the_day_of_25_hours_shows_an_hour_twice_and_labels_it_once():
    day = local_day(date(2026, 10, 25), AMSTERDAM)
    assert day.hours == 25
    assert day.switch == Switch(datetime(2026, 10, 25, 1, tzinfo=UTC), "03:00", "02:00")
    assert not day.switch.is_forward
    assert len(day.ticks) == 26
    assert labels(day) == labels(local_day(date(2026, 11, 23), AMSTERDAM))


def test_clocks_that_are_set_at_midnight_begin_the_day_late_and_without_its_first_label():
    day = local_day(date(2026, 9, 6), ZoneInfo("America/Santiago"))
    assert day.hours == 23
    assert day.start.astimezone(ZoneInfo("America/Santiago")).hour == 1
    assert labels(day)[0] == "03:00"


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "Asia/Kathmandu", "America/New_York", "UTC"])
@pytest.mark.parametrize("month", range(1, 13))
def test_the_ticks_of_any_day_increase_and_lie_in_it(zone, month):
    for number in range(1, 29):
        day = local_day(date(2026, month, number), ZoneInfo(zone))
        at = [tick.at for tick in day.ticks]
        assert at == sorted(set(at))
        assert all(day.start <= each <= day.end for each in at)
        assert day.switch is None or day.hours != 24
