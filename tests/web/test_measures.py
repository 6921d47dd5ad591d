from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconciler.reported.events import Accepted, Booted, Metered, NotSent, OutcomeUnknown, Refused, Written
from reconciler.rollout.absorb import MOST_EVSES
from reconciler.rollout.wear import STILL_W
from reconciler.web.measures import OTHER, REASONS, Measures

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)


@pytest.fixture
def measures():
    return Measures()


def value(measures, name, **labels):
    return measures.registry.get_sample_value(f"reconciler_{name}", labels)


def written(outcome):
    return Written("A1", 7, None, outcome)


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Accepted(), "accepted"),
        (Refused("InvalidProfile"), "refused"),
        (OutcomeUnknown("timeout"), "unknown"),
        (NotSent("gone"), "not-sent"),
    ],
)
def test_writes_are_counted_by_what_came_of_them(measures, outcome, word):
    measures.take(written(outcome))
    assert value(measures, "writes_total", outcome=word) == 1


def test_refusals_are_counted_by_reason_whatever_its_case(measures):
    for code in ("InvalidProfile", "invalidprofile", "TooManyElements"):
        measures.take(written(Refused(code)))
    assert value(measures, "refusals_total", reason="InvalidProfile") == 2


def test_a_reason_that_no_standard_knows_makes_no_series_of_its_own(measures):
    for number in range(1000):
        measures.take(written(Refused(f"made up {number}")))
    assert value(measures, "refusals_total", reason=OTHER) == 1000
    series = [
        each for family in measures.registry.collect() for each in family.samples if "refusals_total" in each.name
    ]
    assert len(series) == 1
    assert OTHER not in REASONS


def test_a_turn_of_direction_is_one_between_two_powers_that_have_a_direction(measures):
    for power in (7000, 50, 0, -STILL_W, 7000, -7000, -3000, STILL_W, 2000):
        measures.take(Metered("A1", 1, Decimal(power), NOW))
    assert value(measures, "direction_changes_total") == 2


def test_the_main_meter_turns_no_relay(measures):
    for power in (7000, -7000):
        measures.take(Metered("A1", 0, Decimal(power), NOW))
    assert value(measures, "direction_changes_total") == 0


def test_each_evse_turns_by_itself(measures):
    for station, evse, power in (("A1", 1, 7000), ("A1", 2, -7000), ("A2", 1, -7000), ("a1", 1, 7000)):
        measures.take(Metered(station, evse, Decimal(power), NOW))
    assert value(measures, "direction_changes_total") == 0


def test_an_evse_that_no_station_has_is_not_followed(measures):
    for power in (7000, -7000):
        measures.take(Metered("A1", MOST_EVSES + 1, Decimal(power), NOW))
    assert value(measures, "direction_changes_total") == 0


def test_what_says_nothing_of_writes_or_power_is_not_counted(measures):
    before = list(measures.registry.collect())
    measures.take(Booted("A1", "acme", "dc22", "1", "PowerUp"))
    assert [family.samples for family in measures.registry.collect()] == [family.samples for family in before]


def test_the_round_trip_of_a_call_is_counted_by_action_and_outcome(measures):
    measures.call("SetChargingProfile", "accepted", 0.2)
    measures.call("MadeUp", "error", 0.2)
    assert value(measures, "call_seconds_sum", action="SetChargingProfile", outcome="accepted") == 0.2
    assert value(measures, "call_seconds_count", action=OTHER, outcome="error") == 1


def test_fetches_and_notices_are_counted(measures):
    measures.missed()
    measures.fetched(NOW)
    measures.notified("sent")
    assert (value(measures, "fetches_total", result="ok"), value(measures, "fetches_total", result="failed")) == (1, 1)
    assert value(measures, "notifications_total", result="sent") == 1
    assert measures.fetched_at == NOW
