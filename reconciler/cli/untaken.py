"""What `plan` prints for reviews and programs where a revision can't be taken; people get the errors alone.

Called by `plan`, which raises the errors afterwards: they go to stderr, and into the exit code, as ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.presentation import Format
from reconciler.cli.terminal import emit
from reconciler.errors import ManifestError, RevisionError, UsageError

if TYPE_CHECKING:
    from reconciler.manifests.snapshot import Snapshot
    from reconciler.plan.planned import Version


def print_refusal(
    error: ManifestError | RevisionError, path: Path, refs: tuple[str, str], output: Format, *, is_base: bool
) -> None:
    """Print why there is no plan, as a page or as JSON; `refs` are those of base and head, empty for a folder."""
    from reconciler.cli.inputs import errors_of
    from reconciler.plan.planned import Version
    from reconciler.plan.refusal import Refusal, write_refusal, write_refusal_json

    if output is Format.TEXT:
        return
    base, head = _read(path, refs[0]) if refs[0] else None, _read(path, refs[1])
    name = next((found for side in (head, base) if side and (found := _fleet_name(side))), "")
    told = _version(head) if head else Version("", "", refs[1] or "working tree")
    refusal = Refusal(name, told, _version(base) if base else None, errors_of(error), is_base)
    if output is Format.MARKDOWN:
        emit(write_refusal(refusal))
        return
    import orjson

    emit(orjson.dumps(write_refusal_json(refusal), option=orjson.OPT_INDENT_2).decode())


def _read(path: Path, ref: str) -> Snapshot | None:
    """Read the files of one side; None where they can't be had, which is no news to whoever asked for a plan."""
    from reconciler.cli.inputs import read_tree

    try:
        return read_tree(path, ref)
    except (ManifestError, UsageError):
        return None


def _fleet_name(snapshot: Snapshot) -> str:
    """Give the name of the fleet, also where its document has errors."""
    from reconciler.manifests.catalogue import catalogue
    from reconciler.manifests.complaints import Complaints

    found = catalogue(snapshot, Complaints(), {})
    return next(iter((*found.fleets, *found.mentioned["Fleet"])), "")


def _version(snapshot: Snapshot) -> Version:
    from reconciler.plan.planned import Version

    return Version(snapshot.commit, snapshot.author, snapshot.subject)
