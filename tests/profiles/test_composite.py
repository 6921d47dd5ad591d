"""Who leads, and what comes of it: the order of purposes and stack levels, and the kinds; one rule a test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.profiles.composite import UNLIMITED, Flow, Situation, changes, compose, flow_at
from reconciler.profiles.profile import (
    LAST_INSTANT,
    ChargingSchedule,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Recurrency,
    Unit,
)

T = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
IN_TRANSACTION = Situation(transaction_id="tx-1", transaction_start=T)
SETPOINT = Mode.CENTRAL_SETPOINT


def period(start=0, limit=None, *, setpoint=None, discharge=None, mode=None, phases=None):
    chosen = mode or (Mode.CHARGING_ONLY if setpoint is None else SETPOINT)
    return Period(start, *(None if n is None else Decimal(n) for n in (limit, discharge, setpoint)), chosen, phases)


def profile(*periods, unit=Unit.WATT, start=T, duration=None, **fields):
    given = {"id": 1, "evse_id": 1, "stack_level": 1, "purpose": Purpose.TX_DEFAULT, "kind": Kind.ABSOLUTE, **fields}
    return Profile(schedules=(ChargingSchedule(1, unit, periods, start, duration),), **given)


def limit_at(profiles, at=T, situation=None, evse_id=1):
    return flow_at(profiles, evse_id, at, situation).limit_w


FLOOR = profile(period(limit=0), evse_id=0, stack_level=0, start=datetime(2020, 1, 1, tzinfo=UTC), id=9)
CEILING = profile(period(limit=7000), evse_id=0, purpose=Purpose.STATION_MAX, id=8)


# 1. What is dropped


def test_without_any_profile_an_evse_charges_without_limit():
    assert flow_at((), 1, T) == UNLIMITED
    assert flow_at((), 1, T).most_import_w is None


def test_a_profile_is_valid_from_valid_from_until_just_before_valid_to():
    held = (profile(period(limit=5), valid_from=T + HOUR, valid_to=T + 2 * HOUR),)
    assert [limit_at(held, T + hours * HOUR) for hours in range(3)] == [None, 5, None]


def test_a_profile_is_invalid_once_the_station_is_offline_for_longer_than_it_allows():
    held = (profile(period(limit=5), max_offline=3600), FLOOR)
    offline = Situation(offline_since=T)
    assert [limit_at(held, T + timedelta(seconds=s), offline) for s in (3599, 3600)] == [5, 0]


def test_being_offline_does_not_touch_a_profile_that_does_not_ask():
    assert limit_at((profile(period(limit=5)),), T + 99 * HOUR, Situation(offline_since=T)) == 5


def test_a_transaction_profile_holds_for_its_transaction_only():
    held = (profile(period(limit=5), purpose=Purpose.TX, transaction_id="tx-1"), FLOOR)
    assert limit_at(held, T, IN_TRANSACTION) == 5
    assert limit_at(held, T, replace(IN_TRANSACTION, transaction_id="tx-2")) == 0
    assert limit_at(held) == 0


def test_a_transaction_profile_left_without_transaction_holds_for_any():
    assert limit_at((profile(period(limit=5), purpose=Purpose.TX),), T, IN_TRANSACTION) == 5


def test_a_profile_of_another_evse_commands_nothing_here():
    assert limit_at((profile(period(limit=5), evse_id=2),)) is None


# 2. Which level leads


def test_the_highest_stack_level_leads_even_where_its_limit_is_higher():
    assert limit_at((FLOOR, profile(period(limit=5)), profile(period(limit=9), stack_level=2, id=2))) == 9


def test_before_its_start_a_schedule_lets_the_next_lower_level_through():
    assert limit_at((FLOOR, profile(period(limit=5))), T - HOUR) == 0


def test_after_its_duration_a_schedule_lets_the_next_lower_level_through():
    held = (FLOOR, profile(period(limit=5), duration=3600))
    assert [limit_at(held, T + timedelta(seconds=s)) for s in (3599, 3600)] == [5, 0]


def test_before_its_first_period_a_schedule_defines_nothing():
    assert limit_at((profile(period(60, 5)),)) is None


def test_without_a_duration_the_last_period_never_ends():
    assert limit_at((FLOOR, profile(period(limit=5), period(60, 7))), T + timedelta(days=3650)) == 7


def test_a_profile_of_the_evse_goes_before_one_of_the_station_on_the_same_level():
    own, common = profile(period(limit=5), id=1), profile(period(limit=9), evse_id=0, id=2)
    assert limit_at((own, common)) == limit_at((common, own)) == 5


def test_the_order_in_which_profiles_are_given_never_matters():
    one, other = profile(period(limit=5)), profile(period(limit=9), id=2)
    assert flow_at((one, other), 1, T) == flow_at((other, one), 1, T)


def test_a_default_of_the_station_holds_for_each_evse():
    assert [limit_at((FLOOR,), evse_id=evse) for evse in (1, 2)] == [0, 0]


# 3. The transaction layer

TX = profile(period(limit=3), purpose=Purpose.TX, transaction_id="tx-1", id=2, duration=3600)
PRIORITY = profile(period(limit=9), purpose=Purpose.PRIORITY, id=3, stack_level=0)


def test_a_transaction_profile_overrules_the_default():
    flow = flow_at((profile(period(limit=5), stack_level=9), TX), 1, T, IN_TRANSACTION)
    assert (flow.limit_w, flow.leader) == (3, 2)


def test_when_a_transaction_profile_ends_the_default_leads_again():
    assert limit_at((profile(period(limit=5)), TX), T + HOUR, IN_TRANSACTION) == 5


def test_priority_charging_overrules_both_while_it_is_active():
    held = (profile(period(limit=5)), TX, PRIORITY)
    assert limit_at(held, T, replace(IN_TRANSACTION, priority_charging=True)) == 9
    assert limit_at(held, T, IN_TRANSACTION) == 3


def test_priority_charging_that_defines_nothing_leaves_it_to_the_transaction():
    held = (TX, replace(PRIORITY, valid_to=T))
    assert limit_at(held, T, replace(IN_TRANSACTION, priority_charging=True)) == 3


# 4. Across purposes


def test_across_purposes_the_least_limit_wins():
    external = profile(period(limit=4000), purpose=Purpose.EXTERNAL, id=7)
    assert limit_at((profile(period(limit=9000)), CEILING)) == 7000
    assert limit_at((profile(period(limit=9000)), CEILING, external)) == 4000
    assert limit_at((profile(period(limit=3000)), CEILING, external)) == 3000


def test_a_ceiling_alone_limits_but_does_not_lead():
    assert flow_at((CEILING,), 1, T) == Flow(limit_w=Decimal(7000))


def test_across_purposes_the_discharge_limit_closest_to_zero_wins():
    own = profile(period(limit=9, discharge=-9, mode=Mode.EXTERNAL_SETPOINT))
    external = profile(period(limit=9, discharge=-4, mode=Mode.EXTERNAL_LIMITS), purpose=Purpose.EXTERNAL, id=7)
    assert flow_at((own, external), 1, T).discharge_limit_w == -4
    assert flow_at((own,), 1, T).discharge_limit_w == -9


# 5. Setpoints


@pytest.mark.parametrize(
    ("setpoint", "clipped"),
    [(9000, 7000), (5000, 5000), (0, 0), (-3000, -3000), (-9000, -4000)],
)
def test_a_setpoint_is_clipped_to_the_limit_and_to_the_discharge_limit(setpoint, clipped):
    external = profile(period(discharge=-4000, mode=Mode.EXTERNAL_LIMITS), purpose=Purpose.EXTERNAL, id=7)
    flow = flow_at((profile(period(setpoint=setpoint)), CEILING, external), 1, T)
    assert flow.setpoint_w == clipped


def test_a_setpoint_without_any_limit_stands_as_it_is():
    assert [flow_at((profile(period(setpoint=n)),), 1, T).setpoint_w for n in (-9, 9)] == [-9, 9]


def test_no_odd_limit_turns_a_setpoint_round():
    external = profile(period(limit=-5, discharge=5, mode=Mode.EXTERNAL_LIMITS), purpose=Purpose.EXTERNAL, id=7)
    assert [flow_at((profile(period(setpoint=n)), external), 1, T).setpoint_w for n in (-9, 9)] == [0, 0]


def test_an_external_setpoint_wins_over_the_transaction():
    external = profile(period(setpoint=2, mode=Mode.EXTERNAL_SETPOINT), purpose=Purpose.EXTERNAL, id=7)
    flow = flow_at((profile(period(setpoint=-9)), external), 1, T)
    assert (flow.setpoint_w, flow.leader) == (2, 1)


def test_a_transaction_of_limits_has_no_setpoint_whatever_lies_below():
    held = (profile(period(setpoint=5), stack_level=0), profile(period(limit=5), id=2))
    assert flow_at(held, 1, T) == Flow(limit_w=Decimal(5), leader=2)


def test_idle_lets_nothing_flow():
    flow = flow_at((profile(period(mode=Mode.IDLE), unit=Unit.AMPERE),), 1, T)
    assert (flow.most_import_w, flow.most_export_w) == (0, 0)


def test_idle_holds_an_external_setpoint_at_zero():
    external = profile(period(setpoint=-9, mode=Mode.EXTERNAL_SETPOINT), purpose=Purpose.EXTERNAL, id=7)
    assert flow_at((profile(period(mode=Mode.IDLE)), external), 1, T).setpoint_w == 0


# 6. Local generation


def test_local_generation_comes_on_top_of_the_least_limit():
    sun = profile(period(limit=2000), purpose=Purpose.LOCAL_GENERATION, evse_id=0, id=6)
    assert limit_at((profile(period(limit=9000)), CEILING, sun)) == 9000
    assert limit_at((sun,)) is None


def test_local_generation_that_names_no_limit_adds_nothing():
    sun = profile(period(mode=Mode.EXTERNAL_LIMITS), purpose=Purpose.LOCAL_GENERATION, evse_id=0, id=6)
    assert limit_at((profile(period(limit=9000)), CEILING, sun)) == 7000


# Units


@pytest.mark.parametrize(
    ("phases", "watts"),
    [(None, 11040), (3, 11040), (2, 7360), (1, 3680), (0, 11040)],
)
def test_amperes_are_per_phase_on_all_phases_unless_told_otherwise(phases, watts):
    assert limit_at((profile(period(limit=16, phases=phases), unit=Unit.AMPERE),)) == watts


@pytest.mark.parametrize("phases", [None, 1, 3])
def test_an_evse_of_one_phase_never_counts_more_than_that_nor_less(phases):
    held = (profile(period(limit=16, phases=phases), unit=Unit.AMPERE),)
    assert limit_at(held, T, Situation(watts_per_ampere=Decimal(230))) == 3680


def test_where_amperes_cannot_be_told_in_watts_they_are_no_limit_except_zero():
    situation = Situation(watts_per_ampere=Decimal(0))
    assert limit_at((profile(period(limit=16), unit=Unit.AMPERE),), T, situation) is None
    assert limit_at((profile(period(limit=0), unit=Unit.AMPERE),), T, situation) == 0


# Kinds


def test_an_absolute_schedule_that_began_long_ago_is_joined_midway():
    assert limit_at((profile(period(limit=5), period(7200, 7)),), T + 3 * HOUR) == 7


def test_an_absolute_schedule_without_start_begins_with_its_validity():
    held = (profile(period(limit=5), period(3600, 7), start=None, valid_from=T),)
    assert [limit_at(held, T + hours * HOUR) for hours in (0, 1)] == [5, 7]


def test_an_absolute_schedule_without_any_begin_commands_nothing():
    assert limit_at((profile(period(limit=5), start=None),)) is None


DAILY = profile(
    period(limit=5), period(3600, 7), kind=Kind.RECURRING, recurrency=Recurrency.DAILY, duration=7200, start=T
)


def test_a_recurring_schedule_begins_anew_in_each_recurrence_and_leaves_its_remainder_open():
    days = timedelta(days=400)
    assert [limit_at((DAILY,), T + days + hours * HOUR) for hours in range(3)] == [5, 7, None]


def test_a_weekly_schedule_begins_anew_each_week():
    weekly = replace(DAILY, recurrency=Recurrency.WEEKLY)
    assert [limit_at((weekly,), T + timedelta(days=day)) for day in (6, 7)] == [None, 5]


def test_a_recurring_schedule_is_not_active_before_its_first_start():
    assert limit_at((DAILY,), T - timedelta(days=1)) is None


def test_a_recurring_schedule_without_start_or_recurrence_does_not_repeat():
    assert limit_at((replace(DAILY, recurrency=None),), T + timedelta(days=1)) is None
    assert limit_at((profile(period(limit=5), kind=Kind.RECURRING, start=None),)) is None


def test_periods_beyond_the_recurrence_are_not_run():
    long = profile(period(limit=5), period(90_000, 7), kind=Kind.RECURRING, recurrency=Recurrency.DAILY)
    assert limit_at((long,), T + timedelta(seconds=90_000)) == 5


def test_a_relative_schedule_counts_from_the_begin_of_the_transaction():
    held = (profile(period(limit=5), period(3600, 7), kind=Kind.RELATIVE, start=None),)
    assert [limit_at(held, T + hours * HOUR, IN_TRANSACTION) for hours in (0, 1)] == [5, 7]
    assert limit_at(held) is None


def test_a_dynamic_schedule_counts_from_its_last_update():
    held = (profile(period(limit=5), kind=Kind.DYNAMIC, start=None, duration=60, dyn_update_time=T), FLOOR)
    assert [limit_at(held, T + timedelta(seconds=s)) for s in (59, 60)] == [5, 0]


def test_only_the_first_schedule_of_a_profile_is_followed():
    one = profile(period(limit=5))
    assert limit_at((replace(one, schedules=(*one.schedules, *profile(period(limit=9)).schedules)),)) == 5


# Flow


@pytest.mark.parametrize(
    ("flow", "most_import", "most_export"),
    [
        (Flow(), None, 0),
        (Flow(limit_w=Decimal(5)), 5, 0),
        (Flow(limit_w=Decimal(-5)), 0, 5),
        (Flow(limit_w=Decimal(9), setpoint_w=Decimal(5)), 5, 0),
        (Flow(limit_w=Decimal(9), setpoint_w=Decimal(-5)), 0, 5),
    ],
)
def test_a_flow_tells_the_most_that_it_lets_in_and_out(flow, most_import, most_export):
    assert (flow.most_import_w, flow.most_export_w) == (most_import, most_export)


# Over time


def test_a_composite_names_each_change_once():
    held = (FLOOR, profile(period(limit=5), period(1800, 5), period(3600, 7), duration=7200))
    spans = compose(held, 1, T - HOUR, T + 9 * HOUR)
    assert [(span.start - T, span.flow.limit_w) for span in spans] == [
        (-HOUR, 0),
        (0 * HOUR, 5),
        (HOUR, 7),
        (2 * HOUR, 0),
    ]


def test_a_composite_sees_profiles_go_invalid_while_offline():
    held = (FLOOR, profile(period(limit=5), max_offline=60))
    spans = compose(held, 1, T, T + HOUR, Situation(offline_since=T))
    assert [span.start for span in spans] == [T, T + timedelta(seconds=60)]


def test_a_composite_sees_each_recurrence_in_its_window_and_none_outside():
    starts = set(changes(DAILY, Situation(), T + HOUR, T + timedelta(days=2)))
    days = (timedelta(0), timedelta(days=1))
    assert starts == {T + day + hours * HOUR for day in days for hours in (0, 1, 2)} - {T, T + HOUR}


def test_dates_at_the_end_of_the_calendar_do_no_harm():
    far = profile(period(limit=5), period(2**31 - 1, 7), start=LAST_INSTANT - HOUR, max_offline=2**31 - 1)
    daily = replace(DAILY, valid_to=LAST_INSTANT)
    end = LAST_INSTANT
    assert compose((far, daily), 1, end - 2 * HOUR, end, Situation(offline_since=LAST_INSTANT))
