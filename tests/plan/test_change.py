"""What one station needs: meaning is compared, refused content is not repeated, foreign profiles are never named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.strategy import ForeignRule
from reconciler.plan.change import (
    EVICTED,
    PASSING,
    Clear,
    Install,
    Keep,
    Owned,
    Replace,
    Stuck,
    changes,
    diff,
    foreign,
    judge,
)
from reconciler.plan.conversion import is_converted
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.belief import Belief, Held, Reported, fold
from reconciler.reported.events import Accepted, Booted, OutcomeUnknown, ProfilesRead, Refused, ReportedProfile, Written

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
OWNED = Owned(10, 19)
powers = st.sampled_from((0, 3500, 7000))


def profile(number=11, *limits, unit=Unit.WATT, phases=None, **more):
    periods = tuple(
        Period(3600 * at, limit=Decimal(limit), number_phases=phases) for at, limit in enumerate(limits or (7000, 0))
    )
    schedule = ChargingSchedule(number, unit, periods, start=NOON)
    return Profile(number, 1, 1, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,), **more)


def read(*profiles):
    return ProfilesRead(
        "S", tuple(each if isinstance(each, ReportedProfile) else ReportedProfile(each) for each in profiles)
    )


def written(new, outcome):
    return Written("S", new.id, new, outcome)


def believe(*events):
    reported = Reported()
    for event in events:
        reported = fold(reported, event)
    return reported


def accepted(wanted, stored):
    """Give what is believed after `wanted` was accepted and read back as `stored`."""
    return believe(written(wanted, Accepted()), read(stored))


desired = st.lists(st.builds(profile, st.integers(10, 14), powers, powers), unique_by=lambda each: each.id, max_size=4)
held = st.lists(st.builds(profile, st.integers(8, 21), powers, powers), unique_by=lambda each: each.id, max_size=6)


levels = st.integers(0, 4)
intruders = st.lists(
    st.builds(
        lambda number, level, purpose, source: ReportedProfile(
            replace(profile(number), stack_level=level, purpose=purpose), source
        ),
        st.integers(7, 22),
        levels,
        st.sampled_from((Purpose.TX_DEFAULT, Purpose.EXTERNAL, Purpose.LOCAL_GENERATION)),
        st.sampled_from(("CSO", "EMS", "SO")),
    ),
    unique_by=lambda each: each.profile.id,
    max_size=6,
)


def named(verdict):
    """Give the profile that a verdict is about."""
    return verdict.old if isinstance(verdict, Clear) else verdict.held if isinstance(verdict, Keep) else verdict.new


def apply(verdicts, reported):
    profiles = {number: each.profile for number, each in reported.held.items()}
    for change in changes(verdicts):
        if isinstance(change, Clear):
            del profiles[change.old.id]
        else:
            profiles[change.new.id] = change.new
    return believe(read(*profiles.values()))


@given(desired)
def test_what_is_held_as_desired_needs_nothing(wanted):
    assert not changes(diff(wanted, believe(read(*wanted)), OWNED, NOON))


@given(desired, held)
def test_what_is_applied_needs_nothing_more(wanted, reported):
    before = believe(read(*reported))
    after = apply(diff(wanted, before, OWNED, NOON), before)
    assert not changes(diff(wanted, after, OWNED, NOON))
    assert foreign(after, OWNED) == foreign(before, OWNED)


@given(desired, held)
def test_foreign_profiles_are_never_named(wanted, reported):
    for verdict in diff(wanted, believe(read(*reported)), OWNED, NOON):
        assert named(verdict).id in OWNED


policies = st.sampled_from(("ignore", "warn", "clear"))
rules = st.lists(
    st.builds(lambda first, more, policy: ForeignRule(first, first + more, policy), levels, levels, policies),
    max_size=3,
)


@given(desired, intruders, rules.filter(lambda given: all(rule.policy != "clear" for rule in given)))
def test_without_a_rule_that_says_so_foreign_profiles_are_never_named(wanted, others, given):
    for verdict in diff(wanted, believe(read(*others)), OWNED, NOON, rules=given):
        assert named(verdict).id in OWNED


@given(desired, intruders, rules)
def test_a_rule_clears_foreign_profiles_of_a_csms_in_its_levels_only_and_last_of_all(wanted, others, given):
    reported = believe(read(*others))
    verdicts = diff(wanted, reported, OWNED, NOON, rules=given)
    evicted = [each.old for each in verdicts if named(each).id not in OWNED]
    assert list(verdicts[len(verdicts) - len(evicted) :]) == [Clear(each, EVICTED) for each in evicted]
    for held in foreign(reported, OWNED):
        first = next((rule.policy for rule in given if rule.first <= held.profile.stack_level <= rule.last), "warn")
        meant = held.source == "CSO" and first == "clear" and held.profile.id not in OWNED
        assert (held.profile in evicted) is (meant and held.profile.purpose is Purpose.TX_DEFAULT)
    assert verdicts[: len(verdicts) - len(evicted)] == diff(wanted, reported, OWNED, NOON)


@given(desired, held)
def test_the_floor_is_first_and_clears_are_last(wanted, reported):
    verdicts = diff(wanted, believe(read(*reported)), OWNED, NOON)
    kinds = [isinstance(verdict, Clear) for verdict in verdicts]
    assert kinds == sorted(kinds)
    named = [each.held.id if isinstance(each, Keep) else each.new.id for each in verdicts[: len(wanted)]]
    assert named == [each.id for each in wanted]


@given(desired, held, st.randoms())
def test_the_order_of_reports_changes_nothing(wanted, reported, random):
    shuffled = random.sample(reported, len(reported))
    assert diff(wanted, believe(read(*reported)), OWNED, NOON) == diff(wanted, believe(read(*shuffled)), OWNED, NOON)


def test_a_missing_profile_is_installed_and_another_meaning_is_replaced():
    assert judge(profile(), Reported(), NOON) == Install(profile(), "missing")
    other = profile(11, 3500, 0)
    verdict = judge(profile(), believe(read(other)), NOON)
    assert verdict == Replace(profile(), other, "differs in chargingSchedulePeriod")


def test_what_is_not_known_is_written_anew():
    reported = believe(read(profile()), Booted("S", "", "", "", ""))
    assert judge(profile(), reported, NOON) == Replace(profile(), profile(), "its state is not known")
    reported = believe(written(profile(), OutcomeUnknown("lost")))
    assert isinstance(judge(profile(), reported, NOON), Replace)


def test_an_accepted_write_is_not_repeated_before_it_is_read():
    assert judge(profile(), believe(written(profile(), Accepted())), NOON) == Keep(profile())


def test_the_past_of_a_profile_does_not_matter():
    old = profile(11, 3500, 0)
    assert judge(profile(), believe(read(old)), NOON + timedelta(hours=2)) == Keep(old)


def test_a_profile_of_another_source_under_our_id_is_none_of_ours():
    reported = believe(read(ReportedProfile(profile(), "EMS")))
    assert judge(profile(), reported, NOON) == Install(profile(), "missing")
    assert foreign(reported, OWNED) == (Held(profile(), Belief.OBSERVED, "EMS"),)
    assert diff((), reported, OWNED, NOON) == ()


def test_an_owned_profile_that_is_not_desired_is_cleared():
    assert diff((), believe(read(profile(12), profile(3))), OWNED, NOON) == (Clear(profile(12), "no longer desired"),)


def test_refused_content_is_not_sent_again_but_other_content_is():
    reported = believe(written(profile(), Refused("InvalidSchedule", "no")))
    assert judge(profile(), reported, NOON) == Stuck(profile(), "refused: InvalidSchedule no")
    assert isinstance(judge(profile(11, 3500, 0), reported, NOON), Install)
    beside = fold(reported, read(profile(11, 3500, 0)))
    assert isinstance(judge(profile(), beside, NOON), Stuck)
    doubted = believe(read(profile(11, 3500, 0)), written(profile(), Refused("No")), Booted("S", "", "", "", ""))
    assert isinstance(judge(profile(), doubted, NOON), Replace)


def test_a_refusal_without_a_detail_is_said_without_one():
    assert judge(profile(), believe(written(profile(), Refused("No"))), NOON).reason == "refused: No"


@pytest.mark.parametrize(
    "refusal",
    [*(Refused(code.title()) for code in sorted(PASSING)), Refused("Whatever", "", timedelta(seconds=5))],
    ids=lambda each: each.reason_code,
)
def test_a_refusal_that_time_cures_is_tried_again(refusal):
    assert isinstance(judge(profile(), believe(written(profile(), refusal)), NOON), Install)


def test_a_refused_clear_is_no_verdict_on_a_profile():
    reported = believe(Written("S", 11, None, Refused("No")))
    assert isinstance(judge(profile(), reported, NOON), Install)


@pytest.mark.parametrize("field", ["max_offline", "invalid_after_offline"])
def test_a_field_that_never_comes_back_is_not_verifiable_and_not_pushed_for_ever(field):
    wanted = profile(max_offline=900, invalid_after_offline=True)
    stored = replace(wanted, invalid_after_offline=False, **({"max_offline": None} if field == "max_offline" else {}))
    verdict = judge(wanted, accepted(wanted, stored), NOON)
    assert isinstance(verdict, Keep)
    assert verdict.reason.startswith("not verifiable: the station does not report ")
    assert isinstance(judge(wanted, believe(read(stored)), NOON), Replace), "never accepted by this station"


def test_phases_that_never_come_back_are_not_verifiable():
    wanted = profile(phases=1)
    verdict = judge(wanted, accepted(wanted, profile()), NOON)
    assert verdict == Keep(profile(), "not verifiable: the station does not report numberPhases")


def test_what_is_stored_differently_is_stuck_and_never_pushed_again():
    stored = profile(11, 3500, 0)
    assert judge(profile(), accepted(profile(), stored), NOON) == Stuck(
        profile(), "accepted, but stored with another chargingSchedulePeriod"
    )


def test_what_changes_after_its_echo_is_drift():
    reported = fold(accepted(profile(), profile(11, 3500, 0)), read(profile(11, 100, 0)))
    assert isinstance(judge(profile(), reported, NOON), Replace)
    reported = accepted(profile(11, 3500, 0), profile(11, 3500, 0))
    assert isinstance(judge(profile(), reported, NOON), Replace), "desired changed"


def amperes(*limits, phases=None):
    return profile(11, *(Decimal(str(limit)) for limit in limits), unit=Unit.AMPERE, phases=phases)


@pytest.mark.parametrize(
    ("held", "phases"),
    [((Decimal("10.144927536"), 0), None), ((10.1, 0), None), ((10, 0), None), ((30.4, 0), 1), ((30.434782, 0), 1)],
)
def test_watts_turned_into_amperes_are_the_same_power(held, phases):
    verdict = judge(profile(phases=phases), believe(read(amperes(*held, phases=phases))), NOON)
    assert isinstance(verdict, Keep)
    assert verdict.reason == "kept in A: the same power at 230 V"


def test_amperes_of_another_power_are_another_profile():
    assert isinstance(judge(profile(), believe(read(amperes(11, 0))), NOON), Replace)
    stuck = judge(profile(), accepted(profile(), amperes(16, 0)), NOON)
    assert stuck.reason == "accepted, but stored with another chargingRateUnit, chargingSchedulePeriod"


def test_amperes_count_at_the_nominal_voltage_of_the_grid():
    held = believe(read(amperes(9.7, 0)))
    assert isinstance(judge(profile(), held, NOON), Replace)
    assert isinstance(diff([profile()], held, OWNED, NOON, Decimal(240))[0], Keep)


def test_only_watts_are_turned_into_amperes():
    assert not is_converted(amperes(10, 0), profile(), Decimal(230), NOON)
    setpoint = replace(
        profile(), schedules=(ChargingSchedule(1, Unit.WATT, (Period(0, setpoint=Decimal(-6900)),), start=NOON),)
    )
    discharged = replace(
        profile(), schedules=(ChargingSchedule(1, Unit.AMPERE, (Period(0, setpoint=Decimal(-10)),), start=NOON),)
    )
    assert is_converted(setpoint, discharged, Decimal(230), NOON)


def test_the_range_of_ids_has_both_its_ends():
    assert [number in OWNED for number in (9, 10, 19, 20)] == [False, True, True, False]
