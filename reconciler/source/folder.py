"""A plain folder as a snapshot: what is on the disk now, committed or not.

Used by the commands that look at work in progress; needs no git.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, Place, UsageError
from reconciler.manifests.snapshot import Snapshot, check_count, check_size, is_read

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECT = "working tree"


def read_folder(path: Path) -> Snapshot:
    """Read a folder's files; links are not followed; raises UsageError for no folder and ManifestError for limits."""
    if not path.is_dir():
        raise UsageError(f"there is no folder {path}")
    found = sorted(_walk(path))
    check_count(len(found))
    files: dict[str, str] = {}
    total = 0
    for name in found:
        # Sizes are looked at first: what is too large is never read.
        total += check_size(name, (path / name).stat().st_size, total)
        files[name] = decode(name, (path / name).read_bytes())
    return Snapshot("", "", None, SUBJECT, files)


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if is_read(relative) and path.is_file() and not path.is_symlink():
                yield relative


def decode(path: str, content: bytes) -> str:
    """Read a file's bytes as UTF-8; raises ManifestError with the line that is not."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError("this is not UTF-8 text", Place(path, line), rule="not-utf-8") from None
