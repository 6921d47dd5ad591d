from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import ManifestError, Transient, UsageError
from reconciler.manifests.snapshot import MIB
from reconciler.source import commands as module
from reconciler.source.commands import Commands, GitFailed
from reconciler.source.repository import GitSource, check_revision, join_path, read_revision
from reconciler.source.tree import Blob, read_blobs


@pytest.fixture(params=["path", "url"])
def follow(request, repository, cache):
    """Make a source of the repository, by path and by URL."""
    where = str(repository.path) if request.param == "path" else repository.url

    def made(revision="main", subpath=""):
        return GitSource(where, revision, subpath, cache)

    return made


async def test_a_snapshot_tells_who_changed_what_and_when(repository, follow):
    commit = repository.commit({"a.yaml": "a: é\n"}, "Raise evening export\n\nBecause.")
    snapshot = await follow().fetch()
    assert (snapshot.commit, snapshot.author, snapshot.subject) == (
        commit,
        "Ann <ann@example.org>",
        "Raise evening export",
    )
    assert abs(datetime.now(UTC) - snapshot.committed_at) < timedelta(minutes=5)
    assert snapshot.committed_at.tzinfo is UTC
    assert snapshot.files["a.yaml"] == "a: é\n"
    assert set(snapshot.files) == {"a.yaml", "fleet.yaml", "templates/floor.yaml.j2"}


async def test_the_same_commit_is_the_same_object(repository, follow):
    source = follow()
    first = await source.fetch()
    assert await source.fetch() is first
    repository.commit({"b.yaml": "b: 1"})
    assert (await source.fetch()).files["b.yaml"] == "b: 1"


async def test_a_half_written_working_copy_is_not_seen(repository, follow):
    source = follow()
    before = await source.fetch()
    repository.write({"fleet.yaml": "half", "new.yaml": "new"})
    repository.git("add", "new.yaml")
    assert await source.fetch() is before


async def test_a_branch_a_tag_and_a_commit_are_followed(repository, follow):
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "--annotate", "--message", "one", "v1")
    second = repository.commit({"b.yaml": "b: 1"})
    repository.git("branch", "team/dev")
    for revision, commit in {"v1": first, first: first, first[:10]: first, "team/dev": second, "main~1": first}.items():
        assert (await follow(revision).fetch()).commit == commit


async def test_head_is_what_the_repository_has_checked_out(repository, follow):
    first = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "dev")
    second = repository.commit({"b.yaml": "b: 1"})
    assert (await follow("HEAD").fetch()).commit == second
    assert (await follow("HEAD~1").fetch()).commit == first


async def test_a_branch_wins_over_a_tag_of_its_name(repository, follow):
    repository.git("tag", "main")
    second = repository.commit({"b.yaml": "b: 1"})
    assert (await follow().fetch()).commit == second


async def test_a_forced_push_is_followed(repository, follow):
    source = follow()
    repository.commit({"b.yaml": "b: 1"})
    await source.fetch()
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    other = repository.commit({"c.yaml": "c: 1"})
    snapshot = await source.fetch()
    assert snapshot.commit == other
    assert "b.yaml" not in snapshot.files


async def test_a_sub_path_is_the_root_of_its_snapshot(repository, follow):
    repository.commit({"fleets/one/a.yaml": "a: 1", "fleets/two/b.yaml": "b: 1"})
    assert set((await follow(subpath="fleets/one/").fetch()).files) == {"a.yaml"}


async def test_a_sub_path_that_is_not_there_is_named(follow):
    with pytest.raises(ManifestError) as caught:
        await follow(subpath="fleets/none").fetch()
    assert caught.value.rule == "unknown-path"


async def test_a_revision_that_is_not_there_is_named_with_those_that_are(repository, follow):
    repository.git("branch", "dev")
    with pytest.raises(UsageError, match=r"`mian` in .*fleet; branches are dev, main"):
        await follow("mian").fetch()


async def test_a_branch_that_is_deleted_is_missed_and_found_again(repository, follow):
    repository.git("branch", "dev")
    source = follow("dev")
    snapshot = await source.fetch()
    repository.git("branch", "--delete", "--force", "dev")
    with pytest.raises(UsageError):
        await source.fetch()
    repository.git("branch", "dev")
    assert await source.fetch() is snapshot


async def test_a_repository_without_commits_says_so(another, cache):
    with pytest.raises(UsageError, match="no commits yet"):
        await GitSource(str(another("empty").path), "main", "", cache).fetch()


async def test_links_submodules_and_other_files_are_left_alone(repository, another, follow):
    inner = another("inner")
    inner.commit({"inner.yaml": "x: 1"})
    repository.git("submodule", "--quiet", "add", inner.url, "sub")
    (repository.path / "link.yaml").symlink_to("/etc/passwd")
    (repository.path / "linked").symlink_to(inner.path)
    repository.commit({"photo.png": b"\x89PNG\xff", ".github/ci.yaml": "x", "rows.csv": "identity\n"})
    assert set((await follow().fetch()).files) == {"fleet.yaml", "rows.csv", "templates/floor.yaml.j2"}


async def test_a_huge_file_is_refused_before_it_is_read(repository, follow, monkeypatch):
    repository.commit({"huge.yaml": b"x" * (50 * MIB)})
    asked = []
    run = Commands.run

    def spy(self, *arguments, stdin=b""):
        asked.append(arguments[0])
        return run(self, *arguments, stdin=stdin)

    monkeypatch.setattr(Commands, "run", spy)
    with pytest.raises(ManifestError) as caught:
        await follow().fetch()
    assert (caught.value.rule, caught.value.place.file) == ("file-too-large", "huge.yaml")
    assert "cat-file" not in asked


async def test_a_huge_file_of_another_kind_does_not_matter(repository, follow):
    repository.commit({"film.mp4": b"x" * (6 * MIB)})
    assert "fleet.yaml" in (await follow().fetch()).files


async def test_a_file_that_is_not_text_is_refused_with_its_line(repository, follow):
    repository.commit({"bad.yaml": b"a: 1\nb: \xff\n"})
    with pytest.raises(ManifestError) as caught:
        await follow().fetch()
    assert (caught.value.rule, str(caught.value.place)) == ("not-utf-8", "bad.yaml:2")


async def test_names_of_files_may_hold_anything(repository, follow):
    names = {"a b.yaml", 'quo"te.yaml', "tab\there.yaml", "new\nline.yaml", "ünï.yaml"}
    repository.commit(dict.fromkeys(names, "x: 1"))
    assert names <= set((await follow().fetch()).files)


async def test_a_failed_fetch_is_transient_and_heals(repository, cache, tmp_path):
    source = GitSource(repository.url, "main", "", cache)
    first = await source.fetch()
    repository.path.rename(tmp_path / "away")
    with pytest.raises(Transient, match="fleet"):
        await source.fetch()
    (tmp_path / "away").rename(repository.path)
    assert await source.fetch() is first


@pytest.mark.parametrize("harm", ["lock", "empty"])
async def test_a_cache_that_was_cut_off_in_the_middle_is_made_anew(repository, cache, harm):
    await GitSource(repository.url, "main", "", cache).fetch()
    (folder,) = cache.iterdir()
    repository.commit({"b.yaml": "b: 1"})
    if harm == "lock":
        (folder / "refs/heads/main.lock").touch()
    else:
        shutil.rmtree(folder / "objects")
    source = GitSource(repository.url, "main", "", cache)
    with suppress(Transient):
        await source.fetch()
    assert "b.yaml" in (await source.fetch()).files


async def test_two_urls_do_not_share_a_cache(repository, another, cache):
    other = another("other")
    other.commit({"other.yaml": "x: 1"})
    await GitSource(repository.url, "main", "", cache).fetch()
    assert set((await GitSource(other.url, "main", "", cache).fetch()).files) == {"other.yaml"}


def test_a_url_needs_a_cache_folder(repository):
    with pytest.raises(UsageError, match="cache"):
        GitSource(repository.url)


def test_a_path_that_is_no_repository_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not in a git repository"):
        GitSource(str(tmp_path))
    with pytest.raises(UsageError, match="no folder"):
        GitSource(str(tmp_path / "none"))


async def test_a_bare_repository_is_read_where_it_is(repository, tmp_path):
    bare = tmp_path / "bare.git"
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(bare))
    assert "fleet.yaml" in (await GitSource(str(bare)).fetch()).files
    assert "fleet.yaml" in (await GitSource(str(repository.path / ".git")).fetch()).files


def test_a_folder_inside_a_repository_is_the_root_of_its_snapshot(repository):
    repository.commit({"fleets/one/a.yaml": "a: 1"})
    repository.commit({"fleets/one/a.yaml": "a: 2"})
    folder = str(repository.path / "fleets")
    assert read_revision(folder, "HEAD").files == {"one/a.yaml": "a: 2"}
    assert read_revision(folder, "HEAD~1", "one").files == {"a.yaml": "a: 1"}


def test_a_branch_of_the_origin_is_found_in_a_clone(repository, tmp_path):
    repository.git("branch", "dev")
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", str(repository.path), str(clone))
    assert read_revision(str(clone), "dev").commit == repository.git("rev-parse", "dev")


async def test_an_object_that_is_missing_is_transient(repository):
    blob = repository.git("rev-parse", "HEAD:fleet.yaml")
    os.remove(repository.path / ".git/objects" / blob[:2] / blob[2:])
    with pytest.raises(Transient):
        await GitSource(str(repository.path)).fetch()


@pytest.mark.parametrize("revision", ["", "-x", "--output=owned", "a b", "a:b", "a\0b"])
def test_a_revision_is_never_an_option(revision):
    with pytest.raises(UsageError):
        check_revision(revision)


@pytest.mark.parametrize(("prefix", "subpath"), [("", "../x"), ("a", ".."), ("", "a/../../b"), ("", "a\0")])
def test_a_sub_path_stays_inside(prefix, subpath):
    with pytest.raises(UsageError, match="leaves"):
        join_path(prefix, subpath)


def test_what_is_followed_is_told_without_credentials(cache):
    source = GitSource("https://ann:secret@example.org/x.git", "main", "", cache)
    assert str(source) == "https://example.org/x.git at main"


@pytest.fixture
def silent_server():
    """Take connections and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_server_that_is_silent_costs_no_more_than_the_timeout(silent_server, cache):
    url = f"https://ann:secret@127.0.0.1:{silent_server}/x.git"
    source = GitSource(url, "main", "", cache, timedelta(seconds=1))
    with pytest.raises(Transient, match="longer than 1 s") as caught:
        await source.fetch()
    assert "secret" not in str(caught.value)


async def test_a_server_that_refuses_is_told_without_credentials(cache):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Transient) as caught:
        await GitSource(f"https://ann:secret@127.0.0.1:{port}/x.git", "main", "", cache).fetch()
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_cancelling_a_fetch_ends_git(silent_server, cache):
    source = GitSource(f"https://127.0.0.1:{silent_server}/x.git", "main", "", cache)
    task = asyncio.create_task(source.fetch())
    while not running(source):
        await asyncio.sleep(0.01)
    process = running(source)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(process.wait, 10) == -signal.SIGTERM
    with pytest.raises(Transient, match="closed"):
        await source.fetch()


def running(source) -> subprocess.Popen[bytes] | None:
    process = source._commands._running
    return process if process is not None and "fetch" in process.args else None


def test_git_that_fails_without_a_word_is_named(repository):
    commands = Commands(repository.path / ".git", timedelta(seconds=10))
    with pytest.raises(GitFailed, match="git rev-parse ended with 1"):
        commands.run("rev-parse", "--verify", "--quiet", "none")


def test_git_that_will_not_end_is_killed_with_its_children(repository, monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    stubborn = {"alias.stubborn": "!trap '' TERM; while :; do sleep 1; done"}
    commands = Commands(repository.path / ".git", timedelta(seconds=0.5), stubborn)
    with pytest.raises(Transient, match=r"git stubborn took longer than 0\.5 s"):
        commands.run("stubborn")


def test_an_object_that_vanishes_while_it_is_read_is_told(repository):
    commands = Commands(repository.path / ".git", timedelta(seconds=10))
    with pytest.raises(GitFailed, match=r"bad object 0+ of a\.yaml"):
        read_blobs(commands, (Blob("a.yaml", "0" * 40, 3),))


async def test_a_closed_source_reads_nothing_more(repository):
    source = GitSource(str(repository.path))
    source.close()
    with pytest.raises(Transient, match="closed"):
        await source.fetch()


async def test_a_local_repository_that_vanishes_is_transient(repository, tmp_path):
    source = GitSource(str(repository.path))
    first = await source.fetch()
    repository.path.rename(tmp_path / "away")
    with pytest.raises(Transient):
        await source.fetch()
    (tmp_path / "away").rename(repository.path)
    assert await source.fetch() is first
