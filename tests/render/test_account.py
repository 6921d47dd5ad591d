"""Every step is accounted for: by the highest priority that speaks, with its window, or by nobody."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.profiles.capability import Protocol
from reconciler.render.account import account
from reconciler.render.assume import assume
from revisions import MONDAY, revision

HOUR = timedelta(hours=1)
DISCHARGE = ("{protocol: 2.0.1, negativeLimit: true}", "{protocol: 2.1}")


def told(made, identity="A-01", span=(MONDAY, MONDAY + 30 * HOUR), protocol=Protocol.V21):
    station = made.fleet.stations[identity.casefold()]
    return account(made.renderer.programmes, station, station.evses[0], assume(station.declared, protocol), span)


def short(stretches):
    return [
        (
            (each.start - MONDAY) / HOUR,
            int(each.order.power_w),
            each.speaker[0].schedule.name if each.speaker else None,
            bool(each.speaker and each.speaker[1].window),
        )
        for each in stretches
    ]


def test_each_step_names_the_highest_priority_that_speaks_and_whether_a_window_does():
    assert short(told(revision())) == [
        (0, -7000, "evening", True),
        (3, 3000, "rest", False),
        (6.5, 11000, "rest", True),
        (12.5, 3000, "rest", False),
        (24, -7000, "evening", True),
        (27, 3000, "rest", False),
    ]


def test_where_nobody_speaks_there_is_no_speaker():
    silent = told(revision(("  otherwise: 3 kW\n", "")))
    assert short(silent)[1] == (3, 0, None, False)


def test_two_lines_that_ask_for_the_same_are_told_apart():
    same = told(revision(("power: 11 kW", "power: 3 kW")))
    assert [(power, window) for _, power, _, window in short(same)[1:4]] == [(3000, False), (3000, True), (3000, False)]


def test_a_rating_shows_beside_what_is_asked_for():
    narrow = told(
        revision(
            ("power: -7 kW", "power: -20 kW"), ("charge: 15 kW, discharge: 15 kW", "charge: 15 kW, discharge: 9 kW")
        )
    )
    assert (narrow[0].order.power_w, narrow[0].speaker[1].power.value) == (-9000, -20000)


def test_what_a_station_cannot_be_told_is_made_less_and_keeps_its_speaker():
    made = revision(("negativeLimit: true}", "negativeLimit: false}\n  onUnsupported: zero"))
    (first, *_) = told(made, protocol=Protocol.V201)
    assert (first.order.power_w, first.speaker[0].schedule.name) == (0, "evening")


@pytest.mark.parametrize("identity", ["A-01", "B-01"])
@given(begin=st.integers(-400 * 96, 400 * 96), quarters=st.integers(1, 60 * 4))
def test_a_span_is_accounted_for_without_gap_and_as_it_is_rendered(identity, begin, quarters):
    begin = datetime(2026, 11, 23, tzinfo=UTC) + begin * HOUR / 4
    span, made = (begin, begin + quarters * HOUR / 4), revision()
    found = told(made, identity, span)
    assert (found[0].start, found[-1].end) == span
    assert all(one.end == other.start and one.start < one.end for one, other in pairwise(found))
    station = made.fleet.stations[identity.casefold()]
    line = made.renderer.timeline(station, station.evses[0], span)
    for each in found:
        assert {line.at(each.start), line.at(each.end - HOUR / 60)} == {each.order.power_w}
