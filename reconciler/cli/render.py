"""`reconciler render`: the profiles that stations should hold at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from reconciler.cli.completion import stations
from reconciler.cli.exits import ERROR, OK
from reconciler.cli.terminal import emit, printable, say

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.cli.accounts import Account
    from reconciler.controller.revision import Revision
    from reconciler.manifests.fleet import Station
    from reconciler.profiles.capability import Capability
    from reconciler.profiles.form import JsonObject
    from reconciler.render.account import Stretch
    from reconciler.rollout.station import Goal


class Format(StrEnum):
    """What `-o` takes; `text` is for --explain alone."""

    TEXT = "text"
    YAML = "yaml"
    JSON = "json"


class Version(StrEnum):
    """What `--protocol` takes."""

    V201 = "2.0.1"
    V21 = "2.1"


class Entry(NamedTuple):
    """One profile of one station; stations that share it share its JSON form."""

    station: str
    evse_id: int
    profile: JsonObject


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("render", help=_HELP)(render)


_HELP = """Print the profiles that stations should hold at an instant.

Without --protocol they are in the project's own form, as each station's declared protocol can carry them (2.1 where
none is declared); with it, as that version puts them on the wire. The same input gives the same bytes.

With --explain it says instead where each step comes from: schedule, window, priority, group, file and line; and which
document set each setting. It looks one lease ahead. As text, or with -o json or -o yaml.

\b
Examples:
  reconciler render fleets/harbour-buses --station Q3-001 --at 2026-11-23T17:00:00+01:00
  reconciler render fleets/harbour-buses --station Q3-001 --protocol 2.0.1
  reconciler render fleets/harbour-buses --station Q3-001 --explain"""


def render(
    path: Path = typer.Argument(Path(), help="The folder of the fleet, read as it lies."),
    station: str = typer.Option("", autocompletion=stations, help="Only this station."),
    at: str = typer.Option("", help="The instant (RFC 3339); default: now."),
    protocol: Version | None = typer.Option(None, help="Show what this version puts on the wire."),
    explain: bool = typer.Option(False, "--explain", help="Say where each step and each setting comes from."),
    output: Format | None = typer.Option(None, "-o", "--output", help="How to print; default: yaml, or text."),
) -> int:
    """Print desired profiles, sorted by station, EVSE and id."""
    from reconciler.cli.inputs import find_station, prove, read_at, read_tree

    form = _read_form(output, explain=explain)
    instant = read_at(at)
    revision = prove(read_tree(path), instant)
    keys = [find_station(revision, station)] if station else sorted(revision.fleet.stations)
    desk = _Desk(revision, instant, protocol)
    if explain:
        _emit_accounts([desk.account(key) for key in keys], form)
    else:
        _emit_entries([entry for key in keys for entry in desk.entries(key)], form)
    for refusal in desk.refusals:
        say(f"error: {refusal}")
    return ERROR if desk.refusals else OK


def _read_form(output: Format | None, *, explain: bool) -> Format:
    if output is Format.TEXT and not explain:
        from reconciler.errors import UsageError

        raise UsageError("-o text is for --explain; profiles are printed as yaml or json")
    return output or (Format.TEXT if explain else Format.YAML)


def _emit_entries(entries: list[Entry], form: Format) -> None:
    if form is Format.JSON:
        import orjson

        emit(orjson.dumps([_object(entry) for entry in entries], option=orjson.OPT_INDENT_2).decode())
    else:
        emit("".join(_yaml(entries)) or "[]")


def _emit_accounts(accounts: list[Account], form: Format) -> None:
    from reconciler.cli.accounts import account_object, write_accounts

    if form is Format.TEXT:
        emit(printable(write_accounts(accounts)))
    else:
        from reconciler.cli.output import Format as Shared
        from reconciler.cli.output import emit_data

        emit_data([account_object(each) for each in accounts], Shared(form))


class _Desk:
    """Renders one station after the other; those of a kind share goal and JSON form."""

    def __init__(self, revision: Revision, at: datetime, version: Version | None) -> None:
        self._revision, self._at, self._version = revision, at, version
        self._written: dict[tuple[int, str], tuple[Goal, tuple[tuple[int, JsonObject], ...]]] = {}
        self._stretches: dict[object, Mapping[int, tuple[Stretch, ...]]] = {}
        self.refusals: list[str] = []

    def entries(self, key: str) -> Iterator[Entry]:
        station = self._revision.fleet.stations[key]
        goal, capability = self._goal(station)
        known = self._written.get((id(goal), capability.protocol.version))
        if known is None:
            known = (goal, tuple(self._write(goal, capability)))
            self._written[id(goal), capability.protocol.version] = known
        return (Entry(station.identity, evse_id, profile) for evse_id, profile in known[1])

    def account(self, key: str) -> Account:
        """Say where what a station should do comes from, over one lease from the instant on."""
        from reconciler.cli.accounts import Account
        from reconciler.render.account import account

        station, programmes = self._revision.fleet.stations[key], self._revision.renderer.programmes
        goal, capability = self._goal(station)
        span = (self._at, self._at + station.settings.fail_safe.lease)
        kind = (id(station.assignments), id(station.settings), station.evses, capability)
        if kind not in self._stretches:
            self._stretches[kind] = {
                evse.id: account(programmes, station, evse, capability, span) for evse in station.evses
            }
        return Account(station, span, programmes.zone, self._stretches[kind], goal.refusal, goal.notes)

    def _goal(self, station: Station) -> tuple[Goal, Capability]:
        from reconciler.profiles.capability import Protocol
        from reconciler.render.assume import assume

        wanted = self._version or station.declared.protocol or Version.V21
        protocol = next(each for each in Protocol if each.version == wanted)
        capability = assume(station.declared, protocol)
        goal = self._revision.goal(station, capability, self._at)
        if goal.refusal:
            self.refusals.append(f"{station.identity} can't take it over OCPP {wanted}: {goal.refusal}")
        return goal, capability

    def _write(self, goal: Goal, capability: Capability) -> Iterator[tuple[int, JsonObject]]:
        from reconciler.ocpp.dialects import dialect
        from reconciler.profiles.form import write_profile

        for profile in sorted(goal.profiles, key=lambda each: (each.evse_id, each.id)):
            if self._version is None:
                yield profile.evse_id, write_profile(profile)
            else:
                request = dialect(capability.protocol).set_profile(profile, capability)
                yield profile.evse_id, request["chargingProfile"]  # type: ignore[misc]


def _object(entry: Entry) -> JsonObject:
    return {"station": entry.station, "evseId": entry.evse_id, "profile": entry.profile}


def _yaml(entries: Iterable[Entry]) -> Iterator[str]:
    """Write a YAML list; what stations share is written out once and repeated as text."""
    import json

    import yaml

    known: dict[int, str] = {}
    for entry in entries:
        if id(entry.profile) not in known:
            rest = {"evseId": entry.evse_id, "profile": entry.profile}
            text: str = yaml.safe_dump(rest, sort_keys=False, allow_unicode=True)
            known[id(entry.profile)] = "".join(f"  {line}\n" for line in text.splitlines())
        yield f"- station: {json.dumps(entry.station)}\n{known[id(entry.profile)]}"
