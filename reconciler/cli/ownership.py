"""Whose a database is: the name of a fleet, and the file that is its own unless another is given. Used by `run`.

One repository has many spellings, and each of them means the same fleet and the same file. It writes to no database.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reconciler.errors import UsageError
from reconciler.source.address import parse_address
from reconciler.source.repository import join_path
from reconciler.store.engines import knows_something

_DIGITS = 12
_ENDING = re.compile(r"(\.git)?/*$")


@dataclass(frozen=True, slots=True)
class Origin:
    """A folder in a repository, in the one form that depends neither on spelling nor on where one stands."""

    repository: str
    folder: str

    @property
    def name(self) -> str:
        """Give the name by which a database knows whose it is: it stays when a repository moves to another host."""
        repository = _ENDING.sub("", self.repository).rpartition("/")[2].rpartition(":")[2]
        return "/".join(part for part in (repository, self.folder) if part) or "fleet"


def fleet_name(source: str, path: str) -> str:
    """Give the name of the fleet in a folder of a source; raises UsageError for what is neither."""
    return _origin(source, path).name


def default_store(folder: Path, source: str, revision: str, path: str) -> str:
    """Give the file of a fleet's database in the state folder: one for each source, branch and folder in it.

    Raises:
        UsageError: it would be a new one, and a fleet of the same name has one beside it already.
    """
    origin = _origin(source, path)
    digest = hashlib.sha256("\0".join((origin.repository, revision, origin.folder)).encode()).hexdigest()[:_DIGITS]
    named = re.sub(r"[^A-Za-z0-9._-]+", "-", origin.name).strip("-.") or "fleet"
    file = folder / f"{named}-{digest}.db"
    if not file.exists():
        _need_none_beside(file, named, origin.name)
    return str(file)


def _need_none_beside(file: Path, named: str, name: str) -> None:
    """Refuse a new file where there is another: it would know no wave, no quarantine and no suspension.

    One that a start left behind which ended at once, for its revision did not exist, stands in nobody's way.
    """
    found = file.parent.glob(f"{escape(named)}-{'[0-9a-f]' * _DIGITS}.db")
    beside = sorted(filter(knows_something, found))
    if beside:
        known = ", ".join(map(str, beside))
        raise UsageError(
            f"this source, revision and path have no database yet, and the fleet {name} has one already ({known}): to "
            "go on with what it knows, give it with --store; to begin anew, without its waves, quarantine and "
            f"suspensions, give --store {file}"
        )


def _origin(source: str, path: str) -> Origin:
    address = parse_address(source)
    local = address.path if address.path is not None else _folder_of(address.url)
    if local is None:
        return Origin(_one_spelling(address.url), join_path("", path))
    inside = local.resolve()
    inside = inside.parent if inside.name == ".git" else inside
    root = next(filter(_is_repository, (inside, *inside.parents)), inside)
    return Origin(str(root), join_path(inside.relative_to(root).as_posix(), path))


def _is_repository(folder: Path) -> bool:
    """Tell whether git would find a working tree, or a bare repository, in a folder itself."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def _folder_of(url: str) -> Path | None:
    """Give the folder that a file:// URL means, as git reads it."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" and not parts.netloc and parts.path else None


def _one_spelling(url: str) -> str:
    """Take out what servers take for the same: the case of the host, and how the path ends."""
    user, at, host = urlsplit(url).netloc.rpartition("@")
    spelt = url.replace(f"//{user}{at}{host}", f"//{user}{at}{host.lower()}", 1) if host else url
    return _ENDING.sub("", spelt)
