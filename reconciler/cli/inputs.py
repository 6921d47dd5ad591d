"""What the offline commands read: a folder or a revision of its repository, an instant, a saved state."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, ReconcilerError, RevisionError, UsageError

if TYPE_CHECKING:
    from reconciler.controller.revision import Revision
    from reconciler.manifests.snapshot import Snapshot
    from reconciler.reported.saved import SavedState

LARGEST_STATE = 512 * 1024 * 1024
"""Bytes of a saved state; ten thousand stations have about thirty million."""


class UnknownStation(ReconcilerError):
    """The revision has no station of that name."""


def read_at(text: str) -> datetime:
    """Read `--at`; without it, it is now.

    Raises:
        UsageError: it is no instant, or says no zone.
    """
    if not text:
        import os

        from reconciler.cli.clock import VARIABLE, read_clock

        return read_clock(os.environ.get(VARIABLE, ""))()
    from reconciler.cli.options import read_instant

    return read_instant("--at", text)


def read_tree(path: Path, ref: str = "") -> Snapshot:
    """Read a folder as it lies, or as a revision of its repository has it.

    Raises:
        ManifestError: it is larger than a fleet can be.
        UsageError: there is no such folder, or no such revision.
    """
    if not ref:
        from reconciler.source.folder import read_folder

        return read_folder(path)
    from reconciler.source.repository import read_revision

    return read_revision(str(path), ref)


def prove(snapshot: Snapshot, at: datetime) -> Revision:
    """Make a snapshot into a revision that may reach stations.

    Raises:
        RevisionError: with every reason why it may not, and the files to show them in.
    """
    from reconciler.cli.complaints import Quoted
    from reconciler.controller.revision import revise
    from reconciler.source.shipped import default_templates

    try:
        return revise(snapshot, default_templates(), at)
    except RevisionError as error:
        raise Quoted(error.errors, snapshot.files) from error


def trust(snapshot: Snapshot, like: Revision | None = None) -> Revision:
    """Make a snapshot into a revision without proof: it is compared with, and never sent.

    Files that the revision `like` it has alike are not read again.

    Raises:
        RevisionError: it does not load; with the files to show the reasons in.
    """
    from reconciler.cli.complaints import Quoted
    from reconciler.controller.revision import Revision
    from reconciler.manifests.load import reload
    from reconciler.source.shipped import default_templates

    try:
        return Revision(snapshot, reload(snapshot, like.loading if like else None).fleet, default_templates())
    except RevisionError as error:
        raise Quoted(error.errors, snapshot.files) from error


def read_state_file(name: str) -> SavedState:
    """Read a saved state from a file, or from stdin by the name `-`.

    Raises:
        UsageError: the file can't be read.
        ReconcilerError: it is no saved state.
    """
    from reconciler.reported.saved import read_state

    return read_state(read_json_file(name, LARGEST_STATE, "state"))


def read_json_file(name: str, largest: int, kind: str) -> object:
    """Read JSON of at most `largest` bytes from a file, or from stdin by the name `-`; `kind` is what it should hold.

    Raises:
        UsageError: the file can't be read.
        ReconcilerError: it is larger, or no JSON.
    """
    import orjson

    content = read_start(name, largest + 1)
    if len(content) > largest:
        raise ReconcilerError(f"{name} is larger than {largest // 1024 // 1024} MiB, which no {kind} is")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ReconcilerError(f"{name} is not JSON: {error}") from error


def read_start(name: str, most: int) -> bytes:
    """Read at most so many bytes of a file, or of stdin by the name `-`.

    Raises:
        UsageError: it can't be read.
    """
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror or error}") from error


def find_station(revision: Revision, identity: str) -> str:
    """Give a station's key.

    Raises:
        UnknownStation: there is none; it says which may have been meant.
    """
    from reconciler.profiles.wording import suggest

    key = identity.casefold()
    if key in revision.fleet.stations:
        return key
    hint = suggest(identity, (station.identity for station in revision.fleet.stations.values()))
    raise UnknownStation(f"the fleet has no station {identity}{hint}")


def folder_in_repository(path: Path) -> str:
    """Give a folder's path below the root of its repository, or below here where it is in none; empty for the root."""
    folder = path.resolve()
    root = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), Path.cwd())
    relative = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.as_posix()
    return "" if relative == "." else relative


def errors_of(error: ManifestError | RevisionError) -> tuple[ManifestError, ...]:
    """Give the single errors."""
    return error.errors if isinstance(error, RevisionError) else (error,)


def count_parts(revision: Revision) -> Mapping[str, int]:
    """Count what a revision has, by noun."""
    fleet = revision.fleet
    schedules = {id(each.schedule) for group in fleet.groups.values() for each in group.assignments}
    return {"station": len(fleet.stations), "group": len(fleet.groups), "schedule": len(schedules)}
