"""Desired profiles are a function of revision, capability and time, rendered once per distinct input."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.manifests.fleet import Declared
from reconciler.profiles.capability import Capability, Protocol
from reconciler.profiles.composite import Situation, compose, flow_at
from reconciler.profiles.form import write_profile
from reconciler.profiles.profile import Mode, Unit
from reconciler.render.assume import assume, protocols
from reconciler.render.desired import Renderer
from reconciler.render.programmes import remember
from toys import NOON, revision, shipped

HOUR = timedelta(hours=1)
V21 = Capability(Protocol.V21, max_periods=24, max_stack_level=9)
V201 = Capability(Protocol.V201, max_periods=24, max_stack_level=9)
SHIPPED = shipped()
FLOOR, CEILING, SCHEDULE = (SHIPPED[name] for name in ("floor.yaml.j2", "station-max.yaml.j2", "schedule.yaml.j2"))


def renderer(**templates):
    names = {"floor": "floor.yaml.j2", "ceiling": "station-max.yaml.j2", "schedule": "schedule.yaml.j2"}
    return Renderer(revision().fleet, SHIPPED | {names[key]: text for key, text in templates.items()})


def desired(identity="A-1", capability=V21, now=NOON, **templates):
    made = renderer(**templates)
    return made.desired(made.fleet.station(identity), capability, now)


def refused(**templates):
    with pytest.raises(ManifestError) as caught:
        desired(**templates)
    return caught.value


def as_bytes(found):
    return orjson.dumps([{"evseId": each.evse_id, **write_profile(each)} for each in found.profiles])


def test_the_floor_comes_first_then_the_ceiling_then_one_profile_for_each_evse():
    assert [(each.id, each.evse_id, each.stack_level) for each in desired("B-1", V201).profiles] == [
        (1000, 0, 0),
        (1001, 0, 0),
        (1011, 1, 1),
        (1012, 2, 1),
    ]


def test_flow_follows_the_schedule_between_floor_and_rating():
    profiles = desired().profiles  # Amsterdam is an hour ahead: 14:00 there is 13:00 here
    flows = [flow_at(profiles, 1, NOON + hour * HOUR) for hour in (0, 1, 4, 5, 8, 9)]
    assert [(each.most_import_w, each.most_export_w) for each in flows] == [
        (0, 0),
        (0, 7000),
        (0, 7000),
        (3000, 0),
        (3000, 0),
        (0, 0),
    ]


@settings(max_examples=40)
@given(st.integers(0, 10**7), st.sampled_from(("A-1", "A-2", "B-1")), st.integers(2, 24))
def test_flow_ends_with_the_lease_whatever_the_time(seconds, identity, periods):
    made, now = revision(), NOON + timedelta(seconds=seconds)
    found = made.renderer.desired(made.fleet.station(identity), replace(V21, max_periods=periods), now)
    lease = made.fleet.fail_safe.lease
    spans = [
        span
        for evse in (1, 2)
        for span in compose(found.profiles, evse, now + lease, now + lease + timedelta(days=40), Situation())
    ]
    assert all(span.flow.most_import_w == 0 and span.flow.most_export_w == 0 for span in spans)
    assert found.since <= now < found.until <= now + timedelta(days=1)


@settings(max_examples=40)
@given(st.integers(0, 10**7), st.integers(2, 24), st.data())
def test_what_is_desired_follows_the_schedule_while_it_is_in_force(seconds, periods, data):
    made, now = revision(), NOON + timedelta(seconds=seconds)
    station = made.fleet.station("A-1")
    found = made.renderer.desired(station, replace(V21, max_periods=periods), now)
    at = now + data.draw(st.integers(0, int((found.until - now).total_seconds()) - 1)) * timedelta(seconds=1)
    wanted = made.renderer.timeline(station, station.evses[0], (at, at + HOUR)).at(at)
    flow = flow_at(found.profiles, 1, at)
    assert (flow.most_import_w, flow.most_export_w) == (max(wanted, 0), max(-wanted, 0))
    assert made.renderer.desired(station, replace(V21, max_periods=periods), at) is found


@settings(max_examples=25)
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=6))
def test_same_inputs_give_same_bytes_in_whatever_order_they_are_asked(moments):
    def bytes_at(made, moment):
        return as_bytes(made.desired(made.fleet.station("A-1"), replace(V21, max_periods=4), moment))

    times = [NOON + timedelta(seconds=moment) for moment in moments]
    one = renderer()
    assert [bytes_at(one, time) for time in times] == [bytes_at(renderer(), time) for time in times]


def test_rendering_runs_once_per_distinct_input_not_per_station():
    made = revision(swap=(('"A-{1..2}"', '"A-{1..300}"'),), caps=(9999, 9999)).renderer
    before = made.renderings
    stations = [station for key, station in made.fleet.stations.items() if key.startswith("a")]
    found = {id(made.desired(station, V21, NOON)) for station in stations}
    assert len(stations) == 300
    assert len(found) == made.renderings - before == 24  # one per bucket of renewal times
    for station in stations:
        made.desired(station, V21, NOON)
    assert made.renderings - before == 24


def test_max_offline_goes_only_where_it_is_supported():
    assert [each.max_offline for each in desired(capability=replace(V21, max_offline=True)).profiles] == [
        None,
        None,
        900,
    ]
    assert not any(each.max_offline for each in desired().profiles)


def test_a_template_that_yields_too_much_is_clipped_to_the_rating():
    greedy = SCHEDULE.replace("{{ step.power_w | watts }}", "{{ (step.power_w * 1000) | watts }}")
    profiles = desired(schedule=greedy).profiles
    flows = [flow_at(profiles, 1, NOON + hour * HOUR) for hour in range(12)]
    assert {each.most_import_w for each in flows} == {0, 11000}
    assert {each.most_export_w for each in flows} == {0, 11000}


def test_flow_beyond_the_lease_is_refused():
    endless = SCHEDULE.replace("{% for step in steps %}", "{% for step in steps[:1] %}").replace(
        "{{ step.power_w | watts }}", "5000"
    )
    assert refused(schedule=endless).rule == "lease-missing"


def test_an_id_of_others_is_refused():
    assert refused(floor=FLOOR.replace("id: {{ profile_id }}", "id: 999")).rule == "foreign-id"


def test_one_id_for_two_profiles_is_refused():
    assert refused(schedule=SCHEDULE.replace('"id": {{ profile_id }},\n  "stack', '"id": 1000,\n  "stack')).rule == (
        "duplicate-id"
    )


def test_two_profiles_on_one_slot_are_refused():
    one = SCHEDULE.split("#}")[-1]
    two = f"[{one}, {one.replace('profile_id }},', 'profile_id + 100 }},', 1)}]"
    assert refused(schedule=two).rule == "duplicate-slot"


def test_a_ceiling_is_a_ceiling():
    error = refused(ceiling=FLOOR.replace("profile_id }}", "profile_id }}", 1))
    assert (error.rule, error.place.file) == ("template-purpose", "templates/station-max.yaml.j2")


def test_discharge_over_201_is_refused_by_name_unless_a_negative_limit_is_known_to_discharge():
    found = desired(capability=V201)
    assert "negativeLimit" in found.refusal
    assert [each.id for each in found.profiles] == [1000, 1001]
    known = desired(capability=replace(V201, negative_limit=True))
    assert (known.refusal, len(known.profiles)) == ("", 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"max_stack_level": 0}, "stack level 1: the highest is 0"),
        ({"max_periods": 1}, "1 period a schedule"),
        ({"max_profiles": 2}, "3 profiles: the station holds 2"),
        ({"max_external_id": 5000}, "profile id 1011: ids up to 5000"),
        ({"smart_charging": False}, "smart charging"),
        ({"modes": frozenset({Mode.CHARGING_ONLY})}, "operation mode CentralSetpoint"),
    ],
)
def test_what_can_not_be_taken_leaves_floor_and_ceiling_and_a_reason(change, words):
    found = desired(capability=replace(V21, **change))
    assert words in found.refusal
    assert [each.id for each in found.profiles] == [1000, 1001]
    assert found.since <= NOON < found.until


def test_a_floor_that_can_not_be_taken_leaves_nothing():
    setpoint = FLOOR.replace("limit: 0", "operationMode: CentralSetpoint, setpoint: 0")
    found = desired(floor=setpoint, capability=replace(V21, modes=frozenset({Mode.CHARGING_ONLY})))
    assert found.profiles == ()
    assert "CentralSetpoint" in found.refusal


def test_a_station_of_amperes_gets_amperes():
    profiles = desired("B-1", replace(V201, units=(Unit.AMPERE,))).profiles
    assert {each.schedule.unit for each in profiles} == {Unit.AMPERE}
    at = NOON + 2 * HOUR
    assert flow_at(profiles, 1, at).most_import_w == pytest.approx(Decimal(5000) - Decimal(5000) % 69)


def test_a_station_without_schedules_has_floor_and_ceiling():
    made = revision(swap=(("{row: b}}, schedules: [{schedule: b, priority: 10}]", "{row: b}}"),))
    found = made.renderer.desired(made.fleet.station("B-1"), V201, NOON)
    assert [each.id for each in found.profiles] == [1000, 1001]
    assert found.refusal == ""


def test_a_fleets_own_template_replaces_the_shipped_one():
    own = SCHEDULE.replace('"id": {{ profile_id }},', '"id": {{ profile_id + 500 }},', 1)
    made = revision(extra=own)
    assert made.renderer.desired(made.fleet.station("A-1"), V21, NOON).profiles[2].id == 1511


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("reconciler.render.programmes.REMEMBERED", 2)
    known = {}
    for number in range(5):
        remember(known, number, number)
    assert known == {4: 4}


def test_what_is_declared_is_assumed_and_the_least_otherwise():
    declared = Declared(negative_limit=True, stack_levels=3, periods=8, units=("A",), max_offline=True, entries=4)
    assumed = assume(declared, Protocol.V201)
    assert (assumed.negative_limit, assumed.max_stack_level, assumed.max_periods) == (True, 3, 8)
    assert (assumed.units, assumed.max_offline, assumed.max_profiles) == ((Unit.AMPERE,), False, 4)
    assert assume(declared, Protocol.V21).max_offline
    assert assume(Declared(), Protocol.V21) == Capability(Protocol.V21)


def test_a_station_speaks_what_it_declares_or_all_there_is():
    assert protocols(Declared(protocol="2.1")) == (Protocol.V21,)
    assert protocols(Declared()) == tuple(Protocol)
