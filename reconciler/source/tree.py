"""A commit's tree as a snapshot, read from git's objects: a half-written working copy is never seen.

Used by the git source. Sizes are known before anything is read; links and submodules are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, Place
from reconciler.manifests.snapshot import Snapshot, check_count, check_size, is_read
from reconciler.source.commands import GitFailed
from reconciler.source.folder import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.source.commands import Commands

_FORMAT = "%an <%ae>%x00%cI%x00%G?%x00%GS%x00%s"
_SIGNATURES = {
    "N": "",
    "G": "good",
    "U": "good, of unknown validity",
    "B": "bad",
    "X": "good, but expired",
    "Y": "good, by an expired key",
    "R": "good, by a revoked key",
}
_FILE_MODES = {"100644", "100755", "100664"}


@dataclass(frozen=True, slots=True)
class Blob:
    """Hold where a file's text lies in git's objects."""

    path: str
    object_id: str
    size: int


def read_commit(commands: Commands, commit: str, subpath: str) -> Snapshot:
    """Read what a commit has below a folder; raises ManifestError for a folder that is not there and for limits."""
    shown = commands.run("show", "--no-patch", "--no-show-signature", f"--format={_FORMAT}", commit)
    author, committed, verdict, signer, subject = shown.decode(errors="replace").rstrip("\n").split("\0", 4)
    blobs = list_blobs(commands, commit, subpath)
    return Snapshot(
        commit=commit,
        author=author,
        committed_at=datetime.fromisoformat(committed).astimezone(UTC),
        subject=subject,
        files=read_blobs(commands, blobs),
        signature=_signature(verdict, signer),
    )


def _signature(verdict: str, signer: str) -> str:
    """Put git's one letter on a signature into words; a commit without one has none."""
    words = _SIGNATURES.get(verdict, "can't be checked")
    return f"{words}: {signer}" if words and signer else words


def list_blobs(commands: Commands, commit: str, subpath: str) -> tuple[Blob, ...]:
    """List the files that belong in a snapshot, with paths below `subpath`; raises ManifestError."""
    try:
        listing = commands.run("ls-tree", "-r", "-z", "--long", "--full-tree", f"{commit}:{subpath}")
    except GitFailed as error:
        if not subpath:
            raise
        message = f"there is no folder `{subpath}` in commit {commit[:12]}"
        raise ManifestError(message, Place(subpath or "."), rule="unknown-path") from error
    blobs = tuple(sorted(_entries(listing), key=lambda blob: blob.path))
    check_count(len(blobs))
    total = 0
    for blob in blobs:
        total += check_size(blob.path, blob.size, total)
    return blobs


def _entries(listing: bytes) -> Iterator[Blob]:
    for line in listing.decode(errors="replace").split("\0")[:-1]:
        facts, path = line.split("\t", 1)
        mode, _, object_id, size = facts.split()
        if mode in _FILE_MODES and is_read(path):
            if not size.isdigit():
                raise GitFailed(f"bad object {object_id} of {path}")
            yield Blob(path, object_id, int(size))


def read_blobs(commands: Commands, blobs: tuple[Blob, ...]) -> Mapping[str, str]:
    """Read the files' texts in one go; raises GitFailed for a missing object, ManifestError for what is no text."""
    output = commands.run("cat-file", "--batch", stdin="".join(f"{blob.object_id}\n" for blob in blobs).encode())
    files: dict[str, str] = {}
    position = 0
    for blob in blobs:
        start = output.find(b"\n", position) + 1
        if output[position:start] != f"{blob.object_id} blob {blob.size}\n".encode():
            raise GitFailed(f"bad object {blob.object_id} of {blob.path}")
        position = start + blob.size + 1
        files[blob.path] = decode(blob.path, output[start : position - 1])
    return files
