from __future__ import annotations

import os
import sys

import pytest

from reconciler.errors import ManifestError, UsageError
from reconciler.manifests.load import load
from reconciler.manifests.snapshot import MIB
from reconciler.source import shipped
from reconciler.source.folder import read_folder
from reconciler.source.shipped import default_templates


def test_a_folder_is_read_as_it_is_now(repository):
    repository.write({"sub/new.yaml": "new: 1", "notes.md": "x", ".hidden/x.yaml": "x", "rows.csv": "identity"})
    snapshot = read_folder(repository.path)
    assert set(snapshot.files) == {"fleet.yaml", "rows.csv", "sub/new.yaml", "templates/floor.yaml.j2"}
    assert (snapshot.commit, snapshot.subject, snapshot.committed_at) == ("", "working tree", None)


def test_links_are_not_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.yaml").write_text("a: 1")
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet/link.yaml").symlink_to(tmp_path / "real/a.yaml")
    (tmp_path / "fleet/linked").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "fleet/pipe.yaml")
    assert read_folder(tmp_path / "fleet").files == {}


def test_a_huge_file_is_refused_without_being_read(tmp_path):
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(500_000 * MIB)
    with pytest.raises(ManifestError) as caught:
        read_folder(tmp_path)
    assert caught.value.rule == "file-too-large"


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"a\n\xff")
    with pytest.raises(ManifestError, match="UTF-8") as caught:
        read_folder(tmp_path)
    assert str(caught.value.place) == "a.yaml:2"


def test_no_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        read_folder(tmp_path / "none")


def test_reading_a_folder_needs_no_git():
    script = "import sys, reconciler.source.folder; sys.exit('git' in sys.modules)"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", script]) == 0


def test_the_example_fleets_load_from_their_folders():
    root = shipped.Path(__file__).parents[2] / "fleets"
    for folder in sorted(path.parent for path in root.glob("*/fleet.yaml")):
        assert load(read_folder(folder)).stations


def test_the_default_templates_are_those_of_the_checkout():
    found = default_templates()
    assert {"floor.yaml.j2", "schedule.yaml.j2", "station-max.yaml.j2"} <= set(found)
    assert all(found.values())


def test_the_default_templates_of_a_wheel_lie_beside_the_module(tmp_path, monkeypatch):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/floor.yaml.j2").write_text("installed")
    (tmp_path / "templates/notes.md").write_text("no template")
    monkeypatch.setattr(shipped, "files", lambda package: tmp_path)
    assert default_templates() == {"floor.yaml.j2": "installed"}
