from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from reconciler.ocpp import inventory, v201
from reconciler.ocpp.inventory import Complete, Inventory, Patience, Unknown

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATIENCE = Patience()


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def part(evse_id=1, profile_id=1, tbc=False, source="CSO", request_id=7, **fields):
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}]}
    profile = {
        "id": profile_id,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }
    return {
        "requestId": request_id,
        "evseId": evse_id,
        "chargingLimitSource": source,
        "tbc": tbc,
        "chargingProfile": [profile],
    } | fields


def asked():
    return Inventory(7, NOW)


def ids(outcome):
    return [(one.profile.evse_id, one.profile.id, one.source) for one in outcome.profiles]


def test_an_inventory_is_complete_when_nothing_followed_the_last_part():
    one = asked().answered("Accepted", after(1)).told(part(), after(1))
    assert one.outcome(after(1.2), v201) is None
    assert one.due == after(1.3)
    assert ids(one.outcome(after(1.3), v201)) == [(1, 1, "CSO")]


def test_parts_and_answer_may_come_in_any_order():
    steps = ["answer", part(0, 1, tbc=True), part(1, 2, tbc=True, source="EMS"), part(1, 3)]
    found = set()
    for order in permutations(steps):
        one = asked()
        for step in order:
            one = one.answered("Accepted", after(1)) if step == "answer" else one.told(step, after(1))
        found.add(tuple(ids(one.outcome(after(12), v201))))
    assert found == {((0, 1, "CSO"), (1, 3, "CSO"), (1, 2, "EMS"))}


def test_after_a_part_that_announces_more_the_wait_is_longer_and_then_what_there_is_counts():
    one = asked().answered("Accepted", after(1)).told(part(tbc=True), after(1))
    assert one.outcome(after(10), v201) is None
    assert len(one.outcome(after(11), v201).profiles) == 1


def test_a_part_that_wrongly_says_it_is_the_last_does_not_cut_off_those_behind_it():
    one = asked().answered("Accepted", after(1)).told(part(profile_id=1), after(1)).told(part(profile_id=2), after(1.2))
    assert one.outcome(after(1.4), v201) is None
    assert len(one.outcome(after(1.5), v201).profiles) == 2


def test_a_station_that_says_it_holds_none_holds_none():
    one = asked().answered("NoProfiles", after(1))
    assert one.outcome(after(1), v201) == Complete(())


def test_accepted_without_a_report_is_unknown_and_not_empty():
    one = asked().answered("Accepted", after(1))
    assert one.outcome(after(59), v201) is None
    assert one.outcome(after(60), v201) == Unknown("Accepted, but nothing was reported")


def test_reports_without_an_answer_are_unknown():
    one = asked().told(part(), after(1))
    assert one.outcome(after(59), v201) is None
    assert one.outcome(after(60), v201) == Unknown("GetChargingProfiles was not answered")
    assert asked().due == after(60)


def test_another_status_is_unknown_at_once():
    assert asked().answered("Rejected", NOW).outcome(NOW, v201) == Unknown("GetChargingProfiles was answered Rejected")


def test_reports_of_other_requests_and_doubles_change_nothing():
    one = asked().answered("Accepted", after(1)).told(part(), after(1))
    assert one.told(part(), after(5)) == one
    assert one.told(part(request_id=8), after(5)) == one


def test_of_one_id_the_part_that_came_last_counts():
    one = asked().answered("Accepted", after(1)).told(part(tbc=True), after(1)).told(part(), after(1))
    assert len(one.outcome(after(12), v201).profiles) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"evseId": "1"},
        {"chargingLimitSource": None},
        {"chargingProfile": {}},
        {"chargingProfile": [1]},
        {"chargingProfile": [{"id": 1}]},
    ],
)
def test_a_profile_that_can_not_be_read_makes_the_whole_unknown(broken):
    one = asked().answered("Accepted", after(1)).told(part(**broken), after(1))
    outcome = one.outcome(after(12), v201)
    assert outcome.permanent
    assert "can't be read" in outcome.why


def test_reports_that_never_end_are_unknown():
    one = asked().answered("Accepted", after(1))
    for second in range(2, 200):
        one = one.told(part(profile_id=second, tbc=True), after(second))
    assert one.due == after(180)
    assert one.outcome(after(180), v201) == Unknown("the reports did not come to an end")


def test_more_parts_than_any_station_has_are_not_kept():
    one = asked().answered("Accepted", NOW)
    for number in range(inventory.MAX_PARTS + 5):
        one = one.told(part(profile_id=number), NOW)
    assert len(one.parts) == inventory.MAX_PARTS + 1
    assert one.outcome(after(1), v201) == Unknown("the reports did not come to an end")


def test_more_profiles_than_any_station_has_are_not_taken():
    many = [part(profile_id=number)["chargingProfile"][0] for number in range(inventory.MAX_PROFILES + 1)]
    one = asked().answered("Accepted", NOW).told(part(chargingProfile=many), NOW)
    assert one.outcome(after(1), v201).permanent
