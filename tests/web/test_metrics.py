from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from immutables import Map
from prometheus_client.parser import text_string_to_metric_families

from reconciler.controller.world import Recording, RevisionRefused, World
from reconciler.manifests.strategy import Strategy
from reconciler.reported.events import Disconnected
from reconciler.rollout.progress import Phase, Rollout
from reconciler.web.measures import Measures
from reconciler.web.metrics import Metrics, Sources
from reconciler.web.survey import grace


class Scraped:
    """Scrapes a yard; the answer is parsed by Prometheus' own parser."""

    def __init__(self, yard):
        self.yard, self.measures = yard, Measures()
        self.frames, self.dropped = {"SetChargingProfile": 3, "MadeUp": 2, "MadeUpToo": 1}, 4
        stations = SimpleNamespace(all_frames=lambda: self.frames)
        self.metrics = Metrics(
            self.measures, Sources(self, stations, lambda: yard.now, lambda: 5, lambda: self.dropped)
        )

    world = property(lambda self: self.yard.world)

    def families(self):
        return list(text_string_to_metric_families(self.metrics.write().decode()))

    def samples(self):
        return {(each.name, *each.labels.values()): each.value for family in self.families() for each in family.samples}


@pytest.fixture
def scraped(yard):
    return Scraped(yard)


def rollout(now, **changes):
    waves = (("a1",), ("a2", "a3"))
    begun = Rollout("c0ffee", "0ld", "", Strategy(), waves, {}, now, now, Phase.RELEASING, 0)
    return replace(begun, verified=Map({"a1": None}), **changes)


def test_a_scrape_shows_how_stations_stand(scraped, yard):
    yard.connect("A1")
    shown = scraped.samples()
    assert shown["reconciler_stations", "in-sync"] == 1
    assert shown["reconciler_stations", "deferred"] == 1
    assert shown["reconciler_station_reasons", "InSync"] == 1
    assert shown["reconciler_in_sync_ratio",] == 1
    assert shown["reconciler_stations_connected",] == 1
    assert shown["reconciler_revision_committed_timestamp_seconds",] == yard.now.timestamp()


def test_the_lease_margin_is_told_apart_by_who_is_connected(scraped, yard):
    yard.connect("A1")
    lapse = grace(yard.world.stations["a1"].verified).lapse
    yard.now = lapse - timedelta(seconds=90)
    assert scraped.samples()["reconciler_lease_margin_seconds", "true"] == 90
    yard.take(Disconnected("A1", 1))
    shown = scraped.samples()
    assert shown["reconciler_lease_margin_seconds", "false"] == 90
    assert ("reconciler_lease_margin_seconds", "true") not in shown


def test_the_oldest_drift_has_an_age(scraped, yard):
    yard.connect("A1")
    yard.report("A1", [])
    yard.now += timedelta(minutes=5)
    assert scraped.samples()["reconciler_drift_oldest_seconds",] == 300


def test_a_rollout_shows_its_phase_waves_and_members(scraped, yard):
    assert scraped.samples()["reconciler_rollout_phase", "releasing"] == 0
    yard.world = replace(yard.world, rollout=rollout(yard.now))
    yard.now += timedelta(minutes=1)
    shown = scraped.samples()
    assert (shown["reconciler_rollout_phase", "releasing"], shown["reconciler_rollout_phase", "aborted"]) == (1, 0)
    assert (shown["reconciler_rollout_wave",], shown["reconciler_rollout_waves",]) == (1, 2)
    assert (shown["reconciler_rollout_members", "verified"], shown["reconciler_rollout_members", "unreleased"]) == (
        1,
        2,
    )
    assert shown["reconciler_rollout_phase_seconds",] == 60
    assert shown["reconciler_rollout_waits_for_person",] == 0


@pytest.mark.parametrize(("phase", "waits"), [(Phase.RELEASING, 1), (Phase.PAUSED, 0)])
def test_a_wave_that_could_not_be_tried_waits_for_a_person(scraped, yard, phase, waits):
    stands = replace(rollout(yard.now), phase=phase, verified=Map(), open=Map())
    forgiven = Map(dict.fromkeys(stands.waves[stands.wave]))
    yard.world = replace(yard.world, rollout=replace(stands, forgiven=forgiven))
    assert scraped.samples()["reconciler_rollout_waits_for_person",] == waits


def test_calls_are_counted_by_the_actions_of_the_program_and_others_together(scraped):
    shown = scraped.samples()
    assert (shown["reconciler_calls_total", "SetChargingProfile"], shown["reconciler_calls_total", "other"]) == (3, 3)


def test_queues_git_and_the_database_are_shown(scraped, yard):
    scraped.measures.recorded(6)
    shown = scraped.samples()
    assert ("reconciler_git_age_seconds",) not in shown
    assert (shown["reconciler_queued_events",], shown["reconciler_history_rows_total",]) == (5, 6)
    assert (shown["reconciler_frame_log_dropped_total",], shown["reconciler_store_up",]) == (4, 1)
    scraped.measures.fetched(yard.now)
    yard.now += timedelta(seconds=40)
    assert ("reconciler_revision_refused_timestamp_seconds",) not in shown
    refused = RevisionRefused("bad", "Oops", (), yard.now)
    yard.world = replace(yard.world, recording=Recording(ok=False, why="full"), refused=refused)
    shown = scraped.samples()
    assert (shown["reconciler_git_age_seconds",], shown["reconciler_store_up",]) == (40, 0)
    assert shown["reconciler_revision_refused",] == 1
    assert shown["reconciler_revision_refused_timestamp_seconds",] == yard.now.timestamp()


def test_an_empty_world_can_be_scraped(scraped, yard):
    yard.world = World()
    shown = scraped.samples()
    assert ("reconciler_in_sync_ratio",) not in shown
    assert shown["reconciler_stations", "in-sync"] == 0


def test_the_number_of_series_does_not_grow_with_the_fleet(scraped, yard):
    yard.connect("A1")
    few = len(scraped.samples())
    one, stations, turned = yard.world.stations["a1"], yard.world.stations, yard.world.turned
    for number in range(1000):
        stations = stations.set(f"x{number}", replace(one, identity=f"X{number}"))
        turned = turned.set(f"x{number}", turned["a1"])
    fleet = yard.world.revision.fleet
    manifest = fleet.stations["a1"]
    many = {**fleet.stations, **{f"x{number}": manifest for number in range(1000)}}
    revision = SimpleNamespace(
        fleet=replace(fleet, stations=many), commit="c0ffee", snapshot=yard.world.revision.snapshot
    )
    yard.world = replace(yard.world, stations=stations, turned=turned, revision=revision)
    shown = scraped.samples()
    assert shown["reconciler_stations_connected",] == 1001
    assert len(shown) == few
    assert not any("x7" in str(key).casefold() for key in shown)
