"""`reconciler import`: what stations hold already, as manifests to begin from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli.exits import ERROR, OK

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

LARGEST = 256 * 1024 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", help=_HELP)(import_profiles)


_HELP = """Turn captured profiles into Schedule, Station and Group manifests, on stdout.

FILE (or - for stdin) is what `reconciler get profiles -o json` or `explain STATION -o json` printed, or a log
with one ReportChargingProfiles as JSON on each line: frames, payloads, or objects with `station` and one of both.
Absolute profiles and those that recur daily or weekly become signed power over local time. What can't be said so is
told on stderr by the profile's id.

\b
Examples:
  reconciler import state.json --timezone Europe/Amsterdam > imported.yaml
  reconciler import ocpp.log --station Q3-001 --fleet fleets/harbour-buses"""


def import_profiles(
    file: str = typer.Argument(..., metavar="FILE", help="What was captured; - is stdin."),
    timezone: str = typer.Option("", help="The IANA time zone of the fleet that the manifests are for."),
    fleet: Path = typer.Option(Path(), help="The folder of that fleet, to take its time zone from."),
    station: str = typer.Option("", help="The station whose log it is."),
    at: str = typer.Option("", help="Take what is commanded from this day on; default: when it was captured, or now."),
    nearest: bool = typer.Option(False, "--round", help="Move changes to the nearest full minute."),
) -> int:
    """Import and say what could not be."""
    from reconciler.cli.captured import read_captured
    from reconciler.cli.imported import import_stations
    from reconciler.cli.inputs import read_at
    from reconciler.cli.terminal import emit, say
    from reconciler.plan.words import describe_names
    from reconciler.profiles.wording import count

    zone = _zone(timezone, fleet)
    captured = read_captured(_read(file), station)
    now = read_at(at) if at or captured.at is None else captured.at
    made = import_stations(captured.stations, zone, now, is_rounded=nearest)
    if made.text:
        emit(made.text)
    for note in made.notes:
        say(f"note: {note}")
    if made.guessed:
        whose = count(len(made.guessed), "station")
        say(f"note: nothing tells whether {whose} ({describe_names(made.guessed)}) are on AC or DC: AC is put down")
    if made.discharges:
        say("note: some of it discharges, for which the Fleet needs `discharge: allowed`")
    say(f"imported {count(made.profiles, 'profile')} of {count(made.stations, 'station')}")
    return OK if made.profiles else ERROR


def _read(name: str) -> str:
    from reconciler.cli.inputs import read_start
    from reconciler.errors import UsageError

    content = read_start(name, LARGEST + 1)
    if len(content) > LARGEST:
        raise UsageError(f"{name} is larger than {LARGEST // 1024 // 1024} MiB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not text: {error}") from error


def _zone(name: str, fleet: Path) -> ZoneInfo:
    """Take the zone that is named, else the fleet's."""
    from zoneinfo import ZoneInfo

    from reconciler.cli.inputs import read_tree
    from reconciler.errors import ManifestError, RevisionError, UsageError
    from reconciler.manifests.fields import timezone_hint
    from reconciler.manifests.load import load

    try:
        return ZoneInfo(name or load(read_tree(fleet)).timezone)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"--timezone: `{name}` is not a time zone; {timezone_hint(name)}") from error
    except (ManifestError, RevisionError) as error:
        raise UsageError("local times need a time zone: give --timezone, or --fleet with the fleet's folder") from error
