"""What was read for one snapshot spares reading it for the next, and changes nothing else."""

import pytest

from reconciler.errors import RevisionError
from reconciler.manifests.load import load, reload
from reconciler.manifests.snapshot import Snapshot

FLEET = """\
apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: quay}
spec:
  timezone: Europe/Amsterdam
  profileIds: {from: 810000, to: 819999}
  writeInterval: 0s
  failSafe: {lease: 30h, renewBefore: 6h, maxOffline: 15m}
  discharge: allowed
"""
GROUP = """\
apiVersion: v2g.fleet/v1alpha1
kind: Group
metadata: {name: day}
spec:
  select: {labels: {row: a}}
  schedules: [{schedule: day, priority: 1}]
"""
STATIONS = """\
apiVersion: v2g.fleet/v1alpha1
kind: StationSet
metadata: {name: row-a, labels: {row: a}}
spec:
  identities: "A-{01..03}"
  evses: [{id: 1, charge: 15 kW, discharge: 15 kW, current: DC}]
  capability: {protocol: "2.1"}
"""
SCHEDULE = """\
apiVersion: v2g.fleet/v1alpha1
kind: Schedule
metadata: {name: day}
spec:
  windows: [{days: daily, from: "08:00", to: "17:00", power: 7 kW}]
"""
FILES = {"fleet.yaml": FLEET, "group.yaml": GROUP, "schedule.yaml": SCHEDULE, "stations.yaml": STATIONS}


def snapshot(**changed: str) -> Snapshot:
    files = {**FILES, **{f"{name}.yaml": text for name, text in changed.items()}}
    return Snapshot("c", "a", None, "s", files)


@pytest.mark.parametrize("power", ["7 kW", "7.0 kW", "-7 kW", "7000 W"])
def test_a_fleet_is_the_same_to_the_letter_whatever_was_read_before(power):
    head = snapshot(schedule=SCHEDULE.replace("7 kW", power))
    after, alone = reload(head, reload(snapshot(), None)).fleet, load(head)
    assert repr(list(after.stations.values())) == repr(list(alone.stations.values()))
    assert after == alone


def test_only_the_edited_file_is_read_again():
    before = reload(snapshot(), None)
    after = reload(snapshot(schedule=SCHEDULE.replace("7 kW", "8 kW")), before)
    fresh = {key for key, read in after.readings.items() if before.readings.get(key) is not read}
    assert {path for path, _ in fresh} == {"schedule.yaml"}


def test_readings_hold_no_more_than_the_snapshot_that_they_were_last_used_for():
    after = reload(snapshot(schedule=SCHEDULE.replace("7 kW", "8 kW")), reload(snapshot(), None))
    assert [path for path, _ in sorted(after.readings)] == sorted(FILES)


@pytest.mark.parametrize(
    "changed",
    [
        {"schedule": SCHEDULE.replace("power", "pwer")},
        {"schedule": SCHEDULE.replace("name: day", "name: dya")},
        {"schedule": SCHEDULE + "---\n" + SCHEDULE},
        {"more": SCHEDULE},
        {"stations": "a: [\n"},
    ],
)
def test_what_is_wrong_is_told_alike_whatever_was_read_before(changed):
    told = []
    for before in (reload(snapshot(), None), None):
        with pytest.raises(RevisionError) as refused:
            reload(snapshot(**changed), before)
        told.append([str(error) for error in refused.value.errors])
    assert told[0] == told[1]
    assert told[0]


def test_the_same_text_in_another_file_has_places_of_its_own():
    moved = Snapshot("c", "a", None, "s", {**FILES, "moved.yaml": SCHEDULE, "schedule.yaml": ""})
    fleet = reload(moved, reload(snapshot(), None)).fleet
    assert {each.schedule.place.file for each in next(iter(fleet.stations.values())).assignments} == {"moved.yaml"}
