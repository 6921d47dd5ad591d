"""How a plan is printed: as text, as JSON, as Markdown; `plan`, `show` and `apply` share it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.cli.terminal import emit, printable

if TYPE_CHECKING:
    from reconciler.plan.markdown import Link
    from reconciler.plan.planned import FleetPlan
    from reconciler.plan.text import Line
    from reconciler.profiles.capability import Protocol
    from reconciler.profiles.form import JsonObject
    from reconciler.profiles.profile import Profile

STYLES = {"heading": "bold", "add": "green", "change": "yellow", "remove": "red", "warn": "magenta", "quiet": "dim"}


class Format(StrEnum):
    """What `-o` takes."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class By(StrEnum):
    """What `--by` takes."""

    CHANGE = "change"
    GROUP = "group"
    STATION = "station"


def print_plan(planned: FleetPlan, output: Format, by: By = By.CHANGE, links: Sequence[Link] = ()) -> None:
    """Print a plan to stdout."""
    match output:
        case Format.JSON:
            emit(plan_as_json(planned).decode())
        case Format.MARKDOWN:
            from reconciler.plan.markdown import write_markdown

            emit(write_markdown(planned, links))
        case _:
            from reconciler.plan.sections import Division
            from reconciler.plan.text import write_text

            print_lines(write_text(planned, Division(by)))


def plan_as_json(planned: FleetPlan) -> bytes:
    """Give a plan as the JSON document that is printed and saved."""
    import orjson

    from reconciler.plan.json_form import write_json

    return orjson.dumps(write_json(planned, _request), option=orjson.OPT_INDENT_2)


def print_lines(lines: tuple[Line, ...]) -> None:
    """Print a plan's lines to stdout, in colour where a person looks."""
    if not sys.stdout.isatty():
        emit("\n".join(printable(line.text) for line in lines))
        return
    from reconciler.cli.terminal import console

    screen = console()
    for line in lines:
        screen.print(printable(line.text), style=STYLES.get(line.tone, ""), soft_wrap=True)


def _request(profile: Profile, protocol: Protocol) -> JsonObject:
    """Give what goes out; the profile was fitted and lowered for its station before."""
    from reconciler.ocpp.dialects import dialect
    from reconciler.profiles.capability import Capability
    from reconciler.profiles.profile import Mode

    return dialect(protocol).set_profile(profile, Capability(protocol, negative_limit=True, modes=frozenset(Mode)))
