"""A site's caps hold at every instant, with every subset of its stations offline on its fallback."""

from datetime import timedelta
from decimal import Decimal
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.controller.revision import Revision
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot
from reconciler.plan.guardrails.prove import prove
from reconciler.plan.guardrails.sites import check_sites, sums
from reconciler.plan.guardrails.tracks import HORIZON, Tracks
from revisions import MONDAY, SHIPPED
from strategies import timelines

CAPS = {"import": 30, "export": 20}
HEAD = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: pier}
spec: {timezone: Europe/Amsterdam, profileIds: {from: 1000, to: 1999}, discharge: allowed}
---
kind: Site
metadata: {name: quay}
spec: {import: 30 kW, export: 20 kW}
"""
ROW = """\
---
kind: Station
metadata: {name: S%(number)d, labels: {row: "%(number)d"}}
spec: {evses: [{id: 1, charge: 15 kW, discharge: 15 kW, current: DC}, {id: 2, charge: 9 kW, current: DC}]}
---
kind: Group
metadata: {name: g%(number)d}
spec: {site: quay, select: {labels: {row: "%(number)d"}}, schedules: [{schedule: s%(number)d, priority: 10}]}
---
kind: Schedule
metadata: {name: s%(number)d}
spec:
  windows: [{days: %(day)s, from: "%(hour)02d:00", to: "%(end)02d:00", power: %(one)d kW}]
  otherwise: %(other)d kW
"""
rows = st.lists(
    st.fixed_dictionaries(
        {
            "day": st.sampled_from(("daily", "weekdays", "sun")),
            "hour": st.integers(0, 22),
            "end": st.just(23),
            "one": st.integers(-15, 15),
            "other": st.integers(-9, 9),
        }
    ),
    min_size=1,
    max_size=4,
)


def site_of(given_rows):
    text = HEAD + "".join(ROW % {"number": number, **row} for number, row in enumerate(given_rows))
    fleet = load(Snapshot("c0ffee", "Ann", None, "Try", {"fleet.yaml": text}))
    return Revision(Snapshot("c0ffee", "Ann", None, "Try", {}), fleet, SHIPPED).renderer


def worst(renderer):
    """Try every subset of stations at every instant; give the largest sum in both directions, in W."""
    stations = list(renderer.fleet.stations.values())
    lines = {
        (station.identity, evse.id): renderer.timeline(station, evse, (MONDAY, MONDAY + HORIZON))
        for station in stations
        for evse in station.evses
    }
    instants = sorted({start for line in lines.values() for start in line.starts()})
    most = least = Decimal(0)
    for online in product((True, False), repeat=len(stations)):
        for at in instants:
            total = sum(
                lines[station.identity, evse.id].at(at) or 0
                for station, there in zip(stations, online, strict=True)
                for evse in station.evses
                if there
            )
            most, least = max(most, total), min(least, total)
    return most, -least


@settings(max_examples=40)
@given(rows)
def test_a_cap_is_held_just_when_no_subset_exceeds_it_at_the_same_sign(given_rows):
    renderer = site_of(given_rows)
    found = {fact.guardrail for fact, _ in check_sites(Tracks(renderer, MONDAY))}
    drawn, fed = worst(renderer)
    if "site-import" not in found:
        assert drawn <= 30_000
    if "site-export" not in found:
        assert fed <= 20_000


@settings(max_examples=40)
@given(rows)
def test_a_cap_is_refused_only_if_some_subset_of_evses_exceeds_it(given_rows):
    renderer = site_of(given_rows)
    found = {fact.guardrail for fact, _ in check_sites(Tracks(renderer, MONDAY))}
    lines = [
        renderer.timeline(station, evse, (MONDAY, MONDAY + HORIZON))
        for station in renderer.fleet.stations.values()
        for evse in station.evses
    ]
    instants = {start for line in lines for start in line.starts()}
    for name, sign, cap in (("site-import", 1, 30_000), ("site-export", -1, 20_000)):
        most = max(sum(max(sign * (line.at(at) or 0), 0) for line in lines) for at in instants)
        assert (name in found) is (most > cap)


@given(timelines)
def test_what_is_drawn_less_what_is_fed_is_the_line(found):
    draw, feed = sums(found, found)
    for at in found.starts():
        assert (draw.at(at) or 0) - (feed.at(at) or 0) == (found.at(at) or 0)
        assert min(draw.at(at) or 0, feed.at(at) or 0) == 0


def test_an_excess_is_told_once_with_its_first_moment_and_the_way_out():
    renderer = site_of([{"day": "daily", "hour": 17, "end": 23, "one": 12, "other": 0}] * 2)
    (finding,) = (each for each in prove(renderer, MONDAY) if each.guardrail.startswith("site"))
    assert finding.is_error
    error = finding.as_error()
    when = "at Mon 2026-11-23 17:00"
    assert error.message == f"the schedules of site quay import 42.0 kW {when}, over its cap of 30.0 kW"
    assert (error.rule, error.field) == ("site-import", "spec.import")
    assert error.hint.startswith("lower a schedule")


def test_a_station_without_a_site_is_in_no_sum():
    text = HEAD + "---\nkind: Station\nmetadata: {name: S}\nspec: {evses: [{id: 1, charge: 99 kW}]}\n"
    fleet = load(Snapshot("c", "Ann", None, "Try", {"fleet.yaml": text}))
    renderer = Revision(Snapshot("c", "Ann", None, "Try", {}), fleet, SHIPPED).renderer
    assert not list(check_sites(Tracks(renderer, MONDAY)))
    assert Tracks(renderer, MONDAY).now + timedelta(days=8) == MONDAY + HORIZON
