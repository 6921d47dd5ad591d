from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from reconciler.plan.picture import Role, Turn
from reconciler.plan.portray import MOST_PANELS, Crowd, Found, portray_station, portray_sum
from reconciler.profiles.profile import ChargingSchedule, Kind, Period, Profile, Purpose, Unit
from reconciler.reported.belief import Belief, Held, Reported
from revisions import MONDAY, held_by, revision, state_of

TODAY = date(2026, 11, 23)
EARLIER = revision()
LATER = revision(("power: -7 kW", "power: -9 kW"))
FIVE, SIX, EIGHT = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (16, 17, 19))


def everyone(found) -> Crowd:
    return Crowd(found.renderer, tuple(found.fleet.stations.values()))


def station(found, key="a-01"):
    return found.renderer, found.fleet.stations[key]


def lines(picture, role, panel=0):
    return [series.line for series in picture.panels[panel].series if series.role is role]


def stranger(watts: int, start: datetime) -> Held:
    period = Period(0, limit=Decimal(watts))
    schedule = ChargingSchedule(1, Unit.WATT, (period,), start, 3600)
    return Held(Profile(7, 1, 9, Purpose.TX_DEFAULT, Kind.ABSOLUTE, (schedule,)), Belief.OBSERVED)


def test_a_site_sums_what_is_drawn_and_what_is_fed_apart_before_and_after():
    picture = portray_sum("Site quay", TODAY, everyone(EARLIER), everyone(LATER), LATER.fleet.sites["quay"])
    draw, feed = lines(picture, Role.BEFORE)
    assert (draw.at(SIX), feed.at(SIX)) == (4 * 3000, 4 * -7000)
    draw, feed = lines(picture, Role.AFTER)
    assert (draw.at(SIX), feed.at(SIX)) == (4 * 3000, 4 * -9000)
    assert (draw.at(EIGHT), feed.at(EIGHT)) == (4 * 3000 + 4 * 3000, 0)


def test_a_site_is_held_against_both_caps_and_a_group_against_none():
    site = portray_sum("Site quay", TODAY, None, everyone(LATER), LATER.fleet.sites["quay"])
    assert [(cap.name, cap.power_w) for cap in site.panels[0].caps] == [
        ("import cap 200 kW", 200_000),
        ("export cap 200 kW", -200_000),
    ]
    assert portray_sum("Group night", TODAY, None, everyone(LATER)).panels[0].caps == ()


def test_a_line_speaks_within_its_day_and_nowhere_else():
    picture = portray_sum("Group night", TODAY, everyone(EARLIER), everyone(LATER))
    for series in picture.panels[0].series:
        assert series.line.at(picture.day.start - timedelta(seconds=1)) is None
        assert series.line.at(picture.day.start) is not None
        assert series.line.at(picture.day.end - timedelta(seconds=1)) is not None
        assert series.line.at(picture.day.end) is None


def test_the_largest_change_of_a_sum_is_told_with_its_time():
    picture = portray_sum("Group night", TODAY, everyone(EARLIER), everyone(LATER))
    assert picture.notes == ("Mon 2026-11-23", "Europe/Amsterdam", "6 stations", "-8 kW at the peak, 17:00")


def test_without_a_base_or_without_a_change_no_change_is_told():
    for before in (None, everyone(LATER)):
        picture = portray_sum("Group night", TODAY, before, everyone(LATER))
        assert picture.notes == ("Mon 2026-11-23", "Europe/Amsterdam", "6 stations")
    assert lines(portray_sum("Group night", TODAY, None, everyone(LATER)), Role.BEFORE) == []


def test_nobody_draws_and_feeds_nothing():
    picture = portray_sum("Group none", TODAY, None, Crowd(LATER.renderer, ()))
    assert [line.at(SIX) for line in lines(picture, Role.AFTER)] == [0, 0]


def test_turns_at_one_instant_are_told_together_and_the_evening_before_counts():
    turns = portray_sum("Group night", TODAY, None, everyone(LATER)).panels[0].turns
    assert turns == (Turn(FIVE, -1, 4), Turn(EIGHT, 1, 4))
    overnight = revision(
        ("otherwise: 3 kW", "otherwise: -2 kW"), ("charge: 11 kW}", "charge: 11 kW, discharge: 11 kW}")
    )
    turns = portray_sum("Group night", TODAY, None, everyone(overnight)).panels[0].turns
    assert [(turn.sign, turn.count) for turn in turns] == [(-1, 8), (1, 8)]


def test_the_day_of_23_hours_is_told():
    picture = portray_sum("Group night", date(2026, 3, 29), None, everyone(LATER))
    assert "a day of 23 hours" in picture.notes
    assert picture.day.switch is not None


def test_a_station_shows_each_of_its_evses_between_its_ratings():
    picture = portray_station(TODAY, station(EARLIER, "b-01"), station(LATER, "b-01"))
    assert picture.title == "Station B-01"
    assert [panel.title for panel in picture.panels] == ["EVSE 1", "EVSE 2"]
    assert [cap.power_w for cap in picture.panels[0].caps] == [11_000]
    single = portray_station(TODAY, station(EARLIER), station(LATER)).panels
    assert [panel.title for panel in single] == [""]
    assert [cap.power_w for cap in single[0].caps] == [15_000, -15_000]


def test_a_station_of_many_evses_shows_some_and_counts_the_others():
    renderer, one = station(LATER)
    many = replace(one, evses=tuple(replace(one.evses[0], id=number + 1) for number in range(MOST_PANELS + 2)))
    picture = portray_station(TODAY, None, (renderer, many))
    assert len(picture.panels) == MOST_PANELS
    assert picture.notes[-1] == "2 more EVSEs not shown"


def test_an_evse_that_is_new_has_no_line_of_before():
    renderer, one = station(EARLIER)
    other = replace(one, evses=(replace(one.evses[0], id=2),))
    picture = portray_station(TODAY, (renderer, other), station(LATER))
    assert lines(picture, Role.BEFORE) == []
    assert len(lines(picture, Role.AFTER)) == 1


def test_what_a_station_holds_is_shown_from_now_on_beside_what_is_desired():
    found = Found(held_by(EARLIER, "a-01").reported, EARLIER.owned, MONDAY)
    picture = portray_station(TODAY, None, station(LATER), found)
    assert [series.name for series in picture.panels[0].series] == ["desired", "reported", "composite"]
    (reported,), (composite,) = lines(picture, Role.REPORTED), lines(picture, Role.COMPOSITE)
    assert reported.at(MONDAY - timedelta(seconds=1)) is None
    assert reported.at(SIX) == -7000
    assert reported == composite


def test_the_composite_has_what_a_foreign_profile_does():
    held = held_by(LATER, "a-01").reported
    found = Found(replace(held, held={**held.held, 7: stranger(4000, SIX)}), LATER.owned, MONDAY)
    picture = portray_station(TODAY, None, station(LATER), found)
    assert lines(picture, Role.REPORTED)[0].at(SIX) == -9000
    assert lines(picture, Role.COMPOSITE)[0].at(SIX) == 4000


def test_a_station_without_any_profile_draws_what_its_hardware_carries():
    found = Found(Reported(known=True, ever_known=True), LATER.owned, MONDAY)
    picture = portray_station(TODAY, None, station(LATER), found)
    assert lines(picture, Role.REPORTED) == []
    assert lines(picture, Role.COMPOSITE)[0].at(SIX) == 15_000


def test_nothing_is_shown_of_what_was_never_read_and_of_days_gone_by():
    never = Found(Reported(), LATER.owned, MONDAY)
    gone = Found(held_by(EARLIER, "a-01").reported, LATER.owned, MONDAY + timedelta(days=2))
    for found in (never, gone):
        picture = portray_station(TODAY, None, station(LATER), found)
        assert [series.role for series in picture.panels[0].series] == [Role.AFTER]


def test_a_picture_costs_a_kind_and_not_a_station():
    asked = []

    class Counting:
        fleet = LATER.fleet

        def timeline(self, *arguments):
            asked.append(arguments)
            return LATER.renderer.timeline(*arguments)

        def envelope(self, *arguments):
            asked.append(arguments)
            return LATER.renderer.envelope(*arguments)

    crowd = Crowd(Counting(), tuple(LATER.fleet.stations.values()) * 100)
    portray_sum("Group night", TODAY, None, crowd)
    assert len(asked) == 2 * 3
    assert len(state_of(LATER)) == 6
