"""`reconciler run`: the controller, from now until it is told to stop."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from reconciler.cli.clock import Clock
    from reconciler.cli.composition import Program, Setup
    from reconciler.cli.observation import Observation
    from reconciler.source.repository import GitSource
    from reconciler.web.api import Ports

EXAMPLE = (
    "Example: reconciler run --source https://git.example.org/fleets.git --path harbour-buses --auth stations.auth"
)
STORE = typer.Option(
    "",
    metavar="URL",
    help="Where all that has to be kept is: a file, postgresql://…, or none; default: a file in the state folder.",
)
FRAME_LOG = typer.Option(
    None,
    help="Write the frames of chosen stations to this file, one JSON line each; of nobody until they are chosen, "
    "here or later over the API: --frame-log ocpp-json.log --frame-log-stations 'Q3-*'.",
)
FRAME_LOG_STATIONS = typer.Option(
    [], metavar="GLOB", help="Whose frames go to --frame-log: 'Q3-*', or '*' for all; may be given several times."
)


@dataclass(frozen=True, slots=True)
class Keep:
    """Where things are kept, whose they are, and how long history is."""

    url: str
    fleet: str
    retention: timedelta


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", epilog=EXAMPLE)(run)


def run(
    source: str = typer.Option(..., help="Git repository: a path, or a URL over https, ssh or file."),
    revision: str = typer.Option("HEAD", help="Branch, tag or commit to follow."),
    path: str = typer.Option("", help="Folder of the fleet inside the repository."),
    interval: str = typer.Option("30s", help="How often to look for new commits."),
    listen: str = typer.Option("127.0.0.1:8080", help="Where stations connect."),
    api: str = typer.Option("127.0.0.1:8081", help="Where the HTTP API listens."),
    auth: Path | None = typer.Option(None, help="File of `identity:hash` lines; without it, loopback only."),
    read_back: str = typer.Option("15m", help="How often every station is read back as a matter of routine."),
    store: str = STORE,
    require_signature: bool = typer.Option(False, help="Take only commits whose signature git finds good."),
    retention: str = typer.Option("400d", help="How long history is kept."),
    log_format: str = typer.Option("", help="json or text; default: text on a terminal, json elsewhere."),
    frame_log: Path | None = FRAME_LOG,
    frame_log_stations: list[str] = FRAME_LOG_STATIONS,
    notify: Path | None = typer.Option(None, help="YAML file of whom to tell of rollouts, storms and leases at risk."),
    clock: str = typer.Option("", envvar="RECONCILER_CLOCK", hidden=True),
) -> None:
    """Keep every station at what the newest good commit says, until stopped."""
    from reconciler.cli.logs import check_form, configure_logs
    from reconciler.cli.loop import run_loop
    from reconciler.cli.options import cache_folder, read_address, read_duration, state_folder
    from reconciler.cli.ownership import default_store, fleet_name
    from reconciler.source.repository import GitSource

    check_form(log_format)
    made = make_setup(listen, auth, read_duration("--read-back", read_back), clock)
    settings = replace(made.settings, signed_only=require_signature)
    setup = replace(made, settings=settings, observation=_observe(frame_log, frame_log_stations, notify, made.clock))
    repository = GitSource(source, revision, path, cache_folder())
    every, served = read_duration("--interval", interval), read_address("--api", api)
    keep = Keep(
        store or default_store(state_folder(), source, revision, path),
        fleet_name(source, path),
        read_duration("--retention", retention),
    )
    configure_logs(form=log_format)
    run_loop(_run(setup, keep, repository, every, (served.host, served.port)))


def make_setup(listen: str, auth: Path | None, read_back: timedelta, clock: str) -> Setup:
    """Read what `run` and `apply` have in common.

    Raises:
        UsageError: an option can't be taken.
    """
    from reconciler.cli.clock import read_clock
    from reconciler.cli.composition import Setup
    from reconciler.cli.options import read_address
    from reconciler.controller.world import Settings
    from reconciler.source.shipped import default_templates
    from reconciler.stations.credentials import Credentials

    return Setup(
        listen=read_address("--listen", listen),
        clock=read_clock(clock),
        settings=Settings(read_back=read_back),
        templates=default_templates(),
        credentials=Credentials.load(auth) if auth else None,
    )


def _observe(frame_log: Path | None, stations: list[str], notify: Path | None, clock: Clock) -> Observation:
    """Read how the program is to be seen from outside; raises UsageError where an option can't be taken."""
    from reconciler.cli.observation import Observation, open_transcript
    from reconciler.cli.receivers import read_receivers

    receivers = read_receivers(notify) if notify is not None else ()
    return Observation(transcript=open_transcript(frame_log, stations, clock), receivers=receivers)


async def _run(setup: Setup, keep: Keep, source: GitSource, interval: timedelta, served: tuple[str, int]) -> None:
    import structlog

    from reconciler.cli.composition import Program
    from reconciler.cli.keeping import open_store, prune, recall
    from reconciler.cli.loop import stop_signal, until_any
    from reconciler.cli.observation import CountedJournal, CountedSource
    from reconciler.cli.options import Address
    from reconciler.cli.steering import Steering
    from reconciler.controller.world import World
    from reconciler.web.api import make_app
    from reconciler.web.serve import ApiServer

    stop = stop_signal()
    async with AsyncExitStack() as ends:
        store = await open_store(keep.url, keep.fleet)
        recalled = None
        if store is not None:
            ends.push_async_callback(store.close)
            recalled = await recall(store, World(settings=setup.settings), setup.templates, setup.clock())
        seen = setup.observation
        journal = CountedJournal(store, seen.measures) if store is not None else None
        program = Program(setup, journal, recalled)
        api = ApiServer(
            make_app(replace(_ports(program, setup), steering=Steering(program.controller, source.read, store))),
            *served,
        )
        ends.push_async_callback(api.stop)
        await ends.enter_async_context(seen.running(program.controller, setup.clock))
        ends.push_async_callback(program.stop)
        await program.start()
        await api.start()
        structlog.get_logger("program").info("serving", api=f"http://{Address(api.host, api.port)}")
        pruning = [prune(store, keep.retention, setup.clock)] if store is not None else []
        counted = CountedSource(source, seen.measures, setup.clock)
        await until_any(stop, program.follow(counted, interval), program.watch_over(), *pruning)


def _ports(program: Program, setup: Setup) -> Ports:
    """Give what the API stands on."""
    from reconciler.web.api import Ports

    seen = setup.observation
    return Ports(
        program.controller,
        program.stations,
        setup.clock,
        lambda: program.listening,
        metrics=seen.metrics(program.controller, program.stations, setup.clock).write,
        frame_log=seen.transcript,
    )
