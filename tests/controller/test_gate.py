"""The site's gate: what would break a cap waits, is told why, and is asked again."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from reconciler.controller.gate import ASK_AGAIN, allows, load_now, release, wait
from reconciler.controller.world import World
from reconciler.plan.change import Clear, Install
from reconciler.reported.events import Metered
from reconciler.rollout.commands import Clear as ClearCommand
from reconciler.rollout.commands import Push, ReadProfiles
from reconciler.rollout.site import NOTHING
from toys import IDENTITIES, NOON, ToyFleet, revision, stranger

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOW, HIGH = ((1, 1), (1, 1)), ((9, 9), (1, 1))
CAPS = (24, 24)


def settled(powers=LOW, caps=CAPS):
    return ToyFleet().load(revision(powers, caps)).connect().run()


def greedy(number=1500, level=5, limit=Decimal(22_000), evse_id=1):
    return Install(stranger(number, evse_id, level, limit), "by test")


def test_what_keeps_the_caps_may_go():
    assert allows(settled().world, "a-1", greedy(limit=Decimal(9000)), NOON) is None


def test_what_breaks_a_cap_waits_and_is_told_why():
    fleet = settled()
    fleet.stations["A-2"].others[7] = (stranger(7, 1, 8, Decimal(11_000)), "CSO")
    fleet.stations["B-1"].others[7] = (stranger(7, 0, 8, Decimal(11_000)), "CSO")
    fleet.run(20 * MINUTE)
    closed = allows(fleet.world, "a-1", greedy(limit=Decimal(9000)), fleet.now)
    assert closed.why.startswith("the site's cap: ")
    assert "of 24.0 kW import at 2026-03-03 12:2" in closed.why
    assert closed.at == fleet.now + ASK_AGAIN


def test_what_raises_nothing_is_never_held_up():
    fleet = settled()
    fleet.stations["A-2"].others[7] = (stranger(7, 1, 8, Decimal(11_000)), "CSO")
    fleet.stations["B-1"].others[7] = (stranger(7, 0, 8, Decimal(11_000)), "CSO")
    fleet.run(20 * MINUTE)
    assert allows(fleet.world, "a-1", greedy(limit=Decimal(0)), fleet.now) is None


def test_a_clear_that_frees_flow_is_weighed_like_any_write():
    fleet = settled(HIGH)
    for identity in ("A-1", "A-2"):
        fleet.stations[identity].held[1500] = stranger(1500, 1, 5, Decimal(0))
    world = fleet.world
    assert world.site_of("a-1") == "yard"
    held = fleet.station("A-1").reported.held[1011].profile
    assert allows(world, "a-1", Clear(held, "by test"), NOON) is None
    fleet.run(30 * MINUTE)  # the two are cleared one after the other, since both fit
    assert all(fleet.state(each) == "in-sync" for each in IDENTITIES)


def test_without_site_or_revision_there_is_no_gate():
    fleet = settled()
    apart = revision(
        LOW, CAPS, commit="c2", swap=(("{site: yard, select: {labels: {row: b}}", "{select: {labels: {row: b}}"),)
    )
    fleet.load(apart).run()
    assert fleet.world.site_of("b-1") is None
    assert allows(fleet.world, "b-1", greedy(), NOON) is None
    assert wait(fleet.world, "b-1") is fleet.world
    assert release(fleet.world, "b-1") is fleet.world
    assert allows(World(), "a-1", greedy(), NOON) is None


def test_a_station_at_a_closed_gate_is_asked_again_whatever_happens_meanwhile():
    fleet = settled(LOW)
    other = fleet.stations["B-1"]
    other.others[7] = (stranger(7, 0, 8, Decimal(11_000)), "CSO")
    fleet.run(20 * MINUTE)
    fleet.load(revision(HIGH, CAPS, commit="c2")).run(30 * MINUTE)
    assert (fleet.state("A-1"), fleet.state("A-2")) == ("pending", "pending")
    assert all("the site's cap" in fleet.why(each) for each in ("A-1", "A-2"))
    for second in range(40):
        fleet.feed(Metered("A-1", 1, Decimal(second), fleet.now))
        fleet.run(timedelta(seconds=7))
    other.others.clear()
    fleet.run(25 * MINUTE)
    assert all(fleet.state(each) == "in-sync" for each in IDENTITIES)


def test_who_waits_at_a_gate_is_freed_when_another_goes_down():
    fleet = settled(((9, 9), (2, 2)))
    fleet.load(revision(((2, 2), (9, 9)), (38, 24), commit="c2")).run(5 * MINUTE)
    assert all(fleet.state(each) == "in-sync" for each in IDENTITIES)
    assert fleet.station("B-1").verified.revision == "c2"


def test_a_closed_gate_does_not_keep_a_station_from_confirming_what_it_has_taken():
    fleet = settled(LOW)
    fleet.stations["A-2"].others[7] = (stranger(7, 1, 8, Decimal(11_000)), "CSO")
    fleet.stations["B-1"].others[7] = (stranger(7, 2, 8, Decimal(11_000)), "CSO")
    fleet.run(20 * MINUTE)
    del fleet.stations["B-1"].held[1001]  # its ceiling is lost, while its flow may not be raised
    fleet.load(revision(((1, 1), (9, 9)), CAPS, commit="c2")).run(30 * MINUTE)
    assert not fleet.station("B-1").reported.unread
    assert 1001 in fleet.stations["B-1"].held
    assert "the site's cap" in fleet.why("B-1")


def test_a_station_that_was_never_read_counts_with_what_is_desired_of_it():
    fleet = ToyFleet().load(revision(((9, 9), (1, 1)), CAPS)).connect("B-1").run()
    planned = fleet.world.revision.planned("a-1", NOON.replace(hour=0))
    assert planned.draw.at(NOON + 3 * HOUR) == 9000
    assert planned.draw.at(NOON + 3 * HOUR + timedelta(days=6)) == 9000, "whatever lease it may get"
    assert fleet.world.revision.planned("a-2", NOON.replace(hour=0)) is planned
    assert "a-1" not in fleet.world.loads
    closed = allows(fleet.world, "b-1", greedy(evse_id=0), NOON + 2 * HOUR)
    assert "import" in closed.why


def test_a_load_counts_what_is_on_its_way_until_it_was_read_back():
    fleet = settled(LOW)
    station = fleet.station("A-1")
    known = load_now(fleet.world, "a-1", station, fleet.now)
    assert known == fleet.world.loads["a-1"]
    sending = replace(station, in_flight=Push("A-1", greedy(limit=Decimal(9000)).new, station.capability))
    raised = load_now(fleet.world, "a-1", sending, fleet.now)
    assert raised.draw.at(fleet.now) == 9000
    clearing = replace(station, in_flight=ClearCommand("A-1", 1000))
    assert load_now(fleet.world, "a-1", clearing, fleet.now).draw.at(fleet.now) == 0, "level 1 is there still"
    reading = replace(station, in_flight=ReadProfiles("A-1"))
    assert load_now(fleet.world, "a-1", reading, fleet.now) == known


def test_whom_the_fleet_does_not_list_has_no_load():
    fleet = settled()
    fleet.load(revision(commit="c2", swap=(('"A-{1..2}"', '"A-{2..2}"'),))).run()
    assert load_now(fleet.world, "a-1", fleet.station("A-1"), fleet.now) is None
    assert load_now(World(), "a-1", ToyFleet().connect("A-1").station("A-1"), NOON) is None
    assert NOTHING.draw.at(NOON) is None
