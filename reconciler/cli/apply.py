"""`reconciler apply`: one pass. Stations connect, are read, planned for, written to, verified; then it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli.exits import BLOCKED, ERROR, OK, PARTLY
from reconciler.errors import UnsafePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.cli.composition import Program, Setup
    from reconciler.cli.output import Format
    from reconciler.controller.revision import Revision
    from reconciler.plan.fleet_plan import FleetPlan
    from reconciler.source.repository import GitSource

LOOK_S = 0.2
MOST_OBJECTIONS = 20
DONE = frozenset({"in-sync", "refused"})
UNREAD = "deferred, for it was not read when the plan was made"
_HELP = """Bring the stations that connect to what a revision says, once, and end.

Stations connect to --listen; after --wait, or when all of the fleet are there, the plan is made and carried out. Those
that did not come, or were not read by then, are deferred: nothing is written that was not compared. With --digest
nothing is written unless the plan is the one that was reviewed: with --base the plan from that revision to this one,
otherwise the plan against what the stations report.

With a FILE that `reconciler plan --out` saved, exactly that plan is applied, and nothing is asked again: its revision,
to stations for which it still means the same. It is refused when it has expired, when its digest is another by now,
when a station has come to hold something else or can't take it, and when guardrails refuse it and no --force says why.

Exit codes: 0 = all verified, 1 = none, 4 = refused (another digest, or by every station), 5 = some and not others.

\b
Examples:
  reconciler apply plan.json --source . --listen 127.0.0.1:8080
  reconciler apply --source . --base v11 --digest 913474c7570a --listen 127.0.0.1:8080"""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass is about: what to apply, against which base and digest, and how long it may take.

    `reviewed` is the saved plan, if there is one; `force` is a person's reason to pass guardrails by.
    """

    source: GitSource
    base: str
    digest: str
    wait: timedelta
    timeout: timedelta
    reviewed: FleetPlan | None = None
    force: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("apply", help=_HELP)(apply)


def apply(
    file: str = typer.Argument("", metavar="[FILE]", help="A saved plan to apply (- is stdin)."),
    source: str = typer.Option(..., help="Git repository: a path, or a URL over https, ssh or file."),
    revision: str = typer.Option("", help="Branch, tag or commit to apply; default: HEAD, or the plan's."),
    path: str = typer.Option("", help="Folder of the fleet inside the repository."),
    base: str = typer.Option("", help="The revision that the reviewed plan was made from."),
    digest: str = typer.Option("", help="The reviewed plan's digest, or at least its first 12 digits."),
    wait: str = typer.Option("60s", help="How long to wait for stations to connect and be read."),
    timeout: str = typer.Option("10m", help="How long writing and verifying may take."),
    listen: str = typer.Option("127.0.0.1:8080", help="Where stations connect."),
    auth: Path | None = typer.Option(None, help="File of `identity:hash` lines; without it, loopback only."),
    force: str = typer.Option("", metavar="REASON", help="Pass guardrails by; the reason is kept in the history."),
    output: str = typer.Option("table", "-o", "--output", help="table or json."),
    clock: str = typer.Option("", envvar="RECONCILER_CLOCK", hidden=True),
) -> int:
    """Apply once."""
    import logging

    from reconciler.cli.logs import configure_logs
    from reconciler.cli.loop import run_loop
    from reconciler.cli.options import cache_folder, read_duration
    from reconciler.cli.output import Format, read_format
    from reconciler.cli.run import make_setup
    from reconciler.source.repository import GitSource

    form = read_format(output, Format.TABLE, Format.JSON)
    setup = make_setup(listen, auth, timedelta(minutes=15), clock)
    reviewed = _read_reviewed(file, setup, (revision, base, digest)) if file else None
    if reviewed:
        revision, base, digest = reviewed.head.commit, reviewed.base.commit if reviewed.base else "", reviewed.digest
    order = Pass(
        GitSource(source, revision or "HEAD", path, cache_folder()),
        base,
        _read_digest(digest),
        read_duration("--wait", wait),
        read_duration("--timeout", timeout),
        reviewed,
        force,
    )
    configure_logs(logging.WARNING)
    return run_loop(_apply(setup, order, form))


def _read_reviewed(file: str, setup: Setup, others: tuple[str, str, str]) -> FleetPlan:
    """Read a saved plan that may be applied now."""
    from reconciler.cli.show import read_plan
    from reconciler.errors import UsageError

    if any(others):
        raise UsageError("a saved plan says itself what --revision, --base and --digest would")
    plan, now = read_plan(file), setup.clock()
    if not plan.head.commit:
        raise UsageError(f"{file} was planned from a working tree: commit it, and plan with --head")
    if plan.expires is not None and now >= plan.expires:
        raise UnsafePlan((f"{file} expired at {plan.expires:%Y-%m-%d %H:%M} UTC; plan anew",))
    return plan


def _read_digest(text: str) -> str:
    from reconciler.errors import UsageError

    if text and (not 12 <= len(text) <= 64 or set(text.lower()) - set("0123456789abcdef")):
        raise UsageError("--digest takes the plan's digest: 12 to 64 hexadecimal digits")
    return text.lower()


async def _apply(setup: Setup, order: Pass, form: Format) -> int:
    from reconciler.cli.composition import Program
    from reconciler.cli.loop import stop_signal, until_any
    from reconciler.cli.terminal import say
    from reconciler.errors import RevisionError

    stop, program, ended = stop_signal(), Program(setup), [ERROR]
    program.hold_writes()
    try:
        await program.start()
        taken = await program.controller.take(await order.source.fetch(), force=order.force)
        if isinstance(taken, RevisionError):
            raise taken

        async def work() -> None:
            ended[0] = await _carry_out(program, taken, order, form)

        await until_any(stop, work(), program.watch_over())
    finally:
        await program.stop()
    if stop.is_set():
        say("stopped before the end")
    return ended[0]


async def _carry_out(program: Program, revision: Revision, order: Pass, form: Format) -> int:
    import asyncio

    from reconciler.cli.presentation import print_lines
    from reconciler.cli.terminal import say
    from reconciler.plan.text import write_text
    from reconciler.profiles.wording import count

    keys = tuple(revision.fleet.stations)
    host, port = program.stations.address
    say(f"{count(len(keys), 'station')} may connect to ws://{host}:{port} for {order.wait.total_seconds():g} s")
    await _wait("stations read", keys, lambda key: _is_read(program, key), order.wait)
    present = tuple(key for key in keys if _is_read(program, key))
    unread = tuple(key for key in keys if key not in present and _is_connected(program, key))
    plan = _plan(program, revision, unread)
    objections = await asyncio.to_thread(_object, program, revision, plan, order, present)
    if objections:
        for each in objections[:MOST_OBJECTIONS]:
            say(f"error: {each}")
        say(f"{count(len(objections), 'objection')}: nothing was written; review it anew")
        return BLOCKED
    if form.value == "table":
        print_lines(write_text(plan))
    if unread:
        say(f"{count(len(unread), 'station')} connected and not read yet: {UNREAD} (a longer --wait reads them)")
    program.release_writes(present, UNREAD)
    await _wait("stations done", present, lambda key: _state(program, key) in DONE, order.timeout)
    return _conclude(program, keys, present, form)


async def _wait(what: str, keys: tuple[str, ...], is_so: Callable[[str], bool], longest: timedelta) -> None:
    """Wait until something holds for all of these stations, or the time is over; a bar shows it on a terminal."""
    import asyncio
    import time

    from reconciler.cli.output import make_bar

    end = time.monotonic() + longest.total_seconds()
    with make_bar(what, len(keys)) as show:
        while (done := sum(map(is_so, keys))) < len(keys) and time.monotonic() < end:
            show(done)
            await asyncio.sleep(LOOK_S)


def _is_connected(program: Program, key: str) -> bool:
    station = program.controller.world.stations.get(key)
    return station is not None and station.session is not None


def _is_read(program: Program, key: str) -> bool:
    station = program.controller.world.stations.get(key)
    return _is_connected(program, key) and station is not None and (station.reported.known or station.blind)


def _state(program: Program, key: str) -> str:
    answer = program.controller.world.standing.get(key)
    return answer.state if answer else "deferred"


def _plan(program: Program, revision: Revision, unread: tuple[str, ...]) -> FleetPlan:
    from reconciler.plan.fleet_plan import plan_fleet
    from reconciler.web.view import saved

    state = {key: saved(station) for key, station in program.controller.world.stations.items()}
    return plan_fleet(revision, program.now(), state=state, unread=unread)


def _object(
    program: Program, revision: Revision, plan: FleetPlan, order: Pass, present: tuple[str, ...]
) -> tuple[str, ...]:
    """Say everything for which a plan must not be applied: guardrails, another digest, stations that have moved."""
    from reconciler.plan.moved import moved

    plans = (plan, order.reviewed) if order.reviewed else (plan,)
    found = {finding.text for each in plans for finding in each.findings if finding.is_error and not order.force}
    objections = [f"{text} (--force REASON passes it by)" for text in sorted(found)]
    digest = _digest(program, revision, plan, order)
    if not digest.startswith(order.digest):
        objections.append(f"the plan is {digest[:12]} and not {order.digest[:12]}")
    if order.reviewed:
        objections += moved(order.reviewed, plan, present)
    return tuple(objections)


def _digest(program: Program, revision: Revision, plan: FleetPlan, order: Pass) -> str:
    """Give the digest that a review would have shown."""
    from reconciler.cli.inputs import trust
    from reconciler.plan.fleet_plan import plan_fleet

    if order.base:
        return plan_fleet(revision, program.now(), trust(order.source.read(order.base))).digest
    if order.reviewed is None:
        return plan.digest
    # Without a base it was of all that is new, or of what stations held: then each station is looked at by itself.
    return order.digest if order.reviewed.live else plan_fleet(revision, program.now()).digest


def _conclude(program: Program, keys: tuple[str, ...], present: tuple[str, ...], form: Format) -> int:
    """Print what came of each station, and say it by the exit code."""
    from reconciler.cli.get import stations_table
    from reconciler.cli.output import Format, emit_data, emit_table
    from reconciler.cli.terminal import say
    from reconciler.web.view import station_view

    rows = [station_view(program.controller.world, key) for key in keys]
    settled = DONE | {"deferred"}
    late = [row for key, row in zip(keys, rows, strict=True) if key not in present and row["state"] not in settled]
    for row in late:
        row |= {"state": "deferred", "reason": UNREAD}
    if form is Format.JSON:
        emit_data(rows, form)
    else:
        emit_table(stations_table(rows))
    states = [row["state"] for row in rows]
    verified = states.count("in-sync")
    told = f", {len(late)} of them connected and not read in time" if late else ""
    say(f"{verified} of {len(rows)} stations verified, {states.count('deferred')} deferred{told}")
    if verified == len(rows):
        return OK
    return PARTLY if verified else BLOCKED if "refused" in states else ERROR
