"""What holds for every profile: canonical form, meaning, fit, the stack and the way through JSON."""

import json
import struct
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Unsupported
from reconciler.profiles.canonical import canonical, course, differences, same_meaning
from reconciler.profiles.capability import Capability, Protocol, Rating
from reconciler.profiles.composite import Flow, Situation, compose, flow_at
from reconciler.profiles.fit import fit
from reconciler.profiles.form import MalformedProfile, read_profile, write_profile
from reconciler.profiles.profile import Kind, Mode, Profile, Purpose, Unit
from reconciler.profiles.rules import check, check_stack
from reconciler.profiles.timeline import Timeline, bound, clip, overlay, total
from strategies import NOON, absolute, instants, powers, profiles, ratings, tenths, timelines

SECOND = timedelta(seconds=1)
DAYS = (timedelta(days=-2), timedelta(days=3))
stacks = st.lists(profiles(), max_size=4).map(tuple)
situations = st.builds(Situation, offline_since=st.one_of(st.none(), instants))
capabilities = st.builds(
    Capability,
    protocol=st.just(Protocol.V21),
    units=st.sampled_from(((Unit.WATT,), (Unit.AMPERE,), (Unit.WATT, Unit.AMPERE))),
    max_stack_level=st.just(9),
    max_offline=st.booleans(),
)


def moments(held, extra=()):
    """Give the instants round everything that may change, and some between."""
    spans = [span.start for profile in held for span in compose((profile,), 1, NOON + DAYS[0], NOON + DAYS[1])]
    return sorted({at + step for at in (*spans, *extra, NOON) for step in (-SECOND, 0 * SECOND, SECOND)})


def near(one: Flow, other: Flow) -> bool:
    """Tell whether two flows are the same within what rounding to a tenth of an ampere on three phases changes."""
    pairs = ((one.limit_w, other.limit_w), (one.setpoint_w, other.setpoint_w))
    return one.leader == other.leader and all(
        a is b if a is None or b is None else abs(a - b) <= Decimal("0.05") * 690 for a, b in pairs
    )


# Canonical form


@given(profiles(phases=True))
def test_the_canonical_form_is_its_own(profile):
    assert canonical(canonical(profile)) == canonical(profile)


@given(profiles(phases=True), situations)
def test_the_canonical_form_keeps_the_power_at_every_instant(profile, situation):
    form = canonical(profile)
    for at in moments((profile,)):
        assert near(flow_at((form,), 1, at, situation), flow_at((profile,), 1, at, situation))


@given(profiles(kinds=(Kind.ABSOLUTE,)), instants)
def test_a_course_tells_the_power_at_every_instant_from_now_on(profile, now):
    held = replace(profile, max_offline=None)
    run = course(held, now)
    for at in (at for at in moments((held,), (now,)) if at >= now):
        said = [period for start, period in run.steps if start <= at][-1:] if run.end is None or at < run.end else []
        flow = flow_at((held,), held.evse_id, at, Situation(watts_per_ampere=Decimal(1)))
        command = None if flow.limit_w is None and flow.setpoint_w is None else (flow.limit_w, flow.setpoint_w)
        assert command == (None if not said else (said[0].limit, said[0].setpoint))


# Meaning


@given(profiles(), instants)
def test_a_profile_means_the_same_as_itself(profile, now):
    assert differences(profile, profile, now) == ()


@given(profiles(), profiles(), instants)
def test_meaning_the_same_goes_both_ways(one, other, now):
    assert same_meaning(one, other, now) == same_meaning(other, one, now)


@given(profiles(), st.randoms(use_true_random=False), instants)
def test_the_echo_of_a_station_means_what_was_sent(profile, random, now):
    assert differences(profile, read_profile(profile.evse_id, echo(profile, random)), now) == ()


def echo(profile: Profile, random) -> dict:
    """Give a profile as stations report it: defaults filled in, times with fractions, 32-bit floats, other order."""
    filled = write_profile(profile)
    if profile.schedule.start is not None:
        filled.setdefault("validFrom", "1970-01-01T00:00:00.000Z")
    filled.setdefault("validTo", "2262-04-11T23:46:49.854Z")
    for schedule in filled["chargingSchedule"]:
        for period in schedule["chargingSchedulePeriod"]:
            period.setdefault("numberPhases", 3)
    return _normalised(filled, random)


def _normalised(value, random):
    if isinstance(value, dict):
        items = random.sample(sorted(value.items()), len(value))
        return {key: _normalised(item, random) for key, item in items}
    if isinstance(value, list):
        return [_normalised(item, random) for item in value]
    if isinstance(value, float):
        return struct.unpack("f", struct.pack("f", value))[0]
    return value.replace(":00Z", ":00.000Z") if isinstance(value, str) else value


@given(profiles(), st.integers(0, 5), st.integers(11, 5000), st.booleans(), instants)
def test_a_change_of_power_to_come_is_a_change_of_meaning(profile, index, tenth_parts, up, now):
    schedule = profile.schedule
    index %= len(schedule.periods)
    change = Decimal(tenth_parts) / 100 * (1 if up else -1)
    changed = _shift(profile, index, change)
    at = _runs_from(profile, index, now)
    assert same_meaning(profile, changed, now) is (at is None)


def _shift(profile: Profile, index: int, change: Decimal) -> Profile:
    """Give a profile of which one period commands something else."""
    schedule = profile.schedule
    period = schedule.periods[index]
    field = "limit" if period.mode is Mode.CHARGING_ONLY else "setpoint"
    changed = replace(period, **{field: getattr(period, field) + change})
    periods = (*schedule.periods[:index], changed, *schedule.periods[index + 1 :])
    return replace(profile, schedules=(replace(schedule, periods=periods),))


def _runs_from(profile: Profile, index: int, now):
    """Give some instant from now on at which a period commands, or None; recurring ones count while they are valid."""
    schedule = profile.schedule
    if profile.kind is Kind.RECURRING:
        return None if profile.valid_to is not None and profile.valid_to <= now else now
    edges = [schedule.start + timedelta(seconds=period.start) for period in schedule.periods[index + 1 : index + 2]]
    if schedule.duration is not None:
        edges.append(schedule.start + timedelta(seconds=schedule.duration))
    if profile.valid_to is not None:
        edges.append(profile.valid_to)
    begin = schedule.start + timedelta(seconds=schedule.periods[index].start)
    first = max(now, begin, profile.valid_from or now)
    return first if all(first < edge for edge in edges) else None


@given(profiles(kinds=(Kind.ABSOLUTE,)), st.integers(1, 5), tenths, instants)
def test_a_changed_past_is_no_difference(profile, index, power, now):
    schedule = profile.schedule
    index %= len(schedule.periods)
    past = tuple(replace(period, limit=power, setpoint=None) for period in schedule.periods[:index])
    rewritten = replace(profile, schedules=(replace(schedule, periods=(*past, *schedule.periods[index:])),))
    passed = schedule.start + timedelta(seconds=schedule.periods[index].start)
    assert differences(profile, rewritten, max(now, passed)) == ()


@given(profiles(), profiles(), st.sets(st.sampled_from(("start", "duration", "valid_from", "valid_to"))), instants)
def test_profiles_that_mean_the_same_command_the_same_from_then_on(one, other, crossed, now):
    schedule = {name: getattr(other.schedule, name) for name in crossed & {"start", "duration"}}
    validity = {name: getattr(other, name) for name in crossed & {"valid_from", "valid_to"}}
    mixed = replace(one, schedules=(replace(one.schedule, **schedule),), **validity)
    if same_meaning(one, mixed, now):
        for at in (at for at in moments((one, mixed), (now,)) if at >= now):
            assert near(flow_at((one,), 1, at), flow_at((mixed,), 1, at))


# Fit


@given(profiles(phases=True), capabilities, ratings)
def test_fit_never_adds_power_nor_turns_it_round(profile, capability, rating):
    fitted = _fitted(profile, capability, rating)
    situation = Situation(watts_per_ampere=rating.watts_per_ampere, voltage=rating.voltage)
    for at in moments((profile,)):
        before, after = flow_at((profile,), 1, at, situation), flow_at((fitted,), 1, at, situation)
        if before.most_import_w is not None:
            assert after.most_import_w <= min(before.most_import_w, rating.charge_w)
        assert after.most_export_w <= min(before.most_export_w, rating.discharge_w)


@given(profiles(phases=True), capabilities, ratings)
def test_what_fits_once_fits_unchanged(profile, capability, rating):
    fitted = _fitted(profile, capability, rating)
    assert _fitted(fitted, capability, rating) == fitted
    assert fitted.schedule.unit in capability.units


@given(profiles(), capabilities, ratings)
def test_fit_keeps_the_rules_of_combination(profile, capability, rating):
    assert check(profile) == check(_fitted(profile, capability, rating)) == ()


def _fitted(profile: Profile, capability: Capability, rating: Rating) -> Profile:
    # The flows are looked at without the loss of contact, which fit may drop where a station does not know it.
    return replace(fit(replace(profile, max_offline=None), capability, rating), max_offline=profile.max_offline)


@given(profiles(phases=True), capabilities, ratings)
def test_nothing_discharges_on_2_0_1_unless_it_is_known_to(profile, capability, rating):
    try:
        fitted = fit(profile, replace(capability, protocol=Protocol.V201), rating)
    except Unsupported:
        return
    assert all(flow_at((fitted,), 1, at).most_export_w == 0 for at in moments((fitted,)))


# JSON


@given(profiles(phases=True))
def test_what_is_written_reads_back(profile):
    assert read_profile(profile.evse_id, json.loads(json.dumps(write_profile(profile)))) == profile


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(profiles(), st.data(), instants)
def test_hostile_fields_are_refused_by_place_or_do_no_harm(profile, data, now):
    written = write_profile(profile)
    place = data.draw(st.sampled_from((written, schedule := written["chargingSchedule"][0])), label="place")
    place = data.draw(st.sampled_from((place, schedule["chargingSchedulePeriod"][0])), label="place")
    place[data.draw(st.sampled_from(sorted(place)), label="field")] = data.draw(json_values, label="value")
    try:
        read = read_profile(1, written)
    except MalformedProfile:
        return
    check(read)
    differences(profile, read, now)
    compose((read,), 1, now, now + timedelta(days=2))


# The stack


@given(stacks, situations, instants)
def test_a_composite_agrees_with_the_flow_at_every_instant(held, situation, start):
    spans = compose(held, 1, start, start + timedelta(days=2), situation)
    assert spans[0].start == start
    assert all(one.flow != other.flow for one, other in pairwise(spans))
    for at in (at for at in moments(held, (start,)) if start <= at < start + timedelta(days=2)):
        assert [span.flow for span in spans if span.start <= at][-1] == flow_at(held, 1, at, situation)


@given(st.permutations(range(4)), st.lists(profiles(), min_size=4, max_size=4, unique_by=lambda held: held.id))
def test_the_order_of_profiles_never_matters(order, held):
    shuffled = [held[index] for index in order]
    for at in moments(held):
        assert flow_at(held, 1, at) == flow_at(shuffled, 1, at)


@given(timelines, timelines)
def test_a_merged_schedule_commands_what_its_stacked_parts_do(high, low):
    stacked = (*absolute(low, first_id=100, stack_level=1), *absolute(high, first_id=200, stack_level=2))
    merged = absolute(overlay((high, low)), first_id=300, stack_level=1)
    assert check_stack(stacked) == check_stack(merged) == ()
    for at in moments((*stacked, *merged)):
        assert power(stacked, at) == power(merged, at) == overlay((high, low)).at(at)


def power(held, at):
    return flow_at(held, 1, at).setpoint_w


@given(stacks, instants)
def test_with_a_floor_below_no_evse_is_ever_without_limit(held, at):
    floor = _floor()
    assert flow_at((*held, floor), 1, at).most_import_w is not None


def _floor() -> Profile:
    data = {"startSchedule": "2020-01-01T00:00:00Z", "chargingRateUnit": "W"}
    schedule = {**data, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}]}
    fields = {"chargingProfilePurpose": Purpose.TX_DEFAULT, "chargingProfileKind": "Absolute"}
    return read_profile(0, {"id": 99, "stackLevel": 0, **fields, "chargingSchedule": [schedule]})


# Timelines


def instants_of(*lines: Timeline):
    return sorted({at + step for line in lines for at in (*line.starts(), NOON) for step in (-SECOND, 0 * SECOND)})


@given(timelines)
def test_a_timeline_has_rising_starts_and_no_equal_neighbours(line):
    assert all(one.start < other.start for one, other in pairwise(line.steps))
    assert all(one.power_w != other.power_w for one, other in pairwise(line.steps))
    assert not line.steps or line.steps[0].power_w is not None


@given(timelines, timelines, timelines)
def test_an_overlay_lets_the_first_that_speaks_win(one, two, three):
    for at in instants_of(one, two, three):
        said = [line.at(at) for line in (one, two, three) if line.at(at) is not None]
        assert overlay((one, two, three)).at(at) == (said[0] if said else None)
    assert overlay((one, overlay((two, three)))) == overlay((overlay((one, two)), three)) == overlay((one, two, three))


@given(timelines)
def test_an_overlay_with_itself_or_with_silence_changes_nothing(line):
    assert overlay((line, line)) == overlay((line, Timeline())) == overlay((Timeline(), line)) == line


@given(timelines, instants, instants)
def test_a_clip_keeps_the_power_inside_and_nothing_outside(line, start, end):
    clipped = clip(line, start, end)
    for at in (*instants_of(line, clipped), start, end, start - SECOND, end - SECOND):
        assert clipped.at(at) == (line.at(at) if start <= at < end else None)
    assert clip(clipped, start, end) == clipped


@given(timelines, timelines, st.integers(0, 5))
def test_a_sum_is_the_sum_at_every_instant(one, two, count):
    summed = total(((one, count), (two, 1)))
    for at in instants_of(one, two):
        expected = (one.at(at) or 0) * count + (two.at(at) or 0)
        assert (summed.at(at) or 0) == expected
    assert summed == total(((two, 1), (one, count)))


@given(timelines, powers.filter(lambda power: power is not None), powers.filter(lambda power: power is not None))
def test_a_bounded_timeline_stays_within_and_is_bounded_once(line, one, other):
    low, high = sorted((one, other))
    cut = bound(line, low, high)
    assert all(step.power_w is None or low <= step.power_w <= high for step in cut.steps)
    assert bound(cut, low, high) == cut
    assert all((cut.at(at) is None) == (line.at(at) is None) for at in instants_of(line))
