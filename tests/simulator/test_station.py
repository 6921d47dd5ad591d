"""A station's life: boot, transactions, meters, reboots, and what it tells of them."""

from datetime import timedelta

import pytest

from reconciler.ocpp.answers import Admission
from reconciler.profiles.capability import Protocol
from reconciler.simulator.ev import Vehicle
from reconciler.simulator.faults import Faults
from reconciler.simulator.messages import Request
from reconciler.simulator.nameplate import EvsePlate
from reconciler.simulator.outbox import BOOT_RETRY, MOST_QUEUED, NO_HEARTBEAT, Boot

HUGE = Vehicle(battery_wh=10_000_000)


def actions(heard):
    return [action for action, _ in heard]


def samples(event):
    return {one["measurand"]: one["value"] for one in event["meterValue"][0]["sampledValue"]}


def test_a_station_boots_before_it_says_anything_else(bench):
    station = bench(connect=False)
    assert station.listen() == []
    station.station.connected(station.now)
    heard = actions(station.listen())
    assert heard[0] == "BootNotification"
    assert sorted(heard[1:]) == ["StatusNotification", "TransactionEvent", "TransactionEvent"]
    assert station.station.outbox.boot is Boot.ACCEPTED


def test_nothing_is_said_while_the_boot_is_unanswered(bench):
    station = bench(None, connect=False)
    station.station.connected(station.now)
    boot = station.station.next_call(station.now)
    assert station.station.next_call(station.now) is None
    assert station.station.outbox.due is None
    station.station.unanswered(boot, station.now)
    assert station.station.next_change(station.now) == station.now + BOOT_RETRY


@pytest.mark.parametrize(("interval", "wait_s"), [(30, 30), (0, 10)])
def test_a_station_that_is_not_accepted_tries_again_later(bench, interval, wait_s):
    station = bench(connect=False)
    station.station.connected(station.now)
    station.listen(Admission("Pending", interval))
    station.wait(wait_s - 1)
    assert station.listen() == []
    station.wait(1)
    assert actions(station.listen())[0] == "BootNotification"


def test_a_refused_boot_is_tried_again_and_other_refusals_are_not(bench):
    station = bench(connect=False)
    station.station.connected(station.now)
    station.station.unanswered(station.station.next_call(station.now), station.now, refused=True)
    station.wait(10)
    station.listen()
    station.station.unanswered(Request("TransactionEvent", {}), station.now, refused=True)
    assert station.listen() == []


def test_a_reconnect_is_no_boot_and_a_long_silence_tells_the_connectors(bench):
    station = bench(None)
    for silence, told in ((30, []), (90, ["StatusNotification"])):
        station.station.disconnected(station.now)
        station.wait(silence)
        station.station.connected(station.now)
        assert actions(station.listen()) == told


def test_heartbeats_come_after_silence_only(bench):
    station = bench(None)
    station.wait(299)
    station.ask("TriggerMessage", {"requestedMessage": "StatusNotification"})
    assert actions(station.listen()) == ["StatusNotification"]
    station.wait(299)
    assert station.listen() == []
    station.wait(1)
    assert station.listen() == [("Heartbeat", {})]


def test_a_transaction_starts_is_told_and_ends(bench, protocol):
    station = bench(HUGE, protocol=protocol)
    station.wait(3600)
    station.station.unplug(1, station.now)
    events = station.events()
    assert [event["eventType"] for event in events] == ["Started", "Updated", "Updated", "Ended"]
    assert [event["seqNo"] for event in events] == [0, 1, 2, 3]
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    assert [event["transactionInfo"]["chargingState"] for event in events] == [
        "EVConnected",
        "Charging",
        "Charging",
        "Idle",
    ]
    assert events[2]["triggerReason"] == "ChargingRateChanged"
    assert events[3]["transactionInfo"]["stoppedReason"] == "EVDisconnected"
    assert station.power_w() == 0


def test_the_second_transaction_has_another_id(bench):
    station = bench(HUGE)
    first = station.events("Started")[0]
    station.wait(60)
    station.station.plug(1, HUGE, station.now)
    assert [event["eventType"] for event in station.events()][-3:] == ["Ended", "Started", "Updated"]
    second = station.events("Started")[1]
    assert first["transactionInfo"]["transactionId"] != second["transactionInfo"]["transactionId"]


def test_a_tx_profile_ends_with_its_transaction(bench, profile):
    station = bench(HUGE)
    transaction = station.events("Started")[0]["transactionInfo"]["transactionId"]
    station.set(profile(purpose="TxProfile", transactionId=transaction))
    station.set(profile(id=11))
    station.station.unplug(1, station.now)
    assert [held.id for held in station.station.profiles] == [11]


def test_meters_tell_power_by_direction_energy_and_charge(bench, profile, setpoint):
    station = bench(Vehicle(battery_wh=100_000), ramp_w_per_s=1e9)
    station.set(profile((0, setpoint(-5000)), (3600, setpoint(4000))))
    station.wait(1800)
    station.ask("TriggerMessage", {"requestedMessage": "TransactionEvent"})
    assert samples(station.events()[-1]) == {
        "Power.Active.Import": 0,
        "Power.Active.Export": 5000,
        "Energy.Active.Import.Register": 0,
        "Energy.Active.Export.Register": 2500,
        "SoC": 47.5,
    }
    station.wait(3600)
    station.ask("TriggerMessage", {"requestedMessage": "TransactionEvent"})
    told = samples(station.events()[-1])
    assert (told["Power.Active.Import"], told["Energy.Active.Import.Register"]) == (4000, 2000)


def test_meters_speak_periodically_while_a_transaction_runs(bench):
    station = bench(HUGE, metering=timedelta(seconds=60))
    station.wait(60)
    station.listen()
    change = station.station.next_change(station.now)
    assert change - station.now <= timedelta(seconds=60)
    station.now = change
    station.station.tick(change)
    assert station.events()[-1]["triggerReason"] == "MeterValuePeriodic"
    assert station.station.next_change(station.now) == change + timedelta(seconds=60)


def test_after_a_jump_in_time_the_meter_speaks_once(bench):
    station = bench(HUGE, metering=timedelta(seconds=60))
    station.wait(86_400)
    told = [event["triggerReason"] for event in station.events()]
    assert told.count("MeterValuePeriodic") == 1


def test_nothing_is_metered_at_an_empty_evse(bench):
    station = bench(None, metering=timedelta(seconds=60))
    station.wait(120)
    assert station.events() == []
    assert station.station.next_change(station.now) > station.now + timedelta(seconds=60)


def test_a_mode_that_changes_is_told_on_21_only(bench, profile, setpoint, protocol):
    v21 = protocol is Protocol.V21
    station = bench(HUGE, protocol=protocol)
    station.set(profile((0, 5000), (600, setpoint(5000) if v21 else 5000)))
    station.wait(601)
    triggers = [event["triggerReason"] for event in station.events()]
    assert ("OperationModeChanged" in triggers) is v21


def test_a_suspended_vehicle_is_told(bench, profile):
    station = bench(HUGE)
    station.set(profile((0, 0)))
    assert station.events()[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"


def test_what_happens_offline_is_told_later_and_marked(bench, profile):
    station = bench(HUGE)
    station.set(profile((0, 5000), (600, 0)))
    station.wait(60)
    station.listen()
    station.station.disconnected(station.now)
    station.wait(600)
    assert station.station.next_call(station.now) is None
    station.station.connected(station.now)
    events = [payload for action, payload in station.listen() if action == "TransactionEvent"]
    assert events
    assert all(event["offline"] for event in events)


def test_an_event_lost_with_the_connection_is_told_again(bench):
    station = bench(connect=False)
    station.station.connected(station.now)
    boot = station.station.next_call(station.now)
    station.station.answered(boot, {"status": "Accepted", "interval": 60}, station.now)
    lost = station.station.next_call(station.now)
    station.station.disconnected(station.now)
    station.station.unanswered(lost, station.now)
    station.station.connected(station.now)
    again = station.station.next_call(station.now)
    assert (again.payload["seqNo"], again.payload["offline"]) == (lost.payload["seqNo"], True)


def test_an_event_that_is_never_answered_is_given_up(bench):
    station = bench()
    station.ask("TriggerMessage", {"requestedMessage": "TransactionEvent"})
    for _ in range(3):
        station.station.unanswered(station.station.next_call(station.now), station.now)
    assert station.station.next_call(station.now) is None


def test_what_can_not_be_kept_for_ever_is_dropped_meters_first(bench):
    station = bench(HUGE)
    outbox = station.station.outbox
    outbox.add(Request("MeterValues", {}))
    outbox.add(Request("TransactionEvent", {"triggerReason": "MeterValuePeriodic"}))
    for _ in range(MOST_QUEUED):
        outbox.add(Request("Heartbeat", {}))
    first = station.station.next_call(station.now)
    assert first.action == "Heartbeat"
    outbox.set_heartbeat(0, station.now)
    assert outbox.heartbeat == NO_HEARTBEAT


@pytest.mark.parametrize(("keeps", "left"), [(True, [11]), (False, [])])
def test_a_reboot_ends_transactions_and_may_lose_the_memory(bench, profile, keeps, left):
    station = bench(HUGE)
    transaction = station.events("Started")[0]["transactionInfo"]["transactionId"]
    station.set(profile(purpose="TxProfile", transactionId=transaction))
    station.set(profile(id=11))
    station.wait(60)
    station.station.reboot(station.now, keep_memory=keeps)
    assert [held.id for held in station.station.profiles] == left
    station.wait(5)
    station.station.connected(station.now)
    assert actions(station.listen())[0] == "BootNotification"
    ended = station.events("Ended")[-1]
    assert ended["transactionInfo"]["stoppedReason"] == "Reboot"
    assert station.events("Started")[-1]["transactionInfo"]["transactionId"] != transaction
    station.wait(60)
    assert station.power_w() == (5000 if keeps else 22_000)


def test_a_reboot_does_not_charge_the_battery(bench):
    station = bench(Vehicle(battery_wh=100_000, soc=0.5))
    station.wait(3600)
    before = station.station.bay(1).battery.soc
    station.station.reboot(station.now)
    assert station.station.bay(1).battery.soc == before > 0.5


@pytest.mark.parametrize(("plate", "faults"), [({"keeps_memory": False}, Faults()), ({}, Faults(amnesia=True))])
def test_some_stations_forget_on_their_own(bench, profile, plate, faults):
    station = bench(None, faults=faults, **plate)
    station.set(profile())
    station.station.reboot(station.now)
    assert station.station.profiles == ()


def test_a_refused_energy_transfer_ends_the_transaction_on_21(bench, protocol):
    station = bench(HUGE, connect=False, iso15118=True, protocol=protocol, evses=(EvsePlate(1, 22_000, 0, 3),))
    station.station.connected(station.now)
    station.station.answered(station.station.next_call(station.now), {"status": "Accepted"}, station.now)
    needs = next(
        one for _ in range(9) if (one := station.station.next_call(station.now)).action == "NotifyEVChargingNeeds"
    )
    station.station.answered(needs, {"status": "Rejected"}, station.now)
    assert (station.station.bay(1).transaction is None) is (protocol is Protocol.V21)


def test_needs_that_are_answered_too_late_change_nothing(bench):
    station = bench(HUGE, iso15118=True)
    station.station.unplug(1, station.now)
    station.station.answered(Request("NotifyEVChargingNeeds", {"evseId": 1}), {"status": "Rejected"}, station.now)
    assert station.station.bay(1).transaction is None


def test_an_idle_station_wakes_for_its_heartbeat_only(bench):
    station = bench(None)
    assert station.station.next_change(station.now) == station.now + timedelta(seconds=300)
    station.station.disconnected(station.now)
    assert station.station.next_change(station.now) is None


def test_time_does_not_go_back(bench):
    station = bench(HUGE)
    station.wait(3600)
    before = station.station.energy_wh(1, station.now)
    station.station.tick(station.now - timedelta(hours=1))
    assert station.station.energy_wh(1, station.now - timedelta(minutes=1)) == before


def test_a_fast_clock_keeps_the_pace_of_words(bench):
    station = bench(HUGE, metering=timedelta(seconds=60))
    station.station.outbox.tempo = 100.0
    station.station.set_metering(60, station.now)
    station.wait(60)
    station.listen()
    assert station.station.next_change(station.now) == station.now + timedelta(seconds=5940)
