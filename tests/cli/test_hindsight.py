"""Why a bus discharged at 18:10: what was sent is made again from its commit, and proved by the kept digest."""

import asyncio
from datetime import timedelta

import pytest

from reconciler.cli.hindsight import Asked, look_back, revive
from reconciler.cli.retrospect import MOST_EVENTS, write_past
from reconciler.errors import UsageError
from reconciler.profiles.capability import Capability, Protocol
from reconciler.reported.events import Refused
from reconciler.rollout.lines import recent
from toys import NOON, ToyFleet, revision, shipped

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SAID = object()
NEEDS_MAX_OFFLINE = (
    "{% if max_offline is none and evse.discharge_w %}{{ 1 // 0 }}{% endif %}" + shipped()["schedule.yaml.j2"]
)
FEEDING, RESTING = revision(commit="feed0001"), revision(((0, 3), (5, 2)), commit="rest0002")


@pytest.fixture
def fleet():
    return ToyFleet().load(FEEDING).connect().run()


def explain(fleet, identity, at, *, known=(FEEDING, RESTING), capability=SAID):
    """Ask as the command does; the answer is what it prints as well, for both must stand on the same."""
    if capability is SAID:
        capability = fleet.world.stations[identity.casefold()].capability
    lines = sorted((*fleet.history, *fleet.intents, *fleet.echoes), key=lambda each: each.at)

    async def ask(question):
        return recent(lines, len(lines), question)

    async def find(commit):
        made = next((each for each in known if each.commit == commit), None)
        return revive(made.snapshot, shipped()) if made else None

    view = asyncio.run(look_back(ask, find, Asked(identity, at, capability)))
    return view, "\n".join(write_past(view))


def test_the_power_the_line_and_the_write_of_an_instant_gone_by(fleet):
    fleet.run(8 * HOUR)
    view, text = explain(fleet, "A-1", NOON + 2 * HOUR)  # 15:00 in Amsterdam
    (evse,) = view["evses"]
    assert (evse["told"]["setpointW"], evse["told"]["asSent"]) == (-7000, True)
    assert evse["source"]["source"]["schedule"] == "a"
    assert text.startswith("A-1 at 2026-03-03 15:00:00 Europe/Amsterdam\nEVSE 1: setpoint -7 kW\n")
    for words in (
        "a, window 14:00-18:00, priority 10, group a, asks for -7 kW until 2026-03-03 18:00:00, at fleet.yaml:",
        'commit feed0001 "toys" by Ada',
        "Accepted in",
        "as sent",
        "made again it is what was sent",
    ):
        assert words in text.replace("\n    ", " ")


def test_the_end_of_a_lease_is_not_passed_off_as_that_of_a_window(fleet):
    long = revision(
        commit="feed0001",
        swap=(
            ('from: "14:00", to: "18:00"', 'from: "14:00", to: "17:00"'),
            ('from: "18:00", to: "22:00"', 'from: "18:00", to: "24:00"'),
        ),
    )
    fleet = ToyFleet().load(long).connect().run()
    view, text = explain(fleet, "A-1", NOON + 8 * HOUR, known=(long,))
    assert view["evses"][0]["source"]["to"] == view["evses"][0]["leaseEnds"]
    assert "asks for 3 kW, at fleet.yaml" in " ".join(text.split())


def test_the_place_is_that_of_the_window_and_not_of_the_document(fleet):
    view, _ = explain(fleet, "A-1", NOON + 2 * HOUR)
    later, _ = explain(fleet.run(8 * HOUR), "A-1", NOON + 6 * HOUR)
    places = [each["evses"][0]["source"]["source"]["place"] for each in (view, later)]
    lines = FEEDING.snapshot.files["fleet.yaml"].splitlines()
    spoken = [lines[int(place.split(":")[1]) - 1] for place in places]
    assert ["-7 kW" in spoken[0], "power: 3 kW" in spoken[1]] == [True, True]


def test_an_older_commit_speaks_for_the_time_in_which_it_was_in_force(fleet):
    fleet.run(HOUR)
    changed = fleet.now
    fleet.load(RESTING).run(8 * HOUR)
    before, after = (explain(fleet, "A-1", changed + each)[0]["evses"][0] for each in (timedelta(0), 10 * MINUTE))
    assert (before["write"]["revision"], before["told"]["setpointW"]) == ("feed0001", -7000)
    assert (after["write"]["revision"], after["told"]["mostImportW"]) == ("rest0002", 0)
    assert before["told"]["asSent"]
    assert after["told"]["asSent"]


def test_a_write_that_was_refused_is_told_and_did_not_change_what_was_in_force(fleet):
    fleet.stations["A-1"].refuses[1011] = Refused("InvalidSchedule")
    fleet.load(RESTING).run(HOUR)
    view, text = explain(fleet, "A-1", fleet.now)
    assert view["evses"][0]["write"]["revision"] == "feed0001"
    assert any("InvalidSchedule" in each.get("answer", "") for each in view["since"])
    assert "Rejected: InvalidSchedule" in " ".join(text.split())


def test_after_the_lease_of_the_last_write_nothing_was_to_flow(fleet):
    fleet.disconnect("A-1")
    fleet.run(4 * 24 * HOUR)
    view, text = explain(fleet, "A-1", fleet.now)
    assert view["evses"][0]["told"]["mostImportW"] == 0
    assert "its lease had ended at 2026-03-" in text
    assert "nothing was to flow" in text


def test_a_profile_that_was_cleared_speaks_no_more(fleet):
    fleet.load(revision(commit="none0003", swap=(("schedules: [{schedule: a, priority: 10}]", "schedules: []"),)))
    fleet.run(HOUR)
    view, text = explain(fleet, "A-1", fleet.now)
    assert view["evses"][0]["write"]["action"] == "ClearChargingProfile"
    assert "had been cleared" in text


def test_what_comes_out_otherwise_today_is_not_passed_off_as_what_was_sent(fleet):
    stronger = revision(((-9, 3), (5, 2)), commit="feed0001")
    view, text = explain(fleet, "A-1", NOON + HOUR, known=(stronger,))
    assert view["evses"][0]["told"]["asSent"] is False
    assert "made again it differs from what was sent then" in text


def test_a_station_that_never_said_what_it_can_is_taken_at_its_manifests_word(fleet):
    view, _ = explain(fleet, "A-1", NOON + HOUR, capability=None)
    assert view["evses"][0]["told"]["setpointW"] == -7000


def test_a_commit_that_knows_neither_the_station_nor_its_profile_leaves_the_write(fleet):
    others = revision(commit="feed0001", swap=(('identities: "A-{1..2}"', 'identities: "C-{1..2}"'),))
    idle = revision(commit="feed0001", swap=(("schedules: [{schedule: a, priority: 10}]", "schedules: []"),))
    broken = revision(commit="feed0001", extra=NEEDS_MAX_OFFLINE)
    for known in (others, idle, broken):
        view, text = explain(fleet, "A-1", NOON + HOUR, known=(known,), capability=Capability(Protocol.V21))
        assert view["evses"][0]["told"] is None
        assert "can't be made again" in text


def test_a_commit_that_is_kept_no_more_leaves_what_the_history_says(fleet):
    view, text = explain(fleet, "A-1", NOON + HOUR, known=())
    assert (view["evses"][0]["told"], view["evses"][0]["source"]) == (None, None)
    assert "can't be made again" in text
    assert "commit feed0001 by Ada" in text


def test_every_evse_is_told_of_by_itself(fleet):
    view, _ = explain(fleet, "B-1", NOON + 2 * HOUR)
    assert [(each["evseId"], each["told"]["mostImportW"]) for each in view["evses"]] == [(1, 5000), (2, 5000)]


def test_a_boot_between_the_write_and_the_instant_is_told(fleet):
    fleet.boot("A-1", keep=True)
    fleet.run(HOUR)
    _, text = explain(fleet, "A-1", fleet.now)
    assert "BootNotification" in text


def test_a_station_without_schedules_has_no_write_to_tell_of():
    bare = revision(swap=(("schedules: [{schedule: a, priority: 10}]", "schedules: []"),))
    fleet = ToyFleet().load(bare).connect().run()
    view, text = explain(fleet, "A-1", fleet.now)
    assert view["evses"] == []
    assert "no write to its EVSEs is kept from before then" in text


def test_before_the_first_line_nothing_can_be_told(fleet):
    with pytest.raises(UsageError, match="nothing about 'A-1' before"):
        explain(fleet, "A-1", NOON - HOUR)


def test_what_the_station_steers_by_itself_is_told_by_its_bounds(fleet):
    modes = ("maxOffline: true}", "maxOffline: true, modes: [local-load-balancing]}")
    steered = revision(commit="feed0001", swap=(("power: -7 kW}", "mode: local-load-balancing}"), modes))
    _, text = explain(fleet, "A-1", NOON + 2 * HOUR, known=(steered,), capability=None)
    assert "EVSE 1: between -11 kW and 11 kW" in text


def test_of_many_events_the_last_are_told_and_the_rest_counted(fleet):
    for _ in range(30):
        fleet.boot("A-1", keep=True)
        fleet.run(MINUTE)
    view, text = explain(fleet, "A-1", fleet.now)
    assert text.count("BootNotification") == MOST_EVENTS - text.count("verified")
    assert f"... and {len(view['since']) - MOST_EVENTS} more" in text
