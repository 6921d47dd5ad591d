"""The lock beside a SQLite file: one controller per database. Called by `store`.

The operating system ends it with the process, however that dies; the file itself stays, for whoever locks it next.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.store.address import File
from reconciler.store.complaints import explained, lost


@dataclass(slots=True)
class FileLock:
    """A lock that is held until `release`; `identity` tells the database's file from one put in its place."""

    descriptor: int

    def release(self) -> None:
        """Give the lock up."""
        os.close(self.descriptor)


def lock_file(address: File) -> FileLock:
    """Take the lock; raises StoreLost when another process has it, or when its file can't be written."""
    path = address.path.with_name(f"{address.path.name}.lock")
    with explained(address):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise lost(address, f"belongs to another controller (process {holder}): stop that one first") from None
    except OSError as error:
        os.close(descriptor)
        raise lost(address, "can't be locked: put it on a local disk") from error
    return _signed(address, descriptor)


def _signed(address: File, descriptor: int) -> FileLock:
    try:
        with explained(address):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return FileLock(descriptor)


def identity(path: Path) -> tuple[int, int]:
    """Tell one file from another that has the same path; (0, 0) where there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)
