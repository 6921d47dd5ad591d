"""Whose a database is: one fleet has one, however its source is spelt, and no second one begins unasked."""

from pathlib import Path

import pytest

from reconciler.cli.ownership import default_store, fleet_name
from reconciler.errors import UsageError
from reconciler.rollout.ledger import Batch, Kind
from reconciler.store.store import Store

REMOTE = "https://git.example.org/fleets.git"


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with a fleet's folder in it; one stands beside it."""
    made = tmp_path / "clones" / "my fleets"
    (made / ".git").mkdir(parents=True)
    (made / "harbour").mkdir()
    monkeypatch.chdir(made.parent)
    return made


def test_each_source_branch_and_folder_has_a_database_of_its_own(tmp_path, clone):
    names = {
        default_store(tmp_path, *words)
        for words in (
            (REMOTE, "HEAD", ""),
            (REMOTE, "main", ""),
            (REMOTE, "HEAD", "harbour"),
            ("https://other.example.org/fleets.git", "HEAD", ""),
            (str(clone), "HEAD", ""),
            (str(clone), "HEAD", "harbour"),
        )
    }
    assert len(names) == 6


@pytest.mark.parametrize(
    "spelt",
    [
        "https://ada:secret@git.example.org/fleets.git",
        "https://git.example.org/fleets",
        "https://git.example.org/fleets.git/",
        "HTTPS://Git.Example.ORG/fleets.git",
    ],
)
def test_a_url_has_one_database_however_it_is_spelt(spelt, tmp_path):
    assert default_store(tmp_path, spelt, "HEAD", "") == default_store(tmp_path, REMOTE, "HEAD", "")


def test_what_a_server_tells_apart_has_databases_of_its_own(tmp_path):
    spelt = ("ssh://Ada@example.org/Fleets", "ssh://ada@example.org/Fleets", "ssh://ada@example.org/fleets")
    assert len({default_store(tmp_path, each, "HEAD", "") for each in (*spelt, "file://host/fleets")}) == 4


@pytest.mark.parametrize(
    ("spelt", "path"),
    [
        ("my fleets", "harbour"),
        ("./my fleets/", "harbour/"),
        ("my fleets/harbour/..", "./harbour"),
        ("my fleets/.git", "harbour"),
        ("my fleets/harbour", ""),
        ("{clone}", "harbour"),
        ("{clone}/harbour/", "."),
        ("file://{clone}", "harbour"),
        ("file://{quoted}/", "harbour"),
        ("../link", "harbour"),
    ],
)
def test_a_folder_has_one_name_and_one_database_however_it_is_spelt(spelt, path, tmp_path, clone):
    (tmp_path / "link").symlink_to(clone)
    source = spelt.format(clone=clone, quoted=str(clone).replace(" ", "%20"))
    assert default_store(tmp_path, source, "HEAD", path) == default_store(tmp_path, str(clone), "HEAD", "harbour")
    assert fleet_name(source, path) == "my fleets/harbour"


def test_a_bare_repository_inside_a_working_tree_is_one_of_its_own(clone):
    bare = clone / "mirror.git"
    (bare / "objects").mkdir(parents=True)
    (bare / "HEAD").write_text("ref: refs/heads/main")
    assert fleet_name(str(bare), "harbour") == "mirror/harbour"


@pytest.mark.parametrize(
    ("source", "path", "name"),
    [
        (REMOTE, "harbour-buses", "fleets/harbour-buses"),
        ("git@git.example.org:fleets.git", "", "fleets"),
        ("https://git.example.org/fleets/", "a//b/", "fleets/a/b"),
        ("/", "", "fleet"),
    ],
)
def test_a_fleet_is_named_without_the_host_of_its_repository(source, path, name):
    assert fleet_name(source, path) == name


async def begin(folder, *words, documents=None):
    """Begin the database of a source, a revision and a folder, and keep what the fleet follows."""
    file = default_store(folder, *words)
    store = await Store.open(file)
    await store.write(Batch(documents={(Kind.FLEET, ""): {"head": "c1"}} if documents is None else documents))
    await store.close()
    return file


@pytest.mark.parametrize(
    "words",
    [
        (REMOTE, "main", ""),
        ("git@git.example.org:fleets.git", "HEAD", ""),
        ("https://new.example.org/fleets", "HEAD", ""),
    ],
)
async def test_no_second_database_of_a_fleet_begins_unasked(words, tmp_path):
    known = await begin(tmp_path, REMOTE, "HEAD", "")
    with pytest.raises(UsageError) as refused:
        default_store(tmp_path, *words)
    said = str(refused.value)
    assert f"the fleet fleets has one already ({known})" in said
    asked = said.rpartition("--store ")[2]
    Path(asked).touch()
    assert default_store(tmp_path, *words) == asked
    assert default_store(tmp_path, REMOTE, "HEAD", "") == known


async def test_other_fleets_and_other_files_stand_in_nobodys_way(tmp_path):
    await begin(tmp_path, REMOTE, "HEAD", "harbour")
    await begin(tmp_path, "https://git.example.org/fleets-north", "HEAD", "")
    for name in ("fleets-backup.db", "fleets-0123456789ab.db.lock", "fleets-0123456789AB.db"):
        (tmp_path / name).write_text("kept by somebody else")
    assert await begin(tmp_path, REMOTE, "HEAD", "")


async def test_a_start_with_a_wrong_revision_stands_in_nobodys_way(tmp_path):
    await begin(tmp_path, REMOTE, "mian", "", documents={})
    (tmp_path / "fleets-0123456789ab.db").touch()
    assert await begin(tmp_path, REMOTE, "main", "")


async def test_a_damaged_database_counts_as_one_that_knows_something(tmp_path):
    (tmp_path / "fleets-0123456789ab.db").write_text("no database at all" * 1000)
    with pytest.raises(UsageError, match="0123456789ab"):
        default_store(tmp_path, REMOTE, "main", "")
