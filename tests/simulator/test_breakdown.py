"""An EVSE that faults says so, and lets nothing flow until it is mended."""


def statuses(said):
    return [payload["connectorStatus"] for action, payload in said if action == "StatusNotification"]


def test_a_broken_evse_tells_its_fault_and_lets_nothing_flow(bench, profile):
    made = bench()
    made.set(profile((0, 7000)))
    made.wait(60)
    assert made.power_w() == 7000
    made.station.break_down(1, made.now)
    made.wait(60)
    assert (statuses(made.listen()), made.power_w()) == (["Faulted"], 0)
    made.station.break_down(1, made.now, broken=False)
    made.wait(60)
    assert (statuses(made.listen()), made.power_w()) == (["Occupied"], 7000)


def test_a_fault_outlasts_a_reboot_and_is_told_again(bench):
    made = bench()
    made.station.break_down(1, made.now)
    made.station.reboot(made.now)
    made.station.connected(made.now)
    assert statuses(made.listen()) == ["Faulted"]
