"""What a station refuses, each with the reason code that the standard or the field gives it."""

from datetime import timedelta

import pytest

from reconciler.ocpp.frames import ErrorCode
from reconciler.profiles.capability import Protocol
from reconciler.profiles.profile import Mode, Profile, Purpose, Unit
from reconciler.simulator.desk import Refusal
from reconciler.simulator.faults import Faults
from reconciler.simulator.nameplate import EvsePlate, NegativeLimit

AC = (EvsePlate(1, 22_000, 0, 3),)
EVERY_MODE = frozenset(Mode)
TX = {"purpose": "TxProfile", "transactionId": "nobody"}
CENTRAL = {"operationMode": "CentralSetpoint"}
LOCAL = {"operationMode": "LocalFrequency"}

CASES = {
    "unknown evse": ({}, {}, (), 7, "UnknownEvse"),
    "id in the external range": ({"max_external_id": 10}, {}, (), 1, "InvalidProfileId"),
    "unit": ({"units": (Unit.AMPERE,)}, {}, (), 1, "UnsupportedRateUnit"),
    "stack level": ({"max_stack_level": 0}, {}, (), 1, "InvalidStackLevel"),
    "periods": ({"max_periods": 1}, {}, ((0, 1), (60, 2)), 1, "TooManyElements"),
    "profiles": ({"max_profiles": 0}, {}, (), 1, "TooManyElements"),
    "purpose not supported": ({}, {"purpose": "LocalGeneration"}, (), 1, "UnsupportedPurpose"),
    "dynamic not supported": ({"dynamic": False}, {"chargingProfileKind": "Dynamic"}, (), 1, "UnsupportedKind"),
    "local time": ({}, {"schedule": {"useLocalTime": True}}, (), 1, "InvalidSchedule"),
    "randomised delay": ({}, {"schedule": {"randomizedDelay": 60}}, (), 1, "InvalidSchedule"),
    "limit at soc": ({}, {"schedule": {"limitAtSoC": {"soc": 80, "limit": 1}}}, (), 1, "InvalidSchedule"),
    "evse sleep": ({}, {}, ((0, {"limit": 0, "evseSleep": True}),), 1, "InvalidSchedule"),
    "limit per phase": ({"evses": AC}, {}, ((0, {"limit": 9000, "limit_L2": 1}),), 1, "PhaseConflict"),
    "setpoint per phase": ({}, {}, ((0, {**CENTRAL, "setpoint": 1, "setpoint_L2": 1}),), 1, "PhaseConflict"),
    "mode of the station": ({"modes": frozenset()}, {}, ((0, {**CENTRAL, "setpoint": 1}),), 1, "InvalidOperationMode"),
    "load balancing": ({}, {}, ((0, {"operationMode": "LocalLoadBalancing"}),), 1, "UnsupportedParam"),
    "frequency without curve": ({"modes": EVERY_MODE}, {}, ((0, LOCAL),), 1, "NoFreqWattCurve"),
    "frequency with one point": (
        {"modes": EVERY_MODE},
        {},
        ((0, {**LOCAL, "v2xFreqWattCurve": [{"frequency": 50, "power": 0}]}),),
        1,
        "NoFreqWattCurve",
    ),
    "frequency in amperes": (
        {"modes": EVERY_MODE},
        {"schedule": {"chargingRateUnit": "A"}},
        ((0, {**LOCAL, "v2xFreqWattCurve": [{"frequency": 50, "power": 0}, {"frequency": 51, "power": 1}]}),),
        1,
        "InvalidSchedule",
    ),
    "setpoint above its limit": ({}, {}, ((0, {**CENTRAL, "setpoint": 9, "limit": 5}),), 1, "InvalidSchedule"),
    "setpoint below its limit": (
        {},
        {},
        ((0, {**CENTRAL, "setpoint": -9, "dischargeLimit": -5}),),
        1,
        "InvalidSchedule",
    ),
    "external purpose": ({}, {"purpose": "ChargingStationExternalConstraints"}, (), 1, "InvalidProfile"),
    "maximum on an evse": ({}, {"purpose": "ChargingStationMaxProfile"}, (), 1, "InvalidProfile"),
    "relative maximum": (
        {},
        {
            "purpose": "ChargingStationMaxProfile",
            "chargingProfileKind": "Relative",
            "schedule": {"startSchedule": None},
        },
        (),
        0,
        "InvalidProfile",
    ),
    "relative with a start": ({}, {"chargingProfileKind": "Relative"}, (), 1, "InvalidSchedule"),
    "absolute without a start": ({}, {"schedule": {"startSchedule": None}}, (), 1, "InvalidSchedule"),
    "first period late": ({}, {}, ((60, 1),), 1, "InvalidSchedule"),
    "periods out of order": ({}, {}, ((0, 1), (120, 2), (60, 3)), 1, "InvalidSchedule"),
    "period beyond the duration": ({}, {"schedule": {"duration": 60}}, ((0, 1), (60, 2)), 1, "InvalidSchedule"),
    "phase without one phase": (
        {"evses": AC, "phase_switching": True},
        {},
        ((0, {"limit": 1, "numberPhases": 3, "phaseToUse": 1}),),
        1,
        "InvalidSchedule",
    ),
    "phase that can't be chosen": (
        {"evses": AC},
        {},
        ((0, {"limit": 1, "numberPhases": 1, "phaseToUse": 1}),),
        1,
        "InvalidSchedule",
    ),
    "phases on dc": ({}, {}, ((0, {"limit": 1, "numberPhases": 3}),), 1, "NoPhaseForDC"),
    "phases on a dc station": ({}, {}, ((0, {"limit": 1, "numberPhases": 3}),), 0, "NoPhaseForDC"),
    "priority with a duration": (
        {},
        {"purpose": "PriorityCharging", "schedule": {"duration": 60}},
        (),
        1,
        "InvalidSchedule",
    ),
    "priority with a mode": (
        {},
        {"purpose": "PriorityCharging"},
        ((0, {**CENTRAL, "setpoint": 1}),),
        1,
        "InvalidOperationMode",
    ),
    "idle with values": (
        {"modes": EVERY_MODE},
        {},
        ((0, {"operationMode": "Idle", "limit": 1}),),
        1,
        "InvalidSchedule",
    ),
    "dynamic with two periods": ({}, {"chargingProfileKind": "Dynamic"}, ((0, 1), (60, 2)), 1, "InvalidSchedule"),
    "dynamic fields elsewhere": ({}, {"dynUpdateInterval": 60}, (), 1, "InvalidProfile"),
    "negative limit": ({}, {}, ((0, -1),), 1, "InvalidSchedule"),
    "tx profile for nobody": ({}, TX, (), 1, "TxNotFound"),
    "tx profile on evse 0": ({}, TX, (), 0, "TxNotFound"),
    "tx profile without a transaction": ({}, {"purpose": "TxProfile"}, (), 1, "TxNotFound"),
}


@pytest.mark.parametrize(("plate", "fields", "periods", "evse_id", "reason"), CASES.values(), ids=CASES.keys())
def test_a_station_refuses_what_it_must(bench, profile, plate, fields, periods, evse_id, reason):
    station = bench(**plate)
    assert station.set(profile(*periods, **fields), evse_id) == reason
    assert station.station.profiles == ()


def test_a_201_station_may_refuse_a_negative_limit(bench, profile):
    station = bench(protocol=Protocol.V201, negative_limit=NegativeLimit.REJECT)
    assert station.set(profile((0, -1))) == "InvalidSchedule"


def test_a_frequency_curve_is_taken_where_the_mode_is_known(bench, profile):
    curve = [{"frequency": 50, "power": 0}, {"frequency": 51, "power": 1}]
    station = bench(modes=EVERY_MODE)
    assert station.set(profile((0, {**LOCAL, "v2xBaseline": 0, "v2xFreqWattCurve": curve}))) == "Accepted"


def test_one_slot_holds_one_profile(bench, profile):
    station = bench()
    station.set(profile(id=10))
    assert station.set(profile(id=11)) == "DuplicateProfile"
    assert station.set(profile(id=11), 0) == "DuplicateProfile"
    assert station.set(profile(id=11, level=2)) == "Accepted"


def test_profiles_of_one_slot_may_follow_one_another(bench, profile):
    station = bench()
    station.set(profile(id=10, validTo="2026-06-02T00:00:00Z"))
    assert station.set(profile(id=11, validFrom="2026-06-02T00:00:00Z")) == "Accepted"


def test_a_full_station_still_replaces(bench, profile):
    station = bench(max_profiles=1)
    assert [station.set(profile()), station.set(profile((0, 1)))] == ["Accepted", "Accepted"]


def test_an_external_constraint_keeps_its_id(bench, profile):
    station = bench()
    external = Profile(**{**as_profile(station, profile), "purpose": Purpose.EXTERNAL})
    station.station.inject(external, station.now)
    assert station.set(profile()) == "InvalidProfileId"


def as_profile(station, profile):
    station.set(profile())
    (held,) = station.station.profiles
    station.station.release(held.id, station.now)
    return {name: getattr(held, name) for name in held.__slots__}


def test_a_tx_profile_is_taken_for_the_transaction_that_runs(bench, profile):
    station = bench()
    transaction = station.events("Started")[0]["transactionInfo"]["transactionId"]
    assert station.set(profile(purpose="TxProfile", transactionId=transaction)) == "Accepted"


def test_a_tx_profile_waits_for_the_needs_of_the_vehicle(bench, profile, protocol):
    station = bench(connect=False, iso15118=True, protocol=protocol)
    station.station.connected(station.now)
    boot = station.station.next_call(station.now)
    station.station.answered(boot, {"status": "Accepted", "interval": 60}, station.now)
    transaction = station.station.bay(1).transaction.id
    early = profile(purpose="TxProfile", transactionId=transaction)
    assert station.set(early) == "InvalidMessageSeq"
    station.listen()
    assert station.set(early) == "Accepted"


def test_writes_too_close_to_one_another_are_refused_and_the_try_counts(bench, profile):
    station = bench(update_rate_limit=timedelta(seconds=60))
    assert station.set(profile()) == "Accepted"
    station.wait(45)
    refused = station.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile()})
    assert refused["statusInfo"] == {"reasonCode": "RateLimitExceeded", "additionalInfo": "15 seconds before retry"}
    station.wait(45)
    assert station.set(profile()) == "RateLimitExceeded"
    station.wait(60)
    assert station.set(profile()) == "Accepted"


def test_profiles_of_transactions_are_not_rationed(bench, profile):
    station = bench(update_rate_limit=timedelta(seconds=60))
    transaction = station.events("Started")[0]["transactionInfo"]["transactionId"]
    mine = profile(purpose="TxProfile", transactionId=transaction)
    assert [station.set(mine), station.set(mine)] == ["Accepted", "Accepted"]


def test_a_station_rejects_to_order(bench, profile):
    assert bench(faults=Faults(reject="OutOfMemory")).set(profile()) == "OutOfMemory"


def test_a_station_that_is_not_accepted_takes_no_profile(bench, profile):
    assert bench(connect=False).set(profile()) == "CSNotAccepted"


@pytest.mark.parametrize(
    ("version", "code"),
    [(Protocol.V201, ErrorCode.NOT_IMPLEMENTED), (Protocol.V21, ErrorCode.NOT_SUPPORTED)],
)
def test_a_station_without_smart_charging_says_so(bench, profile, version, code):
    reply = bench(smart_charging=False, protocol=version).ask("SetChargingProfile", {})
    assert isinstance(reply, Refusal)
    assert reply.code == code


def test_what_is_no_profile_is_a_violation(bench, profile):
    wrong = profile(validTo="9999-12-31T23:59:59-23:00")
    reply = bench().ask("SetChargingProfile", {"evseId": 1, "chargingProfile": wrong})
    assert isinstance(reply, Refusal)
    assert reply.code == ErrorCode.PROPERTY
