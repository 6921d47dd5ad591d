"""A fleet's git repository: a branch, tag or commit of it becomes a snapshot, again and again.

Used by the controller (through `polling`) and the command line. A local repository is read where it is; one behind
a URL is kept as a bare copy in a cache folder, which may be deleted at any time.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from git import Repo
from git.exc import InvalidGitRepositoryError, NoSuchPathError

from reconciler.errors import Transient, UsageError
from reconciler.source.address import Address, parse_address
from reconciler.source.commands import Commands, GitFailed
from reconciler.source.tree import read_commit

if TYPE_CHECKING:
    from reconciler.manifests.snapshot import Snapshot

TIMEOUT = timedelta(minutes=2)
HEAD = "HEAD"

_REMOTE_HEAD = "refs/reconciler/head"
_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_PLACES = ("refs/heads/{}", "refs/tags/{}", "refs/remotes/origin/{}", "{}")
# Left by a copy that was cut off in the middle: nothing in the cache is worth repairing.
_BROKEN = (
    ".lock': File exists",
    "bad object",
    "corrupt",
    "not a git repository",
    "unresolved deltas",
    "index-pack died",
)


class GitSource:
    """Fetch one revision of one repository; the same commit gives the same object."""

    def __init__(
        self,
        where: str,
        revision: str = HEAD,
        subpath: str = "",
        cache_dir: Path | None = None,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        """Name a path or URL, a revision and a folder; `cache_dir` is needed for URLs; raises UsageError."""
        self._address = parse_address(where)
        self._revision = check_revision(revision)
        self._prefix, git_dir = _locate(self._address, cache_dir)
        self._subpath = join_path(self._prefix, subpath)
        settings = [self._address.credentials] if self._address.credentials else []
        self._commands = Commands(git_dir, timeout, dict(settings))
        self._git_dir = git_dir
        self._last: Snapshot | None = None

    def __str__(self) -> str:
        """Give what is followed, without credentials."""
        return f"{self._address} at {self._revision}"

    async def fetch(self) -> Snapshot:
        """Give the revision as it is now; raises Transient, ManifestError, and UsageError for an unknown revision."""
        try:
            return await asyncio.to_thread(self.read_now)
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """End a git command that is still running; the source is of no more use then."""
        self._commands.stop()

    def read_now(self) -> Snapshot:
        """Do what `fetch` does, in the caller's thread."""
        if self._address.url:
            self._update()
        return self.read(self._revision)

    def read(self, revision: str) -> Snapshot:
        """Give any revision that is here already, such as `main~1`; raises as `fetch` does."""
        commit = self._resolve(check_revision(revision))
        if self._last is None or self._last.commit != commit:
            try:
                self._last = read_commit(self._commands, commit, self._subpath)
            except GitFailed as error:
                raise Transient(f"{self._address}: {error}") from error
        return self._last

    def _update(self) -> None:
        try:
            if not (self._git_dir / "HEAD").exists():
                self._git_dir.mkdir(parents=True, exist_ok=True)
                self._commands.run("init", "--quiet", "--bare")
            self._fetch()
        except GitFailed as error:
            if any(sign in str(error) for sign in _BROKEN):
                shutil.rmtree(self._git_dir, ignore_errors=True)
            raise Transient(f"{self._address}: {error}") from error

    def _fetch(self) -> None:
        refspecs = list(_REFSPECS)
        if _is_head(self._revision):
            refspecs.append(f"+HEAD:{_REMOTE_HEAD}")
        options = ("--quiet", "--prune", "--no-tags", "--force", "--no-write-fetch-head", "--no-recurse-submodules")
        self._commands.run("fetch", *options, "--", self._address.url, *refspecs)

    def _resolve(self, revision: str) -> str:
        meant = _REMOTE_HEAD + revision.removeprefix(HEAD) if self._address.url and _is_head(revision) else revision
        for place in _PLACES:
            try:
                name = f"{place.format(meant)}^{{commit}}"
                return self._commands.run("rev-parse", "--verify", "--quiet", "--end-of-options", name).decode().strip()
            except GitFailed:
                continue
        raise UsageError(f"there is no branch, tag or commit `{revision}` in {self._address}{self._branches()}")

    def _branches(self) -> str:
        try:
            names = self._commands.run(
                "for-each-ref", "--format=%(refname:lstrip=2)", "--count=5", "refs/heads"
            ).decode()
        except GitFailed as error:
            raise Transient(f"{self._address}: {error}") from error
        return f"; branches are {', '.join(names.split())}" if names.strip() else ", which has no commits yet"


def read_revision(path: str, revision: str, subpath: str = "") -> Snapshot:
    """Give a revision of the local repository that a folder lies in, as that folder has it there."""
    return GitSource(path, revision, subpath).read_now()


def _is_head(revision: str) -> bool:
    return revision == HEAD or revision.startswith((f"{HEAD}~", f"{HEAD}^"))


def check_revision(revision: str) -> str:
    """Refuse what git would take for an option; raises UsageError."""
    if not revision or revision.startswith("-") or any(character in revision for character in "\0\n: "):
        raise UsageError(f"`{revision}` is not a branch, tag or commit")
    return revision


def join_path(prefix: str, subpath: str) -> str:
    """Join folders into a path inside a tree; raises UsageError for one that leaves it."""
    parts = [part for part in f"{prefix}/{subpath}".split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in subpath:
        raise UsageError(f"`{subpath}` leaves the repository")
    return "/".join(parts)


def _locate(address: Address, cache_dir: Path | None) -> tuple[str, Path]:
    """Give the folder inside the repository that a path stands for, and where git's objects are."""
    if address.path is not None:
        return _locate_local(address.path)
    if cache_dir is None:
        raise UsageError("a source behind a URL needs a cache folder")
    name = hashlib.sha256(address.url.encode()).hexdigest()[:24]
    return "", cache_dir.resolve() / f"{name}.git"


def _locate_local(path: Path) -> tuple[str, Path]:
    try:
        with Repo(path, search_parent_directories=True) as repo:
            tree = repo.working_tree_dir
            git_dir = Path(repo.git_dir).resolve()
    except NoSuchPathError:
        raise UsageError(f"there is no folder {path}") from None
    except InvalidGitRepositoryError:
        raise UsageError(f"{path} is not in a git repository") from None
    inside = path.resolve()
    if tree is None or not inside.is_relative_to(Path(tree).resolve()) or inside.is_relative_to(git_dir):
        return "", git_dir
    return inside.relative_to(Path(tree).resolve()).as_posix(), git_dir
