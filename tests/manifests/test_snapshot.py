import pytest

from reconciler.errors import ManifestError
from reconciler.manifests import snapshot
from reconciler.manifests.snapshot import MIB, Snapshot, is_read


def snapshot_of(files):
    return Snapshot("", "", None, "", files)


def test_a_file_of_fifty_mebibytes_is_refused_by_name():
    with pytest.raises(ManifestError) as caught:
        snapshot_of({"a.yaml": "", "big.yaml": "x" * (50 * MIB)})
    assert (caught.value.rule, caught.value.place.file) == ("file-too-large", "big.yaml")


def test_a_file_is_measured_in_bytes_not_in_characters():
    with pytest.raises(ManifestError):
        snapshot_of({"a.yaml": "é" * (3 * MIB)})


def test_many_files_are_refused_by_their_sum():
    with pytest.raises(ManifestError) as caught:
        snapshot_of({f"{number:02}.yaml": "x" * (5 * MIB) for number in range(13)})
    assert (caught.value.rule, caught.value.place.file) == ("revision-too-large", "12.yaml")


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(snapshot, "MAX_FILES", 2)
    with pytest.raises(ManifestError) as caught:
        snapshot_of(dict.fromkeys("abc", ""))
    assert caught.value.rule == "too-many-files"


@pytest.mark.parametrize("path", ["a.yaml", "sub/b.yml", "stations.csv", "templates/floor.yaml.j2"])
def test_manifests_tables_and_templates_are_read(path):
    assert is_read(path)


@pytest.mark.parametrize("path", [".github/ci.yaml", "a/.hidden.yaml", "README.md", "photo.png", "yaml"])
def test_hidden_and_other_files_are_not_read(path):
    assert not is_read(path)
