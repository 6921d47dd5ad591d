"""Fleets to begin from: a small one that is right, and ways to change it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import ManifestError, RevisionError
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import Snapshot

FLEETS = Path(__file__).parents[2] / "fleets"

BASE = """apiVersion: v2g.fleet/v1alpha1
kind: Fleet
metadata: {name: pier}
spec: {timezone: Europe/Amsterdam, profileIds: {from: 1000, to: 1999}, discharge: allowed}
---
kind: Site
metadata: {name: quay}
spec: {import: 100 kW, export: 50 kW}
---
kind: Schedule
metadata: {name: calm}
spec: {otherwise: 3 kW}
---
kind: StationSet
metadata: {name: row, labels: {line: night}}
spec: {identities: "B-{1..3}", evses: [{id: 1, charge: 11 kW, discharge: 11 kW, current: DC}]}
---
kind: Group
metadata: {name: buses}
spec: {site: quay, select: {labels: {line: night}}, schedules: [{schedule: calm, priority: 10}]}
"""


def snapshot_of(files):
    return Snapshot("c0ffee", "Ann <ann@example.org>", None, "Change", files)


@pytest.fixture
def base():
    return BASE


@pytest.fixture
def load_files():
    def loaded(files):
        return load(snapshot_of(files))

    return loaded


@pytest.fixture
def load_extra(load_files):
    """Load the small fleet with one more file, whose first line is line 1 of its own text."""

    def loaded(text, **more):
        extra = {"extra.yaml": text} if text else {}
        return load_files({"base.yaml": BASE, **extra, **more})

    return loaded


@pytest.fixture
def errors_of():
    def refused(files) -> tuple[ManifestError, ...]:
        with pytest.raises(RevisionError) as caught:
            load(snapshot_of(files))
        return caught.value.errors

    return refused


@pytest.fixture
def folder():
    def read(name):
        root = FLEETS / name
        files = {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}
        return snapshot_of(files)

    return read
