"""`reconciler plot`: one local day of a site, a group or a station as a picture, before and after a revision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli.completion import subjects
from reconciler.cli.terminal import emit
from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.controller.revision import Revision
    from reconciler.plan.picture import Picture
    from reconciler.plan.portray import Crowd
    from reconciler.reported.saved import SavedState

FORMS = ("png", "svg")
YEARS = range(1970, 2200)
"""Those that a calendar of any zone can be asked for."""
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class Subject(StrEnum):
    """What can be pictured."""

    SITE = "site"
    GROUP = "group"
    STATION = "station"


class Colours(StrEnum):
    """What `--theme` takes."""

    BOTH = "both"
    LIGHT = "light"
    DARK = "dark"


class Unknown(ReconcilerError):
    """The revision has nothing of that name."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plot", help=_HELP)(plot)


_HELP = """Picture one local day of a site, a group or a station: power before in grey and after in colour.

A site is shown against both caps. With --state or --server a station also shows what it holds: `reported` is what the
fleet's own profiles command, `composite` what all its profiles command together. Revisions are named as for
`reconciler plan`. The same input gives the same bytes.

\b
Examples:
  reconciler plot site quay-3 fleets/harbour-buses
  reconciler plot group night-buses fleets/harbour-buses --day 2026-03-29 --out night.svg
  reconciler plot station Q3-001 --server http://127.0.0.1:8081 --theme dark"""


def plot(
    subject: Subject = typer.Argument(..., help="site, group or station."),
    name: str = typer.Argument(..., autocompletion=subjects, help="Its name, or the station's identity."),
    path: Path = typer.Argument(Path(), help="The folder of the fleet, in its repository."),
    base: str = typer.Option("", help="What was before: a branch, tag or commit."),
    head: str = typer.Option("", help="What comes after; default: the working tree."),
    day: str = typer.Option("", metavar="DATE", help="The local day; default: today."),
    out: str = typer.Option("", metavar="FILE", help="A .png or .svg; default: SUBJECT-NAME.png here."),
    theme: Colours = typer.Option(Colours.BOTH, help="For pages of either colour, light ones or dark ones."),
    state: str = typer.Option("", metavar="FILE", help="Show what this saved state has (- is stdin)."),
    server: str = typer.Option("", metavar="URL", help="Show what this controller knows."),
    at: str = typer.Option("", help="Picture as of this instant (RFC 3339); default: now."),
) -> None:
    """Draw one picture and print where it is."""
    from reconciler.cli.inputs import prove, read_at, read_tree
    from reconciler.cli.plan import find_base, read_held
    from reconciler.pictures.draw import draw
    from reconciler.pictures.theme import THEMES

    file = Path(out or f"{subject}-{file_name(name)}.png")
    form = _read_form(file)
    instant = read_at(at)
    held = read_held(state, server)
    after = prove(read_tree(path, head), instant)
    before = find_base(path, base, held)
    local = _read_day(day, instant, after)
    if subject is Subject.STATION:
        picture = portray_station(name, local, before, after, (held, instant))
    else:
        picture = portray(subject, name, local, before, after)
    write_picture(file, draw(picture, form, THEMES[theme]))
    emit(str(file))


def portray(subject: Subject, name: str, day: date, before: Revision | None, after: Revision) -> Picture:
    """Make the picture of a site or a group.

    Raises:
        Unknown: the revision has none of that name.
    """
    from reconciler.plan.portray import portray_sum

    known = after.fleet.sites if subject is Subject.SITE else after.fleet.groups
    if name not in known:
        raise Unknown(_unknown(subject, name, known))
    title = f"{subject.value.capitalize()} {name}"
    old = _crowd(subject, name, before) if before else None
    site = after.fleet.sites[name] if subject is Subject.SITE else None
    return portray_sum(title, day, old, _crowd(subject, name, after), site)


def portray_station(
    name: str, day: date, before: Revision | None, after: Revision, seen: tuple[SavedState | None, datetime]
) -> Picture:
    """Make the picture of a station, with what it holds where that is known.

    Raises:
        Unknown: the revision has no such station.
    """
    from reconciler.cli.inputs import find_station
    from reconciler.plan.portray import Found, portray_station

    key = find_station(after, name)
    old = before.fleet.stations.get(key) if before else None
    saved = seen[0].stations.get(key) if seen[0] else None
    found = Found(saved.reported, after.owned, seen[1]) if saved else None
    before_side = (before.renderer, old) if before and old else None
    return portray_station(day, before_side, (after.renderer, after.fleet.stations[key]), found)


def write_picture(file: Path, content: bytes) -> None:
    """Write a picture.

    Raises:
        UsageError: it can't be written there.
    """
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{file} can't be written: {error.strerror or error}") from error


def file_name(name: str) -> str:
    """Give a name as a part of a file's name: nothing in it is special to a shell or a file system."""
    return "".join(letter if letter in _SAFE else "_" for letter in name)[:100]


def _crowd(subject: Subject, name: str, revision: Revision) -> Crowd:
    from reconciler.plan.portray import Crowd

    fleet = revision.fleet
    if subject is Subject.SITE:
        members: Iterable[str] = revision.members.get(name, ())
    else:
        members = fleet.groups[name].members if name in fleet.groups else ()
    return Crowd(revision.renderer, tuple(fleet.stations[member.casefold()] for member in members))


def _unknown(subject: Subject, name: str, known: Iterable[str]) -> str:
    from reconciler.profiles.wording import suggest

    return f"the fleet has no {subject} {name}{suggest(name, known)}"


def _read_form(file: Path) -> str:
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise UsageError(f"--out takes a file that ends in .png or .svg, not {file.name!r}")
    return form


def _read_day(text: str, at: datetime, revision: Revision) -> date:
    from zoneinfo import ZoneInfo

    if not text:
        return at.astimezone(ZoneInfo(revision.fleet.timezone)).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        raise UsageError(f"--day takes a date such as 2026-03-29, not {text!r}")
    return day
