"""`reconciler simulate`: stations that are not there, over WebSockets that are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reconciler.profiles.capability import Protocol
    from reconciler.simulator.fleet import SimulatedFleet
    from reconciler.simulator.population import Outfit
    from reconciler.simulator.station import SimulatedStation

EXAMPLE = "Example: reconciler simulate --connect ws://127.0.0.1:8080 --fleet fleets/harbour-buses --fault echo"
EVERY_S = 2.0
"""How often the progress line is written."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate", epilog=EXAMPLE)(simulate)


def simulate(
    connect: str = typer.Option(..., help="Where to connect: ws://HOST:PORT."),
    stations: int = typer.Option(0, help="How many; with --fleet, at most as many as it has (0 = all of them)."),
    protocol: str = typer.Option("mixed", help="2.0.1, 2.1 or mixed, where the fleet does not say."),
    fault: list[str] = typer.Option([], help="NAME or NAME=VALUE; an unknown one lists all that there are."),
    speed: float = typer.Option(1.0, min=0.001, max=10_000, help="How much faster than life their clocks run."),
    fleet: Path | None = typer.Option(None, help="Folder of manifests to take identities and ratings from."),
    pattern: str = typer.Option("SIM-{0001..}", help="Identities, where there is no --fleet."),
    seed: int = typer.Option(0, help="Repeats the same chances."),
    clock: str = typer.Option("", envvar="RECONCILER_CLOCK", hidden=True),
) -> None:
    """Run simulated stations against a controller, until stopped."""
    import logging

    from reconciler.cli.clock import faster, read_clock
    from reconciler.cli.logs import configure_logs
    from reconciler.cli.loop import run_loop
    from reconciler.simulator.faults import parse_faults
    from reconciler.simulator.fleet import Setting, SimulatedFleet
    from reconciler.simulator.population import Outfit

    configure_logs(logging.WARNING)
    told = faster(read_clock(clock), speed)
    outfit = Outfit(faults=parse_faults(fault), tempo=speed)
    made = _stations(fleet, stations, pattern, told(), _protocols(protocol), outfit)
    run_loop(_simulate(SimulatedFleet(made, connect, Setting(clock=told, speed=speed, seed=seed))))


def _protocols(text: str) -> Sequence[Protocol]:
    from reconciler.errors import UsageError
    from reconciler.profiles.capability import Protocol
    from reconciler.simulator.population import EVERY_VERSION

    known = {each.version: (each,) for each in Protocol}
    if text == "mixed":
        return EVERY_VERSION
    if text not in known:
        raise UsageError(f"--protocol is 2.0.1, 2.1 or mixed, not {text!r}")
    return known[text]


def _stations(
    folder: Path | None, count: int, pattern: str, now: datetime, protocols: Sequence[Protocol], outfit: Outfit
) -> tuple[SimulatedStation, ...]:
    from reconciler.errors import UsageError
    from reconciler.manifests.load import load
    from reconciler.simulator.population import make_stations, stations_like
    from reconciler.source.folder import read_folder

    if folder is None and not count:
        raise UsageError("say how many with --stations N, or which with --fleet PATH")
    if folder is None:
        return make_stations(count, now, protocols, pattern, outfit)
    manifests = tuple(load(read_folder(folder)).stations.values())
    return stations_like(manifests[: count or None], now, protocols, outfit)


async def _simulate(fleet: SimulatedFleet) -> None:
    from reconciler.cli.loop import stop_signal, until_any

    stop = stop_signal()
    await fleet.start()
    try:
        await until_any(stop, _tell(fleet))
    finally:
        await fleet.stop()


async def _tell(fleet: SimulatedFleet) -> None:
    """Write what is going on to stderr, whenever it has changed."""
    import asyncio

    from reconciler.cli.terminal import say

    last = ""
    while True:
        line = _line(fleet)
        if line != last:
            say(line)
        last = line
        await asyncio.sleep(EVERY_S)


def _line(fleet: SimulatedFleet) -> str:
    from reconciler.profiles.wording import count

    names = fleet.identities
    writes = sum(fleet.writes(name).set_profile for name in names)
    power_kw = sum(fleet.power_w(name, 0) for name in names) / 1000
    return f"{fleet.online} of {len(names)} connected, {count(writes, 'profile')} received, net {power_kw:+.1f} kW"
