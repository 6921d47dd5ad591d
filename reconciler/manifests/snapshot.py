"""The files of one revision as a value: the whole input of the pure side.

Made by `source`, read by `manifests.load`; it refuses to know where the files came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MIB = 1024 * 1024
MAX_FILE_BYTES = 5 * MIB
MAX_TOTAL_BYTES = 64 * MIB
MAX_FILES = 20_000

TEMPLATES = "templates/"
MANIFEST_SUFFIXES = (".yaml", ".yml")
TABLE_SUFFIX = ".csv"
TEMPLATE_SUFFIX = ".j2"
SUFFIXES = (*MANIFEST_SUFFIXES, TABLE_SUFFIX, TEMPLATE_SUFFIX)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Hold a revision: who made it, when, and its files by relative POSIX path; a plain folder has no `commit`.

    `signature` says what the source found of the commit's signature, and is empty where it has none.
    """

    commit: str
    author: str
    committed_at: datetime | None
    subject: str
    files: Mapping[str, str] = field(repr=False)
    signature: str = ""

    def __post_init__(self) -> None:
        """Refuse what is larger than a fleet of text can be; raises ManifestError."""
        check_count(len(self.files))
        total = 0
        for path in sorted(self.files):
            total += check_size(path, byte_size(self.files[path]), total)


def is_read(path: str) -> bool:
    """Tell whether a file belongs in a snapshot: by its suffix, and no part of its path may be hidden."""
    return path.endswith(SUFFIXES) and not any(part.startswith(".") for part in path.split("/"))


def byte_size(text: str) -> int:
    """Count the bytes of a text as UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def check_count(files: int) -> None:
    """Refuse a revision of too many files; raises ManifestError."""
    if files > MAX_FILES:
        message = f"{files} files, and a revision may have {MAX_FILES}"
        raise ManifestError(message, Place("."), rule="too-many-files", hint="name the fleet's own folder with --path")


def check_size(path: str, size: int, before: int) -> int:
    """Refuse a file that is too large, alone or with the bytes `before` it; give its size; raises ManifestError."""
    if size > MAX_FILE_BYTES:
        message = f"{size / MIB:.1f} MiB, and a file may have {MAX_FILE_BYTES // MIB} MiB"
        raise ManifestError(message, Place(path), rule="file-too-large", hint="split it into several files")
    if before + size > MAX_TOTAL_BYTES:
        message = f"with this file the revision has more than {MAX_TOTAL_BYTES // MIB} MiB"
        raise ManifestError(message, Place(path), rule="revision-too-large", hint="keep other data elsewhere")
    return size
