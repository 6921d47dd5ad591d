"""Names that a shell completes: of a fleet's folder, or of a running controller. Without either, none, and no error.

Called by typer while somebody types, so it is quick, and says nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.manifests.fleet import Fleet

MOST = 500
"""More names help nobody; a few letters more do."""


def kinds(incomplete: str) -> list[str]:
    """Complete the kinds of manifests."""
    from reconciler.manifests.models import KINDS

    return _fitting(KINDS, incomplete)


def stations(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the identities of stations in the fleet's folder."""
    fleet = _read(context)
    return _fitting((each.identity for each in fleet.stations.values()), incomplete) if fleet else []


def subjects(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the names of sites, groups or stations in the fleet's folder, whichever the word before asks for."""
    match str(context.params.get("subject")), _read(context):
        case "site", fleet if fleet:
            return _fitting(fleet.sites, incomplete)
        case "group", fleet if fleet:
            return _fitting(fleet.groups, incomplete)
    return stations(context, incomplete)


def known_stations(incomplete: str) -> list[str]:
    """Complete the identities of stations of the running controller."""
    from reconciler.cli.client import Client
    from reconciler.errors import ReconcilerError

    try:
        with Client() as client:
            rows = client.get("stations")
    except ReconcilerError:
        return []
    return _fitting((row["identity"] for row in rows), incomplete)


def _read(context: typer.Context) -> Fleet | None:
    from reconciler.errors import ReconcilerError
    from reconciler.manifests.load import load
    from reconciler.source.folder import read_folder

    # An option that still lacks its value keeps what stands before it from being taken as an argument.
    left = (Path(each) for each in context.args)
    folder = next((each for each in left if each.is_dir()), Path(context.params.get("path") or "."))
    try:
        return load(read_folder(folder))
    except ReconcilerError:
        return None


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)][:MOST]
